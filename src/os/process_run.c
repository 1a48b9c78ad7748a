/* Programs as calls: what goes in, what comes out, and pipelines. */
#include <weft/process.h>

#include <string.h>
#include <weft/arena.h>
#include <weft/scope.h>
#include <weft/stream.h>
#include <weft/task.h>

#include "base/memory.h"
#include "core/loop.h"

enum { OUTPUT_DEFAULT = 16 << 20, PROGRAMS_MAX = 16 };

/* ---- Collecting ---- */

struct collecting {
    struct wf_stream *from;
    char *bytes;
    size_t size, room, most;
};

static int make_room(struct collecting *to)
{
    if (to->size < to->room) return 0;
    size_t room = to->room == 0 ? 4096 : to->room * 2;
    char *larger = memory_resize(to->bytes, room + 1);
    if (larger == NULL) return -ENOMEM;
    to->bytes = larger;
    to->room = room;
    return 0;
}

static int collect(struct collecting *to)
{
    if (to->from == NULL) return 0;
    for (;;) {
        int rc = make_room(to);
        if (rc < 0) return rc;
        ssize_t got = wf_stream_read(to->from, to->bytes + to->size, to->room - to->size);
        if (got <= 0) return (int)got;
        to->size += (size_t)got;
        if (to->size > to->most) return wf_fail(-EFBIG, "it wrote more than %zu bytes", to->most);
    }
}

static int hand_over(struct collecting *from, struct wf_arena *arena, char **bytes, size_t *size)
{
    *bytes = wf_arena_strndup(arena, "", 0);
    *size = from->size;
    if (from->size == 0) return *bytes != NULL ? 0 : -ENOMEM;
    *bytes = wf_arena_alloc(arena, from->size + 1);
    if (*bytes == NULL) return -ENOMEM;
    memcpy(*bytes, from->bytes, from->size);
    (*bytes)[from->size] = '\0';
    return 0;
}

/* ---- One program ---- */

struct running {
    struct wf_process process;
    const struct wf_process_options *options;
    struct collecting output, error;
};

/* A program need not read what it is given. */
static int feed(struct running *running)
{
    struct wf_process *process = &running->process;
    if (process->input == NULL) return 0;
    int rc = wf_stream_write_all(process->input, running->options->input_bytes, running->options->input_size, NULL);
    wf_stream_close(process->input);
    process->input = NULL;
    return rc == -EPIPE ? 0 : rc;
}

/* Its streams end when nobody has the other end any more, which may be a grandchild: so the wait comes after. */
static int talk(struct running *running)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, collect, &running->output);
    wf_spawn(&scope, collect, &running->error);
    return wf_scope_end(&scope, feed(running));
}

static void collect_by_default(struct wf_process_io *io)
{
    if (io->kind == WF_IO_INHERIT) io->kind = WF_IO_PIPE;
}

int wf_process_run_(struct wf_arena *arena, struct wf_process_result *result, const struct wf_process_options *options)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    if (result == NULL || (options->input_bytes == NULL && options->input_size > 0)) return -EINVAL;
    struct wf_process_options own = *options;
    size_t most = options->output_max > 0 ? options->output_max : OUTPUT_DEFAULT;
    own.input.kind = options->input_size > 0 ? WF_IO_PIPE : WF_IO_NULL;
    collect_by_default(&own.output);
    collect_by_default(&own.error);
    struct running running = {.options = &own, .output.most = most, .error.most = most};
    rc = wf_process_start_(&running.process, &own);
    if (rc < 0) return rc;
    running.output.from = running.process.output;
    running.error.from = running.process.error;
    rc = talk(&running);
    if (rc == 0) rc = wf_process_wait(&running.process, &result->status);
    wf_process_end(&running.process, 0);
    if (rc == 0) rc = hand_over(&running.output, arena, &result->output, &result->output_size);
    if (rc == 0) rc = hand_over(&running.error, arena, &result->error, &result->error_size);
    memory_free(running.output.bytes);
    memory_free(running.error.bytes);
    return rc;
}

/* ---- Several ---- */

struct pipeline {
    struct wf_process *processes;
    size_t count, started;
    struct collecting output;
};

static int make_pipe(int ends[2])
{
    struct loop *loop = current_loop;
    int rc = loop->driver->pipe(loop, ends);
    if (rc < 0) return rc;
    rc = loop->driver->let_wait(loop, ends[0]);
    return rc < 0 ? rc : loop->driver->let_wait(loop, ends[1]);
}

static void close_end(int end)
{
    if (end >= 0) current_loop->driver->close_fd(current_loop, end);
}

/* Each gets the reading end of a pipe whose writing end the one before it has. */
static int start_all(struct pipeline *pipeline, const char *const *const programs[])
{
    int input = -1, rc = 0;
    while (rc == 0 && pipeline->started < pipeline->count) {
        size_t i = pipeline->started;
        bool last = i + 1 == pipeline->count;
        int ends[2] = {-1, -1};
        if (!last) rc = make_pipe(ends);
        struct wf_process_options options = {
            .size = sizeof options,
            .argv_ = programs[i],
            .input = {input >= 0 ? WF_IO_FD : WF_IO_NULL, input},
            .output = {last ? WF_IO_PIPE : WF_IO_FD, ends[1]},
        };
        if (rc == 0) rc = wf_process_start_(&pipeline->processes[i], &options);
        if (rc == 0) pipeline->started++;
        close_end(input);
        close_end(ends[1]);
        input = ends[0];
    }
    close_end(input);
    return rc;
}

static int wait_for_all(struct pipeline *pipeline, struct wf_process_status *status)
{
    struct wf_process_status one;
    for (size_t i = 0; i < pipeline->count; i++) {
        int rc = wf_process_wait(&pipeline->processes[i], &one);
        if (rc < 0) return rc;
        if (one.code != 0 || i == 0 || (i + 1 == pipeline->count && status->code == 0)) *status = one;
    }
    return 0;
}

static int run_all(struct pipeline *pipeline, const char *const *const programs[], struct wf_process_result *result)
{
    int rc = start_all(pipeline, programs);
    if (rc < 0) return rc;
    pipeline->output.from = pipeline->processes[pipeline->count - 1].output;
    rc = collect(&pipeline->output);
    return rc < 0 ? rc : wait_for_all(pipeline, &result->status);
}

int wf_process_pipeline(const char *const *const programs[], size_t count, struct wf_arena *arena, size_t output_max,
                        struct wf_process_result *result)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    if (programs == NULL || result == NULL || count == 0 || count > PROGRAMS_MAX) return -EINVAL;
    struct pipeline pipeline = {.count = count, .output.most = output_max > 0 ? output_max : OUTPUT_DEFAULT};
    *result = (struct wf_process_result){.output = NULL};
    pipeline.processes = memory_zero(count * sizeof *pipeline.processes);
    if (pipeline.processes == NULL) return -ENOMEM;
    rc = run_all(&pipeline, programs, result);
    for (size_t i = 0; i < pipeline.started; i++) wf_process_end(&pipeline.processes[i], 0);
    if (rc == 0) rc = hand_over(&pipeline.output, arena, &result->output, &result->output_size);
    memory_free(pipeline.output.bytes);
    memory_free(pipeline.processes);
    return rc;
}
