#include "fiber/stack.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/report.h"
#include "fiber/fiber.h"

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) ((void)(low), (void)(high), 0u)
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

#if WEFT_ASAN
void __lsan_register_root_region(const void *start, size_t size);
void __lsan_unregister_root_region(const void *start, size_t size);
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum {
    SLAB_SLOTS_FIRST = 16,
    SLAB_SLOTS_MAX = 1024,
    SLAB_BYTES_MAX = 64 * 1024 * 1024,
    COLOURS = 16,
    TRIM_AT_ONCE = 64,  /* giving back costs some 3 us each: never a long pause */
};

struct slab {
    struct slab *next;                /* of the same pool */
    _Atomic(struct slab *) next_any;  /* of all pools: read by signal handlers */
    char *base;
    size_t slot_size, slots;
    unsigned valgrind_id;
    struct stack stacks[];
};

static pthread_mutex_t all_slabs_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct slab *) all_slabs;

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

static void set_up(struct stack *stack)
{
    char *guard = stack->low - STACK_GUARD;
    int rc = guard_method() == GUARD_MARKER ? madvise(guard, STACK_GUARD, MADV_GUARD_INSTALL) : -1;
    if (rc != 0) rc = mprotect(guard, STACK_GUARD, PROT_NONE);
    if (rc != 0)
        misuse("cannot guard a stack: %s. The process has too many memory maps (vm.max_map_count) or no memory left "
               "for page tables; a stack without a guard would corrupt its neighbour silently.",
               wf_strerror(errno));
    stack->guarded = true;
#if WEFT_ASAN
    __lsan_register_root_region(stack->low, stack->size);
#endif
#if WEFT_TSAN
    stack->tsan_fiber = __tsan_create_fiber(0);
#endif
}

/* ---- Slabs ---- */

int stack_class_for(size_t size)
{
    for (int i = 0; i < STACK_CLASSES; i++)
        if (size <= ((size_t)STACK_SLOT_MIN << i) - (size_t)STACK_GUARD && (STACK_GUARD << 1) <= (STACK_SLOT_MIN << i))
            return i;
    return -1;
}

static void publish(struct slab *slab)
{
    pthread_mutex_lock(&all_slabs_lock);
    atomic_store(&slab->next_any, atomic_load(&all_slabs));
    atomic_store(&all_slabs, slab);
    pthread_mutex_unlock(&all_slabs_lock);
}

static void withdraw(struct slab *slab)
{
    pthread_mutex_lock(&all_slabs_lock);
    _Atomic(struct slab *) *link = &all_slabs;
    while (atomic_load(link) != slab) link = &atomic_load(link)->next_any;
    atomic_store(link, atomic_load(&slab->next_any));
    pthread_mutex_unlock(&all_slabs_lock);
}

static void append(struct stack_list *list, struct stack *stack)
{
    stack->next = NULL;
    stack->prev = list->last;
    if (list->last != NULL) list->last->next = stack;
    else list->first = stack;
    list->last = stack;
    list->count++;
}

bool stack_reserve_slow(struct stack_pool *pool, unsigned class_index)
{
    struct stack_class *class = &pool->classes[class_index];
    size_t slot_size = (size_t)STACK_SLOT_MIN << class_index;
    size_t slots = class->capacity < SLAB_SLOTS_FIRST ? SLAB_SLOTS_FIRST : class->capacity;
    if (slots > SLAB_SLOTS_MAX) slots = SLAB_SLOTS_MAX;
    if (slots > SLAB_BYTES_MAX / slot_size) slots = SLAB_BYTES_MAX / slot_size;
    if (slots == 0 || class_index >= 4) slots = 1;
    if (class->capacity + slots > stacks_max()) return false;

    struct slab *slab = memory_zero(sizeof *slab + slots * sizeof(struct stack));
    if (slab == NULL) return false;
    slab->base = mmap(NULL, slots * slot_size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (slab->base == MAP_FAILED) {
        memory_free(slab);
        return false;
    }
    madvise(slab->base, slots * slot_size, MADV_NOHUGEPAGE);  /* else one touch may make 2 MiB resident */
    slab->slot_size = slot_size;
    slab->slots = slots;
    for (size_t i = 0; i < slots; i++) {
        struct stack *stack = &slab->stacks[i];
        stack->low = slab->base + i * slot_size + STACK_GUARD;
        stack->size = (uint32_t)(slot_size - STACK_GUARD);
        stack->class_index = (uint8_t)class_index;
        stack->colour = (uint8_t)(i % COLOURS);
        append(&class->cold, stack);
    }
    /* One registration serves the whole slab: valgrind only asks whether a jump of the stack pointer is a switch. */
    slab->valgrind_id = VALGRIND_STACK_REGISTER(slab->base, slab->base + slots * slot_size);
    slab->next = pool->slabs;
    pool->slabs = slab;
    class->capacity += slots;
    publish(slab);
    return true;
}

struct stack *stack_take_cold(struct stack_pool *pool, unsigned class_index)
{
    struct stack_class *class = &pool->classes[class_index];
    struct stack *stack = class->cold.first;
    class->cold.first = stack->next;
    if (stack->next != NULL) stack->next->prev = NULL;
    else class->cold.last = NULL;
    class->cold.count--;
    class->idle_min = 0;
    if (!stack->guarded) set_up(stack);
    unpoison(stack->low, stack->size);
    return stack;
}

void stack_pool_init(struct stack_pool *pool, size_t keep)
{
    *pool = (struct stack_pool){.keep = keep};
}

static void slab_free(struct slab *slab)
{
    withdraw(slab);
    for (size_t i = 0; i < slab->slots; i++) {
        struct stack *stack = &slab->stacks[i];
        if (!stack->guarded) continue;
        unpoison(stack->low, stack->size);
#if WEFT_ASAN
        __lsan_unregister_root_region(stack->low, stack->size);
#endif
#if WEFT_TSAN
        __tsan_destroy_fiber(stack->tsan_fiber);
#endif
    }
    VALGRIND_STACK_DEREGISTER(slab->valgrind_id);
    munmap(slab->base, slab->slots * slab->slot_size);
    memory_free(slab);
}

void stack_pool_finish(struct stack_pool *pool)
{
    while (pool->slabs != NULL) {
        struct slab *slab = pool->slabs;
        pool->slabs = slab->next;
        slab_free(slab);
    }
    *pool = (struct stack_pool){.keep = pool->keep};
}

static void trim_coldest(struct stack_class *class)
{
    struct stack *coldest = class->warm.last;
    class->warm.last = coldest->prev;
    if (coldest->prev != NULL) coldest->prev->next = NULL;
    else class->warm.first = NULL;
    class->warm.count--;
    class->idle_min--;
    unpoison(coldest->low, coldest->size);
    madvise(coldest->low, coldest->size, MADV_DONTNEED);
    append(&class->cold, coldest);
}

bool stack_trim(struct stack_pool *pool)
{
    int left = TRIM_AT_ONCE;
    for (unsigned i = 0; i < STACK_CLASSES; i++) {
        struct stack_class *class = &pool->classes[i];
        for (; class->idle_min > pool->keep; left--) {
            if (left == 0) return false;
            trim_coldest(class);
        }
        class->idle_min = class->warm.count;
    }
    return true;
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

void stack_adopt_thread(struct stack *stack)
{
    *stack = (struct stack){.guarded = true};
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        void *low;
        size_t size;
        pthread_attr_getstack(&attributes, &low, &size);
        pthread_attr_destroy(&attributes);
        stack->low = low;
        stack->size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
    }
#if WEFT_TSAN
    stack->tsan_fiber = __tsan_get_current_fiber();
#endif
}

struct stack *stack_find(const void *address, bool *in_guard)
{
    uintptr_t wanted = (uintptr_t)address;
    for (struct slab *slab = atomic_load(&all_slabs); slab != NULL; slab = atomic_load(&slab->next_any)) {
        uintptr_t base = (uintptr_t)slab->base;
        if (wanted < base || wanted >= base + slab->slots * slab->slot_size) continue;
        struct stack *stack = &slab->stacks[(wanted - base) / slab->slot_size];
        *in_guard = wanted < (uintptr_t)stack->low;
        return stack;
    }
    return NULL;
}
