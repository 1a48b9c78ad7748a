/*
 * A foreign library inside weft: libcurl's multi interface, which says which descriptors it watches and when its timer
 * is due. A task waits for them with wf_wait_fd and a scope's deadline, and lets it go on: any number of transfers at
 * once, by one task. The server that it asks is a few lines of weft, so that the example needs no network.
 *
 *     cc curl_multi.c $(pkg-config --cflags --libs weft libcurl)
 */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

enum { TRANSFERS = 3, WATCHES_MAX = 16 };

struct watch {
    curl_socket_t fd;
    unsigned wanted;
    int found; /* readiness */
};

struct client {
    CURLM *multi;
    struct watch watches[WATCHES_MAX];
    size_t count;
    int64_t due; /* its timer */
    int running; /* transfers */
};

/* ---- What libcurl wants ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *argument, void *unused)
{
    (void)easy, (void)unused;
    struct client *client = argument;
    size_t i = 0;
    while (i < client->count && client->watches[i].fd != fd) i++;
    if (what == CURL_POLL_REMOVE) {
        if (i < client->count) client->watches[i] = client->watches[--client->count];
        return 0;
    }
    if (i == WATCHES_MAX) return -1; /* ends the transfers */
    if (i == client->count) client->count++;
    unsigned wanted = what & CURL_POLL_IN ? WF_READABLE : 0;
    if (what & CURL_POLL_OUT) wanted |= WF_WRITABLE;
    client->watches[i] = (struct watch){.fd = fd, .wanted = wanted};
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *argument)
{
    (void)multi;
    ((struct client *)argument)->due = timeout_ms < 0 ? WF_FOREVER : wf_now() + WF_MILLISECONDS(timeout_ms);
    return 0;
}

/* ---- Waiting for it, and letting it go on ---- */

static int wait_for(struct watch *watch)
{
    watch->found = wf_wait_fd(watch->fd, watch->wanted);
    return watch->found;
}

/* Lets it go on where something was found; while it does, it changes the table. */
static void go_on(struct client *client)
{
    struct watch found[WATCHES_MAX];
    size_t count = client->count;
    memcpy(found, client->watches, count * sizeof found[0]);
    for (size_t i = 0; i < count; i++) {
        if (found[i].found <= 0) continue;
        int events = found[i].found & WF_READABLE ? CURL_CSELECT_IN : 0;
        if (found[i].found & WF_WRITABLE) events |= CURL_CSELECT_OUT;
        curl_multi_socket_action(client->multi, found[i].fd, events, &client->running);
    }
    if (client->due > wf_now()) return;
    client->due = WF_FOREVER;
    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &client->running);
}

/* Waits for the first of its descriptors, or for its timer, which is -ETIME. */
static int wait_once(struct client *client)
{
    WF_SCOPE(scope, .policy = WF_FIRST_DONE, .deadline = client->due);
    for (size_t i = 0; i < client->count; i++) {
        client->watches[i].found = 0;
        wf_spawn(&scope, wait_for, &client->watches[i]);
    }
    int rc = client->count > 0 ? 0 : wf_sleep_until(WF_FOREVER);
    return wf_scope_end(&scope, rc);
}

static int run_transfers(struct client *client)
{
    while (client->running > 0) {
        int rc = wait_once(client);
        if (rc < 0 && rc != -ETIME) return rc;
        go_on(client);
    }
    return 0;
}

/* ---- The transfers ---- */

struct transfer {
    CURL *easy;
    char url[64], body[64];
    size_t size;
};

static size_t take(const char *bytes, size_t one, size_t count, void *argument)
{
    (void)one;
    struct transfer *transfer = argument;
    if (count >= sizeof transfer->body - transfer->size) return 0; /* too much: the transfer fails */
    memcpy(transfer->body + transfer->size, bytes, count);
    transfer->size += count;
    return count;
}

static void begin(struct client *client, struct transfer *transfer, uint16_t port, int number)
{
    CURL *easy = transfer->easy = curl_easy_init();
    snprintf(transfer->url, sizeof transfer->url, "http://127.0.0.1:%u/%d", (unsigned)port, number);
    curl_easy_setopt(easy, CURLOPT_URL, transfer->url);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_multi_add_handle(client->multi, easy);
}

static void end(struct client *client, const struct transfer *transfer)
{
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (transfer->size > 0) printf("%ld: %s\n", status, transfer->body);
    curl_multi_remove_handle(client->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
}

static int fetch_all(uint16_t port)
{
    struct client client = {.multi = curl_multi_init(), .due = WF_FOREVER};
    struct transfer transfers[TRANSFERS] = {{.size = 0}};
    curl_multi_setopt(client.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(client.multi, CURLMOPT_SOCKETDATA, &client);
    curl_multi_setopt(client.multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(client.multi, CURLMOPT_TIMERDATA, &client);
    for (int i = 0; i < TRANSFERS; i++) begin(&client, &transfers[i], port, i + 1);
    curl_multi_socket_action(client.multi, CURL_SOCKET_TIMEOUT, 0, &client.running);
    int rc = run_transfers(&client);
    for (int i = 0; i < TRANSFERS; i++) end(&client, &transfers[i]);
    curl_multi_cleanup(client.multi);
    return rc;
}

/* ---- A server that answers when all have asked ---- */

struct server {
    struct wf_listener *listener;
    struct wf_barrier all_have_asked;
};

static int answer(struct server *server, struct wf_stream *conn)
{
    WF_READER(reader, conn, 0);
    WF_WRITER(writer, conn, 0);
    char *request, body[32];
    int number = 0;
    ssize_t size = wf_reader_read_until(&reader, "\r\n\r\n", 4, &request);
    if (size <= 0) return (int)size;
    sscanf(request, "GET /%9d ", &number);
    int rc = wf_barrier_wait(&server->all_have_asked);
    if (rc < 0) return rc;
    int length = snprintf(body, sizeof body, "page %d", number);
    rc =
        wf_writer_printf(&writer, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", length, body);
    return rc < 0 ? rc : wf_writer_flush(&writer);
}

static int serve(struct server *server)
{
    return wf_serve_streams(server->listener, answer, server);
}

static int run(void *unused)
{
    (void)unused;
    struct server server = {.all_have_asked = WF_BARRIER(TRANSFERS)};
    int rc = wf_tcp_listen("127.0.0.1", 0, &server.listener);
    if (rc < 0) return rc;
    {
        WF_SCOPE(scope, .timeout = WF_SECONDS(20));
        wf_spawn(&scope, serve, &server);
        rc = fetch_all(wf_listener_port(server.listener));
        wf_scope_drain(&scope);
        rc = wf_scope_end(&scope, rc);
    }
    wf_listener_close(server.listener);
    return rc;
}

int main(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int status = wf_main(run, NULL);
    curl_global_cleanup();
    return status;
}
