/* Whether a line of the log is what its format says, whatever went into it. For tests and for fuzzing. */
#ifndef TESTS_VALID_LINE_H
#define TESTS_VALID_LINE_H

#include <string.h>
#include <weft/log.h>

/* A strict reader of one JSON value, which gives where it ends, or NULL. */
static inline const char *json_value(const char *text, const char *end, int depth);

static inline const char *json_string(const char *text, const char *end)
{
    if (text == end || *text != '"') return NULL;
    for (text++; text < end && *text != '"'; text++) {
        if ((unsigned char)*text < 0x20) return NULL;
        if (*text != '\\') continue;
        if (++text == end || strchr("\"\\/bfnrtu", *text) == NULL) return NULL;
        if (*text != 'u') continue;
        if (end - text < 5 || strspn(text + 1, "0123456789abcdefABCDEF") < 4) return NULL;
        text += 4;
    }
    return text < end ? text + 1 : NULL;
}

static inline const char *json_object(const char *text, const char *end, int depth)
{
    text++;
    do {
        text = json_string(text, end);
        if (text == NULL || text == end || *text != ':') return NULL;
        text = json_value(text + 1, end, depth + 1);
    } while (text != NULL && text < end && *text == ',' && *++text == '"');
    return text != NULL && text < end && *text == '}' ? text + 1 : NULL;
}

static inline const char *json_value(const char *text, const char *end, int depth)
{
    if (text >= end || depth > 1) return NULL;
    if (*text == '"') return json_string(text, end);
    if (*text == '{') return json_object(text, end, depth);
    size_t word = strspn(text, "truefalsn");
    if (word > 0) return text + word;
    size_t number = strspn(text, "+-.eE0123456789");
    return number > 0 ? text + number : NULL;
}

static inline bool is_utf8(const char *text, size_t size)
{
    size_t length;
    for (size_t i = 0; i < size; i += length) {
        unsigned char first = (unsigned char)text[i];
        length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        if (first >= 0x80 && first < 0xc2) return false;
        for (size_t j = 1; j < length; j++)
            if (i + j >= size || ((unsigned char)text[i + j] & 0xc0) != 0x80) return false;
    }
    return true;
}

/* After the head: key=value, key="value", one blank between them. */
static inline bool is_logfmt(const char *text, const char *end)
{
    while (text < end) {
        const char *key = text;
        while (text<end && * text> ' ' && *text < 0x7f && *text != '=' && *text != '"') text++;
        if (text == key || text == end || *text++ != '=') return false;
        if (text < end && *text == '"') text = json_string(text, end);
        else
            while (text<end && * text> ' ' && *text != '"' && *text != '=') text++;
        if (text == NULL || (text < end && *text++ != ' ')) return false;
    }
    return true;
}

static inline bool is_printable(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i], next = i + 1 < size ? (unsigned char)text[i + 1] : 0;
        if (c < 0x20 || c == 0x7f || (c == 0xc2 && next < 0xa0)) return false;
    }
    return true;
}

static inline bool is_valid_line(const char *text, size_t size, enum wf_log_format format)
{
    const char *end = text + size - 1;
    if (size == 0 || *end != '\n' || !is_utf8(text, size) || !is_printable(text, size - 1)) return false;
    if (format == WF_LOG_JSON) return json_value(text, end, 0) == end;
    return format != WF_LOG_LOGFMT || is_logfmt(text, end);
}

#endif
