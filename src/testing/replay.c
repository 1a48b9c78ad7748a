/* Replaying: a conversation in a file becomes a script. */
#include <stdlib.h>
#include <string.h>
#include <weft/arena.h>
#include <weft/file.h>
#include <weft/task.h>

#include "testing/escape.h"
#include "testing/script.h"

static const double seconds_max = 1e6;

struct reader {
    const char *path;
    struct wf_arena *arena;
    bool client, waits;
    struct wf_step *steps;
    size_t count, line;
};

static int wrong(const struct reader *reader, const char *what)
{
    return wf_fail(-EINVAL, "%s:%zu: %s", reader->path, reader->line, what);
}

/* ---- One line ---- */

static void skip_blanks(const char **text)
{
    *text += strspn(*text, " \t\r");
}

/* Takes the word from the text, if it is there. */
static bool take(const char **text, const char *word)
{
    size_t size = strlen(word);
    if (strncmp(*text, word, size) != 0) return false;
    *text += size;
    return true;
}

/* The bytes replace the text that they are read from, which is never shorter. */
static int read_bytes(const struct reader *reader, const char **text, bool sends, struct wf_step *step)
{
    char *bytes = (char *)(uintptr_t)*text;
    ssize_t size = unescape(text, bytes);
    if (size < 0) return wrong(reader, "the text does not end, or has an escape that C does not know");
    if (size == 0) return wrong(reader, "nothing is said: \"\"");
    step->kind = sends ? WF_STEP_SEND : WF_STEP_RECEIVE;
    step->bytes = bytes;
    step->size = (size_t)size;
    return 0;
}

static int read_what(const struct reader *reader, const char **text, bool sends, struct wf_step *step)
{
    if (take(text, "\"")) return read_bytes(reader, text, sends, step);
    if (take(text, "end")) step->kind = sends ? WF_STEP_END : WF_STEP_RECEIVE_END;
    else if (take(text, "reset")) step->kind = sends ? WF_STEP_RESET : WF_STEP_RECEIVE_RESET;
    else return wrong(reader, "after > or < comes a text in quotes, end or reset");
    return 0;
}

/* Seconds that may be left out, and then the line is over. */
static int read_time(const struct reader *reader, const char **text, int64_t *time)
{
    skip_blanks(text);
    size_t size = strspn(*text, "0123456789.");
    char *end;
    double seconds = size > 0 ? strtod(*text, &end) : 0;
    if (size > 0 && (end != *text + size || seconds > seconds_max))
        return wrong(reader, "the time is no number of seconds");
    *text += size;
    skip_blanks(text);
    if (**text != '\0') return wrong(reader, "the line goes on where it should end");
    *time = (int64_t)(seconds * 1e9);
    return 0;
}

static bool is_empty(const char *line)
{
    skip_blanks(&line);
    return *line == '\0' || *line == '#';
}

static int read_line(struct reader *reader, const char *line)
{
    bool from_client = take(&line, ">");
    if (!from_client && !take(&line, "<")) return wrong(reader, "a line begins with >, < or #");
    skip_blanks(&line);
    struct wf_step step = {.place = wf_arena_printf(reader->arena, "%s:%zu", reader->path, reader->line)};
    if (step.place == NULL) return -ENOMEM;
    bool sends = from_client == reader->client;
    int64_t time = 0;
    int rc = read_what(reader, &line, sends, &step);
    if (rc == 0) rc = read_time(reader, &line, &time);
    if (rc < 0) return rc;
    if (sends && reader->waits && time > 0)
        reader->steps[reader->count++] = (struct wf_step){.kind = WF_STEP_WAIT, .pause = time, .place = step.place};
    reader->steps[reader->count++] = step;
    return 0;
}

/* ---- The file ---- */

/* Ends a line where it ends; gives the next one. */
static char *divide(char *line, char *end)
{
    char *newline = memchr(line, '\n', (size_t)(end - line));
    if (newline == NULL) return end;
    *newline = '\0';
    return newline + 1;
}

static size_t count_lines(const char *text, const char *end)
{
    size_t count = 0;
    for (const char *line = text; line < end; count++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        line = newline != NULL ? newline + 1 : end;
    }
    return count;
}

static int read_lines(struct reader *reader, char *text, size_t size)
{
    char *end = text + size;
    size_t lines = count_lines(text, end);
    if (lines > WF_SCRIPT_STEPS_MAX)
        return wf_fail(-EFBIG, "%s: %zu lines, %d are the most", reader->path, lines, WF_SCRIPT_STEPS_MAX);
    reader->steps = wf_arena_array(reader->arena, 2 * lines, sizeof *reader->steps);
    if (reader->steps == NULL) return -ENOMEM;
    int rc = 0;
    for (char *line = text, *next; line < end && rc == 0; line = next) {
        next = divide(line, end);
        reader->line++;
        if (line + strlen(line) + 1 < next) rc = wrong(reader, "a zero byte; write \\0");
        else if (!is_empty(line)) rc = read_line(reader, line);
    }
    return rc == 0 ? script_check(reader->steps, reader->count) : rc;
}

int wf_test_load_(const char *path, struct wf_arena *arena, const struct wf_test_load_options *options)
{
    if (options->size != sizeof *options || options->out_ == NULL) return -EINVAL;
    struct reader reader = {.path = path, .arena = arena, .client = options->client, .waits = options->waits};
    char *text;
    size_t size;
    int rc = wf_file_load(path, WF_CONVERSATION_MAX, arena, &text, &size);
    if (rc == 0) rc = read_lines(&reader, text, size);
    if (rc == 0) *options->out_ = (struct wf_script){.steps = reader.steps, .count = reader.count};
    return rc;
}
