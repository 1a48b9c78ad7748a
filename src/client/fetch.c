/* Calls, as their callers see them. */
#include <stdio.h>
#include <string.h>
#include <weft/extend.h>
#include <weft/task.h>
#include <weft/time.h>

#include "client/client.h"

/* ---- URLs ---- */

static bool is_whole(const char *url)
{
    size_t scheme = strcspn(url, ":/?#");
    return strncmp(url + scheme, "://", 3) == 0;
}

/* One slash between the two, whoever brings it. */
static const char *join_to_base(const struct wf_url *base, const char *path, struct wf_arena *arena)
{
    size_t size = strcspn(base->text, "?");
    if (path[0] == '\0' || path[0] == '?') return wf_arena_printf(arena, "%.*s%s", (int)size, base->text, path);
    while (size > 0 && base->text[size - 1] == '/') size--;
    return wf_arena_printf(arena, "%.*s/%s", (int)size, base->text, path[0] == '/' ? path + 1 : path);
}

static const char *add_params(const char *url, const struct wf_named *params, struct wf_arena *arena)
{
    for (; url != NULL && params != NULL && params->name != NULL; params++) {
        if (params->value == NULL) continue;
        const char *name = wf_url_encode(params->name, arena), *value = wf_url_encode(params->value, arena);
        if (name == NULL || value == NULL) return NULL;
        size_t fragment = strcspn(url, "#");
        bool has_query = memchr(url, '?', fragment) != NULL;
        url = wf_arena_printf(arena, "%.*s%s%s=%s", (int)fragment, url, has_query ? "&" : "?", name, value);
    }
    return url;
}

static bool is_websocket(const struct wf_url *url)
{
    return strcmp(url->scheme, "ws") == 0 || strcmp(url->scheme, "wss") == 0;
}

/* A base is one of HTTP. */
static void upgrade_scheme(struct wf_url *url)
{
    if (strcmp(url->scheme, "http") == 0) url->scheme = "ws";
    if (strcmp(url->scheme, "https") == 0) url->scheme = "wss";
}

static int find_url(struct call *call, const char *given)
{
    const struct client *client = call->client;
    if (given == NULL) return wf_fail(-EINVAL, "there is no URL");
    const char *url = given;
    if (!is_whole(given)) {
        if (client->base.text == NULL) return wf_fail(-EINVAL, "\"%s\" is no whole URL, and there is no base", given);
        url = join_to_base(&client->base, given, call->arena);
    }
    bool whole = call->options->whole_url_;
    url = url != NULL && !whole ? add_params(url, client->options.params, call->arena) : url;
    url = url != NULL && !whole ? add_params(url, call->options->params, call->arena) : url;
    if (url == NULL) return -ENOMEM;
    int rc = wf_url_parse(url, call->arena, &call->first_url);
    if (rc < 0) return rc;
    if (call->options->upgrade_) upgrade_scheme(&call->first_url);
    if (call->first_url.port == 0 || is_websocket(&call->first_url) != call->options->upgrade_)
        return wf_fail(-EINVAL, "\"%s\" is a scheme that is not spoken here", call->first_url.scheme);
    call->url = call->first_url;
    return 0;
}

/* ---- Beginning ---- */

static int64_t merged(int64_t own, int64_t otherwise)
{
    return own != 0 ? own : otherwise;
}

static void merge_times(struct call *call)
{
    const struct wf_client_times *own = call->options->times;
    call->times = call->client->options.times;
    if (own == NULL) return;
    call->times.total = merged(own->total, call->times.total);
    call->times.pool = merged(own->pool, call->times.pool);
    call->times.connect = merged(own->connect, call->times.connect);
    call->times.tls = merged(own->tls, call->times.tls);
    call->times.write = merged(own->write, call->times.write);
    call->times.head = merged(own->head, call->times.head);
    call->times.body = merged(own->body, call->times.body);
}

static void finish_call(struct call *call)
{
    call_leave(call);
}

static struct call *make_call(struct client *client, struct wf_arena *arena, enum wf_method method,
                              const struct wf_fetch_options *options)
{
    struct call *call = wf_arena_new(arena, struct call);
    if (call == NULL) return NULL;
    *call = (struct call){.client = client, .arena = arena, .options = options};
    call->method = call->first_method = method;
    call->tunnel = options->upgrade_;
    call->response = options->out_;
    call->began = call->step_at = wf_now();
    merge_times(call);
    call->deadline = call->times.total > 0 ? call->began + call->times.total : WF_FOREVER;
    if (wf_arena_defer(arena, finish_call, call) < 0) return NULL;
    client->references++;
    client->statistics.calls++;
    return call;
}

static int begin(struct call *call, const char *url)
{
    struct wf_response *response = call->response;
    *response = (struct wf_response){.call_ = (struct wf_call_ *)(void *)call, .version = "", .url = ""};
    if (call->client->mistake < 0) return call_fail(call, call->client->mistake, "%s", call->client->mistake_text);
    int rc = find_url(call, url);
    if (rc < 0) return call_fail_as_told(call, rc);
    rc = payload_open(&call->payload, call->options, call->arena);
    return rc < 0 ? call_fail_as_told(call, rc) : 0;
}

static int run(struct call *call)
{
    int rc = call->deadline < WF_FOREVER ? wf_until(call->deadline, call_run(call)) : call_run(call);
    call->response->url = call->url.text;
    payload_close(&call->payload);
    return rc;
}

/* ---- The end ---- */

static void report(struct call *call, int code)
{
    const struct wf_client_options *options = &call->client->options;
    call->client->statistics.sent += call->sent;
    call->client->statistics.received += call->received;
    if (options->on_call == NULL) return;
    call_step(call, STEPS);
    const int64_t *took = call->step_took;
    struct wf_call_report told = {.method = call->method,
                                  .url = call->url.text,
                                  .code = code,
                                  .status = call->response->status,
                                  .reused = call->reused,
                                  .version = call->response->version,
                                  .waited = took[STEP_POOL],
                                  .connected = took[STEP_CONNECT],
                                  .tls = took[STEP_TLS],
                                  .answered = took[STEP_WRITE] + took[STEP_HEAD],
                                  .took = wf_now() - call->began,
                                  .sent = call->sent,
                                  .received = call->received};
    options->on_call(options->on_call_arg, &told);
}

void call_leave(struct call *call)
{
    if (call->over) return;
    call->over = true;
    if (call->wire != NULL) call->wire->protocol->leave(call);
    payload_close(&call->payload);
    body_finish(call);
    report(call, call->code);
    if (call->origin != NULL) pool_leave_origin(call->client, call->origin);
    client_release(call->client);
}

/* What the caller gets for it. */
static int conclude(struct call *call, int rc)
{
    if (rc == -ECANCELED && call->client->closed) rc = -ESHUTDOWN;
    call->code = rc;
    return call_end(call, rc);
}

static bool is_checked(const struct call *call)
{
    return call->options->check_status || call->client->options.check_status;
}

/* ---- Calls ---- */

static int check_options(const struct wf_client *handle, struct wf_arena *arena, const struct wf_fetch_options *options)
{
    if (options->size != sizeof *options || options->out_ == NULL || arena == NULL) return -EINVAL;
    *options->out_ = (struct wf_response){.status = 0, .version = "", .url = ""};
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    return handle == NULL ? -EINVAL : 0;
}

static int not_open(const struct wf_client *handle)
{
    return handle->failed_ < 0 ? handle->failed_ : wf_fail(-EBADF, "the client is not open");
}

int wf_fetch_open_(struct wf_client *handle, struct wf_arena *arena, enum wf_method method, const char *url,
                   const struct wf_fetch_options *options)
{
    int rc = check_options(handle, arena, options);
    if (rc < 0) return rc;
    struct client *client = (struct client *)(void *)handle->private_;
    if (client == NULL) return not_open(handle);
    if (wf_method_name(method) == NULL) return wf_fail(-EINVAL, "there is no such method");
    const struct wf_fetch_options *kept = wf_arena_copy(arena, options, sizeof *options);
    struct call *call = kept == NULL ? NULL : make_call(client, arena, method, kept);
    if (call == NULL) return -ENOMEM;
    rc = begin(call, url);
    if (rc == 0) rc = run(call);
    rc = conclude(call, rc);
    if (rc < 0) call_leave(call);
    if (rc == 0 && is_checked(call) && call->response->status >= 400) {
        wf_ignore(wf_response_load(call->response)); /* its beginning is part of the message */
        rc = wf_response_check(call->response);
        call_leave(call);
    }
    return rc;
}

int wf_fetch_(struct wf_client *handle, struct wf_arena *arena, enum wf_method method, const char *url,
              const struct wf_fetch_options *options)
{
    int rc = wf_fetch_open_(handle, arena, method, url, options);
    return rc < 0 ? rc : wf_response_load(options->out_);
}

/* ---- Answers ---- */

static struct call *call_of(const struct wf_response *response)
{
    return (struct call *)(void *)response->call_;
}

ssize_t wf_response_read(struct wf_response *response, void *buffer, size_t size)
{
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    struct call *call = call_of(response);
    if (call == NULL || (call->over && !call->body_ended)) return -EBADF;
    if (size == 0) return -EINVAL;
    if (call->over) return 0;
    ssize_t got = wf_until(call->deadline, body_read(call, buffer, size));
    if (got > 0) return got;
    int code = conclude(call, (int)got);
    if (code != -ECANCELED) call_leave(call);
    return code;
}

int wf_response_load(struct wf_response *response)
{
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    struct call *call = call_of(response);
    if (call == NULL) return -EBADF;
    if (response->body != NULL) return 0;
    if (call->over) return -EBADF;
    rc = conclude(call, call->deadline < WF_FOREVER ? wf_until(call->deadline, body_load(call)) : body_load(call));
    call_leave(call);
    return rc;
}

void wf_response_close(struct wf_response *response)
{
    if (response->call_ != NULL) call_leave(call_of(response));
}
