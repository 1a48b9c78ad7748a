/* The reader: a place in the bytes that moves on value by value. */
#include <string.h>

#include "http/json.h"

void wf_json_reader_init(struct wf_json_reader *reader, struct wf_arena *arena, const void *bytes, size_t size)
{
    *reader = (struct wf_json_reader){.arena_ = arena, .begin_ = bytes, .next_ = bytes};
    reader->end_ = reader->begin_ + size;
}

/* ---- Faults ---- */

void wf_json_find_place(const struct wf_json_reader *reader, struct wf_json_place *place)
{
    *place = (struct wf_json_place){.offset = (size_t)(reader->next_ - reader->begin_), .line = 1, .column = 1};
    for (const char *at = reader->begin_; at < reader->next_; at++) {
        bool goes_on = (*at & 0xc0) == 0x80; /* the same character */
        place->column += !goes_on;
        if (*at != '\n') continue;
        place->line++;
        place->column = 1;
    }
}

int json_fault(struct wf_json_reader *reader, const char *at, const char *what)
{
    if (reader->code_ != 0) return reader->code_;
    struct wf_json_place place;
    reader->next_ = at;
    wf_json_find_place(reader, &place);
    reader->code_ = -EBADMSG;
    return FAIL(-EBADMSG, "JSON, line %zu, column %zu (byte %zu): %s", place.line, place.column, place.offset, what);
}

static int no_memory(struct wf_json_reader *reader)
{
    reader->code_ = -ENOMEM;
    return -ENOMEM;
}

static int mismatch(struct wf_json_reader *reader, int code, const char *wanted)
{
    if (reader->code_ != 0) return reader->code_;
    if (wf_json_peek(reader) == WF_JSON_END) return json_fault(reader, reader->next_, "a value was expected");
    struct wf_json_place place;
    wf_json_find_place(reader, &place);
    return FAIL(code, "JSON, line %zu, column %zu: %s was expected", place.line, place.column, wanted);
}

/* ---- Values ---- */

const uint8_t json_kinds[256] = {
    ['n'] = WF_JSON_NULL,   ['t'] = WF_JSON_BOOL,   ['f'] = WF_JSON_BOOL,   ['"'] = WF_JSON_STRING,
    ['['] = WF_JSON_ARRAY,  ['{'] = WF_JSON_OBJECT, ['-'] = WF_JSON_NUMBER, ['0'] = WF_JSON_NUMBER,
    ['1'] = WF_JSON_NUMBER, ['2'] = WF_JSON_NUMBER, ['3'] = WF_JSON_NUMBER, ['4'] = WF_JSON_NUMBER,
    ['5'] = WF_JSON_NUMBER, ['6'] = WF_JSON_NUMBER, ['7'] = WF_JSON_NUMBER, ['8'] = WF_JSON_NUMBER,
    ['9'] = WF_JSON_NUMBER,
};

enum wf_json_kind wf_json_peek(struct wf_json_reader *reader)
{
    return reader->code_ != 0 ? WF_JSON_END : json_kind(reader);
}

static int read_word(struct wf_json_reader *reader, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(reader->end_ - reader->next_) < size || memcmp(reader->next_, word, size) != 0)
        return json_fault(reader, reader->next_, "neither null, true nor false");
    reader->next_ += size;
    return 0;
}

int wf_json_read_null(struct wf_json_reader *reader)
{
    if (wf_json_peek(reader) != WF_JSON_NULL) return mismatch(reader, -EINVAL, "null");
    return read_word(reader, "null");
}

int wf_json_read_bool(struct wf_json_reader *reader, bool *value)
{
    if (wf_json_peek(reader) != WF_JSON_BOOL) return mismatch(reader, -EINVAL, "true or false");
    bool is_true = *reader->next_ == 't';
    int rc = read_word(reader, is_true ? "true" : "false");
    if (rc == 0) *value = is_true;
    return rc;
}

/* Scans the number that comes next, without consuming it. */
static int scan_number(struct wf_json_reader *reader, struct json_number *number)
{
    *number = (struct json_number){.whole = true};
    if (wf_json_peek(reader) != WF_JSON_NUMBER) return mismatch(reader, -EINVAL, "a number");
    if (json_scan_number(reader->next_, reader->end_, number)) return 0;
    return json_fault(reader, reader->next_, "a number that is not well-formed");
}

/* It has been scanned and converted, with that result. */
static int take_number(struct wf_json_reader *reader, const struct json_number *number, int rc)
{
    if (rc < 0) return mismatch(reader, rc, rc == -ERANGE ? "a number that fits" : "an integer");
    reader->next_ = number->text.bytes + number->text.size;
    return 0;
}

int wf_json_read_int(struct wf_json_reader *reader, int64_t *value)
{
    struct json_number number;
    int rc = scan_number(reader, &number);
    return rc < 0 ? rc : take_number(reader, &number, json_to_int(&number, value));
}

int wf_json_read_uint(struct wf_json_reader *reader, uint64_t *value)
{
    struct json_number number;
    int rc = scan_number(reader, &number);
    return rc < 0 ? rc : take_number(reader, &number, json_to_uint(&number, value));
}

int wf_json_read_double(struct wf_json_reader *reader, double *value)
{
    struct json_number number;
    int rc = scan_number(reader, &number);
    return rc < 0 ? rc : take_number(reader, &number, json_to_double(&number, value));
}

int wf_json_read_string(struct wf_json_reader *reader, const char **text, size_t *size)
{
    if (wf_json_peek(reader) != WF_JSON_STRING) return mismatch(reader, -EINVAL, "a string");
    const char *before = reader->next_;
    struct json_slice slice;
    int rc = json_scan_string(reader, &slice);
    if (rc == 0) rc = json_decode(reader, &slice);
    if (rc < 0) return rc;
    if (size == NULL && slice.escaped && memchr(slice.bytes, '\0', slice.size) != NULL) {
        reader->next_ = before;
        return mismatch(reader, -EINVAL, "a text without U+0000");
    }
    char *copy = json_copy(reader->arena_, &slice);
    if (copy == NULL) return no_memory(reader);
    *text = copy;
    if (size != NULL) *size = slice.size;
    return 0;
}

int wf_json_read_raw(struct wf_json_reader *reader, const char **text, size_t *size)
{
    wf_json_peek(reader);
    const char *begin = reader->next_;
    int rc = wf_json_skip(reader);
    if (rc < 0) return rc;
    *text = begin;
    *size = (size_t)(reader->next_ - begin);
    return 0;
}

/* ---- Arrays and objects ---- */

static int begin(struct wf_json_reader *reader)
{
    if (reader->depth_ == WF_JSON_DEPTH_MAX) return json_fault(reader, reader->next_, "too many levels");
    reader->depth_++;
    reader->next_++;
    reader->first_ = true;
    return 0;
}

int wf_json_begin_array(struct wf_json_reader *reader)
{
    return wf_json_peek(reader) == WF_JSON_ARRAY ? begin(reader) : mismatch(reader, -EINVAL, "an array");
}

int wf_json_begin_object(struct wf_json_reader *reader)
{
    return wf_json_peek(reader) == WF_JSON_OBJECT ? begin(reader) : mismatch(reader, -EINVAL, "an object");
}

/* 1: there is another one; 0: that was the last one. */
static int next(struct wf_json_reader *reader, char closing, const char *wanted)
{
    if (reader->code_ != 0) return reader->code_;
    json_kind(reader);
    if (reader->next_ == reader->end_ || reader->depth_ == 0) return json_fault(reader, reader->next_, wanted);
    if (*reader->next_ == closing) {
        reader->next_++;
        reader->depth_--;
        reader->first_ = false;
        return 0;
    }
    if (!reader->first_ && *reader->next_ != ',') return json_fault(reader, reader->next_, wanted);
    if (!reader->first_) reader->next_++;
    reader->first_ = false;
    return 1;
}

int wf_json_next_item(struct wf_json_reader *reader)
{
    int rc = next(reader, ']', "a comma or the end of the array was expected");
    if (rc <= 0 || wf_json_peek(reader) != WF_JSON_END) return rc;
    return json_fault(reader, reader->next_, "a value was expected");
}

int json_next_member(struct wf_json_reader *reader)
{
    return next(reader, '}', "a comma or the end of the object was expected");
}

/* What stands between a key and its value. */
static int skip_colon(struct wf_json_reader *reader)
{
    json_kind(reader);
    if (reader->next_ == reader->end_ || *reader->next_ != ':')
        return json_fault(reader, reader->next_, "a colon was expected");
    reader->next_++;
    return json_kind(reader) != WF_JSON_END ? 1 : json_fault(reader, reader->next_, "a value was expected");
}

int json_read_key(struct wf_json_reader *reader)
{
    struct json_slice key;
    if (json_kind(reader) != WF_JSON_STRING) return json_fault(reader, reader->next_, "a key was expected");
    int rc = json_scan_string(reader, &key);
    if (rc == 0) rc = json_decode(reader, &key);
    if (rc < 0) return rc;
    reader->key = key.bytes;
    reader->key_size = key.size;
    return skip_colon(reader);
}

bool json_take_key(struct wf_json_reader *reader, const char *name)
{
    if (json_kind(reader) != WF_JSON_STRING) return false;
    const char *at = reader->next_ + 1, *end = reader->end_;
    for (; at < end && *name != '\0'; at++, name++)
        if (*at != *name) return false;
    if (end - at < 2 || *name != '\0' || at[0] != '"' || at[1] != ':') return false;
    reader->next_ = at + 2;
    return true;
}

int wf_json_next_member(struct wf_json_reader *reader)
{
    int rc = json_next_member(reader);
    return rc > 0 ? json_read_key(reader) : rc;
}

bool wf_json_key_is(const struct wf_json_reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->key_size; i++)
        if (name[i] == '\0' || name[i] != reader->key[i]) return false;
    return name[reader->key_size] == '\0';
}

/* ---- Whatever it is ---- */

static int skip_array(struct wf_json_reader *reader)
{
    int rc = wf_json_begin_array(reader);
    while (rc >= 0 && (rc = wf_json_next_item(reader)) > 0) rc = wf_json_skip(reader);
    return rc;
}

static int skip_object(struct wf_json_reader *reader)
{
    int rc = wf_json_begin_object(reader);
    while (rc >= 0 && (rc = wf_json_next_member(reader)) > 0) rc = wf_json_skip(reader);
    return rc;
}

int wf_json_skip(struct wf_json_reader *reader)
{
    struct json_slice slice;
    struct json_number number;
    bool value;
    int rc;
    switch (wf_json_peek(reader)) {
    case WF_JSON_NULL:
        return wf_json_read_null(reader);
    case WF_JSON_BOOL:
        return wf_json_read_bool(reader, &value);
    case WF_JSON_NUMBER:
        rc = scan_number(reader, &number);
        return rc < 0 ? rc : take_number(reader, &number, 0);
    case WF_JSON_STRING:
        return json_scan_string(reader, &slice);
    case WF_JSON_ARRAY:
        return skip_array(reader);
    case WF_JSON_OBJECT:
        return skip_object(reader);
    default:
        return json_fault(reader, reader->next_, "a value was expected");
    }
}

int wf_json_read_end(struct wf_json_reader *reader)
{
    if (reader->code_ != 0) return reader->code_;
    json_kind(reader);
    if (reader->depth_ > 0) return json_fault(reader, reader->next_, "an array or object has not ended");
    if (reader->next_ < reader->end_) return json_fault(reader, reader->next_, "nothing more was expected");
    return 0;
}
