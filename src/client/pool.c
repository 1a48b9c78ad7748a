/*
 * The connections of a client: lent, handed on, closed when they were idle for too long.
 *
 *     a call: one that is idle, or shared and has room, or the right to open one; else it waits, first in, first out
 *     what comes back, or ends: to the first that waits for its origin; else whoever waits longest may open one
 *
 * This is no wf_pool (weft/pool.h): connections of HTTP/2 are shared, and one limit is over all origins, so that what
 * is idle at one of them gives way to another one's need.
 */
#include <string.h>
#include <weft/extend.h>
#include <weft/task.h>
#include <weft/time.h>

#include "client/client.h"
#include "client/proxy.h"

#define JUST_NOW WF_MICROSECONDS(100)

/* A call that waits; on its stack. */
struct waiter {
    struct waiter *next, *prev; /* of its origin */
    struct wf_event served;
    uint64_t ticket;
    struct wire *wire; /* handed to it; NULL: it may open one, */
    bool in_vain;      /* unless the client is closed */
};

/* ---- Lists ---- */

static void push(struct wire_list *list, struct wire *wire)
{
    wire->prev = NULL;
    wire->next = list->first;
    if (list->first != NULL) list->first->prev = wire;
    else list->last = wire;
    list->first = wire;
}

static void unlink_wire(struct wire_list *list, struct wire *wire)
{
    if (wire->prev != NULL) wire->prev->next = wire->next;
    else list->first = wire->next;
    if (wire->next != NULL) wire->next->prev = wire->prev;
    else list->last = wire->prev;
    wire->next = wire->prev = NULL;
}

/* ---- Origins ---- */

static struct origin **bucket_of(struct client *client, const char *host, uint16_t port)
{
    uint32_t hash = 2166136261U ^ port; /* FNV-1a */
    for (; *host != '\0'; host++) hash = (hash ^ (unsigned char)*host) * 16777619U;
    return &client->origins[hash % ORIGIN_BUCKETS];
}

static bool is_upgrade(const struct wf_url *url)
{
    return url->scheme[0] == 'w';
}

/* Does the proxy make a tunnel, where it could take the requests? */
static bool needs_tunnel(const struct client *client, const struct wf_url *url, const struct proxy *proxy, bool secure)
{
    if (proxy == NULL || (proxy->kind != PROXY_HTTP && proxy->kind != PROXY_HTTPS)) return false;
    return secure || is_upgrade(url) || client->options.version == WF_HTTP_2;
}

static struct origin *add_origin(struct client *client, const struct wf_url *url, bool secure)
{
    size_t size = strlen(url->host) + 1;
    struct origin *origin = wf_memory_alloc(sizeof *origin + size);
    if (origin == NULL) return NULL;
    *origin = (struct origin){.port = url->port, .secure = secure, .proxy = proxy_for(client, url, secure)};
    origin->upgrades = is_upgrade(url);
    origin->tunnelled = needs_tunnel(client, url, origin->proxy, secure);
    origin->host = memcpy(origin + 1, url->host, size);
    if (client->options.version == WF_HTTP_2 && !origin->upgrades) origin->speaks = SPEAKS_2;
    else if (origin->upgrades || client->options.version == WF_HTTP_1 || !secure) origin->speaks = SPEAKS_1;
    struct origin **bucket = bucket_of(client, url->host, url->port);
    origin->next = *bucket;
    *bucket = origin;
    return origin;
}

struct origin *pool_origin(struct client *client, const struct wf_url *url)
{
    bool secure = strcmp(url->scheme, "https") == 0 || strcmp(url->scheme, "wss") == 0;
    struct origin *origin = *bucket_of(client, url->host, url->port);
    while (origin != NULL && (origin->port != url->port || origin->secure != secure ||
                              strcmp(origin->host, url->host) != 0 || origin->upgrades != is_upgrade(url)))
        origin = origin->next;
    if (origin == NULL) origin = add_origin(client, url, secure);
    if (origin != NULL) origin->users++;
    return origin;
}

static void drop_if_unused(struct client *client, struct origin *origin)
{
    if (origin->users > 0 || origin->open > 0) return;
    struct origin **at = bucket_of(client, origin->host, origin->port);
    while (*at != origin) at = &(*at)->next;
    *at = origin->next;
    wf_memory_free(origin);
}

void pool_leave_origin(struct client *client, struct origin *origin)
{
    origin->users--;
    drop_if_unused(client, origin);
}

/* ---- Closing ---- */

static uint32_t open_connections(const struct client *client)
{
    return client->statistics.idle + client->statistics.busy + client->statistics.connecting;
}

static void count_closed(struct client *client, struct origin *origin)
{
    origin->open--;
    client->statistics.closed++;
}

/* One that is in no list any more. */
static void end_wire(struct wire *wire)
{
    count_closed(wire->client, wire->origin);
    wire->gone = true;
    wire->protocol->close(wire);
}

static void end_idle(struct wire *wire)
{
    wire->client->statistics.idle--;
    unlink_wire(&wire->origin->idle, wire);
    end_wire(wire);
}

static void end_shared(struct wire *wire)
{
    uint32_t *count = wire->streams > 0 ? &wire->client->statistics.busy : &wire->client->statistics.idle;
    (*count)--;
    unlink_wire(&wire->origin->shared, wire);
    end_wire(wire);
}

static bool is_old(const struct wire *wire, int64_t now)
{
    int64_t lifetime = wire->client->options.limits.lifetime;
    return lifetime > 0 && now - wire->opened_at > lifetime;
}

/* Of all origins, the connection that was idle for the longest time; NULL: none is. */
static struct wire *find_oldest(const struct client *client)
{
    struct wire *oldest = NULL;
    for (unsigned i = 0; i < ORIGIN_BUCKETS; i++) {
        for (const struct origin *origin = client->origins[i]; origin != NULL; origin = origin->next) {
            struct wire *wire = origin->idle.last;
            if (wire != NULL && (oldest == NULL || wire->idle_since < oldest->idle_since)) oldest = wire;
            for (wire = origin->shared.first; wire != NULL; wire = wire->next)
                if (wire->streams == 0 && (oldest == NULL || wire->idle_since < oldest->idle_since)) oldest = wire;
        }
    }
    return oldest;
}

static void end_unused(struct wire *wire)
{
    struct client *client = wire->client;
    struct origin *origin = wire->origin;
    if (wire->protocol == &http2) end_shared(wire);
    else end_idle(wire);
    drop_if_unused(client, origin);
}

/* ---- What a call may have ---- */

/* One that is too old takes nothing new; what is under way on it goes on. */
static bool has_room(struct wire *wire, int64_t now)
{
    if (is_old(wire, now)) wire->retired = true;
    if (!wire->retired) return wire->streams < wire->streams_max;
    if (wire->streams == 0) end_shared(wire);
    return false;
}

static struct wire *take_shared(const struct origin *origin)
{
    struct wire *wire = origin->shared.first, *next;
    for (; wire != NULL; wire = next) {
        next = wire->next;
        if (has_room(wire, wf_now())) break;
    }
    if (wire == NULL) return NULL;
    if (wire->streams++ == 0) {
        wire->client->statistics.idle--;
        wire->client->statistics.busy++;
    }
    return wire;
}

/* Nothing may come on a connection that is idle: not the server's goodbye, and no answer to a request of later. One
 * that has come back just now was read to its end just now. */
static bool is_quiet(const struct wire *wire, int64_t now)
{
    int fd = now - wire->idle_since < JUST_NOW ? -1 : wf_stream_fd(wire->stream);
    return fd < 0 || wf_poll_fd(fd, WF_READABLE) == 0;
}

static void lend(struct wire *wire)
{
    wire->client->statistics.busy++;
    push(&wire->origin->lent, wire);
}

static struct wire *take_idle(const struct origin *origin)
{
    struct wire *wire;
    int64_t now = origin->idle.first != NULL ? wf_now() : 0;
    while ((wire = origin->idle.first) != NULL) {
        if (is_old(wire, now) || !is_quiet(wire, now)) {
            end_idle(wire);
            continue;
        }
        wire->client->statistics.idle--;
        unlink_wire(&wire->origin->idle, wire);
        lend(wire);
        return wire;
    }
    return NULL;
}

static struct wire *take(const struct origin *origin)
{
    struct wire *wire = take_shared(origin);
    return wire != NULL ? wire : take_idle(origin);
}

/* The right to open one, for which something idle elsewhere may have to go. While nobody knows which version the server
 * speaks, and where it is one connection for all, only one is made at a time. */
static bool may_open(struct client *client, struct origin *origin)
{
    const struct wf_client_limits *limits = &client->options.limits;
    if (origin->speaks != SPEAKS_1 && origin->connecting > 0) return false;
    if (origin->open >= limits->per_host) return false;
    if (open_connections(client) >= limits->connections) {
        struct wire *oldest = find_oldest(client);
        if (oldest == NULL) return false;
        end_unused(oldest);
    }
    origin->open++;
    origin->connecting++;
    client->statistics.connecting++;
    return true;
}

/* ---- Waiting ---- */

static void enqueue(struct origin *origin, struct waiter *waiter)
{
    waiter->prev = origin->last;
    if (origin->last != NULL) origin->last->next = waiter;
    else origin->first = waiter;
    origin->last = waiter;
}

static void dequeue(struct origin *origin, struct waiter *waiter)
{
    if (waiter->prev != NULL) waiter->prev->next = waiter->next;
    else origin->first = waiter->next;
    if (waiter->next != NULL) waiter->next->prev = waiter->prev;
    else origin->last = waiter->prev;
}

static void grant(struct client *client, struct origin *origin, struct wire *wire)
{
    struct waiter *waiter = origin->first;
    dequeue(origin, waiter);
    client->statistics.waiting--;
    waiter->wire = wire;
    wf_event_set(&waiter->served);
}

static void serve_origin(struct client *client, struct origin *origin)
{
    while (origin->first != NULL) {
        struct wire *wire = take(origin);
        if (wire == NULL && !may_open(client, origin)) return;
        grant(client, origin, wire);
    }
}

/* The one whose turn it is among those that only the limit over all keeps waiting. */
static struct origin *next_in_turn(struct client *client)
{
    struct origin *first = NULL;
    for (unsigned i = 0; i < ORIGIN_BUCKETS; i++) {
        for (struct origin *origin = client->origins[i]; origin != NULL; origin = origin->next) {
            bool could = origin->first != NULL && origin->open < client->options.limits.per_host &&
                         (origin->speaks == SPEAKS_1 || origin->connecting == 0);
            if (could && (first == NULL || origin->first->ticket < first->first->ticket)) first = origin;
        }
    }
    return first;
}

/* Something came back, or went. */
static void serve(struct client *client, struct origin *origin)
{
    if (client->statistics.waiting == 0 || client->closed) return;
    serve_origin(client, origin);
    while (client->statistics.waiting > 0 && (origin = next_in_turn(client)) != NULL && may_open(client, origin))
        grant(client, origin, NULL);
}

/* ---- Idle ones ---- */

static int close_idle(struct client *client)
{
    int rc = 0;
    struct wire *oldest;
    while (rc == 0 && !client->closed && (oldest = find_oldest(client)) != NULL) {
        int64_t left = oldest->idle_since + client->options.limits.idle_time - wf_now();
        if (left <= 0) end_unused(oldest);
        else rc = wf_linked(&client->closing, wf_idle(wf_sleep(left)));
    }
    client->minding = false;
    client_release(client);
    return 0;
}

static void begin_idle(struct wire *wire)
{
    struct client *client = wire->client;
    wire->idle_since = wf_now();
    if (client->minding || client->closed) return;
    client->minding = wf_background_start(client->tasks, close_idle, client, .name = NULL) == 0;
    if (client->minding) client->references++;
}

/* ---- Coming back ---- */

void pool_discard(struct wire *wire)
{
    struct client *client = wire->client;
    struct origin *origin = wire->origin;
    client->statistics.busy--;
    unlink_wire(&origin->lent, wire);
    end_wire(wire);
    serve(client, origin);
    drop_if_unused(client, origin);
}

void pool_release(struct wire *wire)
{
    struct client *client = wire->client;
    struct origin *origin = wire->origin;
    if (client->closed || client->options.limits.idle_time < 0 || is_old(wire, wf_now())) {
        pool_discard(wire);
        return;
    }
    if (origin->first != NULL) {
        grant(client, origin, wire);
        return;
    }
    client->statistics.busy--;
    client->statistics.idle++;
    unlink_wire(&origin->lent, wire);
    push(&origin->idle, wire);
    begin_idle(wire);
    serve(client, origin);
}

void pool_release_stream(struct wire *wire)
{
    struct client *client = wire->client;
    struct origin *origin = wire->origin;
    wire->streams--;
    if (wire->gone) {
        if (wire->streams == 0) wire->protocol->close(wire); /* once more: now nobody uses it */
        return;
    }
    if (wire->streams == 0) {
        client->statistics.busy--;
        client->statistics.idle++;
        if (wire->retired || wire->leaving || client->closed || client->options.limits.idle_time < 0) end_shared(wire);
        else begin_idle(wire);
    }
    serve(client, origin);
    drop_if_unused(client, origin);
}

void pool_set_streams(struct wire *wire, uint32_t streams_max)
{
    uint32_t own = wire->client->options.limits.streams;
    if (wire->gone) return;
    wire->streams_max = streams_max < own ? streams_max : own;
    serve(wire->client, wire->origin);
}

void pool_retire(struct wire *wire)
{
    struct client *client = wire->client;
    struct origin *origin = wire->origin;
    if (wire->gone) return;
    wire->retired = true;
    if (wire->streams == 0) end_shared(wire);
    serve(client, origin);
    drop_if_unused(client, origin);
}

/* ---- A call's ---- */

static void opened(struct wire *wire)
{
    struct client *client = wire->client;
    struct origin *origin = wire->origin;
    client->statistics.opened++;
    client->statistics.busy++;
    if (wire->protocol == &http2) {
        origin->speaks = SPEAKS_2;
        wire->streams = 1;
        push(&origin->shared, wire);
    } else {
        if (origin->speaks == SPEAKS_UNKNOWN) origin->speaks = SPEAKS_1;
        push(&origin->lent, wire);
    }
    uint32_t open = open_connections(client);
    if (open > client->statistics.open_peak) client->statistics.open_peak = open;
}

/* Uses the right to open one. */
static int open_one(struct call *call)
{
    struct client *client = call->client;
    struct origin *origin = call->origin;
    struct wire *wire = NULL;
    int rc = wf_linked(&client->closing, dial(call, &wire));
    origin->connecting--;
    client->statistics.connecting--;
    if (rc == 0) {
        wire->opened_at = wf_now();
        opened(wire);
        call->wire = wire;
    } else {
        origin->open--;
        client->statistics.failed++;
    }
    serve(client, origin);
    return rc;
}

/* What was handed to a call that does not want it any more. */
static void give_grant_back(struct client *client, struct origin *origin, const struct waiter *waiter)
{
    if (waiter->in_vain) return;
    if (waiter->wire == NULL) {
        origin->open--;
        origin->connecting--;
        client->statistics.connecting--;
        serve(client, origin);
    } else if (waiter->wire->protocol == &http2) pool_release_stream(waiter->wire);
    else pool_release(waiter->wire);
}

static int wait_for_turn(struct call *call)
{
    struct client *client = call->client;
    struct origin *origin = call->origin;
    struct waiter waiter = {.served = WF_EVENT, .ticket = client->tickets++};
    if (client->statistics.waiting >= client->options.limits.waiting)
        return call_fail(call, WF_EFULL, "%u calls wait for a connection", client->statistics.waiting);
    enqueue(origin, &waiter);
    if (++client->statistics.waiting > client->statistics.waiting_peak)
        client->statistics.waiting_peak = client->statistics.waiting;
    int rc = IN_STEP(call, STEP_POOL, wf_event_wait(&waiter.served));
    if (!wf_event_is_set(&waiter.served)) {
        dequeue(origin, &waiter);
        client->statistics.waiting--;
        return rc;
    }
    if (rc == 0 && client->closed) rc = -ESHUTDOWN;
    if (rc < 0) {
        give_grant_back(client, origin, &waiter);
        return rc;
    }
    call->wire = waiter.wire;
    call->reused = waiter.wire != NULL;
    return waiter.wire != NULL ? 0 : open_one(call);
}

int pool_acquire(struct call *call)
{
    struct client *client = call->client;
    struct origin *origin = call->origin;
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    if (client->closed) return -ESHUTDOWN;
    call->wire = origin->first == NULL ? take(origin) : NULL; /* nobody is passed by */
    call->reused = call->wire != NULL;
    if (call->wire != NULL) return 0;
    if (origin->first == NULL && may_open(client, origin)) return open_one(call);
    return wait_for_turn(call);
}

/* ---- The end ---- */

static void close_origin(struct client *client, struct origin *origin)
{
    while (origin->idle.first != NULL) end_idle(origin->idle.first);
    while (origin->shared.first != NULL) end_shared(origin->shared.first);
    for (struct wire *wire = origin->lent.first; wire != NULL; wire = wire->next) {
        wf_stream_close(wire->stream);
        wire->stream = NULL;
    }
    while (origin->first != NULL) {
        origin->first->in_vain = true;
        grant(client, origin, NULL);
    }
}

void pool_close(struct client *client)
{
    client->closed = true;
    wf_token_cancel(&client->closing, "the client is closed");
    for (unsigned i = 0; i < ORIGIN_BUCKETS; i++) {
        struct origin *next;
        for (struct origin *origin = client->origins[i]; origin != NULL; origin = next) {
            next = origin->next;
            close_origin(client, origin);
            drop_if_unused(client, origin);
        }
    }
}
