/* WebSocket as a client sees it: the handshake, every rule of RFC 6455 that it can break, and how sockets end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "ws_rig.h"

#define MUCH(byte, count)                                                                                              \
    {                                                                                                                  \
        .first = (byte), .payload = large, .size = (count)                                                             \
    }

static char large[70000];

static const struct said hello[] = {SAY(0x81, "hello"), SAY(0x88, "\x03\xe8"), {.payload = NULL}};

/* ---- The handshake: docs/websocket-cases.md ---- */

struct handshake_case {
    const char *name, *method, *fields, *origin;
    int status;
};

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define V13 "Sec-WebSocket-Version: 13\r\n"
#define UP "Upgrade: websocket\r\nConnection: Upgrade\r\n"

static const struct handshake_case handshakes[] = {
    {"good", "GET", UP KEY V13, NULL, 101},
    {"upgrade-in-another-case", "GET", "Upgrade: WebSocket\r\nConnection: UPGRADE\r\n" KEY V13, NULL, 101},
    {"upgrade-among-others", "GET", "Upgrade: h2c, websocket\r\nConnection: keep-alive, upgrade\r\n" KEY V13, NULL,
     101},
    {"no-upgrade", "GET", "Connection: Upgrade\r\n" KEY V13, NULL, 426},
    {"another-upgrade", "GET", "Upgrade: h2c\r\nConnection: Upgrade\r\n" KEY V13, NULL, 426},
    {"no-connection", "GET", "Upgrade: websocket\r\n" KEY V13, NULL, 426},
    {"no-version", "GET", UP KEY, NULL, 426},
    {"version-8", "GET", UP KEY "Sec-WebSocket-Version: 8\r\n", NULL, 426},
    {"no-key", "GET", UP V13, NULL, 400},
    {"short-key", "GET", UP V13 "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n", NULL, 400},
    {"long-key", "GET", UP V13 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWFh\r\n", NULL, 400},
    {"key-that-is-no-base64", "GET", UP V13 "Sec-WebSocket-Key: dGhl!HNhbXBsZSBub25jZQ==\r\n", NULL, 400},
    {"head", "HEAD", UP KEY V13, NULL, 405},
    {"body", "GET", UP KEY V13 "Content-Length: 3\r\n", NULL, 400},
    {"same-origin", "GET", UP KEY V13 "Origin: https://a.example\r\n", NULL, 101},
    {"foreign-origin", "GET", UP KEY V13 "Origin: https://b.example\r\n", NULL, 403},
    {"origin-null", "GET", UP KEY V13 "Origin: null\r\n", NULL, 403},
    {"named-origin", "GET", UP KEY V13 "Origin: https://b.example\r\n", "https://b.example", 101},
    {"origin-not-named", "GET", UP KEY V13 "Origin: https://a.example\r\n", "https://b.example", 403},
    {"any-origin", "GET", UP KEY V13 "Origin: https://c.example\r\n", "*", 101},
};

static const char *handshake_name(size_t row)
{
    return handshakes[row].name;
}

WF_TEST_EACH(a_handshake_is_checked, handshakes, .row_name = handshake_name)
{
    char text[512];
    snprintf(text, sizeof text, "%s /echo HTTP/1.1\r\nHost: a.example\r\n%s\r\n%s", row->method, row->fields,
             strstr(row->fields, "Content-Length") != NULL ? "abc" : "");
    struct heard heard;
    speak_with(&heard, text, NULL, WS_OPTIONS(.origins = {row->origin}), false);
    WF_EXPECT_INT(heard.status, row->status);
    WF_EXPECT_INT(heard.outcome >= 0 || heard.outcome == -ECONNRESET, row->status == 101);
    if (row->status == 101) WF_EXPECT_PART(heard.head, "ec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    if (row->status == 426) WF_EXPECT_PART(heard.head, "Sec-WebSocket-Version: 13\r\n");
}

WF_TEST(a_request_of_http_1_0_is_no_handshake)
{
    struct heard heard;
    speak_with(&heard, "GET /echo HTTP/1.0\r\nHost: a.example\r\n" UP KEY V13 "\r\n", NULL, WS_OPTIONS(), false);
    WF_EXPECT_INT(heard.status, 426);
}

WF_TEST(the_first_protocol_that_both_speak_is_taken)
{
    static const char asked[] =
        "GET /echo HTTP/1.1\r\nHost: a\r\n" UP KEY V13 "Sec-WebSocket-Protocol: soap, chat.v1\r\n\r\n";
    struct heard heard;
    speak_with(&heard, asked, hello, WS_OPTIONS(.protocols = {"chat.v2", "chat.v1", "soap"}), false);
    WF_EXPECT_PART(heard.head, "Sec-WebSocket-Protocol: chat.v1\r\n");
    speak_with(&heard, asked, hello, WS_OPTIONS(.protocols = {"chat.v2"}), false);
    WF_EXPECT(strstr(heard.head, "Sec-WebSocket-Protocol") == NULL);
    WF_EXPECT_TEXT(heard.frames, "text(hello) close(1000)");
}

/* ---- Frames ---- */

#define OF_126                                                                                                         \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"             \
    "01234567890123456789012345"

struct frame_case {
    const char *name;
    struct said said[SAID_MAX];
    const char *heard;
    int outcome;
    unsigned code;
};

static const struct frame_case frames[] = {
    {"text", {SAY(0x81, "hello"), SAY(0x88, "\x03\xe8")}, "text(hello) close(1000)", 0, 1000},
    {"empty text", {SAY(0x81, ""), SAY(0x88, "\x03\xe8")}, "text() close(1000)", 0, 1000},
    {"binary", {SAY(0x82, "\xff\x00z"), SAY(0x88, "")}, "binary(\xff", 0, 1005},
    {"two pieces", {SAY(0x01, "hel"), SAY(0x80, "lo"), SAY(0x88, "")}, "text(hello) close()", 0, 1005},
    {"empty pieces",
     {SAY(0x01, ""), SAY(0x00, ""), SAY(0x00, "a"), SAY(0x80, ""), SAY(0x88, "")},
     "text(a) close()",
     0,
     1005},
    {"ping between pieces",
     {SAY(0x01, "hel"), SAY(0x89, "p"), SAY(0x80, "lo"), SAY(0x88, "")},
     "pong(p) text(hello) close()",
     0,
     1005},
    {"ping of 125", {MUCH(0x89, 125), SAY(0x88, "")}, "pong(", 0, 1005},
    {"pong that nobody asked for", {SAY(0x8a, "x"), SAY(0x81, "a"), SAY(0x88, "")}, "text(a) close()", 0, 1005},
    {"125 bytes", {MUCH(0x82, 125), SAY(0x88, "")}, "binary(", 0, 1005},
    {"126 bytes", {SAY(0x81, OF_126), SAY(0x88, "")}, "text(" OF_126 ") close()", 0, 1005},
    {"65535 bytes", {MUCH(0x82, 65535), SAY(0x88, "")}, "binary(65535 bytes) close()", 0, 1005},
    {"65536 bytes", {MUCH(0x82, 65536), SAY(0x88, "")}, "binary(65536 bytes) close()", 0, 1005},
    {"a size in pieces", {MUCH(0x02, 5000), MUCH(0x80, 3000), SAY(0x88, "")}, "binary(8000 bytes) close()", 0, 1005},
    {"no mask",
     {{.first = 0x81, .payload = "a", .size = 1, .unmasked = true}},
     "close(1002 a frame without a mask)",
     -EBADMSG,
     1002},
    {"rsv1 without an extension", {SAY(0xc1, "a")}, "close(1002 a reserved bit)", -EBADMSG, 1002},
    {"rsv2", {SAY(0xa1, "a")}, "close(1002 a reserved bit)", -EBADMSG, 1002},
    {"rsv3", {SAY(0x91, "a")}, "close(1002 a reserved bit)", -EBADMSG, 1002},
    {"rsv in a ping", {SAY(0xc9, "a")}, "close(1002 a reserved bit in a control frame)", -EBADMSG, 1002},
    {"opcode 3", {SAY(0x83, "a")}, "close(1002 a frame of an unknown kind)", -EBADMSG, 1002},
    {"opcode 7", {SAY(0x87, "a")}, "close(1002 a frame of an unknown kind)", -EBADMSG, 1002},
    {"opcode 11", {SAY(0x8b, "a")}, "close(1002 a frame of an unknown kind)", -EBADMSG, 1002},
    {"opcode 15", {SAY(0x8f, "a")}, "close(1002 a frame of an unknown kind)", -EBADMSG, 1002},
    {"ping in pieces", {SAY(0x09, "a")}, "close(1002 a control frame in pieces)", -EBADMSG, 1002},
    {"close in pieces", {SAY(0x08, "")}, "close(1002 a control frame in pieces)", -EBADMSG, 1002},
    {"ping of 126", {SAY(0x89, OF_126)}, "close(1002 a control frame of more than 125 bytes)", -EBADMSG, 1002},
    {"close of 126", {SAY(0x88, OF_126)}, "close(1002 a control frame of more than 125 bytes)", -EBADMSG, 1002},
    {"continuation of nothing", {SAY(0x80, "a")}, "close(1002 a continuation of nothing)", -EBADMSG, 1002},
    {"continuation after the end",
     {SAY(0x81, "a"), SAY(0x80, "b")},
     "text(a) close(1002 a continuation of nothing)",
     -EBADMSG,
     1002},
    {"a message inside of another",
     {SAY(0x01, "a"), SAY(0x81, "b")},
     "close(1002 a new message inside of another)",
     -EBADMSG,
     1002},
    {"16 bits for 125",
     {RAW("\x82\xfe\x00\x7d")},
     "close(1002 a size that is not written in the shortest way)",
     -EBADMSG,
     1002},
    {"64 bits for 65535",
     {RAW("\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff")},
     "close(1002 a size that is not written in the shortest way)",
     -EBADMSG,
     1002},
    {"a size with the first bit set",
     {RAW("\x82\xff\x80\x00\x00\x00\x00\x00\xff\xff")},
     "close(1002 a size that is not written in the shortest way)",
     -EBADMSG,
     1002},
    {"a text that is not UTF-8", {SAY(0x81, "a\xff")}, "close(1007 a text that is not UTF-8)", -EBADMSG, 1007},
    {"a text that ends in a character",
     {SAY(0x81, "\xe2\x82")},
     "close(1007 a text that is not UTF-8)",
     -EBADMSG,
     1007},
    {"a surrogate", {SAY(0x81, "\xed\xa0\x80")}, "close(1007 a text that is not UTF-8)", -EBADMSG, 1007},
    {"longer than needed", {SAY(0x81, "\xc0\xaf")}, "close(1007 a text that is not UTF-8)", -EBADMSG, 1007},
    {"past U+10FFFF", {SAY(0x81, "\xf4\x90\x80\x80")}, "close(1007 a text that is not UTF-8)", -EBADMSG, 1007},
    {"a character across pieces",
     {SAY(0x01, "\xe2\x82"), SAY(0x80, "\xac"), SAY(0x88, "")},
     "text(\xe2\x82\xac) close()",
     0,
     1005},
    {"not UTF-8 is told before the end", {SAY(0x01, "\xff")}, "close(1007 a text that is not UTF-8)", -EBADMSG, 1007},
    {"too long", {MUCH(0x82, 65537)}, "close(1009 a message is too long)", -EMSGSIZE, 1009},
    {"too long in pieces", {MUCH(0x02, 65000), MUCH(0x80, 537)}, "close(1009 a message is too long)", -EMSGSIZE, 1009},
    {"too long by its head",
     {RAW("\x82\xff\x00\x00\x10\x00\x00\x00\x00\x00"
          "mask")},
     "close(1009 a message is too long)",
     -EMSGSIZE,
     1009},
    {"close with a reason",
     {SAY(0x88, "\x03\xe9"
                "bye")},
     "close(1001)",
     0,
     1001},
    {"close of an application", {SAY(0x88, "\x0f\xa0")}, "close(4000)", 0, 4000},
    {"half a code", {SAY(0x88, "\x03")}, "close(1002 a close with half a code)", -EBADMSG, 1002},
    {"code 0", {SAY(0x88, "\x00\x00")}, "close(1002 a close with a code that is none)", -EBADMSG, 1002},
    {"code 999", {SAY(0x88, "\x03\xe7")}, "close(1002 a close with a code that is none)", -EBADMSG, 1002},
    {"code 1004", {SAY(0x88, "\x03\xec")}, "close(1002 a close with a code that is none)", -EBADMSG, 1002},
    {"code 1005", {SAY(0x88, "\x03\xed")}, "close(1002 a close with a code that is none)", -EBADMSG, 1002},
    {"code 1006", {SAY(0x88, "\x03\xee")}, "close(1002 a close with a code that is none)", -EBADMSG, 1002},
    {"code 1015", {SAY(0x88, "\x03\xf7")}, "close(1002 a close with a code that is none)", -EBADMSG, 1002},
    {"code 2999", {SAY(0x88, "\x0b\xb7")}, "close(1002 a close with a code that is none)", -EBADMSG, 1002},
    {"code 5000", {SAY(0x88, "\x13\x88")}, "close(1002 a close with a code that is none)", -EBADMSG, 1002},
    {"a reason that is not UTF-8", {SAY(0x88, "\x03\xe8\xff")}, "close(1007 a text that is not UTF-8)", -EBADMSG, 1007},
    {"nothing after a close", {SAY(0x88, ""), SAY(0x81, "late")}, "close()", 0, 1005},
    {"the end without a close", {SAY(0x81, "a")}, "text(a)", -ECONNRESET, 1006},
    {"the end in a head", {SAY(0x81, "a"), RAW("\x81")}, "text(a)", -ECONNRESET, 1006},
    {"the end in a payload", {RAW("\x81\x85maskab")}, "", -ECONNRESET, 1006},
};

static const char *frame_name(size_t row)
{
    return frames[row].name;
}

static void check_frames(const struct frame_case *row, bool one_by_one)
{
    struct heard heard;
    speak(&heard, row->said, WS_OPTIONS(.message_max = 65536), one_by_one);
    WF_EXPECT_INT(heard.status, 101);
    if (strchr(row->heard, ')') != NULL || row->heard[0] == '\0') WF_EXPECT_TEXT(heard.frames, row->heard);
    else WF_EXPECT_PART(heard.frames, row->heard);
    WF_EXPECT_CODE(heard.outcome, row->outcome);
    WF_EXPECT_INT(heard.code, row->code);
}

WF_TEST_EACH(a_frame_is_answered_as_it_must, frames, .row_name = frame_name)
{
    check_frames(row, false);
}

WF_TEST_EACH(a_frame_that_comes_byte_by_byte_is_the_same, frames, .row_name = frame_name,
             .unswept = "it has as many places as bytes; the same is swept in whole frames")
{
    size_t size = 0;
    for (const struct said *said = row->said; said->payload != NULL; said++) size += said->size;
    if (size < 10000) check_frames(row, true);
}

WF_TEST(the_reason_of_a_close_is_told_to_the_handler)
{
    struct heard heard;
    speak(&heard,
          (struct said[]){SAY(0x88, "\x03\xe9"
                                    "gone home"),
                          {.payload = NULL}},
          WS_OPTIONS(), false);
    WF_EXPECT_TEXT(heard.reason, "gone home");
    WF_EXPECT_INT(heard.code, 1001);
}

WF_TEST_MAIN
