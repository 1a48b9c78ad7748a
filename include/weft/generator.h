/*
 * Generators: a task that produces items, one at a time, as its consumer asks for them; straight code on both sides.
 *
 *     static int count(struct wf_generator *out, int *limit)
 *     {
 *         int rc = 0;
 *         for (int i = 0; i < *limit && rc == 0; i++) rc = wf_emit(out, &i);
 *         return rc;
 *     }
 *
 *     WF_GENERATOR(numbers, count, &limit, int);
 *     int number, rc;
 *     while ((rc = wf_next(&numbers, &number)) > 0) printf("%d\n", number);
 *
 * The producer runs only while its consumer waits for an item: it starts at the first wf_next, and never runs ahead.
 * Both switch to each other directly and count as one runnable task. Leaving the block closes the generator: the
 * producer is cancelled, and its cleanup has run, before the next statement after the block.
 *
 * Anything that can be asked for a next item is an iterator; hand-written ones begin with a struct wf_iterator.
 * Threads: a generator belongs to the task that declared it.
 */
#ifndef WEFT_GENERATOR_H
#define WEFT_GENERATOR_H

#include <weft/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Iterators ---- */

struct wf_iterator;

struct wf_iterator_class {
    /* Copies the next item out: 1; 0 at the end, and ever after; a negative code. May suspend. */
    int (*next)(struct wf_iterator *iterator, void *item);
    /* Lets go of what it holds; called once or not at all. NULL: nothing to do. May suspend; cannot be cancelled. */
    void (*close)(struct wf_iterator *iterator);
    /* From now on that task asks for items. NULL: any task may. */
    void (*adopt)(struct wf_iterator *iterator, struct wf_task *task);
};

/* What every source of items begins with, as its member `iterator`. */
struct wf_iterator {
    const struct wf_iterator_class *class_;
    size_t item_size;
};

/*
 * The next item of a source, copied to `*item`: 1; 0 at its end; a negative code. The size of an item is checked.
 * Suspends: until there is one. On cancel: none is lost, it comes at the next call.
 * Errors: -ECANCELED; what the producer returned, each time; -EPERM from a task that did not declare the generator;
 * -ENOMEM when the producer could not be started, and then the next call tries again.
 */
#define wf_next(source, item) wf_next_(&(source)->iterator, (item), sizeof *(item))

/* ---- Generators ---- */

struct wf_generator {
    struct wf_iterator iterator;
    struct wf_scope scope_;
    struct wf_handle handle_;
    int (*fn_)(struct wf_generator *, void *);
    void *arg_;
    void (*drop_)(void *item);
    const char *function_;
    struct wf_task *producer_;
    struct wf_wait *emitting_; /* the producer, while it waits to be asked for the next item */
    struct wf_wait *asking_;   /* the consumer, while it waits for an item */
    struct wf_wait *closing_;  /* the consumer, while it waits for the producer's end */
    void *wanted_;             /* where the item goes; valid while asking */
    const void *offered_;      /* an item that nobody has taken yet; valid while emitting */
    void *waits_[2][6];        /* the records of both: not on their stacks, so that neither has a frame of ours */
    size_t stack_size_;
    int result_;
    uint8_t state_;
    bool told_; /* the result was returned by wf_next or wf_generator_close */
    void *reserved_[4];
};

struct wf_generator_options {
    size_t size; /* filled by the macro */
    struct wf_generator *generator_;
    void *arg_;
    size_t item_size_;
    void (*drop)(void *item); /* for an item that was emitted and never taken; must not suspend */
    const char *name;         /* of the producer, for dumps; a literal; default: the function's name */
    size_t stack_size;        /* of the producer; default 48 KiB */
    int (*fn_)(struct wf_generator *, void *);
    const char *function_;
    const char *place_;
};

/*
 * WF_GENERATOR(name, fn, arg, type, .option = value, ...) declares the variable `name`: a generator of items of that
 * type, produced by `int fn(struct wf_generator *out, T *arg)`. The compiler checks that fn takes arg's type.
 * Nothing runs yet. Like a scope, it is closed when the C block ends, or the scope around it.
 */
#define WF_GENERATOR(name, fn, arg, ...)                                                                               \
    WF_GENERATOR_(name, fn, arg, __VA_ARGS__, .size = sizeof(struct wf_generator_options))

/*
 * Said by the producer: hands an item to the consumer, copied, and goes on when the next one is asked for. 0: the item
 * is the generator's, which drops it where nobody takes it any more.
 * Suspends: until the next item is asked for. On cancel: 0 for this item, and -ECANCELED from the next call on.
 * Errors: -ECANCELED: the generator was closed, the item is still the caller's; -EPERM from any other task.
 */
#define wf_emit(generator, item) wf_emit_((generator), (item), sizeof *(item))

/*
 * Closes: the producer is cancelled, and has ended on return; an item that was not taken is dropped. Returns the error
 * that the producer ended with, where wf_next has not returned it already; else 0. Without this call, leaving the block
 * does it, and such an error goes to the enclosing scope. Closing twice gives 0.
 * Suspends: until the producer's cleanup has run. On cancel: goes on; WF_UNCANCELLABLE, bounded by that cleanup.
 */
WF_API WF_SUSPENDS WF_UNCANCELLABLE int wf_generator_close(struct wf_generator *generator);

/* ---- What the macros stand on: private ---- */

WF_API WF_SUSPENDS int wf_next_(struct wf_iterator *iterator, void *item, size_t size);
WF_API WF_SUSPENDS int wf_emit_(struct wf_generator *generator, const void *item, size_t size);
WF_API void wf_iterator_adopt_(struct wf_iterator *iterator, struct wf_task *task);
WF_API void wf_generator_open_(const struct wf_generator_options *options);
WF_API void wf_generator_leave_(struct wf_generator *generator);

#define WF_GENERATOR_(generator_name, fn, arg, type, ...)                                                              \
    struct wf_generator generator_name __attribute__((cleanup(wf_generator_leave_))) = {.state_ = 0};                  \
    wf_generator_open_(&(struct wf_generator_options){.generator_ = &generator_name,                                   \
                                                      .arg_ = (void *)(uintptr_t)(arg),                                \
                                                      .fn_ = ((void)sizeof(_Generic((fn)(&generator_name, (arg)), int  \
                                                                                    : 'i')),                           \
                                                              (int (*)(struct wf_generator *, void *))(fn)),           \
                                                      .function_ = #fn,                                                \
                                                      .place_ = WF_HERE_,                                              \
                                                      .item_size_ = sizeof(type),                                      \
                                                      __VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
