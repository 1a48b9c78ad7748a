/*
 * The custody SDK: is a vehicle releasable, who may fetch it, who has it.
 *
 *     CUSTODY_CLIENT(client, custody_sandbox("your-jwt-token"));
 *     struct custody_releasability result;
 *     int rc = custody_check_vin(&client, wf_task_arena(), "9HGBH41JXMN999999", &result);
 *     if (rc < 0) printf("Error - %s\n", custody_error()->message);
 *     else printf("%s\n", result.is_releasable ? "Releasable" : "Not releasable");
 *
 * One client for a program, however many tasks use it: it keeps its connections. Each call is cut by the deadline of
 * the scope that it is made in, and has none of its own; only a peer that is silent for a minute is given up
 * (weft/client.h, struct wf_client_times). Reads are tried again where that helps (no connection, no answer, 429, 502,
 * 503, 504); so are changes, because each has an idempotency key by which the service makes it once. A service that
 * asks to be left alone for a while (Retry-After) is, unless the deadline comes before: then its answer is the error.
 *
 * Codes: -EINVAL what was sent is wrong (400, 422 and their like); -EACCES the token is not good (401), or there is
 * none; -EPERM it may not do that (403); -ENOENT not found (404); -EEXIST conflict (409); -EAGAIN too many requests
 * (429); -EREMOTEIO the service failed (5xx), or gave an answer that is none; -ETIME a limit of this library;
 * -ECANCELED the task was cancelled, or cut by a deadline: the scope that has it gives -ETIME; -EBADF, -ESHUTDOWN the
 * client is closed; -ENOMEM; WF_EFULL too many calls wait; others: no connection. custody_error() has the details.
 *
 * What a call gives lives in its arena; VINs, ids and other texts are yours, and needed for its time only. Calls
 * suspend until the answer is there; where they are cancelled they are given up, and what was asked for may have
 * happened all the same. Threads: the tasks of one loop.
 */
#ifndef CUSTODY_CUSTODY_H
#define CUSTODY_CUSTODY_H

#include <custody/types.h>
#include <weft/client.h>
#include <weft/weft.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CUSTODY_SANDBOX_URL "http://127.0.0.1:8780/v1"
#define CUSTODY_PRODUCTION_URL "https://api.custody.example/v1"

/* ---- Errors ---- */

enum custody_error_kind {
    CUSTODY_NO_ERROR,
    CUSTODY_VALIDATION,
    CUSTODY_AUTHENTICATION,
    CUSTODY_PERMISSION,
    CUSTODY_NOT_FOUND,
    CUSTODY_CONFLICT,
    CUSTODY_RATE_LIMIT,
    CUSTODY_SERVER,
    CUSTODY_TIMEOUT,
    CUSTODY_CONNECTION,
    CUSTODY_CANCELLATION,
    CUSTODY_OTHER, /* of this program: no memory, a client that is closed */
};

/* Why a call of this library failed. */
struct custody_error {
    enum custody_error_kind kind;
    int rc;              /* what the call returned */
    int status;          /* of the answer; 0: there was none */
    const char *code;    /* of the service, "invalid_vin"; "" where it said none */
    const char *message; /* for people, also in wf_failure(); never empty; names the vehicle, where it was about one */
    const char *request_id;                   /* by which the service knows the call; "" */
    int64_t retry_after;                      /* ns, of a rate limit or an outage; 0: not said */
    const struct custody_error_field *fields; /* what is wrong where, of a VALIDATION */
    size_t field_count;
};

/* Of the calling task's last call that failed, whatever succeeded since; never NULL. Each task has its own. Lasts until
 * its next failure, its end, or the reset of its arena (wf_task_arena). Suspends: never. */
const struct custody_error *custody_error(void);

/* "ValidationError", "NotFoundError" ...; of CUSTODY_OTHER "CustodyError". Suspends: never. Threads: any. */
const char *custody_error_name(enum custody_error_kind kind);

/* ---- The client ---- */

struct custody_client;

struct custody_client_options {
    size_t size; /* filled by the macro */
    struct custody_client *client_;
    struct wf_background *tasks; /* of custody_client_open: whose its tasks are; NULL: its own */
    const char *base_url;        /* default: the environment's CUSTODY_URL, else the sandbox's */
    const char *token;           /* a JWT; default: the environment's CUSTODY_TOKEN; or */
    /* is called for one before the first call, and again when the service no longer takes it: by one call, while others
     * that need it wait. May suspend. Gives a text that lives in the arena; a code, with wf_fail: there is none. */
    int (*find_token)(void *arg, struct wf_arena *arena, const char **token);
    void *find_token_arg;
    int attempts;                       /* of a call, where trying again is safe; default 3; 1: never again */
    enum custody_vin_policy vin_policy; /* a VIN that is none is refused before anything is sent; default lenient */
    bool send_any_vin;                  /* leaves that to the service */
    struct wf_app *app;                 /* for tests: a service in the same process, without a network */
    const char *record, *replay;        /* for tests: answers on file (weft/client.h) */
    uint32_t connections;               /* at once; default 30 */
    const char *place_;
};

/* Fixed size; lives in the block that opened it. */
struct custody_client {
    struct custody_client_ *private_;
    int failed_; /* to be opened */
    void *reserved_[4];
};

/* Options of a client: of the sandbox, where it is (CUSTODY_URL says where, else CUSTODY_SANDBOX_URL), or of the real
 * service. */
#define custody_sandbox(token_text) .token = (token_text)
#define custody_production(token_text) .base_url = CUSTODY_PRODUCTION_URL, .token = (token_text)

/*
 * CUSTODY_CLIENT(client, .option = value, ...) declares the variable `client` and opens it for the block; leaving that
 * closes its connections. Nothing is connected before the first call; what is wrong with the options is said by it.
 * Suspends: opening never; leaving as WF_CLIENT.
 */
#define CUSTODY_CLIENT(name, ...)                                                                                      \
    struct custody_client name __attribute__((cleanup(custody_client_close), unused)) = {.failed_ = 0};                \
    custody_client_open(&name, __VA_ARGS__)

/*
 * custody_client_open(&client, .option = value, ...): the same for one that lies elsewhere, and is zeroed. With .tasks
 * it may be closed by any task, before that background ends. Without, its tasks belong to the task that opens it, as
 * those of a scope: that task closes it, before what it opened earlier ends.
 * Suspends: never. Owns: custody_client_close. Errors: -EALREADY where it is open; -ENOMEM.
 */
#define custody_client_open(client, ...)                                                                               \
    custody_client_open_(&(struct custody_client_options){.size = sizeof(struct custody_client_options),               \
                                                          .place_ = WF_HERE_,                                          \
                                                          .client_ = (client),                                         \
                                                          ##__VA_ARGS__})

/* Calls under way elsewhere end with -ESHUTDOWN. May be said twice; the client may be opened again.
 * Suspends: as leaving WF_CLIENT; with .tasks never. On cancel: goes on. */
WF_SUSPENDS void custody_client_close(struct custody_client *client);

/* ---- Releasability ---- */

/* Is the vehicle releasable? -EREMOTEIO for an answer that contradicts itself, and is not to be acted on. */
WF_SUSPENDS WF_CHECKED int custody_check_vin(struct custody_client *client, struct wf_arena *arena, const char *vin,
                                             struct custody_releasability *result);

/* The answer of the last check, at once and with its age; -ENOENT: never checked. -ETIME after a second, so that it is
 * of use as what one falls back to. */
WF_SUSPENDS WF_CHECKED int custody_get_cached(struct custody_client *client, struct wf_arena *arena, const char *vin,
                                              struct custody_releasability *result);

/* Many in one request, CUSTODY_BATCH_MAX at most: `count` rows in their order, errors in place: rows[i].ok, .error. */
WF_SUSPENDS WF_CHECKED int custody_check_batch(struct custody_client *client, struct wf_arena *arena,
                                               const char *const *vins, size_t count, struct custody_batch_row *rows);

/* ---- Authorizations ---- */

struct custody_list_options {
    size_t size;        /* filled by the macro */
    const char *vin;    /* of one vehicle */
    const char *status; /* "PENDING", "APPROVED" ... */
    int limit;          /* of a page; default 50, at most CUSTODY_LIMIT_MAX */
    const char *cursor; /* of the page before; custody_list_authorizations only */
};

/* custody_list_authorizations(client, arena, &page, .vin = ..., .status = ..., .limit = 50, .cursor = ...): one page,
 * newest first. */
#define custody_list_authorizations(client, arena, page, ...)                                                          \
    custody_list_authorizations_((client), (arena), (page),                                                            \
                                 &(struct custody_list_options){.size = sizeof(struct custody_list_options),           \
                                                                ##__VA_ARGS__})

/*
 * CUSTODY_AUTHORIZATIONS(name, &client, .vin = ..., .status = ..., .limit = 50) declares a source of all of them, page
 * by page, each asked for when its first item is: wf_next(&name, &authorization) gives 1, 0 at the end, or a code. An
 * item is valid until the page behind the next is asked for: copy what is to stay.
 */
#define CUSTODY_AUTHORIZATIONS(name, client, ...)                                                                      \
    struct custody_pages name __attribute__((cleanup(custody_pages_close), unused)) = {.failed_ = 0};                  \
    custody_pages_open_(&name, (client),                                                                               \
                        &(struct custody_list_options){.size = sizeof(struct custody_list_options), ##__VA_ARGS__})

struct custody_pages {
    struct wf_iterator iterator; /* of struct custody_authorization */
    void *private_;
    int failed_;
    void *reserved_[4];
};

/* Before its block ends; wf_next gives -EBADF from then on. May be said twice. Suspends: never. */
void custody_pages_close(struct custody_pages *pages);

/* "PENDING" for CUSTODY_PENDING; "" for none of them. Suspends: never. Threads: any. */
const char *custody_status_name(int status);

/* custody_create_authorization(client, arena, &authorization, .vin = ..., .origin = ..., ...): all of the service's
 * fields, and perhaps a key by which it is made once, however often it is asked for; default: one of its own for each
 * call. */
struct custody_authorize_options {
    size_t size; /* filled by the macro */
    const char *vin, *origin, *destination, *person_identity_key, *authorized_by, *make_model;
    const char *idempotency_key;
};
#define custody_create_authorization(client, arena, result, ...)                                                       \
    custody_create_authorization_((client), (arena), (result),                                                         \
                                  &(struct custody_authorize_options){.size =                                          \
                                                                          sizeof(struct custody_authorize_options),    \
                                                                      __VA_ARGS__})

WF_SUSPENDS WF_CHECKED int custody_get_authorization(struct custody_client *client, struct wf_arena *arena,
                                                     const char *id, struct custody_authorization *result);

/* `by` decides, `reason` may be NULL; -EEXIST where its status does not allow it. */
WF_SUSPENDS WF_CHECKED int custody_approve(struct custody_client *client, struct wf_arena *arena, const char *id,
                                           const char *by, const char *reason, struct custody_authorization *result);
WF_SUSPENDS WF_CHECKED int custody_reject(struct custody_client *client, struct wf_arena *arena, const char *id,
                                          const char *by, const char *reason, struct custody_authorization *result);
WF_SUSPENDS WF_CHECKED int custody_cancel(struct custody_client *client, struct wf_arena *arena, const char *id,
                                          const char *by, const char *reason, struct custody_authorization *result);

/* ---- Transfers ---- */

/* Who has the vehicle, and where. */
WF_SUSPENDS WF_CHECKED int custody_get_status(struct custody_client *client, struct wf_arena *arena, const char *vin,
                                              struct custody_state *state);

struct custody_transfer_options {
    size_t size; /* filled by the macro */
    const char *vin, *transfer_type, *credential_id, *location_id;
    bool async; /* accepted now, completed later: the result is QUEUED */
    const char *idempotency_key;
};
#define custody_create_transfer(client, arena, result, ...)                                                            \
    custody_create_transfer_((client), (arena), (result),                                                              \
                             &(struct custody_transfer_options){.size = sizeof(struct custody_transfer_options),       \
                                                                __VA_ARGS__})

WF_SUSPENDS WF_CHECKED int custody_get_transfer(struct custody_client *client, struct wf_arena *arena, const char *id,
                                                struct custody_transfer *result);

/* ---- Events ---- */

struct custody_events_options {
    size_t size;       /* filled by the macro */
    const char *vin;   /* of one vehicle */
    const char *after; /* the id of the last one that was seen; "0": from the very first; NULL: from now on */
};

/* What happened, with the number by which one goes on behind it. */
struct custody_news {
    const char *id;
    struct custody_event event;
};

/*
 * CUSTODY_EVENTS(name, &client, .vin = ..., .after = ...) declares a source of events as they happen. Where it is cut
 * off it comes again behind the last one, and misses none; before the first, and without .after, it begins anew.
 * wf_next(&name, &news): struct custody_news, valid until the next; 0 where the service ends it for good.
 */
#define CUSTODY_EVENTS(name, client, ...)                                                                              \
    struct custody_events name __attribute__((cleanup(custody_events_close), unused)) = {.client_ = NULL};             \
    custody_events_open_(&name, (client),                                                                              \
                         &(struct custody_events_options){.size = sizeof(struct custody_events_options),               \
                                                          ##__VA_ARGS__})

struct custody_events {
    struct wf_iterator iterator; /* of struct custody_news */
    struct custody_client *client_;
    void *private_;
    int failed_;
    void *reserved_[4];
};

/* As custody_pages_close. Suspends: never. */
void custody_events_close(struct custody_events *events);

/* ---- What the macros stand on: private ---- */

int custody_client_open_(const struct custody_client_options *options);
WF_SUSPENDS WF_CHECKED int custody_list_authorizations_(struct custody_client *client, struct wf_arena *arena,
                                                        struct custody_page *page,
                                                        const struct custody_list_options *options);
void custody_pages_open_(struct custody_pages *pages, struct custody_client *client,
                         const struct custody_list_options *options);
WF_SUSPENDS WF_CHECKED int custody_create_authorization_(struct custody_client *client, struct wf_arena *arena,
                                                         struct custody_authorization *result,
                                                         const struct custody_authorize_options *options);
WF_SUSPENDS WF_CHECKED int custody_create_transfer_(struct custody_client *client, struct wf_arena *arena,
                                                    struct custody_transfer *result,
                                                    const struct custody_transfer_options *options);
void custody_events_open_(struct custody_events *events, struct custody_client *client,
                          const struct custody_events_options *options);

#ifdef __cplusplus
}
#endif
#endif
