/*
 * Answers that are compressed: a face in front of the exchange.
 *
 *     WAITING --begin--> HOLDING --all at once--> compressed, its length is known: begun, written
 *        |                  \--a piece--> PASSING, in pieces
 *        \--begin of what is not compressed--> PLAIN
 *
 * The head is held back until the first piece, because a whole answer keeps a length.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <weft/app.h>
#include <weft/compress.h>
#include <weft/extend.h>
#include <weft/task.h>

#include "http/request.h"
#include "http/squeeze.h"

enum { MINIMUM = 1024, PIECE = 16384, WHOLE_MAX = 1 << 20 };

enum compressing {
    COMPRESS_WAITING,
    COMPRESS_PLAIN,
    COMPRESS_HOLDING,
    COMPRESS_PASSING,
};

struct compressor {
    struct exchange exchange; /* what the request has instead of `inner` */
    const struct exchange *inner;
    const struct wf_compress_options *options;
    enum compressing state;
    struct squeezer squeezer;
    int64_t length; /* of what is held */
    unsigned encoding;
    char *out; /* PIECE bytes */
};

/* ---- Which answers ---- */

static const char *const default_types[] = {
    "text/",
    "application/json",
    "application/javascript",
    "application/xml",
    "application/manifest+json",
    "image/svg+xml",
    "application/wasm",
    "application/problem+json",
    "application/ld+json",
    "font/ttf",
    "application/yaml",
    "application/x-ndjson",
    "application/rss+xml",
    "application/xhtml+xml",
};

static bool begins(const char *text, const char *beginning)
{
    return strncasecmp(text, beginning, strlen(beginning)) == 0;
}

static bool is_type(const char *type, const struct wf_compress_options *options)
{
    if (type == NULL) return false;
    if (options != NULL && options->types[0] != NULL) {
        for (unsigned i = 0; i < WF_COUNT(options->types) && options->types[i] != NULL; i++)
            if (begins(type, options->types[i])) return true;
        return false;
    }
    for (unsigned i = 0; i < WF_COUNT(default_types); i++)
        if (begins(type, default_types[i])) return true;
    return false;
}

/* That could be compressed, whatever the client takes. */
static bool is_candidate(const struct wf_request *request, const struct compressor *compressor)
{
    if (request->status < 200 || request->status == 204 || request->status == 206 || request->status == 304)
        return false;
    if (wf_headers_find(&request->answer, "content-encoding") != NULL) return false;
    if (wf_headers_have_token(&request->answer, "cache-control", "no-transform")) return false;
    return is_type(request->content_type, compressor->options);
}

static bool is_small(const struct compressor *compressor, int64_t length)
{
    size_t minimum =
        compressor->options != NULL && compressor->options->minimum > 0 ? compressor->options->minimum : MINIMUM;
    return length >= 0 && (uint64_t)length < minimum;
}

/* ---- Its head ---- */

/* What is sent is not byte for byte what the tag stands for. */
static int weaken_tag(struct wf_request *request)
{
    for (uint32_t i = 0; i < request->answer.count; i++) {
        struct wf_header *field = &request->answer.list[i];
        if (strcasecmp(field->name, "etag") != 0 || field->value[0] != '"') continue;
        char *weak = wf_arena_printf(&request->arena, "W/%s", field->value);
        if (weak == NULL) return -ENOMEM;
        field->value = weak;
        field->value_size += 2;
    }
    return 0;
}

/* A file that is compressed has no ranges. */
static void drop_ranges(struct wf_request *request)
{
    struct wf_headers *answer = &request->answer;
    for (uint32_t i = 0; i < answer->count; i++) {
        if (strcasecmp(answer->list[i].name, "accept-ranges") != 0) continue;
        memmove(&answer->list[i], &answer->list[i + 1], (answer->count - i - 1) * sizeof answer->list[0]);
        answer->count--;
    }
}

static int begin_inner(struct wf_request *request, struct compressor *compressor, int64_t length)
{
    compressor->state = COMPRESS_PASSING;
    return compressor->inner->begin(request, length);
}

static int begin_plain(struct wf_request *request, struct compressor *compressor, int64_t length)
{
    compressor->state = COMPRESS_PLAIN;
    return compressor->inner->begin(request, length);
}

/* False: it cannot be done now, and is not worth an error. */
static bool begin_squeezing(struct wf_request *request, struct compressor *compressor)
{
    unsigned order[ENCODINGS];
    if (encodings_accepted(&request->headers, order) == 0) return false;
    compressor->encoding = order[0];
    compressor->out = wf_arena_alloc(&request->arena, PIECE);
    if (compressor->out == NULL) return false;
    return squeezer_begin(&compressor->squeezer, &squeeze_classes[order[0]]) == 0;
}

static int compress_begin(struct wf_request *request, int64_t length)
{
    struct compressor *compressor = request->compressor;
    if (!is_candidate(request, compressor)) return begin_plain(request, compressor, length);
    if (!wf_headers_have_token(&request->answer, "vary", "accept-encoding")) {
        int rc = wf_headers_add(&request->answer, &request->arena, "Vary", "Accept-Encoding");
        if (rc < 0) return rc;
    }
    if (is_small(compressor, length) || !begin_squeezing(request, compressor))
        return begin_plain(request, compressor, length);
    int rc =
        wf_headers_add(&request->answer, &request->arena, "Content-Encoding", encodings[compressor->encoding].name);
    if (rc == 0) rc = weaken_tag(request);
    if (rc < 0) return rc;
    drop_ranges(request);
    compressor->exchange.send = NULL;
    compressor->length = length;
    compressor->state = COMPRESS_HOLDING;
    return request->without_body ? begin_inner(request, compressor, -1) : 0;
}

/* ---- Its body ---- */

/* What comes out goes on, piece by piece. */
static int squeeze(struct wf_request *request, struct compressor *compressor, const char *bytes, size_t size,
                   enum squeeze_until until)
{
    struct squeeze_piece piece = {.in = bytes, .in_size = size};
    int more = 1;
    while (more > 0) {
        piece.out = compressor->out;
        piece.out_size = PIECE;
        more = squeezer_step(&compressor->squeezer, &piece, until);
        size_t made = PIECE - piece.out_size;
        int rc = more >= 0 && made > 0 ? compressor->inner->write(request, compressor->out, made) : 0;
        if (rc < 0) return rc;
    }
    return more;
}

/* All of it is there: compressed into one piece of memory, its length is known before the head is out. */
static int write_whole(struct wf_request *request, struct compressor *compressor, const char *bytes, size_t size)
{
    size_t room = size + size / 8 + 1024;
    char *out = wf_memory_alloc(room);
    if (out == NULL) return -ENOMEM;
    struct squeeze_piece piece = {.in = bytes, .in_size = size, .out = out, .out_size = room};
    int rc = 1;
    while (rc > 0 && piece.out_size > 0) rc = squeezer_step(&compressor->squeezer, &piece, SQUEEZE_FINISH);
    if (rc > 0) rc = -ENOBUFS; /* no encoding makes more of it than that */
    size_t made = room - piece.out_size;
    if (rc == 0) rc = begin_inner(request, compressor, (int64_t)made);
    if (rc == 0) rc = compressor->inner->write(request, out, made);
    wf_memory_free(out);
    squeezer_finish(&compressor->squeezer);
    return rc;
}

static int compress_write(struct wf_request *request, const void *bytes, size_t size)
{
    struct compressor *compressor = request->compressor;
    if (compressor->state == COMPRESS_PLAIN) return compressor->inner->write(request, bytes, size);
    if (compressor->state == COMPRESS_HOLDING) {
        if (compressor->length == (int64_t)size && size <= WHOLE_MAX)
            return write_whole(request, compressor, bytes, size);
        int rc = begin_inner(request, compressor, -1);
        if (rc < 0) return rc;
    }
    return squeeze(request, compressor, bytes, size, SQUEEZE_MORE);
}

/* A head that is held has to go now; what was written, too. */
static int pass_on(struct wf_request *request, struct compressor *compressor, enum squeeze_until until)
{
    int rc = compressor->state == COMPRESS_HOLDING ? begin_inner(request, compressor, -1) : 0;
    bool squeezing = compressor->state == COMPRESS_PASSING && compressor->squeezer.state != NULL;
    return rc == 0 && squeezing && !request->without_body ? squeeze(request, compressor, "", 0, until) : rc;
}

static int compress_flush(struct wf_request *request)
{
    struct compressor *compressor = request->compressor;
    int rc = request->state == ANSWER_BEGUN ? pass_on(request, compressor, SQUEEZE_FLUSH) : 0;
    return rc == 0 ? compressor->inner->flush(request) : rc;
}

static int compress_end(struct wf_request *request)
{
    struct compressor *compressor = request->compressor;
    int rc = pass_on(request, compressor, SQUEEZE_FINISH);
    squeezer_finish(&compressor->squeezer);
    return rc == 0 ? compressor->inner->end(request) : rc;
}

static void finish_compressor(struct compressor *compressor)
{
    squeezer_finish(&compressor->squeezer);
}

int wf_compress(struct wf_request *request, const struct wf_compress_options *options)
{
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    if (request->compressor != NULL) return wf_continue(request); /* an outer one does it */
    struct compressor *compressor = wf_arena_new(&request->arena, struct compressor);
    if (compressor == NULL || wf_arena_defer(&request->arena, finish_compressor, compressor) < 0) return -ENOMEM;
    compressor->inner = request->exchange;
    compressor->options = options;
    compressor->exchange = *request->exchange;
    compressor->exchange.begin = compress_begin;
    compressor->exchange.write = compress_write;
    compressor->exchange.flush = compress_flush;
    compressor->exchange.end = compress_end;
    request->compressor = compressor;
    request->exchange = &compressor->exchange;
    return wf_continue(request);
}
