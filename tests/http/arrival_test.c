/* What a server does with a connection before its first request: TLS, the header of a proxy. */
#include <stdio.h>
#include <string.h>
#include <weft/address.h>
#include <weft/app.h>
#include <weft/peer.h>

#include "../tls/pki.h"
#include "frames.h"
#include "http/proxy_header.h" /* the parser, which many inputs go through */

/* ---- A server ---- */

struct rigged {
    struct wf_app app;
    struct wf_tls_config *server_tls, *client_tls;
    bool proxy_protocol;
    struct wf_listener *listener;
    uint16_t port;
    char answer[2048];
};

/* "https a 127.0.0.1:5 HTTP/1.1 TLSv1.3 http/1.1 server.test -": what a handler knows of its connection. */
static int tell(struct wf_request *request)
{
    struct wf_address peer;
    struct wf_tls_info info;
    char text[WF_ADDRESS_TEXT];
    int rc = wf_request_peer(request, &peer);
    if (rc < 0) return rc;
    bool secure = wf_request_tls(request, &info) == 0;
    const char *subject = secure && info.chain_count > 0 ? info.chain[0].subject : "-";
    const char *words = wf_arena_printf(wf_request_arena(request), "%s %s %s %s %s %s %s", wf_request_scheme(request),
                                        wf_address_text(&peer, text), wf_request_version(request),
                                        secure ? info.version : "-", secure && info.alpn != NULL ? info.alpn : "-",
                                        secure && info.server_name != NULL ? info.server_name : "-", subject);
    return words != NULL ? wf_reply_text(request, 200, words) : -ENOMEM;
}

static int serve(struct rigged *rigged)
{
    return wf_serve(&rigged->app, .listener = rigged->listener, .tls = rigged->server_tls,
                    .proxy_protocol = rigged->proxy_protocol);
}

static bool open_rig(struct rigged *rigged)
{
    rigged->app = (struct wf_app){.title = "arrival"};
    wf_route(&rigged->app, WF_GET, "/", tell);
    int rc = wf_tcp_listen("127.0.0.1", 0, &rigged->listener);
    if (!WF_EXPECT_CODE(rc, 0)) return false;
    rigged->port = wf_listener_port(rigged->listener);
    return true;
}

static void close_rig(struct rigged *rigged)
{
    wf_listener_close(rigged->listener);
    wf_app_finish(&rigged->app);
    wf_tls_destroy(rigged->server_tls);
    wf_tls_destroy(rigged->client_tls);
}

static int read_answer(struct rigged *rigged, struct wf_stream *stream)
{
    size_t size = 0;
    ssize_t got;
    while ((got = wf_stream_read(stream, rigged->answer + size, sizeof rigged->answer - 1 - size)) > 0)
        size += (size_t)got;
    rigged->answer[size] = '\0';
    return (int)got;
}

static int say(struct rigged *rigged, const char *bytes, size_t size)
{
    struct wf_stream *stream;
    rigged->answer[0] = '\0';
    int rc = wf_tcp_connect("127.0.0.1", rigged->port, &stream);
    if (rc < 0) return rc;
    if (rigged->client_tls != NULL) {
        struct wf_stream *tls;
        rc = wf_tls_connect(stream, rigged->client_tls, "server.test", &tls);
        if (rc == 0) stream = tls;
    }
    if (rc == 0) rc = wf_stream_write_all(stream, bytes, size, NULL);
    if (rc == 0) rc = read_answer(rigged, stream);
    wf_stream_close(stream);
    return rc;
}

static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/* One client and a server that is drained after it. */
static int meet(struct rigged *rigged, const char *bytes, size_t size)
{
    WF_SCOPE(scope);
    int rc = wf_spawn(&scope, serve, rigged);
    if (rc == 0) rc = say(rigged, bytes, size);
    wf_scope_drain(&scope);
    return wf_scope_end(&scope, rc);
}

/* ---- TLS ---- */

static bool configure(struct rigged *rigged, const char *alpn, bool with_certificate)
{
    chance_reset();
    int rc = wf_tls_server_create(&rigged->server_tls, .identity = identity_of(SERVER), .alpn = {"h2", "http/1.1"},
                                  .ca_pem = root_pem());
    if (!WF_EXPECT_CODE(rc, 0)) return false;
    struct wf_tls_identity identity = {.certificate_pem = NULL};
    if (with_certificate) identity = identity_of(CLIENT);
    rc = wf_tls_client_create(&rigged->client_tls, .ca_pem = root_pem(), .alpn = {alpn}, .identity = identity);
    return WF_EXPECT_CODE(rc, 0);
}

WF_TEST(a_request_over_tls_knows_what_was_agreed_on, .simulated = true, .sweep = true)
{
    struct rigged rigged = {.port = 0};
    if (configure(&rigged, "http/1.1", false) && open_rig(&rigged)) {
        WF_EXPECT_CODE(meet(&rigged, request, sizeof request - 1), 0);
        WF_EXPECT_PART(rigged.answer, "\r\n\r\nhttps 127.0.0.1:");
        WF_EXPECT_PART(rigged.answer, " HTTP/1.1 TLSv1.3 http/1.1 server.test -");
    }
    close_rig(&rigged);
}

WF_TEST(a_client_shows_its_certificate_to_the_handler, .simulated = true)
{
    struct rigged rigged = {.port = 0};
    if (configure(&rigged, "http/1.1", true) && open_rig(&rigged)) {
        WF_EXPECT_CODE(meet(&rigged, request, sizeof request - 1), 0);
        WF_EXPECT_PART(rigged.answer, " CN = ada");
    }
    close_rig(&rigged);
}

WF_TEST(alpn_chooses_http2, .simulated = true, .sweep = true)
{
    struct rigged rigged = {.port = 0};
    size_t size;
    char *bytes = frames_bytes("H1eh GET /; G 0 0", &size);
    if (bytes != NULL && configure(&rigged, "h2", false) && open_rig(&rigged)) {
        WF_EXPECT_CODE(meet(&rigged, bytes, size), 0);
        const char *data = memmem(rigged.answer, sizeof rigged.answer, "https 127.0.0.1:", 16);
        if (WF_EXPECT(data != NULL)) WF_EXPECT_PART(data, " HTTP/2 TLSv1.3 h2 server.test -");
    }
    close_rig(&rigged);
}

WF_TEST(a_handshake_has_the_time_of_a_head, .timeout = WF_SECONDS(60), .simulated = true)
{
    struct rigged rigged = {.port = 0};
    if (configure(&rigged, "h2", false) && open_rig(&rigged)) {
        wf_tls_destroy(rigged.client_tls);
        rigged.client_tls = NULL;
        int64_t began = wf_now();
        WF_EXPECT_CODE(meet(&rigged, "\x16", 1), 0);
        WF_EXPECT_TEXT(rigged.answer, "");
        WF_EXPECT(wf_now() - began > WF_SECONDS(9) && wf_now() - began < WF_SECONDS(12));
    }
    close_rig(&rigged);
}

/* ---- Headers of proxies ---- */

WF_TEST(a_proxy_says_whose_connection_it_is, .simulated = true, .sweep = true)
{
    static const char bytes[] = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"
                                "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    struct rigged rigged = {.proxy_protocol = true};
    if (open_rig(&rigged)) {
        WF_EXPECT_CODE(meet(&rigged, bytes, sizeof bytes - 1), 0);
        WF_EXPECT_PART(rigged.answer, "\r\n\r\nhttp 192.0.2.1:56324 HTTP/1.1 - - - -");
    }
    close_rig(&rigged);
}

WF_TEST(a_connection_without_a_header_is_closed, .simulated = true)
{
    struct rigged rigged = {.proxy_protocol = true};
    if (open_rig(&rigged)) {
        meet(&rigged, request, sizeof request - 1);
        WF_EXPECT_TEXT(rigged.answer, "");
    }
    close_rig(&rigged);
}

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static const struct header_case {
    const char *bytes;
    size_t size;
    ssize_t used;
    const char *source, *destination;
} headers[] = {
#define HEADER(bytes, ...)                                                                                             \
    {                                                                                                                  \
        (bytes), sizeof(bytes) - 1, __VA_ARGS__                                                                        \
    }
    HEADER("PROXY TCP4 1.2.3.4 5.6.7.8 1 65535\r\nGET", 36, "1.2.3.4:1", "5.6.7.8:65535"),
    HEADER("PROXY TCP6 ::1 2001:db8::1 0 80\r\n", 33, "[::1]:0", "[2001:db8::1]:80"),
    HEADER("PROXY UNKNOWN\r\n", 15, "none", "none"),
    HEADER("PROXY UNKNOWN any thing\r\n", 25, "none", "none"),
    HEADER("PROXY UNKNOWNX\r\n", -EBADMSG, "", ""),
    HEADER("PROXY TCP4 ::1 ::1 1 2\r\n", -EBADMSG, "", ""),
    HEADER("PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n", -EBADMSG, "", ""),
    HEADER("PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n", -EBADMSG, "", ""),
    HEADER("PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n", -EBADMSG, "", ""),
    HEADER("PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", -EBADMSG, "", ""),
    HEADER("PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n", -EBADMSG, "", ""),
    HEADER("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n", -EBADMSG, "", ""),
    HEADER("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\rX", -EBADMSG, "", ""),
    HEADER("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", 0, "", ""),
    HEADER("proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n", -EBADMSG, "", ""),
    HEADER("GET / HTTP/1.1\r\n", -EBADMSG, "", ""),
    HEADER(SIGNATURE "\x21\x11\0\x0c\1\2\3\4\5\6\7\x8\0\1\0\2rest", 28, "1.2.3.4:1", "5.6.7.8:2"),
    HEADER(SIGNATURE "\x21\x11\0\x0f\1\2\3\4\5\6\7\x8\0\1\0\2\4\0\0rest", 31, "1.2.3.4:1", "5.6.7.8:2"),
    HEADER(SIGNATURE "\x20\0\0\0", 16, "none", "none"),
    HEADER(SIGNATURE "\x21\0\0\0", 16, "none", "none"),
    HEADER(SIGNATURE "\x21\x11\0\x0b\1\2\3\4\5\6\7\x8\0\1\0", -EBADMSG, "", ""),
    HEADER(SIGNATURE "\x31\x11\0\x0c\1\2\3\4\5\6\7\x8\0\1\0\2", -EBADMSG, "", ""),
    HEADER(SIGNATURE "\x22\x11\0\x0c\1\2\3\4\5\6\7\x8\0\1\0\2", -EBADMSG, "", ""),
    HEADER(SIGNATURE "\x21\x41\0\x0c\1\2\3\4\5\6\7\x8\0\1\0\2", -EBADMSG, "", ""),
    HEADER(SIGNATURE "\x21\x11\xff\xff", -EBADMSG, "", ""),
    HEADER("\r\n\r\nx", -EBADMSG, "", ""),
};

WF_TEST_EACH(a_header_is_taken_as_it_is_meant, headers)
{
    struct proxy_header header = {.has_addresses = false};
    char source[WF_ADDRESS_TEXT], destination[WF_ADDRESS_TEXT];
    WF_EXPECT_INT(proxy_header_parse(row->bytes, row->size, &header), row->used);
    if (row->used <= 0) return;
    struct wf_address none = {.size = 0};
    WF_EXPECT_TEXT(wf_address_text(header.has_addresses ? &header.source : &none, source), row->source);
    WF_EXPECT_TEXT(wf_address_text(header.has_addresses ? &header.destination : &none, destination), row->destination);
}

/* However little of a header has come, it is not taken for something else. */
WF_TEST_EACH(the_beginning_of_a_header_asks_for_more, headers)
{
    struct proxy_header header;
    for (size_t size = 0; row->used > 0 && size < (size_t)row->used; size++)
        if (!WF_EXPECT_INT(proxy_header_parse(row->bytes, size, &header), 0)) return;
}

WF_TEST_MAIN
