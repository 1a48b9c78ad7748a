/* What is printed: lines on a terminal while downloads run, a line for each that ended, JSON, a summary. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "get.h"

enum { TEXT = 32, BAR = 20, NAME_SHOWN = 30, FIXED = 64 };

/* ---- Numbers ---- */

static const char *bytes_text(double bytes, char text[TEXT])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    for (; bytes >= 1024 && unit + 1 < WF_COUNT(units); unit++) bytes /= 1024;
    snprintf(text, TEXT, "%.*f %s", unit == 0 ? 0 : 1, bytes, units[unit]);
    return text;
}

static double seconds_of(int64_t duration)
{
    return (double)duration / 1e9;
}

static double rate_of(uint64_t bytes, int64_t duration)
{
    return duration > 0 ? (double)bytes / seconds_of(duration) : 0;
}

static uint64_t size_now(const struct download *download)
{
    return download->before + download->gone + download->come;
}

static const char *name_of(const struct download *download)
{
    return download->path != NULL ? download->path : "-";
}

/* ---- Lines that are drawn ---- */

/* As many columns of a name as fit; what is no ASCII counts by its first byte. */
static int shown_bytes(const char *name, int columns)
{
    int size = 0;
    for (; name[size] != '\0'; size++) {
        if (((unsigned char)name[size] & 0xc0) == 0x80) continue;
        if (columns-- == 0) break;
    }
    return size;
}

static void draw_bar(const struct download *download, uint64_t size)
{
    char bar[BAR + 1];
    int filled = (int)((double)size / (double)download->total * BAR);
    for (int i = 0; i < BAR; i++) bar[i] = i < filled ? '#' : '.';
    bar[BAR] = '\0';
    fprintf(stderr, " %3d%% [%s]", (int)((double)size / (double)download->total * 100), bar);
}

static void draw_line(const struct download *download, int columns)
{
    char text[TEXT], speed[TEXT];
    uint64_t size = size_now(download);
    double rate = rate_of(size - download->before, wf_now() - download->began);
    int room = columns > FIXED + NAME_SHOWN ? NAME_SHOWN : columns > FIXED + 4 ? columns - FIXED : 4;
    const char *name = base_name(name_of(download));
    bool known = download->total > 0 && (uint64_t)download->total >= size;
    fprintf(stderr, "\r\033[K%.*s", shown_bytes(name, room), name);
    if (known) draw_bar(download, size);
    fprintf(stderr, " %s, %s/s", bytes_text((double)size, text), bytes_text(rate, speed));
    if (known && rate > 0) {
        int64_t left = (int64_t)((double)((uint64_t)download->total - size) / rate);
        fprintf(stderr, ", %lld:%02lld", (long long)left / 60, (long long)left % 60);
    }
    fputc('\n', stderr);
}

void erase_lines(struct get *get)
{
    if (get->lines > 0) fprintf(stderr, "\r\033[%dA\033[J", get->lines);
    get->lines = 0;
    fflush(stderr);
}

/* At most one less than the terminal has. */
void draw_lines(struct get *get)
{
    struct winsize window = {.ws_col = 0};
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
    int columns = known ? window.ws_col : 80, rows = known && window.ws_row > 1 ? window.ws_row - 1 : 20, lines = 0;
    if (get->lines > 0) fprintf(stderr, "\r\033[%dA", get->lines);
    for (size_t i = 0; i < get->count && lines < rows; i++) {
        if (get->downloads[i].state != STATE_RUNNING) continue;
        draw_line(&get->downloads[i], columns);
        lines++;
    }
    fputs("\033[J", stderr);
    fflush(stderr);
    get->lines = lines;
}

/* ---- One that ended ---- */

static void write_times(struct wf_json_writer *out, const struct download *download)
{
    const struct wf_call_report *report = &download->report;
    const struct {
        const char *name;
        int64_t duration;
    } rows[] = {{"pool_ns", report->waited},
                {"connect_ns", report->connected},
                {"tls_ns", report->tls},
                {"first_byte_ns", report->waited + report->connected + report->tls + report->answered},
                {"total_ns", download->took}};
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        wf_json_write_key(out, rows[i].name);
        wf_json_write_int(out, rows[i].duration);
    }
}

/* Texts of a command line need not be UTF-8: those are left out. */
static void write_member(struct wf_json_writer *out, const char *name, const char *text)
{
    wf_json_write_key(out, name);
    wf_json_write_string(out, text != NULL ? text : "");
}

static void write_flag(struct wf_json_writer *out, const char *name, bool value)
{
    wf_json_write_key(out, name);
    wf_json_write_bool(out, value);
}

static void write_number(struct wf_json_writer *out, const char *name, uint64_t value)
{
    wf_json_write_key(out, name);
    wf_json_write_uint(out, value);
}

static void print_json(const struct download *download)
{
    struct wf_json_writer out;
    const char *text;
    wf_json_writer_init(&out, wf_task_arena(), 0);
    wf_json_open_object(&out);
    write_member(&out, "url", download->url);
    write_member(&out, "file", name_of(download));
    if (download->state == STATE_FAILED) write_member(&out, "error", download->message);
    write_number(&out, "status", (uint64_t)download->report.status);
    write_member(&out, "version", download->report.version);
    write_flag(&out, "reused", download->report.reused);
    write_number(&out, "bytes", download->report.received);
    write_number(&out, "resumed_at", download->before);
    write_number(&out, "calls", download->calls);
    write_times(&out, download);
    wf_json_close_object(&out);
    if (wf_json_write_end(&out, &text, NULL) < 0) complain("%s cannot be said in JSON", download->url);
    else printf("%s\n", text);
    fflush(stdout);
}

static void print_line(const struct download *download)
{
    char size[TEXT], speed[TEXT];
    uint64_t came = download->report.received;
    if (download->state == STATE_THERE) fprintf(stderr, "%s: is there already\n", name_of(download));
    else
        fprintf(stderr, "%s: %s in %.1f s, %s/s%s\n", name_of(download), bytes_text((double)came, size),
                seconds_of(download->took), bytes_text(rate_of(came, download->took), speed),
                download->before > 0 ? ", the rest of it" : "");
}

void show_end(struct download *download)
{
    struct get *get = download->get;
    bool cut = download->code == -ECANCELED && get->signal != 0; /* the summary says it once for all */
    erase_lines(get);
    if (download->state == STATE_FAILED && !cut) complain("%s: %s", download->url, download->message);
    else if (download->state != STATE_FAILED && !get->quiet && !get->json && download->path != NULL)
        print_line(download);
    if (get->json) print_json(download);
}

/* ---- All ---- */

static size_t count_parts(const struct get *get)
{
    struct stat status;
    size_t parts = 0;
    for (size_t i = 0; i < get->count; i++) {
        const struct download *download = &get->downloads[i];
        if (download->state == STATE_FAILED && download->path != NULL && stat(download->part, &status) == 0) parts++;
    }
    return parts;
}

static void show_parts(const struct get *get)
{
    size_t parts = count_parts(get);
    if (get->signal != 0 && parts == 0) complain("interrupted; nothing was left");
    else if (get->signal != 0)
        complain("interrupted; %zu part%s stay%s, weft get -c goes on with %s", parts, parts == 1 ? "" : "s",
                 parts == 1 ? "s" : "", parts == 1 ? "it" : "them");
    else if (parts > 0 && !get->remote_name)
        complain("%zu part%s stay%s, weft get -c goes on with %s", parts, parts == 1 ? "" : "s", parts == 1 ? "s" : "",
                 parts == 1 ? "it" : "them");
}

void show_summary(struct get *get)
{
    char size[TEXT], speed[TEXT];
    size_t good = 0;
    uint64_t came = 0;
    int64_t took = wf_now() - get->began;
    for (size_t i = 0; i < get->count; i++) {
        const struct download *download = &get->downloads[i];
        good += download->state == STATE_DONE || download->state == STATE_THERE;
        came += download->report.received;
    }
    show_parts(get);
    if (get->quiet || get->json || get->count == 1 || get->signal != 0) return;
    fprintf(stderr, "%zu of %zu: %s in %.1f s, %s/s\n", good, get->count, bytes_text((double)came, size),
            seconds_of(took), bytes_text(rate_of(came, took), speed));
}
