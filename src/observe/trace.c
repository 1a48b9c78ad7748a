/*
 * The traceparent header of W3C Trace Context:
 *
 *     00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *     version, trace id, parent id, flags
 *
 * A later version may go on behind the flags, after another dash.
 */
#include "observe/context.h"

enum { TRACE_AT = 3, SPAN_AT = 36, FLAGS_AT = 53, LENGTH = 55, FLAGS_KNOWN = 3 };

/* -1 for what is no lower-case digit. */
static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

static bool hex_read(const char *text, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void hex_write(const uint8_t *bytes, size_t size, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * size] = '\0';
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++) any |= bytes[i];
    return any == 0;
}

static bool has_the_form(const char *text)
{
    if (strnlen(text, LENGTH) < LENGTH) return false;
    if (text[TRACE_AT - 1] != '-' || text[SPAN_AT - 1] != '-' || text[FLAGS_AT - 1] != '-') return false;
    uint8_t version;
    if (!hex_read(text, &version, 1) || version == 0xff) return false;
    return text[LENGTH] == '\0' || (version > 0 && text[LENGTH] == '-');
}

int wf_trace_parse(const char *traceparent, struct wf_trace *trace)
{
    struct wf_trace read;
    if (traceparent == NULL || !has_the_form(traceparent)) return -EINVAL;
    if (!hex_read(traceparent + TRACE_AT, read.trace_id, sizeof read.trace_id)) return -EINVAL;
    if (!hex_read(traceparent + SPAN_AT, read.span_id, sizeof read.span_id)) return -EINVAL;
    if (!hex_read(traceparent + FLAGS_AT, &read.flags, 1)) return -EINVAL;
    if (is_zero(read.trace_id, sizeof read.trace_id) || is_zero(read.span_id, sizeof read.span_id)) return -EINVAL;
    read.flags &= FLAGS_KNOWN;
    *trace = read;
    return 0;
}

void wf_trace_format(const struct wf_trace *trace, char text[WF_TRACEPARENT_SIZE])
{
    const uint8_t version = 0, flags = trace->flags & FLAGS_KNOWN;
    hex_write(&version, 1, text);
    hex_write(trace->trace_id, sizeof trace->trace_id, text + TRACE_AT);
    hex_write(trace->span_id, sizeof trace->span_id, text + SPAN_AT);
    hex_write(&flags, 1, text + FLAGS_AT);
    text[TRACE_AT - 1] = text[SPAN_AT - 1] = text[FLAGS_AT - 1] = '-';
}
