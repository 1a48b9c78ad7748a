/*
 * A resource that is acquired and released by one thing: once on every way out, and not at all where it was never
 * acquired. From "Best Practices: 3. Resource Management".
 *
 * Rows: S128, S129, S130.
 *
 * A cancel in the middle of the sample's release leaves it half done. Here the release has a shield for a second.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/001-plugins/resource_management.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct resource {
    const char *name; /* NULL: nothing is held */
};

static int acquire_resource(struct resource *resource, const char *name, int code)
{
    int rc = wf_sleep(WF_MILLISECONDS(10));
    if (rc == 0) rc = code;
    if (rc == 0) resource->name = name;
    printf("  acquire %s: %s\n", name, wf_strerror(rc));
    return rc;
}

static void release_resource(struct resource *resource)
{
    if (resource->name == NULL) return;
    int rc = wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(10)));
    printf("  release %s: %s\n", resource->name, wf_strerror(rc));
}

/* Declared empty, filled, and given back when the block is left. */
#define RESOURCE(variable) struct resource variable __attribute__((cleanup(release_resource))) = {.name = NULL}

static int use_resource(int code)
{
    int rc = wf_sleep(WF_SECONDS(1));
    return rc < 0 ? rc : code;
}

struct fate {
    int acquire, use; /* what the second one's acquisition and the use end with */
};

static int use_two(const struct fate *fate)
{
    RESOURCE(first);
    int rc = acquire_resource(&first, "A", 0);
    if (rc < 0) return rc;
    RESOURCE(second);
    rc = acquire_resource(&second, "B", fate->acquire);
    return rc < 0 ? rc : use_resource(fate->use);
}

static void show(const char *title, struct fate fate, int64_t limit)
{
    printf("%s:\n", title);
    printf("  %s\n", wf_strerror(wf_within(limit, use_two(&fate))));
}

static int run(void *unused)
{
    (void)unused;
    show("good", (struct fate){0}, WF_SECONDS(5));
    show("the use fails", (struct fate){.use = -EIO}, WF_SECONDS(5));
    show("the second cannot be acquired", (struct fate){.acquire = -EBUSY}, WF_SECONDS(5));
    show("cut in the middle", (struct fate){0}, WF_MILLISECONDS(500));
    return 0;
}

int main(void)
{
    return wf_main(run, NULL);
}
