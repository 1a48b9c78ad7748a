/* JSON, as the pieces of its reader and writer see it: what is scanned, and what is then made of it. */
#ifndef WEFT_HTTP_JSON_H
#define WEFT_HTTP_JSON_H

#include <weft/json.h>
#include <weft/task.h>

/* wf_fail, where there is a task; JSON and models are for threads, too. */
#define FAIL(code, ...) (wf_in_task() ? wf_fail((code), __VA_ARGS__) : (code))

/* Text that has been scanned, or decoded: not terminated. */
struct json_slice {
    const char *bytes;
    size_t size;
    bool escaped; /* it has escapes, which are not decoded yet */
};

/* A number that has been scanned. */
struct json_number {
    struct json_slice text;
    bool whole; /* neither a point nor an exponent */
};

enum { JSON_DOUBLE_TEXT = 32 }; /* room for any double, and the end */

/* What a value begins with. */
extern const uint8_t json_kinds[256];

/* wf_json_peek, where there is no fault. */
static inline enum wf_json_kind json_kind(struct wf_json_reader *reader)
{
    const char *at = reader->next_, *end = reader->end_;
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
    reader->next_ = at;
    return at < end ? (enum wf_json_kind)json_kinds[(unsigned char)*at] : WF_JSON_END;
}

/* wf_json_next_member in two steps: 1, there is another one; then its key, or that very one. */
int json_next_member(struct wf_json_reader *reader);
int json_read_key(struct wf_json_reader *reader);
bool json_take_key(struct wf_json_reader *reader, const char *name);

/* Sets the reader's fault at that place: -EBADMSG and the message, or the fault there was. */
int json_fault(struct wf_json_reader *reader, const char *at, const char *what);

/* At the quote before a string, which is skipped. */
int json_scan_string(struct wf_json_reader *reader, struct json_slice *slice);

/* Decodes escapes, into the arena of the reader. */
int json_decode(struct wf_json_reader *reader, struct json_slice *slice);

/* A copy with its end; NULL: no memory. */
char *json_copy(struct wf_arena *arena, const struct json_slice *slice);

/* The number that the bytes begin with; false: none. */
bool json_scan_number(const char *bytes, const char *end, struct json_number *number);

/* -ERANGE where it does not fit, -EINVAL where it is no integer. */
int json_to_int(const struct json_number *number, int64_t *value);
int json_to_uint(const struct json_number *number, uint64_t *value);
/* -ERANGE past the largest double. */
int json_to_double(const struct json_number *number, double *value);

/* The shortest text that reads back as the same; finite. `point`: with ".0" where it is whole. The size. */
size_t json_double_text(double value, bool point, char text[JSON_DOUBLE_TEXT]);
/* The size; at most 20 bytes, no end. */
size_t json_uint_text(uint64_t value, char text[JSON_DOUBLE_TEXT]);

/* The first byte that does not stand for itself in a string: control, quote, backslash, past ASCII; or the end. */
const char *json_plain_end(const char *at, const char *end);

/* ---- For the writer of models ---- */

/* wf_json_write_key for a name that is short and has nothing to escape, as a rule. */
int json_write_name(struct wf_json_writer *writer, const char *name);

/* Makes room for so many bytes more; false: the writer has its fault. */
bool json_reserve(struct wf_json_writer *writer, size_t size);
int json_writer_fault(struct wf_json_writer *writer, int code, const char *what);

#endif
