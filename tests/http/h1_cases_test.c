/*
 * Requests of HTTP/1.1 that are malformed, ambiguous, or only look so: each whole, byte by byte, split at every place,
 * behind a good request and before one. One answer is right.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/app.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "rig.h"

#define TEXT(literal) literal, sizeof(literal) - 1

struct row {
    const char *name, *bytes;
    size_t size;
    int status;    /* of the answer */
    unsigned many; /* such answers */
    bool closes;   /* after it nothing more is answered */
};

static const struct row rows[] = {
    {"base-get", TEXT("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 200, 1, false},                 /* RFC 9112 2.1 */
    {"lead-crlf", TEXT("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 200, 1, false},            /* RFC 9112 2.2 */
    {"bare-lf", TEXT("GET / HTTP/1.1\nHost: a\n\n"), 400, 1, true},                         /* RFC 9112 2.2 */
    {"ws-first-line", TEXT("GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n"), 400, 1, true}, /* RFC 9112 2.2 */
    {"two-sp", TEXT("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400, 1, true},                   /* RFC 9112 3 */
    {"minor-up", TEXT("GET / HTTP/1.9\r\nHost: a\r\n\r\n"), 200, 1, false},                 /* RFC 9110 2.5 */
    {"major-2", TEXT("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505, 1, true},                   /* RFC 9110 15.6.6 */
    {"ver-digits", TEXT("GET / HTTP/1.10\r\nHost: a\r\n\r\n"), 400, 1, true},               /* RFC 9112 2.3 */
    {"method-badchar", TEXT("GE(T / HTTP/1.1\r\nHost: a\r\n\r\n"), 400, 1, true},         /* RFC 9112 3 / 9110 5.6.2 */
    {"method-unknown", TEXT("BREW / HTTP/1.1\r\nHost: a\r\n\r\n"), 501, 1, true},         /* RFC 9110 9.1 */
    {"target-star-opt", TEXT("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 200, 1, false},    /* RFC 9112 3.2.4 */
    {"host-none", TEXT("GET / HTTP/1.1\r\n\r\n"), 400, 1, true},                          /* RFC 9112 3.2 */
    {"host-bad", TEXT("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400, 1, true},              /* RFC 9112 3.2 */
    {"host-none-10", TEXT("GET / HTTP/1.0\r\n\r\n"), 200, 1, true},                       /* RFC 9112 3.2/9.3 */
    {"name-space", TEXT("GET / HTTP/1.1\r\nHost: a\r\nX Y: a\r\n\r\n"), 400, 1, true},    /* RFC 9110 5.1 */
    {"name-empty", TEXT("GET / HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n"), 400, 1, true},       /* RFC 9110 5.1 */
    {"name-empty-first", TEXT("GET / HTTP/1.1\r\n: a\r\nHost: a\r\n\r\n"), 400, 1, true}, /* RFC 9110 5.1 */
    {"ws-colon", TEXT("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400, 1, true},               /* RFC 9112 5.1 */
    {"ws-colon-cl", TEXT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc"), 400, 1,
     true},                                                                               /* RFC 9112 5.1 */
    {"name-badchar", TEXT("GET / HTTP/1.1\r\nHost: a\r\nX(Y): v\r\n\r\n"), 400, 1, true}, /* RFC 9110 5.1 */
    {"nul-value",
     TEXT("GET / HTTP/1.1\r\nHost: a\r\nX: a\x00"
          "b\r\n\r\n"),
     400, 1, true}, /* RFC 9110 5.5 */
    {"upgrade-unwanted", TEXT("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"), 200, 1,
     false}, /* RFC 9110 7.8 */
    {"upgrade-cl",
     TEXT("POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc"), 200, 1,
     false}, /* RFC 9110 7.8 */
    {"upgrade-unwanted-before-a-body",
     TEXT("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
     200, 2, false},                                                                       /* RFC 9110 7.8 */
    {"obs-text", TEXT("GET / HTTP/1.1\r\nHost: a\r\nX: \xe9\xff\r\n\r\n"), 200, 1, false}, /* RFC 9110 5.5 */
    {"te-10", TEXT("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400, 1,
     true}, /* RFC 9112 6.1 */
    {"te-not-final", TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"), 400, 1,
     true}, /* RFC 9112 6.3 */
    {"te-unknown", TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: foo\r\n\r\n0\r\n\r\n"), 400, 1,
     true}, /* RFC 9112 6.1/6.3 */
    {"te-twice", TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), 400, 1,
     true}, /* RFC 9112 6.1 */
    {"te-obfus", TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), 400, 1,
     true}, /* RFC 9112 6.1 */
    {"te-vt",
     TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0b"
          "chunked\r\n\r\n0\r\n\r\n"),
     400, 1, true}, /* RFC 9110 5.5/5.6.3 */
    {"te-case", TEXT("POST / HTTP/1.1\r\nHost: a\r\ntRANSFER-eNCODING: ChUnKeD\r\n\r\n0\r\n\r\n"), 200, 1,
     false}, /* RFC 9112 7 */
    {"cl-same", TEXT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"), 400, 1,
     true},                                                                                           /* RFC 9110 8.6 */
    {"cl-list", TEXT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc"), 400, 1, true}, /* RFC 9110 8.6 */
    {"cl-neg", TEXT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc"), 400, 1, true},    /* RFC 9112 6.3 */
    {"cl-hex", TEXT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc"), 400, 1, true},   /* RFC 9112 6.3 */
    {"cl-empty", TEXT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"), 400, 1, true},        /* RFC 9112 6.3 */
    {"cl-space", TEXT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3 3\r\n\r\nabc"), 400, 1, true}, /* RFC 9112 6.3 */
    {"cl-overflow", TEXT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551619\r\n\r\nabc"), 400, 1,
     true}, /* RFC 9110 8.6 */
    {"ch-ok", TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), 200, 1,
     false}, /* RFC 9112 7.1 */
    {"ch-ext",
     TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b;c=\"d;e\"\r\nabc\r\n0\r\n\r\n"), 200,
     1, false}, /* RFC 9112 7.1.1 */
    {"ch-trailer", TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-T: 1\r\n\r\n"), 200, 1,
     false}, /* RFC 9112 7.1.2 */
    {"ch-trailer-cl",
     TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 50\r\n\r\n"), 200, 1,
     false}, /* RFC 9110 6.5.1 */
    {"ch-zeros", TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0000003\r\nabc\r\n0000\r\n\r\n"),
     200, 1, false}, /* RFC 9112 7.1 */
    {"ch-badhex", TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"), 400,
     1, true}, /* RFC 9112 7.1 */
    {"ch-0x", TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n"), 400, 1,
     true}, /* RFC 9112 7.1 */
    {"ch-plus", TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n"), 400, 1,
     true}, /* RFC 9112 7.1 */
    {"ch-under", TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0_3\r\nabc\r\n0\r\n\r\n"), 400,
     1, true}, /* RFC 9112 7.1 */
    {"ch-neg", TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n"), 400, 1,
     true}, /* RFC 9112 7.1 */
    {"ch-overflow",
     TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n"), 400,
     1, true}, /* RFC 9112 7.1 */
    {"ch-nocrlf", TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n"), 400, 1,
     true}, /* RFC 9112 7.1 */
    {"ch-long", TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"), 400, 1,
     true}, /* RFC 9112 7.1 */
    {"ch-lf-size", TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n"), 400, 1,
     true}, /* RFC 9112 7.1 (2.2 covers only start/field lines) */
    {"ch-trunc", TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), 400, 1,
     true},                                                                                          /* RFC 9112 8 */
    {"cl-trunc", TEXT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"), 400, 1, true}, /* RFC 9112 8 */
    {"pipeline-2", TEXT("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"), 200, 2,
     false}, /* RFC 9112 9.3.2 */
    {"expect-100", TEXT("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"), 200, 1,
     false}, /* RFC 9110 10.1.1 */
    {"expect-bad", TEXT("POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-maybe\r\nContent-Length: 0\r\n\r\n"), 417, 1,
     true}, /* RFC 9110 10.1.1 */
};

static const char good[] = "GET /good HTTP/1.1\r\nHost: a\r\n\r\n";

/* "200 400" */
static void expect(char *text, const struct row *row, bool before, bool after)
{
    text[0] = '\0';
    if (before) strcat(text, "200 ");
    for (unsigned i = 0; i < row->many; i++) sprintf(text + strlen(text), "%d ", row->status);
    if (after && !row->closes) strcat(text, "200 ");
}

static bool check(const struct row *row, const struct pieces *pieces, bool before, bool after)
{
    char expected[64];
    expect(expected, row, before, after);
    struct exchange_log log;
    talk(&log, pieces);
    return WF_EXPECT_TEXT(log.statuses, expected);
}

WF_TEST_EACH(each_request_gets_its_one_answer_however_it_comes, rows)
{
    struct pieces whole = {.bytes = {row->bytes}, .sizes = {row->size}, .count = 1};
    if (!check(row, &whole, false, false)) return;
    struct pieces single = whole;
    single.one_by_one = true;
    check(row, &single, false, false);
}

WF_TEST_EACH(each_request_gets_its_one_answer_wherever_it_is_split, rows, .unswept = "every row is swept whole")
{
    for (size_t at = 1; at < row->size; at++) {
        struct pieces split = {.bytes = {row->bytes, row->bytes + at}, .sizes = {at, row->size - at}, .count = 2};
        if (!check(row, &split, false, false)) return;
    }
}

WF_TEST_EACH(a_good_request_before_it_has_its_answer_and_none_behind_a_bad_one, rows,
             .unswept = "every row is swept whole")
{
    size_t size = sizeof good - 1;
    struct pieces behind = {.bytes = {good, row->bytes}, .sizes = {size, row->size}, .count = 2, .glued = true};
    check(row, &behind, true, false);
    if (strstr(row->name, "trunc") != NULL) return; /* what follows would be its body */
    struct pieces before = {.bytes = {row->bytes, good}, .sizes = {row->size, size}, .count = 2, .glued = true};
    check(row, &before, false, true);
}

WF_TEST(too_many_fields_are_refused_with_431)
{
    struct wf_arena *arena = wf_task_arena();
    char *bytes = wf_arena_alloc(arena, 300000);
    if (!WF_EXPECT(bytes != NULL)) return;
    size_t size = (size_t)sprintf(bytes, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 20000; i++) size += (size_t)sprintf(bytes + size, "X%d: 1\r\n", i);
    size += (size_t)sprintf(bytes + size, "\r\n");
    struct pieces pieces = {.bytes = {bytes}, .sizes = {size}, .count = 1};
    struct exchange_log log;
    talk(&log, &pieces);
    WF_EXPECT_TEXT(log.statuses, "431 ");
}

WF_TEST_MAIN
