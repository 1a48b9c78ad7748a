/* Calls over TLS: who may answer, and what is said of those who may not. */
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/client.h>

#include "../tls/pki.h"

static int hello(struct wf_request *request)
{
    return wf_reply_text(request, 200, wf_request_scheme(request));
}

struct world {
    struct wf_app app;
    struct wf_tls_config *server_tls, *client_tls;
    struct wf_listener *listener;
    struct wf_response response;
    char url[64];
};

static int serve(struct world *world)
{
    return wf_serve(&world->app, .listener = world->listener, .tls = world->server_tls);
}

static bool begin(struct world *world, struct wf_scope *scope, enum who who, const char *crl_file)
{
    struct wf_tls_identity identity = identity_of(who);
    chance_reset();
    wf_route(&world->app, WF_GET, "/", hello);
    if (!WF_EXPECT_CODE(wf_tls_server_create(&world->server_tls, .identity = identity, .alpn = {"http/1.1"}), 0) ||
        !WF_EXPECT_CODE(wf_tls_client_create(&world->client_tls, .ca_pem = root_pem(), .crl_file = crl_file), 0) ||
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

/* What a call gives that is made to a server with such a certificate. */
static void call(enum who who, const char *crl_file, int code, const char *why)
{
    struct world world = {.app = {.title = "t"}};
    WF_SCOPE(scope);
    if (begin(&world, &scope, who, crl_file)) {
        WF_CLIENT(client, .tls = world.client_tls);
        WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), world.url, &world.response), code);
        if (code < 0) WF_EXPECT_PART(wf_failure(), why);
        if (code < 0) WF_EXPECT_PART(wf_failure(), "in the TLS handshake");
    }
    wf_ignore(wf_scope_end(&scope, 0));
    end(&world);
}

WF_TEST(a_server_that_is_who_it_says_is_asked)
{
    call(SERVER, NULL, 0, NULL);
}

WF_TEST(a_server_that_is_not_is_refused_with_the_reason)
{
    call(EXPIRED, NULL, -EKEYEXPIRED, "expired");
    call(STRANGER, NULL, -EKEYREJECTED, "127.0.0.1");
    call(SHOP, NULL, -EKEYREJECTED, "127.0.0.1");
    call(ALONE, NULL, -EKEYREJECTED, "127.0.0.1");
}

WF_TEST(a_server_whose_certificate_was_revoked_is_refused, .real = true)
{
    call(REVOKED, temporary_file("crl.pem", crl_pem()), -EKEYREVOKED, "revoked");
}

WF_TEST(a_pinned_certificate_must_be_the_servers)
{
    struct world world = {.app = {.title = "t"}};
    WF_SCOPE(scope);
    if (begin(&world, &scope, SERVER, NULL)) {
        struct wf_tls_info info;
        struct wf_stream *stream;
        uint16_t port = wf_listener_port(world.listener);
        const char *pin = NULL;
        if (WF_EXPECT_CODE(wf_tls_dial("127.0.0.1", port, world.client_tls, &stream), 0)) {
            if (WF_EXPECT_CODE(wf_tls_info(stream, wf_task_arena(), &info), 0)) pin = info.chain[0].fingerprint;
            wf_stream_close(stream);
        }
        WF_CLIENT(right, .tls = world.client_tls, .pins = {pin});
        WF_CLIENT(wrong, .tls = world.client_tls, .pins = {"00"});
        if (pin != NULL) WF_EXPECT_CODE(wf_get(&right, wf_task_arena(), world.url, &world.response), 0);
        WF_EXPECT_CODE(wf_get(&wrong, wf_task_arena(), world.url, &world.response), -EKEYREJECTED);
        WF_EXPECT_PART(wf_failure(), "none of those that are pinned");
    }
    wf_ignore(wf_scope_end(&scope, 0));
    end(&world);
}

WF_TEST(one_handshake_is_enough_for_many_calls)
{
    struct world world = {.app = {.title = "t"}};
    WF_SCOPE(scope);
    if (begin(&world, &scope, SERVER, NULL)) {
        WF_CLIENT(client, .tls = world.client_tls);
        struct wf_tls_statistics statistics;
        for (int i = 0; i < 5; i++)
            if (WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), world.url, &world.response), 0))
                WF_EXPECT_TEXT(world.response.body, "https");
        wf_tls_statistics(world.client_tls, &statistics);
        WF_EXPECT_INT((int64_t)statistics.handshakes, 1);
    }
    wf_ignore(wf_scope_end(&scope, 0));
    end(&world);
}

/* ---- A server that hangs up without a goodbye ---- */

static int answer_and_hang_up(struct world *world)
{
    static const char text[] = "HTTP/1.1 200 OK\r\n\r\nhalf of it";
    struct wf_stream *stream, *tls;
    char head[1024];
    int rc = wf_tcp_accept(world->listener, &stream);
    if (rc < 0) return rc;
    rc = wf_tls_accept(stream, world->server_tls, &tls);
    if (rc < 0) {
        wf_stream_close(stream);
        return 0;
    }
    wf_ignore(wf_stream_read(tls, head, sizeof head));
    wf_ignore(wf_stream_write_all(tls, text, sizeof text - 1, NULL));
    wf_stream_close(tls);
    return 0;
}

WF_TEST(an_answer_that_ends_with_the_connection_must_end_by_a_goodbye)
{
    struct world world = {.app = {.title = "t"}};
    struct wf_tls_identity identity = identity_of(SERVER);
    chance_reset();
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(wf_tls_server_create(&world.server_tls, .identity = identity), 0) &&
        WF_EXPECT_CODE(wf_tls_client_create(&world.client_tls, .ca_pem = root_pem()), 0) &&
        WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &world.listener), 0) &&
        WF_EXPECT_CODE(wf_spawn(&scope, answer_and_hang_up, &world, .daemon = true), 0)) {
        WF_CLIENT(client, .tls = world.client_tls, .times = {.total = WF_SECONDS(5)});
        snprintf(world.url, sizeof world.url, "https://127.0.0.1:%u/", wf_listener_port(world.listener));
        WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), world.url, &world.response), WF_EEND);
        WF_EXPECT_PART(wf_failure(), "reading the body");
    }
    wf_ignore(wf_scope_end(&scope, 0));
    end(&world);
}

WF_TEST_MAIN
