/*
 * Ten thousand jobs, each with a descriptor, in a process that may have a thousand. Bad: all at once. Good: a semaphore
 * inside each, which bounds the descriptors and not the tasks. Best: a gather with a limit.
 *
 *     weft run examples/pitfalls/too_many.c
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
#include <weft/weft.h>

enum { JOBS = 10000, DESCRIPTORS = 1000, LIMIT = 10 };

static struct wf_semaphore permits = WF_SEMAPHORE(LIMIT);
static int open_now, open_peak;
static size_t stacks_peak, pages_peak;

/* Pages of this process that are in memory. */
static size_t pages_resident(void)
{
    unsigned long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) return 0;
    if (fscanf(file, "%lu %lu", &size, &resident) != 2) resident = 0;
    fclose(file);
    return resident;
}

static void look(void)
{
    struct wf_statistics now;
    wf_loop_statistics(&now);
    if (now.stacks_bound > stacks_peak) stacks_peak = (size_t)now.stacks_bound;
}

/* Stands for a request: it takes a descriptor, and time. */
static int fetch(const int *number)
{
    (void)number;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    if (++open_now > open_peak) open_peak = open_now;
    look();
    int rc = wf_sleep(WF_MILLISECONDS(1));
    open_now--;
    close(fd);
    return rc;
}

static int fetch_with_permit(const int *number)
{
    int rc = wf_semaphore_acquire(&permits);
    if (rc < 0) return rc;
    rc = fetch(number);
    wf_semaphore_release(&permits);
    return rc;
}

/* A job that runs beside the others and looks at the memory when all of them are under way. */
static int watch(void *unused)
{
    (void)unused;
    int rc;
    while ((rc = wf_sleep(WF_MILLISECONDS(1))) == 0) {
        size_t pages = pages_resident();
        if (pages > pages_peak) pages_peak = pages;
    }
    return rc;
}

static int show(const char *name, int (*job)(const int *), uint32_t limit)
{
    static int numbers[JOBS], codes[JOBS];
    open_peak = 0;
    stacks_peak = 0;
    size_t pages_before = pages_peak = pages_resident();
    WF_SCOPE(scope);
    wf_spawn(&scope, watch, NULL, .daemon = true);
    int rc = wf_gather(numbers, JOBS, job, .limit = limit, .collect = codes), failed = 0;
    rc = wf_scope_end(&scope, rc);
    for (int i = 0; i < JOBS; i++) failed += codes[i] < 0;
    printf("%s: %d of %d failed, at most %d descriptors, %zu stacks, %zu KiB\n", name, failed, JOBS, open_peak,
           stacks_peak, (pages_peak - pages_before) * (size_t)sysconf(_SC_PAGESIZE) / 1024);
    return rc;
}

static int compare(void *unused)
{
    (void)unused;
    int rc = show("bad", fetch, 0);
    if (rc == 0) rc = show("good", fetch_with_permit, 0);
    if (rc == 0) rc = show("best", fetch, LIMIT);
    return rc;
}

int main(void)
{
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){.rlim_cur = DESCRIPTORS, .rlim_max = DESCRIPTORS});
    return wf_main(compare, NULL);
}
