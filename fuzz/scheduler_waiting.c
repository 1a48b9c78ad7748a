#include "scheduler.h"

#include <string.h>

/* Who waits, in the order of coming. */
struct line {
    struct life *waiting[LIVES_MAX];
    size_t count;
};

static struct {
    struct semaphore {
        struct wf_semaphore semaphore;
        size_t permits, held;
        struct line line;
    } semaphores[LOCKS];
    struct mutex {
        struct wf_mutex mutex;
        const struct life *owner;
        bool abandoned;
        struct line line;
    } mutexes[LOCKS];
    struct event {
        struct wf_event event;
        uint64_t sets;
        struct line line;
    } events[LOCKS];
    struct link {
        struct wire wire;
        bool opening;
        unsigned users;
    } links[WIRES];
    size_t jobs_made, jobs_destroyed;
} now;

/* ---- Lines: rules 4.1 and 4.2 ---- */

struct turn {
    bool was_cancelled;
    uint64_t number;
};

static struct turn line_enter(struct line *line, struct life *life)
{
    line->waiting[line->count++] = life;
    return (struct turn){.was_cancelled = before_call(life), .number = world.turn};
}

/* Who had to wait comes after all that came before. Who did not wait may pass those that were cancelled and have not
 * run since. */
static void line_leave(struct line *line, const struct life *life, struct turn turn, bool granted)
{
    size_t place = 0;
    while (line->waiting[place] != life) place++;
    bool waited = world.turn != turn.number;
    if (granted && waited) CLAIM(place == 0);
    line->count--;
    memmove(&line->waiting[place], &line->waiting[place + 1], (line->count - place) * sizeof line->waiting[0]);
}

/* ---- Semaphores ---- */

static void check_semaphore(const struct semaphore *semaphore)
{
    CLAIM(wf_semaphore_available(&semaphore->semaphore) + semaphore->held <= semaphore->permits);
}

static void have_permit(struct life *life, size_t index)
{
    now.semaphores[index].held++;
    life->permits[index]++;
    check_semaphore(&now.semaphores[index]);
}

static void release_permit(struct life *life, size_t index)
{
    life->permits[index]--;
    now.semaphores[index].held--;
    wf_semaphore_release(&now.semaphores[index].semaphore);
    check_semaphore(&now.semaphores[index]);
}

static int acquire(struct life *life, size_t index)
{
    struct semaphore *semaphore = &now.semaphores[index];
    struct turn turn = line_enter(&semaphore->line, life);
    int rc = wf_semaphore_acquire(&semaphore->semaphore);
    line_leave(&semaphore->line, life, turn, rc == 0);
    if (rc == 0) have_permit(life, index);
    CLAIM(rc == 0 || rc == -ECANCELED);
    return after_call(life, turn.was_cancelled, rc);
}

int use_semaphore(struct life *life)
{
    size_t index = take(&world.input, LOCKS);
    struct semaphore *semaphore = &now.semaphores[index];
    size_t available = wf_semaphore_available(&semaphore->semaphore);
    switch (take(&world.input, 4)) {
    case 0:
        if (life->permits[index] > 0) release_permit(life, index);
        return 0;
    case 1:
        if (wf_semaphore_try_acquire(&semaphore->semaphore) < 0) CLAIM(available == 0);
        else have_permit(life, index);
        return 0;
    default:
        return acquire(life, index);
    }
}

/* ---- Mutexes ---- */

static bool is_lock(int rc)
{
    return rc == 0 || rc == -EOWNERDEAD;
}

static void have_lock(struct mutex *mutex, const struct life *life, int rc)
{
    CLAIM(mutex->owner == NULL);
    CLAIM((rc == -EOWNERDEAD) == mutex->abandoned);
    mutex->owner = life;
    mutex->abandoned = false;
}

static int lock(struct life *life, struct mutex *mutex)
{
    bool was_mine = mutex->owner == life;
    struct turn turn = line_enter(&mutex->line, life);
    int rc = wf_mutex_lock(&mutex->mutex);
    line_leave(&mutex->line, life, turn, is_lock(rc));
    if (is_lock(rc)) have_lock(mutex, life, rc);
    if (rc != -ECANCELED) CLAIM(was_mine ? rc == -EDEADLK : is_lock(rc));
    after_call(life, turn.was_cancelled, rc);
    return rc == -ECANCELED ? rc : 0;
}

static void unlock(const struct life *life, struct mutex *mutex)
{
    bool was_mine = mutex->owner == life;
    if (was_mine) mutex->owner = NULL;
    CLAIM(wf_mutex_unlock(&mutex->mutex) == (was_mine ? 0 : -EPERM));
}

int use_mutex(struct life *life)
{
    struct mutex *mutex = &now.mutexes[take(&world.input, LOCKS)];
    unsigned choice = take(&world.input, 4);
    if (choice > 1) return lock(life, mutex);
    if (choice == 1) {
        int rc = wf_mutex_try_lock(&mutex->mutex);
        if (is_lock(rc)) have_lock(mutex, life, rc);
        else CLAIM(rc == (mutex->owner == life ? -EDEADLK : -EBUSY));
    } else {
        unlock(life, mutex);
    }
    return 0;
}

/* ---- Events ---- */

/* Everybody who waits is woken, and keeps that even if a cancel comes a moment later: rule 4.1. */
static void set(struct event *event)
{
    for (size_t i = 0; i < event->line.count; i++) {
        struct life *life = event->line.waiting[i];
        life->woken |= is_not_cancelled(life);
    }
    event->sets++;
    wf_event_set(&event->event);
}

static int wait_for(struct life *life, struct event *event)
{
    bool was_set = wf_event_is_set(&event->event);
    uint64_t sets = event->sets;
    struct turn turn = line_enter(&event->line, life);
    int rc = wf_event_wait(&event->event);
    line_leave(&event->line, life, turn, false);
    if (rc == 0) CLAIM(was_set || event->sets > sets);
    if (life->woken) CLAIM(rc == 0);
    life->woken = false;
    return after_call(life, turn.was_cancelled, rc);
}

int use_event(struct life *life)
{
    struct event *event = &now.events[take(&world.input, LOCKS)];
    switch (take(&world.input, 4)) {
    case 0:
        set(event);
        return 0;
    case 1:
        wf_event_clear(&event->event);
        return 0;
    default:
        return wait_for(life, event);
    }
}

/* ---- Jobs ---- */

struct job {
    int value;
    bool ran;
};

static int double_value(struct job *job)
{
    CLAIM(!job->ran);
    job->ran = true;
    return job->value * 2;
}

static void destroy_job(struct job *job)
{
    now.jobs_destroyed++;
    free(job);
}

int use_job(struct life *life)
{
    int value = (int)take(&world.input, 100);
    bool abandons = take(&world.input, 2) == 0;
    struct job own = {.value = value}, *job = abandons ? calloc(1, sizeof *job) : &own;
    if (job == NULL) return 0;
    job->value = value;
    now.jobs_made += abandons;
    bool was_cancelled = before_call(life);
    int rc = abandons ? wf_offload_abandon(double_value, job, destroy_job) : wf_offload(double_value, job);
    if (!abandons) CLAIM(rc < 0 || job->ran);
    CLAIM(rc < 0 || rc == value * 2);
    return after_call(life, was_cancelled, rc);
}

/* ---- Streams ---- */

static int open_link(struct life *life, struct link *link)
{
    bool is_pipe = take(&world.input, 2) == 0, was_cancelled = wf_cancelled();
    link->opening = true;
    int rc = is_pipe ? wire_pipe(&link->wire) : wire_tcp(&link->wire);
    link->opening = false;
    world.turn++;
    observe(life);
    if (was_cancelled && !is_pipe) CLAIM(rc == -ECANCELED || rc == -ENOMEM);
    CLAIM(rc == 0 || rc == -ECANCELED || rc == -ESHUTDOWN || (rc == -ENOMEM && world.memory_fails));
    return rc;
}

static int64_t transfer(struct peer *peer)
{
    unsigned choice = take(&world.input, 32);
    size_t size = 1 + take(&world.input, 64) * (choice % 4 == 0 ? 1500 : 1);
    if (choice == 31) peer_close(peer, take(&world.input, 2) == 0);
    else if (choice == 30) return peer_shutdown(peer);
    else if (choice % 2 == 0) return peer_read(peer, size, choice % 3 == 0);
    else return peer_write(peer, size, choice % 3 == 0);
    return 0;
}

/* Both ends are closed from time to time, and opened again. */
int use_wire(struct life *life)
{
    struct link *link = &now.links[take(&world.input, WIRES)];
    if (link->opening) return 0;
    bool closed = link->wire.ends[0].stream == NULL && link->wire.ends[1].stream == NULL;
    if (closed && link->users == 0) return open_link(life, link);
    int64_t bound = take_duration();
    link->users++;
    int64_t rc = wf_within(bound, transfer(&link->wire.ends[take(&world.input, 2)]));
    link->users--;
    world.turn++;
    observe(life);
    return rc == -ECANCELED ? -ECANCELED : 0;
}

/* ---- The whole ---- */

void waiting_starts(void)
{
    memset(&now, 0, sizeof now);
    for (size_t i = 0; i < LOCKS; i++) {
        now.semaphores[i].permits = i + 1;
        now.semaphores[i].semaphore = (struct wf_semaphore)WF_SEMAPHORE(i + 1);
        now.mutexes[i].mutex = (struct wf_mutex)WF_MUTEX;
        now.events[i].event = (struct wf_event)WF_EVENT;
    }
}

/* A mutex is sometimes kept: whoever comes next must be told. */
void give_back(struct life *life)
{
    for (size_t i = 0; i < LOCKS; i++) {
        while (life->permits[i] > 0) release_permit(life, i);
        struct mutex *mutex = &now.mutexes[i];
        if (mutex->owner != life) continue;
        if (take(&world.input, 2) == 0) {
            unlock(life, mutex);
        } else {
            mutex->owner = NULL;
            mutex->abandoned = true;
        }
    }
}

void waiting_ends(void)
{
    for (size_t i = 0; i < LOCKS; i++) {
        const struct semaphore *semaphore = &now.semaphores[i];
        CLAIM(wf_semaphore_available(&semaphore->semaphore) == semaphore->permits);
        CLAIM(semaphore->line.count == 0 && now.mutexes[i].line.count == 0);
    }
    for (size_t i = 0; i < WIRES; i++) {
        CLAIM(now.links[i].users == 0 && !now.links[i].opening);
        wire_close(&now.links[i].wire);
    }
}

void jobs_are_over(void)
{
    CLAIM(now.jobs_made == now.jobs_destroyed);
}
