/*
 * JSON (RFC 8259), read and written piece by piece, without a tree. Models (model.h) stand on it; by itself it is for
 * texts that are no model's.
 *
 *     struct wf_json_reader reader;
 *     wf_json_reader_init(&reader, arena, text, size);
 *     int64_t id = 0;
 *     int rc = wf_json_begin_object(&reader);
 *     while (rc >= 0 && (rc = wf_json_next_member(&reader)) > 0)
 *         rc = wf_json_key_is(&reader, "id") ? wf_json_read_int(&reader, &id) : wf_json_skip(&reader);
 *     if (rc >= 0) rc = wf_json_read_end(&reader);         // nothing may follow
 *
 * What is read must be JSON to the letter: UTF-8 without overlong forms or surrogates, no mark of byte order, no comma
 * too much, at most WF_JSON_DEPTH_MAX arrays and objects in each other. What is not gives -EBADMSG, then and from then
 * on, and a message (wf_failure) with the line, the column and the byte. A value that is not of the kind that was asked
 * for gives -EINVAL, a number that does not fit -ERANGE: neither is consumed, and the reading can go on with
 * wf_json_skip or another kind.
 *
 * Nothing here suspends. Threads: a reader or writer and its arena belong to one loop.
 */
#ifndef WEFT_JSON_H
#define WEFT_JSON_H

#include <weft/arena.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WF_JSON_DEPTH_MAX = 32 };

/* ---- Reading ---- */

enum wf_json_kind {
    WF_JSON_END, /* of the text, the array or the object; or nothing that could be a value */
    WF_JSON_NULL,
    WF_JSON_BOOL,
    WF_JSON_NUMBER,
    WF_JSON_STRING,
    WF_JSON_ARRAY,
    WF_JSON_OBJECT,
};

/* Copied, it is a second reader at the same place: that looks ahead. */
struct wf_json_reader {
    const char *key; /* of the last wf_json_next_member, valid until the next one; not terminated */
    size_t key_size;
    const char *begin_, *end_, *next_;
    struct wf_arena *arena_;
    int code_; /* of the first fault */
    uint16_t depth_;
    bool first_; /* nothing of the array or object has been read */
    void *reserved_[2];
};

/* Where something stands. Lines and columns count from 1, columns in characters. */
struct wf_json_place {
    size_t offset; /* in bytes */
    size_t line, column;
};

/* Reads `size` bytes, which must stay as they are; texts that are read are put into the arena. Suspends: never. */
WF_API void wf_json_reader_init(struct wf_json_reader *reader, struct wf_arena *arena, const void *bytes, size_t size);

/* What comes next; not yet that it is well-formed. Suspends: never. */
WF_API enum wf_json_kind wf_json_peek(struct wf_json_reader *reader);

/*
 * One value. Integers are read without loss; 1.0 and 1e2 are integers too, where they are at most 2^53. A double is the
 * nearest one, whatever the locale. A string is terminated; `size`, which may be NULL, counts without the end; where it
 * is NULL a text with U+0000 inside gives -EINVAL. Raw is the text of the value as it stands, not terminated: it points
 * into the bytes.
 * Suspends: never. Errors: -EINVAL, -ERANGE, -EBADMSG as above; -ENOMEM for strings.
 */
WF_API int wf_json_read_null(struct wf_json_reader *reader);
WF_API int wf_json_read_bool(struct wf_json_reader *reader, bool *value);
WF_API int wf_json_read_int(struct wf_json_reader *reader, int64_t *value);
WF_API int wf_json_read_uint(struct wf_json_reader *reader, uint64_t *value);
WF_API int wf_json_read_double(struct wf_json_reader *reader, double *value);
WF_API int wf_json_read_string(struct wf_json_reader *reader, const char **text, size_t *size);
WF_API int wf_json_read_raw(struct wf_json_reader *reader, const char **text, size_t *size);

/* Reads a value of any kind and forgets it. Suspends: never. Errors: -EBADMSG. */
WF_API int wf_json_skip(struct wf_json_reader *reader);

/*
 * An array: begin it; as long as wf_json_next_item gives 1 there is an item, to be read or skipped; 0: it has ended.
 * Suspends: never. Errors: -EINVAL, what comes next is no array; -EBADMSG.
 */
WF_API int wf_json_begin_array(struct wf_json_reader *reader);
WF_API WF_CHECKED int wf_json_next_item(struct wf_json_reader *reader);

/*
 * An object, likewise; each member has its key in `reader->key`, and then its value is to be read or skipped. A key
 * that comes twice is given twice.
 * Suspends: never. Errors: as above; -ENOMEM, for keys with escapes.
 */
WF_API int wf_json_begin_object(struct wf_json_reader *reader);
WF_API WF_CHECKED int wf_json_next_member(struct wf_json_reader *reader);

/* Is it the key of the member? Suspends: never. */
WF_API bool wf_json_key_is(const struct wf_json_reader *reader, const char *name);

/* The value was all: only white space may follow. Suspends: never. Errors: -EBADMSG, or the fault there was before. */
WF_API int wf_json_read_end(struct wf_json_reader *reader);

/* Where the fault is, or else what comes next. Suspends: never. */
WF_API void wf_json_find_place(const struct wf_json_reader *reader, struct wf_json_place *place);

/* ---- Writing ---- */

/*
 * Text grows in memory that was lent, and from there on in the arena, up to a maximum. A fault stays: later calls do
 * nothing, and wf_json_write_end gives the code, so the calls in between need no check.
 *
 *     struct wf_json_writer writer;
 *     wf_json_writer_init(&writer, arena, 64 << 10);
 *     wf_json_open_object(&writer);
 *     wf_json_write_key(&writer, "id");
 *     wf_json_write_int(&writer, 17);
 *     wf_json_close_object(&writer);
 *     int rc = wf_json_write_end(&writer, &text, &size);       // {"id":17}
 */
struct wf_json_writer {
    char *bytes_;
    size_t size_, room_, size_max_;
    struct wf_arena *arena_;
    uint64_t objects_; /* a bit for each of those that are open: is it an object? */
    int code_;         /* of the first fault */
    uint16_t depth_;
    bool comma_; /* what comes next needs one before it */
    bool value_; /* a key has been written, its value not yet */
    void *reserved_[2];
};

/* `size_max` bytes at most; 0: 16 MiB. The arena may be NULL where memory is lent. Suspends: never. */
WF_API void wf_json_writer_init(struct wf_json_writer *writer, struct wf_arena *arena, size_t size_max);

/* Begins in that memory, before anything is written. Suspends: never. */
WF_API void wf_json_writer_lend(struct wf_json_writer *writer, void *memory, size_t size);

/*
 * One value. A double is written with the fewest digits that read back as the same, with a point or an exponent.
 * Texts are escaped as little as may be; they must be UTF-8. Raw is JSON already, and is not looked at.
 * Suspends: never. Errors: the first fault, of this call or before: -ENOMEM; -EMSGSIZE past the maximum; -EILSEQ for
 * text that is no UTF-8; -EDOM for a number that is none or infinite; -EINVAL, with a message, for a value without a
 * key, a key outside an object, more depth than WF_JSON_DEPTH_MAX, a close without an open.
 */
WF_API int wf_json_write_null(struct wf_json_writer *writer);
WF_API int wf_json_write_bool(struct wf_json_writer *writer, bool value);
WF_API int wf_json_write_int(struct wf_json_writer *writer, int64_t value);
WF_API int wf_json_write_uint(struct wf_json_writer *writer, uint64_t value);
WF_API int wf_json_write_double(struct wf_json_writer *writer, double value);
WF_API int wf_json_write_string(struct wf_json_writer *writer, const char *text);
WF_API int wf_json_write_text(struct wf_json_writer *writer, const char *text, size_t size);
WF_API int wf_json_write_raw(struct wf_json_writer *writer, const char *text, size_t size);

/* Arrays and objects; in an object each value has its key before it. Suspends: never. Errors: as above. */
WF_API int wf_json_open_array(struct wf_json_writer *writer);
WF_API int wf_json_close_array(struct wf_json_writer *writer);
WF_API int wf_json_open_object(struct wf_json_writer *writer);
WF_API int wf_json_close_object(struct wf_json_writer *writer);
WF_API int wf_json_write_key(struct wf_json_writer *writer, const char *key);

/*
 * The text, terminated; `size` counts without the end, and may be NULL.
 * Suspends: never. Owns: the arena, or whose memory was lent. Errors: as above; -EINVAL when something is still open.
 */
WF_API WF_CHECKED int wf_json_write_end(struct wf_json_writer *writer, const char **text, size_t *size);

#ifdef __cplusplus
}
#endif
#endif
