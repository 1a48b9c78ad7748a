/*
 * Parts of a body, through a window:
 *
 *     PREAMBLE --delimiter--> HEAD --empty line--> BODY --delimiter--> HEAD ...
 *                                                    \---delimiter "--"--> OVER
 *
 * The window begins with the line end that the first delimiter lacks. What cannot be the beginning of a delimiter is
 * given away at once; the rest waits for more.
 */
#include <string.h>
#include <strings.h>
#include <weft/extend.h>
#include <weft/file.h>
#include <weft/multipart.h>
#include <weft/path.h>
#include <weft/scope.h>
#include <weft/task.h>
#include <weft/time.h>

#include "http/part_head.h"
#include "http/request.h"

enum { WINDOW = 16384, PARTS_MAX = 100, TEXT_MAX = 65536 };

enum state {
    STATE_PREAMBLE,
    STATE_HEAD,
    STATE_BODY,
    STATE_OVER,
};

/* ---- The window ---- */

static int fail(struct wf_multipart *parts, int code, const char *why)
{
    parts->failed_ = code;
    return wf_fail(code, "the form: %s", why);
}

/* More bytes: 1. The body may not end before its last delimiter. */
static int fill(struct wf_multipart *parts)
{
    if (parts->first_ > 0) {
        memmove(parts->in_, parts->in_ + parts->first_, parts->end_ - parts->first_);
        parts->end_ -= parts->first_;
        parts->first_ = 0;
    }
    if (parts->end_ == parts->room_) return fail(parts, -EMSGSIZE, "the head of a part is too long");
    ssize_t got = wf_request_read(parts->request_, parts->in_ + parts->end_, parts->room_ - parts->end_);
    if (got == 0) return fail(parts, -EBADMSG, "it ends before its last boundary");
    if (got < 0) return (int)got;
    parts->end_ += (size_t)got;
    return 1;
}

static size_t there(const struct wf_multipart *parts)
{
    return parts->end_ - parts->first_;
}

/* How many bytes are before the next delimiter, as far as can be said; `*found`: it is right behind them. */
static size_t before_delimiter(const struct wf_multipart *parts, bool *found)
{
    const char *from = parts->in_ + parts->first_;
    size_t size = there(parts);
    const char *at = memmem(from, size, parts->delimiter_, parts->delimiter_size_);
    *found = at != NULL;
    if (at != NULL) return (size_t)(at - from);
    size_t tail = size < parts->delimiter_size_ - 1 ? size : parts->delimiter_size_ - 1;
    const char *begin = memchr(from + size - tail, '\r', tail);
    return begin != NULL ? (size_t)(begin - from) : size;
}

/* Behind a delimiter: "--" ends the form, a line end begins a part; blanks before it do not count. */
static int pass_delimiter(struct wf_multipart *parts)
{
    size_t at = parts->delimiter_size_;
    for (;;) {
        const char *from = parts->in_ + parts->first_;
        while (at < there(parts) && (from[at] == ' ' || from[at] == '\t')) at++;
        if (there(parts) >= at + 2) break;
        int rc = fill(parts);
        if (rc < 0) return rc;
    }
    const char *mark = parts->in_ + parts->first_ + at;
    bool last = memcmp(mark, "--", 2) == 0;
    if (!last && memcmp(mark, "\r\n", 2) != 0) return fail(parts, -EBADMSG, "a boundary is followed by something else");
    parts->first_ += at + (last ? 2 : 0); /* the line end of a head's beginning stays: a head may be empty */
    parts->state_ = last ? STATE_OVER : STATE_HEAD;
    return 0;
}

/* ---- Opening ---- */

/* The delimiter is "\r\n--" and the boundary (RFC 2046 section 5.1.1). False: the type has none. */
static bool take_boundary(struct wf_multipart *parts, const char *type)
{
    char boundary[72];
    if (!parameter_of(type, "boundary", boundary, sizeof boundary)) return false;
    size_t size = strlen(boundary);
    if (size == 0 || size > 70 || boundary[size - 1] == ' ') return false;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)boundary[i] < 0x20 || (unsigned char)boundary[i] >= 0x7f) return false;
    memcpy(parts->delimiter_, "\r\n--", 4);
    memcpy(parts->delimiter_ + 4, boundary, size + 1);
    parts->delimiter_size_ = size + 4;
    return true;
}

int wf_multipart_open_(struct wf_request *request, const struct wf_multipart_options *options)
{
    if (options->size != sizeof *options || options->out_ == NULL) return -EINVAL;
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    struct wf_multipart *parts = options->out_;
    *parts = (struct wf_multipart){
        .request_ = request,
        .room_ = WINDOW,
        .parts_max_ = options->parts_max > 0 ? options->parts_max : PARTS_MAX,
        .part_max_ = options->part_max > 0 ? options->part_max : UINT64_MAX,
        .text_max_ = options->text_max > 0 ? options->text_max : TEXT_MAX,
    };
    const char *type = wf_request_header(request, "content-type");
    if (type == NULL || strncasecmp(type, "multipart/form-data", 19) != 0 || strcspn(type, "; \t") != 19)
        return wf_http_error(request, 415, "a form is needed: multipart/form-data");
    if (!take_boundary(parts, type)) return wf_http_error(request, 400, "the form has no boundary");
    parts->in_ = wf_arena_alloc(wf_request_arena(request), WINDOW);
    if (parts->in_ == NULL) return -ENOMEM;
    memcpy(parts->in_, "\r\n", 2);
    parts->end_ = 2;
    return 0;
}

/* ---- Heads ---- */

/* To the delimiter that is next, past whatever is before it. */
static int skip_to_delimiter(struct wf_multipart *parts)
{
    for (;;) {
        bool found;
        size_t size = before_delimiter(parts, &found);
        parts->first_ += size;
        parts->part_size_ += size;
        if (parts->state_ == STATE_BODY && parts->part_size_ > parts->part_max_)
            return fail(parts, -EMSGSIZE, "a part is too long");
        if (found) return pass_delimiter(parts);
        int rc = fill(parts);
        if (rc < 0) return rc;
    }
}

/* The window begins with the line end of the delimiter's line, and has all of the head. */
static int await_head(struct wf_multipart *parts, size_t *size)
{
    for (;;) {
        const char *from = parts->in_ + parts->first_;
        const char *end = memmem(from, there(parts), "\r\n\r\n", 4);
        *size = end != NULL ? (size_t)(end - from) : there(parts);
        if (*size > WF_PART_HEAD_MAX) return fail(parts, -EMSGSIZE, "the head of a part is too long");
        if (end != NULL) return 0;
        int rc = fill(parts);
        if (rc < 0) return rc;
    }
}

static int take_head(struct wf_multipart *parts, struct wf_part *part)
{
    size_t size;
    int rc = await_head(parts, &size);
    if (rc < 0) return rc;
    const char *from = parts->in_ + parts->first_;
    rc = part_head_read(part, wf_request_arena(parts->request_), size > 2 ? from + 2 : from, size > 2 ? size - 2 : 0);
    if (rc == -EBADMSG) return fail(parts, rc, "a part without a name, or with a field that is none");
    if (rc < 0) return rc;
    if (++parts->parts_ > parts->parts_max_) return fail(parts, -EMSGSIZE, "it has too many parts");
    parts->first_ += size + 4;
    parts->state_ = STATE_BODY;
    parts->part_size_ = 0;
    part->of_ = parts;
    return 1;
}

int wf_multipart_next(struct wf_multipart *parts, struct wf_part *part)
{
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    *part = (struct wf_part){.name = NULL};
    if (parts->failed_ < 0) return parts->failed_;
    if (parts->state_ == STATE_PREAMBLE || parts->state_ == STATE_BODY) {
        rc = skip_to_delimiter(parts);
        if (rc < 0) return rc;
    }
    return parts->state_ == STATE_OVER ? 0 : take_head(parts, part);
}

/* ---- Bodies ---- */

ssize_t wf_part_read(struct wf_part *part, void *buffer, size_t size)
{
    struct wf_multipart *parts = part->of_;
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    if (parts->failed_ < 0) return parts->failed_;
    if (parts->state_ != STATE_BODY || size == 0) return 0;
    for (;;) {
        bool found;
        size_t ready = before_delimiter(parts, &found);
        if (ready > 0) {
            if (ready < size) size = ready;
            if (size > parts->part_max_ - parts->part_size_) return fail(parts, -EMSGSIZE, "a part is too long");
            memcpy(buffer, parts->in_ + parts->first_, size);
            parts->first_ += size;
            parts->part_size_ += size;
            return (ssize_t)size;
        }
        rc = found ? pass_delimiter(parts) : fill(parts);
        if (rc < 0 || found) return rc;
    }
}

int wf_part_text(struct wf_part *part, const char **text)
{
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    struct wf_arena *arena = wf_request_arena(part->of_->request_);
    size_t room = 256, size = 0, max = part->of_->text_max_;
    char *bytes = wf_arena_alloc(arena, room + 1);
    ssize_t got = 1;
    while (bytes != NULL && got > 0) {
        if (size == room) {
            char *larger = wf_arena_alloc(arena, room * 2 + 1);
            if (larger != NULL) memcpy(larger, bytes, size);
            bytes = larger;
            room *= 2;
            continue;
        }
        got = wf_part_read(part, bytes + size, room - size);
        if (got < 0) return (int)got;
        size += (size_t)got;
        if (size > max) return fail(part->of_, -EMSGSIZE, "a text is too long");
    }
    if (bytes == NULL) return -ENOMEM;
    if (memchr(bytes, '\0', size) != NULL) return fail(part->of_, -EBADMSG, "a text with a zero byte");
    bytes[size] = '\0';
    *text = bytes;
    return 0;
}

static int write_part(struct wf_part *part, struct wf_file *file, uint64_t *total)
{
    char buffer[2048];
    ssize_t got;
    while ((got = wf_part_read(part, buffer, sizeof buffer)) > 0) {
        int rc = wf_file_write_all(file, buffer, (size_t)got, NULL);
        if (rc < 0) return rc;
        *total += (uint64_t)got;
    }
    return (int)got;
}

int wf_part_save(struct wf_part *part, const char *path, uint64_t *size)
{
    struct wf_file *file;
    uint64_t total = 0;
    int rc = wf_file_open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, &file);
    if (rc < 0) return rc;
    rc = write_part(part, file, &total);
    wf_file_close(file);
    if (rc < 0) wf_ignore(wf_shielded(WF_SECONDS(10), wf_unlink(path)));
    if (size != NULL) *size = total;
    return rc;
}
