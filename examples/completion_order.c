/*
 * Children handed out as they end, not as they were started: a scope with .keep_finished and wf_scope_next.
 *
 *     weft run examples/completion_order.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct parcel {
    const char *name;
    int64_t travel;
};

static int deliver(struct parcel *parcel)
{
    int rc = wf_sleep(parcel->travel);
    return rc < 0 ? rc : (int)(parcel->travel / WF_MILLISECONDS(1));
}

static int unpack(struct parcel parcels[3])
{
    WF_SCOPE(scope, .keep_finished = true);
    for (int i = 0; i < 3; i++) wf_spawn(&scope, deliver, &parcels[i]);
    struct wf_finished finished;
    int rc;
    while ((rc = wf_scope_next(&scope, &finished)) > 0) {
        const struct parcel *parcel = finished.arg;
        printf("%s after %d ms\n", parcel->name, finished.result);
    }
    return wf_scope_end(&scope, rc);
}

int main(void)
{
    struct parcel parcels[3] = {
        {.name = "from abroad", .travel = WF_MILLISECONDS(150)},
        {.name = "from town", .travel = WF_MILLISECONDS(50)},
        {.name = "from the country", .travel = WF_MILLISECONDS(100)},
    };
    return wf_main(unpack, parcels);
}
