/*
 * A deadline around an expression, and another source when it passes. When both fail, one error names both.
 *
 *     weft run examples/timeout_fallback.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct source {
    const char *name;
    int64_t latency;
    int result; /* 0, or the error that it ends with */
    int asked;  /* how often */
};

static int ask(struct source *source)
{
    source->asked++;
    int rc = wf_sleep(source->latency);
    return rc < 0 ? rc : source->result;
}

/* Writes to *answered who answered. */
static int ask_either(struct source *primary, struct source *fallback, const char **answered)
{
    int first = wf_within(WF_MILLISECONDS(100), ask(primary));
    if (first == 0) {
        *answered = primary->name;
        return 0;
    }
    if (first != -ETIME) return first; /* a cancel from outside, or an error that another source would not mend */
    int second = wf_within(WF_MILLISECONDS(100), ask(fallback));
    if (second == 0) {
        *answered = fallback->name;
        return 0;
    }
    if (second == -ECANCELED) return second;
    return wf_fail(second, "%s: %s; %s: %s", primary->name, wf_strerror(first), fallback->name, wf_strerror(second));
}

static void show(const char *title, struct source primary, struct source fallback)
{
    const char *answered = "nobody";
    int rc = ask_either(&primary, &fallback, &answered);
    if (rc == 0) printf("%s: %s answered; times the fallback was asked: %d\n", title, answered, fallback.asked);
    else printf("%s: failed: %s\n", title, wf_failure());
}

static int compare(const char *what)
{
    printf("%s\n", what);
    struct source fast = {.name = "primary", .latency = WF_MILLISECONDS(1)};
    struct source slow = {.name = "primary", .latency = WF_SECONDS(10)};
    struct source cache = {.name = "cache", .latency = WF_MILLISECONDS(1)};
    struct source empty = {.name = "cache", .latency = WF_MILLISECONDS(1), .result = -ENOENT};
    show("fast", fast, cache);
    show("slow", slow, cache);
    show("slow, nothing cached", slow, empty);
    return 0;
}

int main(void)
{
    return wf_main(compare, "100 ms for the primary, then 100 ms for the cache:");
}
