/*
 * Writing one line. Text is taken apart into characters, and each goes in as a whole or not at all, so that a line that
 * had to be cut is still valid in its format; room for what closes it is kept back.
 *
 *     console   2026-03-01T09:30:00.000125Z INFO  orders: order accepted took=1.25ms
 *     logfmt    time=2026-03-01T09:30:00.000125Z level=info module=orders msg="order accepted" took_ms=1.25
 *     json      {"time":"2026-03-01T09:30:00.000125Z","level":"info","module":"orders","msg":"order accepted",...}
 */
#include "observe/line.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/utf8.h"

enum { VALUE_LEAST = 8 }; /* room for any beginning of a text: a quote, or null */

#define DIM "\033[2m"
#define RESET "\033[0m"

/* ---- Bytes ---- */

static void force(struct line *line, const char *bytes, size_t size)
{
    memcpy(line->text + line->size, bytes, size);
    line->size += size;
}

/* All of it, or nothing, and then nothing any more. */
static void put(struct line *line, const char *bytes, size_t size)
{
    if (line->cut || line->size + size > LINE_SIZE - LINE_RESERVE) line->cut = true;
    else force(line, bytes, size);
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

static void paint(struct line *line, const char *colour)
{
    if (line->coloured) put_text(line, colour);
}

static void force_text(struct line *line, const char *text)
{
    force(line, text, strlen(text));
}

/* ---- Text ---- */

/* C0, DEL and C1: the last are what a terminal takes for the beginning of a command, too. */
static bool is_control(const char *character, size_t length)
{
    unsigned char first = (unsigned char)character[0];
    return (length == 1 && (first < 0x20 || first == 0x7f)) ||
           (length == 2 && first == 0xc2 && (unsigned char)character[1] < 0xa0);
}

static void put_control(struct line *line, unsigned char value)
{
    char escape[8] = {'\\'};
    switch (value) {
    case '\n':
        escape[1] = 'n';
        break;
    case '\r':
        escape[1] = 'r';
        break;
    case '\t':
        escape[1] = 't';
        break;
    default:
        snprintf(escape, sizeof escape, "\\u%04x", value);
    }
    put_text(line, escape);
}

/* The run of bytes that need no second look: printable ASCII without quote and backslash. */
static size_t plain_run(const char *text, size_t size)
{
    size_t i = 0;
    while (i < size && text[i] >= 0x20 && text[i] < 0x7f && text[i] != '"' && text[i] != '\\') i++;
    return i;
}

static size_t put_character(struct line *line, const char *text, size_t size, bool quoted)
{
    size_t length = utf8_character(text, size);
    if (length == 0) put_text(line, UTF8_REPLACEMENT);
    else if (is_control(text, length)) put_control(line, (unsigned char)text[length - 1]);
    else if (quoted && (text[0] == '"' || text[0] == '\\')) put(line, (char[]){'\\', text[0]}, 2);
    else put(line, text, length);
    return length > 0 ? length : 1;
}

static void put_escaped(struct line *line, const char *text, size_t size, bool quoted)
{
    while (size > 0 && !line->cut) {
        size_t done = plain_run(text, size);
        size_t room = LINE_SIZE - LINE_RESERVE - line->size;
        if (done > room) done = room > 0 ? room : 1;
        if (done > 0) put(line, text, done);
        else done = put_character(line, text, size, quoted);
        text += done;
        size -= done;
    }
}

static void put_quoted(struct line *line, const char *text, size_t size)
{
    put(line, "\"", 1);
    bool open = !line->cut;
    put_escaped(line, text, size, true);
    if (open) force(line, "\"", 1);
}

static bool needs_quotes(const char *text, size_t size)
{
    if (size == 0) return true;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\') return true;
    }
    return false;
}

static void put_value(struct line *line, const char *text, size_t size)
{
    if (text == NULL) put_text(line, "null");
    else if (line->format == WF_LOG_JSON || needs_quotes(text, size)) put_quoted(line, text, size);
    else put_escaped(line, text, size, true);
}

/* ---- Numbers ---- */

static char *decimal(char *end, uint64_t value)
{
    do {
        *--end = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return end;
}

static void put_unsigned(struct line *line, uint64_t value)
{
    char digits[20], *end = digits + sizeof digits, *first = decimal(end, value);
    put(line, first, (size_t)(end - first));
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

static void put_integer(struct line *line, int64_t value)
{
    char digits[21], *end = digits + sizeof digits, *first = decimal(end, magnitude(value));
    if (value < 0) *--first = '-';
    put(line, first, (size_t)(end - first));
}

/* Milliseconds, exact: up to six digits behind the point, without final zeros. */
static void put_duration(struct line *line, int64_t duration_ns)
{
    uint64_t value = magnitude(duration_ns), part = value % 1000000;
    char text[32], *end = text + sizeof text, *next = end;
    if (part > 0) {
        unsigned digits = 6;
        for (; part % 10 == 0; part /= 10) digits--;
        for (; digits > 0; digits--, part /= 10) *--next = (char)('0' + part % 10);
        *--next = '.';
    }
    next = decimal(next, value / 1000000);
    if (duration_ns < 0) *--next = '-';
    put(line, next, (size_t)(end - next));
    if (line->format == WF_LOG_CONSOLE) put_text(line, "ms");
}

/* The shortest of the two common precisions that gives the number back, with a point in every locale. */
static void put_double(struct line *line, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.15g", value);
    if (strtod(text, NULL) != value) snprintf(text, sizeof text, "%.17g", value);
    for (char *c = text; *c != '\0'; c++)
        if (*c == ',') *c = '.';
    if (isfinite(value)) put_text(line, text);
    else put_value(line, text, strlen(text));
}

/* ---- Time ---- */

/* "2026-03-01T09:30:00", made once a second. */
static const char *second_text(int64_t second)
{
    static _Thread_local int64_t known = INT64_MIN;
    static _Thread_local char text[32];
    if (second == known) return text;
    struct tm date;
    time_t time = (time_t)second;
    if (gmtime_r(&time, &date) == NULL || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &date) == 0) text[0] = '\0';
    known = second;
    return text;
}

static void put_time(struct line *line, int64_t wall_ns)
{
    int64_t second = wall_ns / 1000000000, rest = wall_ns % 1000000000;
    if (rest < 0) {
        rest += 1000000000;
        second--;
    }
    put_text(line, second_text(second));
    char part[8] = {'.', '0', '0', '0', '0', '0', '0', 'Z'};
    decimal(part + 7, (uint64_t)rest / 1000 + 1000000);
    part[0] = '.';
    put(line, part, sizeof part);
}

/* ---- Keys ---- */

static const char *const reserved[] = {"time", "level", "module", "msg", "cut"};

static bool is_reserved(const char *key)
{
    for (size_t i = 0; i < WF_COUNT(reserved); i++)
        if (strcmp(key, reserved[i]) == 0) return true;
    return false;
}

/* Remembers it. Gives false when it was there, or when there is no room for more. */
static bool note_key(struct line *line, const char *key)
{
    for (size_t i = 0; i < line->key_count; i++)
        if (line->keys[i] == key || strcmp(line->keys[i], key) == 0) return false;
    if (line->key_count == LINE_KEYS) {
        line->cut = true;
        return false;
    }
    line->keys[line->key_count++] = key;
    return true;
}

static void put_bare_key(struct line *line, const char *key)
{
    for (; *key != '\0'; key++) {
        bool fits = *key > ' ' && *key < 0x7f && *key != '=' && *key != '"' && *key != '\\';
        put(line, fits ? key : "_", 1);
    }
}

/* `suffix`: of the unit, or of a key that the head has; or empty. */
static void put_key(struct line *line, const char *key, const char *suffix)
{
    if (line->format == WF_LOG_JSON) {
        put(line, ",\"", 2);
        put_escaped(line, key, strlen(key), true);
        put_text(line, suffix);
        put(line, "\":", 2);
        return;
    }
    put(line, " ", 1);
    paint(line, DIM);
    if (key[0] == '\0') put(line, "_", 1);
    put_bare_key(line, key);
    put_text(line, suffix);
    put(line, "=", 1);
    paint(line, RESET);
}

static const char *suffix_of(const struct line *line, const struct wf_field *field)
{
    if (is_reserved(field->key)) return "_";
    return field->kind == WF_FIELD_DURATION && line->format != WF_LOG_CONSOLE ? "_ms" : "";
}

static bool is_text(enum wf_field_kind kind)
{
    return kind == WF_FIELD_TEXT || kind == WF_FIELD_BYTES;
}

static void put_field_value(struct line *line, const struct wf_field *field)
{
    switch (field->kind) {
    case WF_FIELD_TEXT:
    case WF_FIELD_BYTES:
        return put_value(line, field->text, field->size);
    case WF_FIELD_INT:
        return put_integer(line, field->integer);
    case WF_FIELD_UINT:
        return put_unsigned(line, (uint64_t)field->integer);
    case WF_FIELD_DOUBLE:
        return put_double(line, field->real);
    case WF_FIELD_BOOL:
        return put_text(line, field->integer != 0 ? "true" : "false");
    case WF_FIELD_DURATION:
        return put_duration(line, field->integer);
    case WF_FIELD_CODE: {
        const char *text = field->integer >= 0 ? "ok" : wf_strerror((int)field->integer);
        return put_value(line, text, strlen(text));
    }
    case WF_FIELD_SECRET:
        return put_value(line, "***", 3);
    default:
        return;
    }
}

/* A field for which there is no room is left out; of a long text stays what there is room for. */
void line_field(struct line *line, const struct wf_field *field)
{
    if (line->cut || field->key == NULL || field->kind == WF_FIELD_POINTER || field->kind == WF_FIELD_NONE) return;
    if (!note_key(line, field->key)) return;
    size_t before = line->size;
    put_key(line, field->key, suffix_of(line, field));
    bool keyed = !line->cut && line->size + VALUE_LEAST <= LINE_SIZE - LINE_RESERVE;
    if (keyed) put_field_value(line, field);
    if (!line->cut && keyed) return;
    line->cut = true;
    if (!keyed || !is_text(field->kind)) line->size = before;
}

/* ---- The whole ---- */

const char *level_name(enum wf_log_level level)
{
    static const char *const names[] = {"none", "debug", "info", "warn", "error", "off"};
    return (unsigned)level < WF_COUNT(names) ? names[level] : "none";
}

static const char *colour_of(enum wf_log_level level)
{
    static const char *const colours[] = {"", "\033[36m", "\033[32m", "\033[33m", "\033[31m"};
    return (unsigned)level < WF_COUNT(colours) ? colours[level] : "";
}

void line_begin(struct line *line, enum wf_log_format format, bool coloured)
{
    line->format = format;
    line->coloured = coloured && format == WF_LOG_CONSOLE;
    line->cut = false;
    line->size = line->key_count = 0;
}

static void head_for_people(struct line *line, int64_t wall_ns, enum wf_log_level level, const char *module,
                            size_t module_size, const char *message)
{
    static const char *const names[] = {"NONE ", "DEBUG", "INFO ", "WARN ", "ERROR"};
    paint(line, DIM);
    put_time(line, wall_ns);
    paint(line, RESET);
    put(line, " ", 1);
    paint(line, colour_of(level));
    put_text(line, names[(unsigned)level < WF_COUNT(names) ? level : 0]);
    paint(line, RESET);
    put(line, " ", 1);
    put_escaped(line, module, module_size, false);
    put(line, ": ", 2);
    put_escaped(line, message, strlen(message), false);
}

static void head_for_programs(struct line *line, int64_t wall_ns, enum wf_log_level level, const char *module,
                              size_t module_size, const char *message)
{
    bool json = line->format == WF_LOG_JSON;
    put_text(line, json ? "{\"time\":\"" : "time=");
    put_time(line, wall_ns);
    put_text(line, json ? "\",\"level\":\"" : " level=");
    put_text(line, level_name(level));
    put_text(line, json ? "\",\"module\":" : " module=");
    put_value(line, module, module_size);
    put_text(line, json ? ",\"msg\":" : " msg=");
    put_value(line, message, strlen(message));
}

void line_head(struct line *line, int64_t wall_ns, enum wf_log_level level, const char *module, size_t module_size,
               const char *message)
{
    if (message == NULL) message = "";
    if (module_size > 64) module_size = 64;
    if (line->format == WF_LOG_CONSOLE) head_for_people(line, wall_ns, level, module, module_size, message);
    else head_for_programs(line, wall_ns, level, module, module_size, message);
}

void line_end(struct line *line)
{
    bool json = line->format == WF_LOG_JSON;
    if (line->cut) force_text(line, json ? ",\"cut\":true" : " cut=true");
    if (json) force(line, "}", 1);
    force(line, "\n", 1);
}
