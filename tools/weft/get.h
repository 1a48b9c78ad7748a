/*
 * weft get: URLs to files, several at once, by the program weft-get, which the command becomes:
 *
 *     get.c: the command line -> get_name.c: a name and a sum for each URL
 *         -> get_run.c: the client, a task for each, Ctrl-C -> get_load.c: one of them
 *         -> get_show.c: lines while they run, a line for each that ended, the summary
 */
#ifndef WEFT_TOOLS_GET_H
#define WEFT_TOOLS_GET_H

#include <weft/client.h>
#include <weft/json.h>
#include <weft/tls.h>
#include <weft/weft.h>

#include "command.h"

enum { NAME_MAX_BYTES = 200 }; /* leaves room for what is put behind it */

enum state {
    STATE_WAITING,
    STATE_RUNNING,
    STATE_DONE,
    STATE_THERE, /* it was, before */
    STATE_FAILED,
};

struct download {
    struct get *get;
    const char *url;
    const char *path;       /* NULL: standard output */
    const char *part, *tag; /* its file while it is not whole; and what that is a part of */
    const char *sha256;     /* NULL: none is known */
    bool named;             /* by the URL or the command line; else the server may say better */
    enum state state;
    int code;
    const char *message; /* STATE_FAILED */
    int64_t began, took;
    uint64_t before;              /* bytes of the part that it goes on with */
    uint64_t gone, come;          /* of earlier calls, and of this one */
    int64_t total;                /* of the file; -1: not known */
    uint64_t calls;               /* that were reported */
    struct wf_call_report report; /* of the first, with what came in all of them */
};

struct get {
    /* The command line */
    const char *output, *directory, *sums;
    const char *sha256, *bearer, *ca_file, *proxy;
    struct wf_basic basic;
    struct wf_named *headers; /* ends with a name of NULL */
    size_t header_count;
    uint32_t jobs, retries;
    int64_t timeout; /* of each; 0: none */
    int version;     /* WF_HTTP_... */
    bool resume, insecure, json, quiet, remote_name;

    struct download *downloads;
    size_t count;

    /* While it runs */
    struct wf_client *client;
    struct wf_scope *scope; /* of the downloads */
    int64_t began;
    int signal;    /* that ended it; 0: none */
    bool terminal; /* standard error is one, and lines may be drawn there */
    int lines;     /* that are drawn now */
};

/* ---- get_name.c ---- */

/* Text that may be a file's name, and may be shown: without slashes, control characters, dots in front; UTF-8. */
char *clean_name(const char *text);

/* The last part of a URL's path, decoded and cleaned; NULL: it ends with a slash. */
char *name_of_url(const char *url);

/* The name in a Content-Disposition field (RFC 6266), cleaned; NULL: there is none. */
char *name_of_disposition(const char *value);

/* A path in the directory; sets that, and what goes with it. */
void set_path(struct download *download, const char *directory, const char *name);

/* Finds a path and a sum for each; false: it cannot be, which was said. */
bool name_downloads(struct get *get);

/* ---- get_load.c ---- */

/* A task: gets one; what became of it is in the download. */
int load_download(struct download *download);

/* For the client: what a call of a download took. */
void note_call(void *get, const struct wf_call_report *report);

/* ---- get_run.c ---- */

/* All of them. Gives the exit status. */
int run_downloads(struct get *get);

/* ---- get_show.c ---- */

/* Draws a line for each download that runs; takes them away. */
void draw_lines(struct get *get);
void erase_lines(struct get *get);

/* One has ended. */
void show_end(struct download *download);
void show_summary(struct get *get);

#endif
