/* What the simulated driver and its network share. */
#ifndef WEFT_DRIVER_SIM_H
#define WEFT_DRIVER_SIM_H

#include "core/loop.h"

enum { SIM_FD_FIRST = 1 << 20 }; /* below: real descriptors, of files */

struct sim {
    int64_t now;
    uint64_t random;
    struct timers events;
    struct sim_end **ends; /* by descriptor, from SIM_FD_FIRST; NULL: free */
    size_t ends_room;
    uint16_t next_port;
};

static inline struct sim *sim_of(struct loop *loop)
{
    return loop->driver_state;
}

uint64_t sim_random(struct sim *sim);

/* How much of what is possible really happens: usually all, sometimes less, never nothing. */
size_t sim_part(struct sim *sim, size_t most);

/* The object of a descriptor changed: what is parked there is tried again soon. */
void sim_stir(struct sim *sim, struct desc *desc);

/* ---- sim_net.c ---- */

bool sim_net_try(struct sim *sim, struct op *op, int64_t *result);
void sim_net_attach(struct sim *sim, struct desc *desc);
void sim_net_close(struct sim *sim, int fd);
void sim_net_finish(struct sim *sim);
int sim_net_socket(struct loop *loop, int family, int type, int protocol);
int sim_net_pipe(struct loop *loop, int ends[2]);
int sim_net_bind(struct loop *loop, int fd, const struct sockaddr *address, socklen_t size);
int sim_net_listen(struct loop *loop, int fd, int backlog);
int sim_net_set_option(struct loop *loop, int fd, int level, int name, int value);
int sim_net_local_name(struct loop *loop, int fd, struct sockaddr *address, socklen_t *size);
int sim_net_shutdown(struct loop *loop, int fd, int how);

#endif
