/*
 * A generator that closes what it opened, also when its consumer takes a few items and stops. From "Async Generators
 * and Iterators", "Async Generator with Cleanup".
 * Rows: S029, S030, S034.
 * The sample's `async for` over `enumerate` does not run: that is for plain iterators; here a stage counts. And it says
 * "only first few", with `i >= 5`, which are six.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/async_generator_with_cleanup.c
 */
#include <inttypes.h>
#include <stdio.h>
#include <weft/weft.h>

struct resource {
    int reads, closes;
    int fails_at; /* that read; 0: none does */
};

static int resource_read(struct resource *resource, int *data)
{
    int rc = wf_sleep(WF_MILLISECONDS(10));
    if (rc < 0) return rc;
    *data = 100 + resource->reads++;
    if (resource->reads == resource->fails_at) return wf_fail(-EIO, "the resource is broken");
    return resource->reads <= 8;
}

static int resource_close(struct resource *resource)
{
    int rc = wf_sleep(WF_MILLISECONDS(10)); /* a goodbye to somebody */
    if (rc == 0) resource->closes++;
    return rc;
}

/* The shield is for a source that is closed early: its task is cancelled then. */
static int stream_with_cleanup(struct wf_generator *out, struct resource *resource)
{
    int data, rc;
    while ((rc = resource_read(resource, &data)) > 0)
        if ((rc = wf_emit(out, &data)) < 0) break;
    wf_shielded(WF_SECONDS(1), resource_close(resource));
    printf("  Resource cleaned up\n");
    return rc;
}

/* As many as `most`. */
static int consume(struct resource *resource, int most)
{
    WF_GENERATOR(stream, stream_with_cleanup, resource, int);
    WF_ENUMERATE(numbered, &stream);
    int item, rc;
    while ((rc = wf_next(&numbered, &item)) > 0) {
        printf("  %" PRId64 ": %d\n", wf_index(&numbered), item);
        if (wf_index(&numbered) + 1 >= most) break;
    }
    return rc < 0 ? rc : 0;
}

static void show(const char *way, const struct resource *resource, int rc)
{
    printf("%s: %s, %d reads, closed %d times\n", way, wf_strerror(rc), resource->reads, resource->closes);
}

static int run(void *unused)
{
    struct resource partly = {.reads = 0}, broken = {.fails_at = 2}, cut = {.reads = 0}, whole = {.reads = 0};
    (void)unused;
    show("the first six", &partly, consume(&partly, 6));
    show("an error", &broken, consume(&broken, 6));
    show("a cancel", &cut, wf_within(WF_MILLISECONDS(35), consume(&cut, 6)));
    show("to its end", &whole, consume(&whole, 100));
    return 0;
}

int main(void)
{
    return wf_main(run, NULL);
}
