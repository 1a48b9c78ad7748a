/* Files as answers: ranges, conditions, folders, and what must not be had. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/file.h>
#include <weft/path.h>
#include <weft/static_files.h>
#include <weft/temporary.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "http/date.h"   /* dates are read and written by themselves */
#include "http/ranges.h" /* so are ranges */
#include "rig.h"

static const char *body_of(const struct exchange_log *log)
{
    const char *end = log->size > 0 ? strstr(log->bytes, "\r\n\r\n") : NULL;
    return end != NULL ? end + 4 : "";
}

static const char *head_of(const struct exchange_log *log)
{
    return log->size > 0 ? log->bytes : "";
}

/* ---- Dates ---- */

struct date_case {
    const char *text;
    time_t date;
};

static const struct date_case dates[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994", 784111777},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
    {"Sun, 06 Nov 1994 08:49:37", -1},
    {"Sun, 06 Nov 1994 08:49:37 UTC", -1},
    {"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
    {"Sun, 06 Nix 1994 08:49:37 GMT", -1},
    {"Sun, 06 anF 1994 08:49:37 GMT", -1},
    {"Sun, 32 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 06 Nov 1994 24:49:37 GMT", -1},
    {"yesterday", -1},
    {"", -1},
};

WF_TEST_EACH(a_date_is_read_in_three_forms, dates)
{
    char text[DATE_TEXT];
    WF_EXPECT_INT(date_read(row->text), row->date);
    if (row->date < 0) return;
    date_write(text, row->date);
    WF_EXPECT_INT(date_read(text), row->date);
}

/* ---- Ranges ---- */

struct range_case {
    const char *text;
    int count;
    const char *found;
};

static const struct range_case ranges_of_10[] = {
    {"bytes=0-4", 1, "0+5 "},
    {"bytes=5-", 1, "5+5 "},
    {"bytes=-3", 1, "7+3 "},
    {"bytes=-30", 1, "0+10 "},
    {"bytes=8-100", 1, "8+2 "},
    {"Bytes = 0-1", RANGES_ALL, ""},
    {"bytes=0-0,-1", 2, "0+1 9+1 "},
    {"bytes= 0-0 , 2-2 ,, 4-4", 3, "0+1 2+1 4+1 "},
    {"bytes=20-30,0-1", 1, "0+2 "},
    {"bytes=10-", RANGES_NONE, ""},
    {"bytes=-0", RANGES_NONE, ""},
    {"bytes=99999999999999999-", RANGES_NONE, ""},
    {"bytes=9999999999999999999999-", RANGES_ALL, ""},
    {"bytes=0-9,0-9", RANGES_ALL, ""}, /* more than there is */
    {"bytes=0-0,1-1,2-2,3-3,4-4", RANGES_ALL, ""},
    {"bytes=4-3", RANGES_ALL, ""},
    {"bytes=a-b", RANGES_ALL, ""},
    {"bytes=", RANGES_ALL, ""},
    {"bytes=-", RANGES_ALL, ""},
    {"bytes=0-1x", RANGES_ALL, ""},
    {"lines=0-1", RANGES_ALL, ""},
};

WF_TEST_EACH(a_range_is_read_or_left, ranges_of_10)
{
    struct range found[4];
    char text[100] = "";
    int count = ranges_read(row->text, 10, found, 4);
    WF_EXPECT_INT(count, row->count);
    for (int i = 0; i < count; i++)
        sprintf(text + strlen(text), "%llu+%llu ", (unsigned long long)found[i].first,
                (unsigned long long)found[i].size);
    WF_EXPECT_TEXT(text, row->found);
}

/* ---- A folder to serve ---- */

struct site {
    struct wf_app app;
    const char *folder;
};

static int put_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    struct wf_file *file;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int rc = wf_file_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644, &file);
    if (rc < 0) return rc;
    rc = wf_file_write_all(file, text, strlen(text), NULL);
    wf_file_close(file);
    const struct timespec then = {.tv_sec = 784111777};
    return rc == 0 ? wf_set_times(path, then, then) : rc;
}

static int put_site(const char *folder)
{
    char path[512];
    snprintf(path, sizeof path, "%s/www/deep", folder);
    int rc = wf_mkdir_all(path, 0755);
    if (rc == 0) rc = put_file(folder, "secret.txt", "secret");
    if (rc == 0) rc = put_file(folder, "www/letters.txt", "abcdefghij");
    if (rc == 0) rc = put_file(folder, "www/letters.txt.gz", "squeezed");
    if (rc == 0) rc = put_file(folder, "www/.hidden", "hidden");
    if (rc == 0) rc = put_file(folder, "www/index.html", "<p>home");
    if (rc == 0) rc = put_file(folder, "www/deep/a b.css", "a{}");
    snprintf(path, sizeof path, "%s/www/link.txt", folder);
    if (rc == 0) rc = wf_symlink("../secret.txt", path);
    snprintf(path, sizeof path, "%s/www/way", folder);
    return rc == 0 ? wf_symlink("..", path) : rc;
}

WF_FIXTURE(site)
{
    WF_TEMPORARY_DIRECTORY(temporary);
    int rc = temporary.error;
    if (rc == 0) rc = put_site(temporary.path);
    if (rc == 0) rc = wf_provide((void *)(uintptr_t)temporary.path);
    return rc;
}

#define SERVE(log, text, ...)                                                                                          \
    serve_folder((log), (text), &(struct wf_static_options){.size = sizeof(struct wf_static_options), __VA_ARGS__})

static void serve_folder(struct exchange_log *log, const char *text, const struct wf_static_options *options)
{
    char folder[512];
    struct wf_app app = {.title = "site"};
    snprintf(folder, sizeof folder, "%s/www/", (const char *)wf_use(&site));
    wf_static_(&app, "/s", folder, options);
    ask(log, &app, text);
    wf_app_finish(&app);
}

/* ---- Answers ---- */

WF_TEST(a_file_is_served_with_its_tags, .uses = {&site})
{
    struct exchange_log log;
    SERVE(&log, "GET /s/letters.txt HTTP/1.1\r\nHost: a\r\n\r\n", .cache_control = "max-age=60");
    WF_EXPECT_TEXT(log.statuses, "200 ");
    WF_EXPECT_TEXT(body_of(&log), "abcdefghij");
    WF_EXPECT_PART(head_of(&log), "content-type: text/plain; charset=utf-8\r\n");
    WF_EXPECT_PART(head_of(&log), "content-length: 10\r\n");
    WF_EXPECT_PART(head_of(&log), "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    WF_EXPECT_PART(head_of(&log), "Accept-Ranges: bytes\r\n");
    WF_EXPECT_PART(head_of(&log), "ETag: \"");
    WF_EXPECT_PART(head_of(&log), "Cache-Control: max-age=60\r\n");
    SERVE(&log, "HEAD /s/letters.txt HTTP/1.1\r\nHost: a\r\n\r\n", .cache_control = NULL);
    WF_EXPECT_PART(head_of(&log), "content-length: 10\r\n");
    WF_EXPECT_TEXT(body_of(&log), "");
}

struct path_case {
    const char *path;
    int status;
    const char *part; /* of the body, or of the head where it has a colon */
};

static const struct path_case paths[] = {
    {"/s/", 200, "<p>home"},
    {"/s/index.html", 200, "<p>home"},
    {"/s/deep/a%20b.css", 200, "a{}"},
    {"/s/letters.txt?version=2", 200, "abcdefghij"},
    {"/s/deep?x=1", 307, "location: ./deep/?x=1\r\n"},
    {"/s", 307, "location: /s/\r\n"},
    {"/s/deep/", 404, ""},
    {"/s/nothing", 404, ""},
    {"/s/letters.txt/", 404, ""},
    {"/s/letters.txt/more", 404, ""},
    {"/s/../secret.txt", 404, ""},
    {"/s/%2e%2e/secret.txt", 404, ""},
    {"/s/..%2fsecret.txt", 404, ""},
    {"/s/%2e%2e%2Fsecret.txt", 404, ""},
    {"/s/deep/../letters.txt", 404, ""},
    {"/s/./letters.txt", 404, ""},
    {"/s//letters.txt", 404, ""},
    {"/s//etc/passwd", 404, ""},
    {"/s/letters.txt%00.css", 404, ""},
    {"/s/.hidden", 404, ""},
    {"/s/link.txt", 404, ""},
    {"/s/way/secret.txt", 404, ""},
    {"/s/way/", 404, ""},
};

static const char *path_name(size_t row)
{
    return paths[row].path;
}

WF_TEST_EACH(a_path_leads_into_the_folder_or_nowhere, paths, .uses = {&site}, .row_name = path_name)
{
    char text[256], status[8];
    struct exchange_log log;
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", row->path);
    snprintf(status, sizeof status, "%d ", row->status);
    SERVE(&log, text, .cache_control = NULL);
    WF_EXPECT_TEXT(log.statuses, status);
    WF_EXPECT_PART(strchr(row->part, ':') != NULL ? head_of(&log) : body_of(&log), row->part);
    WF_EXPECT(strstr(body_of(&log), "secret") == NULL || strstr(body_of(&log), "no such file") != NULL);
}

WF_TEST(what_is_allowed_is_there, .uses = {&site})
{
    struct exchange_log log;
    SERVE(&log, "GET /s/link.txt HTTP/1.1\r\nHost: a\r\n\r\n", .symlinks = true);
    WF_EXPECT_TEXT(body_of(&log), "secret");
    SERVE(&log, "GET /s/.hidden HTTP/1.1\r\nHost: a\r\n\r\n", .dotfiles = true);
    WF_EXPECT_TEXT(body_of(&log), "hidden");
    SERVE(&log, "GET /s/ HTTP/1.1\r\nHost: a\r\n\r\n", .index = "");
    WF_EXPECT_TEXT(log.statuses, "404 ");
}

WF_TEST(what_is_compressed_already_is_sent_as_it_is, .uses = {&site})
{
    struct exchange_log log;
    SERVE(&log, "GET /s/letters.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br, gzip\r\n\r\n", .precompressed = true);
    WF_EXPECT_TEXT(body_of(&log), "squeezed");
    WF_EXPECT_PART(head_of(&log), "Content-Encoding: gzip\r\n");
    WF_EXPECT_PART(head_of(&log), "Vary: Accept-Encoding\r\n");
    WF_EXPECT_PART(head_of(&log), "content-type: text/plain; charset=utf-8\r\n");
    SERVE(&log, "GET /s/letters.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip;q=0\r\n\r\n", .precompressed = true);
    WF_EXPECT_TEXT(body_of(&log), "abcdefghij");
    WF_EXPECT_PART(head_of(&log), "Vary: Accept-Encoding\r\n");
}

/* ---- Ranges and conditions, over the wire ---- */

struct field_case {
    const char *fields; /* "%s" stands for the file's tag */
    int status;
    const char *part, *body;
};

static const struct field_case fields[] = {
    {"Range: bytes=2-4\r\n", 206, "Content-Range: bytes 2-4/10\r\n", "cde"},
    {"Range: bytes=-2\r\n", 206, "content-length: 2\r\n", "ij"},
    {"Range: bytes=10-\r\n", 416, "Content-Range: bytes */10\r\n", NULL},
    {"Range: nonsense\r\n", 200, "", "abcdefghij"},
    {"If-None-Match: %s\r\n", 304, "ETag: ", ""},
    {"If-None-Match: \"x\", W/%s\r\n", 304, "ETag: ", ""},
    {"If-None-Match: *\r\n", 304, "ETag: ", ""},
    {"If-None-Match: \"x\"\r\n", 200, "", "abcdefghij"},
    {"If-None-Match: \"x\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 200, "", "abcdefghij"},
    {"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 304, "Last-Modified: ", ""},
    {"If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 200, "", "abcdefghij"},
    {"If-Modified-Since: whenever\r\n", 200, "", "abcdefghij"},
    {"If-Match: %s\r\n", 200, "", "abcdefghij"},
    {"If-Match: *\r\n", 200, "", "abcdefghij"},
    {"If-Match: \"x\"\r\n", 412, "", NULL},
    {"If-Match: W/%s\r\n", 412, "", NULL},
    {"If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 200, "", "abcdefghij"},
    {"If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 412, "", NULL},
    {"If-Range: %s\r\nRange: bytes=0-1\r\n", 206, "", "ab"},
    {"If-Range: \"x\"\r\nRange: bytes=0-1\r\n", 200, "", "abcdefghij"},
    {"If-Range: W/%s\r\nRange: bytes=0-1\r\n", 200, "", "abcdefghij"},
    {"If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\nRange: bytes=0-1\r\n", 206, "", "ab"},
    {"If-Range: Sun, 06 Nov 1994 08:49:38 GMT\r\nRange: bytes=0-1\r\n", 200, "", "abcdefghij"},
};

static void find_tag(char tag[64])
{
    struct exchange_log log;
    SERVE(&log, "HEAD /s/letters.txt HTTP/1.1\r\nHost: a\r\n\r\n", .cache_control = NULL);
    const char *at = strstr(head_of(&log), "ETag: ");
    snprintf(tag, 64, "%.*s", at != NULL ? (int)strcspn(at + 6, "\r") : 0, at != NULL ? at + 6 : "");
}

static void ask_with(struct exchange_log *log, const char *format)
{
    char tag[64], with[256], text[400];
    const char *mark = strstr(format, "%s");
    find_tag(tag);
    if (mark == NULL) snprintf(with, sizeof with, "%s", format);
    else snprintf(with, sizeof with, "%.*s%s%s", (int)(mark - format), format, tag, mark + 2);
    snprintf(text, sizeof text, "GET /s/letters.txt HTTP/1.1\r\nHost: a\r\n%s\r\n", with);
    SERVE(log, text, .cache_control = NULL);
}

WF_TEST_EACH(what_a_client_asks_to_be_true_decides, fields, .uses = {&site})
{
    struct exchange_log log;
    char status[8];
    snprintf(status, sizeof status, "%d ", row->status);
    ask_with(&log, row->fields);
    WF_EXPECT_TEXT(log.statuses, status);
    WF_EXPECT_PART(head_of(&log), row->part);
    if (row->body != NULL) WF_EXPECT_TEXT(body_of(&log), row->body);
}

WF_TEST(several_ranges_are_parts_of_one_answer, .uses = {&site})
{
    struct exchange_log log;
    ask_with(&log, "Range: bytes=0-1,8-\r\n");
    WF_EXPECT_TEXT(log.statuses, "206 ");
    WF_EXPECT_PART(head_of(&log), "content-type: multipart/byteranges; boundary=weft-");
    WF_EXPECT_PART(body_of(&log),
                   "Content-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-1/10\r\n\r\nab\r\n--");
    WF_EXPECT_PART(body_of(&log), "Content-Range: bytes 8-9/10\r\n\r\nij\r\n--weft-");
    const char *length = strstr(head_of(&log), "content-length: ");
    if (length != NULL) WF_EXPECT_INT(strtol(length + 16, NULL, 10), (long)strlen(body_of(&log)));
}

/* ---- One file ---- */

static int send_named(struct wf_request *request)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", (const char *)wf_use(&site), wf_path_text(request, "name"));
    return wf_reply_file(request, path, .content_type = "text/x-own", .download = "r\xc3\xa9sum\xc3\xa9 \"1\".txt");
}

WF_TEST(one_file_is_an_answer, .uses = {&site})
{
    struct wf_app app = {.title = "file"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/{name}", send_named);
    ask(&log, &app, "GET /secret.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    WF_EXPECT_TEXT(body_of(&log), "secret");
    WF_EXPECT_PART(head_of(&log), "content-type: text/x-own\r\n");
    WF_EXPECT_PART(head_of(&log), "Content-Disposition: attachment; filename=\"r__sum__ _1_.txt\"; "
                                  "filename*=UTF-8''r%C3%A9sum%C3%A9%20%221%22.txt\r\n");
    ask(&log, &app, "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
    WF_EXPECT_TEXT(log.statuses, "404 ");
    ask(&log, &app, "GET /www HTTP/1.1\r\nHost: a\r\n\r\n");
    WF_EXPECT_TEXT(log.statuses, "404 ");
    wf_app_finish(&app);
}

WF_TEST(a_folder_at_a_wrong_place_is_a_mistake_of_the_app)
{
    struct wf_app app = {.title = "file"};
    struct exchange_log log;
    wf_static(&app, "static", "/srv");
    ask(&log, &app, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    WF_EXPECT_CODE(log.served, -EINVAL);
    wf_app_finish(&app);
}

WF_TEST_MAIN
