/* HTTP/2 over TLS: which version is agreed on, and other people's servers. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/process.h>

#include "../tls/pki.h"

enum { AT_ONCE = 64, LARGE = 3 << 20 };

/* ---- Our server ---- */

static int hello(struct wf_request *request)
{
    return wf_reply_text(request, 200, "hello");
}

struct world {
    struct wf_app app;
    struct wf_tls_config *server_tls, *client_tls;
    struct wf_listener *listener;
    char url[64];
};

static int serve(struct world *world)
{
    return wf_serve(&world->app, .listener = world->listener, .tls = world->server_tls);
}

static bool begin(struct world *world, struct wf_scope *scope, const char *first, const char *second)
{
    struct wf_tls_identity identity = identity_of(SERVER);
    chance_reset();
    wf_route(&world->app, WF_GET, "/", hello);
    if (!WF_EXPECT_CODE(wf_tls_server_create(&world->server_tls, .identity = identity, .alpn = {first, second}), 0) ||
        !WF_EXPECT_CODE(wf_tls_client_create(&world->client_tls, .ca_pem = root_pem(), .alpn = {"h2", "http/1.1"}),
                        0) ||
        !WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &world->listener), 0))
        return false;
    snprintf(world->url, sizeof world->url, "https://127.0.0.1:%u/", wf_listener_port(world->listener));
    return WF_EXPECT_CODE(wf_spawn(scope, serve, world, .daemon = true), 0);
}

static void end(struct world *world)
{
    wf_listener_close(world->listener);
    wf_tls_destroy(world->client_tls);
    wf_tls_destroy(world->server_tls);
    wf_app_finish(&world->app);
}

struct one {
    struct wf_client *client;
    const char *url;
    struct wf_response response;
};

static int get_one(struct one *one)
{
    return wf_get(one->client, wf_task_arena(), one->url, &one->response, .check_status = true);
}

static struct one *calls_to(struct wf_client *client, const char *url)
{
    struct one *calls = wf_arena_array(wf_task_arena(), AT_ONCE, sizeof *calls);
    for (int i = 0; calls != NULL && i < AT_ONCE; i++) calls[i] = (struct one){.client = client, .url = url};
    return calls;
}

/* Many at once, on so many connections, in that version. */
static void get_many(struct wf_client *client, const char *url, int64_t connections, const char *version)
{
    struct wf_client_statistics statistics;
    struct one *calls = calls_to(client, url);
    if (calls == NULL || !WF_EXPECT_CODE(wf_gather(calls, AT_ONCE, get_one), 0)) return;
    for (int i = 0; i < AT_ONCE; i++) WF_EXPECT_TEXT(calls[i].response.version, version);
    wf_client_statistics(client, &statistics);
    WF_EXPECT_INT((int64_t)statistics.opened, connections);
}

WF_TEST(a_server_that_speaks_http_2_is_asked_in_it)
{
    struct world world = {.app = {.title = "t"}};
    WF_SCOPE(scope);
    if (begin(&world, &scope, "h2", "http/1.1")) {
        WF_CLIENT(client, .tls = world.client_tls);
        get_many(&client, world.url, 1, "HTTP/2");
    }
    wf_ignore(wf_scope_end(&scope, 0));
    end(&world);
}

WF_TEST(one_that_does_not_is_asked_in_http_1)
{
    struct world world = {.app = {.title = "t"}};
    WF_SCOPE(scope);
    if (begin(&world, &scope, "http/1.1", NULL)) {
        WF_CLIENT(client, .tls = world.client_tls, .limits = {.per_host = 4});
        get_many(&client, world.url, 4, "HTTP/1.1");
        WF_CLIENT(only, .tls = world.client_tls, .version = WF_HTTP_2);
        struct one call = {.client = &only, .url = world.url};
        WF_EXPECT_CODE(get_one(&call), -EPROTO);
        WF_EXPECT_PART(wf_failure(), "127.0.0.1 does not speak HTTP/2");
    }
    wf_ignore(wf_scope_end(&scope, 0));
    end(&world);
}

/* ---- nghttpd ---- */

static const char nghttpd[] = "/usr/sbin/nghttpd";

/* real time: it does not say when it listens, so it is asked until it does; how long that takes does not matter. */
static int wait_until_it_listens(uint16_t port)
{
    struct wf_stream *stream;
    int rc;
    while ((rc = wf_tcp_connect("127.0.0.1", port, &stream)) == -ECONNREFUSED) {
        rc = wf_sleep(WF_MILLISECONDS(10));
        if (rc < 0) return rc;
    }
    if (rc == 0) wf_stream_close(stream);
    return rc;
}

static int start_nghttpd(struct wf_process *server, uint16_t port)
{
    struct wf_tls_identity identity = identity_of(SERVER);
    const char *certificate = temporary_file("certificate.pem", identity.certificate_pem);
    const char *key = temporary_file("key.pem", identity.key_pem);
    const char *number = wf_arena_printf(wf_task_arena(), "%u", port);
    const char *const argv[] =
        {nghttpd, "--address=127.0.0.1", "--echo-upload", "-d", "/nowhere", number, key, certificate, NULL};
    int rc = wf_process_start(server, argv);
    return rc < 0 ? rc : wait_until_it_listens(port);
}

/* Nobody else's, at this moment. */
static int free_port(uint16_t *port)
{
    struct wf_listener *listener;
    int rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    *port = wf_listener_port(listener);
    wf_listener_close(listener);
    return 0;
}

static void echo(struct wf_client *client, const char *url)
{
    struct wf_response response;
    char *bytes = wf_arena_alloc(wf_task_arena(), LARGE);
    if (bytes == NULL) return;
    for (size_t i = 0; i < LARGE; i++) bytes[i] = (char)('a' + i % 23);
    if (!WF_EXPECT_CODE(wf_post(client, wf_task_arena(), url, &response, .bytes = bytes, .bytes_size = LARGE), 0))
        return;
    WF_EXPECT_TEXT(response.version, "HTTP/2");
    WF_EXPECT_INT(response.status, 200);
    if (WF_EXPECT_INT((int64_t)response.size, LARGE)) WF_EXPECT(memcmp(response.body, bytes, LARGE) == 0);
}

WF_TEST(nghttpd_gets_a_large_body_and_gives_it_back, .real = true, .timeout = WF_SECONDS(60))
{
    char url[64];
    uint16_t port = 0;
    if (access(nghttpd, X_OK) < 0) {
        printf("skipped: nghttpd is not installed\n");
        return;
    }
    if (!WF_EXPECT_CODE(free_port(&port), 0)) return;
    WF_PROCESS(server);
    if (!WF_EXPECT_CODE(start_nghttpd(&server, port), 0)) return;
    const char *trusted = temporary_file("root.pem", root_pem());
    WF_CLIENT(client, .ca_file = trusted);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", port);
    for (int i = 0; i < 3; i++) echo(&client, url);
    struct one call = {.client = &client, .url = url};
    WF_EXPECT_CODE(get_one(&call), WF_ESTATUS);
    WF_EXPECT_INT(call.response.status, 404);
    struct wf_client_statistics statistics;
    wf_client_statistics(&client, &statistics);
    WF_EXPECT_INT((int64_t)statistics.opened, 1);
}

WF_TEST_MAIN
