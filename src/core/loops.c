/* Several loops: making them, their mail, their rest, their end. */
#include "core/loops.h"

#include <sched.h>
#include <stdio.h>
#include <weft/loops.h>

#include "base/memory.h"
#include "base/report.h"
#include "core/scope.h"

enum { CPUS_SIMULATED = 4 }; /* whatever the machine has: a world depends on its seed alone */

/* ---- Mail ---- */

static void deliver(struct loop *loop, struct message *message)
{
    struct mail *mail = (struct mail *)message;
    if (mail->counted) {
        if (loop->driver->simulated) loop->pending_jobs--;
        else atomic_fetch_sub(&loop->station->loops->activity, 1);
    }
    mail->arrive(mail);
}

/* Other threads have no part in a rest: a loop that waits for them has a waker, and is never at rest. */
void mail_send(struct station *to, struct mail *mail)
{
    struct loop *here = current_loop;
    struct loops *loops = to->loops;
    mail->message.deliver = deliver;
    mail->counted = here != NULL && here->station->loops == loops;
    if (mail->counted && here->driver->simulated) {
        here->pending_jobs++;
        here->driver->mail(here, &to->box, &mail->message);
        return;
    }
    if (mail->counted) atomic_fetch_add(&loops->activity, 1);
    loop_send(to->loop, &mail->message);
}

struct station *station_here(void)
{
    struct loop *loop = current_loop;
    struct station *first = loop->station;
    if (first->loops->count == 1 || first->loops->threaded || loop->running == NULL) return first;
    struct wf_node_ *root = loop->running->current;
    while (root->parent != NULL) root = root->parent;
    if (root == &loop->root.node_) return first;
    return (struct station *)((char *)root - offsetof(struct station, root));
}

/* ---- Load ---- */

/* Of equal ones the next in turn, so that short tasks go round. */
static struct station *least_loaded(struct loops *loops)
{
    uint32_t count = loops->count, first = atomic_fetch_add_explicit(&loops->next, 1, memory_order_relaxed) % count;
    struct station *least = &loops->stations[first];
    unsigned least_load = atomic_load_explicit(&least->load, memory_order_relaxed);
    for (uint32_t i = 1; i < count && least_load > 0; i++) {
        struct station *station = &loops->stations[(first + i) % count];
        unsigned load = atomic_load_explicit(&station->load, memory_order_relaxed);
        if (load >= least_load) continue;
        least = station;
        least_load = load;
    }
    return least;
}

struct station *station_take(struct loops *loops, int index)
{
    if (index != WF_LEAST_LOADED && (index < 0 || (uint32_t)index >= loops->count)) return NULL;
    struct station *station = index == WF_LEAST_LOADED ? least_loaded(loops) : &loops->stations[index];
    atomic_fetch_add_explicit(&station->load, 1, memory_order_relaxed);
    return station;
}

int wf_loops_count(void)
{
    return (int)LOOP_ALIVE()->station->loops->count;
}

int wf_loop_index(void)
{
    (void)LOOP_ALIVE();
    return (int)station_here()->index;
}

int wf_loop_load(int index)
{
    struct loops *loops = LOOP_ALIVE()->station->loops;
    if (index < 0 || (uint32_t)index >= loops->count) return -EINVAL;
    return (int)atomic_load_explicit(&loops->stations[index].load, memory_order_relaxed);
}

/* ---- Rest ---- */

static void cancel_main(struct mail *mail)
{
    (void)mail;
    struct wf_scope *root = &current_loop->root;
    node_cancel(&root->node_, &root->reason_, WF_REASON_MISUSE, "deadlock", "");
}

/* All the others rest, so their tasks can be looked at from here. */
static void give_up(struct loops *loops)
{
    struct loop *first = loops->stations[0].loop;
    loops_dump(loops, "deadlock: every task of every loop waits for another one, and nothing outside can wake them");
    if (first->broken < 0) misuse("%s", outlived_cancellation);
    first->broken = -EDEADLK;
    loops->give_up.arrive = cancel_main;
    mail_send(&loops->stations[0], &loops->give_up);
}

bool loops_rest(struct loop *loop)
{
    struct loops *loops = loop->station->loops;
    if (!loops->threaded || !loop_is_quiet(loop)) return false;
    if (atomic_fetch_sub(&loops->activity, 1) > 1) return true;
    atomic_fetch_add(&loops->activity, 1);
    give_up(loops); /* and so there is mail on its way */
    atomic_fetch_sub(&loops->activity, 1);
    return true;
}

void loops_go_on(struct loop *loop)
{
    atomic_fetch_add(&loop->station->loops->activity, 1);
}

/* ---- Threads ---- */

static void stop(struct mail *mail)
{
    (void)mail;
    current_loop->stays = false;
}

/* Whoever has left his loop waits until all have. */
static void leave_together(struct loops *loops)
{
    pthread_mutex_lock(&loops->lock);
    loops->working--;
    pthread_cond_broadcast(&loops->change);
    while (loops->working > 0) pthread_cond_wait(&loops->change, &loops->lock);
    pthread_mutex_unlock(&loops->lock);
}

static void say_made(struct station *station, int code)
{
    struct loops *loops = station->loops;
    pthread_mutex_lock(&loops->lock);
    station->code = code;
    loops->made++;
    if (code < 0) loops->working--;
    pthread_cond_broadcast(&loops->change);
    pthread_mutex_unlock(&loops->lock);
}

static void *run_thread(void *argument)
{
    struct station *station = argument;
    int rc = loop_make(&station->run, &station->options);
    if (rc == 0) {
        station->loop = station->run.loop;
        station->loop->station = station;
        station->loop->stays = true;
        station->root.loop_ = station->loop;
    }
    say_made(station, rc);
    if (rc < 0) return NULL;
    loop_work(station->loop);
    leave_together(station->loops);
    loop_take_apart(&station->run);
    return NULL;
}

static int start_thread(struct station *station, const struct loop *first, const struct wf_run_options *options)
{
    char name[16];
    station->options = *options;
    station->options.driver = first->driver->name;
    station->options.signals = false;
    int rc = -pthread_create(&station->thread, NULL, run_thread, station);
    if (rc < 0) return rc;
    station->has_thread = true;
    snprintf(name, sizeof name, "weft-loop-%u", station->index);
    pthread_setname_np(station->thread, name);
    return 0;
}

/* Waits until every thread has its loop; gives the first failure. */
static int wait_made(struct loops *loops, uint32_t started)
{
    int rc = 0;
    pthread_mutex_lock(&loops->lock);
    while (loops->made < started) pthread_cond_wait(&loops->change, &loops->lock);
    for (uint32_t i = 1; i <= started; i++)
        if (rc == 0) rc = loops->stations[i].code;
    pthread_mutex_unlock(&loops->lock);
    return rc;
}

static int start_threads(struct loops *loops, const struct wf_run_options *options)
{
    int rc = 0;
    uint32_t started = 0;
    loops->working = loops->count;
    atomic_store(&loops->activity, loops->count);
    while (rc == 0 && started + 1 < loops->count) {
        rc = start_thread(&loops->stations[started + 1], loops->stations[0].loop, options);
        if (rc == 0) started++;
    }
    pthread_mutex_lock(&loops->lock);
    loops->working -= loops->count - 1 - started;
    pthread_mutex_unlock(&loops->lock);
    int made = wait_made(loops, started);
    return rc < 0 ? rc : made;
}

/* ---- From their making to their end ---- */

static int count_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0) return 1;
    int count = CPU_COUNT(&set);
    return count < LOOPS_MAX ? count : LOOPS_MAX;
}

static int wanted(const struct loop *loop, int threads)
{
    if (threads == WF_EVERY_CPU) return loop->driver->simulated ? CPUS_SIMULATED : count_cpus();
    if (threads < 0 || threads > LOOPS_MAX) return -EINVAL;
    return threads > 0 ? threads : 1;
}

static void init_station(struct loops *loops, uint32_t index, struct loop *loop, const char *place)
{
    struct station *station = &loops->stations[index];
    station->loops = loops;
    station->loop = loop;
    station->index = index;
    station->root = (struct wf_scope){.loop_ = loop, .state_ = SCOPE_OPEN, .policy_ = WF_COLLECT, .place_ = place};
    station->root.timer_.deadline = WF_FOREVER;
}

int loops_begin(struct loop *loop, const struct wf_run_options *options)
{
    int count = wanted(loop, options->threads);
    if (count < 0) return count;
    struct loops *loops = memory_zero(sizeof *loops + (size_t)count * sizeof loops->stations[0]);
    if (loops == NULL) return -ENOMEM;
    loops->count = (uint32_t)count;
    loops->threaded = count > 1 && !loop->driver->simulated;
    for (uint32_t i = 0; i < loops->count; i++) init_station(loops, i, loop, options->place_);
    pthread_mutex_init(&loops->lock, NULL);
    pthread_cond_init(&loops->change, NULL);
    loop->station = &loops->stations[0];
    int rc = loops->threaded ? start_threads(loops, options) : 0;
    if (rc == 0) return 0;
    loops_end(loop);
    loops_free(loops);
    loop->station = NULL;
    return rc;
}

void loops_end(struct loop *loop)
{
    struct loops *loops = loop->station->loops;
    if (!loops->threaded) return;
    for (uint32_t i = 1; i < loops->count; i++) {
        struct station *station = &loops->stations[i];
        if (!station->has_thread || station->code < 0) continue;
        station->stop.arrive = stop;
        mail_send(station, &station->stop);
    }
    leave_together(loops);
    for (uint32_t i = 1; i < loops->count; i++)
        if (loops->stations[i].has_thread) pthread_join(loops->stations[i].thread, NULL);
}

void loops_free(struct loops *loops)
{
    for (uint32_t i = 1; i < loops->count && loops->threaded; i++) memory_free(loops->stations[i].run.loop);
    pthread_mutex_destroy(&loops->lock);
    pthread_cond_destroy(&loops->change);
    memory_free(loops);
}
