/*
 * A generator that holds a resource gives it back in all four ways: the end, an error, a consumer that stops, a cancel.
 * Its cleanup talks to the server, so it stands behind a shield.
 *
 *     weft run examples/source_cleanup.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct feed {
    int opens, closes, reads;
    int fails_at; /* that read fails; 0: none does */
};

static int feed_read(struct feed *feed, int *line)
{
    int rc = wf_sleep(WF_MILLISECONDS(1));
    if (rc < 0) return rc;
    *line = ++feed->reads;
    if (feed->reads == feed->fails_at) return wf_fail(-EIO, "line %d cannot be read", *line);
    return *line <= 10;
}

static int feed_close(struct feed *feed)
{
    int rc = wf_sleep(WF_MILLISECONDS(1)); /* a goodbye to the server */
    if (rc == 0) feed->closes++;
    return rc;
}

static int lines(struct wf_generator *out, struct feed *feed)
{
    int line, rc;
    feed->opens++;
    while ((rc = feed_read(feed, &line)) > 0) {
        rc = wf_emit(out, &line);
        if (rc < 0) break;
    }
    wf_shielded(WF_SECONDS(1), feed_close(feed));
    return rc;
}

/* Reads at most so many lines. */
static int read_lines(struct feed *feed, int count)
{
    WF_GENERATOR(source, lines, feed, int);
    int line, rc = 1;
    for (int i = 0; i < count && rc > 0; i++) rc = wf_next(&source, &line);
    return rc < 0 ? rc : 0;
}

static int wait_after_two(struct feed *feed)
{
    WF_GENERATOR(source, lines, feed, int);
    int line, rc = 1;
    for (int i = 0; i < 2 && rc > 0; i++) rc = wf_next(&source, &line);
    return rc < 0 ? rc : wf_sleep_until(WF_FOREVER);
}

static void show(const char *way, const struct feed *feed, int rc)
{
    printf("%s: %s, %d reads, opened %d, closed %d\n", way, wf_strerror(rc), feed->reads, feed->opens, feed->closes);
}

static int four_ways(void *unused)
{
    (void)unused;
    struct feed end = {.opens = 0}, error = {.fails_at = 4}, stop = {.opens = 0}, cancel = {.opens = 0};
    show("end", &end, read_lines(&end, 1000));
    show("error", &error, read_lines(&error, 1000));
    show("the first six", &stop, read_lines(&stop, 6));
    show("cancel", &cancel, wf_within(WF_MILLISECONDS(100), wait_after_two(&cancel)));
    return 0;
}

int main(void)
{
    return wf_main(four_ways, NULL);
}
