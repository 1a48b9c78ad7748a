/* Saying and hearing in tests that are swept: a stream may be missing, and what was never said is not waited for. */
#ifndef TESTS_TESTING_TALK_H
#define TESTS_TESTING_TALK_H

#include <string.h>
#include <weft/weft.h>

enum { PATIENCE_S = 3 };

static inline int say(struct wf_stream *stream, const char *text)
{
    if (stream == NULL) return -ENOTCONN;
    return wf_stream_write_all(stream, text, strlen(text), NULL);
}

/* Exactly this text, up to 64 bytes. -EILSEQ: another. */
static inline int hear(struct wf_stream *stream, const char *expected)
{
    char text[64];
    size_t size = strlen(expected);
    if (stream == NULL) return -ENOTCONN;
    int rc = wf_within(WF_SECONDS(PATIENCE_S), wf_stream_read_full(stream, text, size, NULL));
    return rc == 0 && memcmp(text, expected, size) != 0 ? -EILSEQ : rc;
}

/* One byte: 1, 0 for the end, or what went wrong. */
static inline int hear_byte(struct wf_stream *stream)
{
    char byte;
    if (stream == NULL) return -ENOTCONN;
    return (int)wf_within(WF_SECONDS(PATIENCE_S), wf_stream_read(stream, &byte, 1));
}

/* Said at one end, and heard at the other. */
static inline int pass(struct wf_stream *from, struct wf_stream *to, const char *text)
{
    int rc = say(from, text);
    return rc == 0 ? hear(to, text) : rc;
}

/* Is it silent for so long? */
static inline bool is_silent(struct wf_stream *stream, int64_t duration_ns)
{
    return wf_within(duration_ns, hear_byte(stream)) == -ETIME;
}

static inline int end_sending(struct wf_stream *stream)
{
    return stream != NULL ? wf_stream_shutdown(stream) : -ENOTCONN;
}

#endif
