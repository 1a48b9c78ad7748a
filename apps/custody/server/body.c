/*
 * Bodies to the letter: RFC 8259 lets an object have a key twice, and a text U+0000; here both are malformed, like all
 * that is no JSON. Whoever repeats a request by its Idempotency-Key may write the same in another way, so what is said
 * is brought into one form (keys in order, no spaces, numbers and texts as they are meant) and that is hashed.
 */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

/* A member whose value is to be read; the reader stands before it. */
struct entry {
    const char *key;
    size_t size;
    struct wf_json_reader value;
};

struct entries {
    struct entry *items;
    size_t count, room;
};

static int copy_value(struct wf_json_reader *reader, struct wf_arena *arena, struct wf_json_writer *writer);

/* ---- Objects ---- */

static int add_entry(struct wf_arena *arena, struct entries *entries, const struct wf_json_reader *reader)
{
    if (memchr(reader->key, '\0', reader->key_size) != NULL) return wf_fail(-EBADMSG, "a key contains U+0000");
    if (entries->count == entries->room) {
        size_t room = entries->room == 0 ? 8 : entries->room * 2;
        struct entry *items = wf_arena_array(arena, room, sizeof *items);
        if (items == NULL) return -ENOMEM;
        if (entries->count > 0) memcpy(items, entries->items, entries->count * sizeof *items);
        entries->items = items;
        entries->room = room;
    }
    const char *key = wf_arena_strndup(arena, reader->key, reader->key_size);
    if (key == NULL) return -ENOMEM;
    entries->items[entries->count++] = (struct entry){.key = key, .size = reader->key_size, .value = *reader};
    return 0;
}

static int compare(const void *one, const void *other)
{
    const struct entry *a = one, *b = other;
    return strcmp(a->key, b->key);
}

static int collect(struct wf_json_reader *reader, struct wf_arena *arena, struct entries *entries)
{
    int rc = wf_json_begin_object(reader);
    while (rc >= 0 && (rc = wf_json_next_member(reader)) > 0) {
        rc = add_entry(arena, entries, reader);
        if (rc >= 0) rc = wf_json_skip(reader);
    }
    return rc;
}

static int copy_object(struct wf_json_reader *reader, struct wf_arena *arena, struct wf_json_writer *writer)
{
    struct entries entries = {.items = NULL};
    int rc = collect(reader, arena, &entries);
    if (rc == 0 && entries.count > 1) qsort(entries.items, entries.count, sizeof *entries.items, compare);
    wf_json_open_object(writer);
    for (size_t i = 0; i < entries.count && rc >= 0; i++) {
        struct entry *entry = &entries.items[i];
        if (i > 0 && strcmp(entry[-1].key, entry->key) == 0)
            return wf_fail(-EBADMSG, "the key \"%s\" comes twice", entry->key);
        wf_json_write_key(writer, entry->key);
        rc = copy_value(&entry->value, arena, writer);
    }
    return rc < 0 ? rc : wf_json_close_object(writer);
}

/* ---- Other values ---- */

static int copy_array(struct wf_json_reader *reader, struct wf_arena *arena, struct wf_json_writer *writer)
{
    int rc = wf_json_begin_array(reader);
    wf_json_open_array(writer);
    while (rc >= 0 && (rc = wf_json_next_item(reader)) > 0) rc = copy_value(reader, arena, writer);
    return rc < 0 ? rc : wf_json_close_array(writer);
}

static int copy_text(struct wf_json_reader *reader, struct wf_json_writer *writer)
{
    const char *text;
    size_t size;
    int rc = wf_json_read_string(reader, &text, &size);
    if (rc < 0) return rc;
    if (memchr(text, '\0', size) != NULL) return wf_fail(-EBADMSG, "a text contains U+0000");
    return wf_json_write_text(writer, text, size);
}

/* 1, 1.0 and 1e0 are one; what no double can hold stays as it was written. */
static int copy_number(struct wf_json_reader *reader, struct wf_json_writer *writer)
{
    int64_t whole;
    double number;
    const char *raw;
    size_t size;
    if (wf_json_read_int(reader, &whole) >= 0) return wf_json_write_int(writer, whole);
    if (wf_json_read_double(reader, &number) >= 0) return wf_json_write_double(writer, number);
    int rc = wf_json_read_raw(reader, &raw, &size);
    return rc < 0 ? rc : wf_json_write_raw(writer, raw, size);
}

static int copy_raw(struct wf_json_reader *reader, struct wf_json_writer *writer)
{
    const char *raw;
    size_t size;
    int rc = wf_json_read_raw(reader, &raw, &size);
    return rc < 0 ? rc : wf_json_write_raw(writer, raw, size);
}

static int copy_value(struct wf_json_reader *reader, struct wf_arena *arena, struct wf_json_writer *writer)
{
    switch (wf_json_peek(reader)) {
    case WF_JSON_OBJECT:
        return copy_object(reader, arena, writer);
    case WF_JSON_ARRAY:
        return copy_array(reader, arena, writer);
    case WF_JSON_STRING:
        return copy_text(reader, writer);
    case WF_JSON_NUMBER:
        return copy_number(reader, writer);
    default:
        return copy_raw(reader, writer);
    }
}

/* ---- The dependency ---- */

/* In one form, in the arena. */
static int copy_whole(struct wf_arena *arena, const char *bytes, size_t size, const char **text, size_t *text_size)
{
    struct wf_json_reader reader;
    struct wf_json_writer writer;
    wf_json_reader_init(&reader, arena, bytes, size);
    wf_json_writer_init(&writer, arena, 0);
    int rc = copy_value(&reader, arena, &writer);
    if (rc >= 0) rc = wf_json_read_end(&reader);
    return rc < 0 ? rc : wf_json_write_end(&writer, text, text_size);
}

static int open_body(struct wf_request *request, const struct wf_dependency *self, void **value)
{
    struct wf_arena *arena = wf_request_arena(request);
    char *bytes;
    const char *text;
    size_t size, text_size;
    (void)self;
    int rc = wf_request_body(request, &bytes, &size);
    if (rc < 0) return rc;
    rc = copy_whole(arena, bytes, size, &text, &text_size);
    if (rc == -ENOMEM) return rc;
    if (rc < 0) return refuse(request, 400, "malformed_json", "the body is no JSON: %s", wf_failure());
    uint8_t *hash = wf_arena_alloc(arena, SHA256_DIGEST_LENGTH);
    if (hash == NULL) return -ENOMEM;
    SHA256((const unsigned char *)text, text_size, hash);
    *value = hash;
    return 0;
}

const struct wf_dependency strict_body = {.name = "body", .needs = {&gate}, .open = open_body};
