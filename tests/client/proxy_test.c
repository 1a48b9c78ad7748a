/* Calls through proxies: which one is taken, what it is told, tunnels, and proxies that misbehave. */
#include "client/proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/tcp.h>

#include "../tls/pki.h"

/* ---- A proxy that says these bytes, whatever it hears ---- */

struct sayer {
    const char *bytes;
    size_t size;
    bool stays; /* does not hang up behind them */
    char heard[1024];
    size_t heard_size;
    struct wf_listener *listener;
    uint16_t port;
};

static int say_to(struct sayer *sayer, struct wf_stream *stream)
{
    int rc = wf_stream_write_all(stream, sayer->bytes, sayer->size, NULL);
    if (rc == 0 && !sayer->stays) rc = wf_stream_shutdown(stream);
    while (rc == 0 && sayer->heard_size < sizeof sayer->heard - 1) {
        ssize_t got =
            wf_stream_read(stream, sayer->heard + sayer->heard_size, sizeof sayer->heard - 1 - sayer->heard_size);
        if (got <= 0) break;
        sayer->heard_size += (size_t)got;
    }
    wf_stream_close(stream);
    return rc == -ECANCELED ? rc : 0;
}

static int say_to_all(struct sayer *sayer)
{
    struct wf_stream *stream;
    int rc;
    while ((rc = wf_tcp_accept(sayer->listener, &stream)) == 0 && rc == 0) rc = say_to(sayer, stream);
    return rc;
}

static bool start_sayer(struct sayer *sayer, struct wf_scope *scope)
{
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &sayer->listener), 0)) return false;
    sayer->port = wf_listener_port(sayer->listener);
    return WF_EXPECT_CODE(wf_spawn(scope, say_to_all, sayer, .daemon = true), 0);
}

struct call_case {
    const char *name, *scheme, *url;
    const char *bytes;
    size_t size;
    int code;
    const char *why;
};

#define BYTES(text) (text), sizeof(text) - 1

#define HTTPS "https://server.test/"
#define HTTP "http://server.test/"

static const struct call_case cases[] = {
    {"a proxy answers", "http://", HTTP, BYTES("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), 0, NULL},
    {"a SOCKS server and a server answer", "socks5h://", HTTP,
     BYTES("\5\0\5\0\0\1\1\2\3\4\0\20HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), 0, NULL},
    {"a login is taken", "socks5h://u:p@", HTTP,
     BYTES("\5\2\1\0\5\0\0\1\1\2\3\4\0\20HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), 0, NULL},
    {"a login is not needed", "socks5h://u:p@", HTTP,
     BYTES("\5\0\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\20HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 0, NULL},
    {"a name is bound", "socks5h://", HTTP,
     BYTES("\5\0\5\0\0\3\3abc\0\20HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), 0, NULL},
    {"407 is the answer without a tunnel", "http://", HTTP, BYTES("HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n"), 0,
     NULL},
    {"407 to a tunnel", "http://", HTTPS, BYTES("HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n"), -EACCES,
     "it wants another login: 407"},
    {"403 to a tunnel", "http://", HTTPS, BYTES("HTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n"), -ECONNREFUSED,
     "it does not connect: 403 Forbidden"},
    {"502 after 100", "http://", HTTPS, BYTES("HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 502 no\r\n\r\n"), -ECONNREFUSED, "502"},
    {"301 to a tunnel", "http://", HTTPS, BYTES("HTTP/1.1 301 no\r\nLocation: /\r\n\r\n"), -ECONNREFUSED, "301"},
    {"nothing", "http://", HTTPS, BYTES(""), -ECONNRESET, "closed the connection without an answer"},
    {"half a head", "http://", HTTPS, BYTES("HTTP/1.1 200 OK\r\n"), -ECONNRESET, "without an answer"},
    {"no HTTP", "http://", HTTPS, BYTES("SSH-2.0-OpenSSH\r\n\r\n"), -EPROTO, "none of HTTP/1.1"},
    {"a tunnel with more", "http://", HTTPS, BYTES("HTTP/1.1 200 OK\r\n\r\nhello"), -EPROTO, "says more than"},
    {"SOCKS 4", "socks5://", "http://1.2.3.4/", BYTES("\0\132"), -EPROTO, "does not speak SOCKS 5"},
    {"HTTP on a SOCKS port", "socks5h://", HTTP, BYTES("HTTP/1.1 400 Bad\r\n\r\n"), -EPROTO, "does not speak SOCKS 5"},
    {"no method", "socks5h://", HTTP, BYTES("\5\377"), -EACCES, "wants a login"},
    {"another method", "socks5h://u:p@", HTTP, BYTES("\5\1"), -EACCES, "another kind of login"},
    {"a method that was not offered", "socks5h://", HTTP, BYTES("\5\2"), -EACCES, "wants a login"},
    {"a login refused", "socks5h://u:p@", HTTP, BYTES("\5\2\1\1"), -EACCES, "refuses the login"},
    {"a login of another version", "socks5h://u:p@", HTTP, BYTES("\5\2\5\0"), -EPROTO, "does not answer a login"},
    {"half a greeting", "socks5h://", HTTP, BYTES("\5"), -ECONNRESET, "closed the connection"},
    {"half an answer", "socks5h://", HTTP, BYTES("\5\0\5\0\0\1\1\2"), -ECONNRESET, "closed the connection"},
    {"half a name", "socks5h://", HTTP, BYTES("\5\0\5\0\0\3\377abc"), -ECONNRESET, "closed the connection"},
    {"failed", "socks5h://", HTTP, BYTES("\5\0\5\1\0\1"), -EIO, "it has failed"},
    {"forbidden", "socks5h://", HTTP, BYTES("\5\0\5\2\0\1"), -EACCES, "its rules forbid"},
    {"no network", "socks5h://", HTTP, BYTES("\5\0\5\3\0\1"), -ENETUNREACH, "the network"},
    {"no host", "socks5h://", HTTP, BYTES("\5\0\5\4\0\1"), -EHOSTUNREACH, "the host"},
    {"refused", "socks5h://", HTTP, BYTES("\5\0\5\5\0\1"), -ECONNREFUSED, "was refused"},
    {"late", "socks5h://", HTTP, BYTES("\5\0\5\6\0\1"), -ETIMEDOUT, "did not answer"},
    {"no command", "socks5h://", HTTP, BYTES("\5\0\5\7\0\1"), -EOPNOTSUPP, "it does not connect"},
    {"no such address", "socks5h://", HTTP, BYTES("\5\0\5\10\0\1"), -EAFNOSUPPORT, "kind of address"},
    {"an unknown reply", "socks5h://", HTTP, BYTES("\5\0\5\11\0\1"), -EPROTO, "unknown reply 9"},
    {"an unknown kind", "socks5h://", HTTP, BYTES("\5\0\5\0\0\2"), -EPROTO, "unknown kind 2"},
    {"another version", "socks5h://", HTTP, BYTES("\5\0\4\0\0\1"), -EPROTO, "does not speak SOCKS 5"},
};

static const char *case_name(size_t row)
{
    return cases[row].name;
}

static int get_by(struct sayer *sayer, const char *scheme, const char *url)
{
    struct wf_response response;
    char proxy[64];
    snprintf(proxy, sizeof proxy, "%s127.0.0.1:%u", scheme, sayer->port);
    WF_CLIENT(client, .proxy = proxy);
    return wf_get(&client, wf_task_arena(), url, &response);
}

WF_TEST_EACH(what_a_proxy_says_is_understood_or_refused_by_its_name, cases, .row_name = case_name)
{
    struct sayer sayer = {.bytes = row->bytes, .size = row->size};
    char name[40];
    WF_SCOPE(scope);
    if (start_sayer(&sayer, &scope)) {
        snprintf(name, sizeof name, "the proxy 127.0.0.1:%u: ", sayer.port);
        WF_EXPECT_CODE(get_by(&sayer, row->scheme, row->url), row->code);
        if (row->code < 0) WF_EXPECT_PART(wf_failure(), row->why);
        if (row->code < 0) WF_EXPECT_PART(wf_failure(), name);
    }
    wf_ignore(wf_scope_end(&scope, 0));
    wf_listener_close(sayer.listener);
}

/* What the proxy of the first row hears. */
static void expect_heard(const char *scheme, const char *url, const char *bytes, size_t size, const char *heard,
                         size_t heard_size)
{
    struct sayer sayer = {.bytes = bytes, .size = size};
    WF_SCOPE(scope);
    if (start_sayer(&sayer, &scope)) {
        wf_ignore(get_by(&sayer, scheme, url));
        wf_ignore(wf_sleep(WF_MILLISECONDS(10))); /* real time: what is on its way */
        bool same = sayer.heard_size >= heard_size && memcmp(sayer.heard, heard, heard_size) == 0;
        if (!WF_EXPECT(same)) WF_EXPECT_TEXT(sayer.heard, heard);
    }
    wf_ignore(wf_scope_end(&scope, 0));
    wf_listener_close(sayer.listener);
}

WF_TEST(a_proxy_is_asked_for_the_whole_url_with_its_own_login)
{
    expect_heard("http://me:secret@", "http://server.test/a?b=c",
                 BYTES("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
                 BYTES("GET http://server.test/a?b=c HTTP/1.1\r\nhost: server.test\r\n"
                       "proxy-authorization: Basic bWU6c2VjcmV0\r\n"));
}

WF_TEST(a_tunnel_is_asked_for_with_a_login_and_nothing_of_the_call)
{
    expect_heard("http://me:secret@", "https://server.test/a?b=c", BYTES("HTTP/1.1 403 no\r\n\r\n"),
                 BYTES("CONNECT server.test:443 HTTP/1.1\r\nhost: server.test:443\r\n"
                       "proxy-authorization: Basic bWU6c2VjcmV0\r\nuser-agent: weft/" WF_VERSION "\r\n\r\n"));
    expect_heard("http://", "https://[::1]:8443/", BYTES("HTTP/1.1 403 no\r\n\r\n"),
                 BYTES("CONNECT [::1]:8443 HTTP/1.1\r\nhost: [::1]:8443\r\nuser-agent: "));
}

WF_TEST(socks_is_asked_with_a_login_for_a_name_or_an_address)
{
    static const char yes[] = "\5\0\5\0\0\1\1\2\3\4\0\20";
    expect_heard("socks5h://", "http://server.test:8080/", yes, sizeof yes - 1,
                 BYTES("\5\1\0\5\1\0\3\13server.test\37\220GET / HTTP/1.1\r\n"));
    expect_heard("socks5h://", "http://1.2.3.4/", yes, sizeof yes - 1, BYTES("\5\1\0\5\1\0\1\1\2\3\4\0\120GET /"));
    expect_heard("socks5://", "http://[1::2]/", yes, sizeof yes - 1,
                 BYTES("\5\1\0\5\1\0\4\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\120GET /"));
    expect_heard("socks5h://me:secret@", "http://a/", BYTES("\5\2\1\0\5\0\0\1\1\2\3\4\0\20"),
                 BYTES("\5\2\0\2\1\2me\6secret\5\1\0\3\1a\0\120GET /"));
}

WF_TEST(a_proxy_that_stalls_is_named_by_the_deadline, .simulated = true, .timeout = WF_MINUTES(1))
{
    struct sayer sayer = {.bytes = "\5", .size = 1, .stays = true};
    char part[64];
    WF_SCOPE(scope);
    if (start_sayer(&sayer, &scope)) {
        snprintf(part, sizeof part, "cut while connecting by the proxy 127.0.0.1:%u", sayer.port);
        WF_EXPECT_CODE(get_by(&sayer, "socks5h://", HTTP), -ETIME);
        WF_EXPECT_PART(wf_failure(), part);
    }
    wf_ignore(wf_scope_end(&scope, 0));
    wf_listener_close(sayer.listener);
}

WF_TEST(a_proxy_that_is_not_there_is_named)
{
    struct wf_response response;
    WF_CLIENT(client, .proxy = "http://127.0.0.1:1");
    WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), HTTP, &response), -ECONNREFUSED);
    WF_EXPECT_PART(wf_failure(), "the proxy 127.0.0.1:1: ");
}

/* ---- Tunnels that lead somewhere ---- */

/* A proxy that knows one server, whatever it is asked for. */
struct relay {
    struct wf_listener *listener, *origin;
    struct wf_tls_config *tls; /* of an https proxy */
    struct wf_scope *scope;
    const char *yes;                       /* what it says before it relays */
    size_t yes_size, head_size, tail_size; /* of what comes before, and is swallowed behind it */
};

struct pump {
    struct wf_stream *from, *to;
};

static int pump(struct pump *pump)
{
    wf_ignore(wf_stream_copy(pump->from, pump->to, UINT64_MAX, NULL));
    wf_ignore(wf_stream_shutdown(pump->to));
    return 0;
}

static int pass_on(struct wf_stream *near, struct wf_stream *far)
{
    struct pump back = {far, near}, forth = {near, far};
    WF_SCOPE(scope);
    int rc = wf_spawn(&scope, pump, &back);
    if (rc == 0) rc = pump(&forth);
    return wf_scope_end(&scope, rc);
}

struct passage {
    struct relay *relay;
    struct wf_stream *stream;
};

static int relay_one(struct passage *passage)
{
    const struct relay *relay = passage->relay;
    struct wf_stream *stream = passage->stream, *tls, *far;
    char head[512];
    int rc = relay->tls != NULL ? wf_tls_accept(stream, relay->tls, &tls) : 0;
    if (rc == 0 && relay->tls != NULL) stream = tls;
    if (rc == 0) rc = wf_stream_read_full(stream, head, relay->head_size, NULL);
    if (rc == 0) rc = wf_stream_write_all(stream, relay->yes, relay->yes_size, NULL);
    if (rc == 0 && relay->tail_size > 0) rc = wf_stream_read_full(stream, head, relay->tail_size, NULL);
    if (rc == 0) rc = wf_tcp_connect("127.0.0.1", wf_listener_port(relay->origin), &far);
    if (rc == 0) {
        rc = pass_on(stream, far);
        wf_stream_close(far);
    }
    wf_stream_close(stream);
    return rc == -ECANCELED ? rc : 0;
}

static int relay_all(struct relay *relay)
{
    struct passage passage = {.relay = relay};
    int rc;
    while ((rc = wf_tcp_accept(relay->listener, &passage.stream)) == 0) {
        rc = wf_spawn_copy(relay->scope, relay_one, &passage, .daemon = true);
        if (rc < 0) wf_stream_close(passage.stream);
        if (rc < 0) break;
    }
    return rc;
}

static int hello(struct wf_request *request)
{
    return wf_reply_text(request, 200, wf_request_header(request, "host"));
}

struct world {
    struct wf_app app;
    struct wf_tls_config *server_tls, *client_tls;
    struct relay relay;
};

static int serve(struct world *world)
{
    return wf_serve(&world->app, .listener = world->relay.origin, .tls = world->server_tls);
}

static bool begin(struct world *world, struct wf_scope *scope)
{
    chance_reset();
    struct wf_tls_identity identity = identity_of(SERVER);
    wf_route(&world->app, WF_GET, "/", hello);
    world->relay.scope = scope;
    return WF_EXPECT_CODE(wf_tls_server_create(&world->server_tls, .identity = identity, .alpn = {"http/1.1"}), 0) &&
           WF_EXPECT_CODE(wf_tls_client_create(&world->client_tls, .ca_pem = root_pem()), 0) &&
           WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &world->relay.origin), 0) &&
           WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &world->relay.listener), 0) &&
           WF_EXPECT_CODE(wf_spawn(scope, serve, world, .daemon = true), 0) &&
           WF_EXPECT_CODE(wf_spawn(scope, relay_all, &world->relay, .daemon = true), 0);
}

static void end(struct world *world)
{
    wf_listener_close(world->relay.listener);
    wf_listener_close(world->relay.origin);
    wf_tls_destroy(world->client_tls);
    wf_tls_destroy(world->server_tls);
    wf_app_finish(&world->app);
}

static void get_through(struct world *world, const char *scheme, const char *ca_file)
{
    struct wf_response response;
    char proxy[64];
    struct wf_client_statistics statistics;
    snprintf(proxy, sizeof proxy, "%s:%u", scheme, wf_listener_port(world->relay.listener));
    WF_CLIENT(client, .proxy = proxy, .tls = world->client_tls, .ca_file = ca_file);
    for (int i = 0; i < 2; i++) {
        if (!WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), "https://server.test/", &response), 0)) return;
        WF_EXPECT_TEXT(response.body, "server.test");
    }
    wf_client_statistics(&client, &statistics);
    WF_EXPECT_INT((int64_t)statistics.opened, 1);
}

static void tunnel(const char *scheme, bool tls, const char *yes, size_t yes_size, size_t head_size, size_t tail_size)
{
    struct world world = {.app = {.title = "t"},
                          .relay = {.yes = yes, .yes_size = yes_size, .head_size = head_size, .tail_size = tail_size}};
    const char *ca_file = tls ? temporary_file("root.pem", root_pem()) : NULL;
    WF_SCOPE(scope);
    if (begin(&world, &scope)) {
        if (tls) world.relay.tls = world.server_tls;
        get_through(&world, scheme, ca_file);
    }
    wf_ignore(wf_scope_end(&scope, 0));
    end(&world);
}

static const char connect_head[] =
    "CONNECT server.test:443 HTTP/1.1\r\nhost: server.test:443\r\nuser-agent: weft/" WF_VERSION "\r\n\r\n";

WF_TEST(tls_goes_through_a_tunnel)
{
    tunnel("http://127.0.0.1", false, BYTES("HTTP/1.1 200 Connected\r\n\r\n"), sizeof connect_head - 1, 0);
}

WF_TEST(tls_goes_through_tls_to_a_proxy, .real = true)
{
    tunnel("https://127.0.0.1", true, BYTES("HTTP/1.1 200 Connected\r\n\r\n"), sizeof connect_head - 1, 0);
}

WF_TEST(tls_goes_through_socks)
{
    tunnel("socks5h://127.0.0.1", false, BYTES("\5\0\5\0\0\1\1\2\3\4\0\20"), 3, 4 + 1 + 11 + 2);
}

/* ---- Which proxy ---- */

struct choice {
    const char *url;
    const char *http, *https, *all, *none; /* of the environment */
    const char *name;                      /* of the proxy; NULL: none */
};

static const struct choice choices[] = {
    {"http://a.org", NULL, NULL, NULL, NULL, NULL},
    {"http://a.org", "http://p:3128", NULL, NULL, NULL, "p:3128"},
    {"http://a.org", "p:3128", NULL, NULL, NULL, "p:3128"},
    {"http://a.org", "http://p", NULL, NULL, NULL, "p:80"},
    {"http://a.org", "socks5://p", NULL, NULL, NULL, "p:1080"},
    {"http://a.org", "https://[::2]", NULL, NULL, NULL, "[::2]:443"},
    {"https://a.org", "http://p:1", NULL, NULL, NULL, NULL},
    {"https://a.org", "http://p:1", "http://s:2", NULL, NULL, "s:2"},
    {"https://a.org", "http://p:1", NULL, "http://q:3", NULL, "q:3"},
    {"http://a.org", "", NULL, "http://q:3", NULL, NULL},
    {"http://localhost", "http://p:1", NULL, NULL, NULL, NULL},
    {"http://127.1.2.3", "http://p:1", NULL, NULL, NULL, NULL},
    {"http://[::1]", "http://p:1", NULL, NULL, NULL, NULL},
    {"http://a.org", "http://p:1", NULL, NULL, "*", NULL},
    {"http://a.org", "http://p:1", NULL, NULL, "b.org, A.org", NULL},
    {"http://www.a.org", "http://p:1", NULL, NULL, "a.org", NULL},
    {"http://www.a.org", "http://p:1", NULL, NULL, ".a.org", NULL},
    {"http://www.a.org", "http://p:1", NULL, NULL, "*.a.org", NULL},
    {"http://ba.org", "http://p:1", NULL, NULL, "a.org", "p:1"},
    {"http://a.org", "http://p:1", NULL, NULL, "www.a.org", "p:1"},
    {"http://a.org", "http://p:1", NULL, NULL, "a.org:80", NULL},
    {"http://a.org", "http://p:1", NULL, NULL, "a.org:81", "p:1"},
    {"http://172.1.2.3", "http://p:1", NULL, NULL, "172.0.0.0/8", NULL},
    {"http://173.1.2.3", "http://p:1", NULL, NULL, "172.0.0.0/8", "p:1"},
    {"http://172.1.2.3", "http://p:1", NULL, NULL, "172.1.2.3", NULL},
    {"http://172.1.2.3", "http://p:1", NULL, NULL, "2.3", "p:1"},
    {"http://172.1.2.3", "http://p:1", NULL, NULL, "172.0.0.0/x 172.0.0.0/33 x/8", "p:1"},
    {"http://[fd00::1]", "http://p:1", NULL, NULL, "fd00::/8", NULL},
    {"http://[fd00::1]", "http://p:1", NULL, NULL, "[fd00::1]", NULL},
    {"http://[fd00::1]:8", "http://p:1", NULL, NULL, "[fd00::1]:8", NULL},
    {"http://[fd00::1]", "http://p:1", NULL, NULL, "fd00::1", NULL},
};

static void set(const char *name, const char *value)
{
    if (value != NULL) setenv(name, value, 1);
    else unsetenv(name);
}

static void set_environment(const struct choice *choice)
{
    set("http_proxy", choice != NULL ? choice->http : NULL);
    set("https_proxy", choice != NULL ? choice->https : NULL);
    set("all_proxy", choice != NULL ? choice->all : NULL);
    set("no_proxy", choice != NULL ? choice->none : NULL);
}

WF_TEST_EACH(the_environment_says_which_proxy, choices)
{
    struct client *client = wf_arena_new(wf_task_arena(), struct client);
    struct wf_url url;
    if (client == NULL || !WF_EXPECT_CODE(wf_url_parse(row->url, wf_task_arena(), &url), 0)) return;
    wf_arena_init(&client->arena);
    set_environment(row);
    if (WF_EXPECT_CODE(proxies_read(client), 0)) {
        const struct proxy *proxy = proxy_for(client, &url, url.scheme[4] == 's');
        WF_EXPECT_TEXT(proxy != NULL ? proxy->name : "none", row->name != NULL ? row->name : "none");
    }
    set_environment(NULL);
    wf_arena_finish(&client->arena);
}

static int get_with(const char *proxy)
{
    struct wf_response response;
    WF_CLIENT(client, .proxy = proxy);
    return wf_get(&client, wf_task_arena(), HTTP, &response);
}

WF_TEST(what_is_no_proxy_is_said_without_its_password)
{
    WF_EXPECT_FAILURE(get_with("http://u:secret@"), -EINVAL, ".proxy is no URL of a proxy");
    WF_EXPECT_FAILURE(get_with("ftp://u:secret@p"), -EINVAL, "proxies do not speak \"ftp\"");
}

WF_TEST_MAIN
