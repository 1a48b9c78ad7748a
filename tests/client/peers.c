/*
 * The client's side of peers.py and servers.py: peers get|form|sse|ws|tour|tour2 PROXY CA-FILE URL; "-" for none.
 * Prints what came of it.
 */
#include <stdio.h>
#include <string.h>
#include <weft/client.h>
#include <weft/generator.h>
#include <weft/sse.h>
#include <weft/weft.h>
#include <weft/websocket.h>

struct task {
    const char *what, *proxy, *ca_file, *url;
};

static int get(struct wf_client *client, const struct task *task)
{
    struct wf_response response;
    int rc = wf_get(client, wf_task_arena(), task->url, &response);
    if (rc == 0) printf("%d %s\n", response.status, response.body);
    return rc;
}

static int post_form(struct wf_client *client, const struct task *task)
{
    static char large[200000];
    struct wf_response response;
    memset(large, 'x', sizeof large);
    int rc = wf_post(client, wf_task_arena(), task->url, &response,
                     .parts = WF_UPLOADS({"title", .value = "caf\303\251"}, {"a \"b\"", .value = ""},
                                         {"file", .bytes = large, .size = sizeof large, .filename = "\303\251.bin"},
                                         {"self", .path = "/proc/self/status", .filename = "status"}));
    if (rc == 0) printf("%d %s\n", response.status, response.body);
    return rc;
}

static int hear(struct wf_client *client, const struct task *task)
{
    struct wf_sse_news news;
    int rc;
    WF_SSE_SOURCE(source, client, task->url, .retry = WF_MILLISECONDS(10));
    while ((rc = wf_next(&source, &news)) > 0) printf("%s %s %s\n", news.event, news.id, news.data);
    return rc;
}

static int echo(struct wf_websocket *socket, size_t size)
{
    static char text[300001];
    struct wf_websocket_message message;
    memset(text, 'a', size);
    text[size] = '\0';
    int rc = wf_websocket_send_text(socket, text);
    if (rc == 0) rc = wf_websocket_receive(socket, wf_task_arena(), &message);
    if (rc == 1) printf("%zu %s\n", message.size, strcmp(message.bytes, text) == 0 ? "same" : "other");
    return rc == 1 ? 0 : rc < 0 ? rc : -EPIPE;
}

static int talk(struct wf_client *client, const struct task *task)
{
    struct wf_websocket *socket;
    static const size_t sizes[] = {0, 1, 125, 126, 65535, 65536, 300000};
    int rc =
        wf_websocket_connect(client, wf_task_arena(), task->url, &socket, .protocols = {"x", "chat"}, .deflate = true);
    if (rc < 0) return rc;
    printf("%s\n", wf_websocket_protocol(socket) != NULL ? wf_websocket_protocol(socket) : "none");
    for (unsigned i = 0; rc == 0 && i < WF_COUNT(sizes); i++) rc = echo(socket, sizes[i]);
    if (rc == 0) rc = wf_websocket_close(socket, WF_WEBSOCKET_NORMAL, "bye");
    if (rc == 0) printf("%u %s\n", wf_websocket_code(socket), wf_websocket_reason(socket));
    return rc;
}

/* ---- One server from all sides: servers.py ---- */

static int show(struct wf_client *client, const char *path, const char *json)
{
    struct wf_response response;
    int rc = json == NULL ? wf_get(client, wf_task_arena(), path, &response)
                          : wf_post(client, wf_task_arena(), path, &response, .json = json);
    if (rc < 0) return rc;
    uint32_t sum = 0;
    for (size_t i = 0; i < response.size; i++) sum = sum * 31 + (unsigned char)response.body[i];
    const char *encoding = wf_response_header(&response, "content-encoding");
    printf("%s %d %s %s %zu %08x\n", path, response.status, response.version, encoding != NULL ? encoding : "-",
           response.size, sum);
    return 0;
}

struct asking {
    struct wf_client *client;
    int failed;
};

static int ask_for_text(struct asking *asking)
{
    struct wf_response response;
    int rc = wf_get(asking->client, wf_task_arena(), "/text", &response);
    if (rc == 0 && (response.status != 200 || strcmp(response.body, "hello") != 0)) asking->failed++;
    return rc;
}

static int tour(struct wf_client *client)
{
    struct wf_client_statistics statistics;
    struct asking askings[20];
    int rc = show(client, "/text", NULL);
    if (rc == 0) rc = show(client, "/large", NULL);
    if (rc == 0) rc = show(client, "/chunks", NULL);
    if (rc == 0) rc = show(client, "/echo", "{\"a\":1}");
    wf_client_statistics(client, &statistics);
    if (rc == 0) printf("connections: %d\n", (int)statistics.opened);
    for (int i = 0; i < 20; i++) askings[i] = (struct asking){.client = client};
    if (rc == 0) rc = wf_gather(askings, 20, ask_for_text);
    for (int i = 1; i < 20; i++) askings[0].failed += askings[i].failed;
    wf_client_statistics(client, &statistics);
    if (rc == 0) printf("at once: %d failed, at most %d connections\n", askings[0].failed, (int)statistics.open_peak);
    return rc;
}

static __attribute__((noinline)) int tour_with(const struct task *task, bool prior)
{
    WF_CLIENT(client, .base_url = task->url, .proxy = "", .ca_file = task->ca_file, .limits = {.per_host = 4},
              .version = prior ? WF_HTTP_2 : WF_HTTP_ANY);
    return tour(&client);
}

static int do_it(const struct task *task)
{
    bool prior = strcmp(task->what, "tour2") == 0;
    if (prior || strcmp(task->what, "tour") == 0) return tour_with(task, prior);
    WF_CLIENT(client, .proxy = task->proxy, .ca_file = task->ca_file);
    if (strcmp(task->what, "get") == 0) return get(&client, task);
    if (strcmp(task->what, "form") == 0) return post_form(&client, task);
    if (strcmp(task->what, "sse") == 0) return hear(&client, task);
    return talk(&client, task);
}

static int run(struct task *task)
{
    int rc = wf_within(WF_SECONDS(20), do_it(task));
    if (rc < 0) printf("%s: %s\n", wf_strerror(rc), wf_failure() != NULL ? wf_failure() : "");
    return rc;
}

int main(int argc, char **argv)
{
    if (argc != 5) return 2;
    struct task task = {argv[1], strcmp(argv[2], "-") == 0 ? "" : argv[2], strcmp(argv[3], "-") == 0 ? NULL : argv[3],
                        argv[4]};
    return wf_run(run, &task) < 0;
}
