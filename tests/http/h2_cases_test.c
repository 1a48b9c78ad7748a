/*
 * What RFC 9113 asks of a server where a client can provoke it: each case whole and byte by byte. docs/http2-cases.md
 * lists them. The scripts and the texts are those of frames.h.
 */
#include <stdio.h>
#include <string.h>
#include <weft/task.h>
#include <weft/testing.h>
#include <weft/time.h>

#include "frames.h"

#define PREFACE "X 505249202a20485454502f322e300d0a0d0a534d0d0a0d0a; "

struct h2_case {
    const char *section, *claim, *script, *wanted;
    bool whole_only; /* bytes that come late change what is right */
};

#define BOTH(section, claim, script, wanted)                                                                           \
    {                                                                                                                  \
        section, claim, script, wanted, false                                                                          \
    }
#define WHOLE(section, claim, script, wanted)                                                                          \
    {                                                                                                                  \
        section, claim, script, wanted, true                                                                           \
    }

static const struct h2_case cases[] = {
    BOTH("3.4", "a request is answered", "H1eh GET /", "1:200 1:data=5. end"),
    BOTH("3.4", "the first frame has to be SETTINGS", "!" PREFACE "P", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("4.1", "frames of unknown types are ignored", "F 0x55 0xff 0 0102; F 0x56 0 1 03; H1eh GET /",
         "1:200 1:data=5. end"),
    BOTH("4.1", "flags that mean nothing are ignored", "F 6 0xf2 0 0001020304050607; H1eh GET /",
         "1:200 1:data=5. ping end"),
    BOTH("4.1", "the reserved bit of an id is ignored", "F 6 0 0x80000000 0001020304050607; H1eh GET /",
         "1:200 1:data=5. ping end"),
    BOTH("4.2", "DATA over the frame size", "H1h POST /; D1e *16385", "goaway=1,FRAME_SIZE_ERROR end"),
    BOTH("4.2", "a head over the frame size", "H1eh GET / x=*17000", "goaway=0,FRAME_SIZE_ERROR end"),
    BOTH("4.2", "DATA of the frame size", "H1h POST /; D1e *16384", "1:200 1:data=16384. end"),
    BOTH("4.3", "a head that cannot be unpacked", "F 1 5 1 4040", "goaway=1,COMPRESSION_ERROR end"),
    BOTH("4.3", "an index that is in no table", "F 1 5 1 ffff7f", "goaway=1,COMPRESSION_ERROR end"),
    BOTH("4.3", "a table size over the limit", "F 1 5 1 3fe1ff3f", "goaway=1,COMPRESSION_ERROR end"),
    BOTH("4.3", "another frame inside of a head", "H1e GET /; P; C1h x=y", "goaway=1,PROTOCOL_ERROR end"),
    BOTH("4.3", "a PRIORITY inside of a head", "H1e GET /; F 2 0 1 0000000010; C1h x=y", "goaway=1,PROTOCOL_ERROR end"),
    BOTH("4.3", "another stream's head inside of a head", "H1e GET /; H3eh GET /", "goaway=1,PROTOCOL_ERROR end"),
    BOTH("5.1", "DATA on an idle stream", "D1e abc", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("5.1", "RST_STREAM on an idle stream", "R 1 8", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("5.1", "WINDOW_UPDATE on an idle stream", "W 1 100", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("5.1", "CONTINUATION on an idle stream", "C1h x=y", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("5.1", "DATA after the end of the request", "H1eh GET /late; D1e abc", "goaway=1,STREAM_CLOSED end"),
    BOTH("5.1", "a head after the end of the request", "H1eh GET /late; H1eh x=y", "goaway=1,STREAM_CLOSED end"),
    BOTH("5.1", "CONTINUATION after the end of the request", "H1eh GET /late; C1h x=y", "goaway=1,PROTOCOL_ERROR end"),
    BOTH("5.1", "WINDOW_UPDATE after the end of the request", "H1eh GET /late; W 1 100", "1:200 1:data=4. end"),
    BOTH("5.1", "PRIORITY after the end of the request", "H1eh GET /late; F 2 0 1 0000000010", "1:200 1:data=4. end"),
    BOTH("5.1", "DATA after a reset is ignored", "H1h POST /; R 1 8; D1e abc", "end"),
    BOTH("5.1", "a head after a reset", "H1h POST /; R 1 8; H1eh GET /", "goaway=1,STREAM_CLOSED end"),
    BOTH("5.1", "CONTINUATION after a reset", "H1h POST /; R 1 8; C1h x=y", "goaway=1,PROTOCOL_ERROR end"),
    BOTH("5.1", "DATA on a closed stream is ignored", "H1eh GET /; T 5; D1e abc", "1:200 1:data=5. end"),
    BOTH("5.1", "a head on a closed stream", "H1eh GET /; T 5; H1eh GET /",
         "1:200 1:data=5. goaway=1,STREAM_CLOSED end"),
    BOTH("5.1", "CONTINUATION on a closed stream", "H1eh GET /; T 5; C1h x=y",
         "1:200 1:data=5. goaway=1,PROTOCOL_ERROR end"),
    BOTH("5.1", "RST_STREAM on a closed stream is ignored", "H1eh GET /; T 5; R 1 8; H3eh GET /",
         "1:200 1:data=5. 3:200 3:data=5. end"),
    BOTH("5.1", "WINDOW_UPDATE on a closed stream is ignored", "H1eh GET /; T 5; W 1 8; H3eh GET /",
         "1:200 1:data=5. 3:200 3:data=5. end"),
    BOTH("5.1", "PRIORITY on a closed stream is ignored", "H1eh GET /; T 5; F 2 0 1 0000000010; H3eh GET /",
         "1:200 1:data=5. 3:200 3:data=5. end"),
    BOTH("5.1", "PRIORITY on an idle stream is ignored", "F 2 0 9 0000000010; H1eh GET /", "1:200 1:data=5. end"),
    BOTH("5.1.1", "a request on an even stream", "H2eh GET /", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("5.1.1", "a request on a lower stream than the last", "H5eh GET /late; H3eh GET /",
         "goaway=5,PROTOCOL_ERROR end"),
    BOTH("5.1.1", "streams may be passed over", "H1eh GET /; H7eh GET /", "1:200 1:data=5. 7:200 7:data=5. end"),
    BOTH("5.1.2", "more streams than may be", "11 H%eh GET /late",
         "1:200 1:data=4. 3:200 3:data=4. 5:200 5:data=4. 7:200 7:data=4. 9:200 9:data=4. 11:200 11:data=4. 13:200 "
         "13:data=4. 15:200 15:data=4. 17:200 17:data=4. 19:200 19:data=4. 21:reset=REFUSED_STREAM end"),
    BOTH("5.3", "a stream that depends on itself", "F 1 0x25 1 0000000110", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("5.3", "PRIORITY of a stream on itself", "H1h POST /; F 2 0 1 0000000110; D1e abc",
         "goaway=1,PROTOCOL_ERROR end"),
    BOTH("5.4.2", "RST_STREAM is not answered by RST_STREAM", "H1h POST /; R 1 8; H3eh GET /", "3:200 3:data=5. end"),
    BOTH("5.5", "a frame of an unknown type inside of a head", "H1e GET /; F 0x55 0 1 00; C1h x=y",
         "goaway=1,PROTOCOL_ERROR end"),
    BOTH("6.1", "DATA on stream 0", "D0 abc", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("6.1", "DATA whose padding is longer than the frame", "H1h POST /; F 0 9 1 05616263",
         "goaway=1,PROTOCOL_ERROR end"),
    BOTH("6.1", "DATA with padding", "H1h POST /; F 0 9 1 026162630000", "1:200 1:data=3. end"),
    BOTH("6.1", "DATA with nothing but padding", "H1h POST /; F 0 8 1 020000; D1e abc", "1:200 1:data=3. end"),
    BOTH("6.1", "DATA padded without a length", "H1h POST /; F 0 9 1 ", "goaway=1,PROTOCOL_ERROR end"),
    BOTH("6.2", "a head on stream 0", "H0eh GET /", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("6.2", "a head whose padding is longer than the frame", "F 1 0xd 1 0882", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("6.2", "a head with padding", "F 1 0xd 1 028286844101610000", "1:200 1:data=5. end"),
    BOTH("6.2", "a head too short for its priority", "F 1 0x25 1 00000000", "goaway=0,FRAME_SIZE_ERROR end"),
    BOTH("6.3", "PRIORITY on stream 0", "F 2 0 0 0000000010", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("6.3", "PRIORITY of the wrong size", "H1h POST /; F 2 0 1 00000000; D1e abc", "goaway=1,FRAME_SIZE_ERROR end"),
    BOTH("6.4", "RST_STREAM on stream 0", "R 0 8", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("6.4", "RST_STREAM of the wrong size", "H1h POST /; F 3 0 1 000000", "goaway=1,FRAME_SIZE_ERROR end"),
    BOTH("6.5", "SETTINGS with ACK and a payload", "F 4 1 0 000300000064", "goaway=0,FRAME_SIZE_ERROR end"),
    BOTH("6.5", "SETTINGS on a stream", "F 4 0 1 000300000064", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("6.5", "SETTINGS of the wrong size", "F 4 0 0 0003000000", "goaway=0,FRAME_SIZE_ERROR end"),
    BOTH("6.5.2", "ENABLE_PUSH that is neither 0 nor 1", "S 2=2", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("6.5.2", "a window over the largest", "S 4=0x80000000", "goaway=0,FLOW_CONTROL_ERROR end"),
    BOTH("6.5.2", "a frame size under the smallest", "S 5=16383", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("6.5.2", "a frame size over the largest", "S 5=16777216", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("6.5.2", "a setting that is not known", "S 0x99=1; H1eh GET /", "1:200 1:data=5. end"),
    BOTH("6.5.2", "a table size of nothing", "S 1=0; H1eh GET /", "1:200 1:data=5. end"),
    BOTH("6.5.2", "ENABLE_CONNECT_PROTOCOL from a client", "S 8=1; H1eh GET /", "1:200 1:data=5. end"),
    BOTH("6.5.3", "an ACK that nobody waits for", "S e; S e; S e; H1eh GET /", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("6.6", "PUSH_PROMISE from a client", "F 5 4 1 0000000282868401 61", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("6.7", "PING is answered", "P", "ping end"),
    BOTH("6.7", "PING with ACK is not", "P e", "end"),
    BOTH("6.7", "PING on a stream", "F 6 0 1 0001020304050607", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("6.7", "PING of the wrong size", "F 6 0 0 000102030405", "goaway=0,FRAME_SIZE_ERROR end"),
    BOTH("6.8", "GOAWAY on a stream", "F 7 0 1 0000000000000000", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("6.8", "GOAWAY of the wrong size", "F 7 0 0 00000000", "goaway=0,FRAME_SIZE_ERROR end"),
    BOTH("6.8", "what was asked before a GOAWAY is answered", "H1eh GET /late; G 0 0", "1:200 1:data=4. end"),
    BOTH("6.9", "WINDOW_UPDATE by nothing on the connection", "W 0 0", "goaway=0,PROTOCOL_ERROR end"),
    BOTH("6.9", "WINDOW_UPDATE by nothing on a stream", "H1h POST /; W 1 0", "goaway=1,PROTOCOL_ERROR end"),
    BOTH("6.9", "WINDOW_UPDATE of the wrong size", "F 8 0 0 000001", "goaway=0,FRAME_SIZE_ERROR end"),
    BOTH("6.9.1", "a window of the connection over the largest", "W 0 0x7fffffff", "goaway=0,FLOW_CONTROL_ERROR end"),
    BOTH("6.9.1", "a window of a stream over the largest", "H1h POST /; W 1 0x7fffffff",
         "1:reset=FLOW_CONTROL_ERROR end"),
    BOTH("6.9.1", "an answer waits for the window", "S 4=3; H1eh GET /", "1:200 1:data=3 end"),
    BOTH("6.9.1", "and goes on with it", "S 4=3; H1eh GET /; T 5; W 1 1; T 5; W 1 1",
         "1:200 1:data=3 1:data=1 1:data=1. end"),
    BOTH("6.9.2", "a window that grows by SETTINGS", "S 4=0; H1eh GET /; T 5; S 4=5", "1:200 1:data=5. end"),
    BOTH("6.9.2", "a window that shrinks below nothing", "S 4=3; H1eh GET /; T 5; S 4=2; T 5; W 1 1; T 5; W 1 2",
         "1:200 1:data=3 1:data=2. end"),
    BOTH("6.9.2", "SETTINGS that make a window too large", "H1h POST /; W 1 0x7fff0000; S 4=0x7fffffff",
         "1:reset=FLOW_CONTROL_ERROR end"),
    BOTH("6.9.1", "an answer waits for the window of the connection", "S 4=0x7fffffff; H1eh GET /much",
         "1:200 1:data=16384 1:data=16384 1:data=16384 1:data=16383 end"),
    BOTH("6.9.1", "more of a body than the window", "H1h POST /late; D1 *16384; D1 *16384; D1 *16384; D1 *16384",
         "1:reset=FLOW_CONTROL_ERROR end"),
    BOTH("6.10", "a head in pieces", "H1e GET /; C1 x=y; C1h z=w", "1:200 1:data=5. end"),
    BOTH("6.10", "CONTINUATION after the end of a head", "H1h POST /; C1h x=y", "goaway=1,PROTOCOL_ERROR end"),
    BOTH("6.10", "CONTINUATION of another stream", "H1e GET /; C3h x=y", "goaway=1,PROTOCOL_ERROR end"),
    BOTH("6.10", "CONTINUATION on stream 0", "H1e GET /; C0h x=y", "goaway=1,PROTOCOL_ERROR end"),
    BOTH("6.10", "CONTINUATION after DATA", "H1h POST /; D1 abc; C1h x=y", "goaway=1,PROTOCOL_ERROR end"),
    BOTH("8.1", "trailers", "H1h POST /sum; D1 abc; H1eh x-sum=3", "1:200,x-sum=3 1:data=5. end"),
    BOTH("8.1", "trailers that do not end the request", "H1h POST /; H1h x-sum=3", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.1", "DATA after trailers", "H1h POST /late; H1eh x-sum=3; D1e abc", "goaway=1,STREAM_CLOSED end"),
    BOTH("8.1", "an answer before the end of the request", "H1h POST /nothing", "1:200 1:data=5. end"),
    BOTH("8.1", "interim answers and trailers", "H1eh GET /more",
         "1:103,x-hint=early 1:200,x-hint=early 1:data=4 1:x-sum=4. end"),
    BOTH("8.1", "HEAD is answered without a body", "H1eh HEAD /", "1:200. end"),
    BOTH("8.1", "an answer that cannot be completed", "H1eh GET /midway", "1:reset=INTERNAL_ERROR end"),
    BOTH("8.1.1", "less DATA than was announced", "H1h POST / content-length=4; D1e abc", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.1.1", "more DATA than was announced", "H1h POST / content-length=2; D1e abc", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.1.1", "more DATA than was announced, in several frames", "H1h POST / content-length=4; D1 abc; D1e abc",
         "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.1.1", "a length without DATA", "H1eh POST / content-length=4", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.1.1", "a length that is none", "H1h POST / content-length=-1; D1e a", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.1.1", "two lengths", "H1h POST / content-length=3 content-length=3; D1e abc", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.1.1", "a length that is right", "H1h POST / content-length=3; D1e abc", "1:200 1:data=3. end"),
    BOTH("8.2.1", "a name with a capital", "H1eh GET / X-A=b", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.2.1", "a name with a space", "H1eh GET / x%20y=b", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.2.1", "an empty name", "F 1 5 1 82868441016100000161", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.2.1", "a name with a colon", "H1eh GET / x:y=b", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.2.1", "a value with a line feed", "H1eh GET / x=a%0ab", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.2.1", "a value with a carriage return", "H1eh GET / x=a%0db", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.2.1", "a value with a zero", "H1eh GET / x=a%00b", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.2.1", "a value with a space before it", "H1eh GET / x=%20b", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.2.1", "a value with a space behind it", "H1eh GET / x=b%20", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.2.1", "a value with bytes over 127", "H1eh GET / x=%e9", "1:200 1:data=5. end"),
    BOTH("8.2.2", "Connection", "H1eh GET / connection=close", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.2.2", "Keep-Alive", "H1eh GET / keep-alive=1", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.2.2", "Proxy-Connection", "H1eh GET / proxy-connection=close", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.2.2", "Transfer-Encoding", "H1eh GET / transfer-encoding=chunked", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.2.2", "Upgrade", "H1eh GET / upgrade=websocket", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.2.2", "TE other than trailers", "H1eh GET / te=gzip", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.2.2", "TE: trailers", "H1eh GET / te=trailers", "1:200 1:data=5. end"),
    BOTH("8.2.3", "cookies in pieces", "H1eh GET / cookie=a cookie=b", "1:200,x-cookie=a;_b 1:data=5. end"),
    BOTH("8.3", "an unknown pseudo-field", "H1eh GET / :x=y", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.3", "a pseudo-field of answers", "H1eh GET / :status=200", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.3", "a pseudo-field behind a field", "H1eh :method=GET :scheme=http :authority=a x=y :path=/",
         "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.3", "a pseudo-field in trailers", "H1h POST /; H1eh :path=/", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.3.1", "no :method", "H1eh :scheme=http :authority=a :path=/", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.3.1", "no :scheme", "H1eh :method=GET :authority=a :path=/", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.3.1", "no :path", "H1eh :method=GET :scheme=http :authority=a", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.3.1", "an empty :path", "H1eh :method=GET :scheme=http :authority=a :path=", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.3.1", ":path without a slash", "H1eh :method=GET :scheme=http :authority=a :path=x",
         "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.3.1", ":path with a control character", "H1eh :method=GET :scheme=http :authority=a :path=/%01",
         "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.3.1", ":path with a fragment", "H1eh :method=GET :scheme=http :authority=a :path=/a#b",
         "1:400 1:data=60. end"),
    BOTH("8.3.1", ":path of OPTIONS", "H1eh :method=OPTIONS :scheme=http :authority=a :path=*", "1:200. end"),
    BOTH("8.3.1", "two :method", "H1eh GET / :method=GET", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.3.1", "two :scheme", "H1eh :method=GET :scheme=http :scheme=http :authority=a :path=/",
         "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.3.1", "two :path", "H1eh :method=GET :scheme=http :authority=a :path=/ :path=/",
         "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.3.1", "two :authority", "H1eh :method=GET :scheme=http :authority=a :authority=a :path=/",
         "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.3.1", "Host without :authority", "H1eh :method=GET :scheme=http :path=/ host=a", "1:200 1:data=5. end"),
    BOTH("8.3.1", "neither Host nor :authority", "H1eh :method=GET :scheme=http :path=/", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.3.1", "Host and :authority that differ", "H1eh GET / host=b", "1:400 1:data=49. end"),
    BOTH("8.3.1", ":authority with a user", "H1eh :method=GET :scheme=http :authority=u@a :path=/",
         "1:400 1:data=34. end"),
    BOTH("8.3.1", ":method that is no token", "H1eh :method=G%20T :scheme=http :authority=a :path=/",
         "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.3.1", ":method that nobody knows", "H1eh :method=BREW :scheme=http :authority=a :path=/",
         "1:501 1:data=34. end"),
    BOTH("8.4", "ENABLE_PUSH of 1 is a client's to send", "S 2=1; H1eh GET /", "1:200 1:data=5. end"),
    BOTH("8.5", "CONNECT with a path", "H1eh :method=CONNECT :authority=a :path=/", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.5", "CONNECT without :authority", "H1eh :method=CONNECT", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8.5", "CONNECT to somewhere", "H1eh :method=CONNECT :authority=a:1", "1:404 1:data=42. end"),
    BOTH("8441 4", ":protocol without CONNECT", "H1eh GET / :protocol=websocket", "1:reset=PROTOCOL_ERROR end"),
    BOTH("8441 4", ":protocol without a path", "H1eh :method=CONNECT :authority=a :protocol=websocket",
         "1:reset=PROTOCOL_ERROR end"),
    BOTH("9110 10.1.1", "100 is said when the body is wanted", "H1h POST / expect=100-continue; T 5; D1e abc",
         "1:100 1:200 1:data=3. end"),
    WHOLE("9110 10.1.1", "100 is not said when the body is there", "H1h POST / expect=100-continue; D1e abc",
          "1:200 1:data=3. end"),
    BOTH("9110 10.1.1", "an expectation that is not known", "H1h POST / expect=more",
         "1:417 1:data=39. 1:reset=NO_ERROR end"),
    BOTH("10.5.1", "fields over the limit", "H1eh GET / x=*4096", "1:431 1:data=36. end"),
    BOTH("10.5.1", "a path over the limit", "H1eh GET /*1001", "1:414 1:data=33. end"),
};

/* ---- The app ---- */

static int take_everything(struct wf_request *request)
{
    char *body;
    size_t size;
    int rc = wf_request_body(request, &body, &size);
    if (rc < 0) return rc;
    const char *cookie = wf_request_header(request, "cookie");
    if (cookie != NULL) wf_reply_header(request, "X-Cookie", cookie);
    return size > 0 ? wf_reply_bytes(request, 200, "text/plain", body, size) : wf_reply_text(request, 200, "hello");
}

static int say_much(struct wf_request *request)
{
    char *body = wf_arena_alloc(wf_request_arena(request), 100000);
    if (body == NULL) return -ENOMEM;
    memset(body, 'a', 100000);
    return wf_reply_bytes(request, 200, "text/plain", body, 100000);
}

static int take_nothing(struct wf_request *request)
{
    return wf_reply_text(request, 200, "hello");
}

static int take_time(struct wf_request *request)
{
    int rc = wf_sleep(WF_MILLISECONDS(20));
    return rc < 0 ? rc : wf_reply_text(request, 200, "late");
}

static int say_more_than_asked(struct wf_request *request)
{
    wf_reply_header(request, "X-Hint", "early");
    int rc = wf_reply_inform(request, 103);
    if (rc == 0) rc = wf_reply_begin(request, 200, "text/plain", -1);
    if (rc == 0) rc = wf_reply_write(request, "some", 4);
    if (rc == 0) rc = wf_reply_trailer(request, "X-Sum", "4");
    return rc == 0 ? wf_reply_end(request) : rc;
}

/* The server fails: that is no message of the test's. */
static int fail_midway(struct wf_request *request)
{
    int rc = wf_reply_begin(request, 200, "text/plain", 10);
    if (rc == 0) rc = wf_reply_write(request, "some", 4);
    return rc == 0 ? -EIO : rc;
}

static int repeat_trailer(struct wf_request *request)
{
    char *body;
    size_t size;
    int rc = wf_request_body(request, &body, &size);
    const char *sum = rc < 0 ? NULL : wf_request_trailer(request, "x-sum");
    if (rc == 0) wf_reply_header(request, "x-sum", sum != NULL ? sum : "none");
    return rc < 0 ? rc : wf_reply_text(request, 200, "hello");
}

static void play(struct frames_log *log, const struct h2_case *row, enum frame_delivery delivery)
{
    struct wf_app app = {.title = "cases", .limits = {.streams = 10, .head_max = 4096, .line_max = 1000}};
    wf_route(&app, WF_GET, "/{path:rest}", take_everything);
    wf_route(&app, WF_POST, "/{path:rest}", take_everything);
    wf_route(&app, WF_GET, "/much", say_much);
    wf_route(&app, WF_POST, "/nothing", take_nothing);
    wf_route(&app, WF_GET, "/late", take_time);
    wf_route(&app, WF_POST, "/late", take_time);
    wf_route(&app, WF_GET, "/more", say_more_than_asked);
    wf_route(&app, WF_GET, "/midway", fail_midway);
    wf_route(&app, WF_POST, "/sum", repeat_trailer);
    frames_play(log, &app, row->script, delivery, false);
    wf_app_finish(&app);
}

static const char *name_of(size_t row)
{
    static char name[160];
    snprintf(name, sizeof name, "%s: %s", cases[row].section, cases[row].claim);
    return name;
}

WF_TEST_EACH(a_rule_holds_whole, cases, .row_name = name_of, .simulated = true,
             .unswept = "minutes under a sanitizer; http/h2 is swept")
{
    struct frames_log log;
    play(&log, row, FRAMES_WHOLE);
    frames_sort(&log);
    WF_EXPECT_TEXT(log.text, row->wanted);
}

WF_TEST_EACH(a_rule_holds_byte_by_byte, cases, .row_name = name_of, .simulated = true, .unswept = "as above")
{
    struct frames_log log;
    if (row->whole_only) return;
    play(&log, row, FRAMES_BY_BYTES);
    frames_sort(&log);
    WF_EXPECT_TEXT(log.text, row->wanted);
}

WF_TEST_MAIN
