/*
 * Downloads in a group: all complete, or the first that fails cancels the others, and the errors are handled by kind.
 * From "4. Task Groups for Structured Concurrency".
 *
 * Rows: S009, S010, S011.
 *
 * The sample prints whatever failed, and cannot go on with a value from there: a return in `except*` is a syntax error.
 * Here each kind is taken or left, and what is left is the caller's. A sibling that was cancelled is no error; one that
 * fails while it cleans up is one more.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/002-cookbook/task_groups.c
 */
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

struct download {
    const char *url;
    char filename[16];
    bool done;
};

static bool has(const struct download *download, const char *word)
{
    return strstr(download->url, word) != NULL;
}

static int download_file(struct download *download)
{
    int rc = wf_sleep(has(download, "missing") ? WF_MILLISECONDS(100) : WF_SECONDS(1));
    if (rc == -ECANCELED && has(download, "large")) return wf_fail(-EIO, "the half of %s stays", download->filename);
    if (rc < 0) return rc;
    if (has(download, "missing")) return wf_fail(-ENOENT, "404 for %s", download->url);
    printf("Downloaded %s\n", download->filename);
    download->done = true;
    return 0;
}

static int download_files_structured(struct download *downloads, size_t count)
{
    WF_SCOPE(scope);
    for (size_t i = 0; i < count; i++) {
        snprintf(downloads[i].filename, sizeof downloads[i].filename, "file_%zu.dat", i);
        wf_spawn(&scope, download_file, &downloads[i], .name = downloads[i].filename);
    }
    wf_scope_join(&scope);
    wf_each_error(&scope, error) {
        printf("Task failed: %s (%s)\n", error->message, error->path);
        if (error->code == -ENOENT) wf_take_error(error);
    }
    return wf_scope_rest(&scope); /* what nobody has handled */
}

static int show(const char *title, const char *second, const char *third)
{
    struct download downloads[] = {{.url = "http://example.com/file1"}, {.url = second}, {.url = third}};
    printf("%s:\n", title);
    int64_t started = wf_now();
    int rc = download_files_structured(downloads, WF_COUNT(downloads)), done = 0;
    for (size_t i = 0; i < WF_COUNT(downloads); i++) done += downloads[i].done;
    printf("%d done after %.1f s: %s\n", done, wf_seconds(wf_now() - started), wf_strerror(rc));
    return rc;
}

static int run(void *unused)
{
    (void)unused;
    int rc = show("three files", "http://example.com/file2", "http://example.com/file3");
    if (rc == 0) rc = show("one that is missing", "http://example.com/file2", "http://example.com/missing");
    if (rc == 0) rc = show("and one that leaves something", "http://example.com/large", "http://example.com/missing");
    return rc == -EIO ? 0 : rc;
}

int main(void)
{
    return wf_main(run, NULL);
}
