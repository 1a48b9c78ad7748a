/* The waiting that channels and events of several loops have in common. */
#include "sync/shared.h"

#include "base/memory.h"
#include "base/report.h"

/* ---- Who may ---- */

/* A job's loop waits for it, so it is part of its run. */
static bool is_of_the_run(const struct shared *shared)
{
    if (job_running() != NULL) return true;
    return current_loop != NULL && current_loop->station->loops == shared->loops;
}

static void check_user(const struct shared *shared, const char *function)
{
    if (shared->with_threads || is_of_the_run(shared)) return;
    misuse("%s was called outside the loops of the run that the object was made in, and it is WF_WITH_LOOPS: tasks "
           "that "
           "wait for it may have been called a deadlock. Create it WF_WITH_THREADS.",
           function);
}

void shared_init(struct shared *shared, enum wf_shared_with with, const char *function)
{
    *shared = (struct shared){.with_threads = with == WF_WITH_THREADS, .references = 1};
    if (current_loop != NULL) shared->loops = current_loop->station->loops;
    check_user(shared, function);
    pthread_mutex_init(&shared->lock, NULL);
}

void shared_lock(struct shared *shared, const char *function)
{
    check_user(shared, function);
    pthread_mutex_lock(&shared->lock);
}

/* ---- Memory: the object begins with what is shared ---- */

static bool let_go(struct shared *shared)
{
    bool last = --shared->references == 0;
    pthread_mutex_unlock(&shared->lock);
    if (last) pthread_mutex_destroy(&shared->lock);
    return last;
}

bool shared_finish(struct shared *shared, bool waited_for, const char *function)
{
    if (waited_for)
        misuse("%s was called while tasks or threads wait for the object. Close it, or set it, and let them go on "
               "first.",
               function);
    return let_go(shared);
}

static void leave(struct shared *shared)
{
    if (let_go(shared)) memory_free(shared);
}

/* ---- Queues ---- */

static void append(struct shared_queue *queue, struct shared_wait *wait)
{
    wait->queue = queue;
    wait->next = NULL;
    wait->prev = queue->last;
    if (queue->last != NULL) queue->last->next = wait;
    else queue->first = wait;
    queue->last = wait;
    wait->shared->references++;
}

static void take_out(struct shared_wait *wait)
{
    struct shared_queue *queue = wait->queue;
    if (wait->next != NULL) wait->next->prev = wait->prev;
    else queue->last = wait->prev;
    if (wait->prev != NULL) wait->prev->next = wait->next;
    else queue->first = wait->next;
    wait->queue = NULL;
}

size_t shared_length(const struct shared_queue *queue)
{
    size_t length = 0;
    for (const struct shared_wait *wait = queue->first; wait != NULL; wait = wait->next) length++;
    return length;
}

/* ---- Decisions ---- */

static void arrive(struct mail *mail)
{
    struct shared_wait *wait = (struct shared_wait *)((char *)mail - offsetof(struct shared_wait, mail));
    pthread_mutex_lock(&wait->shared->lock); /* the sender is done with this loop */
    leave(wait->shared);
    wait_end(&wait->wait, wait->result);
}

void shared_grant(struct shared_queue *queue, int result)
{
    struct shared_wait *wait = queue->first;
    take_out(wait);
    wait->result = result;
    if (wait->home == NULL) {
        pthread_cond_signal(&wait->decided);
    } else if (current_loop != NULL && station_here() == wait->home) {
        wait->shared->references--; /* who grants has one */
        wait_end(&wait->wait, result);
    } else {
        wait->mail.arrive = arrive;
        mail_send(wait->home, &wait->mail);
    }
}

void shared_cancel(struct wf_wait *record, int code)
{
    struct shared_wait *wait = (struct shared_wait *)((char *)record - offsetof(struct shared_wait, wait));
    pthread_mutex_lock(&wait->shared->lock);
    if (wait->queue == NULL) { /* success wins */
        pthread_mutex_unlock(&wait->shared->lock);
        return;
    }
    take_out(wait);
    leave(wait->shared);
    wait_end(record, code);
}

/* ---- Waiting ---- */

int shared_wait(struct shared *shared, struct shared_queue *queue, void *item, const struct wait_class *class)
{
    struct loop *loop = current_loop;
    struct shared_wait wait = {.shared = shared, .home = station_here(), .item = item};
    bool from_outside = shared->with_threads;
    append(queue, &wait);
    pthread_mutex_unlock(&shared->lock);
    loop->wakers += from_outside;
    wait.wait.task = loop->running;
    int rc = (int)suspend(&wait.wait, class, shared);
    loop->wakers -= from_outside;
    return rc;
}

int shared_block(struct shared *shared, struct shared_queue *queue, void *item, const char *function)
{
    if (current_loop != NULL)
        misuse("%s would block a thread that runs a loop, and all its tasks. In a task, take the call without "
               "_blocking. (In a simulated world, jobs run on the loop's own thread.)",
               function);
    struct shared_wait wait = {.shared = shared, .item = item};
    pthread_cond_init(&wait.decided, NULL);
    append(queue, &wait);
    while (wait.queue != NULL) pthread_cond_wait(&wait.decided, &shared->lock);
    leave(shared);
    pthread_cond_destroy(&wait.decided);
    return wait.result;
}
