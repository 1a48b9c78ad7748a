/*
 * Bodies as other things than bytes: an answer from a generator, a request and an answer as streams.
 *
 *     static int rows(struct wf_generator *out, struct query *query)
 *     {
 *         struct iovec piece;
 *         int rc = 0;
 *         while (rc == 0 && next_row(query, &piece)) rc = wf_emit(out, &piece);
 *         return rc;
 *     }
 *
 *     static int export(struct wf_request *request)
 *     {
 *         struct query query = {...};
 *         WF_GENERATOR(items, rows, &query, struct iovec);
 *         return wf_reply_generator(request, 200, "text/csv", &items);
 *     }
 *
 * Threads: the loop's.
 */
#ifndef WEFT_BODY_H
#define WEFT_BODY_H

#include <sys/uio.h>
#include <weft/generator.h>
#include <weft/request.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Answers with the items of a generator, or of any other source of `struct iovec`: each goes out before the next one is
 * asked for, which waits while the client does not read. Returns 0. What fails before the first item can still be
 * answered as an error; later it ends the connection.
 * Suspends: as the source and an answer do. On cancel: the connection ends. Errors: the source's, the connection's.
 */
#define wf_reply_generator(request, status, content_type, source)                                                      \
    wf_reply_iterator_((request), (status), (content_type), &(source)->iterator)

/*
 * The body of the request as a stream, to be read by lines, to be copied elsewhere. It lives as long as the request,
 * and may be closed before. Suspends: never. Errors: -ENOMEM. Reading gives what wf_request_read gives; writing gives
 * -EBADF.
 */
WF_API int wf_request_stream(struct wf_request *request, struct wf_stream **stream);

/*
 * The answer as a stream that is written to: each write goes out at once. `length` is the whole body's; -1: not known.
 * wf_stream_shutdown ends the answer, and so does the handler. It lives as long as the request, and may be closed
 * before. Reading gives -EBADF.
 * Suspends: while the client does not take the head. On cancel: the connection ends. Errors: -ENOMEM, as
 * wf_reply_begin.
 */
WF_API WF_SUSPENDS int wf_reply_stream(struct wf_request *request, int status, const char *content_type, int64_t length,
                                       struct wf_stream **stream);

/* ---- What the macro stands on: private ---- */

WF_API WF_SUSPENDS int wf_reply_iterator_(struct wf_request *request, int status, const char *content_type,
                                          struct wf_iterator *source);

#ifdef __cplusplus
}
#endif
#endif
