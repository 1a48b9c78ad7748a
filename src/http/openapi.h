/* The description of an app: what its routes say of themselves, as an OpenAPI document. */
#ifndef WEFT_HTTP_OPENAPI_H
#define WEFT_HTTP_OPENAPI_H

#include <weft/json.h>

#include "http/app.h"
#include "http/model.h"

struct wf_security_scheme;

enum { OPERATIONS_MAX = 4096, SCHEMES_MAX = 32 };

/* An app, and the one that it is mounted in. */
struct level {
    const struct wf_app *app;
    const struct level *outer;
    const char *prefix;
};

/* A route in the document. */
struct operation {
    const struct route *route;
    const struct level *level;
    const char *path;                   /* "/users/{id}", from the outermost app's root */
    bool problem_details;               /* its errors are (RFC 9457) */
    const struct wf_model *error_model; /* that its app has for them; NULL: none */
    const struct operation *head;       /* the first one of the same path, perhaps itself */
};

/* A document in the making. */
struct openapi {
    struct wf_app *app;
    struct wf_arena *arena;
    struct operation *operations;
    size_t count, room;
    struct models models; /* that it has schemas of */
    const struct wf_security_scheme *schemes[SCHEMES_MAX];
    unsigned scheme_count;
};

/* Collects operations and models; what is wrong with them is said. Finish it in any case. */
int openapi_collect(struct openapi *openapi, struct wf_app *app, struct wf_arena *arena);
void openapi_finish(struct openapi *openapi);

int openapi_write(const struct openapi *openapi, struct wf_json_writer *writer);

/* ---- openapi_operation.c ---- */

/* The models of its errors. */
int openapi_reach_errors(struct models *models, const struct operation *operation);

void openapi_write_operation(const struct openapi *openapi, const struct operation *operation,
                             struct wf_json_writer *writer);

/* ---- openapi_security.c ---- */

int openapi_collect_schemes(struct openapi *openapi);
bool openapi_is_guarded(const struct operation *operation);
void openapi_write_security(const struct operation *operation, struct wf_json_writer *writer);
void openapi_write_schemes(const struct openapi *openapi, struct wf_json_writer *writer);

/* ---- openapi_pages.c ---- */

/* Declares /openapi.json and /docs for the outermost app, once, where it wants them. */
int openapi_declare(struct wf_app *app);

#endif
