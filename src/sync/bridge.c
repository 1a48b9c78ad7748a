/*
 * A bridge: a daemon that keeps a scope open for the calls of threads.
 *
 *     created --the daemon begins--> open --drained, cancelled, destroyed--> closed --the last call ends--> gone
 *
 * A call is sent under the lock, and only to a bridge that is not closed: so the loop, which closes its bridges before
 * it ends, delivers every one that was sent.
 */
#include <weft/bridge.h>

#include <weft/sync.h>
#include <weft/task.h>

#include "base/memory.h"
#include "base/report.h"
#include "core/loops.h"

struct wf_bridge {
    struct station *home;
    pthread_t thread;
    struct wf_scope *calls; /* the loop's; NULL before it is open and after */
    struct wf_event over;
    bool begun;
    pthread_mutex_t lock; /* guards what follows */
    uint32_t references;  /* one of its owner, of the daemon, of each call */
    bool closed;
};

struct call {
    struct mail mail;
    struct wf_bridge *bridge;
    int (*fn)(void *);
    void *arg;
    const char *function, *place;
    pthread_cond_t answered;
    int result;
    bool done;
};

static void let_go(struct wf_bridge *bridge)
{
    bool last = --bridge->references == 0;
    pthread_mutex_unlock(&bridge->lock);
    if (!last) return;
    pthread_mutex_destroy(&bridge->lock);
    memory_free(bridge);
}

/* ---- The loop's side ---- */

static void answer(struct call *call, int result)
{
    struct wf_bridge *bridge = call->bridge;
    pthread_mutex_lock(&bridge->lock);
    call->result = result;
    call->done = true;
    pthread_cond_signal(&call->answered);
    pthread_mutex_unlock(&bridge->lock);
}

static int run_call(struct call *call)
{
    answer(call, call->fn(call->arg));
    return 0;
}

static int begin_call(struct call *call)
{
    struct wf_scope *calls = call->bridge->calls;
    if (calls == NULL) return -ESHUTDOWN;
    if (calls->node_.flags & NODE_CANCELLED) return -ECANCELED;
    const struct wf_spawn_options options = {.size = sizeof options,
                                             .arg_ = call,
                                             .function_ = call->function,
                                             .place_ = call->place};
    struct wf_task *task;
    return task_spawn(calls, (int (*)(void *))run_call, &options, &task);
}

static void arrive(struct mail *mail)
{
    struct call *call = (struct call *)mail;
    pthread_mutex_lock(&call->bridge->lock); /* the sender is done with this loop */
    pthread_mutex_unlock(&call->bridge->lock);
    if (!call->bridge->begun) { /* the daemon is about to */
        mail_send(call->bridge->home, mail);
        return;
    }
    int rc = begin_call(call);
    if (rc < 0) answer(call, rc);
}

static void close_bridge(struct wf_bridge *bridge)
{
    pthread_mutex_lock(&bridge->lock);
    bridge->closed = true;
    pthread_mutex_unlock(&bridge->lock);
}

static int serve_calls(struct wf_bridge *bridge)
{
    struct loop *loop = current_loop;
    WF_SCOPE(calls, .policy = WF_COLLECT, .name = "calls of threads");
    bridge->calls = &calls;
    bridge->begun = true;
    int rc = wf_idle(wf_event_wait(&bridge->over));
    close_bridge(bridge);
    bridge->calls = NULL;
    loop->wakers--;
    rc = wf_scope_end(&calls, rc == -ESHUTDOWN ? 0 : rc);
    pthread_mutex_lock(&bridge->lock);
    let_go(bridge);
    return rc;
}

int wf_bridge_create(struct wf_scope *scope, struct wf_bridge **out)
{
    struct loop *loop = LOOP_HERE();
    struct wf_bridge *bridge = memory_zero(sizeof *bridge);
    if (bridge == NULL) return -ENOMEM;
    int rc = wf_try_spawn(scope, serve_calls, bridge, .daemon = true, .name = "bridge");
    if (rc < 0) {
        memory_free(bridge);
        return rc;
    }
    bridge->home = station_here();
    bridge->thread = pthread_self();
    bridge->over = (struct wf_event)WF_EVENT;
    bridge->references = 2;
    pthread_mutex_init(&bridge->lock, NULL);
    loop->wakers++;
    *out = bridge;
    return 0;
}

void wf_bridge_destroy(struct wf_bridge *bridge)
{
    if (bridge == NULL) return;
    (void)LOOP_ALIVE();
    close_bridge(bridge);
    wf_event_set(&bridge->over);
    pthread_mutex_lock(&bridge->lock);
    let_go(bridge);
}

/* ---- The threads' side ---- */

int wf_bridge_call_(struct wf_bridge *bridge, int (*fn)(void *), void *arg, const char *function, const char *place)
{
    if (current_loop != NULL || pthread_equal(bridge->thread, pthread_self()))
        misuse("wf_bridge_call was made on a thread that runs a loop: it would block all its tasks, and perhaps the "
               "one "
               "that it waits for. In a task, call %s itself, or by wf_call_on; wf_bridge_call is for other threads.",
               function);
    struct call call = {.bridge = bridge, .fn = fn, .arg = arg, .function = function, .place = place};
    call.mail.arrive = arrive;
    pthread_mutex_lock(&bridge->lock);
    if (bridge->closed) {
        pthread_mutex_unlock(&bridge->lock);
        return -ESHUTDOWN;
    }
    pthread_cond_init(&call.answered, NULL);
    bridge->references++;
    mail_send(bridge->home, &call.mail);
    while (!call.done) pthread_cond_wait(&call.answered, &bridge->lock);
    pthread_cond_destroy(&call.answered);
    let_go(bridge);
    return call.result;
}
