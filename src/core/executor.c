/*
 * The executor: threads for blocking and CPU-bound work.
 *
 * One job: wf_offload -> driver->job_start -> queue -> a worker runs it -> loop_send -> the task becomes runnable.
 * Workers are started when a job finds none idle, up to a limit, and joined when the loop ends. The loop counts the
 * jobs it has out; past the limit callers wait in a queue of their own, so memory is bounded by who waits, not by a
 * list.
 */
#include <weft/executor.h>

#include <pthread.h>
#include <signal.h>
#include <weft/task.h>
#include <weft/time.h>

#include "base/memory.h"
#include "core/loop.h"

enum {
    THREADS_DEFAULT = 4,
    QUEUE_DEFAULT = 1024,
};

struct executor {
    struct loop *loop;
    struct wf_queue_ callers; /* tasks that wait because too many jobs are out; the loop's own */
    uint32_t out, out_max;    /* jobs that were started and are not back; the loop's own */
    int64_t wait_max;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t more;
    struct job *first, *last;
    size_t queued, running;
    uint32_t threads, idle, threads_max;
    bool stopping;
    pthread_t *workers;
};

/* ---- The workers' side ---- */

static _Thread_local const struct job *current_job;

void job_run(struct job *job)
{
    current_job = job;
    job->result = job->fn(job->arg);
    current_job = NULL;
}

const struct job *job_running(void)
{
    return current_job;
}

static struct job *next_job(struct executor *executor)
{
    executor->idle++;
    while (executor->first == NULL && !executor->stopping) pthread_cond_wait(&executor->more, &executor->lock);
    executor->idle--;
    struct job *job = executor->first;
    if (job == NULL) return NULL;
    executor->first = job->next;
    if (job->next == NULL) executor->last = NULL;
    executor->queued--;
    executor->running++;
    int64_t waited = wf_now() - job->queued_at;
    if (waited > executor->wait_max) executor->wait_max = waited;
    return job;
}

static void *work(void *argument)
{
    struct executor *executor = argument;
    pthread_mutex_lock(&executor->lock);
    struct job *job;
    while ((job = next_job(executor)) != NULL) {
        pthread_mutex_unlock(&executor->lock);
        job_run(job);
        pthread_mutex_lock(&executor->lock);
        executor->running--;
        loop_send(executor->loop, &job->message);
    }
    pthread_mutex_unlock(&executor->lock);
    return NULL;
}

/* ---- The loop's side ---- */

static struct executor *executor_of(struct loop *loop)
{
    if (loop->executor != NULL) return loop->executor;
    struct executor *executor = memory_zero(sizeof *executor);
    if (executor == NULL) return NULL;
    executor->threads_max = loop->options.threads_max > 0 ? loop->options.threads_max : THREADS_DEFAULT;
    uint32_t queue_max = loop->options.queue_max > 0 ? loop->options.queue_max : QUEUE_DEFAULT;
    if (__builtin_add_overflow(executor->threads_max, queue_max, &executor->out_max)) executor->out_max = UINT32_MAX;
    executor->workers = memory_zero(executor->threads_max * sizeof *executor->workers);
    if (executor->workers == NULL) {
        memory_free(executor);
        return NULL;
    }
    executor->loop = loop;
    pthread_mutex_init(&executor->lock, NULL);
    pthread_cond_init(&executor->more, NULL);
    loop->executor = executor;
    return executor;
}

/* Signals are the loop's affair: workers have them all blocked. */
static int add_worker(struct executor *executor)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&executor->workers[executor->threads], NULL, work, executor);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0) executor->threads++;
    return -rc;
}

int executor_start(struct loop *loop, struct job *job)
{
    struct executor *executor = executor_of(loop);
    if (executor == NULL) return -ENOMEM;
    job->queued_at = loop_now(loop);
    job->next = NULL;
    pthread_mutex_lock(&executor->lock);
    int rc = 0;
    if (executor->queued >= executor->idle && executor->threads < executor->threads_max) rc = add_worker(executor);
    if (rc < 0 && executor->threads > 0) rc = 0; /* fewer workers than allowed, but some */
    if (rc == 0) {
        if (executor->last != NULL) executor->last->next = job;
        else executor->first = job;
        executor->last = job;
        executor->queued++;
        pthread_cond_signal(&executor->more);
    }
    pthread_mutex_unlock(&executor->lock);
    return rc < 0 ? -EAGAIN : 0;
}

bool executor_cancel(struct loop *loop, struct job *job)
{
    struct executor *executor = loop->executor;
    pthread_mutex_lock(&executor->lock);
    struct job *before = NULL, *found = executor->first;
    while (found != NULL && found != job) {
        before = found;
        found = found->next;
    }
    if (found != NULL) {
        if (before != NULL) before->next = job->next;
        else executor->first = job->next;
        if (executor->last == job) executor->last = before;
        executor->queued--;
    }
    pthread_mutex_unlock(&executor->lock);
    return found != NULL;
}

void executor_finish(struct loop *loop)
{
    struct executor *executor = loop->executor;
    if (executor == NULL) return;
    pthread_mutex_lock(&executor->lock);
    executor->stopping = true;
    pthread_cond_broadcast(&executor->more);
    pthread_mutex_unlock(&executor->lock);
    for (uint32_t i = 0; i < executor->threads; i++) pthread_join(executor->workers[i], NULL);
    pthread_mutex_destroy(&executor->lock);
    pthread_cond_destroy(&executor->more);
    memory_free(executor->workers);
    memory_free(executor);
    loop->executor = NULL;
}

void executor_statistics(struct loop *loop, struct wf_statistics *statistics)
{
    struct executor *executor = loop->executor;
    if (executor == NULL) return;
    pthread_mutex_lock(&executor->lock);
    statistics->jobs_queued = executor->queued;
    statistics->jobs_running = executor->running;
    statistics->job_wait_max_ns = executor->wait_max;
    pthread_mutex_unlock(&executor->lock);
}

/* ---- Room for one more job ---- */

static const struct wait_class room_class = {.name = "room in the executor's queue", .cancel = queue_cancel};

static void give_room(struct loop *loop)
{
    if (queue_grant(&loop->executor->callers, 0)) return;
    loop->executor->out--;
    loop->pending_jobs--;
}

static int take_room(struct loop *loop)
{
    struct executor *executor = executor_of(loop);
    if (executor == NULL) return -ENOMEM;
    if (executor->out < executor->out_max && executor->callers.first == NULL) {
        executor->out++;
        loop->pending_jobs++;
        return 0;
    }
    int rc = (int)queue_wait(&executor->callers, &room_class); /* granted: the room was handed over */
    if (rc < 0) return rc;
    rc = wait_check(false); /* it may have been cancelled since */
    if (rc < 0) give_room(loop);
    return rc;
}

/* ---- Waiting for a job ---- */

struct waiting_job {
    struct job job;
    struct wf_wait wait;
};

static void waiting_job_back(struct loop *loop, struct message *message)
{
    struct waiting_job *waiting = (struct waiting_job *)message;
    give_room(loop);
    wait_end(&waiting->wait, waiting->job.result);
}

static void waiting_job_cancelled(struct wf_wait *wait, int code)
{
    struct loop *loop = current_loop;
    struct waiting_job *waiting = (struct waiting_job *)((char *)wait - offsetof(struct waiting_job, wait));
    if (!loop->driver->job_cancel(loop, &waiting->job)) return;
    give_room(loop);
    wait_end(wait, code);
}

static const struct wait_class job_class = {.name = "a job on a thread", .cancel = waiting_job_cancelled};

int wf_offload_(int (*fn)(void *), void *arg, const char *name, const char *place)
{
    struct loop *loop = LOOP_HERE();
    (void)place;
    int rc = wait_check(false);
    if (rc == 0) rc = take_room(loop);
    if (rc < 0) return rc;
    struct waiting_job waiting = {.job = {.message = {.deliver = waiting_job_back},
                                          .fn = fn,
                                          .arg = arg,
                                          .name = name,
                                          .context = loop->running->context,
                                          .task_id = loop->running->id}};
    waiting.wait.task = loop->running;
    rc = loop->driver->job_start(loop, &waiting.job);
    if (rc < 0) {
        give_room(loop);
        return rc;
    }
    return (int)suspend(&waiting.wait, &job_class, name);
}

/* ---- Abandoning a job ---- */

struct abandoned_job {
    struct job job;
    struct waiting_abandoned *waiter; /* NULL once the caller has left */
    void (*destroy)(void *arg);
};

struct waiting_abandoned {
    struct wf_wait wait;
    struct abandoned_job *job;
};

static void abandoned_job_free(struct abandoned_job *job)
{
    context_release(job->job.context);
    memory_free(job);
}

static void abandoned_job_over(struct abandoned_job *job)
{
    job->destroy(job->job.arg);
    abandoned_job_free(job);
}

/* The caller's task-locals may be gone before the job has ended: it gets a copy. */
static struct abandoned_job *abandoned_job_new(const struct wf_task *task)
{
    struct abandoned_job *job = memory_zero(sizeof *job);
    bool failed = job == NULL;
    if (failed) return NULL;
    job->job.context = context_capture(task->context, &failed);
    job->job.task_id = task->id;
    if (!failed) return job;
    memory_free(job);
    return NULL;
}

static void abandoned_job_back(struct loop *loop, struct message *message)
{
    struct abandoned_job *job = (struct abandoned_job *)message;
    give_room(loop);
    if (job->waiter != NULL) wait_end(&job->waiter->wait, job->job.result);
    abandoned_job_over(job);
}

static void abandoned_job_cancelled(struct wf_wait *wait, int code)
{
    struct loop *loop = current_loop;
    struct abandoned_job *job = ((struct waiting_abandoned *)wait)->job;
    job->waiter = NULL;
    if (loop->driver->job_cancel(loop, &job->job)) {
        give_room(loop);
        abandoned_job_over(job);
    }
    wait_end(wait, code);
}

static const struct wait_class abandoned_class = {.name = "a job on a thread", .cancel = abandoned_job_cancelled};

int wf_offload_abandon_(int (*fn)(void *), void *arg, void (*destroy)(void *), const char *name, const char *place)
{
    struct loop *loop = LOOP_HERE();
    (void)place;
    struct waiting_abandoned waiting;
    int rc = wait_check(false);
    if (rc == 0) rc = take_room(loop);
    struct abandoned_job *job = NULL;
    if (rc == 0) {
        job = abandoned_job_new(loop->running);
        rc = job != NULL ? 0 : -ENOMEM;
        if (rc < 0) give_room(loop);
    }
    if (rc == 0) {
        job->job.message.deliver = abandoned_job_back;
        job->job.fn = fn;
        job->job.arg = arg;
        job->job.name = name;
        job->waiter = &waiting;
        job->destroy = destroy;
        waiting.job = job;
        waiting.wait.task = loop->running;
        rc = loop->driver->job_start(loop, &job->job);
        if (rc < 0) {
            give_room(loop);
            abandoned_job_free(job);
        }
    }
    if (rc < 0) {
        destroy(arg);
        return rc;
    }
    return (int)suspend(&waiting.wait, &abandoned_class, name);
}
