/*
 * One download. Its bytes are in PATH.part until it is whole; PATH.part.tag says of what they are a part: the strong
 * ETag of the answer, or its date, for If-Range. Where an answer begins anew the part goes first, and the tag with it,
 * so that no crash leaves a tag with bytes of something else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "get.h"

enum { BUFFER = 65536, TAG_MAX = 1024 };

#define CLEANUP_NS WF_SECONDS(10)

static struct wf_local current = {.name = "download"};

struct loading {
    struct download *download;
    struct wf_response response;
    struct wf_file *lock; /* the part, open, so that nobody else writes it */
    const char *known;    /* the tag of the part; NULL: it cannot be gone on with */
};

/* ---- What is told ---- */

void note_call(void *get, const struct wf_call_report *report)
{
    (void)get;
    struct download *download = wf_local_get(&current);
    if (download == NULL) return;
    uint64_t received = download->report.received + report->received;
    if (download->calls++ == 0) download->report = *report;
    download->report.received = received;
    download->report.status = report->status;
    download->report.version = report->version;
}

/* The library counts anew for each call that goes on with a body. */
static void note_progress(void *argument, uint64_t done, int64_t total)
{
    struct download *download = argument;
    if (done < download->come) download->gone += download->come;
    download->come = done;
    download->total = total < 0 ? -1 : (int64_t)(download->before + download->gone) + total;
}

/* Why it failed, before anything that tidies up fails too. Who was cut does not know why. */
static void note_failure(struct download *download, int rc)
{
    if (rc >= 0 || rc == -ECANCELED) return;
    const char *told = wf_failure();
    download->message = format_text("%s", told != NULL ? told : wf_strerror(rc));
}

/* ---- Parts ---- */

static int drop(const char *path)
{
    int rc = wf_unlink(path);
    return rc == -ENOENT ? 0 : rc;
}

static int drop_part(const struct download *download)
{
    int rc = drop(download->tag);
    return rc < 0 ? rc : drop(download->part);
}

/* One writes it at a time. Who had it may have finished it meanwhile: then what is open has another name by now. */
static int lock_part(struct loading *loading)
{
    const char *part = loading->download->part;
    struct stat named, opened;
    int rc = wf_file_open(part, O_RDWR | O_CREAT, 0666, &loading->lock);
    if (rc == 0) rc = wf_file_try_lock(loading->lock, WF_LOCK_EXCLUSIVE);
    if (rc == 0) rc = wf_file_status(loading->lock, &opened);
    if (rc == 0) rc = wf_stat(part, &named);
    if (rc == 0 && (named.st_ino != opened.st_ino || named.st_dev != opened.st_dev)) rc = -EAGAIN;
    loading->download->before = rc == 0 ? (uint64_t)opened.st_size : 0;
    return rc == -EAGAIN ? wf_fail(-EBUSY, "%s: something else is writing it", part) : rc;
}

static int begin_part(struct loading *loading, bool resume)
{
    struct download *download = loading->download;
    size_t size;
    char *tag = NULL;
    int rc = lock_part(loading);
    if (rc < 0 || !resume || download->before == 0) return rc;
    rc = wf_file_load(download->tag, TAG_MAX, wf_task_arena(), &tag, &size);
    if (rc < 0) return rc == -ENOENT || rc == -EFBIG ? 0 : rc;
    loading->known = size > 0 && size == strcspn(tag, "\r\n") ? tag : NULL;
    return 0;
}

/* What If-Range may carry (RFC 9110 section 13.1.5): a strong tag, or a date where there is no tag; not one of the very
 * second of the answer, in which it may change again. NULL: nothing. */
static const char *find_tag(const struct wf_response *response)
{
    const char *tag = wf_response_header(response, "etag"), *date = wf_response_header(response, "date");
    const char *changed = wf_response_header(response, "last-modified");
    if (tag != NULL) return tag[0] == '"' && strlen(tag) < TAG_MAX ? tag : NULL;
    return date != NULL && changed != NULL && strcmp(date, changed) != 0 && strlen(changed) < TAG_MAX ? changed : NULL;
}

/* The answer is the whole: what there was of it is nothing worth. */
static int start_over(struct loading *loading)
{
    struct download *download = loading->download;
    const char *tag = find_tag(&loading->response);
    struct wf_file *file;
    download->before = 0;
    int rc = drop(download->tag);
    if (rc == 0) rc = wf_file_truncate(loading->lock, 0);
    if (rc < 0 || tag == NULL) return rc;
    rc = wf_file_open(download->tag, O_WRONLY | O_CREAT | O_TRUNC, 0666, &file);
    if (rc < 0) return rc;
    rc = wf_file_write_all(file, tag, strlen(tag), NULL);
    wf_file_close(file);
    return rc;
}

/* ---- Calls ---- */

static int open_call(struct loading *loading)
{
    struct download *download = loading->download;
    const char *range = wf_arena_printf(wf_task_arena(), "bytes=%llu-", (unsigned long long)download->before);
    const struct wf_named rest[] = {{"Range", range}, {"If-Range", loading->known}, {NULL, NULL}};
    download->gone = download->come = 0;
    download->total = -1;
    return wf_fetch_open(download->get->client, wf_task_arena(), WF_GET, download->url, &loading->response,
                         .headers = loading->known != NULL ? rest : NULL, .progress = note_progress,
                         .progress_arg = download);
}

/* 416: the part is as long as the whole or longer, and cannot be gone on with. It is asked for anew. */
static int ask(struct loading *loading)
{
    int rc = open_call(loading);
    if (rc < 0 || loading->known == NULL || loading->response.status != 416) return rc;
    wf_response_close(&loading->response);
    loading->known = NULL;
    return open_call(loading);
}

static int check(struct wf_response *response)
{
    if (response->status >= 200 && response->status < 300) return 0;
    return wf_fail(WF_ESTATUS, "%d %s", response->status, wf_status_reason(response->status));
}

/* ---- To a file ---- */

static int save(struct loading *loading)
{
    struct download *download = loading->download;
    int rc = ask(loading);
    if (rc == 0) rc = check(&loading->response);
    if (rc == 0 && loading->response.status != 206) rc = start_over(loading);
    if (rc < 0) return rc;
    rc = wf_response_save(&loading->response, download->path, .partial = download->part, .sha256 = download->sha256,
                          .mode = 0666, .resumes = download->get->retries);
    if (rc == 0) wf_ignore(wf_shielded(CLEANUP_NS, drop(download->tag)));
    return rc;
}

/* An empty part is of no use to anybody. */
static void leave_part(struct loading *loading, int rc)
{
    struct stat status;
    if (loading->lock == NULL) return;
    bool empty = rc < 0 && rc != -EBUSY && wf_file_status(loading->lock, &status) == 0 && status.st_size == 0;
    if (empty) wf_ignore(wf_shielded(CLEANUP_NS, drop_part(loading->download)));
    wf_file_close(loading->lock);
}

static int load_file_whole(struct loading *loading)
{
    int rc = begin_part(loading, loading->download->get->resume);
    if (rc == 0) rc = save(loading);
    note_failure(loading->download, rc);
    if (rc == -EBADMSG || rc == -EPROTO) wf_ignore(wf_shielded(CLEANUP_NS, drop_part(loading->download)));
    wf_response_close(&loading->response);
    leave_part(loading, rc);
    return rc;
}

/* ---- To a file that the server may name: no later run knows where its part is, so that none is left ---- */

static int choose_path(struct loading *loading)
{
    struct download *download = loading->download;
    struct stat status;
    const char *field = wf_response_header(&loading->response, "content-disposition");
    char *name = field != NULL ? name_of_disposition(field) : NULL;
    if (name == NULL && !download->get->remote_name) return 0;
    if (name != NULL) set_path(download, download->get->directory, name);
    int rc = wf_lstat(download->path, &status);
    if (rc == 0) return wf_fail(-EEXIST, "%s is there already", download->path);
    return rc == -ENOENT ? 0 : rc;
}

static int load_named(struct loading *loading)
{
    struct download *download = loading->download;
    int rc = ask(loading);
    if (rc == 0) rc = check(&loading->response);
    if (rc == 0) rc = choose_path(loading);
    if (rc == 0) rc = lock_part(loading);
    if (rc == 0) rc = start_over(loading);
    if (rc == 0)
        rc = wf_response_save(&loading->response, download->path, .partial = download->part, .sha256 = download->sha256,
                              .mode = 0666, .resumes = download->get->retries);
    note_failure(download, rc);
    wf_response_close(&loading->response);
    if (loading->lock != NULL && rc != -EBUSY) wf_ignore(wf_shielded(CLEANUP_NS, drop_part(download)));
    leave_part(loading, rc);
    return rc;
}

/* ---- To standard output ---- */

static int copy(struct wf_response *response, struct wf_stream *output)
{
    char *buffer = wf_arena_alloc(wf_task_arena(), BUFFER);
    ssize_t got = 0;
    int rc = buffer == NULL ? -ENOMEM : 0;
    while (rc == 0 && (got = wf_response_read(response, buffer, BUFFER)) > 0)
        rc = wf_stream_write_all(output, buffer, (size_t)got, NULL);
    return rc < 0 ? rc : (int)got;
}

static int print(struct loading *loading)
{
    struct wf_stream *output = NULL;
    int rc = ask(loading);
    if (rc == 0) rc = check(&loading->response);
    if (rc == 0) rc = wf_stdout(&output);
    if (rc == 0) rc = copy(&loading->response, output);
    wf_response_close(&loading->response);
    wf_stream_close(output);
    return rc;
}

/* ---- One ---- */

/* What an earlier run finished. */
static bool is_there(const struct download *download)
{
    struct stat status;
    if (!download->get->resume || download->path == NULL || download->sha256 != NULL) return false;
    return wf_stat(download->path, &status) == 0 && wf_stat(download->part, &status) == -ENOENT;
}

static int load(struct download *download)
{
    struct loading loading = {.download = download};
    WF_BIND(binding, &current, download);
    if (download->path == NULL) return print(&loading);
    return download->named ? load_file_whole(&loading) : load_named(&loading);
}

int load_download(struct download *download)
{
    int64_t timeout = download->get->timeout;
    download->began = wf_now();
    download->state = STATE_RUNNING;
    bool there = is_there(download);
    int rc = there ? 0 : timeout > 0 ? wf_within(timeout, load(download)) : load(download);
    if (rc < 0 && download->message == NULL)
        download->message = rc == -ETIME ? format_text("not there after %g s", (double)timeout / 1e9) : wf_strerror(rc);
    download->code = rc;
    download->took = wf_now() - download->began;
    download->state = rc < 0 ? STATE_FAILED : there ? STATE_THERE : STATE_DONE;
    show_end(download);
    return 0;
}
