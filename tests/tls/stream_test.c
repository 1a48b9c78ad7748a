/* TLS streams: what goes in comes out, however the bytes below are cut; ends and faults. Rules 1.3, 1.6, 1.9, 4.5. */
#include <string.h>
#include <weft/peer.h>

#include "pki.h"

static bool open_rig(struct rig *rig, size_t capacity)
{
    return rig_configure(rig, OPTIONS(.sessions_max = 1), OPTIONS(.offload = false)) && rig_open(rig, capacity);
}

/* ---- Bytes ---- */

struct transfer {
    struct wf_stream *stream;
    size_t size;
    uint64_t sum;
};

static int pour(struct transfer *transfer)
{
    unsigned char bytes[3000];
    int rc = 0;
    for (size_t at = 0; at < transfer->size && rc == 0;) {
        size_t size = 1 + at * 7 % sizeof bytes;
        if (size > transfer->size - at) size = transfer->size - at;
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (unsigned char)(at * 31 + i);
            transfer->sum = transfer->sum * 31 + bytes[i];
        }
        rc = wf_stream_write_all(transfer->stream, bytes, size, NULL);
        at += size;
    }
    return rc < 0 ? rc : wf_stream_shutdown(transfer->stream);
}

static int drain(struct transfer *transfer)
{
    unsigned char bytes[1777];
    ssize_t got;
    while ((got = wf_stream_read(transfer->stream, bytes, sizeof bytes)) > 0) {
        transfer->size += (size_t)got;
        for (ssize_t i = 0; i < got; i++) transfer->sum = transfer->sum * 31 + bytes[i];
    }
    return (int)got;
}

static const size_t capacities[] = {1, 17, 4096, 0};

WF_TEST_EACH(both_directions_carry_every_byte_at_once, capacities, .rule = "4.5")
{
    struct rig rig;
    size_t size = *row == 1 ? 3000 : 60000;
    if (open_rig(&rig, *row == 1 ? 64 : *row)) {
        struct transfer to_server = {rig.client.tls, size, 0}, to_client = {rig.server.tls, size, 0};
        struct transfer at_server = {rig.server.tls, 0, 0}, at_client = {rig.client.tls, 0, 0};
        WF_SCOPE(scope);
        wf_spawn(&scope, pour, &to_server);
        wf_spawn(&scope, pour, &to_client);
        wf_spawn(&scope, drain, &at_server);
        wf_spawn(&scope, drain, &at_client);
        if (WF_EXPECT_CODE(wf_scope_join(&scope), 0)) {
            WF_EXPECT(at_server.size == size && at_server.sum == to_server.sum);
            WF_EXPECT(at_client.size == size && at_client.sum == to_client.sum);
        }
    }
    rig_end(&rig);
}

WF_TEST(parts_of_a_vector_make_one_record)
{
    struct rig rig;
    char text[8] = "";
    struct wf_stream_statistics before, after;
    if (open_rig(&rig, 4096)) {
        char bytes[] = "hello";
        struct iovec parts[] = {{bytes, 2}, {bytes + 2, 1}, {bytes, 0}, {bytes + 3, 2}};
        wf_stream_statistics(rig.client.tls, &before);
        WF_EXPECT_CODE(wf_stream_writev_all(rig.client.tls, parts, 4, NULL), 0);
        wf_stream_statistics(rig.client.tls, &after);
        WF_EXPECT_INT((int64_t)(after.writes - before.writes), 1);
        WF_EXPECT_INT(wf_stream_read(rig.server.tls, text, sizeof text), 5);
        WF_EXPECT_TEXT(text, "hello");
    }
    rig_end(&rig);
}

/* A server has tickets to send when it is done with the handshake, and a client that writes first reads later. */
WF_TEST(a_server_does_not_wait_for_a_client_that_writes_before_it_reads)
{
    struct rig rig;
    char byte = '?';
    if (open_rig(&rig, 64) && WF_EXPECT_CODE(wf_stream_write_all(rig.client.tls, "x", 1, NULL), 0)) {
        WF_EXPECT_INT(wf_stream_read(rig.server.tls, &byte, 1), 1);
        WF_EXPECT(byte == 'x');
    }
    rig_end(&rig);
}

WF_TEST(a_stream_over_tcp_has_its_descriptor_and_one_in_memory_has_none)
{
    struct rig rig;
    if (open_rig(&rig, 4096)) WF_EXPECT_INT(wf_stream_fd(rig.client.tls), -1);
    rig_close(&rig);
    if (rig.client.config != NULL && rig.server.config != NULL && rig_open(&rig, 0))
        WF_EXPECT(wf_stream_fd(rig.client.tls) >= 0);
    rig_end(&rig);
}

/* ---- Ends ---- */

WF_TEST(after_the_goodbye_of_one_side_the_other_goes_on)
{
    struct rig rig;
    char byte;
    if (open_rig(&rig, 4096) && WF_EXPECT_CODE(wf_stream_shutdown(rig.client.tls), 0)) {
        WF_EXPECT_INT(wf_stream_read(rig.server.tls, &byte, 1), 0);
        WF_EXPECT_INT(wf_stream_read(rig.server.tls, &byte, 1), 0);
        WF_EXPECT_CODE(wf_stream_write_all(rig.client.tls, "x", 1, NULL), -EPIPE);
        WF_EXPECT_CODE(wf_stream_write_all(rig.server.tls, "y", 1, NULL), 0);
        WF_EXPECT_INT(wf_stream_read(rig.client.tls, &byte, 1), 1);
        WF_EXPECT_CODE(wf_stream_shutdown(rig.client.tls), 0);
        WF_EXPECT_CODE(wf_stream_shutdown(rig.server.tls), 0);
        WF_EXPECT_INT(wf_stream_read(rig.client.tls, &byte, 1), 0);
    }
    rig_end(&rig);
}

WF_TEST(an_end_without_a_goodbye_is_a_truncation)
{
    struct rig rig;
    char text[4];
    size_t done;
    if (open_rig(&rig, 4096) && WF_EXPECT_CODE(wf_stream_write_all(rig.client.tls, "ab", 2, NULL), 0)) {
        wf_stream_close(rig.client.tls);
        rig.client.tls = NULL;
        WF_EXPECT_FAILURE(wf_stream_read_full(rig.server.tls, text, 4, &done), WF_EEND, "may be truncated");
        WF_EXPECT_INT((int64_t)done, 2);
        WF_EXPECT_FAILURE(wf_stream_read(rig.server.tls, text, 4), WF_EEND, "without a goodbye (close_notify)");
    }
    rig_end(&rig);
}

static int read_byte(struct wf_stream *stream)
{
    char byte;
    return (int)wf_stream_read(stream, &byte, 1);
}

static int write_much(struct wf_stream *stream)
{
    static char zeros[100000];
    return wf_stream_write_all(stream, zeros, sizeof zeros, NULL);
}

WF_TEST(closing_ends_the_calls_that_are_under_way, .rule = "1.9")
{
    struct rig rig;
    struct wf_handle reader = {.task_ = NULL}, writer = {.task_ = NULL};
    if (open_rig(&rig, 64)) {
        WF_SCOPE(scope, .policy = WF_COLLECT);
        wf_spawn(&scope, read_byte, rig.client.tls, .handle = &reader);
        wf_spawn(&scope, write_much, rig.client.tls, .handle = &writer);
        if (wf_test_wait_idle() == 0) { /* else they may not have begun */
            wf_stream_close(rig.client.tls);
            rig.client.tls = NULL;
        }
        wf_scope_join(&scope);
        WF_EXPECT_CODE(wf_handle_join(&reader), -EBADF);
        WF_EXPECT_CODE(wf_handle_join(&writer), -EBADF);
    }
    rig_end(&rig);
}

WF_TEST(aborting_resets_the_connection_below)
{
    struct rig rig;
    if (rig_configure(&rig, OPTIONS(.sessions_max = 1), OPTIONS(.offload = false)) && rig_open(&rig, 0)) {
        wf_stream_abort(rig.client.tls);
        rig.client.tls = NULL;
        WF_EXPECT_CODE(read_byte(rig.server.tls), -ECONNRESET);
    }
    rig_end(&rig);
}

/* ---- Cuts ---- */

WF_TEST(a_cut_read_has_taken_nothing, .rule = "1.3")
{
    struct rig rig;
    char byte = '?';
    if (open_rig(&rig, 4096)) {
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_stream_read(rig.server.tls, &byte, 1)), -ETIME);
        WF_EXPECT_CODE(wf_stream_write_all(rig.client.tls, "x", 1, NULL), 0);
        WF_EXPECT_INT(wf_stream_read(rig.server.tls, &byte, 1), 1);
        WF_EXPECT(byte == 'x');
    }
    rig_end(&rig);
}

WF_TEST(a_write_that_was_cut_breaks_the_stream_for_writing, .rule = "1.6")
{
    struct rig rig;
    size_t done = 0;
    static char zeros[50000];
    if (open_rig(&rig, 64)) {
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_stream_write(rig.client.tls, zeros, 1000)), -ETIME);
        WF_EXPECT_CODE(wf_stream_write_all(rig.client.tls, "x", 1, &done), -EPIPE);
        WF_EXPECT_INT((int64_t)done, 0);
        WF_EXPECT_CODE(wf_stream_shutdown(rig.client.tls), -EPIPE);
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), read_byte(rig.client.tls)), -ETIME);
    }
    rig_end(&rig);
}

/* In TLS 1.3 a record has 22 bytes more than what is in it. */
WF_TEST(a_record_of_which_nothing_was_sent_is_not_sent_later, .rule = "1.3 1.6")
{
    enum { CAPACITY = 4096, FILLS = CAPACITY - 22 };
    static char bytes[CAPACITY];
    struct rig rig;
    if (open_rig(&rig, CAPACITY) && WF_EXPECT_INT(wf_stream_write(rig.client.tls, bytes, FILLS), FILLS)) {
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_stream_write(rig.client.tls, "x", 1)), -ETIME);
        WF_EXPECT_CODE(wf_stream_write_all(rig.client.tls, "y", 1, NULL), -EPIPE);
        WF_EXPECT_CODE(wf_stream_read_full(rig.server.tls, bytes, FILLS, NULL), 0);
        WF_EXPECT_CODE(wf_stream_write_all(rig.client.tls, "y", 1, NULL), -EPIPE);
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_stream_read(rig.server.tls, bytes, 1)), -ETIME);
    }
    rig_end(&rig);
}

/* A writer that waits while the first one's record goes out has done nothing when it is cut. */
WF_TEST(a_goodbye_that_was_cut_before_its_turn_can_be_said_again)
{
    struct rig rig;
    struct transfer at_server = {.size = 0};
    struct wf_handle writer = {.task_ = NULL};
    if (open_rig(&rig, 64)) {
        WF_SCOPE(scope);
        wf_spawn(&scope, write_much, rig.client.tls, .handle = &writer);
        wf_ignore(wf_test_wait_idle());
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_stream_shutdown(rig.client.tls)), -ETIME);
        at_server.stream = rig.server.tls;
        wf_spawn(&scope, drain, &at_server);
        WF_EXPECT_CODE(wf_handle_join(&writer), 0);
        WF_EXPECT_CODE(wf_stream_shutdown(rig.client.tls), 0);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
        WF_EXPECT_INT((int64_t)at_server.size, 100000);
    }
    rig_end(&rig);
}

WF_TEST(a_handshake_that_is_cut_leaves_the_stream_below_to_the_caller, .rule = "1.3")
{
    struct rig rig;
    struct wf_stream *a, *b, *tls = NULL;
    if (!rig_configure(&rig, OPTIONS(.sessions_max = 1), OPTIONS(.offload = false))) return rig_end(&rig);
    if (WF_EXPECT_CODE(wf_stream_pair(4096, &a, &b), 0)) {
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_tls_connect(a, rig.client.config, "server.test", &tls)),
                       -ETIME);
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_tls_accept(b, rig.client.config, &tls)), -EINVAL);
        WF_EXPECT(tls == NULL);
        wf_stream_close(a);
        wf_stream_close(b);
    }
    rig_end(&rig);
}

/* ---- Peers that do not speak TLS, or not to the end ---- */

#define HELLO_BEGINS "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
/* Of TLS 1.1, with one cipher that has been known since. */
#define HELLO_OF_1_1                                                                                                   \
    "\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x02"                                                                     \
    "0123456789abcdef0123456789abcdef"                                                                                 \
    "\x00\x00\x02\xc0\x13\x01\x00"
#define RECORD_OF_33000 "\x16\x03\x03\x80\xe8\x00\x00\x00\x00\x00"

static const struct garbage_case {
    const char *name;
    struct wf_step steps[2];
    int code;
    const char *text;
} garbage[] = {
    {"nothing", {WF_ENDS}, WF_EEND, "ended the connection during the handshake"},
    {"a part", {WF_SENDS(HELLO_BEGINS), WF_ENDS}, WF_EEND, "ended the connection during the handshake"},
    {"http", {WF_SENDS("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), WF_STALLS}, -EPROTO, "the peer speaks plain HTTP"},
    {"noise", {WF_SENDS("\xde\xad\xbe\xef\xde\xad\xbe\xef"), WF_STALLS}, -EPROTO, "what the peer sends is not TLS"},
    {"too long", {WF_SENDS(RECORD_OF_33000), WF_STALLS}, -EPROTO, "TLS with a client: "},
    {"tls 1.1", {WF_SENDS(HELLO_OF_1_1), WF_STALLS}, -EPROTO, "the peer's versions of TLS are not among ours"},
    {"reset", {WF_SENDS(HELLO_BEGINS), WF_RESETS}, -ECONNRESET, ""},
};

static const char *garbage_name(size_t row)
{
    return garbage[row].name;
}

WF_TEST_EACH(a_peer_that_does_not_speak_tls_is_told_apart, garbage, .row_name = garbage_name)
{
    struct rig rig;
    struct wf_stream *conn, *tls = NULL;
    if (rig_configure(&rig, OPTIONS(.sessions_max = 1), OPTIONS(.offload = false))) {
        size_t count = row->steps[1].kind != 0 ? 2 : 1;
        WF_SCOPE(scope);
        if (WF_EXPECT_CODE(wf_test_peer(&scope, row->steps, count, &conn), 0)) {
            WF_EXPECT_FAILURE(wf_tls_accept(conn, rig.server.config, &tls), row->code, row->text);
            wf_stream_close(conn);
        }
        wf_ignore(wf_scope_join(&scope));
    }
    rig_end(&rig);
}

/* What the server wrote is let through up to here; then comes a record that nobody encrypted. */
WF_TEST(a_record_that_was_forged_is_noticed)
{
    static const char forged[] = "\x17\x03\x03\x00\x15"
                                 "012345678901234567890";
    struct rig rig;
    char byte;
    if (open_rig(&rig, 4096) &&
        WF_EXPECT_CODE(wf_stream_write_all(rig.server.raw, forged, sizeof forged - 1, NULL), 0)) {
        WF_EXPECT_FAILURE(wf_stream_read(rig.client.tls, &byte, 1), -EPROTO, "decryption failed or bad record mac");
        WF_EXPECT_FAILURE(wf_stream_read(rig.client.tls, &byte, 1), -EPROTO, "decryption failed or bad record mac");
        WF_EXPECT_FAILURE(wf_stream_read(rig.server.tls, &byte, 1), -EPROTO, "by the alert \"bad record mac\"");
    }
    rig_end(&rig);
}

WF_TEST_MAIN
