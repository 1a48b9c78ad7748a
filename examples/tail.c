// Follows files as tail -F does: prints what is appended, begins anew when a file is replaced or cut.
//
//     weft run examples/tail.c [--until TEXT] FILE...
//
// One watch on the directories tells of all of them; nothing is asked again and again. --until ends it when a line
// holds the text. A file that is not there yet is followed from when it is made.
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

enum { FILES_MAX = 64, PATH_MAX_SIZE = 1024 };

struct followed {
    const char *path;
    struct wf_file *file;  // NULL: not there
    int64_t seen;
};

struct tail {
    struct followed files[FILES_MAX];
    size_t count;
    const char *until;
    bool done;
};

static int print_rest(struct tail *tail, struct followed *followed)
{
    char buffer[2048];
    struct stat status;
    // It may have been cut.
    if (wf_file_status(followed->file, &status) == 0 && status.st_size < followed->seen) followed->seen = 0;
    ssize_t got;
    while ((got = wf_file_read_at(followed->file, buffer, sizeof buffer - 1, followed->seen)) > 0) {
        followed->seen += got;
        buffer[got] = '\0';
        if (tail->count > 1) printf("%s: ", followed->path);
        fputs(buffer, stdout);
        if (tail->until != NULL && strstr(buffer, tail->until) != NULL) tail->done = true;
    }
    fflush(stdout);
    return (int)got;
}

static int begin(struct followed *followed, bool at_end)
{
    wf_file_close(followed->file);
    followed->file = NULL;
    followed->seen = 0;
    int rc = wf_file_open(followed->path, O_RDONLY, 0, &followed->file);
    if (rc == -ENOENT) return 0;
    struct stat status;
    if (rc == 0 && at_end && wf_file_status(followed->file, &status) == 0) followed->seen = status.st_size;
    return rc;
}

static int look_again(struct tail *tail, const struct wf_watch_event *event)
{
    for (size_t i = 0; i < tail->count; i++) {
        struct followed *followed = &tail->files[i];
        bool lost = event->kind == WF_WATCH_OVERFLOW;
        if (!lost && strcmp(event->path, followed->path) != 0) continue;
        bool is_new = lost || event->kind == WF_WATCH_MADE || event->kind == WF_WATCH_RENAMED;
        int rc = is_new ? begin(followed, false) : 0;
        if (rc == 0 && followed->file != NULL) rc = print_rest(tail, followed);
        if (rc < 0) return rc;
    }
    return 0;
}

static int watch_directory_of(struct wf_watch *watch, const char *path)
{
    char directory[PATH_MAX_SIZE];
    const char *slash = strrchr(path, '/');
    if (slash == NULL) return wf_fail(-EINVAL, "%s: give the path with its directory, as ./%s", path, path);
    snprintf(directory, sizeof directory, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    return wf_watch_add(watch, directory, false);
}

static int follow(struct tail *tail)
{
    struct wf_watch *watch;
    int rc = wf_watch_open(&watch);
    if (rc < 0) return rc;
    for (size_t i = 0; i < tail->count && rc >= 0; i++) rc = watch_directory_of(watch, tail->files[i].path);
    for (size_t i = 0; i < tail->count && rc >= 0; i++) rc = begin(&tail->files[i], true);
    if (rc >= 0) fprintf(stderr, "following\n");
    const struct wf_watch_event *event;
    while (rc >= 0 && !tail->done && (rc = wf_watch_next(watch, &event)) > 0) rc = look_again(tail, event);
    for (size_t i = 0; i < tail->count; i++) wf_file_close(tail->files[i].file);
    wf_watch_close(watch);
    return rc < 0 ? rc : 0;
}

int main(int argc, char **argv)
{
    struct tail tail = {.count = 0};
    for (int i = 1; i < argc && tail.count < FILES_MAX; i++) {
        if (strcmp(argv[i], "--until") == 0 && i + 1 < argc) tail.until = argv[++i];
        else tail.files[tail.count++].path = argv[i];
    }
    if (tail.count > 0) return wf_main(follow, &tail, .signals = true);
    fputs("usage: tail [--until TEXT] FILE...\n", stderr);
    return 2;
}
