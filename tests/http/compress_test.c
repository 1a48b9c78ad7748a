/* Compressed answers and bodies: who gets what, and that it comes out as it went in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/compress.h>
#include <weft/extend.h>
#include <weft/task.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "http/squeeze.h" /* what is answered is decompressed, and bodies are compressed */
#include "rig.h"

static const char *head_of(const struct exchange_log *log)
{
    return log->size > 0 ? log->bytes : "";
}

static bool has(const struct exchange_log *log, const char *text)
{
    return strstr(head_of(log), text) != NULL;
}

/* ---- Who takes what ---- */

struct accept_case {
    const char *field, *order;
};

static const struct accept_case accepts[] = {
    {"gzip", "gzip "},
    {"gzip, br, zstd", "zstd br gzip "},
    {"gzip;q=1.0, br;q=0.5, zstd;q=0.75", "gzip zstd br "},
    {"x-gzip", "gzip "},
    {"GZIP ; q=0.1", "gzip "},
    {"*", "zstd br gzip "},
    {"*;q=0", ""},
    {"gzip;q=0, *", "zstd br "},
    {"br;q=0.001, *;q=0", "br "},
    {"identity", ""},
    {"identity;q=0, gzip;q=0.000", ""},
    {"gzip;q=2", ""},
    {"gzip;q=", ""},
    {"gzip;level=9", ""},
    {"gzipped, deflate", ""},
    {"", ""},
    {",,, gzip ,", "gzip "},
};

WF_TEST_EACH(encodings_are_taken_by_weight, accepts)
{
    struct wf_headers headers = {.count = 0};
    unsigned order[ENCODINGS];
    char text[40] = "";
    if (!WF_EXPECT_CODE(wf_headers_add(&headers, wf_task_arena(), "Accept-Encoding", row->field), 0)) return;
    unsigned count = encodings_accepted(&headers, order);
    for (unsigned i = 0; i < count; i++) sprintf(text + strlen(text), "%s ", encodings[order[i]].name);
    WF_EXPECT_TEXT(text, row->order);
}

/* ---- Answers ---- */

enum { MUCH = 20000 };
static char much[MUCH + 1];

static void fill_much(void)
{
    for (size_t i = 0; i < MUCH; i++) much[i] = (char)('a' + (i * 7 + i / 100) % 26);
}

/* All at once, by an encoding. */
static char *swell(const char *bytes, size_t size, enum encoding encoding, size_t *count)
{
    struct squeezer squeezer;
    char *out = wf_arena_alloc(wf_task_arena(), MUCH + 2);
    *count = 0;
    if (out == NULL || squeezer_begin(&squeezer, &swell_classes[encoding]) < 0) return NULL;
    struct squeeze_piece piece = {.in = bytes, .in_size = size, .out = out, .out_size = MUCH + 1};
    int rc = 1;
    for (unsigned turns = 0; rc > 0 && turns < 100; turns++) rc = squeezer_step(&squeezer, &piece, SQUEEZE_MORE);
    squeezer_finish(&squeezer);
    *count = MUCH + 1 - piece.out_size;
    out[*count] = '\0';
    return rc == 0 ? out : NULL;
}

static int reply_whole(struct wf_request *request)
{
    wf_reply_header(request, "ETag", "\"tag\"");
    return wf_reply_text(request, 200, much);
}

static int reply_in_pieces(struct wf_request *request)
{
    int rc = wf_reply_begin(request, 200, "application/json", -1);
    for (size_t at = 0; at < MUCH && rc == 0; at += 500) rc = wf_reply_write(request, much + at, 500);
    return rc == 0 ? wf_reply_end(request) : rc;
}

static int reply_small(struct wf_request *request)
{
    return wf_reply_text(request, 200, "small");
}

static int reply_picture(struct wf_request *request)
{
    return wf_reply_bytes(request, 200, "image/png", much, MUCH);
}

static int reply_encoded(struct wf_request *request)
{
    wf_reply_header(request, "Content-Encoding", "gzip");
    return wf_reply_text(request, 200, much);
}

static int reply_nothing(struct wf_request *request)
{
    return wf_reply_empty(request, 204);
}

static void ask_compressed(struct exchange_log *log, const char *path, const char *accept, const char *version,
                           const struct wf_compress_options *options)
{
    char text[200];
    struct wf_app app = {.title = "compress"};
    fill_much();
    wf_app_use(&app, wf_compress, options);
    wf_route(&app, WF_GET, "/whole", reply_whole);
    wf_route(&app, WF_GET, "/pieces", reply_in_pieces);
    wf_route(&app, WF_GET, "/small", reply_small);
    wf_route(&app, WF_GET, "/picture", reply_picture);
    wf_route(&app, WF_GET, "/encoded", reply_encoded);
    wf_route(&app, WF_GET, "/nothing", reply_nothing);
    snprintf(text, sizeof text, "GET %s HTTP/%s\r\nHost: a\r\nAccept-Encoding: %s\r\n\r\n", path, version, accept);
    ask(log, &app, text);
    wf_app_finish(&app);
}

/* The body comes out as it was; its size is what the head says, where it says one. */
static void expect_much(const struct exchange_log *log, enum encoding encoding)
{
    char field[64];
    snprintf(field, sizeof field, "Content-Encoding: %s\r\n", encodings[encoding].name);
    WF_EXPECT_PART(head_of(log), field);
    WF_EXPECT_PART(head_of(log), "Vary: Accept-Encoding\r\n");
    const char *end = strstr(head_of(log), "\r\n\r\n"), *length = strstr(head_of(log), "content-length: ");
    if (end == NULL) return;
    size_t size = log->size - (size_t)(end + 4 - log->bytes), count;
    if (length != NULL && length < end) WF_EXPECT_INT(strtol(length + 16, NULL, 10), (long)size);
    char *text = swell(end + 4, size, encoding, &count);
    WF_EXPECT(size < MUCH / 2);
    if (WF_EXPECT(text != NULL)) WF_EXPECT(count == MUCH && memcmp(text, much, MUCH) == 0);
}

static const char *const codings[] = {"zstd", "br", "gzip"};

WF_TEST_EACH(a_whole_answer_is_compressed_and_keeps_a_length, codings)
{
    struct exchange_log log;
    ask_compressed(&log, "/whole", *row, "1.1", NULL);
    expect_much(&log, (enum encoding)wf_test_row());
    WF_EXPECT_PART(head_of(&log), "content-length: ");
    WF_EXPECT_PART(head_of(&log), "ETag: W/\"tag\"\r\n");
}

WF_TEST_EACH(an_answer_in_pieces_is_compressed_in_pieces, codings)
{
    struct exchange_log log;
    ask_compressed(&log, "/pieces", *row, "1.0", NULL);
    expect_much(&log, (enum encoding)wf_test_row());
    ask_compressed(&log, "/pieces", *row, "1.1", NULL);
    WF_EXPECT_PART(head_of(&log), "transfer-encoding: chunked\r\n");
}

WF_TEST(what_is_not_worth_it_is_left_as_it_is)
{
    static const struct wf_compress_options tiny = {.minimum = 1}, pictures = {.types = {"image/"}};
    struct exchange_log log;
    ask_compressed(&log, "/small", "gzip", "1.1", NULL);
    WF_EXPECT_PART(head_of(&log), "\r\n\r\nsmall");
    WF_EXPECT_PART(head_of(&log), "Vary: Accept-Encoding\r\n");
    ask_compressed(&log, "/small", "gzip", "1.1", &tiny);
    WF_EXPECT_PART(head_of(&log), "Content-Encoding: gzip\r\n");
    ask_compressed(&log, "/picture", "gzip", "1.1", NULL);
    WF_EXPECT(!has(&log, "Content-Encoding") && !has(&log, "Vary"));
    ask_compressed(&log, "/picture", "gzip", "1.1", &pictures);
    WF_EXPECT_PART(head_of(&log), "Content-Encoding: gzip\r\n");
    ask_compressed(&log, "/whole", "gzip", "1.1", &pictures);
    WF_EXPECT(!has(&log, "Content-Encoding"));
    ask_compressed(&log, "/whole", "identity", "1.1", NULL);
    WF_EXPECT(!has(&log, "Content-Encoding") && !has(&log, "W/"));
    WF_EXPECT_PART(head_of(&log), "content-length: 20000\r\n");
    ask_compressed(&log, "/encoded", "gzip", "1.1", NULL);
    WF_EXPECT_PART(head_of(&log), "content-length: 20000\r\n");
    ask_compressed(&log, "/nothing", "gzip", "1.1", NULL);
    WF_EXPECT_TEXT(log.statuses, "204 ");
    WF_EXPECT(!has(&log, "Vary"));
}

WF_TEST(the_head_of_a_compressed_answer_has_no_body)
{
    struct wf_app app = {.title = "compress"};
    struct exchange_log log;
    fill_much();
    wf_app_use(&app, wf_compress, (struct wf_compress_options *)NULL);
    wf_route(&app, WF_GET, "/", reply_whole);
    ask(&log, &app, "HEAD / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\n\r\n");
    WF_EXPECT_PART(head_of(&log), "Content-Encoding: br\r\n");
    if (log.size > 4) WF_EXPECT(memcmp(log.bytes + log.size - 4, "\r\n\r\n", 4) == 0);
    wf_app_finish(&app);
}

/* ---- A flush ---- */

static int tell_slowly(struct wf_request *request)
{
    int rc = wf_reply_begin(request, 200, "text/plain", -1);
    if (rc == 0) rc = wf_reply_write(request, "first", 5);
    if (rc == 0) rc = wf_reply_flush(request);
    return rc == 0 ? wf_sleep(WF_SECONDS(60)) : rc;
}

struct slow {
    struct wf_stream *near, *far;
    char bytes[1024];
    size_t size;
};

static int serve_slowly(struct slow *slow)
{
    struct wf_app app = {.title = "slow"};
    wf_app_use(&app, wf_compress, (struct wf_compress_options *)NULL);
    wf_route(&app, WF_GET, "/", tell_slowly);
    int rc = wf_app_serve_stream(&app, slow->far);
    wf_app_finish(&app);
    wf_stream_close(slow->far);
    return rc == -ECONNABORTED ? 0 : rc; /* the answer never ends */
}

static int hear_first(struct slow *slow, const char *accept)
{
    char text[100];
    int size = snprintf(text, sizeof text, "GET / HTTP/1.0\r\nAccept-Encoding: %s\r\n\r\n", accept);
    int rc = wf_stream_write_all(slow->near, text, (size_t)size, NULL);
    if (rc < 0) return rc;
    rc = wf_within(WF_SECONDS(2), wf_stream_read_full(slow->near, slow->bytes, sizeof slow->bytes - 1, &slow->size));
    return rc == -ETIME ? 0 : rc;
}

WF_TEST_EACH(a_flush_lets_the_client_see_what_was_written, codings, .simulated = true)
{
    struct slow slow = {.size = 0};
    if (!WF_EXPECT_CODE(wf_stream_pair(4096, &slow.near, &slow.far), 0)) return;
    WF_SCOPE(scope);
    int rc = wf_spawn(&scope, serve_slowly, &slow);
    if (rc < 0) wf_stream_close(slow.far);
    if (rc == 0) rc = hear_first(&slow, *row);
    wf_scope_cancel(&scope, "heard enough");
    WF_EXPECT_CODE(wf_scope_end(&scope, rc), 0);
    wf_stream_close(slow.near);
    slow.bytes[slow.size] = '\0';
    const char *end = strstr(slow.bytes, "\r\n\r\n");
    if (!WF_EXPECT(end != NULL)) return;
    struct squeezer squeezer;
    char out[16] = "";
    if (!WF_EXPECT_CODE(squeezer_begin(&squeezer, &swell_classes[wf_test_row()]), 0)) return;
    struct squeeze_piece piece = {end + 4, slow.size - (size_t)(end + 4 - slow.bytes), out, sizeof out - 1};
    for (int i = 0; i < 5; i++) wf_ignore(squeezer_step(&squeezer, &piece, SQUEEZE_MORE));
    WF_EXPECT_TEXT(out, "first");
    squeezer_finish(&squeezer);
}

/* ---- Bodies of requests ---- */

static int tell_size(struct wf_request *request)
{
    char *body, text[40];
    size_t size;
    int rc = wf_request_body(request, &body, &size);
    if (rc < 0) return rc;
    snprintf(text, sizeof text, "%zu %s", size, size == MUCH && memcmp(body, much, MUCH) == 0 ? "same" : "other");
    return wf_reply_text(request, 200, text);
}

/* The answer to a body that is compressed so, cut by so many bytes at its end. */
static void post_compressed(struct exchange_log *log, enum encoding encoding, const char *name, size_t cut,
                            uint64_t body_max, const struct wf_decompress_options *options, bool one_by_one)
{
    struct wf_app app = {.title = "bodies", .limits = {.body_max = body_max}};
    struct squeezer squeezer;
    char head[200], *bytes = wf_arena_alloc(wf_task_arena(), MUCH);
    *log = (struct exchange_log){.size = 0};
    fill_much();
    if (bytes == NULL || squeezer_begin(&squeezer, &squeeze_classes[encoding]) < 0) return;
    struct squeeze_piece piece = {much, MUCH, bytes, MUCH};
    int rc = 1;
    while (rc > 0) rc = squeezer_step(&squeezer, &piece, SQUEEZE_FINISH);
    squeezer_finish(&squeezer);
    size_t size = MUCH - piece.out_size - cut;
    if (options != NULL) wf_app_use(&app, wf_decompress, options);
    wf_route(&app, WF_POST, "/", tell_size);
    snprintf(head, sizeof head, "POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: %s\r\nContent-Length: %zu\r\n\r\n",
             name, size);
    struct pieces pieces = {.bytes = {head, bytes},
                            .sizes = {strlen(head), size},
                            .count = rc < 0 ? 0 : 2,
                            .one_by_one = one_by_one};
    talk_to(log, &pieces, &app);
    wf_app_finish(&app);
}

static const struct wf_decompress_options all_of_them, only_gzip = {.gzip = true};

WF_TEST_EACH(a_compressed_body_is_read_as_what_it_was, codings)
{
    struct exchange_log log;
    post_compressed(&log, (enum encoding)wf_test_row(), *row, 0, 0, &all_of_them, false);
    WF_EXPECT_PART(head_of(&log), "\r\n\r\n20000 same");
}

WF_TEST_EACH(a_compressed_body_may_come_byte_by_byte, codings, .unswept = "it has as many places as bytes")
{
    struct exchange_log log;
    post_compressed(&log, (enum encoding)wf_test_row(), *row, 0, 0, &all_of_them, true);
    WF_EXPECT_PART(head_of(&log), "\r\n\r\n20000 same");
}

WF_TEST_EACH(a_small_body_cannot_become_too_large, codings)
{
    struct exchange_log log;
    post_compressed(&log, (enum encoding)wf_test_row(), *row, 0, MUCH - 1, &all_of_them, false);
    WF_EXPECT_TEXT(log.statuses, "413 ");
    post_compressed(&log, (enum encoding)wf_test_row(), *row, 0, MUCH, &all_of_them, false);
    WF_EXPECT_TEXT(log.statuses, "200 ");
}

WF_TEST_EACH(a_body_that_is_cut_or_broken_is_refused, codings)
{
    struct exchange_log log;
    post_compressed(&log, (enum encoding)wf_test_row(), *row, 3, 0, &all_of_them, false);
    WF_EXPECT_TEXT(log.statuses, "400 ");
    post_compressed(&log, (enum encoding)((wf_test_row() + 1) % 3), *row, 0, 0, &all_of_them, false);
    WF_EXPECT_TEXT(log.statuses, "400 ");
}

WF_TEST(an_encoding_that_is_not_taken_is_refused)
{
    struct exchange_log log;
    post_compressed(&log, ENCODING_BROTLI, "br", 0, 0, &only_gzip, false);
    WF_EXPECT_TEXT(log.statuses, "415 ");
    WF_EXPECT_PART(head_of(&log), "Accept-Encoding: gzip\r\n");
    post_compressed(&log, ENCODING_GZIP, "gzip", 0, 0, &only_gzip, false);
    WF_EXPECT_TEXT(log.statuses, "200 ");
    post_compressed(&log, ENCODING_GZIP, "compress", 0, 0, &all_of_them, false);
    WF_EXPECT_TEXT(log.statuses, "415 ");
    post_compressed(&log, ENCODING_GZIP, "gzip, gzip", 0, 0, &all_of_them, false);
    WF_EXPECT_TEXT(log.statuses, "415 ");
    post_compressed(&log, ENCODING_GZIP, "gzip", 0, 0, NULL, false);
    WF_EXPECT_TEXT(log.statuses, "415 ");
    post_compressed(&log, ENCODING_GZIP, "identity", 0, 0, NULL, false);
    WF_EXPECT_TEXT(log.statuses, "200 ");
}

WF_TEST_MAIN
