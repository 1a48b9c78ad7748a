/* Which sanitizer watches this build, and memory that must not be touched: no-ops without one. */
#ifndef WEFT_BASE_SANITIZE_H
#define WEFT_BASE_SANITIZE_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define WEFT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_ASAN 1
#endif
#endif
#ifndef WEFT_ASAN
#define WEFT_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__)
#define WEFT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEFT_TSAN 1
#endif
#endif
#ifndef WEFT_TSAN
#define WEFT_TSAN 0
#endif

/* What AddressSanitizer wants to know: poisoned memory, roots for the search for leaks, switches of stacks. */
#if WEFT_ASAN
void __asan_poison_memory_region(void const volatile *memory, size_t size);
void __asan_unpoison_memory_region(void const volatile *memory, size_t size);
void __lsan_register_root_region(const void *start, size_t size);
void __lsan_unregister_root_region(const void *start, size_t size);
void __sanitizer_start_switch_fiber(void **fake_stack_save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack_save, const void **bottom_old, size_t *size_old);
#define poison(memory, size) __asan_poison_memory_region((memory), (size))
#define unpoison(memory, size) __asan_unpoison_memory_region((memory), (size))
#define asan_root(memory, size) __lsan_register_root_region((memory), (size))
#define asan_unroot(memory, size) __lsan_unregister_root_region((memory), (size))
#define asan_leave(save, low, size) __sanitizer_start_switch_fiber((save), (low), (size))
#define asan_arrive(save) __sanitizer_finish_switch_fiber((save), NULL, NULL)
#else
#define poison(memory, size) ((void)(memory), (void)(size))
#define unpoison(memory, size) ((void)(memory), (void)(size))
#define asan_root(memory, size) ((void)(memory), (void)(size))
#define asan_unroot(memory, size) ((void)(memory), (void)(size))
#define asan_leave(save, low, size) ((void)(save), (void)(low), (void)(size))
#define asan_arrive(save) ((void)(save))
#endif

/* What ThreadSanitizer wants to know: each stack is a context of its own. */
#if WEFT_TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#define tsan_current() __tsan_get_current_fiber()
#define tsan_create() __tsan_create_fiber(0)
#define tsan_destroy(fiber) __tsan_destroy_fiber(fiber)
#define tsan_switch(fiber) __tsan_switch_to_fiber((fiber), 0)
#else
#define tsan_current() NULL
#define tsan_create() NULL
#define tsan_destroy(fiber) ((void)(fiber))
#define tsan_switch(fiber) ((void)(fiber))
#endif

/* ThreadSanitizer takes clone(2) for a fork, after which it looks away in the child; one that shares its memory would
 * make it look away from us. So the call goes past it. */
#if WEFT_TSAN
int __clone(int (*fn)(void *), void *stack_top, int flags, void *argument, ...);
#define clone_unwatched __clone
#else
#define clone_unwatched clone
#endif

#endif
