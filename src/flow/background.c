/*
 * The set of background tasks: who is in it, by name and in order, and how it ends.
 *
 * The scope that holds them is open around whatever its opener does afterwards, so tasks are drained and cancelled one
 * by one, never by that scope: the opener is inside it, too.
 */
#include "flow/background.h"

#include <stdio.h>
#include <string.h>
#include <weft/task.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/report.h"
#include "core/scope.h"
#include "observe/event.h"

enum { LIMIT_DEFAULT = 10000, NAMES_SIZE = 400 };

static const char *name_of(const struct wf_background *background)
{
    return background->options_.name != NULL ? background->options_.name : "background";
}

static struct record *first_of(const struct wf_background *background)
{
    return (struct record *)background->first_;
}

static struct record *next_of(const struct record *record)
{
    return (struct record *)record->shown.next;
}

static void check_open(const struct loop *loop, const struct wf_background *background)
{
    if (background->scope_.loop_ == loop) return;
    misuse("background tasks were used that are not open on this loop: declare them by WF_BACKGROUND, and use them "
           "from tasks of the same loop.");
}

/* ---- Names ---- */

static struct record *find(const struct wf_background *background, const char *name, uint64_t hash)
{
    struct record *record = (struct record *)background->named_[hash % WF_BACKGROUND_BUCKETS_];
    while (record != NULL && (record->hash != hash || strcmp(record->shown.name, name) != 0))
        record = record->next_named;
    return record;
}

static uint64_t hash_of(const struct wf_background *background, const char *name)
{
    return hash_bytes(background->secret_, name, strlen(name));
}

static void forget_name(struct record *record)
{
    if (!record->named) return;
    record->named = false;
    struct wf_background_task **bucket = &record->background->named_[record->hash % WF_BACKGROUND_BUCKETS_];
    if (*bucket == &record->shown) {
        *bucket = record->next_named != NULL ? &record->next_named->shown : NULL;
        return;
    }
    struct record *before = (struct record *)*bucket;
    while (before->next_named != record) before = before->next_named;
    before->next_named = record->next_named;
}

static void remember_name(struct record *record)
{
    struct wf_background_task **bucket = &record->background->named_[record->hash % WF_BACKGROUND_BUCKETS_];
    record->named = true;
    record->next_named = (struct record *)*bucket;
    *bucket = &record->shown;
}

/* ---- Starting ---- */

static void cancel(struct record *record, enum wf_reason_kind kind, const char *why, const char *place)
{
    node_cancel(&record->task->node, &record->reason, kind, why, place);
}

/* The new one waits on its own stack: nothing is left to be done, and to fail, when the old one ends. */
static void take_over_name(struct record *record)
{
    struct wf_background *background = record->background;
    record->hash = hash_of(background, record->shown.name);
    struct record *old = find(background, record->shown.name, record->hash);
    if (old != NULL) {
        forget_name(old);
        old->successor = record;
        record->replaced = old;
        background->statistics_.replaced++;
        cancel(old, WF_REASON_EXPLICIT, "another background task of its name was started", record->shown.place);
    }
    remember_name(record);
}

static void add(struct record *record)
{
    struct wf_background *background = record->background;
    struct wf_background_statistics *statistics = &background->statistics_;
    record->prev = (struct record *)background->last_;
    if (record->prev != NULL) record->prev->shown.next = &record->shown;
    else background->first_ = &record->shown;
    background->last_ = &record->shown;
    statistics->started++;
    if (++statistics->active > statistics->active_peak) statistics->active_peak = statistics->active;
    background->refusing_ = false;
    wf_event_clear(&background->idle_);
    event_background_started(background->options_.name);
}

void background_remove(struct record *record)
{
    struct wf_background *background = record->background;
    struct record *next = next_of(record);
    if (next != NULL) next->prev = record->prev;
    else background->last_ = record->prev != NULL ? &record->prev->shown : NULL;
    if (record->prev != NULL) record->prev->shown.next = record->shown.next;
    else background->first_ = record->shown.next;
    forget_name(record);
    if (record->successor != NULL) record->successor->replaced = NULL;
    while (queue_grant(&record->joiners, 0)) {}
    if (--background->statistics_.active == 0) wf_event_set(&background->idle_);
}

static const char *complaint(const struct wf_background_task_options *options)
{
    if (options->size != sizeof *options) return "compiled against another version of weft's headers";
    if (options->name != NULL && options->name[0] == '\0') return "an empty name";
    bool is_timed = options->first != 0 || options->jitter != 0 || options->stop_on_error;
    if (!options->periodic_) return is_timed ? ".first, .jitter and .stop_on_error are for periodic tasks" : NULL;
    if (options->period_ <= 0) return "a period that is not above 0";
    if (options->jitter < 0 || options->jitter >= options->period_) return "a .jitter outside of the period";
    return NULL;
}

/* Every start that is refused for the state of the set passes here. */
static int refuse(struct wf_background *background, const char *task, int code)
{
    background->statistics_.refused++;
    bool first = !background->refusing_;
    background->refusing_ = true;
    event_background_refused(background->options_.name, task, code, first);
    if (code == -EAGAIN)
        return wf_fail(code, "%s: '%s' was not started: %u tasks are alive, and more may not be", name_of(background),
                       task, background->statistics_.active);
    return wf_fail(code, "%s: '%s' was not started: %s", name_of(background), task,
                   code == -ESHUTDOWN ? "a shutdown has begun" : "the scope around it was cancelled");
}

static int may_start(struct wf_background *background, const struct wf_background_task_options *options)
{
    const char *task = options->name != NULL ? options->name : options->function_;
    const char *what = complaint(options);
    if (what != NULL) return wf_fail(-EINVAL, "%s: '%s': %s", name_of(background), task, what);
    if (background->closing_) return refuse(background, task, -ESHUTDOWN);
    if (background->scope_.node_.flags & NODE_CANCELLED) return refuse(background, task, -ECANCELED);
    if (background->statistics_.active >= background->options_.limit) return refuse(background, task, -EAGAIN);
    return 0;
}

static struct record *record_new(struct wf_background *background, int (*fn)(void *),
                                 const struct wf_background_task_options *options)
{
    struct record *record = memory_zero(sizeof *record + options->copy_size_);
    if (record == NULL) return NULL;
    record->background = background;
    record->fn = fn;
    record->arg = (void *)(uintptr_t)options->arg_;
    if (options->copy_size_ > 0) record->arg = memcpy(record->copy, options->arg_, options->copy_size_);
    record->release = options->release;
    record->period = options->periodic_ ? options->period_ : 0;
    record->first = options->first;
    record->jitter = options->jitter;
    record->stop_on_error = options->stop_on_error;
    return record;
}

static int spawn(struct record *record, const struct wf_background_task_options *options)
{
    const struct wf_spawn_options own = {
        .size = sizeof own,
        .arg_ = record,
        .name = options->name,
        .stack_size = options->stack_size,
        .context = WF_CONTEXT_CURRENT,
        .function_ = options->function_,
        .place_ = options->place_,
    };
    return task_spawn(&record->background->scope_, (int (*)(void *))background_run, &own, &record->task);
}

int wf_background_start_(struct wf_background *background, int (*fn)(void *),
                         const struct wf_background_task_options *options)
{
    struct loop *loop = LOOP_HERE();
    check_open(loop, background);
    int rc = may_start(background, options);
    if (rc < 0) return rc;
    struct record *record = record_new(background, fn, options);
    if (record == NULL) return -ENOMEM;
    rc = spawn(record, options);
    if (rc < 0) {
        memory_free(record);
        return rc;
    }
    record->shown.name = record->task->name;
    record->shown.place = record->task->place;
    record->shown.started = loop_now(loop);
    add(record);
    if (options->name != NULL) take_over_name(record);
    return 0;
}

/* ---- Stopping one ---- */

static const struct wait_class stop_class = {.name = "a background task to end", .cancel = queue_cancel};

int wf_background_stop(struct wf_background *background, const char *name)
{
    struct loop *loop = LOOP_HERE();
    check_open(loop, background);
    int rc = wait_check(false);
    if (rc < 0) return rc;
    struct record *record = name != NULL ? find(background, name, hash_of(background, name)) : NULL;
    if (record == NULL)
        return wf_fail(-ENOENT, "%s: no task is called '%s'", name_of(background), name != NULL ? name : "");
    if (record->task == loop->running)
        return wf_fail(-EDEADLK, "%s: '%s' waits for its own end; it can return instead", name_of(background), name);
    cancel(record, WF_REASON_EXPLICIT, "the background task was stopped", "");
    return (int)queue_wait(&record->joiners, &stop_class);
}

/* ---- The end ---- */

static bool is_inside(const struct wf_background *background, const struct wf_task *task)
{
    while (task != NULL && task_home(task) != &background->scope_) task = task_home(task)->owner_;
    return task != NULL;
}

/* Nothing new; idle waits end; what waits for its time has nothing under way. */
static void drain(struct wf_background *background)
{
    if (background->closing_) return;
    background->closing_ = true;
    for (struct record *record = first_of(background); record != NULL; record = next_of(record)) {
        node_drain(&record->task->node);
        if (record->idle) cancel(record, WF_REASON_SHUTDOWN, "a shutdown of the background tasks", "");
    }
}

static void cancel_all(struct wf_background *background, enum wf_reason_kind kind, const char *why)
{
    background->closing_ = background->cancelled_ = true;
    for (struct record *record = first_of(background); record != NULL; record = next_of(record))
        cancel(record, kind, why, background->options_.place_);
}

/* Their names, as far as there is room. */
static void list_names(const struct wf_background *background, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    wf_each_background(background, task)
    {
        int more = snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", task->name);
        if (more < 0 || (size_t)more >= size - used) return;
        used += (size_t)more;
    }
}

/* Once; these two are out of line for their buffers. */
static __attribute__((noinline)) void report_stubborn(struct wf_background *background)
{
    char names[NAMES_SIZE];
    uint32_t count = background->statistics_.active;
    if (background->reported_) return;
    background->reported_ = true;
    list_names(background, names, sizeof names);
    wf_report("%s: %u background task%s did not end in time after the cancel: %s", name_of(background), count,
              count == 1 ? "" : "s", names);
    event_background_left(background->options_.name, count, names);
}

static __attribute__((noinline)) int fail_for_stubborn(const struct wf_background *background)
{
    char names[NAMES_SIZE];
    uint32_t count = background->statistics_.active;
    list_names(background, names, sizeof names);
    return wf_fail(-ETIME, "%s: %u task%s did not end in time: %s", name_of(background), count, count == 1 ? "" : "s",
                   names);
}

static int wait_for_end(struct wf_background *background, int64_t duration)
{
    if (background->statistics_.active == 0) return 0;
    return wf_within(duration, wf_event_wait(&background->idle_));
}

int wf_background_shutdown(struct wf_background *background)
{
    struct loop *loop = LOOP_HERE();
    check_open(loop, background);
    int rc = wait_check(false);
    if (rc < 0) return rc;
    if (is_inside(background, loop->running))
        return wf_fail(-EDEADLK, "%s: a shutdown by one of its own tasks would wait for itself", name_of(background));
    drain(background);
    if (!background->cancelled_) {
        rc = wait_for_end(background, background->options_.grace);
        if (rc != -ETIME) return rc;
        cancel_all(background, WF_REASON_SHUTDOWN, "the grace of the background tasks was over");
    }
    rc = wait_for_end(background, background->options_.stubborn);
    if (rc != -ETIME) return rc;
    report_stubborn(background);
    return fail_for_stubborn(background);
}

/* ---- Opening and leaving ---- */

/* What scopes inside handed up goes on to the enclosing one; the tasks themselves hand up nothing. */
static void leave(struct wf_scope *scope)
{
    struct wf_background *background = (struct wf_background *)((char *)scope - offsetof(struct wf_background, scope_));
    struct wf_task *task = scope->owner_;
    cancel_all(background, WF_REASON_PARENT_LEFT, "the block of the background tasks was left");
    if (background->statistics_.active > 0) {
        int rc = wf_shielded(background->options_.stubborn, wf_event_wait(&background->idle_));
        if (rc == -ETIME) report_stubborn(background);
    }
    int rc = wf_scope_end(scope, 0);
    if (rc < 0) scope_hand_up(task, scope, rc);
}

void wf_background_open_(const struct wf_background_options *options)
{
    struct loop *loop = LOOP_HERE();
    if (options->size != sizeof *options)
        misuse("the background tasks at %s were compiled against another version of weft's headers.", options->place_);
    struct wf_background *background = options->background_;
    wf_scope_open_(&(struct wf_scope_options){
        .size = sizeof(struct wf_scope_options),
        .scope_ = &background->scope_,
        .policy = WF_COLLECT,
        .name = options->name,
        .place_ = options->place_,
    });
    background->scope_.leave_ = leave;
    background->options_ = *options;
    if (options->limit == 0) background->options_.limit = LIMIT_DEFAULT;
    if (options->grace == 0) background->options_.grace = WF_SECONDS(5);
    if (options->stubborn <= 0) background->options_.stubborn = WF_SECONDS(5);
    loop->driver->random(loop, background->secret_, sizeof background->secret_);
    background->idle_.set_ = true;
    background->closing_ = false;
}

void wf_background_leave_(struct wf_background *background)
{
    if (background->scope_.state_ == SCOPE_UNOPENED) return;
    if (background->scope_.state_ == SCOPE_OPEN) leave(&background->scope_);
    wf_scope_leave_(&background->scope_);
}

/* ---- Asking ---- */

size_t wf_background_active(const struct wf_background *background)
{
    return background->statistics_.active;
}

void wf_background_statistics(const struct wf_background *background, struct wf_background_statistics *statistics)
{
    *statistics = background->statistics_;
}

const struct wf_background_task *wf_background_tasks(const struct wf_background *background)
{
    return background->first_;
}
