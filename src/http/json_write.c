/* The writer: a growing text, and what may come next in it. */
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "http/json.h"

enum {
    SIZE_MAX_DEFAULT = 16 << 20,
    FIRST_ROOM = 256,
    ESCAPE_MAX = 6,
};

void wf_json_writer_init(struct wf_json_writer *writer, struct wf_arena *arena, size_t size_max)
{
    *writer = (struct wf_json_writer){.arena_ = arena, .size_max_ = size_max > 0 ? size_max : SIZE_MAX_DEFAULT};
}

void wf_json_writer_lend(struct wf_json_writer *writer, void *memory, size_t size)
{
    writer->bytes_ = memory;
    writer->room_ = size;
}

int json_writer_fault(struct wf_json_writer *writer, int code, const char *what)
{
    if (writer->code_ == 0) writer->code_ = what != NULL ? FAIL(code, "JSON: %s", what) : code;
    return writer->code_;
}

/* ---- Memory ---- */

static bool grow(struct wf_json_writer *writer, size_t needed)
{
    size_t room = writer->room_ < FIRST_ROOM / 2 ? FIRST_ROOM : writer->room_ * 2;
    if (room < needed) room = needed;
    char *bytes = wf_arena_alloc(writer->arena_, room);
    if (bytes == NULL) {
        json_writer_fault(writer, -ENOMEM, NULL);
        return false;
    }
    if (writer->size_ > 0) memcpy(bytes, writer->bytes_, writer->size_);
    writer->bytes_ = bytes;
    writer->room_ = room;
    return true;
}

static bool make_room(struct wf_json_writer *writer, size_t size)
{
    if (writer->code_ != 0) return false;
    if (size > writer->size_max_ - writer->size_) {
        json_writer_fault(writer, -EMSGSIZE, "the text is longer than it may be");
        return false;
    }
    return grow(writer, writer->size_ + size + 1);
}

/* One byte stays free, for the end. */
bool json_reserve(struct wf_json_writer *writer, size_t size)
{
    bool fits = writer->room_ - writer->size_ > size && size <= writer->size_max_ - writer->size_;
    return (fits && writer->code_ == 0) || make_room(writer, size);
}

/* Room has been made. */
static inline void put(struct wf_json_writer *writer, const char *bytes, size_t size)
{
    memcpy(writer->bytes_ + writer->size_, bytes, size);
    writer->size_ += size;
}

/* ---- Before and after a value ---- */

static inline bool in_object(const struct wf_json_writer *writer)
{
    return writer->depth_ > 0 && (writer->objects_ >> (writer->depth_ - 1) & 1) != 0;
}

/* Makes room for a value and writes the comma before it; false: there is a fault. */
static bool begin_value(struct wf_json_writer *writer, size_t size)
{
    bool comma = writer->comma_ && !writer->value_;
    if (!json_reserve(writer, size + comma)) return false;
    if (in_object(writer) && !writer->value_) {
        json_writer_fault(writer, -EINVAL, "a member needs a key before its value");
        return false;
    }
    if (writer->depth_ == 0 && writer->comma_) {
        json_writer_fault(writer, -EINVAL, "a text is one value");
        return false;
    }
    if (comma) writer->bytes_[writer->size_++] = ',';
    writer->comma_ = true;
    writer->value_ = false;
    return true;
}

static int write_bytes(struct wf_json_writer *writer, const char *bytes, size_t size)
{
    if (begin_value(writer, size)) put(writer, bytes, size);
    return writer->code_;
}

int wf_json_write_null(struct wf_json_writer *writer)
{
    return write_bytes(writer, "null", 4);
}

int wf_json_write_bool(struct wf_json_writer *writer, bool value)
{
    return value ? write_bytes(writer, "true", 4) : write_bytes(writer, "false", 5);
}

int wf_json_write_uint(struct wf_json_writer *writer, uint64_t value)
{
    char text[JSON_DOUBLE_TEXT];
    return write_bytes(writer, text, json_uint_text(value, text));
}

int wf_json_write_int(struct wf_json_writer *writer, int64_t value)
{
    char text[1 + JSON_DOUBLE_TEXT];
    if (value >= 0) return wf_json_write_uint(writer, (uint64_t)value);
    text[0] = '-';
    return write_bytes(writer, text, 1 + json_uint_text(0 - (uint64_t)value, text + 1));
}

int wf_json_write_double(struct wf_json_writer *writer, double value)
{
    char text[JSON_DOUBLE_TEXT];
    if (!isfinite(value)) return json_writer_fault(writer, -EDOM, "a number that is none, or infinite");
    return write_bytes(writer, text, json_double_text(value, true, text));
}

int wf_json_write_raw(struct wf_json_writer *writer, const char *text, size_t size)
{
    return write_bytes(writer, text, size);
}

/* ---- Strings ---- */

/* What stands for a byte that does not stand for itself; its size. */
static size_t escape(unsigned char byte, char text[ESCAPE_MAX])
{
    static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; i < sizeof letters - 1; i += 2) {
        if (letters[i] != (char)byte) continue;
        text[0] = '\\';
        text[1] = letters[i + 1];
        return 2;
    }
    memcpy(text, "\\u00", 4);
    text[4] = "01"[byte >> 4];
    text[5] = "0123456789abcdef"[byte & 15];
    return 6;
}

/* The first byte that needs an escape, or the end; NULL: it is no UTF-8. */
static const char *escape_needed(const char *at, const char *end)
{
    for (;;) {
        at = json_plain_end(at, end);
        if (at == end || (unsigned char)*at < 0x80) return at;
        size_t size = utf8_character(at, (size_t)(end - at));
        if (size == 0) return NULL;
        at += size;
    }
}

/* What is inside the quotes. */
static int put_escaped(struct wf_json_writer *writer, const char *at, const char *end)
{
    char escaped[ESCAPE_MAX];
    while (writer->code_ == 0) {
        const char *stop = escape_needed(at, end);
        if (stop == NULL) return json_writer_fault(writer, -EILSEQ, "text that is no UTF-8");
        size_t plain = (size_t)(stop - at), size = stop < end ? escape((unsigned char)*stop, escaped) : 0;
        if (!json_reserve(writer, plain + size)) break;
        put(writer, at, plain);
        if (stop == end) break;
        put(writer, escaped, size);
        at = stop + 1;
    }
    return writer->code_;
}

static int put_string(struct wf_json_writer *writer, const char *text, size_t size)
{
    const char *end = text + size;
    if (json_plain_end(text, end) == end && json_reserve(writer, size + 2)) {
        writer->bytes_[writer->size_++] = '"';
        put(writer, text, size);
        writer->bytes_[writer->size_++] = '"';
        return 0;
    }
    if (!json_reserve(writer, 1)) return writer->code_;
    writer->bytes_[writer->size_++] = '"';
    put_escaped(writer, text, end);
    if (json_reserve(writer, 1)) writer->bytes_[writer->size_++] = '"';
    return writer->code_;
}

int wf_json_write_text(struct wf_json_writer *writer, const char *text, size_t size)
{
    return begin_value(writer, 0) ? put_string(writer, text, size) : writer->code_;
}

int wf_json_write_string(struct wf_json_writer *writer, const char *text)
{
    return wf_json_write_text(writer, text, strlen(text));
}

/* ---- Arrays and objects ---- */

static int open_level(struct wf_json_writer *writer, bool object)
{
    if (writer->depth_ == WF_JSON_DEPTH_MAX) return json_writer_fault(writer, -EINVAL, "too many levels");
    if (write_bytes(writer, object ? "{" : "[", 1) < 0) return writer->code_;
    uint64_t bit = UINT64_C(1) << writer->depth_++;
    writer->objects_ = object ? writer->objects_ | bit : writer->objects_ & ~bit;
    writer->comma_ = false;
    return 0;
}

static int close_level(struct wf_json_writer *writer, bool object)
{
    if (!json_reserve(writer, 1)) return writer->code_;
    if (writer->depth_ == 0 || in_object(writer) != object || writer->value_)
        return json_writer_fault(writer, -EINVAL, "closed what is not open, or lacks a value");
    writer->bytes_[writer->size_++] = object ? '}' : ']';
    writer->depth_--;
    writer->comma_ = true;
    return 0;
}

int wf_json_open_array(struct wf_json_writer *writer)
{
    return open_level(writer, false);
}

int wf_json_close_array(struct wf_json_writer *writer)
{
    return close_level(writer, false);
}

int wf_json_open_object(struct wf_json_writer *writer)
{
    return open_level(writer, true);
}

int wf_json_close_object(struct wf_json_writer *writer)
{
    return close_level(writer, true);
}

int wf_json_write_key(struct wf_json_writer *writer, const char *key)
{
    if (!json_reserve(writer, writer->comma_)) return writer->code_;
    if (!in_object(writer) || writer->value_)
        return json_writer_fault(writer, -EINVAL, "a key outside an object, or two in a row");
    if (writer->comma_) writer->bytes_[writer->size_++] = ',';
    if (put_string(writer, key, strlen(key)) < 0 || !json_reserve(writer, 1)) return writer->code_;
    writer->bytes_[writer->size_++] = ':';
    writer->value_ = true;
    return 0;
}

int json_write_name(struct wf_json_writer *writer, const char *name)
{
    size_t size = strlen(name);
    const char *end = name + size;
    if (json_plain_end(name, end) != end || !json_reserve(writer, size + 4) || !in_object(writer) || writer->value_)
        return wf_json_write_key(writer, name);
    char *to = writer->bytes_ + writer->size_;
    *to = ',';
    to += writer->comma_;
    *to = '"';
    memcpy(to + 1, name, size);
    memcpy(to + 1 + size, "\":", 2);
    writer->size_ += writer->comma_ + size + 3;
    writer->value_ = true;
    return 0;
}

int wf_json_write_end(struct wf_json_writer *writer, const char **text, size_t *size)
{
    if (writer->code_ == 0 && (writer->depth_ > 0 || !writer->comma_))
        json_writer_fault(writer, -EINVAL, "the text has not ended");
    if (writer->code_ < 0) return writer->code_;
    writer->bytes_[writer->size_] = '\0';
    *text = writer->bytes_;
    if (size != NULL) *size = writer->size_;
    return 0;
}
