/*
 * What a test left behind: descriptors, threads, and heap blocks with the place where they were made.
 *
 * The library's allocations go through an allocator of ours while a test runs. Each block has a head, linked with the
 * others, that remembers who asked for it.
 */
#include <dirent.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "driver/sim.h"
#include "testing/runner.h"

enum { FDS_MAX = 4096, THREADS_MAX = 256, FRAMES = 14, FRAMES_SKIPPED = 3, LEAKS_SHOWN = 3, PATIENCE_MS = 1000 };

struct block {
    struct block *next, *prev;
    void **frames; /* who asked, outwards; NULL: not traced */
    uint32_t frame_count;
    uint32_t run; /* which made it */
};
_Static_assert(sizeof(struct block) % 16 == 0, "what follows is aligned for any type");

struct threads {
    size_t count;
    int ids[THREADS_MAX];
};

static struct {
    pthread_mutex_t lock;
    struct block *blocks;
    size_t count;
    bool installed, traced;
    bool planned; /* that one fails, after so many more, and perhaps every later one */
    bool persistent, failed;
    uint64_t left;
    size_t blocks_before;
    uint32_t run;
    struct threads threads;
    unsigned char fds[FDS_MAX];
} leaks = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- The allocator ---- */

static bool must_fail(void)
{
    if (!leaks.planned) return false;
    if (leaks.left > 0 && --leaks.left > 0) return false;
    if (leaks.failed && !leaks.persistent) return false;
    leaks.failed = true;
    return true;
}

static void trace(struct block *block)
{
    void *frames[FRAMES];
    int count = leaks.traced ? backtrace(frames, FRAMES) : 0;
    block->frames = count > FRAMES_SKIPPED ? malloc((size_t)count * sizeof *frames) : NULL;
    if (block->frames == NULL) return;
    block->frame_count = (uint32_t)(count - FRAMES_SKIPPED);
    memcpy(block->frames, frames + FRAMES_SKIPPED, block->frame_count * sizeof *frames);
}

static void link_block(struct block *block)
{
    block->prev = NULL;
    block->next = leaks.blocks;
    block->run = leaks.run;
    if (block->next != NULL) block->next->prev = block;
    leaks.blocks = block;
    leaks.count++;
}

static void unlink_block(struct block *block)
{
    if (block->next != NULL) block->next->prev = block->prev;
    if (block->prev != NULL) block->prev->next = block->next;
    else leaks.blocks = block->next;
    leaks.count--;
}

static void *allocate(void *context, size_t size)
{
    (void)context;
    pthread_mutex_lock(&leaks.lock);
    struct block *block = must_fail() ? NULL : malloc(sizeof *block + size);
    if (block != NULL) {
        trace(block);
        link_block(block);
    }
    pthread_mutex_unlock(&leaks.lock);
    return block != NULL ? block + 1 : NULL;
}

static void *resize(void *context, void *memory, size_t size)
{
    (void)context;
    struct block *block = (struct block *)memory - 1;
    pthread_mutex_lock(&leaks.lock);
    struct block *larger = NULL;
    if (!must_fail()) {
        unlink_block(block);
        larger = realloc(block, sizeof *block + size);
        link_block(larger != NULL ? larger : block);
    }
    pthread_mutex_unlock(&leaks.lock);
    return larger != NULL ? larger + 1 : NULL;
}

static void release(void *context, void *memory)
{
    (void)context;
    struct block *block = (struct block *)memory - 1;
    pthread_mutex_lock(&leaks.lock);
    unlink_block(block);
    pthread_mutex_unlock(&leaks.lock);
    free(block->frames);
    free(block);
}

static const struct wf_allocator allocator = {.allocate = allocate, .resize = resize, .release = release};

void leaks_fail_allocation(uint64_t at, bool persistent)
{
    pthread_mutex_lock(&leaks.lock);
    leaks.planned = at > 0;
    leaks.left = at;
    leaks.persistent = persistent;
    pthread_mutex_unlock(&leaks.lock);
}

uint64_t leaks_fail_end(void)
{
    pthread_mutex_lock(&leaks.lock);
    leaks.planned = false;
    uint64_t left = leaks.left;
    pthread_mutex_unlock(&leaks.lock);
    return left;
}

bool leaks_failed(void)
{
    return leaks.failed;
}

/* ---- Descriptors ---- */

static void list_fds(unsigned char *fds)
{
    memset(fds, 0, FDS_MAX);
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL) return;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && fd != dirfd(directory) && fd < FDS_MAX) fds[fd] = 1;
    }
    closedir(directory);
}

static void *end_at_once(void *nothing)
{
    return nothing;
}

/* ThreadSanitizer starts a thread of its own with the first one, and keeps it. */
static void start_first_thread(void)
{
    static bool started;
    pthread_t thread;
    if (started || pthread_create(&thread, NULL, end_at_once, NULL) != 0) return;
    pthread_join(thread, NULL);
    started = true;
}

static void check_fds(void)
{
    static unsigned char now[FDS_MAX];
    list_fds(now);
    for (int fd = 0; fd < FDS_MAX; fd++) {
        if (leaks.fds[fd] == now[fd]) continue;
        char path[64], target[256] = "?";
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t size = readlink(path, target, sizeof target - 1);
        if (size > 0) target[size] = '\0';
        say_failure("%s: descriptor %d (%s)", now[fd] ? "left behind" : "closed a foreign one", fd, target);
    }
}

/* ---- Threads ---- */

static bool name_of_thread(int id, char *name, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/comm", id);
    FILE *file = fopen(path, "r");
    if (file == NULL) return false; /* it has ended meanwhile */
    bool known = fgets(name, (int)size, file) != NULL;
    fclose(file);
    name[known ? strcspn(name, "\n") : 0] = '\0';
    return known;
}

/* Those of io_uring are the kernel's, and end some time after their ring. */
static bool is_of_program(int id)
{
    char name[16];
    if (id <= 0 || id == getpid()) return id > 0;
    return name_of_thread(id, name, sizeof name) && strncmp(name, "iou-", 4) != 0;
}

static void list_threads(struct threads *threads)
{
    threads->count = 0;
    DIR *directory = opendir("/proc/self/task");
    if (directory == NULL) return;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL && threads->count < THREADS_MAX) {
        int id = atoi(entry->d_name);
        if (is_of_program(id)) threads->ids[threads->count++] = id;
    }
    closedir(directory);
}

static bool was_there(int id)
{
    for (size_t i = 0; i < leaks.threads.count; i++)
        if (leaks.threads.ids[i] == id) return true;
    return false;
}

static void check_threads(void)
{
    static struct threads now;
    list_threads(&now);
    for (int ms = 0; ms < PATIENCE_MS && now.count > leaks.threads.count; ms++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); /* real time: one that was joined goes a bit later */
        list_threads(&now);
    }
    if (now.count <= leaks.threads.count) return;
    char name[16];
    for (size_t i = 0; i < now.count; i++)
        if (!was_there(now.ids[i]) && name_of_thread(now.ids[i], name, sizeof name))
            say_failure("left behind: thread %d (%s)", now.ids[i], name);
}

/* ---- Blocks ---- */

static void check_blocks(void)
{
    size_t now = wf_allocated_blocks();
    if (now == leaks.blocks_before) return;
    if (now < leaks.blocks_before) {
        say_failure("released: %zu heap blocks that were there before", leaks.blocks_before - now);
        return;
    }
    size_t left = now - leaks.blocks_before;
    say_failure("left behind: %zu heap block%s", left, left == 1 ? "" : "s");
    if (!leaks.traced) say("      where they were made is kept, and said, when the run is repeated as below");
    unsigned shown = 0;
    for (struct block *block = leaks.blocks; block != NULL && shown < LEAKS_SHOWN; block = block->next) {
        if (block->frames == NULL || block->run != leaks.run) continue;
        say("      one was made by");
        say_places(block->frames, block->frame_count);
        shown++;
    }
}

static void *do_nothing(void *unused)
{
    return unused;
}

void leaks_prepare_process(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, do_nothing, NULL) == 0) pthread_join(thread, NULL);
}

/* ---- The whole ---- */

void leaks_begin(bool traced)
{
    leaks.installed = wf_set_allocator(&allocator) == 0; /* not where something was left behind already */
    leaks.traced = traced;
    leaks.planned = leaks.failed = false;
    leaks.run++;
    leaks.blocks_before = wf_allocated_blocks();
    start_first_thread();
    list_threads(&leaks.threads);
    sim_left_open = 0;
    list_fds(leaks.fds);
}

void leaks_check(void)
{
    wf_ignore(leaks_fail_end());
    check_blocks();
    check_fds();
    if (sim_left_open > 0)
        say_failure("left behind: %zu descriptor%s of the simulated world", sim_left_open,
                    sim_left_open == 1 ? "" : "s");
    check_threads();
    if (leaks.installed) wf_ignore(wf_set_allocator(NULL) == 0);
}
