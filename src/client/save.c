/*
 * Answers into files. The contents get their name when they are whole and are what was promised: before, they are in a
 * file aside, or in one that stays when it fails, so that another program can go on with it.
 */
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <weft/extend.h>
#include <weft/file.h>
#include <weft/path.h>
#include <weft/retry.h>
#include <weft/task.h>
#include <weft/temporary.h>

#include "client/client.h"

enum { PIECE = 65536, FIELDS_MAX = 64, DIGEST_TEXT = 65 };

struct save {
    struct wf_response *response;
    const struct wf_save_options *options;
    const char *path;
    struct wf_replacement replacement; /* where nothing stays */
    struct wf_file *file;
    int64_t size;  /* of what is written */
    int64_t total; /* that it will have; -1: the answer's end is the end */
    EVP_MD_CTX *digest;
    char *buffer;
    uint32_t resumes;
};

static struct call *call_of(const struct save *save)
{
    return (struct call *)(void *)save->response->call_;
}

/* ---- The checksum ---- */

static int begin_digest(struct save *save)
{
    if (save->options->sha256 == NULL) return 0;
    if (strlen(save->options->sha256) != DIGEST_TEXT - 1)
        return wf_fail(-EINVAL, "a SHA-256 has 64 hexadecimal digits, not \"%.80s\"", save->options->sha256);
    if (save->digest == NULL) save->digest = EVP_MD_CTX_new();
    return save->digest != NULL && EVP_DigestInit_ex(save->digest, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
}

static void digest(struct save *save, const void *bytes, size_t size)
{
    if (save->digest != NULL) EVP_DigestUpdate(save->digest, bytes, size);
}

static int check_digest(const struct save *save)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[EVP_MAX_MD_SIZE];
    char text[DIGEST_TEXT];
    if (save->digest == NULL) return 0;
    if (EVP_DigestFinal_ex(save->digest, bytes, NULL) != 1) return -ENOMEM;
    for (size_t i = 0; i < 32; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[DIGEST_TEXT - 1] = '\0';
    if (strcasecmp(text, save->options->sha256) == 0) return 0;
    return wf_fail(-EBADMSG, "%s: its SHA-256 is %s, and not what was promised", save->response->url, text);
}

/* ---- Ranges ---- */

/* Where a part of the whole begins, and how large that is; -1: it does not say (RFC 9110 section 14.4). */
static bool find_range(const struct wf_response *response, int64_t *first, int64_t *total)
{
    const char *range = wf_response_header(response, "content-range");
    if (range == NULL || strncasecmp(range, "bytes ", 6) != 0 || range[6] < '0' || range[6] > '9') return false;
    char *end;
    *first = strtoll(range + 6, &end, 10);
    const char *slash = strchr(end, '/');
    if (*end != '-' || slash == NULL) return false;
    *total = slash[1] >= '0' && slash[1] <= '9' ? strtoll(slash + 1, NULL, 10) : -1;
    return true;
}

/* What says that it is still the same (RFC 9110 section 13.1.5): a strong tag, or a date where there is no tag. NULL:
 * nothing does. */
static const char *find_validator(const struct wf_response *response)
{
    const char *tag = wf_response_header(response, "etag");
    if (tag == NULL) return wf_response_header(response, "last-modified");
    return tag[0] == '"' ? tag : NULL;
}

/* What is there already counts, too. */
static int digest_file(struct save *save)
{
    int64_t at = 0;
    while (save->digest != NULL && at < save->size) {
        ssize_t got = wf_file_read_at(save->file, save->buffer, PIECE, at);
        if (got <= 0) return got < 0 ? (int)got : -EIO;
        digest(save, save->buffer, (size_t)got);
        at += got;
    }
    return 0;
}

/* The answer is a part, which must begin where the file ends, or the whole. */
static int begin_answer(struct save *save)
{
    int64_t first, total;
    int status = save->response->status;
    save->total = -1;
    if (status < 200 || status >= 300)
        return wf_fail(WF_ESTATUS, "%s: an answer of %d is not kept", save->response->url, status);
    if (status == 206 && (!find_range(save->response, &first, &total) || first != save->size))
        return wf_fail(-EPROTO, "%s: the part does not begin at byte %" PRId64, save->response->url, save->size);
    if (status == 206 && save->size > 0) save->total = total;
    if (status == 206 || save->size == 0) return 0;
    save->size = 0;
    int rc = wf_file_truncate(save->file, 0);
    return rc == 0 ? begin_digest(save) : rc;
}

/* ---- Bytes ---- */

static int write_piece(struct save *save, const void *bytes, size_t size)
{
    digest(save, bytes, size);
    int rc = wf_file_write_all_at(save->file, bytes, size, save->size, NULL);
    if (rc == 0) save->size += (int64_t)size;
    return rc;
}

static int copy_answer(struct save *save)
{
    struct wf_response *response = save->response;
    if (response->body != NULL) return response->size > 0 ? write_piece(save, response->body, response->size) : 0;
    for (;;) {
        ssize_t got = wf_response_read(response, save->buffer, PIECE);
        int rc = got > 0 ? write_piece(save, save->buffer, (size_t)got) : (int)got;
        if (rc < 0 || got == 0) return rc;
    }
}

/* A server may give less of the rest than it was asked for. */
static int copy_body(struct save *save)
{
    int rc = copy_answer(save);
    if (rc < 0 || save->total < 0 || save->size == save->total) return rc;
    return wf_fail(save->size < save->total ? WF_EEND : -EPROTO, "%s: it gave bytes up to %" PRId64 " of %" PRId64,
                   save->response->url, save->size, save->total);
}

/* ---- Going on ---- */

static bool may_go_on(const struct save *save, int code)
{
    const struct call *call = call_of(save);
    return save->resumes > 0 && wf_is_transient(code) && call->first_method == WF_GET && !call->decoded &&
           find_validator(save->response) != NULL;
}

static int add_fields(const struct save *save, struct wf_named *fields)
{
    struct wf_arena *arena = call_of(save)->arena;
    unsigned count = 0;
    const char *range = wf_arena_printf(arena, "bytes=%" PRId64 "-", save->size);
    const char *validator = wf_arena_strdup(arena, find_validator(save->response));
    if (range == NULL || validator == NULL) return -ENOMEM;
    fields[count++] = (struct wf_named){"range", range};
    fields[count++] = (struct wf_named){"if-range", validator};
    fields[count++] = (struct wf_named){"accept-encoding", "identity"};
    for (const struct wf_named *own = call_of(save)->options->headers; own != NULL && own->name != NULL; own++) {
        bool ours = strcasecmp(own->name, "range") == 0 || strcasecmp(own->name, "if-range") == 0 ||
                    strcasecmp(own->name, "accept-encoding") == 0;
        if (count >= FIELDS_MAX) return wf_fail(-E2BIG, "more than %d fields", FIELDS_MAX);
        if (!ours) fields[count++] = *own;
    }
    return 0;
}

static int ask_again(struct save *save, struct client *client, const struct wf_fetch_options *options,
                     const struct wf_url *url, struct wf_arena *arena)
{
    struct wf_client handle = {.private_ = (struct wf_client_ *)(void *)client};
    wf_response_close(save->response);
    if (client->closed) return -ESHUTDOWN;
    int rc = wf_fetch_open_(&handle, arena, WF_GET, url->text, options);
    return rc < 0 ? rc : begin_answer(save);
}

/* The rest of it, by another call like the first. */
static int go_on(struct save *save)
{
    const struct call *call = call_of(save);
    struct client *client = call->client;
    struct wf_fetch_options again = *call->options;
    struct wf_named *fields = wf_arena_array(call->arena, FIELDS_MAX + 1, sizeof *fields);
    if (fields == NULL) return -ENOMEM;
    memset(fields, 0, (FIELDS_MAX + 1) * sizeof *fields);
    int rc = add_fields(save, fields);
    if (rc < 0) return rc;
    again.headers = fields;
    again.whole_url_ = true;
    bool named = again.bearer != NULL || again.basic.user != NULL || call->first_url.user == NULL;
    if (!named) again.basic = (struct wf_basic){call->first_url.user, call->first_url.password};
    save->resumes--;
    client->references++;
    rc = ask_again(save, client, &again, &call->first_url, call->arena);
    client_release(client);
    return rc;
}

static int copy_all(struct save *save)
{
    int rc = begin_answer(save);
    if (rc == 0) rc = copy_body(save);
    while (rc < 0 && may_go_on(save, rc)) {
        rc = go_on(save);
        if (rc == 0) rc = copy_body(save);
    }
    return rc < 0 ? rc : check_digest(save);
}

/* ---- Files ---- */

static int save_aside(struct save *save)
{
    mode_t mode = save->options->mode != 0 ? save->options->mode : 0644;
    int rc = wf_replace_begin(save->path, mode, &save->replacement);
    if (rc < 0) return rc;
    save->file = save->replacement.file;
    rc = copy_all(save);
    if (rc == 0) rc = wf_replace_commit(&save->replacement);
    return wf_replace_abort(&save->replacement, rc);
}

static int open_partial(struct save *save)
{
    struct stat status = {.st_size = 0};
    mode_t mode = save->options->mode != 0 ? save->options->mode : 0644;
    int rc = wf_file_open(save->options->partial, O_RDWR | O_CREAT, mode, &save->file);
    if (rc == 0) rc = wf_file_status(save->file, &status);
    if (rc < 0) return rc;
    save->size = status.st_size;
    return digest_file(save);
}

static int save_in_partial(struct save *save)
{
    int rc = open_partial(save);
    if (rc == 0) rc = copy_all(save);
    if (rc == 0) rc = wf_file_sync(save->file);
    wf_file_close(save->file);
    return rc == 0 ? wf_rename(save->options->partial, save->path) : rc;
}

int wf_response_save_(struct wf_response *response, const char *path, const struct wf_save_options *options)
{
    struct save save = {.response = response, .options = options, .path = path, .resumes = options->resumes};
    if (options->size != sizeof *options || path == NULL) return -EINVAL;
    int rc = wf_checkpoint();
    if (rc == 0 && response->call_ == NULL) rc = -EBADF;
    if (rc == 0) rc = begin_digest(&save);
    if (rc < 0) return rc;
    save.buffer = wf_memory_alloc(PIECE);
    rc = save.buffer == NULL ? -ENOMEM : options->partial != NULL ? save_in_partial(&save) : save_aside(&save);
    wf_memory_free(save.buffer);
    EVP_MD_CTX_free(save.digest);
    return rc;
}
