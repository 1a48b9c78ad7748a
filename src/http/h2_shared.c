/* What a server and a client of HTTP/2 have in common. */
#include "http/h2_shared.h"

#include <string.h>
#include <strings.h>
#include <weft/arena.h>
#include <weft/extend.h>
#include <weft/time.h>

/* ---- Memory ---- */

static void *allocate(size_t size, void *argument)
{
    (void)argument;
    return wf_memory_alloc(size);
}

static void release(void *memory, void *argument)
{
    (void)argument;
    wf_memory_free(memory);
}

static void *allocate_zeros(size_t count, size_t size, void *argument)
{
    (void)argument;
    void *memory = wf_memory_alloc(count * size);
    if (memory != NULL) memset(memory, 0, count * size);
    return memory;
}

static void *resize(void *memory, size_t size, void *argument)
{
    (void)argument;
    return wf_memory_resize(memory, size);
}

nghttp2_mem h2_memory = {NULL, allocate, release, allocate_zeros, resize};

nghttp2_option *h2_option_create(void)
{
    nghttp2_option *option;
    if (nghttp2_option_new(&option) != 0) return NULL;
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_continuations(option, H2_CONTINUATIONS_MAX);
    return option;
}

/* ---- What comes too often ---- */

bool h2_count(struct h2_rate *rate, uint32_t burst, uint32_t per_second)
{
    int64_t now = wf_now();
    uint64_t forgiven = (uint64_t)((now - rate->since) / (WF_SECONDS(1) / per_second));
    if (forgiven > 0) {
        rate->used = forgiven < rate->used ? rate->used - (uint32_t)forgiven : 0;
        rate->since = now;
    }
    return ++rate->used <= burst;
}

bool h2_is_nuisance(const nghttp2_frame *frame)
{
    switch (frame->hd.type) {
    case NGHTTP2_PING:
    case NGHTTP2_SETTINGS:
        return (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0;
    case NGHTTP2_DATA:
        return frame->hd.length == 0 && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0;
    case NGHTTP2_PRIORITY:
        return true;
    default:
        return false;
    }
}

/* ---- Fields ---- */

bool h2_is_foreign(const char *name)
{
    static const char *const foreign[] = {"connection", "keep-alive", "proxy-connection", "transfer-encoding",
                                          "upgrade"};
    for (size_t i = 0; i < WF_COUNT(foreign); i++)
        if (strcasecmp(name, foreign[i]) == 0) return true;
    return false;
}

enum { FIELDS_FIRST = 16 };

static bool make_room(struct wf_headers *fields, struct wf_arena *arena)
{
    if (fields->count < fields->room_) return true;
    uint32_t room = fields->room_ == 0 ? FIELDS_FIRST : fields->room_ * 2;
    struct wf_header *list = wf_arena_alloc(arena, room * sizeof *list);
    if (list == NULL) return false;
    if (fields->count > 0) memcpy(list, fields->list, fields->count * sizeof *list);
    fields->list = list;
    fields->room_ = room;
    return true;
}

struct wf_header *h2_keep_field(struct wf_headers *fields, struct wf_arena *arena, const uint8_t *name,
                                size_t name_size, const uint8_t *value, size_t value_size)
{
    char *texts = make_room(fields, arena) ? wf_arena_alloc(arena, name_size + value_size + 2) : NULL;
    if (texts == NULL) return NULL;
    memcpy(texts, name, name_size);
    texts[name_size] = '\0';
    memcpy(texts + name_size + 1, value, value_size);
    texts[name_size + 1 + value_size] = '\0';
    struct wf_header *field = &fields->list[fields->count++];
    *field = (struct wf_header){texts, texts + name_size + 1, (uint32_t)name_size, (uint32_t)value_size};
    return field;
}
