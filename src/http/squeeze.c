/*
 * zlib, brotli and zstd behind one face. Levels are those that a server can afford for each answer: gzip 6, brotli 4,
 * zstd 3. A decompressor of zstd takes windows of up to 8 MiB, as RFC 8878 section 3.1.1.1.2 asks for.
 */
#include "http/squeeze.h"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <weft/extend.h>
#include <zlib.h>
#include <zstd.h>

enum { GZIP_LEVEL = 6, BROTLI_LEVEL = 4, BROTLI_WINDOW = 18, ZSTD_LEVEL = 3, ZSTD_WINDOW_MAX = 23 };

static void *take(void *unused, size_t size)
{
    (void)unused;
    return wf_memory_alloc(size);
}

static void *take_array(void *unused, unsigned count, unsigned size)
{
    (void)unused;
    return wf_memory_alloc((size_t)count * size);
}

static void give(void *unused, void *memory)
{
    (void)unused;
    wf_memory_free(memory);
}

/* ---- gzip ---- */

struct gzip {
    z_stream stream;
    bool ended; /* of a decompressor: behind a member, where another may begin */
};

static struct gzip *new_gzip(struct squeezer *squeezer)
{
    struct gzip *gzip = wf_memory_alloc(sizeof *gzip);
    if (gzip == NULL) return NULL;
    memset(gzip, 0, sizeof *gzip);
    gzip->stream.zalloc = take_array;
    gzip->stream.zfree = give;
    squeezer->state = gzip;
    return gzip;
}

static int began_gzip(struct squeezer *squeezer, int rc)
{
    if (rc == Z_OK) return 0;
    wf_memory_free(squeezer->state);
    squeezer->state = NULL;
    return -ENOMEM;
}

static int begin_gzip(struct squeezer *squeezer)
{
    struct gzip *gzip = new_gzip(squeezer);
    if (gzip == NULL) return -ENOMEM;
    return began_gzip(squeezer, deflateInit2(&gzip->stream, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY));
}

static int begin_gunzip(struct squeezer *squeezer)
{
    struct gzip *gzip = new_gzip(squeezer);
    return gzip == NULL ? -ENOMEM : began_gzip(squeezer, inflateInit2(&gzip->stream, 15 + 16));
}

static void load(z_stream *stream, const struct squeeze_piece *piece)
{
    stream->next_in = (Bytef *)(uintptr_t)piece->in;
    stream->avail_in = piece->in_size < UINT32_MAX ? (uInt)piece->in_size : UINT32_MAX;
    stream->next_out = (Bytef *)piece->out;
    stream->avail_out = piece->out_size < UINT32_MAX ? (uInt)piece->out_size : UINT32_MAX;
}

static void unload(const z_stream *stream, struct squeeze_piece *piece)
{
    piece->in_size -= (size_t)((const char *)stream->next_in - piece->in);
    piece->in = (const char *)stream->next_in;
    piece->out_size -= (size_t)((char *)stream->next_out - piece->out);
    piece->out = (char *)stream->next_out;
}

static int step_gzip(struct squeezer *squeezer, struct squeeze_piece *piece, enum squeeze_until until)
{
    static const int flush[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
    struct gzip *gzip = squeezer->state;
    load(&gzip->stream, piece);
    int rc = deflate(&gzip->stream, flush[until]);
    unload(&gzip->stream, piece);
    if (rc == Z_STREAM_END) return 0;
    return piece->in_size > 0 || piece->out_size == 0 || until == SQUEEZE_FINISH;
}

static int step_gunzip(struct squeezer *squeezer, struct squeeze_piece *piece, enum squeeze_until until)
{
    struct gzip *gzip = squeezer->state;
    (void)until;
    if (gzip->ended && piece->in_size > 0) { /* members may follow each other (RFC 1952 section 2.2) */
        inflateReset(&gzip->stream);
        gzip->ended = false;
    }
    load(&gzip->stream, piece);
    int rc = inflate(&gzip->stream, Z_NO_FLUSH);
    unload(&gzip->stream, piece);
    gzip->ended = rc == Z_STREAM_END;
    if (rc == Z_MEM_ERROR) return -ENOMEM;
    if (rc != Z_OK && rc != Z_BUF_ERROR && rc != Z_STREAM_END) return -EBADMSG;
    return gzip->ended && piece->in_size == 0 ? 0 : 1;
}

static void finish_gzip(struct squeezer *squeezer)
{
    struct gzip *gzip = squeezer->state;
    deflateEnd(&gzip->stream);
    wf_memory_free(gzip);
}

static void finish_gunzip(struct squeezer *squeezer)
{
    struct gzip *gzip = squeezer->state;
    inflateEnd(&gzip->stream);
    wf_memory_free(gzip);
}

/* ---- brotli ---- */

/* With malloc itself: where an allocator gives nothing, the encoder ends the process. */
static int begin_brotli(struct squeezer *squeezer)
{
    BrotliEncoderState *state = BrotliEncoderCreateInstance(NULL, NULL, NULL);
    if (state == NULL) return -ENOMEM;
    BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, BROTLI_LEVEL);
    BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, BROTLI_WINDOW);
    squeezer->state = state;
    return 0;
}

static int begin_unbrotli(struct squeezer *squeezer)
{
    squeezer->state = BrotliDecoderCreateInstance(take, give, NULL);
    return squeezer->state == NULL ? -ENOMEM : 0;
}

static int step_brotli(struct squeezer *squeezer, struct squeeze_piece *piece, enum squeeze_until until)
{
    static const BrotliEncoderOperation operation[] = {BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH,
                                                       BROTLI_OPERATION_FINISH};
    const uint8_t *in = (const uint8_t *)piece->in;
    uint8_t *out = (uint8_t *)piece->out;
    bool good = BrotliEncoderCompressStream(squeezer->state, operation[until], &piece->in_size, &in, &piece->out_size,
                                            &out, NULL);
    piece->in = (const char *)in;
    piece->out = (char *)out;
    if (!good) return -ENOMEM;
    if (until == SQUEEZE_FINISH) return !BrotliEncoderIsFinished(squeezer->state);
    return piece->in_size > 0 || BrotliEncoderHasMoreOutput(squeezer->state);
}

static int step_unbrotli(struct squeezer *squeezer, struct squeeze_piece *piece, enum squeeze_until until)
{
    const uint8_t *in = (const uint8_t *)piece->in;
    uint8_t *out = (uint8_t *)piece->out;
    (void)until;
    BrotliDecoderResult result =
        BrotliDecoderDecompressStream(squeezer->state, &piece->in_size, &in, &piece->out_size, &out, NULL);
    piece->in = (const char *)in;
    piece->out = (char *)out;
    if (result == BROTLI_DECODER_RESULT_ERROR) {
        BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(squeezer->state);
        bool memory =
            code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
        return memory ? -ENOMEM : -EBADMSG;
    }
    if (result == BROTLI_DECODER_RESULT_SUCCESS) return piece->in_size > 0 ? -EBADMSG : 0;
    return 1;
}

static void finish_brotli(struct squeezer *squeezer)
{
    BrotliEncoderDestroyInstance(squeezer->state);
}

static void finish_unbrotli(struct squeezer *squeezer)
{
    BrotliDecoderDestroyInstance(squeezer->state);
}

/* ---- zstd ---- */

static int begin_zstd(struct squeezer *squeezer)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (context == NULL) return -ENOMEM;
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    squeezer->state = context;
    return 0;
}

static int begin_unzstd(struct squeezer *squeezer)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (context == NULL) return -ENOMEM;
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, ZSTD_WINDOW_MAX);
    squeezer->state = context;
    return 0;
}

static int step_zstd(struct squeezer *squeezer, struct squeeze_piece *piece, enum squeeze_until until)
{
    static const ZSTD_EndDirective directive[] = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
    ZSTD_inBuffer in = {piece->in, piece->in_size, 0};
    ZSTD_outBuffer out = {piece->out, piece->out_size, 0};
    size_t left = ZSTD_compressStream2(squeezer->state, &out, &in, directive[until]);
    piece->in += in.pos;
    piece->in_size -= in.pos;
    piece->out += out.pos;
    piece->out_size -= out.pos;
    if (ZSTD_isError(left)) return -ENOMEM;
    return until == SQUEEZE_MORE ? piece->in_size > 0 : left > 0;
}

static int step_unzstd(struct squeezer *squeezer, struct squeeze_piece *piece, enum squeeze_until until)
{
    ZSTD_inBuffer in = {piece->in, piece->in_size, 0};
    ZSTD_outBuffer out = {piece->out, piece->out_size, 0};
    (void)until;
    size_t left = ZSTD_decompressStream(squeezer->state, &out, &in);
    piece->in += in.pos;
    piece->in_size -= in.pos;
    piece->out += out.pos;
    piece->out_size -= out.pos;
    if (ZSTD_isError(left)) return -EBADMSG;
    return left == 0 && piece->in_size == 0 ? 0 : 1;
}

static void finish_zstd(struct squeezer *squeezer)
{
    ZSTD_freeCCtx(squeezer->state);
}

static void finish_unzstd(struct squeezer *squeezer)
{
    ZSTD_freeDCtx(squeezer->state);
}

const struct squeeze_class squeeze_classes[ENCODINGS] = {
    [ENCODING_ZSTD] = {begin_zstd, step_zstd, finish_zstd},
    [ENCODING_BROTLI] = {begin_brotli, step_brotli, finish_brotli},
    [ENCODING_GZIP] = {begin_gzip, step_gzip, finish_gzip},
};

const struct squeeze_class swell_classes[ENCODINGS] = {
    [ENCODING_ZSTD] = {begin_unzstd, step_unzstd, finish_unzstd},
    [ENCODING_BROTLI] = {begin_unbrotli, step_unbrotli, finish_unbrotli},
    [ENCODING_GZIP] = {begin_gunzip, step_gunzip, finish_gunzip},
};
