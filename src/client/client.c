/* Clients: their options, their beginning and end. */
#include <stdio.h>
#include <string.h>
#include <weft/address.h>
#include <weft/extend.h>
#include <weft/task.h>
#include <weft/time.h>
#include <weft/tls.h>

#include "client/client.h"
#include "client/cookies.h"
#include "client/proxy.h"

#define CONNECTIONS_DEFAULT 100
#define PER_HOST_DEFAULT 30

/* For the tasks of connections that are closed, to notice it. */
#define GRACE WF_MILLISECONDS(100)

/* ---- Options ---- */

static void note_mistake(struct client *client, int code, const char *text)
{
    if (client->mistake != 0) return;
    client->mistake = code;
    snprintf(client->mistake_text, sizeof client->mistake_text, "%s", text != NULL ? text : wf_strerror(code));
}

static void copy_text(struct client *client, const char **text)
{
    if (*text == NULL) return;
    *text = wf_arena_strdup(&client->arena, *text);
    if (*text == NULL) note_mistake(client, -ENOMEM, NULL);
}

static void copy_fields(struct client *client, const struct wf_named **fields)
{
    size_t count = 0;
    if (*fields == NULL) return;
    while ((*fields)[count].name != NULL) count++;
    struct wf_named *copy = wf_arena_copy(&client->arena, *fields, (count + 1) * sizeof *copy);
    if (copy == NULL) note_mistake(client, -ENOMEM, NULL);
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy_text(client, &copy[i].name);
        copy_text(client, &copy[i].value);
    }
    *fields = copy;
}

static void copy_texts(struct client *client)
{
    struct wf_client_options *options = &client->options;
    copy_fields(client, &options->headers);
    copy_fields(client, &options->params);
    copy_text(client, &options->user_agent);
    copy_text(client, &options->bearer);
    copy_text(client, &options->basic.user);
    copy_text(client, &options->basic.password);
    copy_text(client, &options->proxy);
    copy_text(client, &options->unix_path);
    copy_text(client, &options->ca_file);
    copy_text(client, &options->record);
    copy_text(client, &options->replay);
    for (size_t i = 0; i < WF_COUNT(options->pins); i++) copy_text(client, &options->pins[i]);
    if (options->local != NULL) options->local = wf_arena_copy(&client->arena, options->local, sizeof *options->local);
}

#define DEFAULT(field, value)                                                                                          \
    do                                                                                                                 \
        if ((field) == 0) (field) = (value);                                                                           \
    while (0)

static void fill_in(struct wf_client_options *options)
{
    if (options->user_agent == NULL) options->user_agent = "weft/" WF_VERSION;
    DEFAULT(options->times.connect, WF_SECONDS(10));
    DEFAULT(options->times.tls, WF_SECONDS(10));
    DEFAULT(options->times.write, WF_SECONDS(60));
    DEFAULT(options->times.head, WF_SECONDS(60));
    DEFAULT(options->times.body, WF_SECONDS(60));
    DEFAULT(options->limits.connections, CONNECTIONS_DEFAULT);
    DEFAULT(options->limits.per_host, PER_HOST_DEFAULT);
    DEFAULT(options->limits.waiting, 10000);
    DEFAULT(options->limits.idle_time, WF_SECONDS(60));
    DEFAULT(options->limits.body_max, 64 << 20);
    DEFAULT(options->limits.head_max, 65536);
    DEFAULT(options->limits.fields_max, 200);
    DEFAULT(options->limits.streams, 100);
    DEFAULT(options->redirects, 10);
    if (options->name == NULL) options->name = "client";
}

static void read_base(struct client *client)
{
    if (client->options.base_url == NULL) return;
    int rc = wf_url_parse(client->options.base_url, &client->arena, &client->base);
    if (rc == 0 && client->base.port != 0) return;
    client->base.text = NULL;
    note_mistake(client, rc < 0 ? rc : -EINVAL, rc < 0 ? wf_failure() : "the base URL is none of HTTP");
}

static void open_jar(struct client *client)
{
    if (!client->options.cookies) return;
    if (!public_suffixes_known())
        note_mistake(client, -EOPNOTSUPP, "cookies need libpsl, which weft-http was built without");
    else if ((client->jar = jar_create()) == NULL) note_mistake(client, -ENOMEM, NULL);
}

static void find_proxies(struct client *client)
{
    int rc = proxies_read(client);
    if (rc < 0) note_mistake(client, rc, rc == -ENOMEM ? NULL : wf_failure());
}

/* ---- Beginning and end ---- */

int wf_client_open_(struct wf_background *tasks, const struct wf_client_options *options)
{
    struct wf_client *handle = options->client_;
    if (options->size != sizeof *options) return -EINVAL;
    if (handle->private_ != NULL) return -EALREADY;
    struct client *client = wf_memory_alloc(sizeof *client);
    if (client == NULL) return -ENOMEM;
    *client = (struct client){.options = *options,
                              .tasks = tasks,
                              .references = 1,
                              .closing = WF_TOKEN,
                              .tls_made = WF_ONCE,
                              .tape_loaded = WF_ONCE,
                              .tls_of_1_made = WF_ONCE,
                              .token_lock = WF_MUTEX};
    wf_arena_init(&client->arena);
    copy_texts(client);
    fill_in(&client->options);
    read_base(client);
    open_jar(client);
    find_proxies(client);
    handle->private_ = (struct wf_client_ *)(void *)client;
    return 0;
}

/* The background is no variable of the block, which would be large. */
void wf_client_begin_(const struct wf_client_options *options)
{
    struct wf_client *handle = options->client_;
    struct wf_background *tasks = wf_memory_alloc(sizeof *tasks);
    if (tasks == NULL) {
        handle->failed_ = -ENOMEM;
        return;
    }
    *tasks = (struct wf_background){.closing_ = true};
    wf_background_open_(&(struct wf_background_options){.size = sizeof(struct wf_background_options),
                                                        .background_ = tasks,
                                                        .grace = GRACE,
                                                        .name = "http client",
                                                        .place_ = options->place_});
    handle->tasks_ = tasks;
    handle->failed_ = wf_client_open_(tasks, options);
}

void wf_client_leave_(struct wf_client *handle)
{
    wf_client_close(handle);
    if (handle->tasks_ == NULL) return;
    if (wf_background_active(handle->tasks_) > 0)
        wf_ignore(wf_shielded(2 * GRACE, wf_background_shutdown(handle->tasks_)));
    wf_background_leave_(handle->tasks_);
    wf_memory_free(handle->tasks_);
}

void client_release(struct client *client)
{
    if (--client->references > 0) return;
    wf_tls_destroy(client->tls);
    wf_tls_destroy(client->tls_of_1);
    jar_destroy(client->jar);
    wf_memory_free(client->token);
    wf_arena_finish(&client->arena);
    wf_memory_free(client);
}

void wf_client_close(struct wf_client *handle)
{
    struct client *client = (struct client *)(void *)handle->private_;
    if (client == NULL) return;
    handle->private_ = NULL;
    pool_close(client);
    client_release(client);
}

void wf_client_statistics(const struct wf_client *handle, struct wf_client_statistics *statistics)
{
    const struct client *client = (const struct client *)(const void *)handle->private_;
    *statistics = client != NULL ? client->statistics : (struct wf_client_statistics){.idle = 0};
}

/* ---- Warming ---- */

struct warming {
    struct client *client;
    const struct wf_url *url;
    struct call call;
};

static int open_connection(struct warming *warming)
{
    struct call *call = &warming->call;
    struct wf_response nothing = {.status = 0};
    *call = (struct call){.client = warming->client, .arena = wf_task_arena(), .response = &nothing};
    call->url = *warming->url;
    call->times = call->client->options.times;
    call->origin = pool_origin(call->client, warming->url);
    if (call->origin == NULL) return -ENOMEM;
    int rc = pool_acquire(call);
    return call_end(call, rc);
}

static int open_all(struct warming *warmings, uint32_t count)
{
    uint32_t begun = 0;
    WF_SCOPE(scope);
    int rc = 0;
    while (rc == 0 && begun < count) rc = wf_spawn(&scope, open_connection, &warmings[begun++], .name = "warm up");
    return wf_scope_end(&scope, rc);
}

/* All are lent before one comes back, so that they are as many. */
int wf_client_warm(struct wf_client *handle, const char *text, uint32_t count)
{
    struct wf_url url;
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    struct client *client = (struct client *)(void *)handle->private_;
    if (client == NULL) return wf_fail(-EBADF, "the client is not open");
    rc = wf_url_parse(text[0] == '\0' && client->base.text != NULL ? client->base.text : text, wf_task_arena(), &url);
    if (rc < 0) return rc;
    if (count > client->options.limits.per_host) count = client->options.limits.per_host;
    if (count > client->options.limits.connections) count = client->options.limits.connections;
    struct warming *warmings = wf_memory_alloc((count + 1) * sizeof *warmings);
    if (warmings == NULL) return -ENOMEM;
    for (uint32_t i = 0; i < count; i++) warmings[i] = (struct warming){.client = client, .url = &url};
    client->references++;
    rc = open_all(warmings, count);
    for (uint32_t i = 0; i < count; i++) {
        struct call *call = &warmings[i].call;
        call->body_ended = call->keep_alive = true;
        if (call->wire != NULL) call->wire->protocol->leave(call);
        if (call->origin != NULL) pool_leave_origin(client, call->origin);
    }
    wf_memory_free(warmings);
    client_release(client);
    return rc;
}
