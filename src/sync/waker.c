/*
 * A waker: a message to its loop that can be sent again as soon as it has arrived.
 *
 *     idle --wake--> on its way --delivered--> idle
 *      |                 |
 *      +--destroy: gone  +--destroy--> orphaned --delivered--> gone
 */
#include <weft/waker.h>

#include "base/memory.h"
#include "core/loop.h"

struct wf_waker {
    struct message message;
    struct loop *loop;
    struct wf_event *event; /* NULL: orphaned */
    atomic_bool on_its_way;
    struct birth birth;
};

static void deliver(struct loop *loop, struct message *message)
{
    struct wf_waker *waker = (struct wf_waker *)message;
    (void)loop;
    if (waker->event == NULL) {
        memory_free(waker);
        return;
    }
    atomic_store(&waker->on_its_way, false);
    wf_event_set(waker->event);
}

int wf_waker_create(struct wf_event *event, struct wf_waker **waker)
{
    struct loop *loop = LOOP_ALIVE();
    struct wf_waker *made = memory_zero(sizeof *made);
    if (made == NULL) return -ENOMEM;
    made->message.deliver = deliver;
    made->loop = loop;
    made->event = event;
    loop->wakers++;
    birth_note(loop, &made->birth, "waker", -1);
    *waker = made;
    return 0;
}

void wf_waker_wake(struct wf_waker *waker)
{
    int saved = errno;
    if (!atomic_exchange(&waker->on_its_way, true)) loop_send(waker->loop, &waker->message);
    errno = saved;
}

void wf_waker_destroy(struct wf_waker *waker)
{
    if (waker == NULL) return;
    struct loop *loop = LOOP_ALIVE();
    loop->wakers--;
    birth_forget(loop, &waker->birth);
    if (atomic_load(&waker->on_its_way)) waker->event = NULL;
    else memory_free(waker);
}
