#include "fiber/stack.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/memory.h"
#include "fiber/fiber.h"

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) ((void)(low), (void)(high), 0u)
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

/* Newer than the oldest headers that we build with. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef PIDFD_SELF_THREAD
#define PIDFD_SELF_THREAD (-10000)
#endif

enum {
    GROUP_BYTES_MAX = 64 * 1024 * 1024,
    BELOW_SP = 128,   /* what a switch may have put below what it calls the place of the stack */
    TRIM_AT_ONCE = 4, /* groups: giving one back costs some 100 us, so never a long pause */
};

static pthread_mutex_t all_groups_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct stack_group *) all_groups;

/* ---- Guards ---- */

enum guard_method { GUARD_UNKNOWN, GUARD_MARKER, GUARD_MPROTECT };

/*
 * Whether the kernel knows guard markers is found out by trying: an emulator may answer 0 to any advice and do nothing,
 * so a system call must really fail to write there.
 */
static enum guard_method probe_guard(void)
{
    enum guard_method method = GUARD_MPROTECT;
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    char *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return method;
    int ends[2];
    if (madvise(page, size, MADV_GUARD_INSTALL) == 0 && pipe(ends) == 0) {
        if (write(ends[1], "x", 1) == 1 && read(ends[0], page, 1) == -1 && errno == EFAULT) method = GUARD_MARKER;
        close(ends[0]);
        close(ends[1]);
    }
    munmap(page, size);
    return method;
}

static enum guard_method guard_method(void)
{
    static _Atomic int known;
    int method = atomic_load(&known);
    if (method == GUARD_UNKNOWN) {
        method = (int)probe_guard();
        atomic_store(&known, method);
    }
    return (enum guard_method)method;
}

/* With mprotect every stack is two maps; half of the kernel's limit leaves room for the rest of the program. */
static size_t stacks_max(void)
{
    if (guard_method() == GUARD_MARKER) return SIZE_MAX;
    size_t maps_max = 65530;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
    if (file != NULL) {
        if (fscanf(file, "%zu", &maps_max) != 1) maps_max = 65530;
        fclose(file);
    }
    return maps_max / 4;
}

/* All the guards of a group in one call, where the kernel has it (Linux 6.15): a third of the cost. */
static bool guard_at_once(const struct stack_group *group)
{
    struct iovec guards[STACK_GROUP];
    for (size_t i = 0; i < group->slots; i++)
        guards[i] = (struct iovec){.iov_base = group->base + i * group->slot_size, .iov_len = STACK_GUARD};
    long done = syscall(SYS_process_madvise, PIDFD_SELF_THREAD, guards, group->slots, MADV_GUARD_INSTALL, 0);
    return done == (long)(group->slots * STACK_GUARD);
}

static bool guard(const struct stack_group *group)
{
    if (guard_method() == GUARD_MARKER && guard_at_once(group)) return true;
    for (size_t i = 0; i < group->slots; i++) {
        char *low = group->base + i * group->slot_size;
        int rc = guard_method() == GUARD_MARKER ? madvise(low, STACK_GUARD, MADV_GUARD_INSTALL) : -1;
        if (rc != 0) rc = mprotect(low, STACK_GUARD, PROT_NONE);
        if (rc != 0) return false;
    }
    return true;
}

/* Tells the tools that watch memory about a stack, before its first use. */
static void set_up(struct stack *stack)
{
    stack->valgrind_id = VALGRIND_STACK_REGISTER(stack->low, stack->low + stack->size);
    asan_root(stack->low, stack->size);
    stack->tsan_fiber = tsan_create();
}

static void take_down(struct stack *stack)
{
    unpoison(stack->low, stack->size);
    VALGRIND_STACK_DEREGISTER(stack->valgrind_id);
    asan_unroot(stack->low, stack->size);
    tsan_destroy(stack->tsan_fiber);
}

/* ---- Groups ---- */

int stack_class_for(size_t size)
{
    for (int i = 0; i < STACK_CLASSES; i++)
        if (size <= ((size_t)STACK_SLOT_MIN << i) - (size_t)STACK_GUARD && (STACK_GUARD << 1) <= (STACK_SLOT_MIN << i))
            return i;
    return -1;
}

static void publish(struct stack_group *group)
{
    pthread_mutex_lock(&all_groups_lock);
    atomic_store(&group->other, atomic_load(&all_groups));
    atomic_store(&all_groups, group);
    pthread_mutex_unlock(&all_groups_lock);
}

static void withdraw(struct stack_group *group)
{
    pthread_mutex_lock(&all_groups_lock);
    _Atomic(struct stack_group *) *link = &all_groups;
    while (atomic_load(link) != group) link = &atomic_load(link)->other;
    atomic_store(link, atomic_load(&group->other));
    pthread_mutex_unlock(&all_groups_lock);
}

static void link_first(struct stack_class *class, struct stack_group *group)
{
    group->prev = NULL;
    group->next = class->groups;
    if (group->next != NULL) group->next->prev = group;
    else class->last = group;
    class->groups = group;
}

static void link_last(struct stack_class *class, struct stack_group *group)
{
    group->next = NULL;
    group->prev = class->last;
    if (group->prev != NULL) group->prev->next = group;
    else class->groups = group;
    class->last = group;
}

static void unlink_group(struct stack_class *class, struct stack_group *group)
{
    if (group->next != NULL) group->next->prev = group->prev;
    else class->last = group->prev;
    if (group->prev != NULL) group->prev->next = group->next;
    else class->groups = group->next;
}

/* How many slots a new group has: few while there are few, because a group's pages are advised as a whole. */
static size_t group_slots(const struct stack_class *class, size_t slot_size)
{
    size_t slots = class->capacity < 16 ? 16 : STACK_GROUP;
    if (slots > GROUP_BYTES_MAX / slot_size) slots = GROUP_BYTES_MAX / slot_size;
    return slots == 0 || slot_size / 8 > STACK_SLOT_MIN ? 1 : slots;
}

static struct stack_group *group_new(unsigned class_index, size_t slots)
{
    size_t slot_size = (size_t)STACK_SLOT_MIN << class_index;
    struct stack_group *group = memory_zero(sizeof *group);
    if (group == NULL) return NULL;
    group->base = mmap(NULL, slots * slot_size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (group->base == MAP_FAILED) {
        memory_free(group);
        return NULL;
    }
    madvise(group->base, slots * slot_size, MADV_NOHUGEPAGE); /* else one touch may make 2 MiB resident */
    group->slot_size = slot_size;
    group->slots = slots;
    if (!guard(group)) {
        munmap(group->base, slots * slot_size);
        memory_free(group);
        return NULL;
    }
    group->free = slots == STACK_GROUP ? UINT64_MAX : (UINT64_C(1) << slots) - 1;
    for (size_t i = 0; i < slots; i++) {
        group->stacks[i] = (struct stack){
            .low = group->base + i * slot_size + STACK_GUARD,
            .size = (uint32_t)(slot_size - STACK_GUARD),
            .class_index = (uint8_t)class_index,
            .index = (uint8_t)i,
        };
    }
    return group;
}

bool stack_reserve_slow(struct stack_pool *pool, unsigned class_index)
{
    struct stack_class *class = &pool->classes[class_index];
    size_t slots = group_slots(class, (size_t)STACK_SLOT_MIN << class_index);
    if (class->capacity + slots > stacks_max()) return false;
    struct stack_group *group = group_new(class_index, slots);
    if (group == NULL) return false;
    group->older = pool->all;
    pool->all = group;
    class->capacity += slots;
    link_last(class, group);
    publish(group);
    return true;
}

/* ---- Taking and giving ---- */

static struct stack_group *group_of(const struct stack *stack)
{
    const struct stack *first = stack - stack->index;
    return (struct stack_group *)((char *)(uintptr_t)first - offsetof(struct stack_group, stacks));
}

struct stack *stack_take(struct stack_pool *pool, unsigned class_index)
{
    struct stack_class *class = &pool->classes[class_index];
    struct stack_group *group = class->groups;
    unsigned index = (unsigned)__builtin_ctzll(group->free);
    uint64_t bit = UINT64_C(1) << index;
    struct stack *stack = &group->stacks[index];
    group->free &= ~bit;
    group->idle = false;
    if (group->free == 0) unlink_group(class, group);
    class->bound++;
    if (!(group->touched & bit)) {
        group->touched |= bit;
        class->touched++;
        if (!(group->set_up & bit)) {
            set_up(stack);
            group->set_up |= bit;
        }
    }
    unpoison(stack->low, stack->size);
    return stack;
}

void stack_give(struct stack_pool *pool, struct stack *stack)
{
    struct stack_class *class = &pool->classes[stack->class_index];
    struct stack_group *group = group_of(stack);
    if (group->free == 0) link_first(class, group);
    group->free |= UINT64_C(1) << stack->index;
    class->bound--;
    class->reserved--;
}

/* ---- The pool ---- */

void stack_pool_init(struct stack_pool *pool, size_t keep)
{
    *pool = (struct stack_pool){.keep = keep};
}

static void group_free(struct stack_group *group)
{
    withdraw(group);
    for (size_t i = 0; i < group->slots; i++)
        if (group->set_up >> i & 1) take_down(&group->stacks[i]);
    munmap(group->base, group->slots * group->slot_size);
    memory_free(group);
}

void stack_pool_finish(struct stack_pool *pool)
{
    while (pool->all != NULL) {
        struct stack_group *group = pool->all;
        pool->all = group->older;
        group_free(group);
    }
    *pool = (struct stack_pool){.keep = pool->keep};
}

/* The slots of a group lie side by side, so one call gives back all of them; the guards stay. */
static void give_back(struct stack_class *class, struct stack_group *group)
{
    for (size_t i = 0; i < group->slots; i++) unpoison(group->stacks[i].low, group->stacks[i].size);
    madvise(group->base, group->slots * group->slot_size, MADV_DONTNEED);
    class->touched -= (size_t)__builtin_popcountll(group->touched);
    group->touched = 0;
}

static bool is_unused(const struct stack_group *group)
{
    return (size_t)__builtin_popcountll(group->free) == group->slots && group->idle && group->touched != 0;
}

bool stack_trim(struct stack_pool *pool)
{
    int left = TRIM_AT_ONCE;
    for (struct stack_group *group = pool->all; group != NULL; group = group->older) {
        struct stack_class *class = &pool->classes[group->stacks[0].class_index];
        if (class->touched <= pool->keep || !is_unused(group)) continue;
        if (left-- == 0) return false;
        give_back(class, group);
    }
    for (struct stack_group *group = pool->all; group != NULL; group = group->older) group->idle = true;
    return true;
}

void stack_trim_below(const struct stack *stack, const void *sp)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t low = ((uintptr_t)stack->low + page - 1) & ~(page - 1);
    uintptr_t end = ((uintptr_t)sp - BELOW_SP) & ~(page - 1);
    if (end > low) madvise((void *)low, end - low, MADV_DONTNEED);
}

size_t stack_high_water(const struct stack *stack)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char resident[256];
    for (size_t offset = 0; offset < stack->size; offset += sizeof resident * page) {
        size_t left = stack->size - offset;
        size_t pages = left / page < sizeof resident ? left / page : sizeof resident;
        if (mincore(stack->low + offset, pages * page, resident) != 0) return 0;
        for (size_t i = 0; i < pages; i++)
            if (resident[i] & 1) return left - i * page;
    }
    return 0;
}

/* Asked once a thread: for the first one, the C library reads all the mappings of the process. */
static void find_thread_stack(void **low, size_t *size)
{
    static _Thread_local void *known_low;
    static _Thread_local size_t known_size;
    pthread_attr_t attributes;
    if (known_low == NULL && pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstack(&attributes, &known_low, &known_size);
        pthread_attr_destroy(&attributes);
    }
    *low = known_low;
    *size = known_size;
}

void stack_adopt_thread(struct stack *stack)
{
    void *low;
    size_t size;
    find_thread_stack(&low, &size);
    *stack = (struct stack){.low = low, .size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size};
    stack->tsan_fiber = tsan_current();
}

struct stack *stack_find(const void *address, bool *in_guard)
{
    uintptr_t wanted = (uintptr_t)address;
    for (struct stack_group *group = atomic_load(&all_groups); group != NULL; group = atomic_load(&group->other)) {
        uintptr_t base = (uintptr_t)group->base;
        if (wanted < base || wanted >= base + group->slots * group->slot_size) continue;
        struct stack *stack = &group->stacks[(wanted - base) / group->slot_size];
        *in_guard = wanted < (uintptr_t)stack->low;
        return stack;
    }
    return NULL;
}
