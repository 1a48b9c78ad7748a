/*
 * Generators: a producer and its consumer, which switch to each other directly.
 *
 *     idle --first wf_next--> producing <--wf_next / wf_emit--> emitting
 *                                 |                                |
 *                                 +------ the function returned ---+--close: cancelled, resumed--> ended
 *
 * The consumer asks and waits; the producer emits and waits; the one that is needed next is resumed on the other's
 * turn. When a cancel takes the consumer away meanwhile, the item waits with the producer.
 *
 * An item costs two switches, and a switch costs the predictions of every return behind it. So both calls end in the
 * switch, as tail calls without a frame, when all is as usual: the other side waits, nobody is cancelled, the budget
 * lasts, the item is a machine word. Whatever is not takes the longer way, through the run queue.
 */
#include <weft/generator.h>

#include <string.h>
#include <weft/task.h>

#include "base/report.h"
#include "core/loop.h"
#include "core/scope.h"

enum state { UNOPENED, IDLE, PRODUCING, ENDED };

/* The two records are in the generator: a call that ends in the switch has no frame to return through. */
_Static_assert(sizeof(struct wf_wait) == sizeof((struct wf_generator *)0)->waits_[0], "a record fits");

static struct wf_wait *consumer_wait(struct wf_generator *generator)
{
    return (struct wf_wait *)(void *)generator->waits_[0];
}

static struct wf_wait *producer_wait(struct wf_generator *generator)
{
    return (struct wf_wait *)(void *)generator->waits_[1];
}

static struct wf_generator *generator_of(struct wf_scope *scope)
{
    return (struct wf_generator *)((char *)scope - offsetof(struct wf_generator, scope_));
}

/* ---- The producer ---- */

static void drop_offer(struct wf_generator *generator)
{
    const void *item = generator->offered_;
    generator->offered_ = NULL;
    if (item != NULL && generator->drop_ != NULL) generator->drop_((void *)(uintptr_t)item);
}

/* The item was emitted; that it is cancelled now is told by the next call. */
static void emitting_cancelled(struct wf_wait *wait, int code)
{
    (void)code;
    struct wf_generator *generator = (struct wf_generator *)(uintptr_t)wait->object;
    generator->emitting_ = NULL;
    drop_offer(generator);
    wait_end(wait, 0);
}

static const struct wait_class emitting_class = {.name = "to be asked for an item", .cancel = emitting_cancelled};

/* Out of line, as is everything that needs a frame: see the head. */
static __attribute__((noinline)) int emit_carefully(struct wf_generator *generator, const void *item, size_t size)
{
    struct loop *loop = LOOP_HERE();
    if (generator->producer_ != loop->running) return -EPERM;
    if (size != generator->iterator.item_size)
        misuse("wf_emit: an item of %zu bytes for the generator '%s', whose items have %zu.", size,
               generator->function_, generator->iterator.item_size);
    int rc = wait_check(false);
    if (rc < 0) return rc;
    struct wf_wait *asking = generator->asking_;
    generator->emitting_ = producer_wait(generator);
    generator->asking_ = NULL;
    if (asking == NULL) {
        generator->offered_ = item;
    } else {
        memcpy(generator->wanted_, item, size);
        wait_end(asking, 1);
    }
    return (int)suspend(generator->emitting_, &emitting_class, generator);
}

int wf_emit_(struct wf_generator *generator, const void *item, size_t size)
{
    struct loop *loop = current_loop;
    struct wf_wait *asking = generator->asking_;
    bool usual = asking != NULL && loop != NULL && generator->producer_ == loop->running && size == sizeof(uint64_t) &&
                 generator->iterator.item_size == sizeof(uint64_t) && is_untouched(loop->running);
    if (!usual) return emit_carefully(generator, item, size);
    generator->emitting_ = producer_wait(generator);
    generator->asking_ = NULL;
    memcpy(generator->wanted_, item, sizeof(uint64_t));
    return take_turn(loop, producer_wait(generator), asking, 1);
}

/* Its error becomes the consumer's: code and message. */
static int produce(struct wf_generator *generator)
{
    struct loop *loop = current_loop;
    generator->producer_ = loop->running;
    *producer_wait(generator) = (struct wf_wait){.task = loop->running, .class = &emitting_class, .object = generator};
    int rc = generator->fn_(generator, generator->arg_);
    bool was_closed = rc == -ECANCELED && (loop->running->node.flags & NODE_REQUESTED);
    generator->result_ = rc < 0 && !was_closed ? rc : 0;
    generator->state_ = ENDED;
    generator->producer_ = NULL;
    struct wf_task *told = generator->asking_ != NULL ? generator->asking_->task : generator->scope_.owner_;
    if (generator->result_ < 0) failure_move(loop->running, told, rc);
    generator->told_ = generator->asking_ != NULL;
    struct wf_wait *waiting = generator->told_ ? generator->asking_ : generator->closing_;
    generator->asking_ = generator->closing_ = NULL;
    if (waiting != NULL) wait_end(waiting, generator->result_);
    return 0;
}

/* ---- The consumer ---- */

static void asking_cancelled(struct wf_wait *wait, int code)
{
    ((struct wf_generator *)(uintptr_t)wait->object)->asking_ = NULL;
    wait_end(wait, code);
}

static const struct wait_class asking_class = {.name = "the next item", .cancel = asking_cancelled};

static int start(struct wf_generator *generator)
{
    const struct wf_spawn_options options = {
        .size = sizeof options,
        .arg_ = generator,
        .handle = &generator->handle_,
        .stack_size = generator->stack_size_,
        .function_ = generator->function_,
        .place_ = generator->scope_.place_,
    };
    struct wf_task *task;
    int rc = task_spawn(&generator->scope_, (int (*)(void *))produce, &options, &task);
    if (rc == 0) generator->state_ = PRODUCING;
    return rc;
}

/* Two that take turns spend one budget, so that the others have theirs. */
static __attribute__((noinline)) int next_carefully(struct wf_generator *generator, void *item)
{
    struct loop *loop = LOOP_HERE();
    if (consumer_wait(generator)->task != loop->running) return -EPERM;
    spend(loop); /* first: others may run meanwhile, and the producer may end */
    int rc = wait_check(false);
    if (rc < 0) return rc;
    if (generator->state_ != PRODUCING) {
        generator->told_ = generator->state_ == ENDED;
        rc = generator->told_ ? generator->result_ : start(generator);
        if (rc < 0 || generator->told_) return rc;
    }
    if (generator->offered_ != NULL) {
        memcpy(item, generator->offered_, generator->iterator.item_size);
        generator->offered_ = NULL;
        return 1;
    }
    generator->wanted_ = item;
    generator->asking_ = consumer_wait(generator);
    if (generator->emitting_ != NULL) wait_end(generator->emitting_, 0);
    generator->emitting_ = NULL;
    return (int)suspend(generator->asking_, &asking_class, generator);
}

static int next(struct wf_iterator *iterator, void *item)
{
    struct wf_generator *generator = (struct wf_generator *)iterator;
    struct loop *loop = current_loop;
    bool usual = generator->emitting_ != NULL && generator->offered_ == NULL && loop != NULL &&
                 consumer_wait(generator)->task == loop->running && is_untouched(loop->running) && can_spend(loop);
    if (!usual) return next_carefully(generator, item);
    struct wf_wait *wait = consumer_wait(generator), *emitting = generator->emitting_;
    generator->wanted_ = item;
    generator->asking_ = wait;
    generator->emitting_ = NULL;
    return take_turn(loop, wait, emitting, 0);
}

int wf_next_(struct wf_iterator *iterator, void *item, size_t size)
{
    if (__builtin_expect(size != iterator->item_size, 0))
        misuse("wf_next: a variable of %zu bytes for a source whose items have %zu.", size, iterator->item_size);
    return iterator->class_->next(iterator, item);
}

/* ---- Opening and closing ---- */

static const struct wait_class closing_class = {.name = "a generator's cleanup"};

int wf_generator_close(struct wf_generator *generator)
{
    (void)LOOP_HERE();
    if (generator->state_ == PRODUCING) {
        wf_handle_cancel_at_(&generator->handle_, "the generator was closed", generator->scope_.place_);
        struct wf_wait wait;
        generator->closing_ = &wait;
        suspend(&wait, &closing_class, generator);
    }
    if (generator->state_ == IDLE) generator->state_ = ENDED;
    int rc = generator->told_ ? 0 : generator->result_;
    generator->told_ = true;
    return rc;
}

static void close_iterator(struct wf_iterator *iterator)
{
    wf_ignore(wf_generator_close((struct wf_generator *)iterator));
}

/* Closes it, and its scope, which must be the innermost one; an error that nobody was told goes up, and so does what
 * scopes inside the block handed to this one. */
static void leave(struct wf_scope *scope)
{
    struct wf_task *task = scope->owner_;
    int rc = wf_generator_close(generator_of(scope));
    int handed_up = wf_scope_end(scope, 0);
    if (handed_up < 0) scope_hand_up(task, scope, handed_up);
    if (rc < 0) scope_hand_up(task, scope, rc);
}

/* The record of its consumer says whose it is. */
static void adopt(struct wf_iterator *iterator, struct wf_task *task)
{
    consumer_wait((struct wf_generator *)iterator)->task = task;
}

void wf_iterator_adopt_(struct wf_iterator *iterator, struct wf_task *task)
{
    if (iterator != NULL && iterator->class_->adopt != NULL) iterator->class_->adopt(iterator, task);
}

static const struct wf_iterator_class generator_class = {.next = next, .close = close_iterator, .adopt = adopt};

void wf_generator_open_(const struct wf_generator_options *options)
{
    if (options->size != sizeof *options)
        misuse("the generator at %s was compiled against another version of weft's headers.", options->place_);
    struct wf_generator *generator = options->generator_;
    wf_scope_open_(&(struct wf_scope_options){
        .size = sizeof(struct wf_scope_options),
        .scope_ = &generator->scope_,
        .policy = WF_COLLECT,
        .name = options->name != NULL ? options->name : options->function_,
        .place_ = options->place_,
    });
    generator->scope_.leave_ = leave;
    generator->iterator = (struct wf_iterator){.class_ = &generator_class, .item_size = options->item_size_};
    generator->fn_ = options->fn_;
    generator->arg_ = options->arg_;
    generator->drop_ = options->drop;
    generator->function_ = options->name != NULL ? options->name : options->function_;
    generator->stack_size_ = options->stack_size;
    generator->state_ = IDLE;
    *consumer_wait(generator) =
        (struct wf_wait){.task = generator->scope_.owner_, .class = &asking_class, .object = generator};
}

void wf_generator_leave_(struct wf_generator *generator)
{
    if (generator->state_ == UNOPENED) return;
    if (generator->scope_.state_ == SCOPE_OPEN) leave(&generator->scope_);
    wf_scope_leave_(&generator->scope_);
}
