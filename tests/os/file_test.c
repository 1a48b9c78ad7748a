/* Files and directory walks. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/testing.h>
#include <weft/weft.h>

static char folder[] = "/tmp/weft-file-XXXXXX";

static void make_folder(void)
{
    strcpy(folder, "/tmp/weft-file-XXXXXX");
    WF_EXPECT(mkdtemp(folder) != NULL);
}

/* Until the next call. */
static const char *in_folder(const char *name)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

static void remove_folder(void)
{
    WF_EXPECT_INT(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* ---- Reading and writing ---- */

/* A file, and what is in it by what the calls said. */
struct notebook {
    struct wf_file *file;
    char text[20];
    size_t size;
};

static void write_down(struct notebook *book, const char *text)
{
    ssize_t put = wf_file_write(book->file, text, strlen(text));
    WF_EXPECT_INT(put, (int64_t)strlen(text));
    if (put <= 0) return;
    memcpy(book->text + book->size, text, (size_t)put);
    book->size += (size_t)put;
}

static void correct_first(struct notebook *book, char letter)
{
    ssize_t put = wf_file_write_at(book->file, &letter, 1, 0);
    WF_EXPECT_INT(put, 1);
    if (put == 1) book->text[0] = letter;
    if (put == 1 && book->size == 0) book->size = 1;
}

/* Whatever happened before: the file holds what was said to be written, as long as reading succeeds at all. */
static void read_again(struct notebook *book)
{
    char text[sizeof book->text];
    size_t size = 0;
    ssize_t got;
    WF_SCOPE(scope, .shield = true, .timeout = WF_SECONDS(5));
    while ((got = wf_file_read_at(book->file, text + size, sizeof text - size, (int64_t)size)) > 0) size += (size_t)got;
    int rc = wf_scope_end(&scope, (int)got);
    WF_EXPECT_CODE(rc, 0);
    WF_INVARIANT(rc != -ETIME);
    if (rc == 0) WF_INVARIANT(size == book->size && memcmp(text, book->text, size) == 0);
}

static void load_again(const char *path)
{
    struct wf_arena *arena = wf_task_arena();
    struct stat status;
    char *bytes;
    size_t size;
    if (WF_EXPECT_CODE(wf_stat(path, &status), 0)) WF_EXPECT(S_ISREG(status.st_mode) && status.st_size == 11);
    if (WF_EXPECT_CODE(wf_file_load(path, 1 << 20, arena, &bytes, &size), 0)) WF_EXPECT_TEXT(bytes, "Jello world");
    WF_EXPECT_CODE(wf_file_load(path, 5, arena, &bytes, &size), -EFBIG);
}

WF_TEST(what_is_written_can_be_read_back)
{
    struct notebook book = {.size = 0};
    make_folder();
    const char *path = in_folder("notes.txt");
    if (WF_EXPECT_CODE(wf_file_open(path, O_RDWR | O_CREAT, 0600, &book.file), 0)) {
        char text[20];
        write_down(&book, "hello ");
        write_down(&book, "world");
        correct_first(&book, 'J');
        WF_EXPECT_CODE(wf_file_sync(book.file), 0);
        read_again(&book);
        WF_EXPECT_INT(wf_file_read_at(book.file, text, sizeof text, 11), 0);
        WF_EXPECT_INT(wf_file_read_at(book.file, text, sizeof text, -2), -EINVAL);
        wf_file_close(book.file);
        load_again(path);
    }
    remove_folder();
}

WF_TEST(a_file_whose_size_is_not_known_before_is_loaded_whole)
{
    char *bytes;
    size_t size;
    if (WF_EXPECT_CODE(wf_file_load("/proc/version", 1 << 20, wf_task_arena(), &bytes, &size), 0))
        WF_EXPECT_PART(bytes, "Linux version");
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
    struct wf_file *file;
    make_folder();
    if (WF_EXPECT_CODE(wf_file_open(in_folder("letters"), O_RDWR | O_CREAT, 0600, &file), 0)) {
        struct reader readers[26];
        for (int i = 0; i < 26; i++) readers[i] = (struct reader){.file = file, .offset = i};
        if (WF_EXPECT_INT(wf_file_write(file, "abcdefghijklmnopqrstuvwxyz", 26), 26))
            WF_EXPECT_CODE(wf_gather(readers, 26, read_at), 0);
        for (int i = 0; i < 26; i++) {
            WF_EXPECT_INT(readers[i].byte, 'a' + i);
            WF_INVARIANT(readers[i].byte == 0 || readers[i].byte == 'a' + i);
        }
        wf_file_close(file);
    }
    remove_folder();
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

static void build_tree(void)
{
    make_folder();
    WF_EXPECT(mkdir(in_folder("b"), 0700) == 0);
    WF_EXPECT(mkdir(in_folder("b/c"), 0700) == 0);
    WF_EXPECT(mkdir(in_folder("empty"), 0700) == 0);
    touch(in_folder("a"));
    touch(in_folder("b/2"));
    touch(in_folder("b/c/3"));
    touch(in_folder("z z"));
    WF_EXPECT(symlink("..", in_folder("b/up")) == 0);
}

static void walk_all(const char *skip)
{
    struct wf_walk *walk;
    const struct wf_walk_entry *entry;
    if (!WF_EXPECT_CODE(wf_walk_open(folder, &walk), 0)) return;
    int rc;
    while ((rc = wf_walk_next(walk, &entry)) > 0) {
        WF_EXPECT_INT(entry->error, 0);
        wf_test_note("%d:%s", entry->depth, entry->path + strlen(folder) + 1);
        if (skip != NULL && strcmp(entry->name, skip) == 0) wf_walk_skip(walk);
    }
    WF_EXPECT_CODE(rc, 0);
    wf_walk_close(walk);
}

WF_TEST(a_walk_gives_everything_once_in_order)
{
    build_tree();
    walk_all(NULL);
    WF_EXPECT_TEXT(wf_test_notes(), "0:a 0:b 1:b/2 1:b/c 2:b/c/3 1:b/up 0:empty 0:z z");
    remove_folder();
}

WF_TEST(what_is_skipped_is_not_walked)
{
    build_tree();
    walk_all("b");
    WF_EXPECT_TEXT(wf_test_notes(), "0:a 0:b 0:empty 0:z z");
    remove_folder();
}

WF_TEST(a_walk_can_be_left_in_the_middle)
{
    build_tree();
    struct wf_walk *walk;
    const struct wf_walk_entry *entry;
    if (WF_EXPECT_CODE(wf_walk_open(folder, &walk), 0)) {
        for (int i = 0; i < 4; i++) WF_EXPECT_CODE(wf_walk_next(walk, &entry), 1);
        wf_walk_close(walk);
    }
    wf_walk_close(NULL);
    WF_EXPECT_CODE(wf_walk_open("/nowhere", &walk), -ENOENT);
    WF_EXPECT_PART(wf_failure(), "/nowhere");
    remove_folder();
}

WF_TEST(what_vanishes_during_a_walk_is_left_out)
{
    build_tree();
    struct wf_walk *walk;
    const struct wf_walk_entry *entry;
    int rc = wf_walk_open(folder, &walk);
    if (!WF_EXPECT_CODE(rc, 0)) return remove_folder();
    WF_EXPECT_CODE(wf_walk_next(walk, &entry), 1);
    remove_folder();
    int count = 0;
    while (wf_walk_next(walk, &entry) > 0) count++;
    WF_EXPECT(count <= 2);
    wf_walk_close(walk);
}

WF_TEST_MAIN
