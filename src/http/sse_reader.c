/*
 * Reading server-sent events, by the rules of the HTML standard, section 9.2.6: lines that end in "\n", "\r\n" or "\r",
 * fields that are kept until an empty line, a mark at the very beginning that is skipped.
 */
#include <string.h>
#include <weft/extend.h>
#include <weft/sse.h>

enum { SIZE_MAX_DEFAULT = 1 << 20 };

void wf_sse_reader_init(struct wf_sse_reader *reader, size_t size_max)
{
    memset(reader, 0, sizeof *reader);
    reader->size_max_ = size_max > 0 ? size_max : SIZE_MAX_DEFAULT;
}

void wf_sse_reader_finish(struct wf_sse_reader *reader)
{
    wf_memory_free(reader->line_.bytes);
    wf_memory_free(reader->data_.bytes);
    wf_memory_free(reader->event_.bytes);
    wf_memory_free(reader->id_.bytes);
    memset(reader, 0, sizeof *reader);
}

/* ---- Texts that grow ---- */

/* Adds bytes, and a zero byte that is not counted. */
static int add(struct wf_sse_reader *reader, struct wf_sse_buffer_ *buffer, const char *bytes, size_t size)
{
    if (size > reader->size_max_ - buffer->size) return -EMSGSIZE;
    if (buffer->size + size + 1 > buffer->room) {
        size_t room = buffer->room * 2 > buffer->size + size + 1 ? buffer->room * 2 : buffer->size + size + 1;
        char *grown = wf_memory_resize(buffer->bytes, room);
        if (grown == NULL) return -ENOMEM;
        buffer->bytes = grown;
        buffer->room = room;
    }
    if (size > 0) memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
    buffer->bytes[buffer->size] = '\0';
    return 0;
}

static int set(struct wf_sse_reader *reader, struct wf_sse_buffer_ *buffer, const char *bytes, size_t size)
{
    buffer->size = 0;
    return add(reader, buffer, bytes, size);
}

/* ---- Lines ---- */

/* Digits only; anything else is no time. */
static void set_retry(struct wf_sse_reader *reader, const char *value, size_t size)
{
    int64_t milliseconds = 0;
    if (size == 0 || size > 12) return;
    for (size_t i = 0; i < size; i++) {
        if (value[i] < '0' || value[i] > '9') return;
        milliseconds = milliseconds * 10 + (value[i] - '0');
    }
    reader->retry_ = WF_MILLISECONDS(milliseconds);
}

static bool is(const char *name, size_t size, const char *word)
{
    return strlen(word) == size && memcmp(name, word, size) == 0;
}

static int take_field(struct wf_sse_reader *reader, const char *name, size_t size, const char *value, size_t value_size)
{
    if (is(name, size, "event")) return set(reader, &reader->event_, value, value_size);
    if (is(name, size, "retry")) set_retry(reader, value, value_size);
    if (is(name, size, "id") && memchr(value, '\0', value_size) == NULL)
        return set(reader, &reader->id_, value, value_size);
    if (!is(name, size, "data")) return 0;
    int rc = reader->has_data_ ? add(reader, &reader->data_, "\n", 1) : 0;
    reader->has_data_ = true;
    return rc == 0 ? add(reader, &reader->data_, value, value_size) : rc;
}

/* A line is whole. Returns 1 where it ends an event. */
static int end_line(struct wf_sse_reader *reader)
{
    const char *line = reader->line_.bytes;
    size_t size = reader->line_.size;
    reader->line_.size = 0;
    if (size == 0) {
        if (!reader->has_data_) reader->event_.size = 0;
        return reader->has_data_;
    }
    if (line[0] == ':') return 0;
    const char *colon = memchr(line, ':', size);
    size_t name = colon != NULL ? (size_t)(colon - line) : size;
    size_t value = colon != NULL ? name + 1 : size;
    if (value < size && line[value] == ' ') value++;
    return take_field(reader, line, name, line + value, size - value);
}

/* What was told is forgotten, but for the id. */
static void begin_event(struct wf_sse_reader *reader)
{
    reader->told_ = reader->has_data_ = false;
    reader->data_.size = reader->event_.size = 0;
}

static void tell(struct wf_sse_reader *reader, struct wf_sse_news *news)
{
    reader->told_ = true;
    news->event = reader->event_.size > 0 ? reader->event_.bytes : "message";
    news->id = reader->id_.size > 0 ? reader->id_.bytes : "";
    news->data = reader->data_.bytes;
    news->data_size = reader->data_.size;
    news->retry = reader->retry_;
}

/* The mark of UTF-8, at the very beginning; what only begins like it is text. */
static int skip_mark(struct wf_sse_reader *reader, char byte, bool *skipped)
{
    static const char mark[] = "\xef\xbb\xbf";
    *skipped = !reader->began_ && byte == mark[reader->mark_];
    if (*skipped) {
        reader->began_ = ++reader->mark_ == 3;
        return 0;
    }
    bool partly = !reader->began_ && reader->mark_ > 0;
    reader->began_ = true;
    return partly ? add(reader, &reader->line_, mark, reader->mark_) : 0;
}

static int take_byte(struct wf_sse_reader *reader, char byte)
{
    bool skip, second = byte == '\n' && reader->after_cr_;
    int rc = skip_mark(reader, byte, &skip);
    reader->after_cr_ = byte == '\r';
    if (rc < 0 || skip || second) return rc;
    if (byte == '\r' || byte == '\n') return end_line(reader);
    return add(reader, &reader->line_, &byte, 1);
}

/* So many bytes belong to a line that goes on. */
static size_t inside_line(const char *bytes, size_t size)
{
    size_t at = 0;
    while (at < size && bytes[at] != '\n' && bytes[at] != '\r') at++;
    return at;
}

ssize_t wf_sse_reader_take(struct wf_sse_reader *reader, const char *bytes, size_t size, struct wf_sse_news *news)
{
    *news = (struct wf_sse_news){.data = NULL};
    if (reader->told_) begin_event(reader);
    for (size_t at = 0; at < size;) {
        size_t piece = reader->began_ && reader->line_.size > 0 ? inside_line(bytes + at, size - at) : 0;
        int rc = piece > 0 ? add(reader, &reader->line_, bytes + at, piece) : take_byte(reader, bytes[at]);
        if (rc < 0) return rc;
        at += piece > 0 ? piece : 1;
        if (rc == 0) continue;
        tell(reader, news);
        return (ssize_t)at;
    }
    return (ssize_t)size;
}
