#include "net/lookup.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>

#include "base/memory.h"

enum { THREADS_MAX = 64, QUEUE_MAX = 1024 };

struct worker {
    struct crew *crew;
    pthread_t thread;
    struct lookup_job *job; /* what it is busy with */
    bool left;              /* behind, by its loop */
};

struct crew {
    struct loop *loop;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t more;
    struct lookup_job *first, *last;
    uint32_t queued, threads, idle;
    uint32_t left; /* threads that were left behind, and have not ended */
    bool stopping;
    struct worker workers[THREADS_MAX];
};

/* ---- Asking the system ---- */

static int code_of(int rc)
{
    switch (rc) {
    case 0:
        return 0;
    case EAI_SYSTEM:
        return -errno;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_AGAIN:
        return -EAGAIN;
    case EAI_FAIL:
        return -EIO;
    default:
        return -ENOENT;
    }
}

static bool is_known(const struct lookup *lookup, const struct wf_address *address)
{
    for (size_t i = 0; i < lookup->count; i++)
        if (wf_address_equal(&lookup->addresses[i], address)) return true;
    return false;
}

static void ask_system(struct lookup *lookup)
{
    struct addrinfo hints = {.ai_family = lookup->family, .ai_socktype = SOCK_STREAM}, *found = NULL;
    lookup->count = 0;
    lookup->code = code_of(getaddrinfo(lookup->host, NULL, &hints, &found));
    if (lookup->code < 0) return;
    for (const struct addrinfo *one = found; one != NULL && lookup->count < LOOKUP_ADDRESSES_MAX; one = one->ai_next) {
        struct wf_address *address = &lookup->addresses[lookup->count];
        if (wf_address_from(one->ai_addr, one->ai_addrlen, address) == 0 && !is_known(lookup, address)) lookup->count++;
    }
    freeaddrinfo(found);
    if (lookup->count == 0) lookup->code = -ENOENT;
}

/* ---- The threads' side ---- */

static struct lookup_job *next_job(struct crew *crew)
{
    crew->idle++;
    while (crew->first == NULL && !crew->stopping) pthread_cond_wait(&crew->more, &crew->lock);
    crew->idle--;
    struct lookup_job *job = crew->stopping ? NULL : crew->first;
    if (job == NULL) return NULL;
    crew->first = job->next;
    if (job->next == NULL) crew->last = NULL;
    job->queued = false;
    crew->queued--;
    return job;
}

static void crew_free(struct crew *crew)
{
    pthread_mutex_destroy(&crew->lock);
    pthread_cond_destroy(&crew->more);
    memory_free(crew);
}

/* The last one that was left behind frees what they shared. */
static void end_left_behind(struct crew *crew, struct lookup_job *job)
{
    bool last = --crew->left == 0;
    pthread_mutex_unlock(&crew->lock);
    memory_free(job);
    if (last) crew_free(crew);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct crew *crew = worker->crew;
    pthread_mutex_lock(&crew->lock);
    struct lookup_job *job;
    while ((job = next_job(crew)) != NULL) {
        worker->job = job;
        pthread_mutex_unlock(&crew->lock);
        ask_system(&job->lookup);
        pthread_mutex_lock(&crew->lock);
        worker->job = NULL;
        if (worker->left) {
            end_left_behind(crew, job);
            return NULL;
        }
        loop_send(crew->loop, &job->message);
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

/* ---- The loop's side ---- */

struct crew *crew_new(struct loop *loop)
{
    struct crew *crew = memory_zero(sizeof *crew);
    if (crew == NULL) return NULL;
    crew->loop = loop;
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->more, NULL);
    return crew;
}

/* Signals are the loop's affair: these threads have them all blocked. */
static void add_worker(struct crew *crew)
{
    struct worker *worker = &crew->workers[crew->threads];
    worker->crew = crew;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&worker->thread, NULL, work, worker) == 0) crew->threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int crew_start(struct crew *crew, struct lookup_job *job, uint32_t threads_max)
{
    if (threads_max > THREADS_MAX) threads_max = THREADS_MAX;
    pthread_mutex_lock(&crew->lock);
    if (crew->queued >= crew->idle && crew->threads < threads_max) add_worker(crew);
    int rc = crew->threads > 0 && crew->queued < QUEUE_MAX ? 0 : -EAGAIN;
    if (rc == 0) {
        job->next = NULL;
        job->queued = true;
        if (crew->last != NULL) crew->last->next = job;
        else crew->first = job;
        crew->last = job;
        crew->queued++;
        pthread_cond_signal(&crew->more);
    }
    pthread_mutex_unlock(&crew->lock);
    return rc;
}

static void unlink_job(struct crew *crew, const struct lookup_job *job)
{
    struct lookup_job *before = NULL;
    for (struct lookup_job *each = crew->first; each != job; each = each->next) before = each;
    if (before != NULL) before->next = job->next;
    else crew->first = job->next;
    if (crew->last == job) crew->last = before;
    crew->queued--;
}

bool crew_cancel(struct crew *crew, struct lookup_job *job)
{
    pthread_mutex_lock(&crew->lock);
    bool had_not_begun = job->queued;
    if (had_not_begun) unlink_job(crew, job);
    pthread_mutex_unlock(&crew->lock);
    return had_not_begun;
}

static void leave_busy_ones(struct crew *crew, void (*kept)(struct lookup_job *job))
{
    for (uint32_t i = 0; i < crew->threads; i++) {
        struct worker *worker = &crew->workers[i];
        if (worker->job == NULL) continue;
        worker->left = true;
        crew->left++;
        kept(worker->job);
        pthread_detach(worker->thread);
    }
}

void crew_leave(struct crew *crew, void (*kept)(struct lookup_job *job))
{
    bool left[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    pthread_mutex_lock(&crew->lock);
    crew->stopping = true;
    leave_busy_ones(crew, kept);
    uint32_t count = crew->threads;
    for (uint32_t i = 0; i < count; i++) {
        left[i] = crew->workers[i].left;
        threads[i] = crew->workers[i].thread;
    }
    crew->left++; /* this one, until the idle ones have gone */
    pthread_cond_broadcast(&crew->more);
    pthread_mutex_unlock(&crew->lock);
    for (uint32_t i = 0; i < count; i++)
        if (!left[i]) pthread_join(threads[i], NULL);
    pthread_mutex_lock(&crew->lock);
    end_left_behind(crew, NULL);
}
