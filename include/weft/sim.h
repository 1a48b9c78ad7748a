/*
 * The simulated world: a whole network of hosts in one process, in virtual time, under one seed.
 *
 *     static int serve_and_ask(void *unused)
 *     {
 *         struct wf_sim_host *server = wf_sim_host("server"), *client = wf_sim_host("client");
 *         wf_sim_set_faults(.latency_min = WF_MILLISECONDS(10), .latency_max = WF_MILLISECONDS(50), .reset = 0.01);
 *         WF_SCOPE(scope, .timeout = WF_SECONDS(60));
 *         wf_spawn(&scope, run_server, server);      // wf_sim_on(server, serve(...)) inside
 *         wf_spawn(&scope, run_client, client);      // wf_tcp_connect("server", 80, &conn)
 *         wf_sleep(WF_SECONDS(5));
 *         wf_sim_partition(server, client);
 *         ...
 *     }
 *
 * The code above the driver is the code that ships: tasks, streams, files and timers do not know. Time stands still
 * while any task can run, and jumps to the next thing that is due when none can; only tasks that take over a thousand
 * passes of the loop without waiting pay a microsecond for each. What is free in reality is drawn from
 * the seed: how long an operation takes, how much a transfer moves, the order of completions and of equal timers,
 * whether a cancelled operation completed all the same. What is promised in reality is kept: bytes of a connection stay
 * in order, queues are first in, first out. The same seed gives the same run; wf_sim_trace is its fingerprint.
 *
 * The world is closed: a real socket or pipe of the program's cannot be wrapped (wf_stream_wrap), nor waited for
 * (wf_wait_fd): -EOPNOTSUPP. wf_pipe, wf_stream_pair and connections between hosts take their place. The standard
 * streams are the real ones; reading them stops the world until there is something.
 *
 * Files are in memory. Where the program opens a real one, it finds its contents; nothing it writes ever reaches the
 * disk. Jobs of the executor run on the loop's own thread, some time after they were given.
 *
 * A loop is simulated when it is run with .driver = "sim" or WEFT_DRIVER=sim; WEFT_SEED is the seed. Calls of this
 * header other than wf_simulated and wf_sim_seed abort on any other loop.
 * Threads: that of the loop. Suspends: only wf_sim_on.
 */
#ifndef WEFT_SIM_H
#define WEFT_SIM_H

#include <weft/scope.h>
#include <weft/task.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Is this task's loop simulated? */
WF_API bool wf_simulated(void);

/* The seed of the worlds that this thread makes from now on; 0: WEFT_SEED again, or 1 where that is not set. */
WF_API void wf_sim_seed(uint64_t seed);

/* A fingerprint of everything that happened so far in this world; outside, of the last world of this thread. */
WF_API uint64_t wf_sim_trace(void);

/* ---- The weather ---- */

/*
 * Times in nanoseconds, drawn evenly between least and most. Probabilities from 0 to 1, each drawn anew every time; 0
 * is the default, a negative one is never.
 */
struct wf_sim_faults {
    size_t size;                      /* filled by the macro */
    int64_t latency_min, latency_max; /* of a segment, one way; default: up to 20 us */
    int64_t disk_min, disk_max;       /* of an operation on a file; default: up to 20 us */
    double partial;           /* a transfer moves less than it could; default 0.25 for streams, never for files */
    double lost;              /* a segment is lost; it is sent again after 200 ms, 400 ms ...; a datagram is gone */
    double duplicated;        /* a datagram arrives twice */
    double reordered;         /* a datagram may be overtaken by later ones; otherwise those of one sender keep order */
    double reset;             /* a transfer finds the connection reset */
    double no_memory;         /* the kernel has no memory for an operation: -ENOMEM */
    double disk_error;        /* an operation on a file fails: -EIO */
    uint32_t descriptors_max; /* of each host; past it -EMFILE; default: no limit */
    uint32_t processes_max;   /* of each host; past it starting a program is -EAGAIN; default: no limit */
    uint64_t disk_size_max;   /* bytes in the files of a host; past it -ENOSPC; default: no limit */
    bool unprivileged;        /* modes of files are heeded, as for their owner: -EACCES; default: as for root */
};

/* wf_sim_set_faults(.lost = 0.01, ...): from now on, for all hosts; what is not named has its default. */
#define wf_sim_set_faults(...)                                                                                         \
    wf_sim_set_faults_(&(struct wf_sim_faults){.size = sizeof(struct wf_sim_faults), __VA_ARGS__})

/* ---- Hosts ---- */

/*
 * A host has a name that every host can connect to, an address, connections and files of its own. The world keeps it
 * until the loop ends. Tasks that were not put on a host are on "localhost", 127.0.0.1, which each host has too, as
 * itself.
 */
struct wf_sim_host;

/* The host of that name, made at the first call. NULL: out of memory, or there are 64 already. */
WF_API struct wf_sim_host *wf_sim_host(const char *name);

/* Its address, as text: 10.0.0.1 for the first, and so on; in IPv6 that is fd00::1. Resolvers tell the former only. */
WF_API const char *wf_sim_host_address(const struct wf_sim_host *host);

/*
 * wf_sim_on(host, expression) evaluates the expression on that host: what it opens is the host's, and so is what the
 * tasks do that it spawns in scopes of its own. Gives the expression's value, or -EHOSTDOWN when the host crashed.
 * Suspends: where the expression does. On cancel: as the expression.
 */
#define wf_sim_on(host, ...) WF_SIM_ON_(WF_JOIN_(wf_sim_on_, __COUNTER__), (host), __VA_ARGS__)

/*
 * wf_sim_set_name(name, .addresses = {"fd00::2", "10.0.0.2"}, ...): what resolvers say about a name from now on, on all
 * hosts. Unless it is said otherwise, they know the hosts by their names, and nobody else.
 * Suspends: never. Errors: -EINVAL for an address that is not numeric, -ENAMETOOLONG, -ENOSPC past 256 names, -ENOMEM.
 */
#define wf_sim_set_name(...)                                                                                           \
    wf_sim_set_name_(&(struct wf_sim_name){.size = sizeof(struct wf_sim_name), .name_ = __VA_ARGS__})

struct wf_sim_name {
    size_t size; /* filled by the macro */
    const char *name_;
    const char *addresses[8]; /* numeric ones, the best first */
    int code;                 /* why there is none; default: -ENOENT */
    int64_t delay;            /* until the answer; default: up to 20 us */
    bool hangs;               /* there never is an answer */
};

/* Nothing passes between the two any more, either way; neither of them is told. NULL: all the others. */
WF_API void wf_sim_partition(struct wf_sim_host *one, struct wf_sim_host *other);

/* They reach each other again; what was under way is sent again, in its own time. NULL: all the others. */
WF_API void wf_sim_repair(struct wf_sim_host *one, struct wf_sim_host *other);

/*
 * The host stops without a word: what runs inside wf_sim_on is cancelled, its peers are not told, and of what it wrote
 * to files since the last sync each piece is kept, lost or torn. The next wf_sim_on starts it again: then its old peers
 * are reset when they send.
 */
WF_API void wf_sim_crash(struct wf_sim_host *host);

/*
 * A signal comes to the host (NULL: "localhost"): every receiver (weft/signal.h) that was opened on it and wants the
 * signal gets it. Returns how many: nobody is 0, where a real program might have died.
 */
WF_API int wf_sim_signal(struct wf_sim_host *host, int number);

/* ---- Programs ---- */

/*
 * Programs of the world are functions; wf_process_start, wf_process_run, pipelines and pools of processes start them by
 * the name that is the argv[0] there. Any other program is -ENOENT.
 *
 *     static int upper(struct wf_sim_process *self)                 // cat, but in capitals
 *     {
 *         char byte;
 *         while (wf_stream_read(self->input, &byte, 1) == 1) {
 *             byte = (char)toupper(byte);
 *             if (wf_stream_write_all(self->output, &byte, 1, NULL) < 0) return 1;
 *         }
 *         return 0;
 *     }
 *
 *     wf_sim_set_program("upper", .main = upper);
 *     rc = wf_process_run(arena, &result, argv, .input_bytes = "abc", .input_size = 3);
 *
 * A process is a task on the host of who started it. What it returns is its exit status; an error is 1. A signal that
 * it does not receive (wf_signal_open, in one of its tasks) does what signals do: most end it, at once, whatever it
 * does, and KILL always. Then its descriptors are closed, its parent knows, and its tasks are cancelled; what they do
 * until they have ended is seen by nobody. Stopping (STOP, TSTP) does nothing. When the main task has ended, so have
 * all processes.
 */
struct wf_sim_process {
    const char *const *argv, *const *environment;
    const char *directory;                    /* where it works, for relative paths too; NULL: where the world does */
    pid_t pid;                                /* from 1000 on */
    void *arg;                                /* of the program */
    struct wf_stream *input, *output, *error; /* its standard streams; one that it closes it sets to NULL */
};

struct wf_sim_program {
    size_t size; /* filled by the macro */
    const char *name_;
    int (*main)(struct wf_sim_process *self);
    void *arg;
    int code;          /* in place of `main`: why it cannot be executed, -EACCES say */
    size_t stack_size; /* of its task; default as of any other */
};

/*
 * wf_sim_set_program(name, .main = function, ...): there is such a program from now on, on all hosts; one of that name
 * is replaced. Suspends: never. Errors: -EINVAL without a function, -ENOSPC past 64 programs, -ENOMEM.
 */
#define wf_sim_set_program(...)                                                                                        \
    wf_sim_set_program_(&(struct wf_sim_program){.size = sizeof(struct wf_sim_program), .name_ = __VA_ARGS__})

/* The process that this task belongs to; NULL: none. */
WF_API struct wf_sim_process *wf_sim_self(void);

/* Ends the process of this task, as exit(3) would, or by a signal that comes to it: -ECANCELED, and so will be every
 * call that suspends: return. A signal that did not end it is 0. Elsewhere they are misuse. */
WF_API int wf_sim_exit(int status);
WF_API int wf_sim_raise(int number);

/* ---- Bounds ---- */

/*
 * The world ends with a report, and everything in it is cancelled with -EDEADLK as the loop's result, when more virtual
 * time passes than that (0: no bound), or when tasks take so many passes of the loop without once waiting for time to
 * pass (default 1,000,000; 0 restores it).
 */
WF_API void wf_sim_set_bounds(int64_t duration_ns, uint64_t passes);

/* ---- What the macros stand on: private ---- */

struct wf_sim_stay_ {
    struct wf_sim_host *host;
    struct wf_scope *scope;
    struct wf_sim_stay_ *next;
    bool crashed;
};

extern WF_API const struct wf_local wf_sim_here_;
WF_API void wf_sim_set_faults_(const struct wf_sim_faults *faults);
WF_API int wf_sim_set_name_(const struct wf_sim_name *name);
WF_API int wf_sim_set_program_(const struct wf_sim_program *program);
WF_API void wf_sim_enter_(struct wf_sim_stay_ *stay);
WF_API void wf_sim_leave_(struct wf_sim_stay_ *stay);

#define WF_SIM_ON_(scope_name, on_host, ...)                                                                           \
    __extension__({                                                                                                    \
        WF_BIND(WF_JOIN_(scope_name, _bound), &wf_sim_here_, (on_host));                                               \
        WF_SCOPE_(scope_name, scope_name, .name = "host");                                                             \
        struct wf_sim_stay_ WF_JOIN_(scope_name, _stay)                                                                \
            __attribute__((cleanup(wf_sim_leave_))) = {(on_host), &scope_name, NULL, false};                           \
        wf_sim_enter_(&WF_JOIN_(scope_name, _stay));                                                                   \
        int WF_JOIN_(scope_name, _value) = wf_scope_end(&scope_name, (__VA_ARGS__));                                   \
        if (WF_JOIN_(scope_name, _stay).crashed) WF_JOIN_(scope_name, _value) = -EHOSTDOWN;                            \
        WF_JOIN_(scope_name, _value);                                                                                  \
    })

#ifdef __cplusplus
}
#endif
#endif
