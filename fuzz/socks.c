/*
 * What a SOCKS 5 server says, whole and in the pieces that the input chooses: the same comes of it, nothing is read
 * that is behind its answers, and what is accepted is an answer by the letter of RFC 1928.
 */
#include <string.h>
#include <weft/sim.h>
#include <weft/weft.h>

#include "client/proxy.h" /* no call: the bytes are answers at once */
#include "fuzz.h"

struct talk {
    const uint8_t *bytes;
    size_t size;
    unsigned step; /* 0: whole */
    bool named;
    struct wf_stream *near, *far;
    int result;
    size_t left; /* that was not read */
};

static int ask(struct talk *talk)
{
    struct proxy proxy = {.kind = PROXY_SOCKS5H, .user = talk->named ? "me" : NULL, .password = "secret"};
    char rest[1100];
    talk->result = socks_connect(talk->far, &proxy, "server.test", 80, NULL);
    wf_ignore(wf_stream_read_full(talk->far, rest, sizeof rest, &talk->left));
    CLAIM(talk->left <= talk->size && memcmp(rest, talk->bytes + talk->size - talk->left, talk->left) == 0);
    wf_stream_close(talk->far);
    return 0;
}

static int talk(struct talk *talk)
{
    int rc = wf_stream_pair(65536, &talk->near, &talk->far);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    wf_spawn(&scope, ask, talk);
    size_t step = talk->step > 0 ? talk->step : talk->size;
    for (size_t at = 0; at < talk->size && rc == 0; at += step) {
        rc = wf_stream_write_all(talk->near, talk->bytes + at, talk->size - at < step ? talk->size - at : step, NULL);
        if (rc == 0) rc = wf_yield();
    }
    if (rc == 0) rc = wf_stream_shutdown(talk->near);
    rc = wf_scope_end(&scope, rc == -EPIPE ? 0 : rc);
    wf_stream_close(talk->near);
    return rc;
}

/* How long the answers are; 0: they are not accepted. */
static size_t accepted(const uint8_t *bytes, size_t size, bool named)
{
    bool login = size >= 2 && bytes[1] == 2;
    size_t at = login ? 4 : 2;
    if (size < at + 5 || bytes[0] != 5 || (login ? !named || bytes[2] != 1 || bytes[3] != 0 : bytes[1] != 0)) return 0;
    if (bytes[at] != 5 || bytes[at + 1] != 0) return 0;
    size_t address = bytes[at + 3] == 1   ? 4
                     : bytes[at + 3] == 4 ? 16
                     : bytes[at + 3] == 3 ? (size_t)1 + bytes[at + 4]
                                          : 0;
    return address > 0 && size >= at + 4 + address + 2 ? at + 4 + address + 2 : 0;
}

static struct talk run(const uint8_t *bytes, size_t size, unsigned step, bool named)
{
    struct talk one = {.bytes = bytes, .size = size, .step = step, .named = named};
    CLAIM(wf_run(talk, &one, .driver = "sim") == 0);
    return one;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 3 || size > 1024) return 0;
    bool named = (bytes[0] & 1) != 0;
    struct talk whole = run(bytes + 2, size - 2, 0, named);
    struct talk pieces = run(bytes + 2, size - 2, 1 + (unsigned)bytes[1] % 16, named);
    size_t answer = accepted(bytes + 2, size - 2, named);
    CLAIM(whole.result == pieces.result && whole.left == pieces.left);
    CLAIM((whole.result == 0) == (answer > 0));
    if (answer > 0) CLAIM(whole.left == size - 2 - answer);
    return 0;
}
