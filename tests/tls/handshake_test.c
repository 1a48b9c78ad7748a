/* Handshakes: what both sides agree on, and what they resume. */
#include <string.h>

#include "pki.h"

static bool ask(struct rig *rig, struct wf_tls_info *client, struct wf_tls_info *server)
{
    return WF_EXPECT_CODE(wf_tls_info(rig->client.tls, wf_task_arena(), client), 0) &&
           WF_EXPECT_CODE(wf_tls_info(rig->server.tls, wf_task_arena(), server), 0);
}

/* A byte each way: tickets come with it. */
static bool exchange(struct rig *rig)
{
    char byte = '?';
    bool there = WF_EXPECT_CODE(wf_stream_write_all(rig->server.tls, "s", 1, NULL), 0) &&
                 WF_EXPECT_INT(wf_stream_read(rig->client.tls, &byte, 1), 1) && WF_EXPECT(byte == 's');
    return there && WF_EXPECT_CODE(wf_stream_write_all(rig->client.tls, "c", 1, NULL), 0) &&
           WF_EXPECT_INT(wf_stream_read(rig->server.tls, &byte, 1), 1) && WF_EXPECT(byte == 'c');
}

static const struct version_case {
    enum wf_tls_version version;
    const char *name;
} versions[] = {{WF_TLS_1_2, "TLSv1.2"}, {WF_TLS_1_3, "TLSv1.3"}};

WF_TEST_EACH(both_sides_know_what_they_agreed_on, versions)
{
    struct rig rig;
    struct wf_tls_info client, server;
    bool ready = rig_configure(&rig, OPTIONS(.alpn = {"h2", "http/1.1"}),
                               OPTIONS(.alpn = {"http/1.1"}, .minimum = row->version, .maximum = row->version));
    if (ready && rig_open(&rig, 4096) && exchange(&rig) && ask(&rig, &client, &server)) {
        WF_EXPECT_TEXT(client.version, row->name);
        WF_EXPECT_TEXT(server.version, row->name);
        WF_EXPECT_TEXT(client.cipher, server.cipher);
        WF_EXPECT_TEXT(client.alpn, "http/1.1");
        WF_EXPECT_TEXT(server.alpn, "http/1.1");
        WF_EXPECT_TEXT(server.server_name, "server.test");
        WF_EXPECT(!client.resumed && !server.resumed);
        WF_EXPECT_INT((int64_t)server.chain_count, 0);
    }
    rig_end(&rig);
}

WF_TEST(the_peers_certificate_is_told_in_full)
{
    struct rig rig;
    struct wf_tls_info client, server;
    if (rig_configure(&rig, OPTIONS(.sessions_max = 1), OPTIONS(.identity = identity_of(CHAINED))) &&
        rig_open(&rig, 4096) && ask(&rig, &client, &server)) {
        if (WF_EXPECT_INT((int64_t)client.chain_count, 2)) {
            const struct wf_tls_certificate *own = &client.chain[0];
            WF_EXPECT_TEXT(own->subject, "CN = server.test");
            WF_EXPECT_TEXT(own->issuer, "CN = the middle");
            WF_EXPECT_TEXT(own->names[0], "server.test");
            WF_EXPECT_TEXT(own->names[1], "*.wild.test");
            WF_EXPECT_TEXT(own->names[2], "127.0.0.1");
            WF_EXPECT(own->names[3] == NULL);
            WF_EXPECT_INT(own->not_before, WF_SECONDS(INT64_C(788918400))); /* 1995 */
            WF_EXPECT_INT(own->not_after, WF_SECONDS(INT64_C(3944678400))); /* 2095 */
            WF_EXPECT_TEXT(own->key, "ED25519 256");
            WF_EXPECT_INT((int64_t)strlen(own->fingerprint), 64);
            WF_EXPECT_TEXT(client.chain[1].subject, "CN = the middle");
        }
    }
    rig_end(&rig);
}

WF_TEST(a_client_and_a_server_without_a_common_protocol_do_not_meet)
{
    struct rig rig;
    if (rig_configure(&rig, OPTIONS(.alpn = {"h2"}), OPTIONS(.alpn = {"http/1.1"})) && rig_shake(&rig, 4096)) {
        WF_EXPECT_CODE(rig.server.rc, -EPROTO);
        WF_EXPECT_PART(rig.server.text, "(ALPN)");
        WF_EXPECT_CODE(rig.client.rc, -EPROTO);
        WF_EXPECT_PART(rig.client.text, "no application protocol");
    }
    rig_end(&rig);
}

WF_TEST(who_offers_no_protocol_meets_who_has_one)
{
    struct rig rig;
    struct wf_tls_info client, server;
    if (rig_configure(&rig, OPTIONS(.sessions_max = 1), OPTIONS(.alpn = {"h2"})) && rig_open(&rig, 4096) &&
        ask(&rig, &client, &server)) {
        WF_EXPECT(client.alpn == NULL && server.alpn == NULL);
    }
    rig_end(&rig);
}

static const struct name_case {
    const char *host, *subject;
} hosts[] = {
    {"server.test", "CN = server.test"}, {"SERVER.test.", "CN = server.test"}, {"a.wild.test", "CN = server.test"},
    {"127.0.0.1", "CN = server.test"},   {"shop.test", "CN = shop"},
};

WF_TEST_EACH(a_server_shows_the_certificate_that_is_asked_for, hosts)
{
    struct rig rig;
    struct wf_tls_info client, server;
    struct wf_tls_identity more[] = {identity_of(STRANGER), identity_of(SHOP)};
    if (rig_configure(&rig, OPTIONS(.sessions_max = 1), OPTIONS(.more = more, .more_count = 2))) {
        rig.host = row->host;
        if (rig_open(&rig, 4096) && ask(&rig, &client, &server)) {
            WF_EXPECT_TEXT(client.chain[0].subject, row->subject);
        }
    }
    rig_end(&rig);
}

WF_TEST(versions_that_do_not_meet_are_refused_with_a_reason)
{
    struct rig rig;
    if (rig_configure(&rig, OPTIONS(.maximum = WF_TLS_1_2), OPTIONS(.minimum = WF_TLS_1_3)) && rig_shake(&rig, 4096)) {
        WF_EXPECT_CODE(rig.server.rc, -EPROTO);
        WF_EXPECT_PART(rig.server.text, "the peer's versions of TLS are not among ours");
        WF_EXPECT_CODE(rig.client.rc, -EPROTO);
        WF_EXPECT_PART(rig.client.text, "TLS with server.test: the peer refused, by the alert \"protocol version\"");
    }
    rig_end(&rig);
}

/* ---- TLS sessions ---- */

static void expect_statistics(struct wf_tls_config *config, uint64_t handshakes, uint64_t resumed, uint64_t failed)
{
    struct wf_tls_statistics now;
    wf_tls_statistics(config, &now);
    WF_EXPECT_INT((int64_t)now.handshakes, (int64_t)handshakes);
    WF_EXPECT_INT((int64_t)now.resumed, (int64_t)resumed);
    WF_EXPECT_INT((int64_t)now.failed, (int64_t)failed);
}

WF_TEST_EACH(the_second_connection_resumes_the_session_of_the_first, versions)
{
    struct rig rig;
    struct wf_tls_info client, server;
    if (rig_configure(&rig, OPTIONS(.maximum = row->version), OPTIONS(.minimum = row->version)) &&
        rig_open(&rig, 4096) && exchange(&rig) && rig_open(&rig, 4096) && exchange(&rig) &&
        ask(&rig, &client, &server)) {
        WF_EXPECT(client.resumed && server.resumed);
        WF_EXPECT_TEXT(client.chain[0].subject, "CN = server.test");
        expect_statistics(rig.client.config, 2, 1, 0);
        expect_statistics(rig.server.config, 2, 1, 0);
        rig.host = "a.wild.test";
        if (rig_open(&rig, 4096)) expect_statistics(rig.client.config, 3, 1, 0);
    }
    rig_end(&rig);
}

WF_TEST_EACH(without_sessions_nothing_is_resumed, versions)
{
    struct rig rig;
    struct wf_tls_options client = OPTIONS(.maximum = row->version), server = OPTIONS(.minimum = row->version);
    client.no_sessions = row->version == WF_TLS_1_2;
    server.no_sessions = row->version == WF_TLS_1_3;
    if (rig_configure_(&rig, &client, &server) && rig_open(&rig, 4096) && exchange(&rig) && rig_open(&rig, 4096) &&
        exchange(&rig))
        expect_statistics(rig.client.config, 2, 0, 0);
    rig_end(&rig);
}

WF_TEST(the_cache_of_sessions_has_the_stated_size)
{
    struct rig rig;
    if (rig_configure(&rig, OPTIONS(.sessions_max = 1, .maximum = WF_TLS_1_2), OPTIONS(.offload = false)) &&
        rig_open(&rig, 4096)) {
        rig.host = "a.wild.test";
        if (rig_open(&rig, 4096)) {
            rig.host = "server.test";
            if (rig_open(&rig, 4096)) expect_statistics(rig.client.config, 3, 0, 0);
        }
        if (rig_open(&rig, 4096)) expect_statistics(rig.client.config, 4, 1, 0);
    }
    rig_end(&rig);
}

/* A server gives two at a time, with its first bytes. */
WF_TEST(a_ticket_of_tls_1_3_is_used_once)
{
    struct rig rig;
    if (rig_configure(&rig, OPTIONS(.minimum = WF_TLS_1_3), OPTIONS(.offload = false)) && rig_open(&rig, 4096) &&
        exchange(&rig) && rig_open(&rig, 4096) && rig_open(&rig, 4096) && rig_open(&rig, 4096))
        expect_statistics(rig.client.config, 4, 2, 0);
    rig_end(&rig);
}

/* ---- Client certificates ---- */

WF_TEST_EACH(a_server_knows_the_client_that_shows_its_certificate, versions)
{
    struct rig rig;
    struct wf_tls_info client, server;
    if (rig_configure(&rig, OPTIONS(.identity = identity_of(CLIENT), .maximum = row->version),
                      OPTIONS(.ca_pem = root_pem(), .require_certificate = true, .minimum = row->version)) &&
        rig_open(&rig, 4096) && exchange(&rig) && ask(&rig, &client, &server)) {
        if (WF_EXPECT(server.chain_count > 0)) WF_EXPECT_TEXT(server.chain[0].subject, "CN = ada");
    }
    rig_end(&rig);
}

WF_TEST_EACH(a_client_without_the_certificate_that_is_required_is_refused, versions)
{
    struct rig rig;
    char byte;
    if (rig_configure(&rig, OPTIONS(.maximum = row->version),
                      OPTIONS(.ca_pem = root_pem(), .require_certificate = true, .minimum = row->version)) &&
        rig_shake(&rig, 4096)) {
        WF_EXPECT_CODE(rig.server.rc, -EKEYREJECTED);
        WF_EXPECT_PART(rig.server.text, "TLS with a client: the peer showed no certificate");
        if (row->version == WF_TLS_1_3) { /* the client had finished; its first read tells */
            if (WF_EXPECT_CODE(rig.client.rc, 0))
                WF_EXPECT_FAILURE(wf_stream_read(rig.client.tls, &byte, 1), -EKEYREJECTED, "certificate required");
        } else {
            WF_EXPECT_PART(rig.client.text, "handshake failure");
        }
    }
    rig_end(&rig);
}

WF_TEST(a_client_that_nobody_vouches_for_is_refused)
{
    struct rig rig;
    char byte;
    if (rig_configure(&rig, OPTIONS(.identity = identity_of(STRANGER)), OPTIONS(.ca_pem = root_pem())) &&
        rig_shake(&rig, 4096)) {
        WF_EXPECT_CODE(rig.server.rc, -EKEYREJECTED);
        WF_EXPECT_PART(rig.server.text, "unknown issuer \"CN = the other root\"");
        if (WF_EXPECT_CODE(rig.client.rc, 0))
            WF_EXPECT_FAILURE(wf_stream_read(rig.client.tls, &byte, 1), -EKEYREJECTED,
                              "\"unknown ca\": it does not accept");
    }
    rig_end(&rig);
}

WF_TEST(a_client_may_come_without_a_certificate_where_it_is_only_asked)
{
    struct rig rig;
    if (rig_configure(&rig, OPTIONS(.sessions_max = 1), OPTIONS(.ca_pem = root_pem()))) rig_open(&rig, 4096);
    rig_end(&rig);
}

/* ---- Keys, ciphers, threads ---- */

static const enum who keys[] = {SERVER, RSA_SERVER, EC_SERVER};

/* Signatures by ECDSA have no fixed size. */
WF_TEST_EACH(keys_of_every_kind_are_served, keys, .unswept = "sizes of messages depend on chance")
{
    struct rig rig;
    if (rig_configure(&rig, OPTIONS(.sessions_max = 1), OPTIONS(.identity = identity_of(*row)))) rig_open(&rig, 4096);
    rig_end(&rig);
}

WF_TEST_EACH(the_steps_of_a_handshake_may_run_on_threads, versions)
{
    struct rig rig;
    if (rig_configure(&rig, OPTIONS(.offload = true, .maximum = row->version),
                      OPTIONS(.offload = true, .minimum = row->version)) &&
        rig_open(&rig, 4096) && exchange(&rig) && rig_open(&rig, 4096) && exchange(&rig))
        expect_statistics(rig.client.config, 2, 1, 0);
    rig_end(&rig);
}

WF_TEST(ciphers_suites_and_groups_are_those_that_were_named)
{
    struct rig rig;
    struct wf_tls_info client, server;
    if (rig_configure(&rig, OPTIONS(.cipher_suites = "TLS_CHACHA20_POLY1305_SHA256", .groups = "X448:P-256"),
                      OPTIONS(.groups = "P-256")) &&
        rig_open(&rig, 4096) && ask(&rig, &client, &server)) {
        WF_EXPECT_TEXT(client.cipher, "TLS_CHACHA20_POLY1305_SHA256");
    }
    rig_end(&rig);
}

WF_TEST_MAIN
