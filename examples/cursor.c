/*
 * An iterator written by hand: a cursor that gives the rows of a table in batches, and can be closed. It remembers the
 * last key, not a count of rows, so rows that others add or delete meanwhile shift nothing.
 *
 *     weft run examples/cursor.c
 */
#include <stdio.h>
#include <weft/weft.h>

enum { ROWS = 500, BATCH = 100 };

struct batch {
    int keys[BATCH];
    int count;
};

/* SELECT key FROM table WHERE key > `after` ORDER BY key LIMIT 100 */
static int select_after(int after, struct batch *batch)
{
    int rc = wf_sleep(WF_MILLISECONDS(1));
    if (rc < 0) return rc;
    batch->count = 0;
    while (batch->count < BATCH && after < ROWS) batch->keys[batch->count++] = ++after;
    return 0;
}

/* A source of items begins with a struct wf_iterator; what comes then is its own. */
struct cursor {
    struct wf_iterator iterator;
    int last;
    bool closed;
};

static int cursor_next(struct wf_iterator *iterator, void *item)
{
    struct cursor *cursor = (struct cursor *)iterator;
    struct batch *batch = item;
    if (cursor->closed) return 0; /* an end stays an end */
    int rc = select_after(cursor->last, batch);
    if (rc < 0) return rc; /* nothing has changed: the next call tries again */
    if (batch->count == 0) return 0;
    cursor->last = batch->keys[batch->count - 1];
    return 1;
}

static void cursor_close(struct wf_iterator *iterator)
{
    ((struct cursor *)iterator)->closed = true;
}

static const struct wf_iterator_class cursor_class = {.next = cursor_next, .close = cursor_close};
#define CURSOR                                                                                                         \
    {                                                                                                                  \
        .iterator = {.class_ = &cursor_class, .item_size = sizeof(struct batch) }                                      \
    }

static int read_all(struct batch *batch)
{
    struct cursor cursor = CURSOR;
    int rc;
    while ((rc = wf_next(&cursor, batch)) > 0) printf("%d rows to key %d\n", batch->count, cursor.last);
    printf("the end: %d, and again: %d\n", rc, wf_next(&cursor, batch));
    return rc;
}

/* What works on generators works on it: a stage that ends early closes it. */
static int read_two(struct batch *batch)
{
    struct cursor cursor = CURSOR;
    WF_TAKE(two, &cursor, 2);
    int rc, batches = 0;
    while ((rc = wf_next(&two, batch)) > 0) batches++;
    printf("%d batches, closed: %s\n", batches, cursor.closed ? "yes" : "no");
    return rc;
}

static int show_both(struct batch *batch)
{
    int rc = read_all(batch);
    return rc < 0 ? rc : read_two(batch);
}

int main(void)
{
    struct batch batch;
    return wf_main(show_both, &batch);
}
