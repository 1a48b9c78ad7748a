/* Hosts of the simulated world: who is where, who reaches whom, and what a crash takes away. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "driver/sim_tree.h"

const struct wf_local wf_sim_here_ = {.name = "simulated host"};

/* ---- Making and finding ---- */

static struct wf_sim_host *host_new(struct sim *sim, const char *name, in_addr_t address)
{
    if (sim->host_count == SIM_HOSTS_MAX) return NULL;
    struct wf_sim_host *host = memory_zero(sizeof *host);
    if (host == NULL) return NULL;
    snprintf(host->name, sizeof host->name, "%s", name);
    host->address = htonl(address);
    inet_ntop(AF_INET, &host->address, host->address_text, sizeof host->address_text);
    host->address6 = in6addr_loopback;
    if (address != INADDR_LOOPBACK) {
        host->address6.s6_addr[0] = 0xfd; /* fd00::1 for 10.0.0.1 */
        memcpy(&host->address6.s6_addr[12], &(uint32_t){htonl(address & 0xffffff)}, sizeof(uint32_t));
    }
    if (sim_tree_init(sim, host) < 0) {
        memory_free(host);
        return NULL;
    }
    host->index = sim->host_count++;
    *sim->last_host = host;
    sim->last_host = &host->next;
    return host;
}

int sim_hosts_init(struct sim *sim)
{
    sim->last_host = &sim->hosts;
    return host_new(sim, "localhost", INADDR_LOOPBACK) != NULL ? 0 : -ENOMEM;
}

void sim_hosts_finish(struct sim *sim)
{
    while (sim->hosts != NULL) {
        struct wf_sim_host *host = sim->hosts;
        sim->hosts = host->next;
        sim_tree_finish(host);
        memory_free(host);
    }
}

struct wf_sim_host *sim_host_named(const struct sim *sim, const char *name)
{
    struct wf_sim_host *host = sim->hosts;
    while (host != NULL && strcmp(host->name, name) != 0) host = host->next;
    return host;
}

struct wf_sim_host *wf_sim_host(const char *name)
{
    struct sim *sim = sim_required(__func__);
    if (name == NULL || name[0] == '\0' || strlen(name) >= sizeof sim->hosts->name) return NULL;
    struct wf_sim_host *host = sim_host_named(sim, name);
    return host != NULL ? host : host_new(sim, name, 0x0a000000 + sim->host_count);
}

const char *wf_sim_host_address(const struct wf_sim_host *host)
{
    return host->address_text;
}

struct wf_sim_host *sim_host_of(struct sim *sim, const struct wf_task *task)
{
    const struct wf_context *context = task != NULL ? task->context : NULL;
    while (context != NULL && (context->key != &wf_sim_here_ || context->value == NULL)) context = context->outer;
    return context != NULL ? context->value : sim->hosts;
}

static struct wf_sim_host *host_at6(const struct sim *sim, struct wf_sim_host *from, const struct in6_addr *wanted)
{
    if (IN6_IS_ADDR_UNSPECIFIED(wanted) || IN6_IS_ADDR_LOOPBACK(wanted)) return from;
    struct wf_sim_host *host = sim->hosts;
    while (host != NULL && memcmp(&host->address6, wanted, sizeof *wanted) != 0) host = host->next;
    return host;
}

struct wf_sim_host *sim_host_at(struct sim *sim, struct wf_sim_host *from, const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6)
        return host_at6(sim, from, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
    in_addr_t wanted = ((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr;
    if (wanted == htonl(INADDR_ANY) || ntohl(wanted) >> 24 == IN_LOOPBACKNET) return from;
    struct wf_sim_host *host = sim->hosts;
    while (host != NULL && host->address != wanted) host = host->next;
    return host;
}

const char *sim_own_address(struct loop *loop)
{
    return sim_host_of(sim_of(loop), loop->running)->address_text;
}

/* ---- Partitions ---- */

bool sim_reaches(const struct wf_sim_host *from, const struct wf_sim_host *to)
{
    return from == to || (from->cut_off >> to->index & 1) == 0;
}

static void set_cut(struct wf_sim_host *one, struct wf_sim_host *other, bool cut)
{
    uint64_t one_bit = UINT64_C(1) << one->index, other_bit = UINT64_C(1) << other->index;
    one->cut_off = cut ? one->cut_off | other_bit : one->cut_off & ~other_bit;
    other->cut_off = cut ? other->cut_off | one_bit : other->cut_off & ~one_bit;
}

static void set_cuts(struct sim *sim, struct wf_sim_host *one, struct wf_sim_host *other, bool cut)
{
    if (one == NULL || other == one) return;
    if (other != NULL) return set_cut(one, other, cut);
    for (other = sim->hosts; other != NULL; other = other->next)
        if (other != one) set_cut(one, other, cut);
}

void wf_sim_partition(struct wf_sim_host *one, struct wf_sim_host *other)
{
    struct sim *sim = sim_required(__func__);
    if (one == NULL) set_cuts(sim, other, one, true);
    else set_cuts(sim, one, other, true);
}

void wf_sim_repair(struct wf_sim_host *one, struct wf_sim_host *other)
{
    struct sim *sim = sim_required(__func__);
    if (one == NULL) set_cuts(sim, other, one, false);
    else set_cuts(sim, one, other, false);
}

/* ---- Being on a host, and its end ---- */

void wf_sim_enter_(struct wf_sim_stay_ *stay)
{
    struct sim *sim = sim_required("wf_sim_on");
    if (stay->host == NULL) stay->host = sim->hosts;
    stay->host->crashed = false;
    stay->next = stay->host->stays;
    stay->host->stays = stay;
}

void wf_sim_leave_(struct wf_sim_stay_ *stay)
{
    struct wf_sim_stay_ **link = &stay->host->stays;
    while (*link != stay) link = &(*link)->next;
    *link = stay->next;
}

void wf_sim_crash(struct wf_sim_host *host)
{
    struct sim *sim = sim_required(__func__);
    if (host == NULL || host->crashed) return;
    host->crashed = true;
    for (struct sim_end *end = sim->ends; end != NULL; end = end->later)
        if (end->host == host) sim_net_crash(end);
    sim_files_crash(sim, host);
    for (struct wf_sim_stay_ *stay = host->stays; stay != NULL; stay = stay->next) {
        stay->crashed = true;
        wf_scope_cancel(stay->scope, "its host crashed");
    }
}
