/* Files and directory walks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/testing.h>
#include <weft/weft.h>

static char folder[] = "/tmp/weft-file-XXXXXX";

static const char *in_folder(struct wf_arena *arena, const char *name)
{
    return wf_arena_printf(arena, "%s/%s", folder, name);
}

static void make_folder(void)
{
    strcpy(folder, "/tmp/weft-file-XXXXXX");
    WF_EXPECT(mkdtemp(folder) != NULL);
}

WF_TEST(what_is_written_can_be_read_back)
{
    struct wf_arena *arena = wf_task_arena();
    make_folder();
    const char *path = in_folder(arena, "notes.txt");
    struct wf_file *file;
    WF_EXPECT_CODE(wf_file_open(path, O_RDWR | O_CREAT, 0600, &file), 0);
    WF_EXPECT_INT(wf_file_write(file, "hello ", 6), 6);
    WF_EXPECT_INT(wf_file_write(file, "world", 5), 5);
    WF_EXPECT_INT(wf_file_write_at(file, "J", 1, 0), 1);
    WF_EXPECT_CODE(wf_file_sync(file), 0);
    char text[20];
    memset(text, 0, sizeof text);
    WF_EXPECT_INT(wf_file_read_at(file, text, sizeof text, 0), 11);
    WF_EXPECT_TEXT(text, "Jello world");
    WF_EXPECT_INT(wf_file_read_at(file, text, sizeof text, 11), 0);
    WF_EXPECT_INT(wf_file_read_at(file, text, sizeof text, -2), -EINVAL);
    struct stat status;
    WF_EXPECT_CODE(wf_stat(path, &status), 0);
    WF_EXPECT_INT(status.st_size, 11);
    WF_EXPECT(S_ISREG(status.st_mode));
    wf_file_close(file);
    char *bytes;
    size_t size;
    WF_EXPECT_CODE(wf_file_load(path, 1 << 20, arena, &bytes, &size), 0);
    WF_EXPECT_TEXT(bytes, "Jello world");
    WF_EXPECT_CODE(wf_file_load(path, 5, arena, &bytes, &size), -EFBIG);
    WF_EXPECT_CODE(wf_file_load("/proc/self/status", 1 << 20, arena, &bytes, &size), 0);
    WF_EXPECT_PART(bytes, "Name:");
    unlink(path);
    rmdir(folder);
}

WF_TEST(errors_carry_the_path)
{
    struct wf_file *file;
    struct stat status;
    WF_EXPECT_CODE(wf_file_open("/nowhere/at/all", O_RDONLY, 0, &file), -ENOENT);
    WF_EXPECT_TEXT(wf_failure(), "/nowhere/at/all: No such file or directory");
    WF_EXPECT_CODE(wf_stat("/nowhere", &status), -ENOENT);
    WF_EXPECT_TEXT(wf_failure(), "/nowhere: No such file or directory");
    WF_EXPECT_CODE(wf_file_open(NULL, O_RDONLY, 0, &file), -EINVAL);
}

struct reader {
    struct wf_file *file;
    int64_t offset;
    char byte;
};

static int read_at(struct reader *reader)
{
    ssize_t got = wf_file_read_at(reader->file, &reader->byte, 1, reader->offset);
    return got < 0 ? (int)got : 0;
}

WF_TEST(many_reads_of_one_file_at_a_time)
{
    struct wf_arena *arena = wf_task_arena();
    make_folder();
    const char *path = in_folder(arena, "letters");
    struct wf_file *file;
    WF_EXPECT_CODE(wf_file_open(path, O_RDWR | O_CREAT, 0600, &file), 0);
    WF_EXPECT_INT(wf_file_write(file, "abcdefghijklmnopqrstuvwxyz", 26), 26);
    struct reader readers[26];
    for (int i = 0; i < 26; i++) readers[i] = (struct reader){.file = file, .offset = i};
    WF_EXPECT_CODE(wf_gather(readers, 26, read_at), 0);
    for (int i = 0; i < 26; i++) WF_EXPECT_INT(readers[i].byte, 'a' + i);
    wf_file_close(file);
    unlink(path);
    rmdir(folder);
}

WF_TEST(a_cancelled_open_leaves_nothing_open, .rule = "1.3")
{
    for (int i = 0; i < 20; i++) {
        struct wf_file *file;
        int rc = wf_within(-1, wf_file_open("/dev/null", O_RDONLY, 0, &file));
        WF_EXPECT_CODE(rc, -ETIME);
    }
}

/* ---- Walking ---- */

static void touch(const char *path)
{
    FILE *file = fopen(path, "w");
    WF_EXPECT(file != NULL);
    if (file != NULL) fclose(file);
}

static void build_tree(struct wf_arena *arena)
{
    make_folder();
    WF_EXPECT(mkdir(in_folder(arena, "b"), 0700) == 0);
    WF_EXPECT(mkdir(in_folder(arena, "b/c"), 0700) == 0);
    WF_EXPECT(mkdir(in_folder(arena, "empty"), 0700) == 0);
    touch(in_folder(arena, "a"));
    touch(in_folder(arena, "b/2"));
    touch(in_folder(arena, "b/c/3"));
    touch(in_folder(arena, "z z"));
    WF_EXPECT(symlink("..", in_folder(arena, "b/up")) == 0);
}

static void remove_tree(struct wf_arena *arena)
{
    const char *command = wf_arena_printf(arena, "rm -rf '%s'", folder);
    WF_EXPECT(system(command) == 0);
}

static const char *walk_all(struct wf_arena *arena, const char *skip)
{
    struct wf_walk *walk;
    const struct wf_walk_entry *entry;
    const char *seen = "";
    int rc = wf_walk_open(folder, &walk);
    WF_EXPECT_CODE(rc, 0);
    if (rc < 0) return seen;
    while ((rc = wf_walk_next(walk, &entry)) > 0) {
        WF_EXPECT_INT(entry->error, 0);
        seen = wf_arena_printf(arena, "%s%d:%s ", seen, entry->depth, entry->path + strlen(folder) + 1);
        if (skip != NULL && strcmp(entry->name, skip) == 0) wf_walk_skip(walk);
    }
    WF_EXPECT_CODE(rc, 0);
    wf_walk_close(walk);
    return seen;
}

WF_TEST(a_walk_gives_everything_once_in_order)
{
    struct wf_arena *arena = wf_task_arena();
    build_tree(arena);
    WF_EXPECT_TEXT(walk_all(arena, NULL), "0:a 0:b 1:b/2 1:b/c 2:b/c/3 1:b/up 0:empty 0:z z ");
    WF_EXPECT_TEXT(walk_all(arena, "b"), "0:a 0:b 0:empty 0:z z ");
    remove_tree(arena);
}

WF_TEST(a_walk_can_be_left_in_the_middle)
{
    struct wf_arena *arena = wf_task_arena();
    build_tree(arena);
    struct wf_walk *walk;
    const struct wf_walk_entry *entry;
    WF_EXPECT_CODE(wf_walk_open(folder, &walk), 0);
    for (int i = 0; i < 4; i++) WF_EXPECT_CODE(wf_walk_next(walk, &entry), 1);
    wf_walk_close(walk);
    wf_walk_close(NULL);
    WF_EXPECT_CODE(wf_walk_open("/nowhere", &walk), -ENOENT);
    WF_EXPECT_PART(wf_failure(), "/nowhere");
    remove_tree(arena);
}

WF_TEST(what_vanishes_during_a_walk_is_left_out)
{
    struct wf_arena *arena = wf_task_arena();
    build_tree(arena);
    struct wf_walk *walk;
    const struct wf_walk_entry *entry;
    WF_EXPECT_CODE(wf_walk_open(folder, &walk), 0);
    WF_EXPECT_CODE(wf_walk_next(walk, &entry), 1);
    remove_tree(arena);
    int count = 0;
    while (wf_walk_next(walk, &entry) > 0) count++;
    WF_EXPECT(count <= 2);
    wf_walk_close(walk);
}

WF_TEST_MAIN
