/* S074: one server on several loops, drained with nothing lost. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

enum { LOOPS = 3, VISITS = 30 };

struct site {
    struct wf_app app;
    bool reuse_port;
    atomic_uint port;
    atomic_int on[LOOPS]; /* requests that were answered there */
    atomic_int heard;     /* by on_request */
    atomic_int begun, answered, refused, torn, gone;
};

static int tell_loop(struct wf_request *request)
{
    struct site *site = wf_request_state(request);
    site->on[wf_loop_index()]++;
    char text[16];
    snprintf(text, sizeof text, "loop %d", wf_loop_index());
    return wf_reply_text(request, 200, text);
}

static int take_time(struct wf_request *request)
{
    struct site *site = wf_request_state(request);
    site->begun++;
    int rc = wf_sleep(WF_MILLISECONDS(2));
    return rc < 0 ? rc : wf_reply_text(request, 200, "taken");
}

static void hear(const struct wf_request *request, void *arg)
{
    (void)request;
    ((struct site *)arg)->heard++;
}

static bool declare(struct site *site)
{
    site->app = (struct wf_app){.title = "loops", .state = site, .on_request = hear, .on_request_arg = site};
    wf_route(&site->app, WF_GET, "/", tell_loop);
    wf_route(&site->app, WF_GET, "/slow", take_time);
    return true;
}

static void note_port(struct wf_app *app, uint16_t port, void *arg)
{
    (void)app;
    ((struct site *)arg)->port = port;
}

static int serve(struct site *site)
{
    return wf_serve(&site->app, .host = "127.0.0.1", .spread = true, .reuse_port = site->reuse_port,
                    .listening = note_port, .listening_arg = site);
}

static bool begin(struct wf_scope *server, struct site *site)
{
    int rc = wf_spawn(server, serve, site);
    while (rc == 0 && site->port == 0 && !wf_scope_cancelled(server))
        rc = wf_sleep(WF_MILLISECONDS(1)); /* real time: */
    return rc == 0 && site->port != 0;     /* it starts */
}

/* A request on a connection that stays; the answer's first bytes and body are looked at. */
static int ask(struct wf_stream *stream, const char *path, const char *body)
{
    char text[512];
    size_t size = (size_t)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    int rc = wf_stream_write_all(stream, text, size, NULL);
    size = 0;
    while (rc == 0) {
        ssize_t got = wf_stream_read(stream, text + size, sizeof text - 1 - size);
        if (got <= 0) return got < 0 ? (int)got : -ECONNRESET;
        text[size += (size_t)got] = '\0';
        if (strstr(text, body) == NULL) continue;
        return strncmp(text, "HTTP/1.1 200 ", 13) == 0 ? 0 : -EPROTO;
    }
    return rc;
}

static int open_all(struct site *site, struct wf_stream **streams)
{
    int count = 0;
    for (; count < VISITS; count++) {
        if (!WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", (uint16_t)site->port, &streams[count]), 0)) break;
        if (!WF_EXPECT_CODE(wf_within(WF_SECONDS(5), ask(streams[count], "/", "loop ")), 0)) return count + 1;
    }
    return count;
}

WF_TEST(connections_go_evenly_to_all_loops, .loops = LOOPS, .timeout = WF_SECONDS(30))
{
    struct site site = {.reuse_port = false};
    struct wf_stream *streams[VISITS];
    declare(&site);
    WF_SCOPE(server);
    int count = WF_EXPECT(begin(&server, &site)) ? open_all(&site, streams) : 0;
    WF_EXPECT_INT(count, VISITS);
    for (int i = 0; i < LOOPS; i++) WF_EXPECT(site.on[i] >= VISITS / LOOPS - 1); /* one has the gate as well */
    WF_EXPECT_INT(site.heard, VISITS);
    wf_scope_drain(&server);
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
    for (int i = 0; i < count; i++) wf_stream_close(streams[i]);
    wf_app_finish(&site.app);
}

/* A simulated world has no ports that are shared. */
WF_TEST(each_loop_may_have_a_socket_of_its_own, .loops = LOOPS, .real = true)
{
    struct site site = {.reuse_port = true};
    struct wf_stream *streams[VISITS];
    declare(&site);
    WF_SCOPE(server);
    int count = WF_EXPECT(begin(&server, &site)) ? open_all(&site, streams) : 0;
    WF_EXPECT_INT(count, VISITS);
    int used = 0;
    for (int i = 0; i < LOOPS; i++) used += site.on[i] > 0;
    WF_EXPECT(used > 1);
    wf_scope_drain(&server);
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
    for (int i = 0; i < count; i++) wf_stream_close(streams[i]);
    wf_app_finish(&site.app);
}

/* ---- The end, under load ---- */

/* A client of a connection for each request goes on until nobody listens. */
static int load(struct site *site)
{
    for (;;) {
        struct wf_stream *stream;
        if (wf_tcp_connect("127.0.0.1", (uint16_t)site->port, &stream) < 0) break;
        int rc = wf_shielded(WF_SECONDS(5), ask(stream, "/slow", "taken"));
        wf_stream_close(stream);
        if (rc == 0) site->answered++;
        else site->refused++; /* it stood in the queue of a socket that was closed */
        if (rc == -ETIME || rc == -EPROTO) site->torn++;
        if (rc < 0) break;
    }
    site->gone++;
    return 0;
}

enum { CLIENTS = 9 };

WF_TEST(a_drain_loses_nothing_that_was_begun_on_any_loop, .loops = LOOPS, .timeout = WF_SECONDS(30))
{
    struct site site = {.reuse_port = false};
    declare(&site);
    WF_SCOPE(server);
    if (WF_EXPECT(begin(&server, &site))) {
        WF_SCOPE(clients);
        for (int i = 0; i < CLIENTS; i++) wf_spawn(&clients, load, &site);
        while (site.answered < 100 && site.gone < CLIENTS && wf_sleep(WF_MILLISECONDS(1)) == 0)
            continue; /* real time: until they are at it */
        wf_scope_drain(&server);
        WF_EXPECT_CODE(wf_scope_join(&clients), 0);
    }
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
    WF_EXPECT_INT(site.begun, site.answered);
    WF_EXPECT_INT(site.torn, 0);
    wf_app_finish(&site.app);
}

/* ---- What does not begin ---- */

WF_TEST(a_port_that_is_taken_ends_all_servers, .loops = LOOPS)
{
    struct site site = {.reuse_port = false};
    struct wf_listener *listener;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    declare(&site);
    int rc = wf_serve(&site.app, .host = "127.0.0.1", .port = wf_listener_port(listener), .spread = true);
    WF_EXPECT_CODE(rc, -EADDRINUSE);
    wf_listener_close(listener);
    wf_app_finish(&site.app);
}

WF_TEST(places_to_listen_exclude_each_other)
{
    struct wf_app app = {.title = "nowhere"};
    struct wf_listener *listener = (struct wf_listener *)&app; /* never looked at */
    WF_EXPECT_CODE(wf_serve(&app, .listener = listener, .unix_path = "/tmp/a"), -EINVAL);
    WF_EXPECT_CODE(wf_serve(&app, .inherited = true, .unix_path = "/tmp/a"), -EINVAL);
    WF_EXPECT_CODE(wf_serve(&app, .reuse_port = true, .unix_path = "/tmp/a"), -EINVAL);
    WF_EXPECT_CODE(wf_serve(&app, .inherited = true), -ENOENT);
    wf_app_finish(&app);
}

WF_TEST(whatever_goes_wrong_nothing_of_a_spread_server_is_left, .loops = LOOPS, .sweep = true)
{
    struct site site = {.reuse_port = false};
    declare(&site);
    WF_SCOPE(server, .policy = WF_COLLECT);
    struct wf_stream *stream;
    if (wf_spawn(&server, serve, &site) == 0) {
        for (int i = 0; i < 50 && site.port == 0 && wf_sleep(WF_MILLISECONDS(1)) == 0; i++) continue; /* real time: */
        if (site.port != 0 && wf_tcp_connect("127.0.0.1", (uint16_t)site.port, &stream) == 0) {
            wf_ignore(wf_within(WF_SECONDS(5), ask(stream, "/", "loop ")));
            wf_stream_close(stream);
        }
        wf_scope_drain(&server);
    }
    wf_scope_join(&server);
    wf_app_finish(&site.app);
}

WF_TEST_MAIN
