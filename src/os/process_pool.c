/*
 * Jobs in other processes. A semaphore hands out the workers, first in, first out; a place is empty until there is a
 * job for it, and again after its worker has ended.
 *
 * On the socket: first the two sizes, once; then for each job the question, and back the result and the answer.
 */
#include <weft/process_pool.h>

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weft/stream.h>
#include <weft/sync.h>
#include <weft/task.h>

#include "base/memory.h"
#include "core/loop.h"
#include "net/descriptor.h"

enum { ITEM_MAX = 1 << 20, NOBODY_ASKS = 2 };

struct sizes {
    uint64_t question, answer;
};

struct worker {
    struct wf_process process;
    struct wf_stream *stream; /* NULL: none runs here */
    bool busy;
    uint64_t jobs;
};

struct wf_process_pool {
    struct wf_process_pool_options options;
    struct wf_semaphore free;
    struct wf_process_pool_statistics statistics;
    struct worker workers[];
};

/* ---- Opening ---- */

static int check(const struct wf_process_pool_options *options)
{
    if (options->size != sizeof *options) return wf_fail(-EINVAL, "compiled against another version of weft");
    if (options->argv_ == NULL || options->argv_[0] == NULL) return wf_fail(-EINVAL, "a pool without a program");
    if (options->workers < 0 || options->workers > WF_PROCESS_WORKERS_MAX)
        return wf_fail(-EINVAL, "%d workers; at most %d", options->workers, WF_PROCESS_WORKERS_MAX);
    if (options->question == 0 || options->question > ITEM_MAX || options->answer == 0 || options->answer > ITEM_MAX)
        return wf_fail(-EINVAL, "questions and answers have from 1 to %d bytes", ITEM_MAX);
    return 0;
}

static int processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > WF_PROCESS_WORKERS_MAX ? WF_PROCESS_WORKERS_MAX : (int)count;
}

int wf_process_pool_open_(struct wf_process_pool **out, const struct wf_process_pool_options *options)
{
    (void)LOOP_HERE();
    int rc = out == NULL ? -EINVAL : check(options);
    if (rc < 0) return rc;
    int workers = options->workers > 0 ? options->workers : processors();
    struct wf_process_pool *pool = memory_zero(sizeof *pool + (size_t)workers * sizeof(struct worker));
    if (pool == NULL) return -ENOMEM;
    pool->options = *options;
    pool->options.workers = workers;
    pool->free = (struct wf_semaphore)WF_SEMAPHORE((size_t)workers);
    *out = pool;
    return 0;
}

/* ---- Workers ---- */

static int end_worker(struct wf_process_pool *pool, struct worker *worker)
{
    if (worker->stream == NULL) return 0;
    wf_stream_close(worker->stream);
    worker->stream = NULL;
    pool->statistics.workers--;
    return wf_process_end(&worker->process, 0);
}

static int start_program(struct wf_process_pool *pool, struct worker *worker, int end)
{
    return wf_process_start(&worker->process, pool->options.argv_, .input = {WF_IO_FD, end}, .grace = -1,
                            .limits = {{.resource = RLIMIT_AS, .most = pool->options.memory_max}});
}

static int start_worker(struct wf_process_pool *pool, struct worker *worker)
{
    struct loop *loop = current_loop;
    struct fd_stream *ours = NULL;
    int ends[2];
    int rc = loop->driver->socket_pair(loop, SOCK_STREAM, ends);
    if (rc < 0) return rc;
    rc = fd_stream_new(ends[0], true, true, &ours);
    if (rc == 0) rc = loop->driver->let_wait(loop, ends[1]);
    if (rc == 0) rc = start_program(pool, worker, ends[1]);
    loop->driver->close_fd(loop, ends[1]);
    if (rc < 0) {
        wf_stream_close(ours != NULL ? &ours->stream : NULL);
        return rc;
    }
    worker->stream = &ours->stream;
    worker->jobs = 0;
    pool->statistics.started++;
    pool->statistics.workers++;
    struct sizes sizes = {pool->options.question, pool->options.answer};
    return wf_stream_write_all(worker->stream, &sizes, sizeof sizes, NULL);
}

/* One that runs already, if there is one; a permit says that one is not busy. */
static struct worker *choose(struct wf_process_pool *pool)
{
    int chosen = 0;
    for (int i = pool->options.workers - 1; i >= 0; i--) {
        const struct worker *worker = &pool->workers[i];
        if (worker->busy) continue;
        if (worker->stream != NULL || pool->workers[chosen].busy || pool->workers[chosen].stream == NULL) chosen = i;
    }
    return &pool->workers[chosen];
}

/* ---- Jobs ---- */

static int ask(struct wf_process_pool *pool, struct worker *worker, const void *question, void *answer, int32_t *result)
{
    int rc = worker->stream == NULL ? start_worker(pool, worker) : 0;
    if (rc == 0) rc = wf_stream_write_all(worker->stream, question, pool->options.question, NULL);
    if (rc == 0) rc = wf_stream_read_full(worker->stream, result, sizeof *result, NULL);
    return rc < 0 ? rc : wf_stream_read_full(worker->stream, answer, pool->options.answer, NULL);
}

/* Its end of the socket is closed, so it has ended, or soon will: what of is asked before it is killed. */
static int tell_death(struct wf_process_pool *pool, struct worker *worker)
{
    struct wf_process_status status = {.code = -1};
    int rc = wf_within(WF_SECONDS(1), wf_process_wait(&worker->process, &status));
    end_worker(pool, worker);
    pool->statistics.failed++;
    if (rc < 0) return wf_fail(-EPIPE, "the worker stopped listening");
    if (status.signal == 0) return wf_fail(-EPIPE, "the worker ended with status %d", status.code);
    return wf_fail(-EPIPE, "the worker was ended by signal %d (%s)", status.signal, strsignal(status.signal));
}

static bool means_death(int rc)
{
    return rc == WF_EEND || rc == -EPIPE || rc == -ECONNRESET;
}

static int run_on(struct wf_process_pool *pool, struct worker *worker, const void *question, void *answer)
{
    int32_t result = 0;
    int rc = ask(pool, worker, question, answer, &result);
    pool->statistics.jobs++;
    if (means_death(rc) && worker->stream != NULL) return tell_death(pool, worker);
    worker->jobs++;
    bool old = pool->options.jobs_max > 0 && worker->jobs >= pool->options.jobs_max;
    if (rc < 0 || old) end_worker(pool, worker); /* after an error it may be in the middle of its answer */
    return rc < 0 ? rc : result;
}

int wf_process_pool_run(struct wf_process_pool *pool, const void *question, void *answer)
{
    (void)LOOP_HERE();
    int rc = wf_semaphore_acquire(&pool->free);
    if (rc < 0) return rc;
    struct worker *worker = choose(pool);
    worker->busy = true;
    rc = run_on(pool, worker, question, answer);
    worker->busy = false;
    wf_semaphore_release(&pool->free);
    return rc;
}

void wf_process_pool_statistics(const struct wf_process_pool *pool, struct wf_process_pool_statistics *statistics)
{
    *statistics = pool->statistics;
}

int wf_process_pool_close(struct wf_process_pool *pool, int rc)
{
    if (pool == NULL) return rc;
    for (int i = 0; i < pool->options.workers; i++) end_worker(pool, &pool->workers[i]);
    memory_free(pool);
    return rc;
}

/* ---- In the worker ---- */

/* Outside any loop: 0, or WF_EEND at the end and after an error. */
static int move_waiting(bool reads, void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t rc = reads ? read(STDIN_FILENO, (char *)bytes + done, size - done)
                           : send(STDIN_FILENO, (char *)bytes + done, size - done, MSG_NOSIGNAL);
        if (rc < 0 && errno == EINTR) continue;
        if (rc <= 0) return WF_EEND;
        done += (size_t)rc;
    }
    return 0;
}

static int move(struct wf_stream *stream, bool reads, void *bytes, size_t size)
{
    if (stream == NULL) return move_waiting(reads, bytes, size);
    return reads ? wf_stream_read_full(stream, bytes, size, NULL) : wf_stream_write_all(stream, bytes, size, NULL);
}

static int answer_one(struct wf_stream *stream, int (*fn)(const void *question, void *answer),
                      const struct sizes *sizes, void *question, void *answer)
{
    int rc = move(stream, true, question, sizes->question);
    if (rc < 0) return rc;
    memset(answer, 0, sizes->answer);
    int32_t result = fn(question, answer);
    rc = move(stream, false, &result, sizeof result);
    return rc < 0 ? rc : move(stream, false, answer, sizes->answer);
}

static int answer_all(struct wf_stream *stream, int (*fn)(const void *question, void *answer))
{
    struct sizes sizes;
    int rc = move(stream, true, &sizes, sizeof sizes);
    if (rc == -ECANCELED) return rc;
    if (rc < 0 || sizes.question > ITEM_MAX || sizes.answer > ITEM_MAX) return NOBODY_ASKS;
    void *question = memory_zero(sizes.question), *answer = memory_zero(sizes.answer);
    if (question == NULL || answer == NULL) rc = -ENOMEM;
    while (rc == 0) rc = answer_one(stream, fn, &sizes, question, answer);
    memory_free(question);
    memory_free(answer);
    return rc == -ECANCELED || rc == -ENOMEM ? rc : 0;
}

int wf_process_worker_(int (*fn)(const void *question, void *answer))
{
    struct wf_stream *stream = NULL;
    int rc = wf_in_task() ? wait_check(false) : 0;
    if (rc == 0 && wf_in_task()) rc = wf_stdin(&stream);
    if (rc == 0) rc = answer_all(stream, fn);
    if (stream != NULL) wf_stream_close(stream);
    return rc;
}
