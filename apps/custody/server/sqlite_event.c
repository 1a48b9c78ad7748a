/* Events: written with what they tell, read by their numbers. */
#include "sqlite_storage.h"

int event_add(struct connection *connection, const char *type, const char *vin, int64_t at, const char *subject_id)
{
    struct query query = query_of(connection, "INSERT INTO outbox (type, vin, at, subject_id) VALUES (?1, ?2, ?3, ?4)");
    query_bind_text(&query, 1, type);
    query_bind_text(&query, 2, vin);
    query_bind_number(&query, 3, at);
    query_bind_text(&query, 4, subject_id);
    int rc = query_run(&query);
    if (rc == 0) connection->last_event = sqlite3_last_insert_rowid(connection->db);
    return rc;
}

struct events_call {
    struct call call;
    int64_t after;
    const char *vin;
    size_t limit;
    struct numbered_event *events;
    size_t count;
};

static int run_events(struct connection *connection, struct call *call)
{
    struct events_call *asked = (struct events_call *)call;
    const char *sql = asked->vin == NULL ? "SELECT number, type, vin, at, subject_id FROM outbox WHERE number > ?1 "
                                           "ORDER BY number LIMIT ?2"
                                         : "SELECT number, type, vin, at, subject_id FROM outbox WHERE number > ?1 "
                                           "AND vin = ?3 ORDER BY number LIMIT ?2";
    struct query query = query_of(connection, sql);
    query_bind_number(&query, 1, asked->after);
    query_bind_number(&query, 2, (int64_t)asked->limit);
    if (asked->vin != NULL) query_bind_text(&query, 3, asked->vin);
    while (asked->count < asked->limit && query_next(&query)) {
        asked->events[asked->count++] = (struct numbered_event){
            .number = query_number(&query, 0),
            .event = {.type = query_text(&query, 1, call->arena),
                      .vin = query_text(&query, 2, call->arena),
                      .at = query_number(&query, 3) * 1000,
                      .subject_id = query_text(&query, 4, call->arena)},
        };
    }
    return query_end(&query);
}

int sqlite_events(struct storage *storage, struct wf_arena *arena, int64_t after, const char *vin, size_t limit,
                  struct numbered_event *events, size_t *count)
{
    struct events_call asked = {{.kind = CALL_READS, .run = run_events, .arena = arena}, after, vin, limit, events, 0};
    int rc = call_make((struct sqlite_storage *)storage, &asked.call);
    *count = rc == 0 ? asked.count : 0;
    return rc;
}

int64_t sqlite_last_event(const struct storage *storage)
{
    return ((const struct sqlite_storage *)storage)->last_event;
}

int sqlite_wait_news(struct storage *storage, int64_t after)
{
    struct sqlite_storage *sqlite = (struct sqlite_storage *)storage;
    int rc = 0;
    while (rc == 0 && sqlite->last_event <= after) rc = wf_event_wait(&sqlite->news);
    return rc;
}
