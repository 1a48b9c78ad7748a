/* Compressed messages (RFC 7692): which offers are taken, the examples of the RFC, bombs, and what is not deflate. */
#include <string.h>
#include <weft/extend.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "http/ws_deflate.h" /* offers are looked at one by one, and bombs are made */
#include "ws_rig.h"

struct offer_case {
    const char *offers, *answer; /* NULL: none is taken */
};

static const struct offer_case offers[] = {
    {"permessage-deflate", "permessage-deflate"},
    {"permessage-deflate; client_max_window_bits", "permessage-deflate"},
    {"permessage-deflate; client_max_window_bits=9", "permessage-deflate"},
    {"Permessage-Deflate ;  Server_No_Context_Takeover",
     "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
    {"permessage-deflate; client_no_context_takeover", "permessage-deflate; client_no_context_takeover"},
    {"permessage-deflate; server_max_window_bits=10", "permessage-deflate; server_max_window_bits=10"},
    {"permessage-deflate; server_max_window_bits=\"12\"", "permessage-deflate; server_max_window_bits=12"},
    {"permessage-deflate; server_max_window_bits=8", NULL}, /* zlib has no such window */
    {"permessage-deflate; server_max_window_bits=8, permessage-deflate", "permessage-deflate"},
    {"x-webkit-deflate-frame, permessage-deflate; client_max_window_bits", "permessage-deflate"},
    {"permessage-deflate; server_max_window_bits", NULL},
    {"permessage-deflate; server_max_window_bits=16", NULL},
    {"permessage-deflate; server_max_window_bits=09", NULL},
    {"permessage-deflate; client_max_window_bits=7", NULL},
    {"permessage-deflate; client_max_window_bits=x", NULL},
    {"permessage-deflate; server_no_context_takeover=1", NULL},
    {"permessage-deflate; client_no_context_takeover; client_no_context_takeover", NULL},
    {"permessage-deflate; something", NULL},
    {"permessage-deflate something", NULL},
    {"permessage-deflate;", NULL},
    {"permessage-deflate; ; client_max_window_bits", NULL},
    {"permessage-deflated", NULL},
    {"", NULL},
    {" , ", NULL},
};

WF_TEST_EACH(an_offer_is_taken_or_left, offers)
{
    struct ws_deflate deflate = {.on = false};
    char answer[160] = "";
    WF_EXPECT_INT(ws_deflate_accept(&deflate, row->offers, answer, sizeof answer), row->answer != NULL);
    WF_EXPECT_INT(deflate.on, row->answer != NULL);
    if (row->answer != NULL) WF_EXPECT_TEXT(answer, row->answer);
}

/* ---- The examples of section 7.2.3 ---- */

static void say_squeezed(struct heard *heard, const struct said *said, size_t message_max)
{
    speak_with(heard, deflate_handshake, said, WS_OPTIONS(.deflate = true, .message_max = message_max), false);
    WF_EXPECT_PART(heard->head, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
}

struct squeezed_case {
    const char *name;
    struct said said[SAID_MAX];
    const char *heard;
};

static const struct squeezed_case squeezed[] = {
    {"one frame", {SAY(0xc1, "\xf2\x48\xcd\xc9\xc9\x07\x00"), SAY(0x88, "")}, "text(Hello) close()"},
    {"two frames", {SAY(0x41, "\xf2\x48\xcd"), SAY(0x80, "\xc9\xc9\x07\x00"), SAY(0x88, "")}, "text(Hello) close()"},
    {"the window of the message before",
     {SAY(0xc1, "\xf2\x48\xcd\xc9\xc9\x07\x00"), SAY(0xc1, "\xf2\x00\x11\x00\x00"), SAY(0x88, "")},
     "text(Hello) text(Hello) close()"},
    {"a block without compression",
     {SAY(0xc1, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), SAY(0x88, "")},
     "text(Hello) close()"},
    {"a final block", {SAY(0xc1, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), SAY(0x88, "")}, "text(Hello) close()"},
    {"two blocks",
     {SAY(0xc1, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), SAY(0x88, "")},
     "text(Hello) close()"},
    {"plain between squeezed ones",
     {SAY(0xc1, "\xf2\x48\xcd\xc9\xc9\x07\x00"), SAY(0x81, "plain"), SAY(0xc1, "\xf2\x00\x11\x00\x00"), SAY(0x88, "")},
     "text(Hello) text(plain) text(Hello) close()"},
    {"nothing", {SAY(0xc1, "\x00"), SAY(0x88, "")}, "text() close()"},
    {"no deflate", {SAY(0xc1, "\xff\xff\xff\xff")}, "close(1007 a message that is not deflate)"},
    {"a window that is not there", {SAY(0xc1, "\xf2\x00\x11\x00\x00")}, "close(1007 a message that is not deflate)"},
    {"not UTF-8 inside", {SAY(0xc1, "\x00\x01\x00\xfe\xff\xff\x00")}, "close(1007 a text that is not UTF-8)"},
    {"rsv1 of a continuation", {SAY(0x41, "\xf2\x48\xcd"), SAY(0xc0, "\xc9")}, "close(1002 a reserved bit)"},
    {"rsv1 of a ping", {SAY(0xc9, "")}, "close(1002 a reserved bit in a control frame)"},
};

static const char *squeezed_name(size_t row)
{
    return squeezed[row].name;
}

WF_TEST_EACH(a_squeezed_message_is_read, squeezed, .row_name = squeezed_name)
{
    struct heard heard;
    say_squeezed(&heard, row->said, 0);
    WF_EXPECT_TEXT(heard.frames, row->heard);
}

WF_TEST(who_did_not_agree_on_it_may_not_squeeze)
{
    struct heard heard;
    speak_with(&heard, deflate_handshake, squeezed[0].said, WS_OPTIONS(.deflate = false), false);
    WF_EXPECT(strstr(heard.head, "Extensions") == NULL);
    WF_EXPECT_TEXT(heard.frames, "close(1002 a reserved bit)");
}

/* ---- Sizes ---- */

static char much[100000];

WF_TEST(a_bomb_is_defused)
{
    struct ws_deflate deflate = {.on = true, .window_bits = 15};
    char *bomb;
    size_t size;
    if (!WF_EXPECT_CODE(ws_deflate_squeeze(&deflate, much, sizeof much, &bomb, &size), 0))
        return ws_deflate_finish(&deflate);
    WF_EXPECT(size < 500);
    struct heard heard;
    struct said said[] = {{.first = 0xc2, .payload = bomb, .size = size}, {.payload = NULL}};
    say_squeezed(&heard, said, 99999);
    WF_EXPECT_TEXT(heard.frames, "close(1009 a message is too long)");
    struct said more[] = {said[0], SAY(0x88, ""), {.payload = NULL}};
    say_squeezed(&heard, more, 100000);
    WF_EXPECT_PART(heard.frames, "squeezed binary(");
    WF_EXPECT_CODE(heard.outcome, 0);
    wf_memory_free(bomb);
    ws_deflate_finish(&deflate);
}

/* What goes through both ends comes out as it was; each message may lean on those before. */
static void through_both(bool forget)
{
    struct ws_deflate out = {.on = true, .window_bits = 10, .forget_sent = forget}, in = {.forget_received = forget};
    size_t first = 0;
    for (unsigned turn = 0; turn < 20; turn++) {
        char text[300], *small, *large;
        size_t size, count;
        for (size_t i = 0; i < sizeof text; i++) text[i] = (char)('a' + (i * i + turn) % 23);
        if (!WF_EXPECT_CODE(ws_deflate_squeeze(&out, text, sizeof text, &small, &size), 0)) break;
        if (turn == 0) first = size;
        if (turn == 1) WF_EXPECT(forget ? size > first / 2 : size < first);
        if (turn == 10) ws_deflate_forget_sent(&out); /* as if a message had not gone out */
        int rc = ws_deflate_swell(&in, small, size, sizeof text, &large, &count);
        wf_memory_free(small);
        if (!WF_EXPECT_CODE(rc, 0)) break;
        WF_EXPECT(count == sizeof text && memcmp(text, large, count) == 0);
        wf_memory_free(large);
    }
    ws_deflate_finish(&out);
    ws_deflate_finish(&in);
}

WF_TEST(messages_come_out_as_they_went_in)
{
    through_both(false);
    through_both(true);
}

WF_TEST_MAIN
