/*
 * Forms with files: multipart/form-data (RFC 7578), part by part, as they come.
 *
 *     static int upload(struct wf_request *request)
 *     {
 *         struct wf_multipart parts;
 *         struct wf_part part;
 *         int rc = wf_multipart_open(request, &parts);
 *         while (rc >= 0 && (rc = wf_multipart_next(&parts, &part)) > 0) {
 *             if (part.filename != NULL) rc = wf_part_save(&part, path_for(part.filename), NULL);
 *             else if (strcmp(part.name, "title") == 0) rc = wf_part_text(&part, &title);
 *         }
 *         return rc < 0 ? rc : wf_reply_text(request, 201, "kept");
 *     }
 *
 * Nothing is kept but a window of some KiB, so an upload is as large as the route's .body_max allows. The window is the
 * request's memory, and so is what the calls give. What is malformed is -EBADMSG, and what is too much -EMSGSIZE, with
 * a message; a handler that returns them answers 400 and 413.
 *
 * Threads: the loop's.
 */
#ifndef WEFT_MULTIPART_H
#define WEFT_MULTIPART_H

#include <weft/base.h>
#include <weft/message.h>
#include <weft/request.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_multipart {
    struct wf_request *request_;
    char delimiter_[80]; /* with its line end and dashes */
    size_t delimiter_size_;
    char *in_;
    size_t first_, end_, room_;
    uint64_t part_size_, part_max_;
    uint32_t parts_, parts_max_, text_max_;
    uint8_t state_;
    bool ended_;
    int failed_;
    void *reserved_[4];
};

struct wf_part {
    const char *name;         /* of the field */
    const char *filename;     /* that the client gave, without directories; NULL: it is no file. May be "" */
    const char *content_type; /* default "text/plain" */
    struct wf_headers headers;
    struct wf_multipart *of_;
};

struct wf_multipart_options {
    size_t size; /* filled by the macro */
    struct wf_multipart *out_;
    uint32_t parts_max; /* default 100 */
    uint64_t part_max;  /* bytes of one part; default: no limit but the body's */
    uint32_t text_max;  /* bytes of one that is read by wf_part_text; default 64 KiB */
};

enum { WF_PART_HEAD_MAX = 4096 }; /* bytes of a part's own fields */

/*
 * wf_multipart_open(request, &parts, .option = value, ...) begins. Another type of content is answered with 415, one
 * without a boundary with 400.
 * Suspends: as an answer. On cancel: as an answer. Errors: -EINVAL after an answer, -ENOMEM.
 */
#define wf_multipart_open(request, ...)                                                                                \
    wf_multipart_open_((request), &(struct wf_multipart_options){.size = sizeof(struct wf_multipart_options),          \
                                                                 .out_ = __VA_ARGS__})

/*
 * The next part: 1; 0 after the last one. What was not read of the one before is skipped.
 * Suspends: until its head is there. On cancel: nothing is lost. Errors: -EBADMSG, -EMSGSIZE; wf_request_read's.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_multipart_next(struct wf_multipart *parts, struct wf_part *part);

/* Some bytes of a part, at least one; 0 at its end. Suspends: until some are there. On cancel: none is lost. Errors: as
 * above. */
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_part_read(struct wf_part *part, void *buffer, size_t size);

/* All of a small part, as a terminated text in the request's arena. Suspends: until it came. On cancel: what was read
 * is gone. Errors: as above; -EBADMSG for a zero byte in it, -ENOMEM. */
WF_API WF_SUSPENDS int wf_part_text(struct wf_part *part, const char **text);

/*
 * All of a part to a file that is not there yet, with mode 0600; `*size` (may be NULL) is how much. What fails leaves
 * no file behind.
 * Suspends: until it is written. On cancel: there is no file. Errors: as above; -EEXIST; the disk's.
 */
WF_API WF_SUSPENDS int wf_part_save(struct wf_part *part, const char *path, uint64_t *size);

/* ---- What the macro stands on: private ---- */

WF_API WF_SUSPENDS int wf_multipart_open_(struct wf_request *request, const struct wf_multipart_options *options);

#ifdef __cplusplus
}

#include <weft/cxx_http.h>
#endif
#endif
