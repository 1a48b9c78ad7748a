/* Disks that are full, files that may not grow or be read, directories that vanish: it is said, with the path. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "emulated.h"

enum { ROOM = 65536, CANNOT = 77 };

static const char *in(const struct wf_temporary *folder, const char *name)
{
    static char path[320];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    return path;
}

static int write_some(const char *path, size_t size, size_t *done)
{
    static char bytes[4 * ROOM];
    struct wf_file *file;
    *done = 0;
    int rc = wf_file_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600, &file);
    if (rc < 0) return rc;
    rc = wf_file_write_all(file, bytes, size, done);
    wf_file_close(file);
    return rc;
}

static int64_t size_of(const char *path)
{
    struct stat status;
    int rc = wf_stat(path, &status);
    return rc < 0 ? rc : status.st_size;
}

/* ---- Full ---- */

/* On a disk of ROOM bytes, or a few more. */
static int fill(const struct wf_temporary *folder)
{
    size_t done;
    struct wf_file *file;
    if (!WF_EXPECT_FAILURE(write_some(in(folder, "large"), 4 * ROOM, &done), -ENOSPC, "large: No space left"))
        return -EIO;
    WF_EXPECT(done >= ROOM / 2 && done < 2 * ROOM); /* what there was room for is there */
    WF_EXPECT_INT(size_of(in(folder, "large")), (int64_t)done);
    int rc = wf_file_open(in(folder, "empty"), O_WRONLY | O_CREAT, 0600, &file);
    if (!WF_EXPECT_CODE(rc, 0)) return rc;
    WF_EXPECT_CODE((int)wf_file_write(file, "x", 1), -ENOSPC);
    WF_EXPECT_CODE(wf_file_allocate(file, 0, 4096), -ENOSPC);
    wf_file_close(file);
    WF_EXPECT_CODE(wf_unlink(in(folder, "large")), 0);
    WF_EXPECT_CODE(write_some(in(folder, "small"), 4096, &done), 0); /* there is room again */
    return wf_test_failed() ? -EIO : 0;
}

WF_TEST(a_full_disk_takes_what_fits_and_then_says_so, .simulated = true)
{
    WF_TEMPORARY_DIRECTORY(folder);
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    wf_sim_set_faults(.disk_size_max = ROOM);
    fill(&folder);
    wf_sim_set_faults(.disk_size_max = 0);
}

WF_TEST(a_replacing_that_finds_no_room_leaves_the_old_contents, .simulated = true)
{
    WF_TEMPORARY_DIRECTORY(folder);
    static char bytes[ROOM];
    char *found;
    size_t size, done;
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    if (!WF_EXPECT_CODE(write_some(in(&folder, "file"), 100, &done), 0)) return;
    wf_sim_set_faults(.disk_size_max = ROOM);
    WF_EXPECT_CODE(wf_file_replace(in(&folder, "file"), bytes, sizeof bytes, 0600), -ENOSPC);
    if (WF_EXPECT_CODE(wf_file_load(in(&folder, "file"), ROOM, wf_task_arena(), &found, &size), 0))
        WF_EXPECT_INT((int64_t)size, 100);
    wf_sim_set_faults(.disk_size_max = 0);
}

/* How a forked child ends that runs the function in a loop. */
static int run_in_child(int (*fn)(const struct wf_temporary *folder), const struct wf_temporary *folder,
                        bool (*prepare)(const struct wf_temporary *folder))
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int rc = prepare == NULL || prepare(folder) ? wf_run(fn, folder) : CANNOT;
        fflush(NULL);
        _exit(rc < 0 ? 1 : rc);
    }
    WF_EXPECT(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* In a name space of its own, which goes with the process. */
static bool mount_small_disk(const struct wf_temporary *folder)
{
    char options[32];
    snprintf(options, sizeof options, "size=%d", ROOM);
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, "") == 0 &&
           mount("none", folder->path, "tmpfs", 0, options) == 0;
}

static bool make_folder(struct wf_temporary *folder)
{
    *folder = (struct wf_temporary){.path = "/tmp/weft-faults-XXXXXX"};
    return WF_EXPECT(mkdtemp(folder->path) != NULL);
}

/* Where mounting is not allowed it cannot be seen. */
WF_TEST(a_full_disk_of_the_systems_is_the_same, .real = true, .plain = true)
{
    struct wf_temporary folder;
    if (!make_folder(&folder)) return;
    int status = run_in_child(fill, &folder, mount_small_disk);
    if (status != CANNOT) WF_EXPECT_INT(status, 0);
    rmdir(folder.path);
}

/* ---- A limit of the size of files ---- */

static int write_past_the_limit(const struct wf_temporary *unused)
{
    (void)unused;
    WF_TEMPORARY_DIRECTORY(folder);
    size_t done;
    struct rlimit limit = {.rlim_cur = ROOM, .rlim_max = RLIM_INFINITY};
    if (folder.error < 0 || setrlimit(RLIMIT_FSIZE, &limit) < 0) return -EIO;
    int rc = write_some(in(&folder, "file"), 4 * ROOM, &done);
    int fd = open(in(&folder, "file"), O_WRONLY | O_CLOEXEC); /* by the program itself, too */
    bool refused = pwrite(fd, "x", 1, ROOM) < 0 && errno == EFBIG;
    close(fd);
    limit.rlim_cur = RLIM_INFINITY; /* what the test says goes to a file, perhaps */
    setrlimit(RLIMIT_FSIZE, &limit);
    WF_EXPECT_FAILURE(rc, -EFBIG, "file: File too large");
    WF_EXPECT_INT((int64_t)done, ROOM);
    WF_EXPECT(refused);
    return wf_test_failed() ? -EIO : 0;
}

WF_TEST(a_file_past_the_limit_is_an_error_and_not_a_death, .real = true, .plain = true)
{
    WF_EXPECT_INT(run_in_child(write_past_the_limit, NULL, NULL), 0);
}

/* ---- No right to it ---- */

static void expect_no_writing(const struct wf_temporary *folder)
{
    struct wf_file *file;
    char other[320];
    snprintf(other, sizeof other, "%s", in(folder, "secret"));
    WF_EXPECT_CODE(wf_unlink(in(folder, "sealed/inside")), -EACCES);
    WF_EXPECT_CODE(wf_rename(other, in(folder, "sealed/new")), -EACCES);
    WF_EXPECT_CODE(wf_file_open(in(folder, "sealed/inside"), O_WRONLY, 0, &file), -EACCES);
    WF_EXPECT_CODE(wf_file_open(in(folder, "sealed/inside"), O_RDONLY | O_TRUNC, 0, &file), -EACCES);
    if (WF_EXPECT_CODE(wf_file_open(in(folder, "sealed/inside"), O_RDONLY, 0, &file), 0)) wf_file_close(file);
}

static void expect_no_access(const struct wf_temporary *folder)
{
    struct wf_file *file;
    struct wf_directory *directory;
    struct wf_walk *walk;
    char *bytes;
    size_t size;
    WF_EXPECT_FAILURE(wf_file_open(in(folder, "secret"), O_RDONLY, 0, &file), -EACCES, "secret: Permission denied");
    WF_EXPECT_CODE(wf_file_load(in(folder, "secret"), 99, wf_task_arena(), &bytes, &size), -EACCES);
    WF_EXPECT_FAILURE(wf_directory_open(in(folder, "closed"), WF_DIRECTORY_BY_NAME, &directory), -EACCES, "closed");
    WF_EXPECT_CODE(wf_walk_open(in(folder, "closed"), &walk), -EACCES);
    WF_EXPECT_CODE(wf_file_open(in(folder, "closed/new"), O_WRONLY | O_CREAT, 0600, &file), -EACCES);
    WF_EXPECT_CODE(wf_mkdir(in(folder, "closed/new"), 0700), -EACCES);
    WF_EXPECT_CODE(wf_unlink(in(folder, "closed/inside")), -EACCES);
    WF_EXPECT_CODE(wf_remove_tree(in(folder, "closed")), -EACCES);
    expect_no_writing(folder);
}

/* A file and a directory that nobody may read, and a directory that nobody may write. */
static int make_closed_things(const struct wf_temporary *folder)
{
    size_t done;
    int rc = write_some(in(folder, "secret"), 1, &done);
    if (rc == 0) rc = wf_mkdir(in(folder, "closed"), 0700);
    if (rc == 0) rc = wf_mkdir(in(folder, "sealed"), 0700);
    if (rc == 0) rc = write_some(in(folder, "closed/inside"), 1, &done);
    if (rc == 0) rc = write_some(in(folder, "sealed/inside"), 1, &done);
    if (rc == 0) rc = wf_chmod(in(folder, "sealed/inside"), 0444);
    if (rc == 0) rc = wf_chmod(in(folder, "sealed"), 0555);
    if (rc == 0) rc = wf_chmod(in(folder, "secret"), 0);
    if (rc == 0) rc = wf_chmod(in(folder, "closed"), 0);
    return rc == 0 ? wf_chmod(folder->path, 0755) : rc;
}

static void open_closed_things(const struct wf_temporary *folder)
{
    wf_ignore(wf_chmod(in(folder, "closed"), 0700));
    wf_ignore(wf_chmod(in(folder, "sealed"), 0700));
}

/* Everybody may read anything as root: so not as root. */
static int look_as_nobody(const struct wf_temporary *unused)
{
    (void)unused;
    WF_TEMPORARY_DIRECTORY(folder);
    int rc = folder.error < 0 ? folder.error : make_closed_things(&folder);
    if (!WF_EXPECT_CODE(rc, 0)) return rc;
    bool root = geteuid() == 0;
    if (root && seteuid(65534) < 0) return -errno;
    expect_no_access(&folder);
    if (root && seteuid(0) < 0) return -errno;
    open_closed_things(&folder);
    return wf_test_failed() ? -EIO : 0;
}

WF_TEST(what_may_not_be_read_in_a_simulated_world_says_so_too, .simulated = true)
{
    WF_TEMPORARY_DIRECTORY(folder);
    if (!WF_EXPECT_CODE(folder.error, 0) || !WF_EXPECT_CODE(make_closed_things(&folder), 0)) return;
    wf_sim_set_faults(.unprivileged = true);
    expect_no_access(&folder);
    wf_sim_set_faults(.unprivileged = false);
    open_closed_things(&folder);
}

WF_TEST(what_may_not_be_read_says_so, .real = true, .plain = true)
{
    WF_EXPECT_INT(run_in_child(look_as_nobody, NULL, NULL), 0);
}

/* ---- No descriptor left for a process ---- */

static int open_count(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static int start_and_end(void)
{
    static const char *const argv[] = {"true", NULL};
    struct wf_process process;
    int rc = wf_process_start(&process, argv, .input = {.kind = WF_IO_PIPE}, .output = {.kind = WF_IO_PIPE},
                              .error = {.kind = WF_IO_NULL});
    return wf_process_end(&process, rc);
}

WF_TEST(a_process_that_finds_too_few_descriptors_says_so_and_leaves_none_open, .real = true)
{
    struct rlimit before, tight;
    if (emulated() || !WF_EXPECT_CODE(start_and_end(), 0)) return;
    int open = open_count(), lowest = dup(0), rc = -EMFILE;
    close(lowest);
    getrlimit(RLIMIT_NOFILE, &before);
    tight = before;
    for (int room = 0; room < 16 && rc == -EMFILE; room++) {
        tight.rlim_cur = (rlim_t)(lowest + room);
        setrlimit(RLIMIT_NOFILE, &tight);
        rc = start_and_end();
        if (rc < 0) WF_EXPECT_PART(wf_failure(), "Too many open files");
        setrlimit(RLIMIT_NOFILE, &before);
        WF_EXPECT_INT(open_count(), open);
    }
    WF_EXPECT_CODE(rc, 0);
}

/* ---- What vanishes ---- */

WF_TEST(a_directory_that_is_removed_while_it_is_listed_has_an_end)
{
    WF_TEMPORARY_DIRECTORY(folder);
    struct wf_directory *directory;
    const struct wf_directory_entry *entry;
    size_t done;
    int rc = folder.error;
    if (rc == 0) rc = wf_mkdir(in(&folder, "dir"), 0700);
    if (rc == 0) rc = write_some(in(&folder, "dir/file"), 1, &done);
    if (rc == 0) rc = wf_directory_open(in(&folder, "dir"), WF_DIRECTORY_UNSORTED, &directory);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_CODE(wf_remove_tree(in(&folder, "dir")), 0);
    int count = 0;
    while ((rc = wf_directory_next(directory, &entry)) > 0) count++;
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT(count <= 1);
    wf_directory_close(directory);
}

WF_TEST(a_file_that_is_removed_is_there_until_it_is_closed)
{
    WF_TEMPORARY_DIRECTORY(folder);
    struct wf_file *file;
    char text[4] = "";
    int rc = folder.error;
    if (rc == 0) rc = wf_mkdir(in(&folder, "dir"), 0700);
    if (rc == 0) rc = wf_file_open(in(&folder, "dir/file"), O_RDWR | O_CREAT, 0600, &file);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    rc = wf_remove_tree(in(&folder, "dir"));
    if (rc == 0) rc = wf_file_write_all(file, "abc", 3, NULL);
    if (rc == 0) rc = (int)wf_file_read_at(file, text, 3, 0);
    WF_EXPECT_CODE(rc, 3);
    WF_EXPECT_TEXT(text, "abc");
    WF_EXPECT_CODE(wf_file_sync(file), 0);
    wf_file_close(file);
    rc = wf_file_open(in(&folder, "dir/file"), O_RDWR | O_CREAT, 0600, &file);
    WF_EXPECT_CODE(rc, -ENOENT);
    if (rc == 0) wf_file_close(file);
}

WF_TEST(names_that_come_and_go_leave_nothing_in_a_simulated_world, .simulated = true, .unswept = "thousands of names")
{
    WF_TEMPORARY_DIRECTORY(folder);
    size_t done, blocks = 0;
    char name[32];
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    for (int i = 0; i < 4096; i++) {
        if (i == 1024) blocks = wf_allocated_blocks();
        snprintf(name, sizeof name, "%d", i);
        if (!WF_EXPECT_CODE(write_some(in(&folder, name), 1, &done), 0)) return;
        WF_EXPECT_CODE(wf_unlink(in(&folder, name)), 0);
    }
    WF_EXPECT(wf_allocated_blocks() < blocks + 100);
}

WF_TEST_MAIN
