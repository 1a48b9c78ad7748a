/* What both real drivers do alike: calls that do not wait, the clock, random numbers. */
#ifndef WEFT_DRIVER_SYSTEM_H
#define WEFT_DRIVER_SYSTEM_H

#include "core/loop.h"

int64_t system_now(struct loop *loop);
int64_t system_wall(struct loop *loop);
void system_random(struct loop *loop, void *bytes, size_t size);
int system_bind(struct loop *loop, int fd, const struct sockaddr *address, socklen_t size);
int system_listen(struct loop *loop, int fd, int backlog);
int system_set_option(struct loop *loop, int fd, int level, int name, int value);
int system_set_option_bytes(struct loop *loop, int fd, int level, int name, const void *bytes, socklen_t size);
int system_connect_now(struct loop *loop, int fd, const struct sockaddr *address, socklen_t size);
int64_t system_send_now(struct loop *loop, int fd, const struct msghdr *message);
int system_set_mode(struct loop *loop, int fd, mode_t mode);
int system_lock_names(struct loop *loop, const char *path);
int system_remove_name(struct loop *loop, const char *path);
int system_peer_owner(struct loop *loop, int fd, struct ucred *owner);
int system_local_name(struct loop *loop, int fd, struct sockaddr *address, socklen_t *size);
int system_peer_name(struct loop *loop, int fd, struct sockaddr *address, socklen_t *size);
int system_shutdown(struct loop *loop, int fd, int how);
int system_ready(struct loop *loop, int fd, unsigned readiness);
int system_duplicate(struct loop *loop, int fd);
int system_describe(struct loop *loop, int fd, struct described *described);
int system_let_wait(struct loop *loop, int fd);

/* What a service manager told this process by a variable of the environment is not for its children. */
bool system_passes_on(const char *variable);
int system_process_start(struct loop *loop, struct program *program);
bool system_process_ended(struct loop *loop, int fd, struct wf_process_status *status);
int system_process_signal(struct loop *loop, int fd, pid_t pid, bool group, int number);

int system_status(struct loop *loop, int fd, struct stat *status);

void system_close_fd(struct loop *loop, int fd);

int system_lock(struct loop *loop, int fd, int type);
int system_watcher(struct loop *loop);
int system_unwatch(struct loop *loop, int fd, int watch);
/* OP_SPLICE_IN and OP_SPLICE_OUT, without waiting for the pipe: as splice(2), -1 with errno. */
ssize_t system_splice(const struct op *op);

/* From a file: are the bytes in memory, as far as the first and the last tell? Then it does not wait for the disk. */
bool system_splice_is_quick(const struct op *op);

/* A read of a file at an offset: what of it is in memory, if it is small. False: it is another way that it goes. */
bool system_read_quickly(struct op *op);

/* The blocking system call of an operation on a file or a path: its result, or -errno. */
int64_t system_blocking_call(struct op *op);

/* The same for OP_PATH and OP_LIST: -1 and errno for failure. */
int64_t system_path_call(const struct op *op);
int64_t system_list(struct op *op);

/* Puts a name into an OP_LIST's buffer, `used` bytes of which are full: where it goes, or NULL: there is no room. */
struct listed *system_put_listed(const struct op *op, size_t used, const char *name);

/* Starts the operation on a thread, by its blocking system call: for what the kernel offers no other way. */
bool system_submit_to_thread(struct loop *loop, struct op *op);

/* Messages of a socket that is no stream, one or many, as far as that goes without waiting: -EAGAIN where it would. */
int64_t system_transfer_message(const struct op *op);

/* poll(2) events for readiness, and back. */
short system_poll_events(unsigned readiness);
int system_readiness(unsigned events);

#endif
