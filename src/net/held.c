#include "net/held.h"

#include <string.h>

#include "base/memory.h"

enum { ROOM_FIRST = 4096 };

static void move_to_front(struct wf_bytes_ *held)
{
    size_t size = held_size(held);
    if (size > 0 && held->first_ > 0) memmove(held->data_, held_first(held), size);
    held->first_ = 0;
    held->end_ = size;
}

static size_t larger_room(size_t room, size_t least, size_t room_max)
{
    if (room > room_max / 2) return room_max;
    room = room == 0 ? ROOM_FIRST : 2 * room;
    if (room < least) room = least;
    return room < room_max ? room : room_max;
}

static int grow(struct wf_bytes_ *held, size_t least, size_t room_max)
{
    size_t room = larger_room(held->room_, least, room_max);
    char *larger = memory_resize(held->data_, room + 1);
    if (larger == NULL) return -ENOMEM;
    held->data_ = larger;
    held->room_ = room;
    return 0;
}

int held_make_room(struct wf_bytes_ *held, size_t more, size_t room_max)
{
    size_t size = held_size(held);
    if (more > room_max - size) return -EMSGSIZE;
    if (held->data_ != NULL && held->room_ - held->end_ >= more) return 0;
    if (held->data_ == NULL || size + more > held->room_) {
        int rc = grow(held, size + more, room_max);
        if (rc < 0) return rc;
    }
    move_to_front(held);
    return 0;
}

void held_free(struct wf_bytes_ *held)
{
    memory_free(held->data_);
    *held = (struct wf_bytes_){.data_ = NULL};
}
