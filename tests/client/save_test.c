/* Answers into files: whole or not at all, checked, and gone on with where they broke off. */
#include <stdio.h>
#include <string.h>
#include <weft/file.h>
#include <weft/path.h>
#include <weft/sim.h>
#include <weft/temporary.h>

#include "rig.h"
#include "scripted.h"

static int hello(struct wf_request *request)
{
    return wf_reply_text(request, 200, "hello");
}

static int teapot(struct wf_request *request)
{
    return wf_http_error(request, 418, "short and stout");
}

static void declare(struct wf_app *app)
{
    wf_route(app, WF_GET, "/hello", hello);
    wf_route(app, WF_GET, "/teapot", teapot);
}

static const char hello_sha256[] = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

/* What the file has; "none": there is none. */
static const char *content_of(const char *path)
{
    char *bytes = NULL;
    size_t size;
    int rc = wf_file_load(path, 1000, wf_task_arena(), &bytes, &size);
    if (rc == -ENOENT) return "none";
    return WF_EXPECT_CODE(rc, 0) ? bytes : "";
}

static const char *path_in(const struct wf_temporary *directory, const char *name)
{
    const char *path = wf_arena_printf(wf_task_arena(), "%s/%s", directory->path, name);
    return path != NULL ? path : "/nowhere/file";
}

static int count_names(const struct wf_temporary *directory)
{
    struct wf_walk *walk;
    const struct wf_walk_entry *entry;
    int count = 0;
    if (!WF_EXPECT_CODE(wf_walk_open(directory->path, &walk), 0)) return -1;
    while (wf_walk_next(walk, &entry) > 0) count++;
    wf_walk_close(walk);
    return count;
}

static int open_answer(struct rig *rig, const char *url)
{
    return wf_fetch_open(rig->client, wf_task_arena(), WF_GET, url, &rig->response);
}

WF_TEST(a_body_is_kept_as_it_comes_or_as_it_was_read)
{
    RIG(rig, declare);
    WF_TEMPORARY_DIRECTORY(directory);
    if (!WF_EXPECT_CODE(directory.error, 0)) return;
    const char *path = path_in(&directory, "a");
    if (!WF_EXPECT_CODE(open_answer(&rig, "/hello"), 0)) return;
    if (WF_EXPECT_CODE(wf_response_save(&rig.response, path), 0)) WF_EXPECT_TEXT(content_of(path), "hello");
    if (!WF_EXPECT_CODE(GET(rig, "/hello"), 0)) return;
    if (!WF_EXPECT_CODE(wf_file_replace(path, "old contents", 12, 0600), 0)) return;
    if (WF_EXPECT_CODE(wf_response_save(&rig.response, path, .sha256 = hello_sha256), 0))
        WF_EXPECT_TEXT(content_of(path), "hello");
    WF_EXPECT_INT(count_names(&directory), 1);
}

WF_TEST(what_is_not_as_promised_leaves_the_file_as_it_was)
{
    RIG(rig, declare);
    WF_TEMPORARY_DIRECTORY(directory);
    if (!WF_EXPECT_CODE(directory.error, 0)) return;
    const char *path = path_in(&directory, "a");
    if (!WF_EXPECT_CODE(wf_file_replace(path, "old", 3, 0600), 0)) return;
    if (!WF_EXPECT_CODE(open_answer(&rig, "/hello"), 0)) return;
    char other[65];
    memset(other, '0', 64);
    other[64] = '\0';
    WF_EXPECT_FAILURE(wf_response_save(&rig.response, path, .sha256 = other), -EBADMSG,
                      "http://server/hello: its SHA-256 is 2cf24dba5fb0a30e");
    WF_EXPECT_TEXT(content_of(path), "old");
    if (!WF_EXPECT_CODE(GET(rig, "/teapot"), 0)) return;
    WF_EXPECT_FAILURE(wf_response_save(&rig.response, path), WF_ESTATUS, "an answer of 418 is not kept");
    WF_EXPECT_FAILURE(wf_response_save(&rig.response, path, .sha256 = "12"), -EINVAL, "64 hexadecimal digits");
    WF_EXPECT_CODE(wf_response_save(&rig.response, "/nowhere/file"), -ENOENT);
    WF_EXPECT_TEXT(content_of(path), "old");
    WF_EXPECT_INT(count_names(&directory), 1);
}

/* ---- Servers that break off ---- */

#define WHOLE(field, text) "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n" field "\r\n\r\n" text
#define PART(range, field, text) "HTTP/1.1 206 Part\r\nContent-Range: bytes " range "\r\n" field "\r\n\r\n" text

struct broken {
    const char *name;
    struct line lines[4];
    unsigned count;
    int code;
    const char *content, *asked;
};

static const struct broken broken[] = {
    {"one break",
     {{.bytes = WHOLE("ETag: \"x\"", "hello"), .hang_up = true},
      {.bytes = PART("5-10/11", "Content-Length: 6", " world")}},
     2,
     0,
     "hello world",
     "range: bytes=5-\r\nif-range: \"x\"\r\naccept-encoding: identity\r\n"},
    {"two breaks",
     {{.bytes = WHOLE("ETag: \"x\"", "hello"), .hang_up = true},
      {.bytes = PART("5-10/11", "Content-Length: 6\r\nETag: \"x\"", " w"), .hang_up = true},
      {.bytes = PART("7-10/11", "Content-Length: 4", "orld")}},
     3,
     0,
     "hello world",
     "range: bytes=7-"},
    {"a date",
     {{.bytes = WHOLE("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT", "hello"), .hang_up = true},
      {.bytes = PART("5-10/11", "Content-Length: 6", " world")}},
     2,
     0,
     "hello world",
     "if-range: Sun, 06 Nov 1994 08:49:37 GMT\r\n"},
    {"it is another one by now",
     {{.bytes = WHOLE("ETag: \"x\"", "hello"), .hang_up = true}, {.bytes = WHOLE("ETag: \"y\"", "other words")}},
     2,
     0,
     "other words",
     "range: bytes=5-"},
    {"another part",
     {{.bytes = WHOLE("ETag: \"x\"", "hello"), .hang_up = true},
      {.bytes = PART("4-10/11", "Content-Length: 7", "o world")}},
     2,
     -EPROTO,
     "none",
     "range: bytes=5-"},
    {"gone",
     {{.bytes = WHOLE("ETag: \"x\"", "hello"), .hang_up = true}, {.bytes = "HTTP/1.1 404 No\r\n\r\n"}},
     2,
     WF_ESTATUS,
     "none",
     "range: bytes=5-"},
    {"a weak tag", {{.bytes = WHOLE("ETag: W/\"x\"", "hello"), .hang_up = true}}, 1, WF_EEND, "none", "GET /"},
    {"a weak tag beside a date",
     {{.bytes = WHOLE("ETag: W/\"x\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT", "hello"), .hang_up = true}},
     1,
     WF_EEND,
     "none",
     "GET /"},
    {"less than the rest",
     {{.bytes = WHOLE("ETag: \"x\"", "hello"), .hang_up = true},
      {.bytes = PART("5-7/11", "Content-Length: 3\r\nETag: \"x\"", " wo")},
      {.bytes = PART("8-10/11", "Content-Length: 3", "rld")}},
     3,
     0,
     "hello world",
     "range: bytes=8-"},
    {"more than the whole",
     {{.bytes = WHOLE("ETag: \"x\"", "hello"), .hang_up = true},
      {.bytes = PART("5-10/11", "Content-Length: 7", " worlds")}},
     2,
     -EPROTO,
     "none",
     "range: bytes=5-"},
    {"no size of the whole",
     {{.bytes = WHOLE("ETag: \"x\"", "hello"), .hang_up = true},
      {.bytes = PART("5-10/*", "Content-Length: 6", " world")}},
     2,
     0,
     "hello world",
     "range: bytes=5-"},
    {"more breaks than may be",
     {{.bytes = WHOLE("ETag: \"x\"", "hello"), .hang_up = true},
      {.bytes = PART("5-10/11", "Content-Length: 6\r\nETag: \"x\"", " "), .hang_up = true},
      {.bytes = PART("6-10/11", "Content-Length: 5\r\nETag: \"x\"", "w"), .hang_up = true},
      {.bytes = PART("7-10/11", "Content-Length: 4\r\nETag: \"x\"", "o"), .hang_up = true}},
     4,
     WF_EEND,
     "none",
     "range: bytes=7-"},
};

static const char *broken_name(size_t row)
{
    return broken[row].name;
}

static int save_from(struct scripted *server, const char *path, const char *partial, const struct wf_named *fields)
{
    struct wf_response response;
    char url[64];
    WF_CLIENT(client, .params = WF_NAMED({"p", "1"}), .times = {.head = WF_SECONDS(1)});
    int rc = wf_fetch_open(&client, wf_task_arena(), WF_GET, scripted_url(server, url), &response, .headers = fields);
    if (rc == 0) rc = wf_response_save(&response, path, .resumes = partial != NULL ? 0 : 3, .partial = partial);
    wf_response_close(&response);
    return rc;
}

WF_TEST_EACH(a_body_that_breaks_off_is_gone_on_with, broken, .row_name = broken_name)
{
    struct scripted server = {.count = row->count};
    memcpy(server.lines, row->lines, sizeof row->lines);
    WF_TEMPORARY_DIRECTORY(directory);
    if (!WF_EXPECT_CODE(directory.error, 0)) return;
    const char *path = path_in(&directory, "a");
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(scripted_start(&server, &scope), 0)) {
        WF_EXPECT_CODE(save_from(&server, path, NULL, NULL), row->code);
        WF_EXPECT_TEXT(content_of(path), row->content);
        WF_EXPECT_PART(server.asked, row->asked);
        WF_EXPECT(strstr(server.asked, "p=1&p=1") == NULL);
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

WF_TEST(a_partial_file_stays_and_is_gone_on_with_by_another_program)
{
    struct scripted server = {.lines = {{.bytes = WHOLE("ETag: \"x\"", "hello"), .hang_up = true},
                                        {.bytes = PART("4-10/11", "Content-Length: 7", "o world")},
                                        {.bytes = PART("5-10/11", "Content-Length: 6", " world")},
                                        {.bytes = WHOLE("ETag: \"x\"", "other words")}},
                              .count = 4};
    WF_TEMPORARY_DIRECTORY(directory);
    if (!WF_EXPECT_CODE(directory.error, 0)) return;
    const char *path = path_in(&directory, "a"), *partial = path_in(&directory, "a.part");
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(scripted_start(&server, &scope), 0)) {
        WF_EXPECT_CODE(save_from(&server, path, partial, NULL), WF_EEND);
        WF_EXPECT_TEXT(content_of(partial), "hello");
        const struct wf_named *range = WF_NAMED({"Range", "bytes=5-"}, {"If-Range", "\"x\""});
        WF_EXPECT_CODE(save_from(&server, path, partial, range), -EPROTO);
        WF_EXPECT_TEXT(content_of(path), "none");
        WF_EXPECT_CODE(save_from(&server, path, partial, range), 0);
        WF_EXPECT_TEXT(content_of(path), "hello world");
        WF_EXPECT_TEXT(content_of(partial), "none");
        WF_EXPECT_CODE(wf_file_replace(partial, "something else, and longer", 26, 0600), 0);
        WF_EXPECT_CODE(save_from(&server, path, partial, NULL), 0);
        WF_EXPECT_TEXT(content_of(path), "other words");
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

/* ---- Disks and cancels ---- */

WF_TEST(a_part_that_is_less_than_the_rest_does_not_become_the_file)
{
    struct scripted server = {.lines = {{.bytes = PART("5-7/11", "Content-Length: 3\r\nETag: \"x\"", " wo")}},
                              .count = 1};
    WF_TEMPORARY_DIRECTORY(directory);
    if (!WF_EXPECT_CODE(directory.error, 0)) return;
    const char *path = path_in(&directory, "a"), *partial = path_in(&directory, "a.part");
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(wf_file_replace(partial, "hello", 5, 0600), 0) &&
        WF_EXPECT_CODE(scripted_start(&server, &scope), 0)) {
        WF_EXPECT_FAILURE(save_from(&server, path, partial, WF_NAMED({"Range", "bytes=5-"})), WF_EEND,
                          "it gave bytes up to 8 of 11");
        WF_EXPECT_TEXT(content_of(path), "none");
        WF_EXPECT_TEXT(content_of(partial), "hello wo");
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

WF_TEST(a_full_disk_is_said_with_the_path_and_keeps_only_the_partial_file, .simulated = true)
{
    static char bytes[100000];
    int head = snprintf(bytes, 100, "HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n");
    memset(bytes + head, 'x', 90000);
    struct scripted server = {.lines = {{.bytes = bytes}, {.bytes = bytes}}, .count = 2};
    struct stat status = {.st_size = 0};
    WF_TEMPORARY_DIRECTORY(directory);
    if (!WF_EXPECT_CODE(directory.error, 0)) return;
    const char *path = path_in(&directory, "a"), *partial = path_in(&directory, "a.part");
    WF_SCOPE(scope);
    wf_sim_set_faults(.disk_size_max = 65536);
    if (WF_EXPECT_CODE(scripted_start(&server, &scope), 0)) {
        WF_EXPECT_CODE(save_from(&server, path, NULL, NULL), -ENOSPC);
        WF_EXPECT_INT(count_names(&directory), 0);
        WF_EXPECT_FAILURE(save_from(&server, path, partial, NULL), -ENOSPC, "a.part: No space left on device");
        if (WF_EXPECT_CODE(wf_stat(partial, &status), 0)) WF_EXPECT(status.st_size > 50000);
        WF_EXPECT_INT(count_names(&directory), 1);
    }
    wf_sim_set_faults(.disk_size_max = 0);
    wf_ignore(wf_scope_end(&scope, 0));
}

WF_TEST(a_save_that_is_cut_keeps_what_came_only_where_it_is_to_stay, .simulated = true)
{
    struct line line = {.bytes = WHOLE("ETag: \"x\"", "hello")};
    struct scripted server = {.lines = {line, line}, .count = 2};
    WF_TEMPORARY_DIRECTORY(directory);
    if (!WF_EXPECT_CODE(directory.error, 0)) return;
    const char *path = path_in(&directory, "a"), *partial = path_in(&directory, "a.part");
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(scripted_start(&server, &scope), 0)) {
        WF_EXPECT_CODE(wf_within(WF_SECONDS(1), save_from(&server, path, NULL, NULL)), -ETIME);
        WF_EXPECT_INT(count_names(&directory), 0);
        WF_EXPECT_CODE(wf_within(WF_SECONDS(1), save_from(&server, path, partial, NULL)), -ETIME);
        WF_EXPECT_TEXT(content_of(partial), "hello");
        WF_EXPECT_INT(count_names(&directory), 1);
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

WF_TEST_MAIN
