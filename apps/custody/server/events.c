/* What happens, as it happens: an answer that goes on, from any event on that the client says. */
#include <stdlib.h>
#include <string.h>
#include <weft/sse.h>

#include "server.h"

enum { EVENTS_AT_ONCE = 32 };

#define EVENTS_MEMBERS(M) M(STRING, vin, .optional = true)
WF_MODEL(events_query, EVENTS_MEMBERS, .unknown = WF_UNKNOWN_REFUSED)

/* ---- Where to begin ---- */

/* A decimal number; false: it is none. */
static bool read_number(const char *text, int64_t *number)
{
    size_t size = strspn(text, "0123456789");
    *number = 0;
    if (size == 0 || text[size] != '\0' || size > 18) return false;
    *number = strtoll(text, NULL, 10);
    return true;
}

static int check_events(struct wf_request *request, struct wf_problems *problems)
{
    const struct events_query *query = wf_query_value(request);
    const char *last = wf_sse_last_id(request);
    int64_t number;
    int rc = check_query(request, problems, &events_query_model);
    if (rc != -ENOMEM && query != NULL && query->vin != NULL)
        rc = check_vin(request, problems, "query", "vin", query->vin);
    if (rc == -ENOMEM || last == NULL || read_number(last, &number)) return rc;
    problems->where = "header";
    rc = wf_problems_add(problems, "Last-Event-ID", bad_event_id, "it is no number of an event");
    return rc == -ENOMEM ? rc : -EBADMSG;
}

/* ---- Sending ---- */

struct follower {
    struct storage *storage;
    struct wf_sse events;
    const char *vin; /* NULL: of all */
    int64_t after;
};

static int send_one(struct follower *follower, struct wf_arena *arena, const struct numbered_event *event)
{
    struct wf_json_writer writer;
    const char *data;
    char id[24];
    wf_json_writer_init(&writer, arena, 0);
    int rc = wf_model_write(&custody_event_model, &event->event, &writer);
    if (rc >= 0) rc = wf_json_write_end(&writer, &data, NULL);
    if (rc < 0) return rc;
    snprintf(id, sizeof id, "%lld", (long long)event->number);
    follower->after = event->number;
    return wf_sse_send(&follower->events, .event = event->event.type, .id = id, .data = data);
}

/* All that there is. What is of other vehicles is passed over with the last that is of this one. */
static int send_some(struct follower *follower, struct wf_arena *arena)
{
    struct numbered_event events[EVENTS_AT_ONCE];
    int64_t last = storage_last_event(follower->storage);
    size_t count = 0;
    int rc = storage_events(follower->storage, arena, follower->after, follower->vin, EVENTS_AT_ONCE, events, &count);
    for (size_t i = 0; i < count && rc == 0; i++) rc = send_one(follower, arena, &events[i]);
    if (rc == 0 && count < EVENTS_AT_ONCE && last > follower->after) follower->after = last;
    return rc;
}

static int follow(struct follower *follower)
{
    int rc = 0;
    while (rc >= 0) {
        struct wf_arena arena;
        wf_arena_init(&arena);
        rc = send_some(follower, &arena);
        wf_arena_finish(&arena);
        if (rc == 0) rc = wf_sse_wait(&follower->events, storage_wait_news(follower->storage, follower->after));
    }
    return rc;
}

static int show_events(struct wf_request *request)
{
    struct sandbox *sandbox = wf_request_state(request);
    const struct events_query *query = wf_query_value(request);
    char vin[CUSTODY_VIN_MAX + 1];
    const char *last = wf_sse_last_id(request);
    struct follower follower = {.storage = sandbox->storage, .after = storage_last_event(sandbox->storage)};
    if (last != NULL) read_number(last, &follower.after);
    if (query->vin != NULL && custody_vin_normalize(sandbox->options.vin_policy, query->vin, vin) == NULL)
        follower.vin = vin;
    int rc = wf_sse_begin(request, &follower.events);
    return rc < 0 ? rc : follow(&follower);
}

void event_routes(struct wf_app *app)
{
    wf_route(app, WF_GET, "/events", show_events, .needs = {&gate}, .scopes = "custody:read", .no_head = true,
             .check = check_events, .query = &events_query_model, .name = "events", .tag = "events",
             .summary = "What happens, as it happens",
             .description = "Server-sent events; Last-Event-ID: all behind that one, 0: from the first on.");
}
