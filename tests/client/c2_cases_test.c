/*
 * What a server of HTTP/2 may say, and what it may not: each case whole and byte by byte, before a second call on the
 * same client. What the caller gets is one thing, and whether the connection is used again another.
 * docs/http2-client-cases.md lists them. The scripts are those of c2_server.h.
 */
#include <stdio.h>
#include <string.h>
#include <weft/client.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "c2_server.h"

#define OK1 "A1; H1h :status=200; "
#define NEXT "; A3; H3eh :status=200"
#define LAST "A1; H1eh :status=204; A3; H3eh :status=204"

enum kept { KEPT, ENDED }; /* does the second call use the same connection? */

struct c2_case {
    const char *section, *claim, *script;
    int code, status;
    const char *text; /* the body; of an error a part of its message */
    enum kept kept;
    enum wf_method method;
};

#define WORKS(section, claim, script, status, body, kept)                                                              \
    {                                                                                                                  \
        section, claim, script, 0, status, body, kept, WF_GET                                                          \
    }
#define FAILS(section, claim, script, code, why, kept)                                                                 \
    {                                                                                                                  \
        section, claim, script, code, 0, why, kept, WF_GET                                                             \
    }
#define HEAD_WORKS(section, claim, script, status, kept)                                                               \
    {                                                                                                                  \
        section, claim, script, 0, status, "", kept, WF_HEAD                                                           \
    }
#define HEAD_FAILS(section, claim, script, code, why, kept)                                                            \
    {                                                                                                                  \
        section, claim, script, code, 0, why, kept, WF_HEAD                                                            \
    }

static const struct c2_case cases[] = {
    /* Answers */
    WORKS("8.1", "an answer", OK1 "D1e abc" NEXT, 200, "abc", KEPT),
    WORKS("8.1", "an answer without a body", "A1; H1eh :status=200" NEXT, 200, "", KEPT),
    WORKS("8.1", "an answer whose body is an empty frame", OK1 "D1e " NEXT, 200, "", KEPT),
    WORKS("8.1", "an answer in many frames", OK1 "D1 a; D1 b; D1 ; D1 c; D1e " NEXT, 200, "abc", KEPT),
    WORKS("8.1", "a status that nobody knows", "A1; H1eh :status=299" NEXT, 299, "", KEPT),
    WORKS("6.1", "a body with padding", OK1 "F 0 9 1 026162630000" NEXT, 200, "abc", KEPT),
    WORKS("4.1", "frames of unknown types", "F 0x55 0xff 0 0102; " OK1 "F 0x56 0 1 03; D1e abc" NEXT, 200, "abc", KEPT),
    WORKS("6.10", "a head in three frames", "A1; H1 :status=200; C1 a=b; C1h c=d; D1e abc" NEXT, 200, "abc", KEPT),
    WORKS("8.1", "interim answers", "A1; H1h :status=100; H1h :status=103 link=x; " OK1 "D1e abc" NEXT, 200, "abc",
          KEPT),
    FAILS("8.1", "interim answers without end", "A1; 21 H1h :status=100" NEXT, -EPROTO, "more than 20 interim answers",
          KEPT),
    FAILS("8.1", "an interim answer that ends the stream", "A1; H1eh :status=100" NEXT, -EPROTO, "rules", KEPT),
    FAILS("8.6", "an upgrade", "A1; H1h :status=101" NEXT, -EPROTO, "rules", KEPT),
    WORKS("8.1", "trailers", OK1 "D1 abc; H1eh x-sum=5" NEXT, 200, "abc", KEPT),
    FAILS("8.1", "trailers that do not end the stream", OK1 "D1 abc; H1h x-sum=5" NEXT, -EPROTO, "rules", KEPT),
    FAILS("8.1", "trailers with a pseudo field", OK1 "D1 abc; H1eh :status=200" NEXT, -EPROTO, "rules", KEPT),
    WORKS("RFC 9110 15.3.5", "no content", "A1; H1eh :status=204" NEXT, 204, "", KEPT),
    WORKS("RFC 9110 15.4.5", "not modified, with a length", "A1; H1eh :status=304 content-length=5" NEXT, 304, "",
          KEPT),
    FAILS("RFC 9110 15.3.5", "no content, with some", "A1; H1h :status=204; D1e abc" NEXT, -EPROTO, "rules", KEPT),
    HEAD_WORKS("RFC 9110 9.3.2", "HEAD with a length", "A1; H1eh :status=200 content-length=5" NEXT, 200, KEPT),
    HEAD_WORKS("RFC 9110 9.3.2", "HEAD ended by an empty frame", "A1; H1h :status=200 content-length=5; D1e " NEXT, 200,
               KEPT),
    HEAD_FAILS("RFC 9110 9.3.2", "HEAD with a body", OK1 "D1e abc" NEXT, -EPROTO, "rules", KEPT),

    /* Lengths */
    WORKS("8.1.1", "a length", "A1; H1h :status=200 content-length=3; D1e abc" NEXT, 200, "abc", KEPT),
    FAILS("8.1.1", "a body that is too short", "A1; H1h :status=200 content-length=4; D1e abc" NEXT, -EPROTO, "rules",
          KEPT),
    FAILS("8.1.1", "a body that is too long", "A1; H1h :status=200 content-length=2; D1e abc" NEXT, -EPROTO, "rules",
          KEPT),
    FAILS("8.1.1", "no body where there should be one", "A1; H1eh :status=200 content-length=2" NEXT, -EPROTO, "rules",
          KEPT),
    FAILS("8.1.1", "two lengths", "A1; H1h :status=200 content-length=3 content-length=4; D1e abc" NEXT, -EPROTO,
          "rules", KEPT),
    FAILS("8.1.1", "a length that is no number", "A1; H1h :status=200 content-length=3x; D1e abc" NEXT, -EPROTO,
          "rules", KEPT),
    FAILS("8.1.1", "a length past all numbers", "A1; H1h :status=200 content-length=99999999999999999999; D1e a" NEXT,
          -EPROTO, "rules", KEPT),

    /* Heads */
    FAILS("8.1", "DATA before the head", "A1; D1e abc", -EPROTO, "PROTOCOL_ERROR", ENDED),
    FAILS("8.3.2", "no status", "A1; H1eh x-a=b" NEXT, -EPROTO, "rules", KEPT),
    FAILS("8.3.2", "two statuses", "A1; H1eh :status=200 :status=200" NEXT, -EPROTO, "rules", KEPT),
    FAILS("8.3.2", "a status of two digits", "A1; H1eh :status=20" NEXT, -EPROTO, "rules", KEPT),
    FAILS("8.3.2", "a status of four digits", "A1; H1eh :status=2000" NEXT, -EPROTO, "rules", KEPT),
    FAILS("8.3.2", "a status with a letter", "A1; H1eh :status=2x0" NEXT, -EPROTO, "rules", KEPT),
    FAILS("8.3.2", "a status below 100", "A1; H1eh :status=099" NEXT, -EPROTO, "99 is no status", KEPT),
    FAILS("8.3", "a pseudo field behind others", "A1; H1eh x-a=b :status=200" NEXT, -EPROTO, "rules", KEPT),
    FAILS("8.3", "a pseudo field of requests", "A1; H1eh :status=200 :path=/" NEXT, -EPROTO, "rules", KEPT),
    FAILS("8.3", "a pseudo field that nobody knows", "A1; H1eh :status=200 :own=x" NEXT, -EPROTO, "", KEPT),
    FAILS("8.2.1", "a name in upper case", "A1; H1eh :status=200 X-A=b" NEXT, -EPROTO, "", KEPT),
    FAILS("8.2.1", "a name with a space", "A1; H1eh :status=200 x%20a=b" NEXT, -EPROTO, "", KEPT),
    FAILS("8.2.1", "a value with a line's end", "A1; H1eh :status=200 x-a=b%0d%0ac" NEXT, -EPROTO, "", KEPT),
    FAILS("8.2.1", "a value with a zero byte", "A1; H1eh :status=200 x-a=b%00c" NEXT, -EPROTO, "", KEPT),
    FAILS("8.2.2", "connection", "A1; H1eh :status=200 connection=close" NEXT, -EPROTO, "rules", KEPT),
    FAILS("8.2.2", "transfer-encoding", "A1; H1eh :status=200 transfer-encoding=chunked" NEXT, -EPROTO, "rules", KEPT),
    FAILS("8.2.2", "upgrade", "A1; H1eh :status=200 upgrade=x" NEXT, -EPROTO, "rules", KEPT),
    FAILS("10.5.1", "a head over the limit", "A1; H1eh :status=200 x-a=*3000" NEXT, -EMSGSIZE,
          "the head of the answer is longer than 2048 bytes", KEPT),
    FAILS("10.5.1", "more fields than the limit",
          "A1; H1eh :status=200 a=1 b=2 c=3 d=4 e=5 f=6 g=7 h=8 i=9 j=0 k=1" NEXT, -EMSGSIZE,
          "the answer has more than 10 fields", KEPT),
    FAILS("10.5.1", "trailers over the limit", OK1 "D1 abc; H1eh x-a=*3000" NEXT, -EMSGSIZE, "longer than 2048 bytes",
          KEPT),

    /* Resets */
    FAILS("5.4.2", "a reset before the head", "A1; R 1 8" NEXT, -ECONNRESET, "the server reset the stream: CANCEL",
          KEPT),
    FAILS("5.4.2", "a reset without an error before the head", "A1; R 1 0" NEXT, -ECONNRESET,
          "the server reset the stream: NO_ERROR", KEPT),
    FAILS("5.4.2", "a reset in the body", OK1 "D1 abc; R 1 2" NEXT, -ECONNRESET, "INTERNAL_ERROR", KEPT),
    WORKS("8.1", "a reset behind the answer", OK1 "D1e abc; R 1 0" NEXT, 200, "abc", KEPT),
    WORKS("8.7", "a refused stream is asked for again", "A1; R 1 7; A3; H3h :status=200; D3e abc; A5; H5eh :status=204",
          200, "abc", KEPT),
    FAILS("8.7", "but not for ever", "A1; R 1 7; A3; R 3 7; A5; R 5 7; A7; R 7 7; A9; H9eh :status=204", -ECONNRESET,
          "the server refused the stream", KEPT),
    FAILS("7", "a server that wants HTTP/1.1", "A1; R 1 13" NEXT, -ECONNRESET, "HTTP_1_1_REQUIRED", KEPT),

    /* Goodbyes */
    WORKS("6.8", "a goodbye before the request is looked at", "A1; G 0 0", 204, "", ENDED),
    WORKS("6.8", "a goodbye while the request is answered", "A1; G 1 0; H1h :status=200; T 5; D1e abc", 200, "abc",
          ENDED),
    WORKS("6.8", "a goodbye with notice", "A1; G 0x7fffffff 0; T 5; H1h :status=200; G 1 0; D1e abc", 200, "abc",
          ENDED),
    WORKS("6.8", "a goodbye behind the answer", OK1 "D1e abc; G 1 0; E", 200, "abc", ENDED),
    FAILS("6.8", "a goodbye and the end before the answer", "A1; G 1 0; E", -ECONNRESET,
          "the server closed the connection", ENDED),
    FAILS("6.8", "a goodbye for an error", "A1; G 1 11; E", -ECONNRESET, "ENHANCE_YOUR_CALM", ENDED),
    FAILS("6.8", "a goodbye that takes back another one", "A1; G 1 0; G 3 0; E", -EPROTO, "", ENDED),
    FAILS("6.8", "a goodbye on a stream", "A1; F 7 0 1 0000000000000000", -EPROTO, "PROTOCOL_ERROR", ENDED),

    /* Ends */
    FAILS("", "the end before the head", "A1; E", -ECONNRESET, "the server closed the connection", ENDED),
    FAILS("", "the end in the head", "A1; H1 :status=200; E", -ECONNRESET, "the server closed the connection", ENDED),
    FAILS("", "the end in the body", OK1 "D1 abc; E", WF_EEND, "the answer ended before its body was complete", ENDED),
    WORKS("", "the end behind the answer", OK1 "D1e abc; E", 200, "abc", ENDED),

    /* Frames that break the connection */
    FAILS("3.4", "an answer of HTTP/1.1", "!X 485454502f312e31203430302042616420526571756573740d0a0d0a", -EPROTO, "",
          ENDED),
    FAILS("3.4", "the first frame is not SETTINGS", "!P", -EPROTO, "", ENDED),
    FAILS("4.2", "a frame over the size", "A1; F 0 0 1 00; X 0040010000000000010000", -EPROTO, "", ENDED),
    FAILS("4.3", "a head that cannot be unpacked", "A1; F 1 5 1 4040", -EPROTO, "COMPRESSION_ERROR", ENDED),
    FAILS("4.3", "an index that is in no table", "A1; F 1 5 1 ffff7f", -EPROTO, "COMPRESSION_ERROR", ENDED),
    FAILS("4.3", "a table over its size", "A1; F 1 5 1 3fe1ff3f", -EPROTO, "COMPRESSION_ERROR", ENDED),
    FAILS("4.3", "another frame inside of a head", "A1; H1 :status=200; P; C1h a=b", -EPROTO, "PROTOCOL_ERROR", ENDED),
    FAILS("6.10", "CONTINUATION without a head", "A1; C1h a=b", -EPROTO, "PROTOCOL_ERROR", ENDED),
    FAILS("5.1", "a head on an idle stream", "A1; H5eh :status=200", -EPROTO, "PROTOCOL_ERROR", ENDED),
    FAILS("5.1", "DATA on an idle stream", "A1; D5e abc", -EPROTO, "PROTOCOL_ERROR", ENDED),
    FAILS("5.1", "RST_STREAM on an idle stream", "A1; R 5 8", -EPROTO, "PROTOCOL_ERROR", ENDED),
    FAILS("5.1", "WINDOW_UPDATE on an idle stream", "A1; W 5 8", -EPROTO, "PROTOCOL_ERROR", ENDED),
    FAILS("5.1.1", "a head on an even stream", "A1; H2eh :status=200", -EPROTO, "PROTOCOL_ERROR", ENDED),
    FAILS("6.1", "DATA on stream 0", "A1; D0 abc", -EPROTO, "PROTOCOL_ERROR", ENDED),
    FAILS("6.1", "DATA whose padding is longer than it", "A1; H1h :status=200; F 0 9 1 05616263", -EPROTO,
          "PROTOCOL_ERROR", ENDED),
    FAILS("6.2", "a head on stream 0", "A1; H0eh :status=200", -EPROTO, "PROTOCOL_ERROR", ENDED),
    FAILS("6.4", "RST_STREAM on stream 0", "A1; F 3 0 0 00000008", -EPROTO, "PROTOCOL_ERROR", ENDED),
    FAILS("6.4", "RST_STREAM of a wrong size", "A1; F 3 0 1 000008", -EPROTO, "FRAME_SIZE_ERROR", ENDED),
    FAILS("6.5", "SETTINGS on a stream", "A1; F 4 0 1 ", -EPROTO, "PROTOCOL_ERROR", ENDED),
    FAILS("6.5", "SETTINGS of a wrong size", "A1; F 4 0 0 0001", -EPROTO, "FRAME_SIZE_ERROR", ENDED),
    FAILS("6.5", "an answer to SETTINGS with a payload", "A1; S e 1=1", -EPROTO, "FRAME_SIZE_ERROR", ENDED),
    FAILS("6.5", "an answer to SETTINGS that nobody sent", "A1; S e; S e; S e", -EPROTO, "PROTOCOL_ERROR", ENDED),
    FAILS("6.5.2", "a server that allows pushes", "A1; S 2=1", -EPROTO, "PROTOCOL_ERROR", ENDED),
    FAILS("6.5.2", "a window over its size", "A1; S 4=0x80000000", -EPROTO, "FLOW_CONTROL_ERROR", ENDED),
    FAILS("6.5.2", "a frame size that is too small", "A1; S 5=100", -EPROTO, "PROTOCOL_ERROR", ENDED),
    FAILS("6.5.2", "a frame size that is too large", "A1; S 5=16777216", -EPROTO, "PROTOCOL_ERROR", ENDED),
    WORKS("6.5.2", "a setting that nobody knows", "A1; S 0x99=5; H1eh :status=200" NEXT, 200, "", KEPT),
    FAILS("6.6", "a push", "A1; F 5 4 1 00000002828684", -EPROTO, "pushes what nobody asked for", ENDED),
    FAILS("6.6", "a push on stream 0", "A1; F 5 4 0 00000002828684", -EPROTO, "pushes", ENDED),
    WORKS("6.7", "PING", "A1; P; H1eh :status=200" NEXT, 200, "", KEPT),
    WORKS("6.7", "an answer to a PING that nobody sent", "A1; P e; H1eh :status=200" NEXT, 200, "", KEPT),
    FAILS("6.7", "PING on a stream", "A1; F 6 0 1 0001020304050607", -EPROTO, "PROTOCOL_ERROR", ENDED),
    FAILS("6.7", "PING of a wrong size", "A1; F 6 0 0 0001", -EPROTO, "FRAME_SIZE_ERROR", ENDED),
    FAILS("6.9", "WINDOW_UPDATE by nothing", "A1; W 0 0", -EPROTO, "PROTOCOL_ERROR", ENDED),
    FAILS("6.9", "WINDOW_UPDATE of a wrong size", "A1; F 8 0 0 0001", -EPROTO, "FRAME_SIZE_ERROR", ENDED),
    FAILS("6.9.1", "a connection's window over its size", "A1; W 0 0x7fffffff", -EPROTO, "FLOW_CONTROL_ERROR", ENDED),
    FAILS("6.9.1", "a stream's window over its size", "A1; H1h :status=200; W 1 0x7fffffff" NEXT, -EPROTO, "", KEPT),

    /* Floods */
    FAILS("10.5", "a flood of PING", "A1; 600 P", -EPROTO, "floods", ENDED),
    FAILS("10.5", "a flood of SETTINGS", "A1; 600 S", -EPROTO, "floods", ENDED),
    FAILS("10.5", "a flood of empty DATA", "A1; H1h :status=200; T 1; 600 D1 ", -EPROTO, "floods", ENDED),
    FAILS("10.5", "a flood of CONTINUATION", "A1; H1 :status=200; T 1; 200 C1 ", -EPROTO, "floods", ENDED),
    FAILS("5.1", "DATA on a stream that was reset", "A1; H1h :status=200 x-a=*3000; D1 abc; D1e abc" NEXT, -EMSGSIZE,
          "2048", KEPT),
};

/* ---- Playing them ---- */

struct outcome {
    int code, status;
    char text[256];
    unsigned connections;
};

static void call(struct wf_client *client, const struct c2_case *row, const char *url, struct outcome *outcome)
{
    struct wf_response response;
    outcome->code = wf_fetch(client, wf_task_arena(), row->method, url, &response);
    outcome->status = outcome->code == 0 ? response.status : 0;
    const char *text = outcome->code < 0 ? wf_failure() : response.body;
    snprintf(outcome->text, sizeof outcome->text, "%s", text != NULL ? text : "");
}

static bool play(const struct c2_case *row, bool by_bytes, struct outcome *first, struct outcome *second)
{
    struct c2_server server = {.scripts = {row->script, LAST}, .by_bytes = by_bytes};
    char url[64];
    WF_SCOPE(scope);
    bool played = c2_server_start(&server, &scope) == 0;
    if (played) {
        WF_CLIENT(client, .version = WF_HTTP_2, .limits = {.head_max = 2048, .fields_max = 10});
        call(&client, row, c2_server_url(&server, url), first);
        call(&client, &(struct c2_case){.method = WF_GET}, url, second);
        first->connections = server.connections;
    }
    wf_ignore(wf_scope_end(&scope, 0));
    return played;
}

static bool check(const struct c2_case *row, bool by_bytes)
{
    struct outcome first = {.code = 1}, second = {.code = 1};
    if (!WF_EXPECT(play(row, by_bytes, &first, &second))) return false;
    bool right = first.code == row->code && first.status == row->status && second.code == 0;
    right = right && (row->code < 0 ? strstr(first.text, row->text) != NULL : strcmp(first.text, row->text) == 0);
    right = right && first.connections == (row->kept == KEPT ? 1U : 2U);
    if (!WF_EXPECT(right))
        fprintf(stderr, "%s, %s%s: %d %d \"%s\", then %d %d \"%s\"; %u connections\n", row->section, row->claim,
                by_bytes ? ", by bytes" : "", first.code, first.status, first.text, second.code, second.status,
                second.text, first.connections);
    return right;
}

WF_TEST(every_case_ends_as_it_should, .simulated = true, .timeout = WF_SECONDS(1000))
{
    for (size_t i = 0; i < WF_COUNT(cases); i++)
        if (!check(&cases[i], false)) return;
}

WF_TEST(every_case_ends_so_byte_by_byte, .simulated = true, .timeout = WF_SECONDS(1000))
{
    for (size_t i = 0; i < WF_COUNT(cases); i++)
        if (!check(&cases[i], true)) return;
}

WF_TEST_MAIN
