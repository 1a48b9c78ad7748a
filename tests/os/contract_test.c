/* The contract of files and walks: contract.h says what the lines mean. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../contract.h"

static char path[32];

/* An open file that holds "abc", at its beginning; NULL where it could not be opened. */
static struct wf_file *make_file(void)
{
    strcpy(path, "/tmp/weft-contract-XXXXXX");
    int fd = mkstemp(path);
    WF_EXPECT(fd >= 0 && write(fd, "abc", 3) == 3);
    close(fd);
    struct wf_file *file = NULL;
    if (!WF_EXPECT_CODE(wf_file_open(path, O_RDWR, 0, &file), 0)) unlink(path);
    return file;
}

WF_TEST(a_refused_file_operation_reads_and_writes_nothing, .rule = "1.1 1.3 1.7")
{
    char text[4] = "...";
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    struct wf_file *file = make_file();
    if (file == NULL) return;
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_file_read, wf_file_read(file, text, 1));
    REFUSED(wf_file_read_at, wf_file_read_at(file, text, 1, 0));
    REFUSED(wf_file_write, wf_file_write(file, "x", 1));
    REFUSED(wf_file_write_at, wf_file_write_at(file, "x", 1, 0));
    REFUSED(wf_file_sync, wf_file_sync(file));
    WF_EXPECT_TEXT(text, "...");
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_INT(wf_file_read(file, text, 3), 3);
    WF_EXPECT_TEXT(text, "abc");
    wf_file_close(file);
    unlink(path);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_refused_call_with_a_path_opens_and_finds_nothing, .rule = "1.1 1.3 1.7")
{
    struct wf_file *file = NULL;
    struct wf_walk *walk = NULL;
    struct stat status = {.st_size = 99};
    char *bytes = NULL;
    size_t size = 99;
    struct wf_arena *arena = wf_task_arena();
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    strcpy(path, "/tmp/weft-contract-none");
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_file_open, wf_file_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, &file));
    WF_EXPECT(file == NULL && access(path, F_OK) < 0);
    REFUSED(wf_stat, wf_stat("/", &status));
    REFUSED(wf_lstat, wf_lstat("/", &status));
    WF_EXPECT_INT(status.st_size, 99);
    REFUSED(wf_file_load, wf_file_load("/etc/hostname", 1 << 16, arena, &bytes, &size));
    WF_EXPECT(bytes == NULL && size == 99);
    REFUSED(wf_walk_open, wf_walk_open("/etc", &walk));
    WF_EXPECT(walk == NULL);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static void refuse_changes_of(struct wf_file *file)
{
    size_t done;
    char byte;
    REFUSED(wf_file_read_full_at, wf_file_read_full_at(file, &byte, 1, 0, &done));
    REFUSED(wf_file_write_all_at, wf_file_write_all_at(file, "x", 1, 0, &done));
    REFUSED(wf_file_write_all, wf_file_write_all(file, "x", 1, &done));
    REFUSED(wf_file_sync_data, wf_file_sync_data(file));
    REFUSED(wf_file_truncate, wf_file_truncate(file, 1));
    REFUSED(wf_file_allocate, wf_file_allocate(file, 0, 100));
    REFUSED(wf_file_lock, wf_file_lock(file, WF_LOCK_SHARED));
    STAYS(wf_file_try_lock, WF_EXPECT_CODE(wf_file_try_lock(file, WF_LOCK_SHARED), 0));
    STAYS(wf_file_unlock, WF_EXPECT_CODE(wf_file_unlock(file), 0));
}

WF_TEST(a_refused_change_of_a_file_changes_nothing, .rule = "1.1 1.3 1.7")
{
    struct stat status = {.st_size = 99};
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    struct wf_file *file = make_file();
    if (file == NULL) return;
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    refuse_changes_of(file);
    STAYS(wf_file_status, WF_EXPECT_CODE(wf_file_status(file, &status), 0));
    WF_EXPECT_INT(status.st_size, 3);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    wf_file_close(file);
    unlink(path);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static void refuse_names(const char *none)
{
    struct timespec time = {.tv_sec = 1};
    struct wf_arena *arena = wf_task_arena();
    char *target;
    REFUSED(wf_rename, wf_rename("/tmp", none));
    REFUSED(wf_rename_new, wf_rename_new("/tmp", none));
    REFUSED(wf_link, wf_link("/etc/hostname", none));
    REFUSED(wf_symlink, wf_symlink("x", none));
    REFUSED(wf_readlink, wf_readlink("/proc/self", arena, &target));
    REFUSED(wf_unlink, wf_unlink(none));
    REFUSED(wf_mkdir, wf_mkdir(none, 0700));
    REFUSED(wf_mkdir_all, wf_mkdir_all(none, 0700));
    REFUSED(wf_rmdir, wf_rmdir(none));
    REFUSED(wf_remove_tree, wf_remove_tree(none));
    REFUSED(wf_chmod, wf_chmod(none, 0700));
    REFUSED(wf_set_times, wf_set_times(none, time, time));
    WF_EXPECT(access(none, F_OK) < 0);
}

WF_TEST(a_refused_change_of_names_changes_none, .rule = "1.1 1.3 1.7")
{
    struct wf_directory *directory = NULL;
    const struct wf_directory_entry *entry;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    int rc = wf_directory_open("/proc/self/ns", WF_DIRECTORY_BY_NAME, &directory);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    refuse_names("/tmp/weft-contract-none");
    REFUSED(wf_directory_open, wf_directory_open("/", WF_DIRECTORY_UNSORTED, &directory));
    REFUSED(wf_directory_next, wf_directory_next(directory, &entry));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_directory_next(directory, &entry), 1);
    STAYS(wf_directory_close, wf_directory_close(directory));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* A name in it. */
static const char *in_folder(const struct wf_temporary *folder)
{
    static char name[WF_TEMPORARY_PATH_MAX + 8];
    snprintf(name, sizeof name, "%s/file", folder->path);
    return name;
}

static int try_temporary_directory(void)
{
    WF_TEMPORARY_DIRECTORY(folder);
    return folder.error;
}

static void end_cancelled(struct wf_replacement *replacement, struct wf_replacement *given_up,
                          struct wf_temporary *folder)
{
    struct wf_replacement other;
    struct wf_temporary none;
    struct wf_file *file = NULL;
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_file_replace, wf_file_replace(in_folder(folder), "x", 1, 0600));
    REFUSED(wf_replace_begin, wf_replace_begin(in_folder(folder), 0600, &other));
    REFUSED(wf_temporary_file, wf_temporary_file(folder->path, &file));
    REFUSED(WF_TEMPORARY_DIRECTORY, try_temporary_directory());
    REFUSED(wf_temporary_directory, wf_temporary_directory(folder->path, &none));
    REFUSED(wf_replace_commit, wf_replace_commit(replacement));
    COMPLETES(wf_replace_abort, wf_replace_abort(given_up, -EPROTO), -EPROTO);
    COMPLETES(wf_temporary_remove, wf_temporary_remove(folder), 0);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
}

WF_TEST(what_is_temporary_goes_in_a_cancelled_scope_too, .rule = "1.1 1.3 1.7")
{
    struct wf_temporary folder;
    struct wf_replacement replacement = {.file = NULL}, given_up = {.file = NULL};
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    if (!WF_EXPECT_CODE(wf_temporary_directory(NULL, &folder), 0)) return;
    int rc = wf_replace_begin(in_folder(&folder), 0600, &replacement);
    if (rc == 0) rc = wf_replace_begin(in_folder(&folder), 0600, &given_up);
    if (WF_EXPECT_CODE(rc, 0)) end_cancelled(&replacement, &given_up, &folder);
    wf_replace_abort(&replacement, 0);
    wf_replace_abort(&given_up, 0);
    wf_temporary_remove(&folder);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static void step_through(const char *folder)
{
    struct wf_walk *walk;
    const struct wf_walk_entry *entry;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    if (!WF_EXPECT_CODE(wf_walk_open(folder, &walk), 0)) return;
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the call");
    REFUSED(wf_walk_next, wf_walk_next(walk, &entry));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    if (WF_EXPECT_CODE(wf_walk_next(walk, &entry), 1)) WF_INVARIANT(strcmp(entry->name, "inner") == 0);
    STAYS(wf_walk_skip, wf_walk_skip(walk));
    WF_EXPECT_CODE(wf_walk_next(walk, &entry), 0);
    STAYS(wf_walk_close, wf_walk_close(walk));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_refused_step_of_a_walk_loses_no_entry, .rule = "1.1 1.3 1.7")
{
    char folder[] = "/tmp/weft-contract-XXXXXX", inner[sizeof folder + 8];
    WF_EXPECT(mkdtemp(folder) != NULL);
    snprintf(inner, sizeof inner, "%s/inner", folder);
    WF_EXPECT(mkdir(inner, 0700) == 0);
    step_through(folder);
    WF_EXPECT(rmdir(inner) == 0 && rmdir(folder) == 0);
}

static void watch_cancelled(struct wf_watch *watch, const char *folder)
{
    const struct wf_watch_event *event;
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_watch_add, wf_watch_add(watch, "/", true));
    REFUSED(wf_watch_next, wf_watch_next(watch, &event));
    STAYS(wf_watch_remove, WF_EXPECT_CODE(wf_watch_remove(watch, folder), 0));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
}

WF_TEST(a_refused_wait_for_events_loses_none, .rule = "1.1 1.3 1.7")
{
    WF_TEMPORARY_DIRECTORY(folder);
    struct wf_watch *watch = NULL;
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_watch_open, WF_EXPECT_CODE(wf_watch_open(&watch), 0));
    if (watch == NULL) return;
    if (WF_EXPECT_CODE(wf_watch_add(watch, folder.path, false), 0)) watch_cancelled(watch, folder.path);
    STAYS(wf_watch_close, wf_watch_close(watch));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

struct reading {
    struct wf_file *file;
    char byte;
};

static int read_one(struct reading *reading)
{
    return (int)wf_file_read(reading->file, &reading->byte, 1);
}

WF_TEST(closing_a_file_never_suspends, .rule = "1.7 1.9")
{
    struct reading reading = {.file = make_file()};
    if (reading.file == NULL) return;
    WF_SCOPE(scope);
    WF_SCOPE(pending, .policy = WF_COLLECT);
    spawn_sibling(&scope);
    wf_spawn(&pending, read_one, &reading);
    take_turns();
    STAYS(wf_file_close, wf_file_close(reading.file));
    int rc = wf_scope_join(&pending);
    WF_EXPECT(rc == 0 || rc == -EBADF);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    unlink(path);
}

WF_TEST_MAIN
