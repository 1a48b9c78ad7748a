/*
 * The small parsers of HTTP around a request: ranges, dates, lists of encodings, offers of compression, the head of a
 * part of a form, and server-sent events, whole and byte by byte.
 */
#include <string.h>
#include <weft/sse.h>
#include <weft/weft.h>

#include "fuzz.h"

/* The parsers by themselves: nothing around them costs time. */
#include "http/date.h"
#include "http/encodings.h"
#include "http/part_head.h"
#include "http/ranges.h"
#include "http/ws_deflate.h"

enum { TEXT_MAX = 2048, RANGES = 8 };

static char text[TEXT_MAX + 1];

static void read_ranges(uint64_t size)
{
    struct range ranges[RANGES];
    uint64_t total = 0;
    int count = ranges_read(text, size, ranges, RANGES);
    CLAIM(count <= RANGES && count != 0);
    for (int i = 0; i < count; i++) {
        CLAIM(ranges[i].size > 0 && ranges[i].first < size && ranges[i].size <= size - ranges[i].first);
        total += ranges[i].size;
    }
    CLAIM(count < 0 || total <= size);
}

static void read_date(void)
{
    char written[DATE_TEXT];
    time_t date = date_read(text);
    if (date == -1) return;
    date_write(written, date);
    CLAIM(date_read(written) == date);
}

static void read_encodings(struct wf_arena *arena)
{
    struct wf_headers headers = {.count = 0};
    unsigned order[ENCODINGS], seen = 0;
    if (wf_headers_add(&headers, arena, "Accept-Encoding", text) < 0) return;
    unsigned count = encodings_accepted(&headers, order);
    CLAIM(count <= ENCODINGS);
    for (unsigned i = 0; i < count; i++) {
        CLAIM(order[i] < ENCODINGS && (seen & 1U << order[i]) == 0);
        seen |= 1U << order[i];
    }
}

static void read_offer(void)
{
    struct ws_deflate deflate = {.on = false};
    char answer[160];
    bool taken = ws_deflate_accept(&deflate, text, answer, sizeof answer);
    CLAIM(taken == deflate.on && (!taken || (deflate.window_bits >= 9 && deflate.window_bits <= 15)));
    CLAIM(!taken || strncmp(answer, "permessage-deflate", 18) == 0);
}

static void read_part(struct wf_arena *arena, size_t size)
{
    struct wf_part part = {.name = NULL};
    if (part_head_read(&part, arena, text, size) < 0) return;
    CLAIM(part.name != NULL && part.content_type != NULL);
    CLAIM(part.filename == NULL || (strpbrk(part.filename, "/\\") == NULL && strcmp(part.filename, "..") != 0));
}

/* A number for all events that are told. */
static uint64_t read_events(size_t size, size_t step)
{
    struct wf_sse_reader reader;
    uint64_t hash = 0;
    wf_sse_reader_init(&reader, 256);
    for (size_t at = 0; at < size;) {
        struct wf_sse_news news;
        ssize_t took = wf_sse_reader_take(&reader, text + at, size - at < step ? size - at : step, &news);
        if (took < 0) hash = hash * 31 + 7;
        if (took < 0) break;
        CLAIM(took > 0);
        at += (size_t)took;
        if (news.data == NULL) continue;
        CLAIM(news.data[news.data_size] == '\0' && news.data_size <= 256);
        for (size_t i = 0; i < news.data_size; i++) hash = hash * 31 + (unsigned char)news.data[i];
        for (const char *byte = news.event; *byte != '\0'; byte++) hash = hash * 37 + (unsigned char)*byte;
        for (const char *byte = news.id; *byte != '\0'; byte++) hash = hash * 41 + (unsigned char)*byte;
        hash = hash * 43 + (uint64_t)news.retry + 1;
    }
    wf_sse_reader_finish(&reader);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 1 || size > TEXT_MAX) return 0;
    struct wf_arena arena;
    wf_arena_init(&arena);
    memcpy(text, bytes + 1, size - 1);
    text[size - 1] = '\0';
    read_ranges(bytes[0]);
    read_date();
    read_encodings(&arena);
    read_offer();
    read_part(&arena, size - 1);
    uint64_t whole = read_events(size - 1, size);
    CLAIM(whole == read_events(size - 1, 1) && whole == read_events(size - 1, 1 + (size_t)bytes[0] % 16));
    wf_arena_finish(&arena);
    return 0;
}
