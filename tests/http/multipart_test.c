/* Forms with files: what browsers send, what nobody should, whole and byte by byte. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <weft/file.h>
#include <weft/multipart.h>
#include <weft/task.h>
#include <weft/temporary.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "rig.h"

#define TYPE "multipart/form-data; boundary=X"
#define FIELD(name, text) "--X\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" text "\r\n"
#define FILE_(name, file, text)                                                                                        \
    "--X\r\nContent-Disposition: form-data; name=\"" name "\"; filename=\"" file                                       \
    "\"\r\nContent-Type: a/b\r\n\r\n" text "\r\n"

struct form_case {
    const char *name, *type, *body;
    int status;
    const char *told; /* "name=text" or "name[file]=text" for each part; a piece of the message where it is refused */
};

static const struct form_case forms[] = {
    {"a field", TYPE, FIELD("a", "1") "--X--\r\n", 200, "a=1 "},
    {"two fields", TYPE, FIELD("a", "1") FIELD("b", "2") "--X--", 200, "a=1 b=2 "},
    {"a file", TYPE, FILE_("f", "x.txt", "text") "--X--", 200, "f[x.txt a/b]=text "},
    {"nothing", TYPE, "--X--\r\n", 200, ""},
    {"an empty text", TYPE, FIELD("a", "") "--X--", 200, "a= "},
    {"the boundary's beginning in a text", TYPE, FIELD("a", "\r\n--x\r\r\n-\r\n--") "--X--", 200,
     "a=\r\n--x\r\r\n-\r\n-- "},
    {"a preamble and an epilogue", TYPE, "hello\r\n" FIELD("a", "1") "--X--\r\nbye", 200, "a=1 "},
    {"blanks behind a boundary", TYPE, "--X \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--X-- ", 200,
     "a=1 "},
    {"a quoted boundary", "Multipart/Form-Data; charset=x; Boundary=\"a b\"",
     "--a b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--a b--", 200, "a=1 "},
    {"names of browsers", TYPE, FILE_("f%22%0D%0A", "a%22b.txt", "t") "--X--", 200, "f\"\r\n[a\"b.txt a/b]=t "},
    {"names with backslashes", TYPE, FILE_("f\\\"\\\\", "C:\\dir\\x.txt", "t") "--X--", 200, "f\"\\[x.txt a/b]=t "},
    {"a name that would lead away", TYPE, FILE_("f", "../../etc/passwd", "t") "--X--", 200, "f[passwd a/b]=t "},
    {"a name that is the way up", TYPE, FILE_("f", "..", "t") "--X--", 200, "f[ a/b]=t "},
    {"UTF-8 names", TYPE, FILE_("f", "\xc3\xa9.txt", "t") "--X--", 200, "f[\xc3\xa9.txt a/b]=t "},
    {"a parameter inside of another", TYPE,
     "--X\r\ncontent-disposition: form-data; x=\"; name=no\"; name=\"yes\"\r\n\r\n1\r\n--X--", 200, "yes=1 "},
    {"another type", "application/json", "{}", 415, "a form is needed"},
    {"no type", NULL, "", 415, "a form is needed"},
    {"nearly the type", "multipart/form-database; boundary=X", "", 415, "a form is needed"},
    {"no boundary", "multipart/form-data", "", 400, "has no boundary"},
    {"an empty boundary", "multipart/form-data; boundary=", "", 400, "has no boundary"},
    {"a long boundary",
     "multipart/form-data; boundary=12345678901234567890123456789012345678901234567890123456789012345678901", "", 400,
     "has no boundary"},
    {"no last boundary", TYPE, FIELD("a", "1"), 400, "ends before its last boundary"},
    {"no boundary at all", TYPE, "hello", 400, "ends before its last boundary"},
    {"an empty body", TYPE, "", 400, "ends before its last boundary"},
    {"a cut head", TYPE, "--X\r\nContent-Disposition: form-data; na", 400, "ends before its last boundary"},
    {"a boundary that goes on", TYPE, FIELD("a", "1") "--XY\r\n\r\n--X--", 400, "followed by something else"},
    {"no name", TYPE, "--X\r\nContent-Disposition: form-data\r\n\r\n1\r\n--X--", 400, "without a name"},
    {"no disposition", TYPE, "--X\r\nContent-Type: a/b\r\n\r\n1\r\n--X--", 400, "without a name"},
    {"no fields", TYPE, "--X\r\n\r\n1\r\n--X--", 400, "without a name"},
    {"another disposition", TYPE, "--X\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--X--", 400,
     "without a name"},
    {"a name without its end", TYPE, "--X\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--X--", 400,
     "without a name"},
    {"a field that is none", TYPE, "--X\r\nContent Disposition: form-data; name=a\r\n\r\n1\r\n--X--", 400,
     "a field that is none"},
    {"a folded field", TYPE, "--X\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n1\r\n--X--", 400,
     "a field that is none"},
    {"too many parts", TYPE, FIELD("a", "1") FIELD("b", "1") FIELD("c", "1") FIELD("d", "1") FIELD("e", "1") "--X--",
     413, "too many parts"},
    {"a long text", TYPE, FIELD("a", "123456789012345678901234567890123") "--X--", 413, "a text is too long"},
    {"a long part", TYPE, FILE_("a", "f", "12345678901234567890123456789012345678901") "--X--", 413,
     "a part is too long"},
    {"a long part that is skipped", TYPE, FIELD("skip", "12345678901234567890123456789012345678901") "--X--", 413,
     "a part is too long"},
    {"a part that is skipped", TYPE, FIELD("skip", "1234") FIELD("a", "1") "--X--", 200, "a=1 "},
};

static const char *form_name(size_t row)
{
    return forms[row].name;
}

static int read_file(struct wf_part *part, char *to)
{
    ssize_t got;
    while ((got = wf_part_read(part, to, 3)) > 0) to += got;
    *to = '\0';
    return (int)got;
}

static int tell_form(struct wf_request *request)
{
    struct wf_multipart parts;
    struct wf_part part;
    char told[400] = "", file[64];
    int rc = wf_multipart_open(request, &parts, .parts_max = 4, .text_max = 32, .part_max = 40);
    while (rc >= 0 && (rc = wf_multipart_next(&parts, &part)) > 0) {
        const char *text = file;
        if (strcmp(part.name, "skip") == 0) continue;
        if (part.filename != NULL) rc = read_file(&part, file);
        else rc = wf_part_text(&part, &text);
        if (rc < 0) break;
        size_t size = strlen(told);
        if (part.filename == NULL) snprintf(told + size, sizeof told - size, "%s=%s ", part.name, text);
        else
            snprintf(told + size, sizeof told - size, "%s[%s %s]=%s ", part.name, part.filename, part.content_type,
                     text);
    }
    if (rc < 0) return rc;
    WF_EXPECT_CODE(wf_multipart_next(&parts, &part), 0);
    return wf_reply_text(request, 200, told);
}

static void post_form(struct exchange_log *log, wf_handler *handler, void *state, const char *type, const char *body,
                      bool one_by_one)
{
    char head[400], line[200] = "";
    struct wf_app app = {.title = "forms", .state = state};
    if (type != NULL) snprintf(line, sizeof line, "Content-Type: %s\r\n", type);
    snprintf(head, sizeof head, "POST / HTTP/1.1\r\nHost: a\r\n%sContent-Length: %zu\r\n\r\n", line, strlen(body));
    wf_route(&app, WF_POST, "/", handler);
    struct pieces pieces = {.bytes = {head, body},
                            .sizes = {strlen(head), strlen(body)},
                            .count = 2,
                            .one_by_one = one_by_one};
    talk_to(log, &pieces, &app);
    wf_app_finish(&app);
}

static void check_form(const struct form_case *row, bool one_by_one)
{
    struct exchange_log log;
    char status[8];
    snprintf(status, sizeof status, "%d ", row->status);
    post_form(&log, tell_form, NULL, row->type, row->body, one_by_one);
    const char *end = log.size > 0 ? strstr(log.bytes, "\r\n\r\n") : NULL;
    WF_EXPECT_TEXT(log.statuses, status);
    if (end == NULL) return;
    if (row->status == 200) WF_EXPECT_TEXT(end + 4, row->told);
    else WF_EXPECT_PART(end + 4, row->told);
}

WF_TEST_EACH(a_form_is_read_or_refused, forms, .row_name = form_name)
{
    check_form(row, false);
}

WF_TEST_EACH(a_form_that_comes_byte_by_byte_is_the_same, forms, .row_name = form_name,
             .unswept = "it has as many places as bytes; the same is swept whole")
{
    check_form(row, true);
}

/* ---- More than the window ---- */

static int measure(struct wf_request *request)
{
    struct wf_multipart parts;
    struct wf_part part;
    char buffer[1000], text[40];
    size_t total = 0;
    ssize_t got = 1;
    int rc = wf_multipart_open(request, &parts);
    if (rc == 0) rc = wf_multipart_next(&parts, &part);
    while (rc > 0 && (got = wf_part_read(&part, buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < got; i++) rc = buffer[i] == (char)('a' + (total + (size_t)i) % 23) ? rc : -EIO;
        total += (size_t)got;
    }
    if (rc < 0 || got < 0) return rc < 0 ? rc : (int)got;
    snprintf(text, sizeof text, "%zu", total);
    return wf_reply_text(request, 200, text);
}

WF_TEST(a_part_is_longer_than_the_window)
{
    enum { SIZE = 100000 };
    char *body = wf_arena_alloc(wf_task_arena(), SIZE + 200);
    if (body == NULL) return;
    size_t size = (size_t)sprintf(body, "--X\r\nContent-Disposition: form-data; name=a\r\n\r\n");
    for (size_t i = 0; i < SIZE; i++) body[size++] = (char)('a' + i % 23);
    strcpy(body + size, "\r\n--X--");
    struct exchange_log log;
    post_form(&log, measure, NULL, TYPE, body, false);
    WF_EXPECT_TEXT(log.statuses, "200 ");
    if (log.size > 0) WF_EXPECT_PART(log.bytes, "\r\n\r\n100000");
    memset(body, 'a', 17000);
    memcpy(body, "--X\r\nA: ", 8); /* a head without an end */
    body[17000] = '\0';
    post_form(&log, measure, NULL, TYPE, body, false);
    WF_EXPECT_TEXT(log.statuses, "413 ");
}

/* ---- To the disk ---- */

static int save(struct wf_request *request)
{
    struct wf_multipart parts;
    struct wf_part part;
    const char *path = wf_request_state(request);
    uint64_t size = 0;
    int rc = wf_multipart_open(request, &parts, .part_max = 10);
    if (rc == 0) rc = wf_multipart_next(&parts, &part);
    if (rc > 0) rc = wf_part_save(&part, path, &size);
    char text[40];
    snprintf(text, sizeof text, "%llu bytes", (unsigned long long)size);
    return rc < 0 ? rc : wf_reply_text(request, 201, text);
}

WF_TEST(a_part_is_saved_whole_or_not_at_all)
{
    WF_TEMPORARY_DIRECTORY(folder);
    if (!WF_EXPECT_CODE(folder.error, 0)) return;
    char path[WF_TEMPORARY_PATH_MAX + 8];
    struct stat status;
    struct exchange_log log;
    snprintf(path, sizeof path, "%s/file", folder.path);
    post_form(&log, save, path, TYPE, FILE_("f", "x", "12345678901") "--X--", false);
    WF_EXPECT_TEXT(log.statuses, "413 ");
    WF_EXPECT_CODE(wf_stat(path, &status), -ENOENT);
    post_form(&log, save, path, TYPE, FILE_("f", "x", "1234567"), false);
    WF_EXPECT_TEXT(log.statuses, "400 "); /* where the part ends was never said */
    WF_EXPECT_CODE(wf_stat(path, &status), -ENOENT);
    post_form(&log, save, path, TYPE, FILE_("f", "x", "1234567") "--X--", false);
    WF_EXPECT_TEXT(log.statuses, "201 ");
    post_form(&log, save, path, TYPE, FILE_("f", "x", "1") "--X--", false);
    WF_EXPECT_TEXT(log.statuses, "409 ");
    char *bytes;
    size_t size;
    if (!WF_EXPECT_CODE(wf_file_load(path, 100, wf_task_arena(), &bytes, &size), 0)) return;
    WF_EXPECT_TEXT(bytes, "1234567");
}

WF_TEST_MAIN
