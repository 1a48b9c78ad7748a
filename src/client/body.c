/* Bodies of answers: counted, decompressed, whole or in pieces. */
#include <string.h>
#include <weft/extend.h>
#include <weft/task.h>

#include "client/tape.h"
#include "http/squeeze.h"

enum { DECODER_ROOM = 16384, LOAD_FIRST = 16384, PASSED_MAX = 16384, PASSED_PIECE = 2048 };

struct decoder {
    struct squeezer squeezer;
    struct squeeze_piece piece;
    bool fed, whole; /* something came; what came is complete */
    char in[DECODER_ROOM];
};

/* ---- As it travels ---- */

static void give_up(struct call *call, int code)
{
    call->body_error = code;
    if (call->wire != NULL) call->wire->protocol->leave(call);
}

static bool is_recorded(const struct call *call)
{
    return call->client->options.record != NULL && call->client->options.replay == NULL;
}

/* A cancel loses nothing. */
static ssize_t read_raw(struct call *call, void *buffer, size_t size)
{
    if (call->body_ended) return 0;
    if (call->body_error < 0) return call->body_error;
    if (call->wire == NULL) return -EBADF;
    ssize_t got = call->wire->protocol->read(call, buffer, size);
    int rc = is_recorded(call) && got > 0 ? tape_keep(call, buffer, (size_t)got) : 0;
    if (rc < 0) got = rc;
    if (got > 0) {
        const struct wf_fetch_options *options = call->options;
        call->received += (uint64_t)got;
        if (options->progress != NULL) options->progress(options->progress_arg, call->received, call->body_length);
    } else if (got == 0) {
        call->body_ended = true;
        call->wire->protocol->leave(call);
        if (is_recorded(call)) return tape_write(call);
    } else if (got != -ECANCELED) give_up(call, (int)got);
    return got;
}

int body_pass(struct call *call)
{
    char scratch[PASSED_PIECE];
    bool cheap = call->body_length >= 0 && call->body_length <= PASSED_MAX;
    if (call->wire == NULL || (!cheap && !is_recorded(call))) return 0;
    ssize_t got = 1;
    while (got > 0) got = read_raw(call, scratch, sizeof scratch);
    return got == -ECANCELED || is_recorded(call) ? (int)got : 0;
}

/* ---- Decompressed ---- */

static int broken(struct call *call)
{
    give_up(call, call_fail(call, -EBADMSG, "the body cannot be decompressed"));
    return -EBADMSG;
}

static ssize_t read_decoded(struct call *call, char *buffer, size_t size)
{
    struct decoder *decoder = call->decoder;
    struct squeeze_piece *piece = &decoder->piece;
    piece->out = buffer;
    piece->out_size = size;
    for (;;) {
        if (decoder->fed) {
            int rc = squeezer_step(&decoder->squeezer, piece, SQUEEZE_MORE);
            if (rc < 0) return rc == -EBADMSG ? broken(call) : rc;
            if (piece->in_size > 0 || rc == 0 || piece->out_size < size) decoder->whole = rc == 0;
        }
        if (piece->out_size < size) return (ssize_t)(size - piece->out_size);
        if (piece->in_size > 0) continue;
        ssize_t got = read_raw(call, decoder->in, sizeof decoder->in);
        if (got < 0) return got;
        if (got == 0) return decoder->whole || !decoder->fed ? 0 : broken(call);
        decoder->fed = true;
        piece->in = decoder->in;
        piece->in_size = (size_t)got;
    }
}

ssize_t body_read(struct call *call, void *buffer, size_t size)
{
    return call->decoder != NULL ? read_decoded(call, buffer, size) : read_raw(call, buffer, size);
}

static int begin_decoder(struct call *call, int encoding)
{
    struct decoder *decoder = call->decoder = wf_arena_new(call->arena, struct decoder);
    if (decoder == NULL) return -ENOMEM;
    call->decoded = true;
    return squeezer_begin(&decoder->squeezer, &swell_classes[encoding]);
}

/* One that is not known stays as it is; its name is in the answer's fields. */
int body_begin(struct call *call)
{
    const char *name = wf_headers_find(&call->response->headers, "content-encoding");
    bool empty = call->framing == FRAMING_NONE || (call->framing == FRAMING_LENGTH && call->body_left == 0);
    if (empty && !call->tunnel) {
        call->body_ended = true;
        call->wire->protocol->leave(call);
        int rc = is_recorded(call) ? tape_write(call) : 0;
        if (rc < 0) return rc;
    }
    if (empty || name == NULL || call->client->options.keep_encoding) return 0;
    int encoding = encoding_named(name, strlen(name));
    int rc = encoding < 0 ? 0 : begin_decoder(call, encoding);
    if (rc < 0) call->wire->protocol->leave(call);
    return rc;
}

void body_finish(struct call *call)
{
    if (call->decoder != NULL) squeezer_finish(&call->decoder->squeezer);
    call->decoder = NULL;
    tape_forget(call);
}

/* ---- Whole ---- */

struct loaded {
    char *bytes;
    size_t size, room;
};

static uint64_t body_max_of(const struct call *call)
{
    return call->options->body_max > 0 ? call->options->body_max : call->client->options.limits.body_max;
}

static int make_room(struct call *call, struct loaded *loaded)
{
    uint64_t max = body_max_of(call);
    if (loaded->room - loaded->size > 1) return 0;
    size_t room = loaded->room > 0 ? loaded->room * 2 : LOAD_FIRST;
    if (loaded->room == 0 && call->decoder == NULL && call->body_length >= 0 && (uint64_t)call->body_length <= max)
        room = (size_t)call->body_length + 2;
    char *bytes = wf_memory_resize(loaded->bytes, room);
    if (bytes == NULL) return -ENOMEM;
    loaded->bytes = bytes;
    loaded->room = room;
    return 0;
}

static int load(struct call *call, struct loaded *loaded)
{
    uint64_t max = body_max_of(call);
    for (;;) {
        int rc = make_room(call, loaded);
        if (rc < 0) return rc;
        ssize_t got = body_read(call, loaded->bytes + loaded->size, loaded->room - loaded->size - 1);
        if (got <= 0) return (int)got;
        loaded->size += (size_t)got;
        if (loaded->size <= max) continue;
        give_up(call, call_fail(call, -EMSGSIZE, "the body is longer than %llu bytes", (unsigned long long)max));
        return -EMSGSIZE;
    }
}

static void free_bytes(char *bytes)
{
    wf_memory_free(bytes);
}

/* The memory is given to the arena, however much it is. */
int body_load(struct call *call)
{
    struct wf_response *response = call->response;
    struct loaded loaded = {.bytes = NULL};
    bool nothing = call->body_ended && call->decoder == NULL;
    int rc = nothing ? 0 : load(call, &loaded);
    if (rc == 0 && loaded.bytes != NULL) rc = wf_arena_defer(call->arena, free_bytes, loaded.bytes);
    if (rc < 0) {
        wf_memory_free(loaded.bytes);
        return rc;
    }
    if (loaded.bytes != NULL) loaded.bytes[loaded.size] = '\0';
    response->body = loaded.bytes != NULL ? loaded.bytes : "";
    response->size = loaded.size;
    return 0;
}
