/*
 * The driver: the one door to the kernel, and so to everything that is not determined by the program: time, input and
 * output, random numbers, the order of completions, threads. Two implementations are real (uring, epoll); a simulated
 * one fits behind the same door.
 *
 * The door is at the level of completions. One byte from socket to task:
 *
 *     wf_stream_read -> op_run -> driver->submit          the task suspends; its buffer lies on its stack
 *     loop pass      -> driver->poll -> op_complete       the kernel's word is the result; the task becomes runnable
 *     next turn      -> op_run returns                    the result, exactly once
 *
 * and one cancel: scope -> the task's wait -> op_cancel -> driver->cancel; the task stays suspended until op_complete.
 */
#ifndef WEFT_CORE_DRIVER_H
#define WEFT_CORE_DRIVER_H

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <weft/address.h>

#include "core/birth.h"
#include "core/wait.h"

struct loop;
struct desc;
struct wf_process_options;
struct wf_process_status;

/* A message from another thread: delivered on the loop's thread, in the order of sending. */
struct message {
    struct message *next;
    void (*deliver)(struct loop *loop, struct message *message);
};

/* Messages that take their time, in a simulated world: in the order of sending. */
struct mailbox {
    struct message *first, *last;
    struct wf_timer_ timer;
};

/* Work for a thread; its message brings it back. */
struct job {
    struct message message;
    struct job *next;
    int (*fn)(void *arg);
    void *arg;
    int result;
    int64_t queued_at;
    const char *name;
    const struct wf_context *context; /* the task-locals of the task that gave it */
    uint64_t task_id;                 /* and its number */
    struct wf_timer_ timer;           /* of a driver that decides when it runs */
};

enum { LOOKUP_ADDRESSES_MAX = 32 };

/* A name to be looked up, and what became of it. */
struct lookup {
    const char *host;
    int family; /* AF_UNSPEC: any */
    int code;   /* 0, or why there is no address */
    size_t count;
    struct wf_address addresses[LOOKUP_ADDRESSES_MAX]; /* in the order of preference, without ports */
};

enum op_kind {
    OP_ACCEPT, /* result: the new descriptor, close-on-exec */
    OP_CONNECT,
    OP_RECV, /* sockets */
    OP_SEND,
    OP_RECEIVE_MESSAGE, /* a struct msghdr in `buffer`, its parts together `size` bytes */
    OP_SEND_MESSAGE,
    OP_RECEIVE_MANY, /* `size` struct mmsghdr in `buffer`; result: how many, at least one */
    OP_SEND_MANY,
    OP_READ, /* everything else; offset -1: at the descriptor's own position */
    OP_WRITE,
    OP_OPEN,     /* result: the new descriptor */
    OP_STAT,     /* into a struct statx */
    OP_SYNC,     /* flags: SYNC_DATA */
    OP_TRUNCATE, /* to `offset` bytes */
    OP_ALLOCATE, /* `size` bytes from `offset` on; mode: fallocate(2) */
    OP_LIST,     /* the next struct listed of a directory; result: their bytes; 0: no more */
    OP_PATH,     /* flags: a path_verb */
    OP_POLL,     /* result: the readiness found */
    /* Between a descriptor and a pipe of the caller's, `fd`, which has room or bytes: only the descriptor may have to
     * wait. It is in non-blocking mode, or, with an offset, a file. */
    OP_SPLICE_IN,  /* from the descriptor to the pipe; offset -1: it has none */
    OP_SPLICE_OUT, /* from the pipe to the descriptor */
    OP_KINDS,
};

/* What an OP_PATH does to `path`. */
enum path_verb {
    PATH_RENAME,   /* to `other`; mode: RENAME_NOREPLACE */
    PATH_LINK,     /* `other` is its second name */
    PATH_SYMLINK,  /* `path` is the text of the link `other` */
    PATH_READLINK, /* into `buffer`; result: bytes */
    PATH_UNLINK,
    PATH_RMDIR,
    PATH_REMOVE_SOME, /* of a tree, at most `size` names; result: 1: there is more */
    PATH_MKDIR,       /* with `mode` */
    PATH_CHMOD,       /* to `mode` */
    PATH_TIMES,       /* `buffer`: two struct timespec, of reading and of writing */
    PATH_WATCH,       /* by the watcher `fd`; mode: inotify(7); result: the number of the watch */
    PATH_VERBS,
};

enum {
    SYNC_DATA = 1,   /* OP_SYNC: fdatasync(2) is enough */
    LIST_STATUS = 1, /* OP_LIST: with the status of each */
    LIST_ENDED = 2,  /* set by the driver: there is nothing after these */
};

/* What OP_LIST puts into its buffer, one after the other, without "." and "..". */
struct listed {
    uint16_t size;      /* of the whole, a multiple of 8 */
    uint8_t type;       /* DT_REG ... */
    struct stat status; /* of the name itself, where it was asked for */
    char name[];
};

struct op {
    struct wf_wait wait;
    enum op_kind kind;
    int cancel_code;                             /* what -ECANCELED from the kernel means; 0: nobody asked */
    struct desc *desc;                           /* NULL for paths and foreign descriptors */
    void (*done)(struct op *op, int64_t result); /* of one that op_start started */
    struct op *next, *prev;                      /* among the pending ones of its descriptor, or of the loop */
    int fd;         /* OP_POLL: the foreign descriptor; PATH_WATCH: the watcher; OP_SPLICE_...: the pipe */
    unsigned flags; /* OP_OPEN: open(2); OP_STAT: AT_SYMLINK_NOFOLLOW; OP_POLL: WF_READABLE ...; sockets: MSG_... */
    mode_t mode;
    void *buffer;
    size_t size;
    int64_t offset;
    const char *path, *other; /* `other`: of an OP_PATH with two */
    const struct sockaddr *address;
    socklen_t address_size;
    struct job job;       /* for a driver that gives it to a thread; `fn` is set while it has */
    uint64_t driver_data; /* the driver's own, while pending */
};

/* Pending operations, in the order of submission. */
struct op_list {
    struct op *first, *last;
};

/*
 * An open descriptor. It belongs to the loop until its last operation has been reaped, so that closing it is safe at
 * any moment.
 *
 *     open --desc_close()--> closing --last op_complete()--> released (the descriptor is closed, `release` is called)
 *
 * without pending operations the two steps are one.
 */
struct desc {
    int fd;
    uint32_t pending;
    struct op_list ops; /* the pending ones */
    bool closed;
    bool socket;       /* set before desc_init: recv and send instead of read and write */
    bool stream;       /* bytes without borders: a short read means that there is no more for now */
    bool non_blocking; /* O_NONBLOCK is set, and nobody else relies on it */
    void (*release)(struct desc *desc);
    struct birth birth;
    struct {
        uint8_t ready; /* WF_READABLE, WF_WRITABLE: worth trying without waiting */
        bool registered, hung_up;
        bool writer_waits;    /* of a socket of messages: only then it is watched for that */
        bool on_thread;       /* a file: always ready, and slow */
        bool no_wait_unknown; /* the system cannot try it without waiting; look first */
        int alias;            /* a duplicate that is registered instead, where the descriptor was already; 0: none */
    } epoll;
};

/* What a descriptor stands for. */
struct described {
    mode_t type;     /* S_IFSOCK, S_IFIFO ... */
    int socket_type; /* of a socket: SOCK_STREAM ... */
    bool non_blocking;
    bool elsewhere; /* it is real, and the driver's world is not */
};

/* A program that is to be started, and what became of that. */
struct program {
    const struct wf_process_options *options;
    int fds[3];       /* what it has as 0, 1 and 2; -1: what we have */
    pid_t pid;        /* of its process */
    int fd;           /* readable when that has ended, and the same as long as it is open */
    const char *what; /* could not be had: "its directory" ...; "": the program itself */
};

struct driver {
    const char *name;
    bool simulated; /* never chosen by itself; its time is virtual, and nothing happens that it does not know of */
    /* Takes what it needs; 0 or why not. `finish` is called only after a successful `init`. */
    int (*init)(struct loop *loop);
    void (*finish)(struct loop *loop);
    /* Starts an operation. True: it is complete, the result in op->wait.result. False: op_complete will be called. */
    bool (*submit)(struct loop *loop, struct op *op);
    /* Asks a pending operation to end; op_complete is called in any case, perhaps before this returns. */
    void (*cancel)(struct loop *loop, struct op *op);
    /* Reaps what has completed; when nothing has, waits until `deadline` (0: does not wait). False: it knows that
     * nothing will ever complete, and there is no deadline. */
    bool (*poll)(struct loop *loop, int64_t deadline);
    /* Is anything on its way that completes by itself? NULL: it cannot know. */
    bool (*busy)(struct loop *loop);
    /* Ends a poll that waits, from any thread or signal handler. */
    void (*wake)(struct loop *loop);
    /* Makes a descriptor that is readable when `poll` has something to reap; asked once. NULL: there is none. */
    int (*fd)(struct loop *loop);
    int64_t (*now)(struct loop *loop);
    int64_t (*wall)(struct loop *loop); /* nanoseconds since 1970 */
    void (*random)(struct loop *loop, void *bytes, size_t size);
    /* Runs a job on a thread; loop_deliver brings it back. Cancel: true when it had not begun and never will. */
    int (*job_start)(struct loop *loop, struct job *job);
    bool (*job_cancel)(struct loop *loop, struct job *job);
    /* Delivers a message of one loop to another, where they are one world. NULL: loops are threads. */
    void (*mail)(struct loop *loop, struct mailbox *box, struct message *message);
    /* Answers a look-up, and says after how long; WF_FOREVER: never. NULL itself: the system is asked, on a thread. */
    int64_t (*look_up)(struct loop *loop, struct lookup *lookup);
    /* The numeric address of the host that this task is on, which has no other interfaces; NULL: the system knows. */
    const char *(*own_address)(struct loop *loop);
    /* Calls that do not wait: each as its system call, with close-on-exec, `-errno` for failure. */
    int (*socket)(struct loop *loop, int family, int type, int protocol);
    int (*pipe)(struct loop *loop, int ends[2]);
    int (*socket_pair)(struct loop *loop, int type, int ends[2]); /* AF_UNIX */
    int (*bind)(struct loop *loop, int fd, const struct sockaddr *address, socklen_t size);
    int (*listen)(struct loop *loop, int fd, int backlog);
    /* SO_LINGER too takes a number: the seconds that a close lingers; 0: it resets the connection. */
    int (*set_option)(struct loop *loop, int fd, int level, int name, int value);
    int (*set_option_bytes)(struct loop *loop, int fd, int level, int name, const void *bytes, socklen_t size);
    /* Of a socket of datagrams, or a Unix socket: -EAGAIN where the listener has no room. */
    int (*connect_now)(struct loop *loop, int fd, const struct sockaddr *address, socklen_t size);
    /* Of a socket of messages: -EAGAIN where it would wait. */
    int64_t (*send_now)(struct loop *loop, int fd, const struct msghdr *message);
    /* Of Unix sockets. The permissions that the file will have, before it is bound. For as long as the descriptor is
     * open that this gives (0: not needed), nobody else who asks for the same takes over or makes a file in its
     * directory. Removes such a file. Who is the peer. */
    int (*set_mode)(struct loop *loop, int fd, mode_t mode);
    int (*lock_names)(struct loop *loop, const char *path);
    int (*remove_name)(struct loop *loop, const char *path);
    int (*peer_owner)(struct loop *loop, int fd, struct ucred *owner);
    int (*local_name)(struct loop *loop, int fd, struct sockaddr *address, socklen_t *size);
    int (*peer_name)(struct loop *loop, int fd, struct sockaddr *address, socklen_t *size);
    int (*shutdown)(struct loop *loop, int fd, int how);
    /* Which of WF_READABLE and WF_WRITABLE it is ready for now, errors and hang-ups included as ready. */
    int (*ready)(struct loop *loop, int fd, unsigned readiness);
    /* A second descriptor of the same; 0, 1 and 2 are those of the program that the task belongs to. */
    int (*duplicate)(struct loop *loop, int fd);
    int (*describe)(struct loop *loop, int fd, struct described *described);
    /* Who reads or writes it outside any loop waits there, as programs expect of what they are given. */
    int (*let_wait)(struct loop *loop, int fd);
    /* Starts it; the loop stands still until the program has begun, or could not. */
    int (*process_start)(struct loop *loop, struct program *program);
    /* Has it ended? Then it is reaped, and how it ended is told once. */
    bool (*process_ended)(struct loop *loop, int fd, struct wf_process_status *status);
    /* To it alone, or to the group that it leads. */
    int (*process_signal)(struct loop *loop, int fd, pid_t pid, bool group, int number);
    int (*status)(struct loop *loop, int fd, struct stat *status);
    /* F_RDLCK, F_WRLCK or F_UNLCK on the whole file, as its opening's own: -EAGAIN where another has it. */
    int (*lock)(struct loop *loop, int fd, int type);
    /* A watcher of names: what is read from it is as inotify(7) says. Watches are made by PATH_WATCH. */
    int (*watcher)(struct loop *loop);
    int (*unwatch)(struct loop *loop, int fd, int watch);
    /* Prepares a descriptor for operations; detaches and closes it. */
    void (*attach)(struct loop *loop, struct desc *desc);
    void (*close)(struct loop *loop, struct desc *desc);
    /* Closes a descriptor that was never attached. */
    void (*close_fd)(struct loop *loop, int fd);
};

/* Does the job's work, on whatever thread the driver chose, with the task-locals of its task. */
void job_run(struct job *job);

/* The job that this thread is doing, or NULL. */
const struct job *job_running(void);

/* Those to try, best first; the list ends with NULL. */
extern const struct driver *const drivers[];

/*
 * Runs an operation for the current task: checks for cancellation, submits, suspends, and returns its result. Suspends.
 * The class says how it is named in dumps and whether it is an idle wait.
 */
int64_t op_run(struct op *op);

/*
 * The same by hand, for who waits for several things: starts it for the running task; true: it is over, the result in
 * op->wait.result; false: `done` will be called with it. `op_stop` asks it to end, and perhaps it does so at once.
 */
bool op_start(struct op *op);
void op_stop(struct op *op);

/* For drivers: the operation is over. Unlinks it, releases its descriptor if that was closed, wakes its task. */
void op_complete(struct op *op, int64_t result);

void desc_init(struct desc *desc, int fd, void (*release)(struct desc *desc));
/* It goes to another loop: the first on the one, then the second on the other. Nothing was ever waited for on it. */
void desc_hand_over(struct desc *desc);
void desc_take_over(struct desc *desc);
void desc_close(struct desc *desc);
/* The counterpart of `pending++`, for who needs the descriptor while it waits for something else. */
void desc_leave(struct desc *desc);

#endif
