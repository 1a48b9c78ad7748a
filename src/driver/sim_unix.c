/*
 * Names of Unix sockets in the simulated world. Each host has its own; a path stays when its socket is gone, as a file
 * does, until it is removed.
 *
 *     bound --its socket is closed--> dead (a path), or gone (an abstract name) --removed--> gone
 */
#include <unistd.h>

#include "base/memory.h"
#include "driver/sim.h"

struct sim_name {
    struct sim_name *next;
    const struct wf_sim_host *host;
    struct wf_address name;
    struct sim_end *end; /* NULL: dead */
};

static const struct wf_address unnamed = {.size = sizeof(sa_family_t), .any.sa_family = AF_UNIX};

/* ---- Names ---- */

static bool is_abstract(const struct wf_address *name)
{
    return name->local.sun_path[0] == '\0';
}

/* Each type of socket has abstract names of its own. */
static struct sim_name **find(struct sim *sim, const struct wf_sim_host *host, const struct wf_address *name, int type)
{
    struct sim_name **link = &sim->names;
    for (; *link != NULL; link = &(*link)->next) {
        if ((*link)->host != host || !wf_address_equal(&(*link)->name, name)) continue;
        if (!is_abstract(name) || (*link)->end->type == type) break;
    }
    return link;
}

static void forget(struct sim_name **link)
{
    struct sim_name *name = *link;
    *link = name->next;
    memory_free(name);
}

int sim_unix_bind(struct sim *sim, struct sim_end *end, const struct wf_address *address)
{
    if (end->name.size > 0) return -EINVAL;
    struct sim_name **link = find(sim, end->host, address, end->type);
    if (*link != NULL) return -EADDRINUSE;
    struct sim_name *name = memory_zero(sizeof *name);
    if (name == NULL) return -ENOMEM;
    name->host = end->host;
    name->name = *address;
    name->end = end;
    *link = name;
    end->name = *address;
    return 0;
}

int sim_unix_find(struct sim *sim, const struct sim_end *from, const struct wf_address *name, struct sim_end **end)
{
    const struct sim_name *found = *find(sim, from->host, name, from->type);
    *end = found != NULL ? found->end : NULL;
    if (*end != NULL) return 0;
    return found != NULL || is_abstract(name) ? -ECONNREFUSED : -ENOENT;
}

void sim_unix_leave(struct sim *sim, struct sim_end *end)
{
    for (struct sim_name **link = &sim->names; *link != NULL; link = &(*link)->next) {
        if ((*link)->end != end) continue;
        (*link)->end = NULL;
        if (is_abstract(&(*link)->name)) forget(link);
        return;
    }
}

int sim_unix_remove_name(struct loop *loop, const char *path)
{
    struct sim *sim = sim_of(loop);
    struct wf_sim_host *host = sim_host_of(sim, loop->running);
    struct wf_address name;
    if (host->crashed) return -EHOSTDOWN; /* it has no time to tidy up */
    if (wf_address_unix(path, &name) < 0) return -EINVAL;
    struct sim_name **link = find(sim, host, &name, 0);
    if (*link == NULL) return -ENOENT;
    forget(link);
    return 0;
}

void sim_unix_finish(struct sim *sim)
{
    while (sim->names != NULL) forget(&sim->names);
}

int sim_unix_lock_names(struct loop *loop, const char *path)
{
    (void)loop, (void)path;
    return 0;
}

/* Nobody is kept out: all tasks are of one user. */
int sim_unix_set_mode(struct loop *loop, int fd, mode_t mode)
{
    (void)loop, (void)fd, (void)mode;
    return 0;
}

/* ---- Connecting ---- */

static int join(struct sim_end *one, struct sim_end *other)
{
    if (one->type == SOCK_STREAM) return sim_net_join(one, other);
    sim_message_join(one, other);
    return 0;
}

static struct sim_end *end_like(struct sim *sim, struct wf_sim_host *host, int type)
{
    struct sim_end *end = sim_end_new(sim, host, END_SOCKET);
    if (end == NULL) return NULL;
    end->family = AF_UNIX;
    end->type = type;
    if (type == SOCK_STREAM || sim_message_begin(end) == 0) return end;
    sim_end_close(sim, end);
    return NULL;
}

static int connect_to_listener(struct sim *sim, struct sim_end *client, struct sim_end *listener)
{
    if (listener->waiting >= listener->backlog) return -EAGAIN;
    struct sim_end *server = end_like(sim, listener->host, client->type);
    if (server == NULL) return -ENOMEM;
    if (join(client, server) < 0) {
        sim_end_close(sim, server);
        return -ENOMEM;
    }
    server->name = client->peer = listener->name;
    server->peer = client->name.size > 0 ? client->name : unnamed;
    sim_net_offer(sim, listener, server);
    return 0;
}

static int connect_local(struct sim *sim, struct sim_end *end, const struct wf_address *address)
{
    struct sim_end *found;
    int rc = sim_unix_find(sim, end, address, &found);
    if (rc < 0) return rc;
    if (found->type != end->type) return -EPROTOTYPE;
    if (end->type != SOCK_DGRAM)
        return found->kind == END_LISTENER ? connect_to_listener(sim, end, found) : -ECONNREFUSED;
    end->peer = *address;
    return 0;
}

int sim_unix_connect_now(struct loop *loop, int fd, const struct sockaddr *address, socklen_t size)
{
    struct sim *sim = sim_of(loop);
    struct sim_end *end = sim_end_of(sim, fd);
    struct wf_address peer;
    if (end == NULL) return -EBADF;
    if (wf_address_from(address, size, &peer) < 0 || address->sa_family != end->family) return -EAFNOSUPPORT;
    return end->family == AF_UNIX ? connect_local(sim, end, &peer) : sim_udp_connect(sim, end, &peer);
}

/* All hosts are of one process. */
int sim_unix_peer_owner(struct loop *loop, int fd, struct ucred *owner)
{
    const struct sim_end *end = sim_end_of(sim_of(loop), fd);
    if (end == NULL) return -EBADF;
    if (end->family != AF_UNIX || end->peer.size == 0) return -ENOTCONN;
    *owner = (struct ucred){.pid = getpid(), .uid = geteuid(), .gid = getegid()};
    return 0;
}

int sim_unix_pair(struct loop *loop, int type, int ends[2])
{
    struct sim *sim = sim_of(loop);
    struct sim_end *made[2] = {NULL, NULL};
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++) {
        made[i] = end_like(sim, sim_host_of(sim, loop->running), type);
        ends[i] = made[i] != NULL ? sim_end_open(sim, made[i], loop->running) : -ENOMEM;
        if (ends[i] < 0) rc = ends[i];
    }
    if (rc == 0) rc = join(made[0], made[1]);
    if (rc == 0) made[0]->peer = made[1]->peer = unnamed;
    if (rc == 0) return 0;
    for (int i = 0; i < 2; i++)
        if (made[i] != NULL && ends[i] >= 0) sim_fd_close(sim, ends[i]);
    return rc;
}
