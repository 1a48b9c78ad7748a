/* Events as a source of items: what an event source brings (weft/sse.h), by the model of an event. */
#include <string.h>
#include <weft/extend.h>
#include <weft/sse.h>
#include <weft/url.h>

#include "client.h"

struct events {
    struct wf_sse_source source;
    struct custody_client_ *inside; /* held */
    struct wf_arena texts;          /* of the options */
    struct wf_arena arena;          /* of the event */
    const char *vin;                /* NULL: of all */
};

static struct custody_events *handle_of(struct wf_iterator *iterator)
{
    return (struct custody_events *)(void *)iterator;
}

/* Why there are no more. */
static int give_up(struct events *events, int rc)
{
    const struct wf_response *answer = wf_sse_source_answer(&events->source);
    if (answer == NULL) return sdk_error_unanswered(rc, events->vin);
    wf_arena_reset(&events->arena);
    return sdk_error_answered(answer, events->vin, &events->arena);
}

static int read_event(struct events *events, const struct wf_sse_news *from, struct custody_news *news)
{
    wf_arena_reset(&events->arena);
    int rc = wf_model_parse(&custody_event_model, &events->arena, from->data, from->data_size, &news->event, NULL);
    news->id = wf_arena_strdup(&events->arena, from->id);
    if (rc == -ENOMEM || news->id == NULL) return sdk_error_unanswered(-ENOMEM, events->vin);
    if (rc == 0) return 1;
    return sdk_error_set(&(struct custody_error){.kind = CUSTODY_SERVER,
                                                 .rc = -EREMOTEIO,
                                                 .status = 200,
                                                 .message = "the service sent an event that is none"});
}

static int next_item(struct wf_iterator *iterator, void *item)
{
    struct events *events = handle_of(iterator)->private_;
    struct wf_sse_news news;
    if (events == NULL) return handle_of(iterator)->failed_;
    int rc = wf_next(&events->source, &news);
    if (rc <= 0) return rc == 0 ? 0 : give_up(events, rc);
    return read_event(events, &news, item);
}

static void close_iterator(struct wf_iterator *iterator)
{
    custody_events_close(handle_of(iterator));
}

static const struct wf_iterator_class events_class = {.next = next_item, .close = close_iterator};

/* ---- Beginning and end ---- */

static int open_source(struct events *events, const struct custody_events_options *options)
{
    const char *url = "/events", *after = NULL;
    if (events->vin != NULL) {
        const char *vin = wf_url_encode(events->vin, &events->texts);
        url = vin != NULL ? wf_arena_printf(&events->texts, "/events?vin=%s", vin) : NULL;
    }
    if (options->after != NULL) after = wf_arena_strdup(&events->texts, options->after);
    if (url == NULL || (options->after != NULL && after == NULL)) return sdk_error_unanswered(-ENOMEM, NULL);
    wf_sse_source_open_(&(struct wf_sse_source_options){.size = sizeof(struct wf_sse_source_options),
                                                        .source_ = &events->source,
                                                        .client_ = &events->inside->http,
                                                        .url_ = url,
                                                        .last_id = after});
    return 0;
}

static int open_events(struct custody_events *handle, const struct custody_events_options *options)
{
    char room[CUSTODY_VIN_MAX + 1];
    int rc;
    const char *vin = options->vin != NULL ? sdk_vin(handle->client_, options->vin, room) : NULL;
    if (options->vin != NULL && vin == NULL) return -EINVAL;
    struct custody_client_ *inside = sdk_hold(handle->client_, &rc);
    if (inside == NULL) return rc;
    struct events *events = wf_memory_alloc(sizeof *events);
    if (events == NULL) {
        sdk_release(inside);
        return sdk_error_unanswered(-ENOMEM, options->vin);
    }
    *events = (struct events){.inside = inside};
    wf_arena_init(&events->texts);
    wf_arena_init(&events->arena);
    handle->private_ = events;
    events->vin = vin != NULL ? wf_arena_strdup(&events->texts, vin) : NULL;
    return vin != NULL && events->vin == NULL ? sdk_error_unanswered(-ENOMEM, NULL) : open_source(events, options);
}

void custody_events_open_(struct custody_events *handle, struct custody_client *client,
                          const struct custody_events_options *options)
{
    *handle = (struct custody_events){.iterator = {&events_class, sizeof(struct custody_news)}, .client_ = client};
    int rc = open_events(handle, options);
    if (rc == 0) return;
    custody_events_close(handle);
    handle->failed_ = rc;
}

void custody_events_close(struct custody_events *handle)
{
    struct events *events = handle->private_;
    if (events == NULL) return;
    handle->private_ = NULL;
    handle->failed_ = -EBADF;
    wf_sse_source_close(&events->source);
    wf_arena_finish(&events->texts);
    wf_arena_finish(&events->arena);
    sdk_release(events->inside);
    wf_memory_free(events);
}
