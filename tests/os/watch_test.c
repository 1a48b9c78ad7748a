/* Watching names: what is told, in order; renames in one piece; new directories; lost events. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct place {
    struct wf_temporary folder;
    struct wf_watch *watch;
};

/* Until the next call but one. */
static const char *in(const struct place *place, const char *name)
{
    static char paths[2][320];
    static int turn;
    turn = !turn;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", place->folder.path, name);
    return paths[turn];
}

static bool begin(struct place *place, bool recursive)
{
    *place = (struct place){.watch = NULL};
    if (!WF_EXPECT_CODE(wf_temporary_directory(NULL, &place->folder), 0)) return false;
    int rc = wf_watch_open(&place->watch);
    if (rc == 0) rc = wf_watch_add(place->watch, place->folder.path, recursive);
    return WF_EXPECT_CODE(rc, 0);
}

static void end(struct place *place)
{
    wf_watch_close(place->watch);
    wf_temporary_remove(&place->folder);
}

static void touch(const char *path, const char *text)
{
    struct wf_file *file;
    if (!WF_EXPECT_CODE(wf_file_open(path, O_WRONLY | O_CREAT, 0600, &file), 0)) return;
    if (text != NULL) WF_EXPECT_CODE(wf_file_write_all(file, text, strlen(text), NULL), 0);
    wf_file_close(file);
}

static const char *name_of(const struct place *place, const char *path)
{
    size_t size = strlen(place->folder.path);
    if (path == NULL || strlen(path) <= size) return path == NULL ? "" : ".";
    return path + size + 1;
}

/* The next event must be this. */
static bool expect(struct place *place, enum wf_watch_kind kind, const char *from, const char *name)
{
    const struct wf_watch_event *event;
    int rc = wf_within(WF_SECONDS(1), wf_watch_next(place->watch, &event));
    if (!WF_EXPECT_CODE(rc, 1)) return false;
    return WF_EXPECT_INT(event->kind, kind) && WF_EXPECT_TEXT(name_of(place, event->path), name) &&
           WF_EXPECT_TEXT(name_of(place, event->from), from);
}

static bool expect_nothing(struct place *place)
{
    const struct wf_watch_event *event;
    return WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(30), wf_watch_next(place->watch, &event)), -ETIME);
}

WF_TEST(what_happens_to_a_file_is_told_in_order)
{
    struct place place;
    if (begin(&place, false)) {
        touch(in(&place, "a"), "text");
        expect(&place, WF_WATCH_MADE, "", "a");
        expect(&place, WF_WATCH_CHANGED, "", "a");
        expect(&place, WF_WATCH_WRITTEN, "", "a");
        WF_EXPECT_CODE(wf_chmod(in(&place, "a"), 0600), 0);
        expect(&place, WF_WATCH_CHANGED, "", "a");
        WF_EXPECT_CODE(wf_unlink(in(&place, "a")), 0);
        expect(&place, WF_WATCH_REMOVED, "", "a");
        expect_nothing(&place);
    }
    end(&place);
}

WF_TEST(a_rename_is_one_event_and_half_of_one_is_a_name_that_came_or_went)
{
    struct place place;
    if (begin(&place, false)) {
        touch(in(&place, "a"), NULL);
        expect(&place, WF_WATCH_MADE, "", "a");
        expect(&place, WF_WATCH_WRITTEN, "", "a");
        WF_EXPECT_CODE(wf_rename(in(&place, "a"), in(&place, "b")), 0);
        expect(&place, WF_WATCH_RENAMED, "a", "b");
        WF_EXPECT_CODE(wf_mkdir(in(&place, "d"), 0700), 0);
        expect(&place, WF_WATCH_MADE, "", "d");
        WF_EXPECT_CODE(wf_rename(in(&place, "b"), in(&place, "d/b")), 0);
        expect(&place, WF_WATCH_REMOVED, "", "b");
        WF_EXPECT_CODE(wf_rename(in(&place, "d/b"), in(&place, "c")), 0);
        expect(&place, WF_WATCH_MADE, "", "c");
        expect_nothing(&place);
    }
    end(&place);
}

WF_TEST(directories_below_are_watched_too_also_new_and_renamed_ones)
{
    struct place place;
    if (begin(&place, true)) {
        WF_EXPECT_CODE(wf_mkdir(in(&place, "d"), 0700), 0);
        expect(&place, WF_WATCH_MADE, "", "d");
        touch(in(&place, "d/f"), NULL);
        expect(&place, WF_WATCH_MADE, "", "d/f");
        if (expect(&place, WF_WATCH_WRITTEN, "", "d/f")) {
            WF_EXPECT_CODE(wf_rename(in(&place, "d"), in(&place, "e")), 0);
            expect(&place, WF_WATCH_RENAMED, "d", "e");
            WF_EXPECT_CODE(wf_unlink(in(&place, "e/f")), 0);
            expect(&place, WF_WATCH_REMOVED, "", "e/f");
        }
    }
    end(&place);
}

WF_TEST(what_was_in_a_new_directory_before_it_was_watched_is_told)
{
    struct place place;
    if (begin(&place, true)) {
        WF_EXPECT_CODE(wf_mkdir_all(in(&place, "d/e"), 0700), 0);
        touch(in(&place, "d/e/f"), NULL);
        expect(&place, WF_WATCH_MADE, "", "d");
        expect(&place, WF_WATCH_MADE, "", "d/e");
        expect(&place, WF_WATCH_MADE, "", "d/e/f");
        expect_nothing(&place);
    }
    end(&place);
}

WF_TEST(what_is_gone_itself_is_watched_no_more)
{
    struct place place;
    const struct wf_watch_event *event;
    if (begin(&place, false)) {
        WF_EXPECT_CODE(wf_watch_add(place.watch, "/nowhere", false), -ENOENT);
        WF_EXPECT_PART(wf_failure(), "/nowhere");
        WF_EXPECT_CODE(wf_rmdir(place.folder.path), 0);
        expect(&place, WF_WATCH_ENDED, "", ".");
        WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_watch_next(place.watch, &event)), 0);
        WF_EXPECT_CODE(wf_watch_remove(place.watch, place.folder.path), -ENOENT);
    }
    end(&place);
}

WF_TEST(events_that_are_too_many_are_said_to_be_lost, .simulated = true, .unswept = "a thousand files, and nothing new")
{
    struct place place;
    if (begin(&place, false)) {
        const struct wf_watch_event *event;
        char name[32];
        for (int i = 0; i < 600; i++) {
            snprintf(name, sizeof name, "%d", i);
            touch(in(&place, name), NULL);
        }
        int rc, count = 0;
        while ((rc = wf_watch_next(place.watch, &event)) > 0 && event->kind != WF_WATCH_OVERFLOW) count++;
        WF_EXPECT_CODE(rc, 1);
        WF_EXPECT_INT(count, 1024);
    }
    end(&place);
}

/* Equal ones that follow each other are one to the system; these are not. */
static bool change_in_turns(struct place *place, int times)
{
    touch(in(place, "a"), NULL);
    touch(in(place, "b"), NULL);
    char a[320], b[320];
    snprintf(a, sizeof a, "%s", in(place, "a"));
    snprintf(b, sizeof b, "%s", in(place, "b"));
    for (int i = 0; i < times; i++)
        if (chmod(i % 2 == 0 ? a : b, 0600) < 0) return WF_EXPECT(false);
    return true;
}

static int queued_events_max(void)
{
    int most = 0;
    FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    if (file == NULL || fscanf(file, "%d", &most) != 1) most = 0;
    if (file != NULL) fclose(file);
    return most;
}

WF_TEST(events_that_the_system_lost_are_said_to_be_lost, .real = true, .timeout = WF_SECONDS(60))
{
    struct place place;
    int most = queued_events_max();
    bool can = most > 0 && most <= 1 << 20; /* else it would take too long */
    if (begin(&place, false) && can && change_in_turns(&place, most + 10)) {
        const struct wf_watch_event *event = NULL;
        int rc, count = 0;
        while ((rc = wf_watch_next(place.watch, &event)) > 0 && event->kind != WF_WATCH_OVERFLOW) count++;
        WF_EXPECT_CODE(rc, 1);
        WF_EXPECT_INT(count, most);
        if (rc == 1) WF_EXPECT_TEXT(event->path, "");
        expect_nothing(&place);
        WF_EXPECT_CODE(wf_chmod(in(&place, "a"), 0600), 0); /* and it goes on */
        expect(&place, WF_WATCH_CHANGED, "", "a");
    }
    end(&place);
}

struct waiting {
    struct wf_watch *watch;
    int rc;
};

static int wait_for_event(struct waiting *waiting)
{
    const struct wf_watch_event *event;
    waiting->rc = wf_watch_next(waiting->watch, &event);
    return 0;
}

WF_TEST(closing_a_watch_ends_who_waits, .rule = "1.9")
{
    struct place place;
    if (begin(&place, false)) {
        struct waiting waiting = {.watch = place.watch};
        const struct wf_watch_event *event;
        WF_SCOPE(scope);
        wf_spawn(&scope, wait_for_event, &waiting);
        int rc = wf_yield();
        if (rc == 0) WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_watch_next(place.watch, &event)), -EBUSY);
        wf_watch_close(place.watch);
        place.watch = NULL;
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
        WF_EXPECT_CODE(waiting.rc, -EBADF);
    }
    end(&place);
}

WF_TEST_MAIN
