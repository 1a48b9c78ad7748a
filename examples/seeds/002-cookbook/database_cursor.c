/*
 * A cursor: an object that gives a large result in batches of 100 rows, and ends after 500. From "Variations: Async
 * Iterator for Database Cursor".
 *
 * Rows: S028.
 *
 * The sample pages by OFFSET: rows that are written or deleted meanwhile make others come twice or never, and each page
 * costs more than the one before. Here a batch is asked for by the last key; a row that is deleted between two batches
 * shifts nothing. The rows are made up, like the sample's: over PostgreSQL this is open.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/002-cookbook/database_cursor.c
 */
#include <stdio.h>
#include <weft/weft.h>

enum { BATCH = 100, ROWS = 500 };

struct table {
    bool deleted[ROWS + 1]; /* by id, from 1 */
    int queries;
};

struct batch {
    int ids[BATCH];
    int count;
};

/* Whatever begins with an iterator can be asked for a next item. */
struct cursor {
    struct wf_iterator iterator;
    struct table *table;
    int last_id;
};

/* SELECT id FROM large_table WHERE id > :last ORDER BY id LIMIT 100 */
static int fetch_batch(struct table *table, int last_id, struct batch *batch)
{
    int rc = wf_sleep(WF_MILLISECONDS(100));
    if (rc < 0) return rc;
    table->queries++;
    batch->count = 0;
    for (int id = last_id + 1; id <= ROWS && batch->count < BATCH; id++)
        if (!table->deleted[id]) batch->ids[batch->count++] = id;
    return 0;
}

static int cursor_next(struct wf_iterator *iterator, void *item)
{
    struct cursor *cursor = (struct cursor *)iterator;
    struct batch *batch = item;
    int rc = fetch_batch(cursor->table, cursor->last_id, batch);
    if (rc < 0 || batch->count == 0) return rc; /* 0: the end, and ever after */
    cursor->last_id = batch->ids[batch->count - 1];
    return 1;
}

static const struct wf_iterator_class cursor_class = {.next = cursor_next};

static int process_large_resultset(struct table *table)
{
    struct cursor cursor = {.iterator = {&cursor_class, sizeof(struct batch)}, .table = table};
    struct batch batch;
    int rows = 0, rc;
    while ((rc = wf_next(&cursor, &batch)) > 0) {
        rows += batch.count;
        printf("%d rows, %d to %d\n", batch.count, batch.ids[0], batch.ids[batch.count - 1]);
        table->deleted[7] = true; /* by somebody else, after the first batch */
    }
    if (rc == 0) rc = wf_next(&cursor, &batch);
    printf("the end: %d; %d rows by %d queries\n", rc, rows, table->queries);
    return rc;
}

int main(void)
{
    static struct table table;
    return wf_main(process_large_resultset, &table);
}
