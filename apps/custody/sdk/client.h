/*
 * The SDK inside. One call, from what the program asks to a value or an error:
 *
 *     vehicles.c, authorizations.c, transfers.c: what is asked for -> call.c: one call by weft's client, which retries
 *         -> the value by its model, in the caller's arena; or error.c: why not, for custody_error()
 *
 * pages.c and events.c make sources of such calls.
 */
#ifndef CUSTODY_SDK_CLIENT_H
#define CUSTODY_SDK_CLIENT_H

#include <custody/custody.h>
#include <weft/pipeline.h>

/* ---- client.c ---- */

struct custody_client_ {
    struct wf_client http;
    struct wf_retry_options retry;
    struct wf_pipeline pipeline;
    int (*find_token)(void *arg, struct wf_arena *arena, const char **token);
    void *find_token_arg;
    enum custody_vin_policy vin_policy;
    bool send_any_vin;
    bool bad_token;      /* it cannot be sent */
    uint32_t references; /* the handle's, and one for each call and source */
};

/* Its inside, held until sdk_release; NULL: it is not open, which is the task's error then, and the code of that is
 * in `rc`. */
struct custody_client_ *sdk_hold(const struct custody_client *client, int *rc);
void sdk_release(struct custody_client_ *inside);

/* ---- call.c ---- */

struct asked {
    enum wf_method method;
    const char *path;
    const char *subject; /* a VIN: a message about it names it; NULL: none */
    const struct wf_named *params;
    const struct wf_model *body_model; /* NULL: no body */
    const void *body;
    const char *key; /* of a change; NULL: one of its own */
    const struct wf_model *answer_model;
    void *answer;
};

/* Returns 0 or a code, whose details are the task's error. Suspends. */
int sdk_call(struct custody_client *client, struct wf_arena *arena, const struct asked *asked);

/* The VIN as it is sent; NULL: it is none, which is the task's error then. `room` is for it, where it is a VIN. */
const char *sdk_vin(const struct custody_client *client, const char *text, char room[CUSTODY_VIN_MAX + 1]);

/* Are all of a body's texts there? */
struct sdk_text {
    const char *name, *text;
};
int sdk_need(const char *vin, const struct sdk_text *texts, size_t count);

/* A path with a text as a segment of it; NULL: it cannot be one, or there is no memory, as `rc` says. */
const char *sdk_path(struct wf_arena *arena, const char *before, const char *text, const char *behind, int *rc);

/* ---- error.c: each is the task's error from then on, and its code is given back ---- */

int sdk_error_set(const struct custody_error *error);

/* Something that is asked for makes no sense. */
int sdk_error_invalid(const char *code, const char *loc, const char *format, ...) WF_PRINTF_(3, 4);

/* There was no answer. */
int sdk_error_unanswered(int rc, const char *subject);

/* There was one, and it is not what was asked for. */
int sdk_error_answered(const struct wf_response *response, const char *subject, struct wf_arena *arena);

/* There was one that is no such thing, as wf_failure says. */
int sdk_error_senseless(const struct wf_response *response, const char *subject);

#endif
