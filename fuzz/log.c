/*
 * Lines of the log from any bytes: in each format they are one line, valid, of bounded size, and without anything that
 * a terminal would obey.
 */
#include "fuzz.h"

#include "../tests/observe/valid_line.h"
#include "observe/line.h" /* lines of any bytes, without the rest */

enum { FIELDS_MAX = 80, TEXTS_SIZE = 64 * 1024 };

static struct input input;
static struct line line;
static char texts[TEXTS_SIZE];
static size_t used;

/* So many bytes of the input, fewer where there is no room; the last one again and again once it is over, so that short
 * inputs make long lines too. A zero follows them. */
static const char *take_text(size_t *size)
{
    if (*size >= TEXTS_SIZE - used) *size = TEXTS_SIZE - used - 1;
    char *text = texts + used, last = 0;
    for (size_t i = 0; i < *size; i++) {
        if (!input_over(&input)) last = (char)take(&input, 256);
        text[i] = last;
    }
    text[*size] = '\0';
    used += *size + 1 < TEXTS_SIZE - used ? *size + 1 : 0;
    return text;
}

static const char *take_short_text(unsigned bound)
{
    size_t size = take(&input, bound);
    return take_text(&size);
}

static size_t take_size(void)
{
    return take(&input, 8) == 0 ? (size_t)take(&input, 256) << 6 : take(&input, 32);
}

static struct wf_field take_field(void)
{
    const char *key = take_short_text(12);
    enum wf_field_kind kind = (enum wf_field_kind)take(&input, WF_FIELD_POINTER + 1);
    if (kind == WF_FIELD_TEXT || kind == WF_FIELD_BYTES || kind == WF_FIELD_SECRET) {
        size_t size = take_size();
        const char *text = take_text(&size);
        return kind == WF_FIELD_BYTES ? WF_BYTES(key, text, size) : wf_field_text_(key, text, kind);
    }
    return wf_field_integer_(key, (int64_t)take_wide(&input), kind);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    input = (struct input){.bytes = bytes, .left = size};
    used = 0;
    enum wf_log_format format = (enum wf_log_format)(WF_LOG_CONSOLE + take(&input, 3));
    line_begin(&line, format, false);
    int64_t date = (int64_t)take_wide(&input);
    enum wf_log_level level = (enum wf_log_level)take(&input, 8);
    const char *module = take_short_text(100);
    size_t message_size = take_size();
    line_head(&line, date, level, module, strlen(module), take_text(&message_size));
    for (int i = 0; i < FIELDS_MAX && !input_over(&input); i++) {
        struct wf_field field = take_field();
        line_field(&line, &field);
    }
    line_end(&line);
    CLAIM(line.size <= LINE_SIZE);
    CLAIM(is_valid_line(line.text, line.size, format));
    return 0;
}
