/*
 * A client of HTTP/2 for tests, which may break any rule: frames by a script, and what came back as a text.
 *
 *     "H1eh GET /; D1 abc; D1e def"
 *
 * Statements of a script, divided by "; ". An id is followed by flags, a letter each: e END_STREAM (or ACK), h
 * END_HEADERS, p PADDED, y PRIORITY.
 *
 *     HID FIELD ...    HEADERS. "GET /" and "POST /" stand for the four fields of such a request to "a"; name=value for
 *                      any other, with %xx for a byte and name=x*20000 for so many letters
 *     CID FIELD ...    CONTINUATION
 *     DID TEXT         DATA; *20000 for so many letters
 *     R ID CODE        RST_STREAM
 *     S FLAGS N=V ...  SETTINGS
 *     P FLAGS          PING
 *     G ID CODE        GOAWAY
 *     W ID N           WINDOW_UPDATE
 *     F TYPE FLAGS ID HEX   any frame, by numbers
 *     X HEX            any bytes
 *     N SCRIPT...      N times all that follows, up to the end; each % of it is the next odd number from 1
 *     T MS             waits
 *
 * A script begins with the preface and empty SETTINGS, unless its first character is "!".
 * The text has a word for each frame but SETTINGS and WINDOW_UPDATE: "1:200" or "1:x-sum=a" for HEADERS, "1:data=13",
 * "1:reset=CANCEL", "goaway=1,NO_ERROR", "ping"; a "." behind says END_STREAM. "end" is the end of the connection.
 */
#ifndef WEFT_TESTS_HTTP_FRAMES_H
#define WEFT_TESTS_HTTP_FRAMES_H

#include <weft/app.h>

enum frame_delivery {
    FRAMES_WHOLE,
    FRAMES_BY_BYTES,
};

struct frames_log {
    char *text;             /* in the task's arena */
    struct wf_scope *scope; /* that the server runs in, while it does */
    int served;             /* what serving gave */
    int64_t windows;        /* the sum of all WINDOW_UPDATEs of the connection */
    int64_t body;           /* bytes of DATA */
    uint32_t settings[10];  /* by their numbers, as the server sent them */
    int64_t ended_after;    /* from the end of the script to that of the connection */
};

/* Plays the script to the app. After it the client waits 60 s at most for the server to end the connection, when
 * `patient`; else it ends its side soon. */
void frames_play(struct frames_log *log, struct wf_app *app, const char *script, enum frame_delivery delivery,
                 bool patient);

/* Words of the same stream come together in the text, by its number; those of the connection last. Which stream is
 * first where several are ready, is nobody's promise. */
void frames_sort(struct frames_log *log);

/* The bytes of a script without waits, in the task's arena. */
char *frames_bytes(const char *script, size_t *size);

#endif
