/*
 * Cleanup under cancel: a resource that is not given back, one that is, and one that cannot be forgotten. From "Common
 * Pitfalls: 4. Not Handling Task Cancellation".
 *
 * Rows: S150, S132.
 *
 * The sample's good form awaits its close in `finally`, where a second cancel would cut it; here a shield bounds it by
 * one second instead.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/002-cookbook/task_cancellation.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct resource {
    int *open; /* how many there are */
};

/* Both talk to the one who lends it. */
static int acquire_resource(struct resource *resource, int *open)
{
    int rc = wf_sleep(WF_MILLISECONDS(10));
    if (rc == 0) *resource = (struct resource){.open = open};
    if (rc == 0) ++*open;
    return rc;
}

static int resource_close(struct resource *resource)
{
    if (resource->open == NULL) return 0;
    int rc = wf_sleep(WF_MILLISECONDS(10));
    if (rc == 0) --*resource->open;
    return rc;
}

static int long_operation(void)
{
    return wf_sleep(WF_SECONDS(10));
}

static int bad_resource_handling(int *open)
{
    struct resource resource = {0};
    int rc = acquire_resource(&resource, open);
    if (rc == 0) rc = long_operation();
    return rc < 0 ? rc : resource_close(&resource); /* never called if cancelled */
}

static int good_resource_handling(int *open)
{
    struct resource resource = {0};
    int rc = acquire_resource(&resource, open);
    if (rc == 0) rc = long_operation();
    wf_shielded(WF_SECONDS(1), resource_close(&resource));
    return rc;
}

static void resource_leave(struct resource *resource)
{
    wf_shielded(WF_SECONDS(1), resource_close(resource));
}

static int best_resource_handling(int *open)
{
    struct resource resource __attribute__((cleanup(resource_leave))) = {0};
    int rc = acquire_resource(&resource, open);
    return rc < 0 ? rc : long_operation();
}

static int show(const char *name, int (*form)(int *))
{
    int open = 0;
    struct wf_handle handle = {0};
    WF_SCOPE(scope);
    wf_spawn(&scope, form, &open, .handle = &handle);
    int rc = wf_sleep(WF_SECONDS(1));
    wf_handle_cancel(&handle, "the user went away");
    rc = wf_scope_end(&scope, rc);
    printf("%s: %s, resources left open: %d\n", name, wf_strerror(wf_handle_result(&handle)), open);
    return rc;
}

static int compare(void *unused)
{
    (void)unused;
    int rc = show("bad", bad_resource_handling);
    if (rc == 0) rc = show("good", good_resource_handling);
    if (rc == 0) rc = show("best", best_resource_handling);
    return rc;
}

int main(void)
{
    return wf_main(compare, NULL);
}
