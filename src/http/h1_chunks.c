/* Bodies in chunks. */
#include "http/h1_chunks.h"

#include <string.h>

#include "http/grammar.h"

enum { EXTRAS_MAX = 16384, DIGITS_MAX = 16 };

static bool take_size(struct chunks *chunks, char byte)
{
    int digit = hex_digit(byte);
    if (digit >= 0) {
        chunks->left = chunks->left << 4 | (uint64_t)digit;
        return ++chunks->digits <= DIGITS_MAX && chunks->left <= INT64_MAX;
    }
    if (chunks->digits == 0) return false;
    chunks->digits = 0;
    chunks->state = byte == '\r' ? CHUNK_SIZE_LF : CHUNK_EXTENSION;
    return byte == '\r' || byte == ';' || byte == ' ' || byte == '\t';
}

static bool is_control(char byte)
{
    return ((unsigned char)byte < 0x20 && byte != '\t') || byte == 0x7f;
}

static bool take_extension(struct chunks *chunks, char byte)
{
    if (byte == '\r' && chunks->state == CHUNK_EXTENSION) chunks->state = CHUNK_SIZE_LF;
    else if (is_control(byte)) return false;
    else if (chunks->state == CHUNK_ESCAPED) chunks->state = CHUNK_QUOTED;
    else if (byte == '"') chunks->state = chunks->state == CHUNK_QUOTED ? CHUNK_EXTENSION : CHUNK_QUOTED;
    else if (byte == '\\' && chunks->state == CHUNK_QUOTED) chunks->state = CHUNK_ESCAPED;
    return ++chunks->extras <= EXTRAS_MAX;
}

static bool keep_trailer(struct chunks *chunks, char byte, struct wf_arena *arena)
{
    if (chunks->trailers == NULL) chunks->trailers = wf_arena_alloc(arena, EXTRAS_MAX + 1);
    if (chunks->trailers == NULL || ++chunks->extras > EXTRAS_MAX) return false;
    chunks->trailers[chunks->trailers_size++] = byte;
    return true;
}

/* One line, terminated: "name: value". Lines of framing have no effect here, for nobody looks them up. */
static bool add_trailer(char *line, struct wf_headers *trailers, struct wf_arena *arena)
{
    char *colon = strchr(line, ':');
    if (colon == NULL || !is_token(line, (size_t)(colon - line))) return false;
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t size = strlen(value);
    while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t')) value[--size] = '\0';
    return wf_headers_add(trailers, arena, line, value) == 0;
}

static bool finish(struct chunks *chunks, struct wf_headers *trailers, struct wf_arena *arena)
{
    chunks->state = CHUNK_ENDED;
    char *at = chunks->trailers, *end = at + chunks->trailers_size;
    while (at < end) {
        char *line_end = memchr(at, '\n', (size_t)(end - at));
        *line_end = '\0';
        if (!add_trailer(at, trailers, arena)) return false;
        at = line_end + 1;
    }
    return true;
}

/* Any byte but one of a chunk's data. */
static bool take(struct chunks *chunks, char byte, struct wf_headers *trailers, struct wf_arena *arena)
{
    switch (chunks->state) {
    case CHUNK_SIZE:
        return take_size(chunks, byte);
    case CHUNK_EXTENSION:
    case CHUNK_QUOTED:
    case CHUNK_ESCAPED:
        return take_extension(chunks, byte);
    case CHUNK_SIZE_LF:
        chunks->state = chunks->left > 0 ? CHUNK_DATA : CHUNK_LINE;
        return byte == '\n';
    case CHUNK_DATA_CR:
        chunks->state = CHUNK_DATA_LF;
        return byte == '\r';
    case CHUNK_DATA_LF:
        chunks->state = CHUNK_SIZE;
        return byte == '\n';
    case CHUNK_LINE:
        chunks->state = byte == '\r' ? CHUNK_END_LF : CHUNK_IN_LINE;
        return byte == '\r' || (byte != ' ' && byte != '\t' && !is_control(byte) && keep_trailer(chunks, byte, arena));
    case CHUNK_IN_LINE:
        if (byte == '\r') {
            chunks->state = CHUNK_LINE_LF;
            return true;
        }
        return !is_control(byte) && keep_trailer(chunks, byte, arena);
    case CHUNK_LINE_LF:
        chunks->state = CHUNK_LINE;
        return byte == '\n' && keep_trailer(chunks, byte, arena);
    case CHUNK_END_LF:
        return byte == '\n' && finish(chunks, trailers, arena);
    case CHUNK_DATA:
    case CHUNK_ENDED:
        break;
    }
    return false;
}

ssize_t chunks_take(struct chunks *chunks, const char *bytes, size_t size, char *to, size_t *used,
                    struct wf_headers *trailers, struct wf_arena *arena)
{
    size_t at = 0, given = 0;
    while (at < size && chunks->state != CHUNK_ENDED) {
        if (chunks->state != CHUNK_DATA) {
            if (!take(chunks, bytes[at++], trailers, arena)) return -EBADMSG;
            continue;
        }
        size_t part = size - at < chunks->left ? size - at : (size_t)chunks->left;
        memcpy(to + given, bytes + at, part);
        at += part;
        given += part;
        chunks->left -= part;
        if (chunks->left == 0) chunks->state = CHUNK_DATA_CR;
    }
    *used = at;
    return (ssize_t)given;
}
