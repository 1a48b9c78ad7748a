/*
 * A text goes through a writer, a stream and a reader, in pieces and by calls that the input chooses, each under a
 * deadline of its own. The model is the text and a position in it: what a call gives must be what follows there, and a
 * call that was cut short or refused must leave the position where it was.
 */
#include <string.h>
#include <weft/sim.h>
#include <weft/weft.h>

#include "fuzz.h"

enum { TEXT_MAX = 600 };

static struct input input;
static char text[TEXT_MAX];
static size_t text_size, written, position, limit;

static int64_t some_time(void)
{
    return 1 + (int64_t)take(&input, 200) * 100;
}

/* ---- Writing ---- */

static int write_piece(struct wf_writer *writer, size_t size)
{
    if (take(&input, 2) == 0) return wf_writer_write(writer, text + written, size);
    return wf_writer_printf(writer, "%.*s", (int)size, text + written);
}

static bool is_refusal(int rc)
{
    return rc == -ETIME || rc == -EMSGSIZE;
}

static int write_some(struct wf_writer *writer)
{
    size_t left = text_size - written, size = 1 + take(&input, 64);
    if (size > left) size = left;
    size_t pending = wf_writer_pending(writer), room = wf_writer_room(writer);
    int rc = wf_within(some_time(), write_piece(writer, size));
    if (rc == -EMSGSIZE) CLAIM(size > pending + room);
    if (rc == -EPIPE) CLAIM(size > pending + room); /* it was cut in the middle, and nothing was held back */
    if (rc == 0) written += size;
    CLAIM(rc != -ETIME || wf_writer_pending(writer) <= pending);
    return is_refusal(rc) ? 0 : rc;
}

/* A piece that is larger than the writer's buffer may be cut; so the writer takes the longest there is. */
static int write_all(struct wf_stream *stream)
{
    WF_WRITER(writer, stream, 64 + take(&input, 64));
    int rc = 0;
    while (rc == 0 && written < text_size && !input_over(&input)) {
        rc = write_some(&writer);
        if (rc == 0 && take(&input, 4) == 0) rc = wf_within(some_time(), wf_writer_flush(&writer));
        if (is_refusal(rc)) rc = 0;
        if (rc == 0 && take(&input, 4) == 0) rc = wf_sleep(some_time());
    }
    text_size = written; /* what the input was too short for is never written */
    if (rc == 0) rc = wf_writer_flush(&writer);
    wf_stream_close(stream);
    return rc == -EPIPE ? 0 : rc; /* the reader may leave first */
}

/* ---- Reading ---- */

static void check(const char *bytes, size_t size)
{
    CLAIM(position + size <= written);
    CLAIM(size == 0 || memcmp(bytes, text + position, size) == 0);
}

/* A refusal is right where nothing that was asked for begins within the limit. */
static int refused(const char *delimiter)
{
    size_t size = strlen(delimiter), left = written - position < limit ? written - position : limit;
    CLAIM(left < size || memmem(text + position, left, delimiter, size) == NULL);
    CLAIM(left == limit);
    return -EMSGSIZE;
}

/* These four out of line: together their frames are large. */
static __attribute__((noinline)) int read_line(struct wf_reader *reader)
{
    char *line;
    size_t size;
    int rc = wf_within(some_time(), wf_reader_line(reader, &line, &size));
    if (rc == -EMSGSIZE) return refused("\n");
    if (rc <= 0) return rc;
    CLAIM(strlen(line) == size && memchr(line, '\n', size) == NULL);
    check(line, size);
    position += size;
    if (position < written && text[position] == '\r') position++;
    if (position < written) CLAIM(text[position++] == '\n');
    return rc;
}

static __attribute__((noinline)) int read_until(struct wf_reader *reader)
{
    static const char *const delimiters[] = {"\n", "a", "aab", "\r\n\r\n", "aaaa"};
    const char *delimiter = delimiters[take(&input, WF_COUNT(delimiters))];
    size_t size = strlen(delimiter);
    char *bytes;
    int rc = wf_within(some_time(), (int)wf_reader_read_until(reader, delimiter, size, &bytes));
    if (rc == -EMSGSIZE) return refused(delimiter);
    if (rc <= 0) return rc == WF_EEND ? 1 : rc;
    check(bytes, (size_t)rc);
    const char *first = memmem(text + position, written - position, delimiter, size);
    CLAIM(first != NULL && first + size == text + position + rc);
    position += (size_t)rc;
    return rc;
}

static __attribute__((noinline)) int peek(struct wf_reader *reader)
{
    const char *bytes;
    size_t least = take(&input, 100);
    int rc = wf_within(some_time(), (int)wf_reader_peek(reader, least, &bytes));
    if (rc == -EMSGSIZE) {
        CLAIM(least > limit);
        return 1;
    }
    if (rc < 0) return rc == WF_EEND ? 1 : rc;
    check(bytes, (size_t)rc);
    CLAIM(rc == 0 || (size_t)rc >= least);
    size_t used = rc > 0 ? take(&input, (unsigned)rc < 255 ? (unsigned)rc + 1 : 256) : 0;
    wf_reader_consume(reader, used);
    position += used;
    return least == 0 ? 1 : rc;
}

static __attribute__((noinline)) int read_bytes(struct wf_reader *reader)
{
    char buffer[64];
    size_t size = 1 + take(&input, sizeof buffer), done = 0;
    int64_t wait = some_time();
    bool full = take(&input, 2) == 0;
    int rc = full ? wf_within(wait, wf_reader_read_full(reader, buffer, size, &done))
                  : wf_within(wait, (int)wf_reader_read(reader, buffer, size));
    if (!full && rc > 0) done = (size_t)rc;
    CLAIM(done <= size && (!full || rc != 0 || done == size));
    check(buffer, done);
    position += done;
    if (full && rc == 0) return 1;
    return rc == WF_EEND ? 0 : rc;
}

static int read_something(struct wf_reader *reader)
{
    switch (take(&input, 4)) {
    case 0:
        return read_line(reader);
    case 1:
        return read_until(reader);
    case 2:
        return peek(reader);
    default:
        return read_bytes(reader);
    }
}

/* What is too long for the reader is taken byte by byte. */
static int step_over(struct wf_reader *reader)
{
    char byte;
    int rc = (int)wf_reader_read(reader, &byte, 1);
    if (rc == 1) check(&byte, 1);
    if (rc == 1) position++;
    return rc;
}

static int read_all(struct wf_stream *stream)
{
    WF_READER(reader, stream, limit);
    int rc = 1;
    while (rc != 0) {
        rc = input_over(&input) ? step_over(&reader) : read_something(&reader);
        if (rc == -EMSGSIZE) rc = step_over(&reader);
        if (rc < 0 && rc != -ETIME) return rc;
    }
    CLAIM(position == text_size);
    return 0;
}

static int talk(void *unused)
{
    (void)unused;
    struct wf_stream *from, *to;
    int rc = take(&input, 2) == 0 ? wf_pipe(&from, &to) : wf_stream_pair(1 + take(&input, 100), &from, &to);
    if (rc < 0) return rc;
    WF_SCOPE(scope, .timeout = WF_SECONDS(100));
    wf_spawn(&scope, write_all, to);
    rc = read_all(from);
    wf_stream_close(from);
    return wf_scope_end(&scope, rc);
}

static void make_text(void)
{
    static const char letters[] = "aaab\n\r\n ";
    unsigned mixed = take(&input, 256);
    text_size = 2 * (size_t)take(&input, 256);
    for (size_t i = 0; i < text_size; i++) text[i] = letters[(mixed = mixed * 1103515245 + 12345) >> 16 & 7];
    written = position = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    input = (struct input){.bytes = bytes, .left = size};
    wf_sim_seed(1 + take(&input, 256));
    limit = 1 + take(&input, 100);
    make_text();
    size_t before = wf_allocated_blocks();
    CLAIM(wf_run(talk, NULL, .driver = "sim") == 0);
    CLAIM(wf_allocated_blocks() == before);
    return 0;
}
