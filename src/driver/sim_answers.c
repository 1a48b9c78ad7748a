/* Names in the simulated world: what resolvers answer, and when. */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <weft/time.h>

#include "base/memory.h"
#include "driver/sim.h"

enum { NAME_SIZE = 256, ADDRESSES = 8, DELAY_DEFAULT_NS = 20000 };

struct sim_answer {
    struct sim_answer *next;
    char name[NAME_SIZE];
    struct wf_address addresses[ADDRESSES];
    size_t count;
    int code;
    int64_t delay;
    bool hangs;
};

static struct sim_answer *find(const struct sim *sim, const char *name)
{
    struct sim_answer *known = sim->answers;
    while (known != NULL && strcasecmp(known->name, name) != 0) known = known->next;
    return known;
}

static struct sim_answer *find_or_make(struct sim *sim, const char *name)
{
    struct sim_answer *known = find(sim, name);
    if (known != NULL) return known;
    known = memory_zero(sizeof *known);
    if (known == NULL) return NULL;
    memcpy(known->name, name, strlen(name) + 1);
    known->next = sim->answers;
    sim->answers = known;
    sim->answer_count++;
    return known;
}

int wf_sim_set_name_(const struct wf_sim_name *name)
{
    struct sim *sim = sim_required("wf_sim_set_name");
    struct sim_answer told = {.code = name->code, .delay = name->delay, .hangs = name->hangs};
    if (name->size != sizeof *name || name->name_ == NULL || name->code > 0 || name->delay < 0) return -EINVAL;
    if (strlen(name->name_) >= NAME_SIZE) return -ENAMETOOLONG;
    while (told.count < ADDRESSES && name->addresses[told.count] != NULL) {
        if (wf_address_ip(name->addresses[told.count], 0, &told.addresses[told.count]) < 0) return -EINVAL;
        told.count++;
    }
    if (find(sim, name->name_) == NULL && sim->answer_count == SIM_NAMES_MAX) return -ENOSPC;
    struct sim_answer *known = find_or_make(sim, name->name_);
    if (known == NULL) return -ENOMEM;
    memcpy(told.name, known->name, sizeof told.name);
    told.next = known->next;
    *known = told;
    return 0;
}

static void add(struct lookup *lookup, const struct wf_address *address)
{
    bool wanted = lookup->family == AF_UNSPEC || lookup->family == address->any.sa_family;
    if (wanted) lookup->addresses[lookup->count++] = *address;
}

static void answer(const struct sim *sim, const struct sim_answer *known, struct lookup *lookup)
{
    const struct wf_sim_host *host = sim_host_named(sim, lookup->host);
    struct wf_address address;
    lookup->count = 0;
    lookup->code = known != NULL ? known->code : 0;
    if (lookup->code < 0) return;
    for (size_t i = 0; known != NULL && i < known->count; i++) add(lookup, &known->addresses[i]);
    if (known == NULL && host != NULL && wf_address_ip(host->address_text, 0, &address) == 0) add(lookup, &address);
    if (lookup->count == 0) lookup->code = -ENOENT;
}

int64_t sim_answer(struct loop *loop, struct lookup *lookup)
{
    struct sim *sim = sim_of(loop);
    const struct sim_answer *known = find(sim, lookup->host);
    answer(sim, known, lookup);
    if (known != NULL && known->hangs) return WF_FOREVER;
    return known != NULL && known->delay > 0 ? known->delay : sim_between(sim, 0, DELAY_DEFAULT_NS);
}

void sim_answers_finish(struct sim *sim)
{
    while (sim->answers != NULL) {
        struct sim_answer *known = sim->answers;
        sim->answers = known->next;
        memory_free(known);
    }
}
