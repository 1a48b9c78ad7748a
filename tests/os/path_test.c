/* Names: making, changing, removing and listing them; temporary files; replacing in one step; locks and sizes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* Until the next call but one. */
static const char *in(const struct wf_temporary *folder, const char *name)
{
    static char paths[2][320];
    static int turn;
    turn = !turn;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder->path, name);
    return paths[turn];
}

static int put_text(const char *path, const char *text)
{
    struct wf_file *file;
    int rc = wf_file_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600, &file);
    if (rc < 0) return rc;
    rc = wf_file_write_all(file, text, strlen(text), NULL);
    wf_file_close(file);
    return rc;
}

static bool holds(const char *path, const char *text)
{
    char *bytes;
    size_t size;
    return WF_EXPECT_CODE(wf_file_load(path, 1 << 16, wf_task_arena(), &bytes, &size), 0) &&
           WF_EXPECT_TEXT(bytes, text);
}

static bool is_there(const char *path)
{
    struct stat status;
    return wf_lstat(path, &status) == 0;
}

/* ---- Names ---- */

WF_TEST(a_rename_replaces_and_one_that_must_be_new_does_not)
{
    WF_TEMPORARY_DIRECTORY(folder);
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    WF_EXPECT_CODE(put_text(in(&folder, "a"), "of a"), 0);
    WF_EXPECT_CODE(put_text(in(&folder, "b"), "of b"), 0);
    WF_EXPECT_CODE(wf_rename_new(in(&folder, "a"), in(&folder, "b")), -EEXIST);
    WF_EXPECT_PART(wf_failure(), "/a -> /");
    WF_EXPECT_CODE(wf_rename(in(&folder, "a"), in(&folder, "b")), 0);
    holds(in(&folder, "b"), "of a");
    WF_EXPECT(!is_there(in(&folder, "a")));
    WF_EXPECT_CODE(wf_rename_new(in(&folder, "b"), in(&folder, "c")), 0);
    WF_EXPECT_CODE(wf_rename(in(&folder, "none"), in(&folder, "c")), -ENOENT);
    WF_EXPECT_CODE(wf_rename(NULL, "x"), -EINVAL);
}

WF_TEST(a_directory_does_not_move_into_itself)
{
    WF_TEMPORARY_DIRECTORY(folder);
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    WF_EXPECT_CODE(wf_mkdir_all(in(&folder, "d/e"), 0700), 0);
    WF_EXPECT_CODE(put_text(in(&folder, "d/e/f"), "deep"), 0);
    WF_EXPECT_CODE(wf_rename(in(&folder, "d"), in(&folder, "d/e/g")), -EINVAL);
    WF_EXPECT_CODE(wf_rename(in(&folder, "d"), in(&folder, "moved")), 0);
    holds(in(&folder, "moved/e/f"), "deep");
}

WF_TEST(links_are_names_too)
{
    WF_TEMPORARY_DIRECTORY(folder);
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    char *target;
    struct stat status;
    WF_EXPECT_CODE(put_text(in(&folder, "file"), "text"), 0);
    WF_EXPECT_CODE(wf_link(in(&folder, "file"), in(&folder, "second")), 0);
    if (WF_EXPECT_CODE(wf_stat(in(&folder, "second"), &status), 0)) WF_EXPECT(status.st_nlink == 2);
    WF_EXPECT_CODE(wf_symlink("file", in(&folder, "soft")), 0);
    if (WF_EXPECT_CODE(wf_readlink(in(&folder, "soft"), wf_task_arena(), &target), 0)) WF_EXPECT_TEXT(target, "file");
    WF_EXPECT_CODE(wf_readlink(in(&folder, "file"), wf_task_arena(), &target), -EINVAL);
    WF_EXPECT_CODE(wf_unlink(in(&folder, "file")), 0);
    WF_EXPECT_CODE(wf_stat(in(&folder, "soft"), &status), -ENOENT);
    if (WF_EXPECT_CODE(wf_lstat(in(&folder, "soft"), &status), 0)) WF_EXPECT(S_ISLNK(status.st_mode));
    holds(in(&folder, "second"), "text");
    WF_EXPECT_CODE(wf_symlink("round", in(&folder, "round")), 0);
    WF_EXPECT_CODE(wf_stat(in(&folder, "round"), &status), -ELOOP);
}

WF_TEST(directories_are_made_with_their_parents_and_removed_when_empty)
{
    WF_TEMPORARY_DIRECTORY(folder);
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    WF_EXPECT_CODE(wf_mkdir(in(&folder, "a/b"), 0700), -ENOENT);
    WF_EXPECT_CODE(wf_mkdir_all(in(&folder, "a/b/c"), 0700), 0);
    WF_EXPECT_CODE(wf_mkdir_all(in(&folder, "a/b/c"), 0700), 0);
    WF_EXPECT_CODE(wf_mkdir(in(&folder, "a"), 0700), -EEXIST);
    WF_EXPECT_CODE(put_text(in(&folder, "a/file"), ""), 0);
    WF_EXPECT_CODE(wf_mkdir_all(in(&folder, "a/file"), 0700), -EEXIST);
    WF_EXPECT_CODE(wf_mkdir_all(in(&folder, "a/file/x"), 0700), -ENOTDIR);
    WF_EXPECT_CODE(wf_rmdir(in(&folder, "a")), -ENOTEMPTY);
    WF_EXPECT_CODE(wf_rmdir(in(&folder, "a/file")), -ENOTDIR);
    WF_EXPECT_CODE(wf_unlink(in(&folder, "a/b")), -EISDIR);
    WF_EXPECT_CODE(wf_rmdir(in(&folder, "a/b/c")), 0);
    WF_EXPECT(!is_there(in(&folder, "a/b/c")));
}

WF_TEST(modes_and_times_are_set)
{
    WF_TEMPORARY_DIRECTORY(folder);
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    struct stat status;
    struct timespec time = {.tv_sec = 1000000007, .tv_nsec = 5};
    WF_EXPECT_CODE(put_text(in(&folder, "file"), "text"), 0);
    WF_EXPECT_CODE(wf_chmod(in(&folder, "file"), 0640), 0);
    WF_EXPECT_CODE(wf_set_times(in(&folder, "file"), time, time), 0);
    if (!WF_EXPECT_CODE(wf_stat(in(&folder, "file"), &status), 0)) return;
    WF_EXPECT_INT(status.st_mode, S_IFREG | 0640);
    WF_EXPECT_INT(status.st_mtim.tv_sec, 1000000007);
    WF_EXPECT_CODE(wf_chmod(in(&folder, "none"), 0640), -ENOENT);
}

/* ---- Trees ---- */

static int grow_tree(const struct wf_temporary *folder, int count)
{
    int rc = wf_mkdir_all(in(folder, "tree/deep/er"), 0700);
    char name[32];
    for (int i = 0; rc == 0 && i < count; i++) {
        snprintf(name, sizeof name, "tree/deep/er/%d", i);
        rc = put_text(in(folder, name), "x");
    }
    return rc;
}

WF_TEST(a_tree_is_removed_and_what_its_links_point_at_is_not)
{
    WF_TEMPORARY_DIRECTORY(folder);
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    WF_EXPECT_CODE(grow_tree(&folder, 3), 0);
    WF_EXPECT_CODE(put_text(in(&folder, "kept"), "kept"), 0);
    WF_EXPECT_CODE(wf_mkdir(in(&folder, "outside"), 0700), 0);
    WF_EXPECT_CODE(put_text(in(&folder, "outside/file"), "kept too"), 0);
    WF_EXPECT_CODE(wf_symlink("../kept", in(&folder, "tree/to_file")), 0);
    WF_EXPECT_CODE(wf_symlink("../outside", in(&folder, "tree/to_directory")), 0);
    WF_EXPECT_CODE(wf_remove_tree(in(&folder, "tree")), 0);
    WF_EXPECT(!is_there(in(&folder, "tree")));
    holds(in(&folder, "kept"), "kept");
    holds(in(&folder, "outside/file"), "kept too");
    WF_EXPECT_CODE(wf_remove_tree(in(&folder, "tree")), -ENOENT);
    WF_EXPECT_CODE(wf_remove_tree("/"), -EINVAL);
    WF_EXPECT_CODE(wf_remove_tree("a/.."), -EINVAL);
}

WF_TEST(a_tree_of_more_names_than_go_at_once_is_removed_whole, .unswept = "a thousand names, and nothing new")
{
    WF_TEMPORARY_DIRECTORY(folder);
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    WF_EXPECT_CODE(grow_tree(&folder, 1000), 0);
    WF_EXPECT_CODE(wf_remove_tree(in(&folder, "tree")), 0);
    WF_EXPECT(!is_there(in(&folder, "tree")));
}

/* ---- Listing ---- */

WF_TEST(a_directory_is_listed_sorted_and_as_it_comes, .unswept = "as many operations as names")
{
    WF_TEMPORARY_DIRECTORY(folder);
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    WF_EXPECT_CODE(grow_tree(&folder, 300), 0);
    struct wf_directory *directory;
    const struct wf_directory_entry *entry;
    int count = 0, rc;
    char last[64] = "";
    if (!WF_EXPECT_CODE(wf_directory_open(in(&folder, "tree/deep/er"), WF_DIRECTORY_BY_NAME, &directory), 0)) return;
    while ((rc = wf_directory_next(directory, &entry)) > 0) {
        WF_EXPECT(strcmp(last, entry->name) < 0 && entry->type == S_IFREG);
        snprintf(last, sizeof last, "%s", entry->name);
        count++;
    }
    wf_directory_close(directory);
    WF_EXPECT(rc == 0 && count == 300);
    if (!WF_EXPECT_CODE(wf_directory_open(in(&folder, "tree/deep/er"), WF_DIRECTORY_UNSORTED, &directory), 0)) return;
    bool seen[300] = {false};
    for (count = 0; (rc = wf_directory_next(directory, &entry)) > 0; count++) {
        int number = atoi(entry->name);
        WF_EXPECT(number >= 0 && number < 300 && !seen[number]);
        seen[number] = true;
    }
    wf_directory_close(directory);
    WF_EXPECT(rc == 0 && count == 300);
}

WF_TEST(a_walk_and_a_listing_see_what_the_calls_made)
{
    WF_TEMPORARY_DIRECTORY(folder);
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    WF_EXPECT_CODE(grow_tree(&folder, 2), 0);
    struct wf_walk *walk;
    const struct wf_walk_entry *step;
    if (!WF_EXPECT_CODE(wf_walk_open(folder.path, &walk), 0)) return;
    int rc;
    while ((rc = wf_walk_next(walk, &step)) > 0) wf_test_note("%d:%s", step->depth, step->name);
    wf_walk_close(walk);
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT_TEXT(wf_test_notes(), "0:tree 1:deep 2:er 3:0 3:1");
    struct wf_directory *directory;
    WF_EXPECT_CODE(wf_directory_open(in(&folder, "none"), WF_DIRECTORY_BY_NAME, &directory), -ENOENT);
    WF_EXPECT_PART(wf_failure(), "/none: No such file");
    WF_EXPECT_CODE(wf_directory_open(in(&folder, "tree/deep/er/0"), WF_DIRECTORY_BY_NAME, &directory), -ENOTDIR);
    wf_directory_close(NULL);
}

/* ---- Temporary files, and replacing ---- */

WF_TEST(a_temporary_file_has_no_name_and_a_temporary_directory_goes_with_its_block)
{
    char path[WF_TEMPORARY_PATH_MAX] = "";
    {
        WF_TEMPORARY_DIRECTORY(folder);
        if (!WF_EXPECT_CODE(folder.error, 0)) return;
        strcpy(path, folder.path);
        struct wf_file *file;
        struct wf_directory *directory;
        const struct wf_directory_entry *entry;
        char byte = 0;
        if (!WF_EXPECT_CODE(wf_temporary_file(folder.path, &file), 0)) return;
        WF_EXPECT_CODE(wf_file_write_all_at(file, "abc", 3, 0, NULL), 0);
        WF_EXPECT_CODE(wf_file_read_full_at(file, &byte, 1, 2, NULL), 0);
        WF_EXPECT_INT(byte, 'c');
        if (WF_EXPECT_CODE(wf_directory_open(folder.path, WF_DIRECTORY_BY_NAME, &directory), 0)) {
            WF_EXPECT_CODE(wf_directory_next(directory, &entry), 0);
            wf_directory_close(directory);
        }
        wf_file_close(file);
        WF_EXPECT_CODE(put_text(in(&folder, "left"), "behind"), 0);
    }
    WF_EXPECT(!is_there(path));
}

static void nothing_is_aside(const struct wf_temporary *folder)
{
    struct wf_directory *directory;
    const struct wf_directory_entry *entry;
    if (!WF_EXPECT_CODE(wf_directory_open(folder->path, WF_DIRECTORY_BY_NAME, &directory), 0)) return;
    while (wf_directory_next(directory, &entry) > 0) WF_EXPECT(entry->name[0] != '.');
    wf_directory_close(directory);
}

WF_TEST(a_file_is_replaced_or_as_it_was)
{
    WF_TEMPORARY_DIRECTORY(folder);
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    WF_EXPECT_CODE(wf_file_replace(in(&folder, "file"), "old", 3, 0600), 0);
    holds(in(&folder, "file"), "old");
    struct wf_replacement replacement;
    if (WF_EXPECT_CODE(wf_replace_begin(in(&folder, "file"), 0600, &replacement), 0)) {
        WF_EXPECT_CODE(wf_file_write_all(replacement.file, "half of", 7, NULL), 0);
        WF_EXPECT_CODE(wf_replace_abort(&replacement, -EPROTO), -EPROTO);
    }
    holds(in(&folder, "file"), "old");
    if (WF_EXPECT_CODE(wf_replace_begin(in(&folder, "file"), 0600, &replacement), 0)) {
        WF_EXPECT_CODE(wf_file_write_all(replacement.file, "new", 3, NULL), 0);
        int rc = wf_replace_commit(&replacement);
        WF_EXPECT_CODE(wf_replace_abort(&replacement, rc), 0);
    }
    holds(in(&folder, "file"), "new");
    nothing_is_aside(&folder);
    WF_EXPECT_CODE(wf_file_replace("/nowhere/file", "x", 1, 0600), -ENOENT);
    WF_EXPECT_CODE(wf_file_replace("folder/", "x", 1, 0600), -EINVAL);
}

/* Swept: whatever fails, the file holds one of the two. */
WF_TEST(a_replacing_that_fails_leaves_the_old_contents, .sweep = true)
{
    WF_TEMPORARY_DIRECTORY(folder);
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    if (!WF_EXPECT_CODE(wf_file_replace(in(&folder, "file"), "old", 3, 0600), 0)) return;
    int rc = wf_file_replace(in(&folder, "file"), "new", 3, 0600);
    WF_EXPECT_CODE(rc, 0);
    char none[] = "", *bytes = none;
    size_t size;
    WF_SCOPE(scope, .shield = true, .timeout = WF_SECONDS(5));
    int loaded = wf_scope_end(&scope, wf_file_load(in(&folder, "file"), 100, wf_task_arena(), &bytes, &size));
    if (loaded < 0) return;
    WF_INVARIANT(strcmp(bytes, "new") == 0 || (rc < 0 && strcmp(bytes, "old") == 0));
}

static int replace_and_crash(struct wf_sim_host *host, bool rename_only)
{
    WF_TEMPORARY_DIRECTORY(unused);
    int rc = wf_file_replace("/tmp/weft-settings", "old", 3, 0600);
    if (rc == 0 && rename_only) {
        rc = put_text("/tmp/weft-aside", "new");
        if (rc == 0) rc = wf_rename("/tmp/weft-aside", "/tmp/weft-settings");
    } else if (rc == 0) {
        rc = wf_file_replace("/tmp/weft-settings", "new", 3, 0600);
    }
    wf_sim_crash(host);
    return rc;
}

static const char *after_crash(int number, bool rename_only)
{
    static char gone[] = "gone";
    char name[32], *bytes = gone;
    size_t size;
    snprintf(name, sizeof name, "%s %d", rename_only ? "plain" : "careful", number % 20);
    struct wf_sim_host *host = wf_sim_host(name);
    WF_EXPECT_CODE(wf_sim_on(host, replace_and_crash(host, rename_only)), -EHOSTDOWN);
    WF_EXPECT_CODE(wf_sim_on(host, wf_file_load("/tmp/weft-settings", 100, wf_task_arena(), &bytes, &size)), 0);
    return bytes;
}

WF_TEST(a_crash_takes_back_a_rename_but_never_a_replacing, .rule = "8.3", .simulated = true)
{
    int old = 0, torn = 0;
    for (int i = 0; i < 60; i++) {
        WF_EXPECT_TEXT(after_crash(i, false), "new");
        const char *plain = after_crash(i, true);
        old += strcmp(plain, "old") == 0;
        torn += strcmp(plain, "old") != 0 && strcmp(plain, "new") != 0;
    }
    WF_EXPECT(old > 5 && torn > 5);
}

/* ---- Sizes, room, locks ---- */

WF_TEST(a_file_is_cut_and_filled_and_read_exactly)
{
    struct wf_file *file;
    struct stat status;
    char text[8] = "";
    size_t done = 99;
    if (!WF_EXPECT_CODE(wf_temporary_file(NULL, &file), 0)) return;
    WF_EXPECT_CODE(wf_file_write_all(file, "abcdef", 6, &done), 0);
    WF_EXPECT(done == 6);
    WF_EXPECT_CODE(wf_file_truncate(file, 3), 0);
    WF_EXPECT_CODE(wf_file_truncate(file, 5), 0);
    WF_EXPECT_CODE(wf_file_read_full_at(file, text, 5, 0, &done), 0);
    WF_EXPECT(memcmp(text, "abc\0\0", 5) == 0);
    WF_EXPECT_CODE(wf_file_read_full_at(file, text, 8, 2, &done), WF_EEND);
    WF_EXPECT(done == 3);
    WF_EXPECT_CODE(wf_file_allocate(file, 0, 4096), 0);
    WF_EXPECT_CODE(wf_file_sync_data(file), 0);
    WF_EXPECT_CODE(wf_file_status(file, &status), 0);
    WF_EXPECT_INT(status.st_size, 4096);
    WF_EXPECT_CODE(wf_file_truncate(file, -1), -EINVAL);
    WF_EXPECT_CODE(wf_file_allocate(file, 0, 0), -EINVAL);
    wf_file_close(file);
}

WF_TEST(a_file_may_be_larger_than_four_gigabytes, .real = true)
{
    struct wf_file *file;
    char byte = 0;
    const int64_t far = INT64_C(5) << 30;
    if (!WF_EXPECT_CODE(wf_temporary_file(NULL, &file), 0)) return;
    WF_EXPECT_CODE(wf_file_write_all_at(file, "x", 1, far, NULL), 0);
    WF_EXPECT_CODE(wf_file_read_full_at(file, &byte, 1, far, NULL), 0);
    WF_EXPECT_INT(byte, 'x');
    wf_file_close(file);
}

WF_TEST(direct_transfers_that_are_not_aligned_are_refused_with_words)
{
    static _Alignas(4096) char page[4096];
    WF_TEMPORARY_DIRECTORY(folder);
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    struct wf_file *file;
    int rc = wf_file_open(in(&folder, "direct"), O_RDWR | O_CREAT | O_DIRECT, 0600, &file);
    if (rc == -EINVAL) return; /* this disk has no such thing */
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_INT(wf_file_write_at(file, page, sizeof page, 0), sizeof page);
    WF_EXPECT_INT(wf_file_read_at(file, page + 1, 512, 0), -EINVAL);
    WF_EXPECT_PART(wf_failure(), "direct: direct I/O wants");
    WF_EXPECT_INT(wf_file_read_at(file, page, 100, 0), -EINVAL);
    wf_file_close(file);
}

struct locking {
    struct wf_file *file;
    bool has;
};

static int lock_and_hold(struct locking *locking)
{
    int rc = wf_file_lock(locking->file, WF_LOCK_EXCLUSIVE);
    locking->has = rc == 0;
    return rc;
}

static void contend(struct wf_file *one, struct wf_file *other)
{
    struct locking locking = {.file = other};
    WF_EXPECT_CODE(wf_file_try_lock(one, WF_LOCK_SHARED), 0);
    WF_EXPECT_CODE(wf_file_try_lock(other, WF_LOCK_SHARED), 0);
    WF_EXPECT_CODE(wf_file_try_lock(one, WF_LOCK_EXCLUSIVE), -EAGAIN);
    WF_EXPECT_CODE(wf_file_unlock(other), 0);
    WF_EXPECT_CODE(wf_file_lock(one, WF_LOCK_EXCLUSIVE), 0);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(5), lock_and_hold(&locking)), -ETIME);
    WF_SCOPE(scope);
    wf_spawn(&scope, lock_and_hold, &locking);
    wf_yield();
    WF_EXPECT(!locking.has);
    WF_EXPECT_CODE(wf_file_unlock(one), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT(locking.has);
}

WF_TEST(a_lock_is_waited_for_and_the_wait_can_be_cancelled)
{
    WF_TEMPORARY_DIRECTORY(folder);
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    struct wf_file *one = NULL, *other = NULL;
    int rc = wf_file_open(in(&folder, "lock"), O_RDWR | O_CREAT, 0600, &one);
    if (rc == 0) rc = wf_file_open(in(&folder, "lock"), O_RDWR, 0, &other);
    if (WF_EXPECT_CODE(rc, 0)) contend(one, other);
    wf_file_close(other);
    wf_file_close(one);
}

WF_TEST_MAIN
