/* A line's way from the call to the hook or the ring. */
#include "observe/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <weft/time.h>

#include "core/loop.h"
#include "observe/context.h"
#include "observe/line.h"

/* Lines are made here and not on a task's stack, which is short, nor in the thread's own storage, which would make the
 * stack of every thread larger. Nothing suspends while one is made. */
struct workshop {
    bool busy;
    char message[LINE_SIZE]; /* of wf_logf */
    struct line line;
};
static _Thread_local struct workshop *own_workshop;
static pthread_key_t at_thread_end;

static struct {
    pthread_mutex_t lock; /* guards the hook, and holds while it runs */
    wf_log_hook *hook;
    void *context;
} hooked = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Atomic, each by itself. */
static bool has_hook;
static int chosen_format, known_format; /* known: never WF_LOG_AUTO; 0: not looked at yet */
static bool coloured;
static uint64_t counts[WF_OFF], cut_count, refused;

/* ---- The thread's workshop ---- */

static void close_workshop(void *workshop)
{
    own_workshop = NULL;
    munmap(workshop, sizeof(struct workshop));
}

static void make_key(void)
{
    pthread_key_create(&at_thread_end, close_workshop);
}

/* Not from the allocator, since it lives as long as its thread. NULL: there is no memory. */
static __attribute__((noinline, cold)) struct workshop *open_workshop(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_key);
    void *memory = mmap(NULL, sizeof(struct workshop), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    if (pthread_setspecific(at_thread_end, memory) != 0) {
        munmap(memory, sizeof(struct workshop));
        return NULL;
    }
    own_workshop = memory;
    return memory;
}

/* NULL: also where a line is being made already. */
static inline struct workshop *free_workshop(void)
{
    struct workshop *workshop = own_workshop != NULL ? own_workshop : open_workshop();
    return workshop != NULL && !workshop->busy ? workshop : NULL;
}

/* ---- Format ---- */

static enum wf_log_format format_of_environment(void)
{
    const char *text = getenv("WEFT_LOG_FORMAT");
    if (text == NULL) return WF_LOG_AUTO;
    if (strcmp(text, "console") == 0) return WF_LOG_CONSOLE;
    if (strcmp(text, "json") == 0) return WF_LOG_JSON;
    return strcmp(text, "logfmt") == 0 ? WF_LOG_LOGFMT : WF_LOG_AUTO;
}

static enum wf_log_format look_at_output(void)
{
    bool terminal = isatty(output_descriptor()) == 1;
    int format = __atomic_load_n(&chosen_format, __ATOMIC_RELAXED);
    if (format == WF_LOG_AUTO) format = (int)format_of_environment();
    if (format == WF_LOG_AUTO) format = terminal ? WF_LOG_CONSOLE : WF_LOG_LOGFMT;
    const char *no_colour = getenv("NO_COLOR");
    bool colour = terminal && (no_colour == NULL || no_colour[0] == '\0');
    __atomic_store_n(&coloured, colour, __ATOMIC_RELAXED);
    __atomic_store_n(&known_format, format, __ATOMIC_RELAXED);
    return (enum wf_log_format)format;
}

static enum wf_log_format format_now(void)
{
    int format = __atomic_load_n(&known_format, __ATOMIC_RELAXED);
    return format != WF_LOG_AUTO ? (enum wf_log_format)format : look_at_output();
}

int wf_log_set_format(enum wf_log_format format)
{
    if ((int)format < WF_LOG_AUTO || format > WF_LOG_JSON) return -EINVAL;
    __atomic_store_n(&chosen_format, (int)format, __ATOMIC_RELAXED);
    look_at_output();
    return 0;
}

int wf_log_set_output(int fd)
{
    int rc = output_set(fd);
    if (rc == 0) look_at_output();
    return rc;
}

/* ---- Hook ---- */

static void before_fork(void)
{
    pthread_mutex_lock(&hooked.lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&hooked.lock);
}

static void watch_forks(void)
{
    pthread_atfork(before_fork, after_fork, after_fork);
}

void wf_log_set_hook(wf_log_hook *hook, void *context)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&hooked.lock);
    hooked.hook = hook;
    hooked.context = context;
    __atomic_store_n(&has_hook, hook != NULL, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&hooked.lock);
}

/* Gives false where there is none after all. */
static bool call_hook(enum wf_log_level level, const struct line *line)
{
    pthread_mutex_lock(&hooked.lock);
    bool called = hooked.hook != NULL;
    if (called) hooked.hook(hooked.context, level, line->text, line->size);
    pthread_mutex_unlock(&hooked.lock);
    return called;
}

/* ---- What a line carries by itself ---- */

static void add_text(struct line *line, const char *key, const char *text)
{
    struct wf_field field = WF_TEXT(key, text);
    line_field(line, &field);
}

static void add_request(struct line *line, const struct wf_request_context *request)
{
    const struct wf_request_value_ *value = NULL;
    while ((value = request_value_next(request, value)) != NULL) line_field(line, request_value_field(value));
    char text[2 * sizeof request->trace.trace_id + 1];
    if (request->name != NULL) add_text(line, "request", request->name);
    hex_write(request->trace.trace_id, sizeof request->trace.trace_id, text);
    add_text(line, "trace_id", text);
    hex_write(request->trace.span_id, sizeof request->trace.span_id, text);
    add_text(line, "span_id", text);
}

static void add_context(struct line *line)
{
    for (const struct wf_context *context = context_here(); context != NULL; context = context->outer) {
        if (context->key == &request_local) add_request(line, context->value);
        if (context->key != &wf_context_fields_) continue;
        for (const struct wf_field *field = context->value; field->kind != WF_FIELD_NONE; field++)
            line_field(line, field);
    }
}

/* "orders#17" */
static void add_name(struct line *line, const char *key, const char *name, uint64_t id)
{
    char text[96], digits[20];
    size_t size = strnlen(name, sizeof text - sizeof digits - 2), count = 0;
    memcpy(text, name, size);
    text[size++] = '#';
    do {
        digits[count++] = (char)('0' + id % 10);
        id /= 10;
    } while (id > 0);
    while (count > 0) text[size++] = digits[--count];
    text[size] = '\0';
    add_text(line, key, text);
}

static void add_task(struct line *line)
{
    const struct job *job = job_running();
    if (job != NULL && job->name != NULL) return add_name(line, "job", job->name, job->task_id);
    const struct wf_task *task = current_loop != NULL ? current_loop->running : NULL;
    if (task != NULL) add_name(line, "task", task->name, task->id);
}

/* ---- Lines ---- */

static void count(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void make(struct line *line, const struct wf_log_module *module, enum wf_log_level level, const char *message,
                 const struct wf_field *fields)
{
    size_t size;
    const char *name = module_name(module, &size);
    enum wf_log_format format = format_now();
    line_begin(line, format, __atomic_load_n(&coloured, __ATOMIC_RELAXED));
    line_head(line, wf_wall_now(), level, name, size, message);
    for (; fields->kind != WF_FIELD_NONE; fields++) line_field(line, fields);
    add_context(line);
    add_task(line);
    line_end(line);
}

static void log_line(struct workshop *workshop, const struct wf_log_module *module, enum wf_log_level level,
                     const char *message, const struct wf_field *fields)
{
    struct line *line = &workshop->line;
    if (level < WF_DEBUG || level >= WF_OFF) level = WF_ERROR;
    workshop->busy = true;
    make(line, module, level, message, fields);
    if (line->cut) count(&cut_count);
    count(&counts[level]);
    if (!__atomic_load_n(&has_hook, __ATOMIC_RELAXED) || !call_hook(level, line))
        output_push(line->text, line->size, level >= WF_ERROR);
    workshop->busy = false;
}

void wf_log_(struct wf_log_module *module, enum wf_log_level level, const char *message, const struct wf_field *fields)
{
    struct workshop *workshop = free_workshop();
    if (workshop != NULL) log_line(workshop, module, level, message, fields);
    else count(&refused);
}

void wf_logf_(struct wf_log_module *module, enum wf_log_level level, const char *format, ...)
{
    struct workshop *workshop = free_workshop();
    if (workshop == NULL) return count(&refused);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(workshop->message, sizeof workshop->message, format, arguments);
    va_end(arguments);
    const struct wf_field none = wf_field_end_();
    log_line(workshop, module, level, workshop->message, &none);
}

/* The line of a thread that writes directly has gone into the ring before. */
size_t log_drop_notice(uint64_t dropped, char *text, size_t size)
{
    static const struct wf_log_module log_module = {.name_ = "log"};
    const struct wf_field fields[] = {WF_UINT("count", dropped), wf_field_end_()};
    struct workshop *workshop = own_workshop != NULL ? own_workshop : open_workshop();
    if (workshop == NULL) return 0;
    struct line *line = &workshop->line;
    make(line, &log_module, WF_WARN, "messages were dropped", fields);
    if (line->size > size) return 0;
    memcpy(text, line->text, line->size);
    return line->size;
}

int wf_log_stop(int64_t bound_ns)
{
    return output_stop(bound_ns);
}

void wf_log_statistics(struct wf_log_statistics *statistics)
{
    for (size_t i = 0; i < WF_OFF; i++) statistics->lines[i] = __atomic_load_n(&counts[i], __ATOMIC_RELAXED);
    statistics->cut = __atomic_load_n(&cut_count, __ATOMIC_RELAXED);
    statistics->dropped = __atomic_load_n(&refused, __ATOMIC_RELAXED) + output_dropped();
}

void log_reset(void)
{
    wf_log_set_hook(NULL, NULL);
    wf_log_set_format(WF_LOG_AUTO);
    levels_reset();
}
