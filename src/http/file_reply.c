/* A file as an answer: what the client asks to be true first, then all of it, or some ranges. */
#include "http/file_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <weft/extend.h>
#include <weft/file.h>
#include <weft/task.h>

#include "http/conditions.h"
#include "http/date.h"
#include "http/ranges.h"
#include "http/request.h"

enum { PIECE = 16384 };

/* ---- Bytes ---- */

static int send_by_hand(struct wf_request *request, struct wf_file *file, uint64_t first, uint64_t size)
{
    char *buffer = wf_memory_alloc(PIECE);
    if (buffer == NULL) return -ENOMEM;
    int rc = 0;
    while (size > 0 && rc == 0) {
        ssize_t got = wf_file_read_at(file, buffer, size < PIECE ? (size_t)size : PIECE, (int64_t)first);
        if (got == 0) rc = wf_fail(-EIO, "the file became shorter");
        else rc = got < 0 ? (int)got : wf_reply_write(request, buffer, (size_t)got);
        if (rc < 0) break;
        first += (uint64_t)got;
        size -= (uint64_t)got;
    }
    wf_memory_free(buffer);
    return rc;
}

/* By the kernel, where the exchange has a way to do that. */
static int send_range(struct wf_request *request, struct wf_file *file, uint64_t first, uint64_t size)
{
    if (request->without_body || size == 0) return 0;
    if (request->exchange->send == NULL) return send_by_hand(request, file, first, size);
    int rc = request->exchange->send(request, file, (int64_t)first, size);
    if (rc == 0) request->answer_written += size;
    return rc;
}

/* ---- Answers ---- */

/* Of several ranges: each has a head of its own. */
struct parts {
    const struct range *ranges;
    int count;
    uint64_t total; /* of the file */
    const char *type;
    char boundary[48];
};

static size_t put_part_head(char *to, size_t room, const struct parts *parts, int i)
{
    const struct range *range = &parts->ranges[i];
    int size =
        snprintf(to, room,
                 "%s--%s\r\nContent-Type: %s\r\nContent-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n\r\n",
                 i > 0 ? "\r\n" : "", parts->boundary, parts->type, range->first, range->first + range->size - 1,
                 parts->total);
    return (size_t)size;
}

static size_t put_end(char *to, size_t room, const struct parts *parts)
{
    return (size_t)snprintf(to, room, "\r\n--%s--\r\n", parts->boundary);
}

static int64_t size_of_parts(const struct parts *parts)
{
    uint64_t size = put_end(NULL, 0, parts);
    for (int i = 0; i < parts->count; i++) size += put_part_head(NULL, 0, parts, i) + parts->ranges[i].size;
    return (int64_t)size;
}

static int send_parts(struct wf_request *request, struct wf_file *file, const struct parts *parts)
{
    char *head = wf_arena_alloc(wf_request_arena(request), 256 + strlen(parts->type));
    if (head == NULL) return -ENOMEM;
    size_t room = 256 + strlen(parts->type);
    int rc = 0;
    for (int i = 0; i < parts->count && rc == 0; i++) {
        rc = wf_reply_write(request, head, put_part_head(head, room, parts, i));
        if (rc == 0) rc = send_range(request, file, parts->ranges[i].first, parts->ranges[i].size);
    }
    return rc == 0 ? wf_reply_write(request, head, put_end(head, room, parts)) : rc;
}

static int reply_parts(struct wf_request *request, struct wf_file *file, struct parts *parts, const char *etag)
{
    snprintf(parts->boundary, sizeof parts->boundary, "weft-%.*s", (int)strlen(etag) - 2, etag + 1);
    char *type = wf_arena_printf(wf_request_arena(request), "multipart/byteranges; boundary=%s", parts->boundary);
    if (type == NULL) return -ENOMEM;
    int rc = wf_reply_begin(request, 206, type, size_of_parts(parts));
    if (rc == 0) rc = send_parts(request, file, parts);
    return rc == 0 ? wf_reply_end(request) : rc;
}

static int reply_range(struct wf_request *request, struct wf_file *file, int status, const char *type,
                       const struct range *range)
{
    int rc = wf_reply_begin(request, status, type, (int64_t)range->size);
    if (rc == 0) rc = send_range(request, file, range->first, range->size);
    return rc == 0 ? wf_reply_end(request) : rc;
}

static int add_content_range(struct wf_request *request, const struct range *range, uint64_t total)
{
    char text[80];
    if (range == NULL) snprintf(text, sizeof text, "bytes */%" PRIu64, total);
    else
        snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range->first,
                 range->first + range->size - 1, total);
    return wf_reply_header(request, "Content-Range", text);
}

static int reply_content(struct wf_request *request, struct wf_file *file, const struct state_of *state, uint64_t total,
                         const char *type)
{
    struct range ranges[WF_RANGES_MAX], all = {0, total};
    const char *asked = wf_headers_find(&request->headers, "range");
    int count = RANGES_ALL;
    if (asked != NULL && conditions_range(request, state)) count = ranges_read(asked, total, ranges, WF_RANGES_MAX);
    if (count == RANGES_ALL) return reply_range(request, file, 200, type, &all);
    if (count > 1) {
        struct parts parts = {.ranges = ranges, .count = count, .total = total, .type = type};
        return reply_parts(request, file, &parts, state->etag);
    }
    int rc = add_content_range(request, count == 1 ? &ranges[0] : NULL, total);
    if (rc < 0) return rc;
    if (count == RANGES_NONE) return wf_http_error(request, 416, "the file has %" PRIu64 " bytes", total);
    return reply_range(request, file, 206, type, &ranges[0]);
}

/* ---- Fields ---- */

/* A name in quotes, for who understands nothing else, and as it is (RFC 6266). */
static int add_download(struct wf_request *request, const char *name)
{
    struct wf_arena *arena = wf_request_arena(request);
    char *plain = wf_arena_strdup(arena, name), *encoded = wf_arena_alloc(arena, strlen(name) * 3 + 1);
    if (plain == NULL || encoded == NULL) return -ENOMEM;
    char *to = encoded;
    for (size_t i = 0; name[i] != '\0'; i++) {
        unsigned char byte = (unsigned char)name[i];
        bool plain_here = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
        bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
        if (!plain_here) plain[i] = '_';
        if (letter || (byte >= '0' && byte <= '9') || byte == '.' || byte == '-' || byte == '_') *to++ = (char)byte;
        else to += sprintf(to, "%%%02X", byte);
    }
    *to = '\0';
    char *value = wf_arena_printf(arena, "attachment; filename=\"%s\"; filename*=UTF-8''%s", plain, encoded);
    return value == NULL ? -ENOMEM : wf_reply_header(request, "Content-Disposition", value);
}

static int add_fields(struct wf_request *request, const struct state_of *state, const char *encoding,
                      const struct wf_reply_file_options *options)
{
    char date[DATE_TEXT];
    date_write(date, state->modified);
    int rc = wf_reply_header(request, "ETag", state->etag);
    if (rc == 0) rc = wf_reply_header(request, "Last-Modified", date);
    if (rc == 0) rc = wf_reply_header(request, "Accept-Ranges", "bytes");
    if (rc == 0 && encoding != NULL) rc = wf_reply_header(request, "Content-Encoding", encoding);
    if (rc == 0 && options->cache_control != NULL)
        rc = wf_reply_header(request, "Cache-Control", options->cache_control);
    if (rc == 0 && options->download != NULL) rc = add_download(request, options->download);
    return rc;
}

int file_reply(struct wf_request *request, struct wf_file *file, const struct stat *status, const char *encoding,
               const struct wf_reply_file_options *options)
{
    char etag[64];
    snprintf(etag, sizeof etag, "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "\"", (uint64_t)status->st_ino,
             (uint64_t)status->st_size,
             (uint64_t)status->st_mtim.tv_sec * 1000000000 + (uint64_t)status->st_mtim.tv_nsec);
    struct state_of state = {.etag = etag, .modified = status->st_mtim.tv_sec};
    int answer = conditions_check(request, &state);
    if (answer == 412) return wf_http_error(request, 412, "the file is not what was expected");
    int rc = add_fields(request, &state, encoding, options);
    if (rc < 0) return rc;
    if (answer == 304) return wf_reply_empty(request, 304);
    return reply_content(request, file, &state, (uint64_t)status->st_size, options->content_type);
}

int file_reply_open(const char *path, int flags, struct wf_file **file, struct stat *status)
{
    int rc = wf_file_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | flags, 0, file);
    if (rc == -ENOTDIR || rc == -ELOOP || rc == -ENAMETOOLONG || rc == -ENXIO) return -ENOENT;
    if (rc < 0) return rc;
    rc = wf_file_status(*file, status);
    if (rc < 0) wf_file_close(*file);
    return rc;
}

int wf_reply_file_(struct wf_request *request, const char *path, const struct wf_reply_file_options *options)
{
    if (options->size != sizeof *options) return -EINVAL;
    struct wf_reply_file_options filled = *options;
    if (filled.content_type == NULL) filled.content_type = wf_media_type(path);
    struct wf_file *file;
    struct stat status;
    int rc = file_reply_open(path, 0, &file, &status);
    if (rc < 0) return rc == -ENOENT ? wf_fail(rc, "there is no such file") : rc;
    if (S_ISREG(status.st_mode)) rc = file_reply(request, file, &status, NULL, &filled);
    else rc = wf_fail(-ENOENT, "there is no such file");
    wf_file_close(file);
    return rc;
}
