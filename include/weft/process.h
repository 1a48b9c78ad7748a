/*
 * Other programs: started, spoken to through streams, waited for, and always reaped.
 *
 *     struct wf_process_result result;
 *     const char *const argv[] = {"git", "rev-parse", "HEAD", NULL};
 *     int rc = wf_process_run(wf_task_arena(), &result, argv, .directory = "/srv/app");
 *     if (rc < 0) return rc;                                           // could not be started, or was cancelled
 *     if (result.status.code != 0) return wf_fail(-EPROTO, "git: %s", result.error);
 *     puts(result.output);
 *
 *     WF_PROCESS(filter);                                              // or step by step; it ends with the block
 *     int rc = wf_process_start(&filter, argv, .input = {.kind = WF_IO_PIPE}, .output = {.kind = WF_IO_PIPE});
 *     if (rc < 0) return rc;
 *     ... wf_stream_write_all(filter.input, ...), wf_stream_read(filter.output, ...) ...
 *     rc = wf_process_wait(&filter, &status);
 *
 * A program that cannot be executed is the error of wf_process_start, with its name; there is no exit status 127 to
 * guess from. A child gets no descriptors but those it is given, default signal dispositions and no blocked signals.
 * It is waited for by a descriptor of its own, so that programs that wait for children themselves are not in the way.
 * Starting keeps the loop for as long as the system needs to begin the program, as posix_spawn(3) does.
 *
 * In a simulated world the programs are those that were told to it (wf_sim_set_program, weft/sim.h): functions that run
 * as tasks of that world, with simulated pipes. Limits, users and sessions mean nothing there.
 * Threads: the loop that started it; .death_signal means the thread of that loop.
 */
#ifndef WEFT_PROCESS_H
#define WEFT_PROCESS_H

#include <sys/resource.h>
#include <sys/types.h>
#include <weft/base.h>
#include <weft/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_arena;
struct wf_stream;

/* ---- How it is started ---- */

enum wf_io_kind {
    WF_IO_INHERIT, /* ours */
    WF_IO_NULL,    /* nothing to read; what is written is thrown away */
    WF_IO_PIPE,    /* a stream of ours: process.input, .output or .error */
    WF_IO_FD,      /* `fd`, which stays ours */
    WF_IO_OUTPUT,  /* only for .error: wherever the output goes */
};

struct wf_process_io {
    enum wf_io_kind kind;
    int fd;
};

/* The most that the program may use, of one kind: setrlimit(2), both limits. */
struct wf_process_limit {
    int resource; /* RLIMIT_AS ... */
    uint64_t most;
    bool set; /* also where `most` is 0: {.resource = RLIMIT_CORE, .set = true} */
};

enum { WF_PROCESS_LIMITS_MAX = 8, WF_PROCESS_DESCRIPTORS_MAX = 300 };

struct wf_process_options {
    size_t size;              /* filled by the macro */
    const char *const *argv_; /* as well */
    struct wf_process_io input, output, error;
    const char *const *environment; /* "NAME=value" ..., NULL at the end; NULL: ours */
    const char *directory;          /* where it works; NULL: here */
    bool set_user;                  /* it becomes user `uid` and group `gid`, and no other groups: needs the right to */
    uid_t uid;
    gid_t gid;
    bool new_group;   /* a process group of its own: signals of wf_process_signal go to all of it */
    bool new_session; /* a session of its own, without a terminal; a group too */
    int death_signal; /* it gets this signal when we end; 0: none */
    struct wf_process_limit limits[WF_PROCESS_LIMITS_MAX]; /* those that are set, or have a `most` */
    int64_t grace;           /* between TERM and KILL; default 5 s; negative: KILL at once */
    const void *input_bytes; /* of wf_process_run: what it reads, `input_size` bytes */
    size_t input_size;
    size_t output_max;          /* of wf_process_run: of output, and of errors; default 16 MiB */
    const int *descriptors;     /* besides these three it gets those as 3, 4, ...; they stay ours. Not in a */
    unsigned descriptors_count; /* simulated world; at most WF_PROCESS_DESCRIPTORS_MAX */
    unsigned listening;         /* so many of them, the first, it is told of as sockets that it inherits
                                   (weft/service.h): by LISTEN_FDS and LISTEN_PID */
};

/* ---- How it ended ---- */

struct wf_process_status {
    int code;            /* of its exit; -1: a signal ended it */
    int signal;          /* that one, else 0 */
    struct rusage usage; /* what it took */
};

/* ---- Step by step ---- */

struct wf_process {
    pid_t pid;                                /* 0: not started */
    struct wf_stream *input, *output, *error; /* those that are WF_IO_PIPE, else NULL; closed by wf_process_end */
    struct wf_process_status status;          /* valid once it has ended */
    bool ended;
    bool group_;
    int fd_;
    int64_t grace_;
    void *reserved_[4];
};

/*
 * WF_PROCESS(name) declares one that is ended with the block, as by wf_process_end.
 * Suspends: on leaving the block, when it still runs. On cancel: it goes on.
 */
#define WF_PROCESS(name) struct wf_process name __attribute__((cleanup(wf_process_leave_), unused)) = {.pid = 0}

/*
 * wf_process_start(process, argv, .option = value, ...) starts the program argv[0], looked for in PATH unless there is
 * a slash in it; argv ends with NULL. Returns 0 when it runs.
 * Suspends: never. Owns: wf_process_end, or wf_process_release.
 * Errors, with the program's name: -ENOENT, -EACCES, -ENOEXEC and what else execve(2) says; -ENOTDIR, -ENOENT of the
 * directory; -EPERM for user and limits; -EINVAL, -E2BIG for descriptors; -EMFILE, -EAGAIN, -ENOMEM;
 * -EOPNOTSUPP for descriptors in a simulated world.
 */
#define wf_process_start(process, ...) wf_process_start_((process), WF_PROCESS_OPTIONS_(__VA_ARGS__))

/*
 * Waits until it has ended, and reaps it. `status` may be NULL.
 * Suspends: until then. On cancel: it runs on. Errors: -ESRCH when it was not started.
 */
WF_API WF_SUSPENDS int wf_process_wait(struct wf_process *process, struct wf_process_status *status);

/* Sends a signal to it, or to its group. Suspends: never. Errors: -ESRCH when it has ended; -EINVAL; -EPERM. */
WF_API int wf_process_signal(struct wf_process *process, int number);

/*
 * Ends it: TERM, and KILL after .grace; reaps it.
 * Suspends: until it is gone. On cancel: it goes on. WF_UNCANCELLABLE, bounded by the grace and the kernel.
 */
WF_API WF_SUSPENDS WF_UNCANCELLABLE int wf_process_stop(struct wf_process *process);

/*
 * Closes its streams, and stops it if it still runs. What was never started, and NULL, are ignored. Returns `rc`.
 * Suspends: when it still runs. On cancel: it goes on. WF_UNCANCELLABLE, bounded as wf_process_stop.
 */
WF_API WF_SUSPENDS WF_UNCANCELLABLE int wf_process_end(struct wf_process *process, int rc);

/*
 * Lets it go: it runs on when we have ended, and nobody here waits for it any more. Its streams are closed. What was
 * never started, and NULL, are ignored. Suspends: never.
 */
WF_API void wf_process_release(struct wf_process *process);

/* ---- At once ---- */

struct wf_process_result {
    struct wf_process_status status;
    char *output, *error; /* in the arena, a zero byte after them */
    size_t output_size, error_size;
};

/*
 * wf_process_run(arena, result, argv, .option = value, ...) starts a program, gives it .input_bytes, collects what it
 * writes until it has ended. Returns 0 when it ran, whatever its status is. Output and errors are collected, or go
 * where .output and .error say; its input is .input_bytes, or nothing.
 * Suspends: until it has ended. On cancel: it was stopped as by wf_process_stop.
 * Errors: as wf_process_start; -EFBIG when it wrote more than .output_max: it was stopped; -ENOMEM.
 */
#define wf_process_run(arena, result, ...) wf_process_run_((arena), (result), WF_PROCESS_OPTIONS_(__VA_ARGS__))

/*
 * Several, each reading what the one before writes: a | b | c. The first reads nothing; the last one's output is
 * collected, at most `output_max` bytes (0: 16 MiB); errors go where ours go. `result->status` is that of the last
 * program that failed, else of the last one: pipefail.
 * Suspends: until all have ended. On cancel: all were stopped. Errors: as wf_process_run; -EINVAL for no program at
 * all or more than 16.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_process_pipeline(const char *const *const programs[], size_t count,
                                                      struct wf_arena *arena, size_t output_max,
                                                      struct wf_process_result *result);

/* ---- What the macros stand on: private ---- */

#define WF_PROCESS_OPTIONS_(...)                                                                                       \
    (&(struct wf_process_options){.size = sizeof(struct wf_process_options), .argv_ = __VA_ARGS__})

WF_API int wf_process_start_(struct wf_process *process, const struct wf_process_options *options);
WF_API WF_SUSPENDS int wf_process_run_(struct wf_arena *arena, struct wf_process_result *result,
                                       const struct wf_process_options *options);
WF_API WF_SUSPENDS WF_UNCANCELLABLE void wf_process_leave_(struct wf_process *process);

#ifdef __cplusplus
}
#endif
#endif
