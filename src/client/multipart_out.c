/*
 * Forms with files, as bodies of requests (RFC 7578): texts and files between boundaries that nobody can foresee. Names
 * are UTF-8, with quotes and line ends as browsers write them (HTML standard, "multipart/form-data encoding
 * algorithm"); values go out as they are.
 */
#include <fcntl.h>
#include <string.h>
#include <weft/extend.h>
#include <weft/file.h>
#include <weft/static_files.h>
#include <weft/task.h>

#include "client/payload.h"
#include "http/grammar.h"

enum { PIECE = 65536, PARTS_MAX = 1000, BOUNDARY = 38 };

/* What lies behind each other on the wire: the head of a part, its content, ... the last boundary. */
struct segment {
    const char *bytes;
    const char *path; /* of a file, instead */
    int64_t size;     /* -1: until its end */
};

struct multipart {
    char boundary[BOUNDARY + 1];
    struct segment *segments;
    size_t count, at;
    int64_t offset; /* in that segment */
    struct wf_file *file;
    char *buffer;
};

/* ---- Heads ---- */

static const char hex[] = "0123456789abcdef";

static void make_boundary(struct multipart *multipart)
{
    unsigned char random[16];
    wf_random(random, sizeof random);
    memcpy(multipart->boundary, "------", 6);
    for (size_t i = 0; i < sizeof random; i++) {
        multipart->boundary[6 + 2 * i] = hex[random[i] >> 4];
        multipart->boundary[7 + 2 * i] = hex[random[i] & 15];
    }
    multipart->boundary[BOUNDARY] = '\0';
}

static const char *escape_of(char byte)
{
    return byte == '"' ? "%22" : byte == '\r' ? "%0D" : byte == '\n' ? "%0A" : NULL;
}

/* A name between quotes. NULL: out of memory. */
static const char *quote(const char *name, struct wf_arena *arena)
{
    char *quoted = wf_arena_alloc(arena, strlen(name) * 3 + 1), *to = quoted;
    if (quoted == NULL) return NULL;
    for (; *name != '\0'; name++) {
        const char *escape = escape_of(*name);
        if (escape == NULL) *to++ = *name;
        else {
            memcpy(to, escape, 3);
            to += 3;
        }
    }
    *to = '\0';
    return quoted;
}

static const char *filename_of(const struct wf_upload *part)
{
    if (part->filename != NULL || part->path == NULL) return part->filename;
    const char *slash = strrchr(part->path, '/');
    return slash != NULL ? slash + 1 : part->path;
}

static const char *type_of(const struct wf_upload *part, const char *filename)
{
    if (part->content_type != NULL) return part->content_type;
    if (filename != NULL) return wf_media_type(filename);
    return part->bytes != NULL ? "application/octet-stream" : NULL;
}

static int write_head(struct payload *payload, const struct wf_upload *part, bool first, struct segment *segment)
{
    struct wf_arena *arena = payload->arena;
    const char *filename = filename_of(part), *type = type_of(part, filename);
    const char *name = quote(part->name, arena), *file = filename != NULL ? quote(filename, arena) : "";
    if (name == NULL || file == NULL) return -ENOMEM;
    segment->bytes = wf_arena_printf(arena, "%s--%s\r\nContent-Disposition: form-data; name=\"%s\"%s%s%s%s%s\r\n\r\n",
                                     first ? "" : "\r\n", payload->multipart->boundary, name,
                                     filename != NULL ? "; filename=\"" : "", file, filename != NULL ? "\"" : "",
                                     type != NULL ? "\r\nContent-Type: " : "", type != NULL ? type : "");
    if (segment->bytes == NULL) return -ENOMEM;
    segment->size = (int64_t)strlen(segment->bytes);
    bool sound = is_field_value(name, strlen(name)) && is_field_value(file, strlen(file)) &&
                 (type == NULL || is_field_value(type, strlen(type)));
    return sound ? 0 : wf_fail(-EINVAL, "the part \"%s\" has a control character in its head", name);
}

/* ---- Contents ---- */

static int find_file(struct payload *payload, const struct wf_upload *part, struct segment *segment)
{
    struct stat status;
    int rc = wf_stat(part->path, &status);
    if (rc < 0) return rc;
    if (S_ISDIR(status.st_mode)) return wf_fail(-EISDIR, "%s is a directory, and cannot be sent", part->path);
    bool regular = S_ISREG(status.st_mode);
    *segment = (struct segment){.path = part->path, .size = regular ? status.st_size : -1};
    if (!regular) payload->once = true;
    return 0;
}

static int find_content(struct payload *payload, const struct wf_upload *part, struct segment *segment)
{
    int contents = (part->value != NULL) + (part->path != NULL) + (part->bytes != NULL);
    if (contents != 1)
        return wf_fail(-EINVAL, "the part \"%s\" has %s", part->name, contents ? "two contents" : "none");
    if (part->path != NULL) return find_file(payload, part, segment);
    *segment = part->value != NULL ? (struct segment){.bytes = part->value, .size = (int64_t)strlen(part->value)}
                                   : (struct segment){.bytes = part->bytes, .size = (int64_t)part->size};
    return 0;
}

static int add_part(struct payload *payload, const struct wf_upload *part)
{
    struct multipart *multipart = payload->multipart;
    struct segment *segments = &multipart->segments[multipart->count];
    int rc = write_head(payload, part, multipart->count == 0, &segments[0]);
    if (rc == 0) rc = find_content(payload, part, &segments[1]);
    multipart->count += 2;
    return rc;
}

static int add_end(struct payload *payload)
{
    struct multipart *multipart = payload->multipart;
    struct segment *segment = &multipart->segments[multipart->count];
    const char *before = multipart->count == 0 ? "" : "\r\n";
    segment->bytes = wf_arena_printf(payload->arena, "%s--%s--\r\n", before, multipart->boundary);
    if (segment->bytes == NULL) return -ENOMEM;
    segment->size = (int64_t)strlen(segment->bytes);
    multipart->count++;
    return 0;
}

/* ---- The form ---- */

static size_t count_parts(const struct wf_upload *parts)
{
    size_t count = 0;
    while (parts[count].name != NULL) count++;
    return count;
}

/* Known beforehand, unless one of the files is a pipe or the like. */
static void add_up(struct payload *payload)
{
    const struct multipart *multipart = payload->multipart;
    payload->length = 0;
    for (size_t i = 0; i < multipart->count && payload->length >= 0; i++) {
        int64_t size = multipart->segments[i].size;
        payload->length = size >= 0 ? payload->length + size : -1;
    }
}

static int make(struct payload *payload, size_t count)
{
    struct multipart *multipart = payload->multipart = wf_arena_new(payload->arena, struct multipart);
    if (multipart == NULL) return -ENOMEM;
    multipart->segments = wf_arena_array(payload->arena, 2 * count + 1, sizeof *multipart->segments);
    multipart->buffer = wf_arena_alloc(payload->arena, PIECE);
    if (multipart->segments == NULL || multipart->buffer == NULL) return -ENOMEM;
    memset(multipart->segments, 0, (2 * count + 1) * sizeof *multipart->segments);
    make_boundary(multipart);
    return 0;
}

int multipart_open(struct payload *payload)
{
    const struct wf_upload *parts = payload->options->parts;
    size_t count = count_parts(parts);
    if (count > PARTS_MAX) return wf_fail(-E2BIG, "a form of %zu parts; %d may be", count, PARTS_MAX);
    int rc = make(payload, count);
    for (size_t i = 0; rc == 0 && i < count; i++) rc = add_part(payload, &parts[i]);
    if (rc == 0) rc = add_end(payload);
    if (rc < 0) return rc;
    add_up(payload);
    payload->content_type =
        wf_arena_printf(payload->arena, "multipart/form-data; boundary=%s", payload->multipart->boundary);
    return payload->content_type != NULL ? 0 : -ENOMEM;
}

/* ---- Pieces ---- */

static ssize_t read_file(struct multipart *multipart, const struct segment *segment, char *to, size_t room)
{
    int rc = multipart->file != NULL ? 0 : wf_file_open(segment->path, O_RDONLY, 0, &multipart->file);
    if (rc < 0) return rc;
    ssize_t got = segment->size < 0 ? wf_file_read(multipart->file, to, room)
                                    : wf_file_read_at(multipart->file, to, room, multipart->offset);
    if (got == 0 && segment->size >= 0) return wf_fail(-EBADMSG, "%s has become shorter meanwhile", segment->path);
    return got;
}

/* 0 at the end of the segment; what a file has grown by meanwhile stays behind. */
static ssize_t take(struct multipart *multipart, char *to, size_t room)
{
    const struct segment *segment = &multipart->segments[multipart->at];
    int64_t left = segment->size - multipart->offset;
    if (segment->size >= 0 && left < (int64_t)room) room = (size_t)left;
    if (room == 0) return 0;
    ssize_t got = (ssize_t)room;
    if (segment->path != NULL) got = read_file(multipart, segment, to, room);
    else memcpy(to, segment->bytes + multipart->offset, room);
    if (got > 0) multipart->offset += got;
    return got;
}

static void next_segment(struct multipart *multipart)
{
    wf_file_close(multipart->file);
    multipart->file = NULL;
    multipart->offset = 0;
    multipart->at++;
}

int multipart_next(struct payload *payload, struct iovec *piece)
{
    struct multipart *multipart = payload->multipart;
    size_t filled = 0;
    payload->told = true;
    while (filled < PIECE && multipart->at < multipart->count) {
        ssize_t got = take(multipart, multipart->buffer + filled, PIECE - filled);
        if (got < 0) return (int)got;
        if (got == 0) next_segment(multipart);
        filled += (size_t)got;
    }
    *piece = (struct iovec){multipart->buffer, filled};
    return filled > 0;
}

void multipart_rewind(struct payload *payload)
{
    multipart_close(payload);
    payload->multipart->at = 0;
    payload->multipart->offset = 0;
}

void multipart_close(struct payload *payload)
{
    wf_file_close(payload->multipart->file);
    payload->multipart->file = NULL;
}
