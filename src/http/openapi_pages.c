/*
 * /openapi.json and /docs: made when they are first asked for, and kept in the app's arena.
 *
 * The page is one piece of HTML that was put together by the build (docs_page/). Its style and its script stand in it,
 * and nothing else may run there or be loaded: the policy names them by their digests.
 */
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <weft/task.h>

#include "http/conditions.h"
#include "http/openapi.h"

enum { DIGEST_TEXT = 48 }; /* base64 of SHA-256, with its end */

struct page {
    const char *text; /* NULL: nobody has asked yet */
    size_t size;
    char etag[DIGEST_TEXT + 2];
};

struct pages {
    struct page document, html;
    char policy[512];
};

extern const char docs_page_begin[], docs_page_end[], docs_page_style_begin[], docs_page_style_end[],
    docs_page_script_begin[], docs_page_script_end[];

static void digest(const char *text, size_t size, char out[DIGEST_TEXT])
{
    unsigned char bytes[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)text, size, bytes);
    EVP_EncodeBlock((unsigned char *)out, bytes, sizeof bytes);
}

static void set_page(struct page *page, const char *text, size_t size)
{
    char tag[DIGEST_TEXT];
    digest(text, size, tag);
    snprintf(page->etag, sizeof page->etag, "\"%s\"", tag);
    page->text = text;
    page->size = size;
}

static int reply_page(struct wf_request *request, const struct page *page, const char *type)
{
    struct state_of state = {.etag = page->etag, .modified = -1};
    int rc = wf_reply_header(request, "etag", page->etag);
    if (rc == 0) rc = wf_reply_header(request, "cache-control", "no-cache");
    if (rc < 0) return rc;
    int status = conditions_check(request, &state);
    return status != 0 ? wf_reply_empty(request, status) : wf_reply_bytes(request, 200, type, page->text, page->size);
}

/* ---- The document ---- */

/* Written into the request's memory, so that a failure leaves nothing behind in the app's. */
static int make_document(struct wf_request *request, struct page *page)
{
    struct wf_app *app = wf_request_arg(request);
    struct wf_json_writer writer;
    struct openapi openapi;
    const char *text = "";
    size_t size = 0;
    wf_json_writer_init(&writer, wf_request_arena(request), 0);
    int rc = openapi_collect(&openapi, app, wf_request_arena(request));
    if (rc == 0) rc = openapi_write(&openapi, &writer);
    openapi_finish(&openapi);
    if (rc == 0) rc = wf_json_write_end(&writer, &text, &size);
    if (rc < 0) return rc;
    const char *kept = wf_arena_strndup(&app->private_->arena, text, size);
    if (kept == NULL) return -ENOMEM;
    set_page(page, kept, size);
    return 0;
}

static int show_document(struct wf_request *request)
{
    const struct wf_app *app = wf_request_arg(request);
    struct page *page = &app->private_->pages->document;
    int rc = page->text == NULL ? make_document(request, page) : 0;
    return rc < 0 ? rc : reply_page(request, page, "application/json");
}

/* ---- The page ---- */

static void make_policy(struct pages *pages)
{
    char style[DIGEST_TEXT], script[DIGEST_TEXT];
    digest(docs_page_style_begin, (size_t)(docs_page_style_end - docs_page_style_begin), style);
    digest(docs_page_script_begin, (size_t)(docs_page_script_end - docs_page_script_begin), script);
    snprintf(pages->policy, sizeof pages->policy,
             "default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; connect-src 'self'; img-src data:; "
             "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
             style, script);
}

static int show_page(struct wf_request *request)
{
    const struct wf_app *app = wf_request_arg(request);
    struct pages *pages = app->private_->pages;
    if (pages->html.text == NULL) {
        set_page(&pages->html, docs_page_begin, (size_t)(docs_page_end - docs_page_begin));
        make_policy(pages);
    }
    int rc = wf_reply_header(request, "content-security-policy", pages->policy);
    if (rc == 0) rc = wf_reply_header(request, "x-content-type-options", "nosniff");
    if (rc == 0) rc = wf_reply_header(request, "referrer-policy", "no-referrer");
    return rc < 0 ? rc : reply_page(request, &pages->html, "text/html; charset=utf-8");
}

/* ---- Declaration ---- */

static bool has_route(const struct wf_app_ *app, const char *pattern)
{
    for (const struct route *route = app->routes; route != NULL; route = route->next)
        if (route->method == WF_GET && strcmp(route->pattern, pattern) == 0) return true;
    return false;
}

/* What would be wrong with the document is told before anybody asks for it. */
static int check(struct wf_app *app)
{
    struct wf_arena arena;
    struct openapi openapi;
    wf_arena_init(&arena);
    int rc = openapi_collect(&openapi, app, &arena);
    openapi_finish(&openapi);
    wf_arena_finish(&arena);
    return rc;
}

int openapi_declare(struct wf_app *app)
{
    struct wf_app_ *private = app->private_;
    if (app->no_docs || private->pages != NULL) return 0;
    int rc = check(app);
    if (rc < 0) return rc;
    private->pages = wf_arena_new(&private->arena, struct pages);
    if (private->pages == NULL) return -ENOMEM;
    if (!has_route(private, "/openapi.json"))
        wf_route(app, WF_GET, "/openapi.json", show_document, .arg = app, .hidden = true);
    if (!has_route(private, "/docs")) wf_route(app, WF_GET, "/docs", show_page, .arg = app, .hidden = true);
    return private->mistake == 0 ? 0 : wf_fail(private->mistake, "%s", private->mistake_text);
}
