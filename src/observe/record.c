/*
 * The record as a trace, in the format that Chrome calls Trace Event:
 *
 *     B, E   a turn of a task, on the loop's track, and what ended it
 *     b, e   a wait, on a track of its own for each task
 *     i      a spawn, a wake, a cancel, a timer
 *
 * It is written by write(2) or to a file of the C library, piece by piece, so that the handler of a crash can do it
 * too.
 */
#include <weft/record.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "observe/careful.h"
#include "observe/record.h"

enum { LINE = 512, NAME = 48 };

struct writer {
    const struct reading *reading;
    FILE *file; /* NULL: to the descriptor */
    int fd;
    bool failed, begun;
    pid_t pid;
    int track;
    uint16_t running;                  /* NO_TASK: the loop itself */
    const char *wait_of[TRAIL_EVENTS]; /* by task: what it waits for, as a class; NULL: nothing */
};

static struct writer the_writer; /* with the reading: one at a time */

/* ---- Text ---- */

static void put(struct writer *writer, const char *text, size_t size)
{
    if (writer->file != NULL) {
        writer->failed |= fwrite(text, 1, size, writer->file) != size;
        return;
    }
    while (size > 0 && !writer->failed) {
        ssize_t written = write(writer->fd, text, size);
        if (written < 0 && errno == EINTR) continue;
        writer->failed = written <= 0;
        text += written;
        size -= (size_t)written;
    }
}

static void line(struct writer *writer, const char *format, ...) WF_PRINTF_(2, 3);

static void line(struct writer *writer, const char *format, ...)
{
    char text[LINE];
    va_list arguments;
    size_t head = writer->begun ? 2 : 1;
    memcpy(text, writer->begun ? ",\n" : "\n", head);
    va_start(arguments, format);
    int size = vsnprintf(text + head, sizeof text - head, format, arguments);
    va_end(arguments);
    writer->begun = true;
    if (size > 0 && (size_t)size < sizeof text - head) put(writer, text, head + (size_t)size);
}

/* Whatever would not be JSON, or takes several bytes, is a question mark. */
static const char *plain(const char *name, char text[NAME])
{
    size_t size = 0;
    for (; size < NAME - 1 && name[size] != '\0'; size++) {
        char byte = name[size];
        text[size] = byte < ' ' || byte > '~' || byte == '"' || byte == '\\' ? '?' : byte;
    }
    text[size] = '\0';
    return text;
}

/* ---- Events ---- */

/* Microseconds, to the nanosecond: without floating-point numbers, whose text a handler may not make. */
#define TIME "%" PRId64 ".%03d"
#define TIME_OF(ns) (ns) / 1000, (int)((ns) % 1000)
#define ON_TRACK "\"pid\":%d,\"tid\":%d,\"ts\":" TIME
#define ON_TRACK_OF(writer, ns) (int)(writer)->pid, (writer)->track, TIME_OF(ns)

static const struct recorded_task *task_of(const struct writer *writer, uint16_t number)
{
    return &writer->reading->tasks[number];
}

static const char *wait_name(uintptr_t what, char text[NAME])
{
    struct wait_class class;
    char name[NAME];
    if (!careful_copy(&class, (const void *)what, sizeof class)) return "?";
    careful_text(name, sizeof name, class.name);
    return plain(name, text);
}

static void end_turn(struct writer *writer, int64_t at, const char *left)
{
    if (writer->running != NO_TASK)
        line(writer, "{\"ph\":\"E\"," ON_TRACK ",\"args\":{\"left\":\"%s\"}}", ON_TRACK_OF(writer, at), left);
    writer->running = NO_TASK;
}

static void begin_wait(struct writer *writer, uint16_t number, int64_t at, uintptr_t class)
{
    char text[NAME], name[NAME];
    if (number == NO_TASK) return;
    writer->wait_of[number] = (const char *)class;
    line(writer, "{\"ph\":\"b\",\"cat\":\"wait\",\"id\":%d,\"name\":\"%s\"," ON_TRACK ",\"args\":{\"task\":\"%s\"}}",
         (int)number, wait_name(class, text), ON_TRACK_OF(writer, at), plain(task_of(writer, number)->name, name));
}

static void end_wait(struct writer *writer, uint16_t number, int64_t at)
{
    char text[NAME];
    if (writer->wait_of[number] == NULL) return;
    line(writer, "{\"ph\":\"e\",\"cat\":\"wait\",\"id\":%d,\"name\":\"%s\"," ON_TRACK "}", (int)number,
         wait_name((uintptr_t)writer->wait_of[number], text), ON_TRACK_OF(writer, at));
    writer->wait_of[number] = NULL;
}

static void turn(struct writer *writer, size_t i, bool ended)
{
    const struct reading *reading = writer->reading;
    char text[NAME];
    int64_t at = reading->times[i];
    uintptr_t class = reading->events[i].what;
    uint16_t left = writer->running, next = reading->task_of[i];
    end_turn(writer, at, class != 0 ? wait_name(class, text) : ended ? "ended" : "yielded");
    if (class != 0) begin_wait(writer, left, at, class);
    if (next == NO_TASK) return;
    writer->running = next;
    line(writer, "{\"ph\":\"B\",\"name\":\"%s\"," ON_TRACK ",\"args\":{\"task\":%" PRIu64 "}}",
         plain(task_of(writer, next)->name, text), ON_TRACK_OF(writer, at), task_of(writer, next)->id);
}

static void instant(struct writer *writer, size_t i, const char *what)
{
    char text[NAME];
    const struct recorded_task *task = task_of(writer, writer->reading->task_of[i]);
    line(writer, "{\"ph\":\"i\",\"s\":\"t\",\"name\":\"%s %s\"," ON_TRACK ",\"args\":{\"task\":%" PRIu64 "}}", what,
         plain(task->name, text), ON_TRACK_OF(writer, writer->reading->times[i]), task->id);
}

static void write_event(struct writer *writer, size_t i)
{
    const struct reading *reading = writer->reading;
    uint16_t task = reading->task_of[i];
    switch ((enum trail_kind)event_kind(&reading->events[i])) {
    case TRAIL_TURN:
        turn(writer, i, i > 0 && event_kind(&reading->events[i - 1]) == TRAIL_END);
        break;
    case TRAIL_WAKE:
        end_wait(writer, task, reading->times[i]);
        instant(writer, i, "wake");
        break;
    case TRAIL_SPAWN:
        instant(writer, i, "spawn");
        break;
    case TRAIL_CANCEL:
        instant(writer, i, "cancel");
        break;
    case TRAIL_TIMER:
        instant(writer, i, "timer of");
        break;
    default:
        break;
    }
}

/* ---- The whole ---- */

static void write_all(struct writer *writer, const struct loop *loop, int64_t now)
{
    static const char head[] = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", tail[] = "\n]}\n";
    char driver[NAME], text[NAME];
    put(writer, head, sizeof head - 1);
    careful_text(driver, sizeof driver, loop->driver->name);
    line(writer, "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%d,\"tid\":%d,\"args\":{\"name\":\"loop (%s)\"}}",
         (int)writer->pid, writer->track, plain(driver, text));
    for (size_t i = 0; i < writer->reading->count; i++) write_event(writer, i);
    end_turn(writer, now, "still runs");
    for (size_t i = 0; i < writer->reading->task_count; i++) end_wait(writer, (uint16_t)i, now);
    put(writer, tail, sizeof tail - 1);
}

static int write_record(const struct loop *loop, int64_t now, FILE *file, int fd)
{
    struct reading *reading = reading_take(loop, now);
    if (reading == NULL) return -EBUSY;
    struct writer *writer = &the_writer;
    memset(writer, 0, sizeof *writer); /* in its place: it is larger than a stack may be */
    writer->reading = reading;
    writer->file = file;
    writer->fd = fd;
    writer->pid = getpid();
    writer->track = (int)loop->thread;
    writer->running = NO_TASK;
    write_all(writer, loop, now);
    bool failed = writer->failed;
    reading_give(reading);
    return failed ? -EIO : 0;
}

int wf_record_dump(FILE *file)
{
    struct loop *loop = LOOP_ALIVE();
    if (file == NULL) return -EINVAL;
    int rc = write_record(loop, loop_now(loop), file, -1);
    return fflush(file) != 0 && rc == 0 ? -EIO : rc;
}

/* ---- Into the folder that the environment names ---- */

static char folder[200];

void record_choose_folder(void)
{
    const char *chosen = getenv("WEFT_RECORD_DIR");
    snprintf(folder, sizeof folder, "%s", chosen != NULL && strlen(chosen) < sizeof folder ? chosen : "");
}

/* The last time of the trail is good enough for an end. */
void record_to_folder(const struct loop *loop)
{
    char path[sizeof folder + 64];
    if (folder[0] == '\0') return;
    snprintf(path, sizeof path, "%s/weft-%d-%d.trace.json", folder, (int)getpid(), (int)loop->thread);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return;
    write_record(loop, loop->now, NULL, fd);
    close(fd);
}
