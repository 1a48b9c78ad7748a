/* Forms with files: what arrives at a server of ours, and what is not sent. */
#include <string.h>
#include <weft/file.h>
#include <weft/multipart.h>
#include <weft/temporary.h>

#include "rig.h"

/* ---- The app: tells what the form had ---- */

/* The first bytes of a part, and how many there were. */
static int read_part(struct wf_request *request, struct wf_part *part, const char **told)
{
    char buffer[2000], first[41];
    size_t total = 0, kept = 0;
    ssize_t got;
    while ((got = wf_part_read(part, buffer, sizeof buffer)) > 0) {
        size_t more = (size_t)got < sizeof first - 1 - kept ? (size_t)got : sizeof first - 1 - kept;
        memcpy(first + kept, buffer, more);
        kept += more;
        total += (size_t)got;
    }
    if (got < 0) return (int)got;
    first[kept] = '\0';
    const char *type = wf_headers_find(&part->headers, "content-type");
    *told = wf_arena_printf(wf_request_arena(request), "%s%s[%s %s %zu]=%s\n", *told, part->name,
                            part->filename != NULL ? part->filename : "-", type != NULL ? type : "-", total, first);
    return *told != NULL ? 0 : -ENOMEM;
}

static int tell(struct wf_request *request)
{
    struct wf_multipart parts;
    struct wf_part part;
    bool known = wf_request_length(request) >= 0;
    const char *told = known ? "" : "(chunked) ";
    int rc = wf_multipart_open(request, &parts);
    while (rc >= 0 && (rc = wf_multipart_next(&parts, &part)) > 0) rc = read_part(request, &part, &told);
    return rc < 0 ? rc : wf_reply_text(request, 200, told);
}

static int send_on(struct wf_request *request)
{
    return wf_reply_redirect(request, 307, "/tell");
}

static void declare(struct wf_app *app)
{
    wf_route(app, WF_POST, "/tell", tell, .body_max = 1 << 20);
    wf_route(app, WF_POST, "/on", send_on);
}

/* Out of line: the options of a call are large. */
static int post(struct rig *rig, const char *path, const struct wf_upload *parts)
{
    return POST(*rig, path, .parts = parts);
}

/* ---- Contents ---- */

WF_TEST(texts_and_bytes_arrive)
{
    RIG(rig, declare);
    if (!WF_EXPECT_CODE(post(&rig, "/tell",
                             WF_UPLOADS({"title", .value = "a\r\nb"}, {"raw", .bytes = "\1\2", .size = 2},
                                        {"empty", .value = ""},
                                        {"j", .value = "{}", .content_type = "application/json"},
                                        {"doc", .bytes = "<p>", .size = 3, .filename = "x.html"})),
                        0))
        return;
    WF_EXPECT_TEXT(said(&rig), "title[- - 4]=a\r\nb\n"
                               "raw[- application/octet-stream 2]=\1\2\n"
                               "empty[- - 0]=\n"
                               "j[- application/json 2]={}\n"
                               "doc[x.html text/html; charset=utf-8 3]=<p>\n");
}

WF_TEST(names_may_be_anything)
{
    RIG(rig, declare);
    if (WF_EXPECT_CODE(post(&rig, "/tell",
                            WF_UPLOADS({"a\"b\r\nc", .bytes = "1", .size = 1, .filename = "\303\251 \"q\".bin"},
                                       {"\360\237\220\200", .value = "2"})),
                       0))
        WF_EXPECT_TEXT(said(&rig), "a\"b\r\nc[\303\251 \"q\".bin application/octet-stream 1]=1\n"
                                   "\360\237\220\200[- - 1]=2\n");
}

WF_TEST(a_form_of_nothing_is_one)
{
    RIG(rig, declare);
    if (WF_EXPECT_CODE(post(&rig, "/tell", ((const struct wf_upload[]){{0}})), 0))
        WF_EXPECT_INT(rig.response.status, 200);
    WF_EXPECT_TEXT(said(&rig), "");
}

static int write_file(const struct wf_temporary *directory, const char *name, size_t size, const char **path)
{
    struct wf_arena *arena = wf_task_arena();
    char *bytes = wf_arena_alloc(arena, size + 1);
    *path = wf_arena_printf(arena, "%s/%s", directory->path, name);
    if (bytes == NULL || *path == NULL) return -ENOMEM;
    memset(bytes, 'x', size);
    return wf_file_replace(*path, bytes, size, 0600);
}

WF_TEST(files_go_out_as_they_are_read_also_a_second_time)
{
    RIG(rig, declare);
    const char *large, *none;
    WF_TEMPORARY_DIRECTORY(directory);
    if (!WF_EXPECT_CODE(directory.error, 0)) return;
    if (!WF_EXPECT_CODE(write_file(&directory, "large.csv", 200000, &large), 0)) return;
    if (!WF_EXPECT_CODE(write_file(&directory, "none", 0, &none), 0)) return;
    static const char expected[] =
        "a[large.csv text/csv; charset=utf-8 200000]=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
        "b[none application/octet-stream 0]=\n"
        "c[other.txt text/plain; charset=utf-8 0]=\n";
    const struct wf_upload *parts =
        WF_UPLOADS({"a", .path = large}, {"b", .path = none}, {"c", .path = none, .filename = "other.txt"});
    if (WF_EXPECT_CODE(post(&rig, "/tell", parts), 0)) WF_EXPECT_TEXT(said(&rig), expected);
    if (WF_EXPECT_CODE(post(&rig, "/on", parts), 0)) WF_EXPECT_TEXT(said(&rig), expected);
}

static const struct {
    struct wf_upload parts[2];
    int code;
    const char *message;
} bad[] = {
    {{{"a", .value = NULL}}, -EINVAL, "the part \"a\" has none"},
    {{{"a", .value = "b", .path = "c"}}, -EINVAL, "two contents"},
    {{{"a\1", .value = "b"}}, -EINVAL, "a control character"},
    {{{"a", .value = "b", .content_type = "x\r\ny: z"}}, -EINVAL, "a control character"},
    {{{"a", .path = "/nowhere/file"}}, -ENOENT, "/nowhere/file"},
    {{{"a", .path = "/"}}, -EISDIR, "/ is a directory"},
};

WF_TEST(what_is_no_form_is_not_sent)
{
    RIG(rig, declare);
    for (size_t i = 0; i < WF_COUNT(bad); i++)
        WF_EXPECT_FAILURE(post(&rig, "/tell", bad[i].parts), bad[i].code, bad[i].message);
}

WF_TEST_MAIN
