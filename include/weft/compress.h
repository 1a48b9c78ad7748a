/*
 * Content that is compressed on its way: answers as the client likes them, bodies of requests.
 *
 *     wf_app_use(&app, wf_compress, NULL);                                     // gzip, brotli, zstd
 *     static const struct wf_decompress_options bodies = {.gzip = true};
 *     wf_app_use(&app, wf_decompress, &bodies);
 *
 * The client says what it takes (Accept-Encoding, RFC 9110 section 12.5.3), by weight; of equals zstd comes first, then
 * brotli, then gzip. A compressed answer has Content-Encoding, its ETag becomes a weak one, and Vary is there whether
 * it was compressed or not. Whole answers keep a length; those in pieces are compressed in pieces, and a flush lets the
 * client see all that was written. Answers that are small, encoded already, or of a type that does not get smaller, are
 * left as they are; so are parts of files (206).
 *
 * An answer that has secrets beside what a client says can tell them by its length (BREACH): leave such routes out.
 *
 * Threads: the loop's.
 */
#ifndef WEFT_COMPRESS_H
#define WEFT_COMPRESS_H

#include <weft/base.h>
#include <weft/request.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_compress_options {
    size_t minimum;        /* bytes of an answer whose length is known; default 1024 */
    const char *types[16]; /* "text/", "application/json": beginnings; default: texts, JSON, XML, SVG, scripts, fonts */
};

/*
 * A middleware: answers from inside are compressed. Takes about 300 KB (gzip), 500 KB (zstd) or 1 MB (brotli) for each
 * answer under way. Suspends: as what is inside. On cancel: as what is inside. Errors: those from inside.
 */
WF_API WF_SUSPENDS int wf_compress(struct wf_request *request, const struct wf_compress_options *options);

struct wf_decompress_options {
    bool gzip, brotli, zstd; /* what is taken; none of them: all */
};

/*
 * A middleware: bodies of requests are decompressed as they are read. The limit of a body counts what comes out, so
 * that a small body cannot become a large one. What is not taken, or is encoded more than once, is answered with 415;
 * what is broken is -EBADMSG from reading. Without this middleware wf_request_body answers 415 for every encoding.
 * Suspends: as what is inside. On cancel: as what is inside. Errors: those from inside; -EINVAL after 415.
 */
WF_API WF_SUSPENDS int wf_decompress(struct wf_request *request, const struct wf_decompress_options *options);

#ifdef __cplusplus
}
#endif
#endif
