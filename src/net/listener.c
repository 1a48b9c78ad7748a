/* A socket that listens, at one place or several, from its making to its end. */
#include "net/listener.h"

#include <weft/address.h>

#include "base/memory.h"
#include "core/loop.h"
#include "net/descriptor.h"

struct wf_listener *listener_new(size_t places)
{
    struct wf_listener *listener = memory_zero(sizeof *listener + places * sizeof listener->places[0]);
    if (listener == NULL) return NULL;
    listener->references = 1;
    listener->turn = (struct wf_mutex)WF_MUTEX;
    return listener;
}

void listener_keep(struct wf_listener *listener)
{
    listener->references++;
}

void listener_drop(struct wf_listener *listener)
{
    if (--listener->references > 0) return;
    memory_free(listener->path);
    memory_free(listener);
}

static void place_released(struct desc *desc)
{
    listener_drop(((struct listening *)((char *)desc - offsetof(struct listening, desc)))->listener);
}

void listener_add(struct wf_listener *listener, int fd)
{
    struct listening *place = &listener->places[listener->count++];
    listener_keep(listener);
    place->listener = listener;
    place->desc.socket = true;
    desc_init(&place->desc, fd, place_released);
}

int wf_listener_local(const struct wf_listener *listener, struct wf_address *address)
{
    (void)LOOP_HERE();
    return desc_address(&listener->places[0].desc, false, address);
}

uint16_t wf_listener_port(const struct wf_listener *listener)
{
    struct wf_address address;
    return wf_listener_local(listener, &address) == 0 ? wf_address_port(&address) : 0;
}

int wf_listener_fd(const struct wf_listener *listener, unsigned index)
{
    return index < listener->count ? listener->places[index].desc.fd : -1;
}

void wf_listener_leave_file(struct wf_listener *listener)
{
    memory_free(listener->path);
    listener->path = NULL;
}

void wf_listener_close(struct wf_listener *listener)
{
    if (listener == NULL) return;
    struct loop *loop = LOOP_ALIVE();
    listener->closed = true;
    if (listener->path != NULL && listener->count > 0) loop->driver->remove_name(loop, listener->path);
    while (listener->kept_count > 0) wf_stream_abort(&listener->kept[--listener->kept_count]->stream);
    for (uint32_t i = 0; i < listener->count; i++) desc_close(&listener->places[i].desc);
    listener_drop(listener);
}
