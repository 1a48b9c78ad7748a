/*
 * What the parts of the simulated driver share: the world, its hosts, and the ends that descriptors stand for.
 *
 *     sim.c       chance, time, operations, jobs      sim_host.c   hosts, partitions, crashes
 *     sim_fd.c    descriptors, and what they stand for  sim_process.c  programs, and processes that run them
 *     sim_net.c   pipes and connections               sim_queue.c  their bytes
 *     sim_file.c  files                               sim_splice.c from one of these to the other
 *     sim_tree.c  names                               sim_path.c   what is done to them
 *     sim_watch.c watching them
 *     sim_message.c   messages, and Unix sockets of them     sim_udp.c    datagrams between hosts
 *     sim_rights.c    descriptors that go along with them
 *     sim_unix.c      names of Unix sockets, and who connects to them
 *     sim_answers.c   what resolvers answer
 */
#ifndef WEFT_DRIVER_SIM_H
#define WEFT_DRIVER_SIM_H

#include <netinet/in.h>
#include <weft/address.h>
#include <weft/sim.h>

#include "core/loop.h"

enum {
    SIM_FD_FIRST = 1 << 20, /* below: real descriptors, of directories and devices */
    SIM_HOSTS_MAX = 64,
    SIM_NAMES_MAX = 256,
    SIM_PROGRAMS_MAX = 64,
};

struct sim_queue;
struct sim_file;
struct sim_answer;
struct sim_change;
struct sim_watcher;
struct sim_box;
struct sim_message;
struct sim_name;
struct sim_rights;
struct sim_process;
struct sim_program;

struct wf_sim_host {
    struct wf_sim_host *next;
    char name[64], address_text[INET_ADDRSTRLEN];
    in_addr_t address; /* network byte order */
    struct in6_addr address6;
    unsigned index;
    uint64_t cut_off; /* the hosts that it cannot reach, by index */
    bool crashed;
    uint32_t descriptors, processes; /* open; that have not ended */
    uint64_t disk_size;
    struct wf_sim_stay_ *stays; /* what runs on it, innermost first */
    struct sim_file *root;      /* of its disk */
    struct sim_change *changes; /* of names, the newest first, that a crash may take back */
    size_t change_count;
};

enum end_kind { END_SOCKET, END_LISTENER, END_MESSAGES, END_PIPE, END_FILE, END_WATCHER, END_PROCESS };

struct sim_fd {
    int number;
    struct sim_end *end; /* NULL: severed */
    struct sim_fd *next; /* of the same end */
    struct desc *desc;   /* NULL: not attached (yet) */
    struct wf_sim_host *host;
    const struct sim_process *owner; /* whose end severs it; NULL: the world itself */
    char born_in[40];                /* the task that opened it, and where that was spawned */
    const char *born_at;
};

/* What descriptors stand for. */
struct sim_end {
    enum end_kind kind;
    struct wf_sim_host *host;
    struct sim_end *later, *earlier; /* of all, as they were made */
    struct sim_fd *fds;              /* none while it waits to be accepted */
    unsigned references;             /* those, its listener, and who it is under way to */
    struct sim_fd *first_fd;         /* for its first descriptor, until then */

    /* of sockets and pipes */
    struct sim_queue *in, *out;
    int error; /* to be told once, by the next transfer */
    bool broken, lingers_not;
    bool v6, v6_only, any;        /* of TCP sockets: the family; bound to all addresses */
    in_port_t port;               /* its own; host byte order */
    int family, type;             /* of sockets */
    struct wf_address name, peer; /* of Unix sockets and sockets of messages: where it is; of all: size 0: none yet */
    struct sim_box *box;          /* of sockets of messages: what came */

    /* of listeners: connected, not accepted */
    size_t backlog, waiting;
    struct sim_end *first, *last;
    struct sim_end *next;

    /* of files */
    struct sim_file *file;
    int flags;
    int64_t position;
    bool locked;
    int lock;    /* F_RDLCK or F_WRLCK, while `locked` */
    char *names; /* of a directory that is being listed; `position` is how far */

    struct sim_watcher *watcher;
    struct sim_process *process;
};

struct sim {
    int64_t now;
    uint64_t random, trace;
    struct timers events; /* what will happen by itself: everything but the loop's own timers */
    struct wf_sim_faults faults;
    struct wf_sim_host *hosts, **last_host;
    unsigned host_count;
    struct sim_answer *answers; /* what resolvers were told to answer */
    size_t answer_count;
    struct sim_end *ends, *last_end;
    struct sim_fd **fds;                     /* from SIM_FD_FIRST; NULL: free */
    size_t fds_room, fds_used, fds_promised; /* the last: to ends that have none yet */
    struct sim_program *programs;
    size_t program_count;
    struct sim_process *processes;
    pid_t next_pid;
    const struct wf_task *acting; /* whose operation is being tried */
    /* Hands a signal to who receives it there (os/signal.c), and gives how many; NULL: nobody ever did. */
    int (*receive)(struct loop *loop, const struct wf_sim_host *host, const struct sim_process *process, int number);
    struct sim_message *under_way; /* between hosts */
    struct sim_name *names;        /* of Unix sockets */
    in_port_t next_port;
    int64_t end_of_time, duration_max;
    uint64_t passes_max, passes; /* while the clock stood still */
};

/* ---- sim.c ---- */

/* Descriptors that were open when worlds of this thread ended; for whoever looks for leaks, and resets it. */
extern _Thread_local size_t sim_left_open;

static inline struct sim *sim_of(struct loop *loop)
{
    return loop->driver_state;
}

/* The world of the running loop; aborts with an explanation where it is not simulated. */
struct sim *sim_required(const char *function);

uint64_t sim_random(struct sim *sim);
bool sim_chance(struct sim *sim, double probability);
/* Evenly from least to most. */
int64_t sim_between(struct sim *sim, int64_t least, int64_t most);
/* How much of what is possible really happens: usually all, never nothing, with that probability less. */
size_t sim_part(struct sim *sim, size_t most, double partial);

/* The event happens after a delay. */
void sim_later(struct sim *sim, struct wf_timer_ *event, int64_t delay, void (*fire)(struct wf_timer_ *event));

/* The object of a descriptor changed: what is parked there is tried again soon. */
void sim_stir(struct sim *sim, struct sim_end *end);

/* ---- sim_fd.c ---- */

/* A new end, without a descriptor; NULL: out of memory. */
struct sim_end *sim_end_new(struct sim *sim, struct wf_sim_host *host, enum end_kind kind);
/* NULL: there is none, or no more. */
struct sim_end *sim_end_of(struct sim *sim, int fd);
/* Gives a descriptor for it. -EMFILE, -ENOMEM: there is none, and where it was to be the only one the end is closed. */
int sim_end_open(struct sim *sim, struct sim_end *end, const struct wf_task *opener);
/* A reference less. */
void sim_end_drop(struct sim *sim, struct sim_end *end);
/* Of one that has no descriptor. */
void sim_end_close(struct sim *sim, struct sim_end *end);
void sim_fd_close(struct sim *sim, int fd);
/* From now on it belongs to that process. */
void sim_fd_give(struct sim *sim, int fd, const struct sim_process *owner);
/* The process has ended. */
void sim_fds_sever(struct sim *sim, const struct sim_process *owner);
/* Closes what is left, and says so. */
void sim_fds_finish(struct sim *sim);
void sim_attach(struct loop *loop, struct desc *desc);
void sim_close_fd(struct loop *loop, int fd);
int sim_duplicate(struct loop *loop, int fd);
int sim_describe(struct loop *loop, int fd, struct described *described);

/* ---- sim_host.c ---- */

int sim_hosts_init(struct sim *sim);
void sim_hosts_finish(struct sim *sim);
/* The host that a task is on. */
struct wf_sim_host *sim_host_of(struct sim *sim, const struct wf_task *task);
struct wf_sim_host *sim_host_named(const struct sim *sim, const char *name);
/* The host that an address means, seen from another one; NULL: nobody. */
struct wf_sim_host *sim_host_at(struct sim *sim, struct wf_sim_host *from, const struct sockaddr *address);
bool sim_reaches(const struct wf_sim_host *from, const struct wf_sim_host *to);
const char *sim_own_address(struct loop *loop);

/* ---- sim_answers.c ---- */

int64_t sim_answer(struct loop *loop, struct lookup *lookup);
void sim_answers_finish(struct sim *sim);

/* ---- sim_net.c ---- */

/* Gives false when it would wait. */
bool sim_net_try(struct sim *sim, struct sim_end *end, struct op *op, int64_t *result);
/* Of an end of a pipe, in one piece: where more can be put, or what can be taken; then, how much of it was. */
char *sim_pipe_part(const struct sim_end *end, size_t *size);
void sim_pipe_moved(struct sim_end *end, size_t size);
/* What a poll would find. */
unsigned sim_net_readiness(const struct sim_end *end);
void sim_net_close(struct sim *sim, struct sim_end *end);
/* Its host stopped: the peer is not told. */
void sim_net_crash(struct sim_end *end);
int sim_net_socket(struct loop *loop, int family, int type, int protocol);
int sim_net_pipe(struct loop *loop, int ends[2]);
int sim_net_bind(struct loop *loop, int fd, const struct sockaddr *address, socklen_t size);
int sim_net_listen(struct loop *loop, int fd, int backlog);
int sim_net_set_option(struct loop *loop, int fd, int level, int name, int value);
int sim_net_local_name(struct loop *loop, int fd, struct sockaddr *address, socklen_t *size);
int sim_net_peer_name(struct loop *loop, int fd, struct sockaddr *address, socklen_t *size);
int sim_net_shutdown(struct loop *loop, int fd, int how);

/* Joins two ends by bytes that are never under way. */
int sim_net_join(struct sim_end *one, struct sim_end *other);
/* A connection that waits to be accepted. */
void sim_net_offer(struct sim *sim, struct sim_end *listener, struct sim_end *server);
in_port_t sim_net_port(const struct sockaddr *address);

/* ---- sim_message.c ---- */

/* Makes it one of messages. */
int sim_message_begin(struct sim_end *end);
bool sim_message_try(struct sim *sim, struct sim_end *end, struct op *op, int64_t *result);
unsigned sim_message_readiness(const struct sim_end *end);
/* Two ends of which each receives what the other sends. */
void sim_message_join(struct sim_end *one, struct sim_end *other);
void sim_message_close(struct sim *sim, struct sim_end *end);
void sim_message_crash(struct sim_end *end);
int64_t sim_message_send_now(struct loop *loop, int fd, const struct msghdr *header);

/* ---- sim_udp.c ---- */

int sim_udp_bind(struct sim *sim, struct sim_end *end, const struct wf_address *address);
int sim_udp_connect(struct sim *sim, struct sim_end *end, const struct wf_address *address);
int sim_udp_set_option(struct sim_end *end, int level, int name, int value);
int sim_udp_set_option_bytes(struct loop *loop, int fd, int level, int name, const void *bytes, socklen_t size);
/* Forgets what is under way. */
void sim_udp_finish(struct sim *sim);

/* ---- sim_unix.c ---- */

int sim_unix_bind(struct sim *sim, struct sim_end *end, const struct wf_address *address);
/* The end that has the name, seen from another: -ENOENT where there is no such name, -ECONNREFUSED where nobody has it
 * any more. */
int sim_unix_find(struct sim *sim, const struct sim_end *from, const struct wf_address *name, struct sim_end **end);
int sim_unix_remove_name(struct loop *loop, const char *path);
int sim_unix_lock_names(struct loop *loop, const char *path);
int sim_unix_set_mode(struct loop *loop, int fd, mode_t mode);
int sim_unix_peer_owner(struct loop *loop, int fd, struct ucred *owner);
/* Of a Unix socket, or one of datagrams. */
int sim_unix_connect_now(struct loop *loop, int fd, const struct sockaddr *address, socklen_t size);
int sim_unix_pair(struct loop *loop, int type, int ends[2]);
/* Its end is closed. */
void sim_unix_leave(struct sim *sim, struct sim_end *end);
void sim_unix_finish(struct sim *sim);

/* ---- sim_rights.c ---- */

struct sim_right {
    int fd;              /* a real one, ours */
    struct sim_end *end; /* or this, with a reference */
};

struct sim_rights {
    struct sim_rights *next; /* in a queue of bytes */
    size_t at;               /* there: they go along with the byte that so many others are before */
    int count;
    struct sim_right all[];
};

/* Duplicates of those that go along; NULL: none. */
int sim_rights_take(struct sim *sim, const struct msghdr *header, struct sim_rights **rights);
/* Hands them over to a task, and says so in the header; NULL: that there are none. */
void sim_rights_give(struct sim *sim, struct sim_rights *rights, struct msghdr *header);
void sim_rights_drop(struct sim *sim, struct sim_rights *rights);
/* Drops those that are under way to an end. */
void sim_rights_forget(struct sim_end *end);

/* ---- sim_splice.c ---- */

/* Between any end, a file too, and a pipe. Gives false when it would wait. */
bool sim_splice_try(struct sim *sim, const struct op *op, int64_t *result);

/* ---- sim_file.c ---- */

int64_t sim_file_try(struct sim *sim, struct sim_end *end, struct op *op);
int64_t sim_file_open(struct sim *sim, const struct op *op);
int64_t sim_file_stat_path(struct sim *sim, const struct op *op);
int sim_file_stat(struct loop *loop, int fd, struct stat *status);
int sim_file_lock(struct loop *loop, int fd, int type);
void sim_file_status(const struct sim_file *file, struct stat *status);
void sim_file_close(struct sim *sim, struct sim_end *end);
void sim_files_crash(struct sim *sim, struct wf_sim_host *host);

/* ---- sim_path.c ---- */

int64_t sim_path(struct sim *sim, const struct op *op);
int64_t sim_list(struct sim *sim, struct sim_end *end, struct op *op);

/* ---- sim_watch.c ---- */

int sim_watcher(struct loop *loop);
int sim_unwatch(struct loop *loop, int fd, int watch);
int64_t sim_watch(struct sim *sim, const struct op *op);
/* Gives false when there is nothing to read. */
bool sim_watch_try(struct sim *sim, struct sim_end *end, const struct op *op, int64_t *result);
bool sim_watch_ready(const struct sim_end *end);
void sim_watch_close(struct sim_end *end);

#endif
