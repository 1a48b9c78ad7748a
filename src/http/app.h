/* An app inside: its routes, its middleware, and what was wrong with them. */
#ifndef WEFT_HTTP_APP_H
#define WEFT_HTTP_APP_H

#include <weft/app.h>

#include "http/h1_parser.h"
#include "http/request.h"

struct network;
struct override;
struct pages;
struct segment;
struct site;

struct route {
    struct route *next; /* in the order of declaration */
    enum wf_method method;
    char *pattern;
    wf_handler *handler;
    struct wf_route_options options;
    const char *names[CAPTURES_MAX]; /* of the pattern, from left to right */
    unsigned captures;
    bool bound; /* it has models for inputs */
};

struct middleware {
    wf_middleware *call;
    void *arg;
};

struct mount {
    struct mount *next;
    const char *prefix;
    size_t size;
    struct wf_app *app;
};

enum { MIDDLEWARE_MAX = 32 };

/* What an app has beyond what its user filled in. Everything lies in the arena. */
struct wf_app_ {
    struct wf_arena arena;
    struct segment *root;
    struct route *routes, **routes_end;
    struct mount *mounts;
    struct override *overrides; /* of dependencies */
    struct middleware middleware[MIDDLEWARE_MAX];
    unsigned middlewares;
    struct h1_limits head_limits;
    struct wf_http_limits limits; /* with the defaults filled in */
    uint64_t skip_max;
    struct network *trusted; /* proxies */
    unsigned trusted_count;
    struct pages *pages; /* of the documentation, once they are declared */
    const struct wf_http_serve_options *serving; /* while wf_serve runs */
    struct site *site;                           /* while wf_app_run does */
    int mistake;                                 /* of a declaration: 0, or its code */
    char mistake_text[256];
};

/* NULL: out of memory. */
struct wf_app_ *app_private(struct wf_app *app);

/* The first mistake is the one that is told. */
void app_note_mistake(struct wf_app_ *app, int code, const char *format, ...) WF_PRINTF_(3, 4);

/* "GET, HEAD, OPTIONS" for bits of methods. */
const char *app_list_methods(struct wf_request *request, unsigned allowed);

/* Fills in what is not set, and tells what was wrong. */
int app_prepare(struct wf_app *app);

/* ---- router.c ---- */

void router_init(struct wf_app_ *app);

/* Adds a route to the tree; what is wrong with it is noted. */
void router_add(struct wf_app_ *app, struct route *route);

enum { METHODS_ALL = (1 << WF_METHODS) - 1 };

/*
 * Finds the route for the request's method and path, and fills in the captures. NULL: *allowed has the methods that
 * there are (0: no such path, or a path that is no path).
 */
const struct route *router_find(const struct wf_app *app, struct wf_request *request, const char *path,
                                unsigned *allowed);

/* ---- outcome.c ---- */

/* The status for what a handler returned, as the table in weft/app.h says; 0: none is sent. */
int outcome_status(int code);

#endif
