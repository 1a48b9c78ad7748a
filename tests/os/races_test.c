/* Operations on files that meet their cancel: race.h says what happens. */
#include <stdlib.h>
#include <unistd.h>
#include <weft/sim.h>

#include "../race.h"

static char path[48];

/* A file that holds "abc"; in a simulated world only there. */
static bool make_file(struct race *race)
{
    static unsigned number;
    (void)race;
    snprintf(path, sizeof path, "/tmp/weft-races-%ld-%u", (long)getpid(), number++);
    struct wf_file *file;
    if (!WF_EXPECT_CODE(wf_file_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600, &file), 0)) return false;
    bool made = WF_EXPECT_INT(wf_file_write(file, "abc", 3), 3);
    wf_file_close(file);
    if (!made) unlink(path);
    return made;
}

static void remove_file(struct race *race)
{
    (void)race;
    WF_EXPECT(unlink(path) == 0 || wf_simulated());
}

static bool open_file(struct race *race)
{
    if (!make_file(race)) return false;
    if (WF_EXPECT_CODE(wf_file_open(path, O_RDWR, 0, &race->file), 0)) return true;
    remove_file(race);
    return false;
}

/* ---- The position moves by what was read or written, and by nothing else ---- */

static int64_t read_next(struct race *race)
{
    return wf_file_read(race->file, &race->byte, 1);
}

static void position_is_right(struct race *race)
{
    char first = race->byte;
    WF_EXPECT_INT(read_next(race), 1);
    if (race->outcome == 1) WF_EXPECT(first == 'a' && race->byte == 'b');
    else WF_EXPECT_INT(race->byte, 'a');
    wf_file_close(race->file);
    remove_file(race);
}

static int64_t write_next(struct race *race)
{
    return wf_file_write(race->file, "X", 1);
}

static void written_byte_is_there_or_not(struct race *race)
{
    char text[4] = "...";
    WF_EXPECT_INT(wf_file_write(race->file, "Y", 1), 1);
    WF_EXPECT_INT(wf_file_read_at(race->file, text, 3, 0), 3);
    WF_EXPECT_TEXT(text, race->outcome == 1 ? "XYc" : "Ybc");
    wf_file_close(race->file);
    remove_file(race);
}

static int64_t sync_file(struct race *race)
{
    return wf_file_sync(race->file);
}

static void close_and_remove(struct race *race)
{
    wf_file_close(race->file);
    remove_file(race);
}

/* ---- What was opened is closed or had ---- */

static int64_t open_and_close(struct race *race)
{
    int rc = wf_file_open(path, O_RDONLY, 0, &race->file);
    if (rc == 0) wf_file_close(race->file);
    return rc;
}

static int64_t load_file(struct race *race)
{
    (void)race;
    char *bytes = NULL;
    size_t size = 0;
    int rc = wf_file_load(path, 100, wf_task_arena(), &bytes, &size);
    if (rc == 0) WF_EXPECT_TEXT(bytes, "abc");
    else WF_EXPECT(bytes == NULL);
    return rc;
}

static int64_t ask_size(struct race *race)
{
    (void)race;
    struct stat status = {.st_size = -1};
    int rc = wf_stat(path, &status);
    WF_EXPECT_INT(status.st_size, rc == 0 ? 3 : -1);
    return rc;
}

static int64_t walk_once(struct race *race)
{
    (void)race;
    struct wf_walk *walk;
    const struct wf_walk_entry *entry;
    int rc = wf_walk_open("/proc/self/ns", &walk);
    if (rc < 0) return rc;
    rc = wf_walk_next(walk, &entry);
    wf_walk_close(walk);
    return rc;
}

static const struct wait_kind kinds[] = {
    {"a read", 1, .kernel = true, .prepare = open_file, .wait = read_next, .after = position_is_right},
    {"a write", 1, .kernel = true, .prepare = open_file, .wait = write_next, .after = written_byte_is_there_or_not},
    {"a flush", 0, .kernel = true, .prepare = open_file, .wait = sync_file, .after = close_and_remove},
    {"an open file", 0, .kernel = true, .prepare = make_file, .wait = open_and_close, .after = remove_file},
    {"a whole file", 0, .kernel = true, .prepare = make_file, .wait = load_file, .after = remove_file},
    {"a status", 0, .kernel = true, .prepare = make_file, .wait = ask_size, .after = remove_file},
    {"a directory", 1, .kernel = true, .wait = walk_once},
};

/* A file is always ready: what varies is how far the operation has come when the cancel arrives. */
WF_TEST(what_met_its_cancel_on_the_disk_was_done_or_not_done, .rule = "1.3 1.4 1.5")
{
    for (int turns = 0; turns < 12 && !wf_test_failed(); turns++) collide_all(kinds, WF_COUNT(kinds), true, turns);
}

WF_TEST_MAIN
