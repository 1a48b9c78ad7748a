/*
 * Files as answers: one file, or a folder of them.
 *
 *     static int manual(struct wf_request *request)
 *     {
 *         return wf_reply_file(request, "/srv/manual.pdf", .cache_control = "max-age=3600");
 *     }
 *     ...
 *     wf_static(&app, "/static", "/srv/www", .cache_control = "max-age=86400");
 *
 * Every answer has a strong ETag, made of the file's number, size and time, and Last-Modified. If-Match,
 * If-Unmodified-Since, If-None-Match, If-Modified-Since and If-Range are honoured (RFC 9110 section 13), and one or
 * several ranges (section 14): 206, 304, 412, 416. The kernel moves the bytes where it can.
 *
 * Threads: the loop's.
 */
#ifndef WEFT_STATIC_FILES_H
#define WEFT_STATIC_FILES_H

#include <weft/base.h>
#include <weft/request.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WF_RANGES_MAX = 16 }; /* of one request; with more, or where they are more than the file, all of it is sent */

struct wf_reply_file_options {
    size_t size;               /* filled by the macro */
    const char *content_type;  /* default: by the ending of the path */
    const char *cache_control; /* NULL: none */
    const char *download;      /* the name under which a browser shall keep it; NULL: it shows it */
};

/*
 * wf_reply_file(request, path, .option = value, ...) answers with a file. Returns 0.
 * Suspends: while the client does not take it. On cancel: the connection ends.
 * Errors: -ENOENT, -EACCES and other ones of opening, before an answer: return them, and they are answered; -ENOENT for
 * what is no file; later ones end the connection.
 */
#define wf_reply_file(request, path, ...)                                                                              \
    wf_reply_file_((request), (path),                                                                                  \
                   &(struct wf_reply_file_options){.size = sizeof(struct wf_reply_file_options), __VA_ARGS__})

struct wf_static_options {
    size_t size;               /* filled by the macro */
    const char *index;         /* of a folder; default "index.html"; "": none */
    const char *cache_control; /* NULL: none */
    bool precompressed;        /* name.br, name.zst or name.gz is sent instead of name, where it is there and the client
                                  takes it */
    bool symlinks;             /* follow them, wherever they lead; else they are not there */
    bool dotfiles;             /* names that begin with a dot are there, too */
};

/*
 * wf_static(&app, "/static", folder, .option = value, ...) answers GET and HEAD below a path ("": everywhere) with the
 * files of a folder. "." and "..", empty segments and what decodes to a slash or a zero byte are not there: 404.
 * A folder without its last slash is redirected to the one with it. What is wrong is said by wf_serve. Whoever may
 * write into the folder while it is served is trusted. Suspends: never.
 */
#define wf_static(app, prefix, folder, ...)                                                                            \
    wf_static_((app), (prefix), (folder),                                                                              \
               &(struct wf_static_options){.size = sizeof(struct wf_static_options), __VA_ARGS__})

/* "text/html; charset=utf-8" for "index.html"; "application/octet-stream" for an ending that is not known.
 * Suspends: never. Owns: a static text. Threads: any. */
WF_API const char *wf_media_type(const char *path);

/* ---- What the macros stand on: private ---- */

WF_API WF_SUSPENDS int wf_reply_file_(struct wf_request *request, const char *path,
                                      const struct wf_reply_file_options *options);
WF_API void wf_static_(struct wf_app *app, const char *prefix, const char *folder,
                       const struct wf_static_options *options);

#ifdef __cplusplus
}

#include <weft/cxx_http.h>
#endif
#endif
