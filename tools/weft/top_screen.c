/* What weft top shows: a head with the loops, what is waited for, and the tasks as a table; or one task's stack. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "top.h"

static const char *const sort_names[] = {
    [SORT_RUN] = "run", [SORT_TURNS] = "turns", [SORT_WAIT] = "still", [SORT_NAME] = "name", [SORT_LONGEST] = "longest",
};

/* ---- Numbers in few columns ---- */

static const char *short_time(char *text, size_t size, int64_t ns)
{
    double value = (double)ns;
    if (ns < 1000) snprintf(text, size, "%dns", (int)ns);
    else if (ns < 1000000) snprintf(text, size, "%.0fus", value / 1e3);
    else if (ns < 1000000000) snprintf(text, size, "%.1fms", value / 1e6);
    else if (value < 60e9) snprintf(text, size, "%.1fs", value / 1e9);
    else if (value < 3600e9) snprintf(text, size, "%dm%02ds", (int)(value / 60e9), (int)(value / 1e9) % 60);
    else snprintf(text, size, "%.0fh%02dm", value / 3600e9, (int)(value / 60e9) % 60);
    return text;
}

static const char *short_number(char *text, size_t size, double value)
{
    if (value < 10 && value > 0) snprintf(text, size, "%.1f", value);
    else if (value < 10000) snprintf(text, size, "%.0f", value);
    else if (value < 10e6) snprintf(text, size, "%.1fk", value / 1e3);
    else snprintf(text, size, "%.1fM", value / 1e6);
    return text;
}

/* ---- A page: lines that are cut at its width ---- */

struct page {
    FILE *out;
    size_t lines, columns, used;
    bool plain;
};

/* A line; nothing once the page is full. `lit`: in reverse. */
__attribute__((__format__(__printf__, 3, 4))) static void put_line(struct page *page, bool lit, const char *format, ...)
{
    static char text[1024];
    va_list arguments;
    if (page->used >= page->lines) return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c != '\0'; c++) /* names out of files may hold what a terminal obeys */
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?';
    int width = page->columns < sizeof text ? (int)page->columns : (int)sizeof text - 1;
    page->used++;
    if (page->plain) fprintf(page->out, "%s\n", text);
    else if (lit) fprintf(page->out, "\x1b[7m%-*.*s\x1b[0m\x1b[K\r\n", width, width, text);
    else fprintf(page->out, "%.*s\x1b[K\r\n", width, text);
}

/* ---- The head ---- */

static void draw_loop(const struct loop_row *row, size_t index, struct page *page)
{
    char turns[16], passes[16], spawns[16], lag[16], longest[16], cpu[16] = "?";
    const struct seen_loop *loop = row->loop;
    if (row->cpu >= 0) snprintf(cpu, sizeof cpu, "%.1f%%", row->cpu * 100);
    put_line(page, false,
             "loop %zu %s  cpu %s, in tasks %.1f%%  passes %s/s  turns %s/s  spawns %s/s  lag %s  longest %s  runnable "
             "%" PRIu64 "  ops %" PRIu64 "  timers %" PRIu64 "  jobs %" PRIu64,
             index, loop->driver, cpu, row->in_tasks * 100, short_number(passes, sizeof passes, row->passes),
             short_number(turns, sizeof turns, row->turns), short_number(spawns, sizeof spawns, row->spawns),
             short_time(lag, sizeof lag, row->lag), short_time(longest, sizeof longest, row->longest), loop->runnable,
             loop->ops, loop->timers, loop->jobs);
}

static void draw_waits(const struct view *view, struct page *page)
{
    static char text[512];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < view->wait_count && used < sizeof text; i++) {
        const struct count *count = &view->waits[i];
        int size = snprintf(text + used, sizeof text - used, "%s%s %zu", i > 0 ? ", " : "", count->what, count->tasks);
        used += (size_t)size;
    }
    put_line(page, false, "tasks: %s", text);
}

static void draw_head(const struct top *top, const struct screen *screen, struct page *page)
{
    const struct view *view = &top->view;
    put_line(page, false, "%s (%d), weft %s  %zu tasks  %.1f s, %" PRIu64 " samples  by %s%s%s%s", top->name,
             (int)top->pid, top->registry.library, view->snapshot.task_count, view->seconds, view->samples,
             sort_names[top->sort], top->filter[0] != '\0' || screen->typing ? "  with " : "", top->filter,
             screen->typing ? "_" : "");
    enum { LOOPS_SHOWN = 8 };
    for (size_t i = 0; i < view->snapshot.loop_count && i < LOOPS_SHOWN; i++) draw_loop(&view->loops[i], i, page);
    if (view->snapshot.loop_count > LOOPS_SHOWN)
        put_line(page, false, "and %zu more loops", view->snapshot.loop_count - LOOPS_SHOWN);
    draw_waits(view, page);
    if (view->snapshot.damaged != NULL) put_line(page, false, "damaged: %s", view->snapshot.damaged);
}

/* ---- The table ---- */

static void draw_row(const struct row *row, bool selected, struct page *page)
{
    char turns[16], longest[16], still[16];
    const struct seen_task *task = row->task;
    bool waits = task->state == SEEN_WAITING;
    put_line(page, selected, "%5.1f %8s %8s %8s  %-24.40s #%-8" PRIu64 " %-20s %s%s%s", row->run * 100,
             short_number(turns, sizeof turns, row->turns), short_time(longest, sizeof longest, row->longest),
             short_time(still, sizeof still, row->still), task->name, task->id,
             waits ? task->waits : state_names[task->state], task->place,
             task->cancelled != NULL ? "  cancelled: " : "", task->cancelled != NULL ? task->cancelled->text : "");
}

/* The rows that pass the filter, counted; the chosen part of them is drawn, as far as there is room. */
static void draw_table(struct top *top, struct screen *screen, struct page *page)
{
    size_t wanted = 0;
    put_line(page, !page->plain, " RUN%%  TURNS/S  LONGEST    STILL  %-24s %-9s %-20s %s", "TASK", "NUMBER", "STATE",
             "SPAWNED AT");
    size_t room = page->lines - page->used;
    for (size_t i = 0; i < top->view.row_count; i++) wanted += row_is_wanted(top, &top->view.rows[i]);
    if (screen->selected >= wanted) screen->selected = wanted > 0 ? wanted - 1 : 0;
    if (screen->selected < screen->first) screen->first = screen->selected;
    if (room > 0 && screen->selected >= screen->first + room) screen->first = screen->selected - room + 1;
    size_t at = 0;
    for (size_t i = 0; i < top->view.row_count && page->used < page->lines; i++) {
        const struct row *row = &top->view.rows[i];
        if (!row_is_wanted(top, row)) continue;
        if (at == screen->selected) screen->detail_key = task_key(row->task->loop, row->task->id);
        if (at >= screen->first) draw_row(row, !page->plain && at == screen->selected, page);
        at++;
    }
}

/* ---- Metrics ---- */

static void draw_metrics(const struct top *top, struct screen *screen, struct page *page)
{
    put_line(page, !page->plain, "       VALUE       /S      MEAN  %s", "METRIC");
    if (screen->selected >= top->view.metric_count) screen->selected = top->view.metric_count - (screen->selected > 0);
    for (size_t i = screen->selected; i < top->view.metric_count && page->used < page->lines; i++) {
        const struct metric_row *row = &top->view.metrics[i];
        const struct seen_metric *seen = &row->seen;
        char value[24], mean[16] = "", per_second[16] = "";
        int64_t each = seen->observed > 0 ? (int64_t)((double)seen->value / (double)seen->observed) : 0;
        if (seen->histogram && seen->seconds) short_time(mean, sizeof mean, each);
        else if (seen->histogram) snprintf(mean, sizeof mean, "%" PRId64, each);
        if (seen->histogram) snprintf(value, sizeof value, "%" PRIu64, seen->observed);
        else if (seen->seconds) short_time(value, sizeof value, seen->value);
        else snprintf(value, sizeof value, "%" PRId64, seen->value);
        if (seen->counts) short_number(per_second, sizeof per_second, row->rate);
        put_line(page, false, "%12s %8s %9s  %s%s%s%s", value, per_second, mean, seen->name,
                 seen->labels[0] != '\0' ? "{" : "", seen->labels, seen->labels[0] != '\0' ? "}" : "");
    }
}

/* ---- One task ---- */

static void draw_frames(struct top *top, const struct seen_task *task, struct page *page)
{
    static struct frame frames[FRAMES_MAX];
    if (top->unwinder == NULL) top->unwinder = unwinder_open(&top->memory, &top->registry);
    size_t count = top->unwinder != NULL ? unwind(top->unwinder, task, frames, FRAMES_MAX) : 0;
    for (size_t i = 0; i < count; i++) {
        const struct frame *frame = &frames[i];
        const char *function = frame->function != NULL ? frame->function : "?";
        if (frame->file != NULL) put_line(page, false, "  %2zu  %s  %s:%d", i, function, frame->file, frame->line);
        else if (frame->module != NULL)
            put_line(page, false, "  %2zu  %s  %s+0x%" PRIx64, i, function, frame->module, frame->offset);
        else put_line(page, false, "  %2zu  0x%" PRIx64, i, frame->pc);
    }
    if (count == 0) put_line(page, false, "  no stack to be seen: it is %s", state_names[task->state]);
}

static void draw_detail(struct top *top, const struct screen *screen, struct page *page)
{
    for (size_t i = 0; i < top->view.row_count; i++) {
        const struct row *row = &top->view.rows[i];
        if (task_key(row->task->loop, row->task->id) != screen->detail_key) continue;
        put_line(page, true, "%s #%" PRIu64 "  spawned at %s", row->task->name, row->task->id, row->task->place);
        draw_row(row, false, page);
        draw_frames(top, row->task, page);
        return;
    }
    put_line(page, true, "the task has ended");
}

void draw(struct top *top, struct screen *screen, FILE *out, bool plain)
{
    static const char keys[] =
        "q quit  j k move  Enter stack  m metrics  / filter  sort: r run  t turns  w still  s longest  n name";
    struct page page = {.out = out, .lines = screen->lines - !plain, .columns = screen->columns, .plain = plain};
    if (!plain) fputs("\x1b[H", out);
    if (!screen->detail) top_forget_stacks(top);
    draw_head(top, screen, &page);
    if (screen->detail) draw_detail(top, screen, &page);
    else if (screen->metrics) draw_metrics(top, screen, &page);
    else draw_table(top, screen, &page);
    if (plain) return;
    fprintf(out, "\x1b[J\x1b[%zu;1H\x1b[2m%.*s\x1b[0m\x1b[K", screen->lines, (int)screen->columns,
            screen->detail ? "Enter or Esc back  q quit" : keys);
}

/* ---- For programs ---- */

static void put_string(FILE *out, const char *name, const char *text)
{
    fprintf(out, ", \"%s\": \"", name);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        fprintf(out, *c == '"' || *c == '\\' ? "\\%c" : *c < ' ' || *c >= 0x7f ? "\\u%04x" : "%c", *c);
    fputc('"', out);
}

static void put_loop_row(FILE *out, const struct loop_row *row, size_t index)
{
    const struct seen_loop *loop = row->loop;
    fprintf(out, "%s{\"index\": %zu, \"thread\": %d", index > 0 ? ", " : "", index, (int)loop->thread);
    put_string(out, "driver", loop->driver);
    if (row->cpu >= 0) fprintf(out, ", \"cpu\": %.4f", row->cpu);
    fprintf(out, ", \"in_tasks\": %.4f", row->in_tasks);
    fprintf(out, ", \"passes_per_s\": %.1f, \"turns_per_s\": %.1f, \"spawns_per_s\": %.1f", row->passes, row->turns,
            row->spawns);
    fprintf(out, ", \"lag_ns\": %" PRId64 ", \"longest_ns\": %" PRId64, row->lag, row->longest);
    fprintf(out,
            ", \"runnable\": %" PRIu64 ", \"operations\": %" PRIu64 ", \"timers\": %" PRIu64 ", \"jobs\": %" PRIu64 "}",
            loop->runnable, loop->ops, loop->timers, loop->jobs);
}

static void put_row(FILE *out, const struct row *row, bool first)
{
    const struct seen_task *task = row->task;
    fprintf(out, "%s{\"id\": %" PRIu64 ", \"loop\": %u", first ? "" : ", ", task->id, task->loop);
    put_string(out, "name", task->name);
    put_string(out, "spawned_at", task->place);
    put_string(out, "state", state_names[task->state]);
    if (task->waits != NULL) put_string(out, "waits_for", task->waits);
    fprintf(out, ", \"run\": %.4f, \"turns_per_s\": %.1f, \"longest_ns\": %" PRId64 ", \"still_ns\": %" PRId64 "}",
            row->run, row->turns, row->longest, row->still);
}

static void put_metric(FILE *out, const struct metric_row *row, bool first)
{
    const struct seen_metric *seen = &row->seen;
    fprintf(out, "%s{\"%s\": %" PRId64, first ? "" : ", ", seen->histogram ? "sum" : "value", seen->value);
    if (seen->histogram) fprintf(out, ", \"count\": %" PRIu64, seen->observed);
    put_string(out, "name", seen->name);
    if (seen->labels[0] != '\0') put_string(out, "labels", seen->labels);
    if (seen->counts) fprintf(out, ", \"per_s\": %.1f", row->rate);
    fputs("}", out);
}

void print_view_json(const struct top *top, FILE *out, size_t limit)
{
    const struct view *view = &top->view;
    fprintf(out, "{\"weft\": \"top\", \"schema\": 1, \"pid\": %d", (int)top->pid);
    put_string(out, "process", top->name);
    put_string(out, "library", top->registry.library);
    fprintf(out, ", \"seconds\": %.3f, \"samples\": %" PRIu64 ", \"tasks_alive\": %zu, \"loops\": [", view->seconds,
            view->samples, view->snapshot.task_count);
    for (size_t i = 0; i < view->snapshot.loop_count; i++) put_loop_row(out, &view->loops[i], i);
    fputs("], \"states\": [", out);
    for (size_t i = 0; i < view->wait_count; i++) {
        fprintf(out, "%s{\"tasks\": %zu", i > 0 ? ", " : "", view->waits[i].tasks);
        put_string(out, "what", view->waits[i].what);
        fputs("}", out);
    }
    fputs("], \"metrics\": [", out);
    for (size_t i = 0; i < view->metric_count; i++) put_metric(out, &view->metrics[i], i == 0);
    fputs("], \"tasks\": [", out);
    size_t shown = 0;
    for (size_t i = 0; i < view->row_count && shown < limit; i++)
        if (row_is_wanted(top, &view->rows[i])) put_row(out, &view->rows[i], shown++ == 0);
    fputs("]}\n", out);
}
