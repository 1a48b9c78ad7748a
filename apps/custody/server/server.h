/*
 * The server inside: what its files know of each other. The way of a request:
 *
 *     request -> paths.c (404) -> gate.c: token (tokens.c), rate (quota.c), scope, fault (faults.c), form of the body
 *        -> body.c (400) -> the checks of its route (inputs.c, 422) -> handler -> storage.h -> answer
 *
 * All that goes wrong on it is answered by errors.c.
 */
#ifndef CUSTODY_SERVER_H
#define CUSTODY_SERVER_H

#include <custody/types.h>
#include <weft/app.h>
#include <weft/depend.h>
#include <weft/health.h>
#include <weft/jwt.h>
#include <weft/model.h>
#include <weft/request.h>
#include <weft/weft.h>

#include "sandbox.h"

#define BASE_PATH "/v1"

enum { KEY_MAX = 512, CURSOR_SIZE = 50, FAULTS_MAX = 64, ID_DIGITS = 8 };

struct tokens;
struct quota;

struct fault {
    char *path;    /* below the base; ends with '*': all that begin so */
    int status;    /* 0: no error */
    int64_t delay; /* before it, or before the request goes on */
    double rate;   /* of the requests */
    int64_t left;  /* so often; -1: until it is replaced */
};

struct sandbox {
    struct sandbox_options options;
    struct wf_app app, v1;
    struct storage *storage;
    struct wf_arena arena; /* for what lasts as long */
    uint8_t key[KEY_MAX];  /* the secret, with zeros behind it: to HMAC that is the same key */
    size_t key_size;
    struct wf_jwt_options jwt;
    struct tokens *tokens;
    struct quota *quota;
    struct fault faults[FAULTS_MAX];
    unsigned fault_count;
    int checks_now, checks_peak; /* requests for a check that are being worked on */
    const char *description;     /* OpenAPI, once it was asked for */
    FILE *out;                   /* of sandbox_serve */
    uint16_t port;
};

/* ---- errors.c ---- */

/* What a problem's type says where the code of an answer is not "validation_failed". */
extern const char invalid_vin[], unknown_location[], unknown_transfer_type[], bad_cursor[], bad_event_id[];

/* Answers so. Returns a negative code, for a handler to return. */
WF_SUSPENDS int refuse(struct wf_request *request, int status, const char *code, const char *format, ...)
    WF_PRINTF_(4, 5);

/* Answers to what the storage gave: a refusal, or that something is not there. Passes negative codes on. */
WF_SUSPENDS int refuse_result(struct wf_request *request, int rc);

/* The code and the words of a refusal. */
const char *refusal_code(int rc);
const char *refusal_message(int rc);

/* struct wf_app's. */
int write_error(struct wf_request *request, const struct wf_error_answer *error, struct wf_json_writer *writer);

/* ---- gate.c ---- */

/* What a route with the gate says by its .arg; NULL: nothing of this. */
struct work {
    bool is_check; /* counted among those that are worked on at once */
    enum decision decision;
};

struct caller {
    struct sandbox *sandbox;
    const char *subject;
    bool counted; /* among those whose checks are worked on */
};

/* Of every route that is not open to all; its value is a struct caller. */
extern const struct wf_dependency gate;

/* The answer to a check is about to be sent: it is not worked on any more. */
void leave_checks(struct caller *caller);

/* ---- tokens.c ---- */

struct bearer {
    const char *subject, *scopes;
};

int tokens_create(struct sandbox *sandbox);

/* -EACCES, with a message, for a token that is not good. What it says is valid until the next call. */
WF_SUSPENDS int tokens_read(struct sandbox *sandbox, struct wf_arena *arena, const char *token, struct bearer *bearer);

/* ---- quota.c ---- */

struct quota_state {
    int64_t limit, remaining;
    int64_t reset; /* seconds */
};

int quota_create(int64_t count, int64_t per, struct quota **quota);
void quota_destroy(struct quota *quota);

/* Takes one of the subject's; -EAGAIN: there is none left. */
int quota_take(struct quota *quota, const char *subject, struct quota_state *state);

/* ---- faults.c ---- */

void faults_finish(struct sandbox *sandbox);

/* What was ordered for this path happens. 0: go on. */
WF_SUSPENDS int faults_act(struct wf_request *request, struct sandbox *sandbox);

extern const struct wf_model fault_order_model;
int check_fault(struct wf_request *request, struct wf_problems *problems);
WF_SUSPENDS int order_fault(struct wf_request *request);

/* ---- body.c ---- */

/* Of routes with a body: it is JSON to the letter, without a key twice and without U+0000; else 400. Its value is the
 * SHA-256 of what it says, whatever the order of its keys and the spaces between. */
extern const struct wf_dependency strict_body;

/* ---- inputs.c ---- */

/* Adds to the problems: a VIN that is none, an identity for repetitions that is none, what the query should not have.
 * Each is 0, or -ENOMEM, or what wf_problems_add gave. */
int check_vin(struct wf_request *request, struct wf_problems *problems, const char *where, const char *name,
              const char *text);
int check_key(struct wf_request *request, struct wf_problems *problems);
int check_query(struct wf_request *request, struct wf_problems *problems, const struct wf_model *model);
int check_no_query(struct wf_request *request, struct wf_problems *problems);

/* Of routes with {vin} and no query. */
int check_path_vin(struct wf_request *request, struct wf_problems *problems);

/* A text, its size bounded by the model, that has the form "AUTH-########". */
bool is_id(const char *text, const char *prefix);

/* ---- cursor.c ---- */

/* Where a page ends, signed together with its filter. `status` is its name, or "". */
struct cursor_filter {
    const char *vin, *status;
};
void cursor_make(const struct sandbox *sandbox, const struct cursor_filter *filter, const struct place *place,
                 char text[CURSOR_SIZE + 1]);

/* False: it is none, or of another filter. The place's id is put into `id`. */
bool cursor_read(const struct sandbox *sandbox, const struct cursor_filter *filter, const char *text,
                 struct place *place, char id[16]);

/* ---- Routes ---- */

/* paths.c: a middleware. What looks like a path of the API, but names nothing that could be there, is 404. */
WF_SUSPENDS int know_paths(struct wf_request *request, struct sandbox *sandbox);

/* Each declares its own. */
void releasability_routes(struct wf_app *app);
void authorization_routes(struct wf_app *app);
void transfer_routes(struct wf_app *app);
void event_routes(struct wf_app *app);
void sandbox_routes(struct wf_app *app);
void open_routes(struct wf_app *app, bool hidden);

/* The path's {vin}, normalized, which has been checked. */
const char *vin_of_path(struct wf_request *request, char vin[CUSTODY_VIN_MAX + 1]);

/* ---- once.c ---- */

/* What a change is asked for with, and its answer. */
WF_SUSPENDS int once_begin(struct wf_request *request, struct once *once);
WF_SUSPENDS int reply_once(struct wf_request *request, int rc, const struct once *once);

/* For once.say. */
int say_model(const struct wf_model *model, const void *value, struct wf_arena *arena, struct said *said);

#endif
