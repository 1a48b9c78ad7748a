/* Following a script: every step does its part, or says what happened instead. */
#include "testing/script.h"

#include <stdio.h>
#include <string.h>
#include <weft/task.h>

#include "testing/escape.h"

enum {
    CHUNK_SIZE = 1024,
    SHOWN_BEFORE = 12, /* bytes before the first difference that a message shows */
    SHOWN = 40,        /* in all */
    LITERAL = 4 * SHOWN + 1,
    QUOTED = LITERAL + 8, /* with quotes, and dots on both sides */
};

/* ---- What went otherwise, in words ---- */

/* The bytes around a place, as a literal. */
static const char *quote(char *text, const char *bytes, size_t size, size_t place)
{
    size_t first = place > SHOWN_BEFORE ? place - SHOWN_BEFORE : 0;
    size_t count = size - first < SHOWN ? size - first : SHOWN;
    char literal[LITERAL];
    escape(literal, sizeof literal, bytes + first, count);
    snprintf(text, QUOTED, "%s\"%s\"%s", first > 0 ? "..." : "", literal, first + count < size ? "..." : "");
    return text;
}

static void describe(char *text, size_t room, const struct wf_step *step, size_t place)
{
    char literal[QUOTED];
    switch (step->kind) {
    case WF_STEP_RECEIVE:
        snprintf(text, room, "receives %s", quote(literal, step->bytes, step->size, place));
        break;
    case WF_STEP_RECEIVE_UNTIL:
        snprintf(text, room, "receives up to %s", quote(literal, step->bytes, step->size, 0));
        break;
    case WF_STEP_RECEIVE_END:
        snprintf(text, room, "receives the end");
        break;
    case WF_STEP_RECEIVE_RESET:
        snprintf(text, room, "receives a reset");
        break;
    case WF_STEP_SEND:
        snprintf(text, room, "sends %s", quote(literal, step->bytes, step->size, place));
        break;
    default:
        snprintf(text, room, "ends its sending");
        break;
    }
}

static int departs(const struct play *play, int code, size_t place, const char *format, ...) WF_PRINTF_(4, 5);

/* Fails with what the step is and what happened instead; a cancel is no departure. */
static int departs(const struct play *play, int code, size_t place, const char *format, ...)
{
    if (code == -ECANCELED) return code;
    const struct wf_step *step = &play->steps[play->current];
    char what[QUOTED + 32], instead[QUOTED + 64];
    describe(what, sizeof what, step, place);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(instead, sizeof instead, format, arguments);
    va_end(arguments);
    return wf_fail(code, "step %zu (%s) %s, but %s", play->current + 1, step->place != NULL ? step->place : "?", what,
                   instead);
}

static const char *end_text(ssize_t got)
{
    return got == 0 ? "the end" : wf_strerror((int)got);
}

static int ends_early(const struct play *play, ssize_t got, size_t place)
{
    int code = got == 0 || got == -ECONNRESET ? -EPROTO : (int)got;
    return departs(play, code, place, "after %zu bytes came %s", place, end_text(got));
}

/* ---- Receiving ---- */

/* Before what comes stands the end of what came before, for a message. */
static int receive(const struct play *play, const struct wf_step *step)
{
    char bytes[SHOWN_BEFORE + CHUNK_SIZE], literal[QUOTED];
    for (size_t done = 0; done < step->size;) {
        size_t most = step->size - done < CHUNK_SIZE ? step->size - done : CHUNK_SIZE;
        size_t before = done < SHOWN_BEFORE ? done : SHOWN_BEFORE;
        memcpy(bytes, step->bytes + done - before, before);
        ssize_t got = wf_stream_read(play->stream, bytes + before, most);
        if (got <= 0) return ends_early(play, got, done);
        size_t end = done + (size_t)got, same = before;
        while (done < end && bytes[same] == step->bytes[done]) same++, done++;
        if (done < end)
            return departs(play, -EPROTO, done, "byte %zu differs: %s came", done,
                           quote(literal, bytes, before + (size_t)got, same));
    }
    return 0;
}

/* How many of the last bytes of the tail, no longer than the delimiter, are its first ones: so much less is missing. */
static size_t begun(const struct wf_step *step, const char *tail, size_t size)
{
    size_t length = size;
    while (memcmp(tail + size - length, step->bytes, length) != 0) length--;
    return length;
}

/* Never asks for more bytes than are missing in the best case, so that what follows the delimiter is not touched. */
static int receive_until(const struct play *play, const struct wf_step *step)
{
    char tail[WF_DELIMITER_MAX];
    size_t size = 0, done = 0;
    for (;;) {
        size_t found = begun(step, tail, size);
        if (found == step->size) return 0;
        if (done >= WF_UNTIL_MAX) return departs(play, -EPROTO, 0, "%zu bytes came without it", done);
        memmove(tail, tail + size - found, found);
        ssize_t got = wf_stream_read(play->stream, tail + found, step->size - found);
        if (got <= 0) return ends_early(play, got, done);
        size = found + (size_t)got;
        done += (size_t)got;
    }
}

static int receive_end(const struct play *play, const struct wf_step *step)
{
    char chunk[CHUNK_SIZE], literal[QUOTED];
    ssize_t got = wf_stream_read(play->stream, chunk, sizeof chunk);
    if (got == (step->kind == WF_STEP_RECEIVE_END ? 0 : -ECONNRESET)) return 0;
    if (got > 0) return departs(play, -EPROTO, 0, "%s came", quote(literal, chunk, (size_t)got, 0));
    return departs(play, got == 0 || got == -ECONNRESET ? -EPROTO : (int)got, 0, "%s came", end_text(got));
}

/* ---- Sending ---- */

static int send_pieces(const struct play *play, const struct wf_step *step)
{
    size_t piece = step->piece > 0 ? step->piece : step->size;
    for (size_t done = 0; done < step->size; done += piece) {
        size_t size = step->size - done < piece ? step->size - done : piece, sent;
        int rc = done > 0 && step->pause > 0 ? wf_sleep(step->pause) : 0;
        if (rc == 0) rc = wf_stream_write_all(play->stream, step->bytes + done, size, &sent);
        if (rc < 0) return departs(play, rc, done, "after %zu bytes: %s", done, wf_strerror(rc));
    }
    return 0;
}

static int end_sending(const struct play *play)
{
    int rc = wf_stream_shutdown(play->stream);
    return rc < 0 ? departs(play, rc, 0, "%s", wf_strerror(rc)) : 0;
}

/* ---- Whole scripts ---- */

static const char *objection(const struct wf_step *step, bool last)
{
    switch (step->kind) {
    case WF_STEP_RECEIVE:
    case WF_STEP_SEND:
        return step->size == 0 ? "needs at least one byte" : NULL;
    case WF_STEP_RECEIVE_UNTIL:
        return step->size == 0 || step->size > WF_DELIMITER_MAX ? "needs a delimiter of 1 to 64 bytes" : NULL;
    case WF_STEP_RECEIVE_RESET:
    case WF_STEP_RESET:
    case WF_STEP_STALL:
        return last ? NULL : "can only be the last one";
    case WF_STEP_RECEIVE_END:
    case WF_STEP_WAIT:
    case WF_STEP_END:
        return NULL;
    }
    return "is of no known kind";
}

int script_check(const struct wf_step *steps, size_t count)
{
    if (count > WF_SCRIPT_STEPS_MAX)
        return wf_fail(-EINVAL, "a script of %zu steps: %d is the most", count, WF_SCRIPT_STEPS_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *wrong = objection(&steps[i], i + 1 == count);
        if (wrong != NULL)
            return wf_fail(-EINVAL, "step %zu (%s) %s", i + 1, steps[i].place != NULL ? steps[i].place : "?", wrong);
    }
    return 0;
}

static int follow_step(struct play *play, const struct wf_step *step)
{
    switch (step->kind) {
    case WF_STEP_RECEIVE:
        return receive(play, step);
    case WF_STEP_RECEIVE_UNTIL:
        return receive_until(play, step);
    case WF_STEP_RECEIVE_END:
    case WF_STEP_RECEIVE_RESET:
        return receive_end(play, step);
    case WF_STEP_SEND:
        return send_pieces(play, step);
    case WF_STEP_WAIT:
        return wf_sleep(step->pause);
    case WF_STEP_END:
        return end_sending(play);
    case WF_STEP_RESET:
        wf_stream_abort(play->stream);
        play->stream = NULL;
        return 0;
    case WF_STEP_STALL:
        return 0;
    }
    return -EINVAL;
}

/* After a departure the other side shall not take the end of the connection for a good one, so it is a reset. */
int script_follow(struct play *play)
{
    int rc = 0;
    for (; play->current < play->count && rc == 0; play->current++) rc = follow_step(play, &play->steps[play->current]);
    if (rc == 0) return 0;
    wf_stream_abort(play->stream);
    play->stream = NULL;
    return rc;
}

bool script_stalls(const struct play *play)
{
    return play->count > 0 && play->steps[play->count - 1].kind == WF_STEP_STALL;
}
