/*
 * zlib's raw deflate, flushed at the end of each message; the four bytes that a flush ends with stay away from the
 * wire (RFC 7692 section 7.2.1). zlib cannot compress with a window of 8 bits, so an offer that insists on it is not
 * taken.
 */
#include "http/ws_deflate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <weft/extend.h>
#include <zlib.h>

static const unsigned char flush_end[4] = {0x00, 0x00, 0xff, 0xff};

/* ---- Memory ---- */

static void *take(void *unused, unsigned count, unsigned size)
{
    (void)unused;
    return wf_memory_alloc((size_t)count * size);
}

static void give(void *unused, void *memory)
{
    (void)unused;
    wf_memory_free(memory);
}

static z_stream *new_stream(void)
{
    z_stream *stream = wf_memory_alloc(sizeof *stream);
    if (stream == NULL) return NULL;
    memset(stream, 0, sizeof *stream);
    stream->zalloc = take;
    stream->zfree = give;
    return stream;
}

static void end_out(struct ws_deflate *state)
{
    if (state->out == NULL) return;
    deflateEnd(state->out);
    wf_memory_free(state->out);
    state->out = NULL;
}

static void end_in(struct ws_deflate *state)
{
    if (state->in == NULL) return;
    inflateEnd(state->in);
    wf_memory_free(state->in);
    state->in = NULL;
}

void ws_deflate_finish(struct ws_deflate *state)
{
    end_out(state);
    end_in(state);
}

void ws_deflate_forget_sent(struct ws_deflate *state)
{
    end_out(state);
}

static int begin_out(struct ws_deflate *state)
{
    if (state->out != NULL) return 0;
    state->out = new_stream();
    if (state->out == NULL) return -ENOMEM;
    int rc = deflateInit2(state->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -state->window_bits, 8, Z_DEFAULT_STRATEGY);
    if (rc == Z_OK) return 0;
    wf_memory_free(state->out);
    state->out = NULL;
    return -ENOMEM;
}

static int begin_in(struct ws_deflate *state)
{
    if (state->in != NULL) return 0;
    state->in = new_stream();
    if (state->in == NULL) return -ENOMEM;
    if (inflateInit2(state->in, -15) == Z_OK) return 0;
    wf_memory_free(state->in);
    state->in = NULL;
    return -ENOMEM;
}

/* ---- Offers ---- */

struct offer {
    bool server_forgets, client_forgets, client_bits;
    int server_bits; /* 0: not said */
    unsigned seen;   /* each parameter once */
};

/* "server_max_window_bits=10", quotes or not. */
static int bits_of(const char *value, size_t size)
{
    if (size >= 2 && value[0] == '"' && value[size - 1] == '"') value++, size -= 2;
    if (size == 1 && value[0] >= '8' && value[0] <= '9') return value[0] - '0';
    if (size == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5') return 10 + value[1] - '0';
    return -1;
}

static bool is(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && strncasecmp(text, word, size) == 0;
}

static bool once(struct offer *offer, unsigned bit)
{
    bool first = (offer->seen & bit) == 0;
    offer->seen |= bit;
    return first;
}

static bool take_parameter(struct offer *offer, const char *text, size_t size)
{
    size_t name = strcspn(text, "= \t,;");
    const char *value = memchr(text, '=', size);
    size_t value_size = value != NULL ? (size_t)(text + size - ++value) : 0;
    if (name > size) name = size;
    if (is(text, name, "server_no_context_takeover")) {
        offer->server_forgets = true;
        return value == NULL && once(offer, 1);
    }
    if (is(text, name, "client_no_context_takeover")) {
        offer->client_forgets = true;
        return value == NULL && once(offer, 2);
    }
    if (is(text, name, "server_max_window_bits")) {
        offer->server_bits = value != NULL ? bits_of(value, value_size) : -1;
        return offer->server_bits > 8 && once(offer, 4);
    }
    if (is(text, name, "client_max_window_bits")) {
        offer->client_bits = true;
        return (value == NULL || bits_of(value, value_size) > 0) && once(offer, 8);
    }
    return false;
}

/* One offer, up to its comma: "permessage-deflate; a; b=1". */
static bool take_offer(struct offer *offer, const char *text, size_t size)
{
    size_t name = strcspn(text, "; \t,");
    if (!is(text, name < size ? name : size, "permessage-deflate")) return false;
    const char *at = text + name, *end = text + size;
    for (;;) {
        at += strspn(at, " \t");
        if (at >= end) return true;
        if (*at++ != ';') return false;
        at += strspn(at, " \t");
        size_t piece = strcspn(at, "; \t,");
        if (at + piece > end) return false;
        if (!take_parameter(offer, at, piece)) return false;
        at += piece;
    }
}

bool ws_deflate_accept(struct ws_deflate *state, const char *offers, char *answer, size_t room)
{
    struct offer offer;
    for (;;) {
        offers += strspn(offers, " \t,");
        if (*offers == '\0') return false;
        size_t size = strcspn(offers, ",");
        offer = (struct offer){0};
        if (take_offer(&offer, offers, size)) break;
        offers += size;
    }
    state->on = true;
    state->forget_sent |= offer.server_forgets;
    state->forget_received = offer.client_forgets || state->forget_sent;
    state->window_bits = offer.server_bits > 0 ? offer.server_bits : 15;
    char bits[40] = "";
    if (offer.server_bits > 0) snprintf(bits, sizeof bits, "; server_max_window_bits=%d", offer.server_bits);
    snprintf(answer, room, "permessage-deflate%s%s%s", state->forget_sent ? "; server_no_context_takeover" : "",
             state->forget_received ? "; client_no_context_takeover" : "", bits);
    return true;
}

/* We did not say that our window could be another one. */
bool ws_deflate_agree(struct ws_deflate *state, const char *answer)
{
    struct offer offer = {0};
    answer += strspn(answer, " \t");
    if (strchr(answer, ',') != NULL || !take_offer(&offer, answer, strlen(answer)) || offer.client_bits) return false;
    state->on = true;
    state->forget_sent |= offer.client_forgets;
    state->forget_received = offer.server_forgets;
    state->window_bits = 15;
    return true;
}

/* ---- Messages ---- */

int ws_deflate_squeeze(struct ws_deflate *state, const void *bytes, size_t size, char **squeezed, size_t *count)
{
    int rc = begin_out(state);
    if (rc < 0) return rc;
    z_stream *out = state->out;
    size_t room = deflateBound(out, size) + 16;
    if (size > UINT32_MAX || room > UINT32_MAX) return -EMSGSIZE;
    *squeezed = wf_memory_alloc(room);
    if (*squeezed == NULL) return -ENOMEM;
    out->next_in = (Bytef *)(uintptr_t)bytes;
    out->avail_in = (uInt)size;
    out->next_out = (Bytef *)*squeezed;
    out->avail_out = (uInt)room;
    deflate(out, Z_SYNC_FLUSH);
    *count = room - out->avail_out;
    if (*count >= 4 && memcmp(*squeezed + *count - 4, flush_end, 4) == 0) *count -= 4;
    if (state->forget_sent) end_out(state);
    return 0;
}

struct swelling {
    char *bytes;
    size_t size, room, max;
};

static int grow(struct swelling *swelling)
{
    if (swelling->size < swelling->room) return 0;
    if (swelling->room > swelling->max) return -EMSGSIZE;
    size_t room = swelling->room == 0 ? 1024 : swelling->room * 4;
    if (room > swelling->max) room = swelling->max + 1; /* one more than may come tells that it is too much */
    char *bytes = wf_memory_resize(swelling->bytes, room + 1);
    if (bytes == NULL) return -ENOMEM;
    swelling->bytes = bytes;
    swelling->room = room;
    return 0;
}

/* -EBADMSG: not deflate, or a stream that says it is over (which a message may: then a new one begins). */
static int swell_piece(z_stream *in, struct swelling *swelling, const void *bytes, size_t size)
{
    in->next_in = (Bytef *)(uintptr_t)bytes;
    in->avail_in = (uInt)size;
    for (;;) {
        int rc = grow(swelling);
        if (rc < 0) return rc;
        in->next_out = (Bytef *)swelling->bytes + swelling->size;
        in->avail_out = (uInt)(swelling->room - swelling->size);
        rc = inflate(in, Z_SYNC_FLUSH);
        swelling->size = swelling->room - in->avail_out;
        if (rc == Z_STREAM_END) rc = inflateReset(in);
        if (rc == Z_MEM_ERROR) return -ENOMEM;
        if (rc != Z_OK && rc != Z_BUF_ERROR) return -EBADMSG;
        if (in->avail_in == 0 && in->avail_out > 0) return 0;
    }
}

int ws_deflate_swell(struct ws_deflate *state, const void *bytes, size_t size, size_t max, char **swelled,
                     size_t *count)
{
    if (size > UINT32_MAX || max >= UINT32_MAX) return -EMSGSIZE;
    int rc = begin_in(state);
    if (rc < 0) return rc;
    struct swelling swelling = {.max = max};
    rc = swell_piece(state->in, &swelling, bytes, size);
    if (rc == 0) rc = swell_piece(state->in, &swelling, flush_end, sizeof flush_end);
    if (rc == 0 && swelling.size > max) rc = -EMSGSIZE;
    if (state->forget_received || rc < 0) end_in(state);
    if (rc < 0) {
        wf_memory_free(swelling.bytes);
        return rc;
    }
    *swelled = swelling.bytes;
    *count = swelling.size;
    return 0;
}
