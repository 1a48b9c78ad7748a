/*
 * What is not closed. A request is cut by a deadline while it holds a pipe, a hundred times. Bad: the error leaves
 * before the close. Good: closed on every way. Best: closed where it is declared, so that no later return forgets it.
 *
 *     weft run examples/pitfalls/not_closed.c
 */
#include <dirent.h>
#include <stdio.h>
#include <weft/weft.h>

static int work(void)
{
    return wf_sleep(WF_SECONDS(10));
}

static int bad(void)
{
    struct wf_stream *reader, *writer;
    int rc = wf_pipe(&reader, &writer);
    if (rc < 0) return rc;
    rc = work();
    if (rc < 0) return rc;
    wf_stream_close(writer);
    wf_stream_close(reader);
    return 0;
}

static int good(void)
{
    struct wf_stream *reader, *writer;
    int rc = wf_pipe(&reader, &writer);
    if (rc < 0) return rc;
    rc = work();
    wf_stream_close(writer);
    wf_stream_close(reader);
    return rc;
}

static void close_stream(struct wf_stream **stream)
{
    wf_stream_close(*stream);
}

static int best(void)
{
    struct wf_stream *reader __attribute__((cleanup(close_stream))) = NULL;
    struct wf_stream *writer __attribute__((cleanup(close_stream))) = NULL;
    int rc = wf_pipe(&reader, &writer);
    return rc < 0 ? rc : work();
}

static int open_descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL) return -1;
    while (readdir(directory) != NULL) count++;
    closedir(directory);
    return count;
}

static int show(const char *name, int (*form)(void))
{
    int before = open_descriptors(), cut = 0;
    for (int i = 0; i < 100; i++) cut += wf_within(WF_MILLISECONDS(1), form()) == -ETIME;
    printf("%s: %d requests cut, %d descriptors left open\n", name, cut, open_descriptors() - before);
    return 0;
}

static int compare(void *unused)
{
    (void)unused;
    show("bad", bad);
    show("good", good);
    return show("best", best);
}

int main(void)
{
    return wf_main(compare, NULL);
}
