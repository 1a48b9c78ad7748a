/*
 * Bodies of requests that are decompressed as they are read. The exchange counts what came over the wire, the handler
 * what came out: each is shown its own count.
 */
#include <string.h>
#include <strings.h>
#include <weft/app.h>
#include <weft/compress.h>
#include <weft/extend.h>

#include "http/request.h"
#include "http/squeeze.h"

enum { PIECE = 8192 };

struct decompressor {
    struct exchange exchange;
    const struct exchange *inner;
    struct squeezer squeezer;
    struct squeeze_piece piece; /* what came and is not taken yet */
    uint64_t wire_read;
    bool wire_ended, whole;
    char in[PIECE];
};

/* More of what is compressed. */
static int fill(struct wf_request *request, struct decompressor *decompressor)
{
    uint64_t read = request->body_read;
    request->body_read = decompressor->wire_read;
    ssize_t got = decompressor->inner->read(request, decompressor->in, PIECE);
    request->body_read = read;
    decompressor->wire_ended = request->body_ended;
    request->body_ended = false;
    if (got < 0) return (int)got;
    decompressor->wire_read += (uint64_t)got;
    decompressor->piece.in = decompressor->in;
    decompressor->piece.in_size = (size_t)got;
    return 0;
}

static ssize_t end_body(struct wf_request *request, const struct decompressor *decompressor)
{
    request->body_ended = true;
    return decompressor->whole || decompressor->wire_read == 0 ? 0 : -EBADMSG;
}

static ssize_t read_swelled(struct wf_request *request, void *buffer, size_t size)
{
    struct decompressor *decompressor = request->decompressor;
    struct squeeze_piece *piece = &decompressor->piece;
    piece->out = buffer;
    piece->out_size = size;
    for (;;) {
        if (decompressor->wire_read > 0) {
            int rc = squeezer_step(&decompressor->squeezer, piece, SQUEEZE_MORE);
            if (rc < 0) return rc;
            if (piece->in_size > 0 || rc == 0 || piece->out_size < size) decompressor->whole = rc == 0;
        }
        if (piece->out_size < size) return (ssize_t)(size - piece->out_size);
        if (piece->in_size > 0) continue;
        if (decompressor->wire_ended) return end_body(request, decompressor);
        int rc = fill(request, decompressor);
        if (rc < 0) return rc;
    }
}

static void finish_decompressor(struct decompressor *decompressor)
{
    squeezer_finish(&decompressor->squeezer);
}

/* What the connection wants to know when the handler is done: how much of the body is left on the wire. */
static void show_the_wire(struct wf_request *request, const struct decompressor *decompressor)
{
    request->body_read = decompressor->wire_read;
    request->body_ended = decompressor->wire_ended || request->body_ended;
}

static int run_inside(struct wf_request *request, int encoding)
{
    struct decompressor *decompressor = wf_arena_new(&request->arena, struct decompressor);
    if (decompressor == NULL || wf_arena_defer(&request->arena, finish_decompressor, decompressor) < 0) return -ENOMEM;
    int rc = squeezer_begin(&decompressor->squeezer, &swell_classes[encoding]);
    if (rc < 0) return rc;
    decompressor->inner = request->exchange;
    decompressor->exchange = *request->exchange;
    decompressor->exchange.read = read_swelled;
    request->decompressor = decompressor;
    request->exchange = &decompressor->exchange;
    rc = wf_continue(request);
    show_the_wire(request, decompressor);
    return rc;
}

static bool is_taken(int encoding, const struct wf_decompress_options *options)
{
    if (options == NULL || !(options->gzip || options->brotli || options->zstd)) return true;
    return encoding == ENCODING_GZIP ? options->gzip : encoding == ENCODING_BROTLI ? options->brotli : options->zstd;
}

/* With what would have been taken (RFC 9110 section 12.5.3). */
static int refuse(struct wf_request *request, const struct wf_decompress_options *options)
{
    char list[40] = "";
    for (int i = 0; i < ENCODINGS; i++) {
        if (!is_taken(i, options)) continue;
        if (list[0] != '\0') strcat(list, ", ");
        strcat(list, encodings[i].name);
    }
    wf_reply_header(request, "Accept-Encoding", list);
    return wf_http_error(request, 415, "the encoding of the body is not taken here");
}

int wf_decompress(struct wf_request *request, const struct wf_decompress_options *options)
{
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    uint32_t after = 0;
    const char *name = wf_headers_next(&request->headers, "content-encoding", &after);
    bool plain = name == NULL || strcasecmp(name, "identity") == 0 || request->length == 0;
    if (plain || request->decompressor != NULL) return wf_continue(request);
    int encoding = encoding_named(name, strlen(name));
    bool twice = wf_headers_next(&request->headers, "content-encoding", &after) != NULL;
    if (encoding < 0 || twice || !is_taken(encoding, options)) return refuse(request, options);
    return run_inside(request, encoding);
}
