/*
 * The live page: its files (page/) are in the binary, each with a tag of its contents. A browser asks every time
 * whether they are still the same, because another version may be started at the same port.
 *
 * The page may run and load what comes from here and nothing else. The token that it is opened with stands behind the #
 * of its address, which no browser sends; where the page comes from is told to nobody either.
 */
#include "page.h"

#include <stddef.h>
#include <string.h>
#include <weft/request.h>

#define FILES(M)                                                                                                       \
    M("/", index_html, "text/html; charset=utf-8")                                                                     \
    M("/page/style.css", style_css, "text/css; charset=utf-8")                                                         \
    M("/page/icon.svg", icon_svg, "image/svg+xml")                                                                     \
    M("/page/theme.js", theme_js, SCRIPT)                                                                              \
    M("/page/main.js", main_js, SCRIPT)                                                                                \
    M("/page/api.js", api_js, SCRIPT)                                                                                  \
    M("/page/stream.js", stream_js, SCRIPT)                                                                            \
    M("/page/dom.js", dom_js, SCRIPT)                                                                                  \
    M("/page/dialogs.js", dialogs_js, SCRIPT)                                                                          \
    M("/page/vehicles.js", vehicles_js, SCRIPT)                                                                        \
    M("/page/authorizations.js", authorizations_js, SCRIPT)                                                            \
    M("/page/transfers.js", transfers_js, SCRIPT)                                                                      \
    M("/page/events.js", events_js, SCRIPT)
#define SCRIPT "text/javascript; charset=utf-8"

#define DECLARE(path, name, type) extern const char page_##name##_begin[], page_##name##_end[], page_##name##_tag[];
FILES(DECLARE)

static const struct file {
    const char *path, *type, *begin, *end, *tag;
} files[] = {
#define ENTRY(path, name, type) {path, type, page_##name##_begin, page_##name##_end, page_##name##_tag},
    FILES(ENTRY)};

static const char policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                             "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const char *const fields[][2] = {
    {"content-security-policy", policy},
    {"x-content-type-options", "nosniff"},
    {"referrer-policy", "no-referrer"},
    {"cache-control", "no-cache"},
};

/* Tags have their quotes, so that none is found inside of another. */
static bool is_known(struct wf_request *request, const char *tag)
{
    const char *known = wf_request_header(request, "if-none-match");
    return known != NULL && (strcmp(known, "*") == 0 || strstr(known, tag) != NULL);
}

static int show_file(struct wf_request *request)
{
    const struct file *file = wf_request_arg(request);
    int rc = wf_reply_header(request, "etag", file->tag);
    for (size_t i = 0; rc == 0 && i < WF_COUNT(fields); i++) rc = wf_reply_header(request, fields[i][0], fields[i][1]);
    if (rc < 0) return rc;
    if (is_known(request, file->tag)) return wf_reply_empty(request, 304);
    return wf_reply_bytes(request, 200, file->type, file->begin, (size_t)(file->end - file->begin));
}

void page_routes(struct wf_app *app)
{
    for (size_t i = 0; i < WF_COUNT(files); i++)
        wf_route(app, WF_GET, files[i].path, show_file, .arg = (void *)(uintptr_t)&files[i], .hidden = true);
}
