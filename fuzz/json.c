/*
 * JSON from any bytes: read value by value, beside another reader of JSON (jansson, where it is installed), which must
 * accept the same texts and find the same values; then written, read again, and written the same again.
 *
 * Known differences, which are left out: jansson takes 2,048 levels, no zero byte in a key, no number past the largest
 * double even where nobody asks for its value, and a zero byte for the end of the text.
 */
#include "fuzz.h"

#include <string.h>
#include <weft/json.h>

#include "json_oracle.h"

static bool different; /* a difference that is known */

static int walk(struct wf_json_reader *reader, struct wf_json_writer *writer, const void *other);

static int walk_number(struct wf_json_reader *reader, struct wf_json_writer *writer, const void *other)
{
    struct wf_json_reader again = *reader;
    double value;
    int64_t integer;
    uint64_t natural;
    bool is_integer = wf_json_read_int(&again, &integer) == 0;
    again = *reader;
    bool is_natural = wf_json_read_uint(&again, &natural) == 0;
    if (is_integer && is_natural) CLAIM(integer >= 0 && natural == (uint64_t)integer);
    int rc = wf_json_read_double(reader, &value);
    if (rc == -ERANGE) {
        different = true;
        CLAIM(!is_integer && !is_natural);
        CLAIM(wf_json_skip(reader) == 0);
        return wf_json_write_null(writer);
    }
    if (rc < 0) return rc;
    if (is_integer) CLAIM((double)integer == value);
    if (is_natural) CLAIM((double)natural == value);
    if (other != NULL) CLAIM(oracle_is_number(other, value));
    return wf_json_write_double(writer, value);
}

static int walk_string(struct wf_json_reader *reader, struct wf_json_writer *writer, const void *other)
{
    const char *text;
    size_t size;
    int rc = wf_json_read_string(reader, &text, &size);
    if (rc < 0) return rc;
    CLAIM(text[size] == '\0');
    if (other != NULL) CLAIM(oracle_is_text(other, text, size));
    return wf_json_write_text(writer, text, size);
}

static int walk_array(struct wf_json_reader *reader, struct wf_json_writer *writer, const void *other)
{
    size_t count = 0;
    int rc = wf_json_begin_array(reader);
    wf_json_open_array(writer);
    while (rc >= 0 && (rc = wf_json_next_item(reader)) > 0)
        rc = walk(reader, writer, other != NULL ? oracle_item(other, count++) : NULL);
    wf_json_close_array(writer);
    if (rc == 0 && other != NULL) CLAIM(oracle_count(other) == count);
    return rc;
}

/* A key with escapes is written by way of a text: a key has an end. */
static void write_key(struct wf_json_reader *reader, struct wf_json_writer *writer, size_t number)
{
    char key[64];
    if (memchr(reader->key, '\0', reader->key_size) != NULL) different = true;
    snprintf(key, sizeof key, "%zu %.*s", number, reader->key_size < 4 ? (int)reader->key_size : 0, reader->key);
    wf_json_write_key(writer, key);
}

static int walk_object(struct wf_json_reader *reader, struct wf_json_writer *writer, const void *other)
{
    size_t count = 0;
    struct wf_json_reader ahead = *reader;
    int rc = wf_json_begin_object(&ahead);
    while (rc >= 0 && (rc = wf_json_next_member(&ahead)) > 0) {
        count++;
        rc = wf_json_skip(&ahead);
    }
    if (other != NULL && oracle_count(other) != count) other = NULL; /* a key comes twice, or there is a fault */
    rc = wf_json_begin_object(reader);
    wf_json_open_object(writer);
    for (count = 0; rc >= 0 && (rc = wf_json_next_member(reader)) > 0; count++) {
        const void *member = other != NULL ? oracle_member(other, reader->key, reader->key_size) : NULL;
        if (other != NULL) CLAIM(member != NULL);
        write_key(reader, writer, count);
        rc = walk(reader, writer, member);
    }
    wf_json_close_object(writer);
    return rc;
}

static int walk(struct wf_json_reader *reader, struct wf_json_writer *writer, const void *other)
{
    enum wf_json_kind kind = wf_json_peek(reader);
    bool truth;
    int rc;
    if (other != NULL) CLAIM(oracle_kind(other) == kind);
    switch (kind) {
    case WF_JSON_NULL:
        rc = wf_json_read_null(reader);
        return rc < 0 ? rc : wf_json_write_null(writer);
    case WF_JSON_BOOL:
        rc = wf_json_read_bool(reader, &truth);
        if (rc == 0 && other != NULL) CLAIM(oracle_is_true(other) == truth);
        return rc < 0 ? rc : wf_json_write_bool(writer, truth);
    case WF_JSON_NUMBER:
        return walk_number(reader, writer, other);
    case WF_JSON_STRING:
        return walk_string(reader, writer, other);
    case WF_JSON_ARRAY:
        return walk_array(reader, writer, other);
    case WF_JSON_OBJECT:
        return walk_object(reader, writer, other);
    default:
        return wf_json_skip(reader);
    }
}

/* The code; what was written is in the writer. */
static int read_all(struct wf_arena *arena, const void *bytes, size_t size, struct wf_json_writer *writer,
                    const void *other)
{
    struct wf_json_reader reader, skipping;
    wf_json_reader_init(&reader, arena, bytes, size);
    wf_json_writer_init(writer, arena, 0);
    int rc = walk(&reader, writer, other);
    if (rc == 0) rc = wf_json_read_end(&reader);
    wf_json_reader_init(&skipping, arena, bytes, size);
    int skipped = wf_json_skip(&skipping);
    if (skipped == 0) skipped = wf_json_read_end(&skipping);
    CLAIM(rc == skipped);
    if (rc < 0) CLAIM(rc == -EBADMSG && reader.next_ == skipping.next_); /* the same place */
    if (rc < 0 && reader.depth_ == WF_JSON_DEPTH_MAX) different = true;  /* which no call tells */
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct wf_arena arena;
    struct wf_json_writer first, second;
    const char *text, *again;
    size_t text_size, again_size;
    void *other;
    wf_arena_init(&arena);
    different = size > 0 && memchr(bytes, '\0', size) != NULL;
    bool known = oracle_read(bytes, size, &other);
    int rc = read_all(&arena, bytes, size, &first, different ? NULL : other);
    if (known && !different) CLAIM((rc == 0) == (other != NULL));
    if (rc == 0) {
        CLAIM(wf_json_write_end(&first, &text, &text_size) == 0);
        CLAIM(read_all(&arena, text, text_size, &second, NULL) == 0);
        CLAIM(wf_json_write_end(&second, &again, &again_size) == 0);
        struct wf_json_reader reader;
        wf_json_reader_init(&reader, &arena, again, again_size);
        CLAIM(wf_json_skip(&reader) == 0);
    }
    oracle_free(other);
    wf_arena_finish(&arena);
    return 0;
}
