/*
 * A connection that the first who needs it opens, and the others wait for: one attempt at a time. A failed attempt
 * fails for its own caller; the next one tries again.
 *
 *     weft run examples/open_once.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct shared {
    struct wf_once once;
    int tries;
};

/* The first try is refused. */
static int connect_slowly(struct shared *shared)
{
    shared->tries++;
    int rc = wf_sleep(WF_MILLISECONDS(20));
    if (rc < 0) return rc;
    return shared->tries == 1 ? -ECONNREFUSED : 0;
}

struct reader {
    struct shared *shared;
    int number;
};

static int read_record(struct reader *reader)
{
    int rc = wf_once(&reader->shared->once, connect_slowly, reader->shared);
    printf("reader %d: %s, tries so far: %d\n", reader->number, wf_strerror(rc), reader->shared->tries);
    return 0;
}

static int read_records(void *unused)
{
    (void)unused;
    struct shared shared = {.once = WF_ONCE};
    struct reader readers[4];
    WF_SCOPE(scope);
    for (int i = 0; i < 4; i++) {
        readers[i] = (struct reader){.shared = &shared, .number = i + 1};
        wf_spawn(&scope, read_record, &readers[i]);
    }
    return wf_scope_join(&scope);
}

int main(void)
{
    return wf_main(read_records, NULL);
}
