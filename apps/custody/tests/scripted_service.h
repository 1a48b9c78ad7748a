/* A service that answers what a test has written down, in memory, and notes what it was asked. */
#ifndef CUSTODY_TESTS_SCRIPTED_SERVICE_H
#define CUSTODY_TESTS_SCRIPTED_SERVICE_H

#include <custody/custody.h>
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/testing.h>

enum { ASKED_MAX = 64, ASKED_TEXT = 400 };

struct answer {
    int status;
    const char *body, *type; /* default: none; JSON */
    const char *retry_after, *request_id, *location;
    int64_t latency;
    bool breaks; /* the connection ends instead */
};

/* Of one request: "GET /v1/x?y|authorization|body", and its key. */
struct asked_for {
    char text[ASKED_TEXT], key[64];
};

struct service {
    struct wf_app app;
    const struct answer *answers; /* in turn; the last one again and again */
    size_t count;
    const struct answer *(*choose)(const char *path); /* instead of them */
    const char *token;                                /* that alone is taken; NULL: any */
    size_t asked, cut;                                /* requests; those whose clients left before the answer */
    struct asked_for *log;                            /* ASKED_MAX */
};

static inline int note(struct service *service, struct wf_request *request)
{
    char *body;
    size_t size;
    const char *query = wf_request_query(request), *login = wf_request_header(request, "authorization");
    const char *key = wf_request_header(request, "idempotency-key");
    int rc = wf_request_body(request, &body, &size);
    if (rc < 0) return rc;
    struct asked_for *asked = &service->log[service->asked++ % ASKED_MAX];
    snprintf(asked->text, sizeof asked->text, "%s %s%s%s|%s|%s", wf_method_name(wf_request_method(request)),
             wf_request_path(request), query != NULL ? "?" : "", query != NULL ? query : "",
             login != NULL ? login : "-", body);
    snprintf(asked->key, sizeof asked->key, "%s", key != NULL ? key : "");
    return 0;
}

static inline int give(struct wf_request *request, const struct answer *answer)
{
    struct service *service = wf_request_state(request);
    int rc = answer->latency > 0 ? wf_sleep(answer->latency) : 0;
    if (rc == -ECANCELED) service->cut++;
    if (rc == 0 && answer->retry_after != NULL) rc = wf_reply_header(request, "Retry-After", answer->retry_after);
    if (rc == 0 && answer->request_id != NULL) rc = wf_reply_header(request, "X-Request-Id", answer->request_id);
    if (rc == 0 && answer->location != NULL) rc = wf_reply_header(request, "Location", answer->location);
    if (rc < 0) return rc;
    if (answer->breaks) {
        rc = wf_reply_begin(request, 200, "application/json", 1000);
        return rc < 0 ? rc : -ECANCELED;
    }
    if (answer->body == NULL) return wf_reply_empty(request, answer->status);
    const char *type = answer->type != NULL ? answer->type : "application/json";
    return wf_reply_bytes(request, answer->status, type, answer->body, strlen(answer->body));
}

static inline int answer_any(struct wf_request *request)
{
    static const struct answer refused = {401, "{\"error\":{\"code\":\"invalid_token\",\"message\":\"expired\","
                                               "\"fields\":[],\"request_id\":\"r-401\"}}"};
    struct service *service = wf_request_state(request);
    size_t number = service->asked;
    int rc = note(service, request);
    if (rc < 0) return rc;
    const char *login = wf_request_header(request, "authorization");
    if (service->token != NULL && (login == NULL || strcmp(login + 7, service->token) != 0))
        return give(request, &refused);
    if (service->choose != NULL) return give(request, service->choose(wf_request_path(request)));
    return give(request, &service->answers[number < service->count ? number : service->count - 1]);
}

static inline void begin_service(struct service *service)
{
    service->app.state = service;
    memset(service->log, 0, ASKED_MAX * sizeof *service->log);
    wf_route(&service->app, WF_GET, "/v1/{path:rest}", answer_any);
    wf_route(&service->app, WF_POST, "/v1/{path:rest}", answer_any);
}

static inline void end_service(struct service *service)
{
    wf_app_finish(&service->app);
}

/* What it was asked last. */
static inline const char *last_asked(const struct service *service)
{
    return service->asked > 0 ? service->log[(service->asked - 1) % ASKED_MAX].text : "";
}

/* SERVICE(service, {200, "..."}, {404, "..."}, ...) declares it. */
#define SERVICE(name, ...)                                                                                             \
    static const struct answer name##_answers[] = {__VA_ARGS__};                                                       \
    static struct asked_for name##_log[ASKED_MAX];                                                                     \
    struct service name __attribute__((                                                                                \
        cleanup(end_service))) = {.answers = name##_answers, .count = WF_COUNT(name##_answers), .log = name##_log};    \
    begin_service(&name)

/* The body of an error. */
#define ERROR(code, message)                                                                                           \
    "{\"error\":{\"code\":\"" code "\",\"message\":\"" message "\",\"fields\":[],\"request_id\":\"r-17\"}}"

#define RELEASABLE                                                                                                     \
    "{\"vin\":\"9HGBH41JXMN999999\",\"is_releasable\":true,\"blockers\":[],\"checked_at\":\"2026-03-01T09:30:00."      \
    "000000Z\",\"cached\":false,\"age_s\":0}"
#define HELD                                                                                                           \
    "{\"vin\":\"1HGCM82633A123456\",\"is_releasable\":false,\"blockers\":[{\"code\":\"TITLE_HOLD\",\"message\":"       \
    "\"the title is "                                                                                                  \
    "held\",\"since\":\"2026-02-01T00:00:00.000000Z\"}],\"checked_at\":\"2026-03-01T09:30:00.000000Z\","               \
    "\"cached\":true,\"age_s\":12.5}"
#define AUTHORIZATION(number)                                                                                          \
    "{\"authorization_id\":\"AUTH-" number "\",\"vin\":\"9HGBH41JXMN999999\",\"status\":\"PENDING\",\"origin\":\"A\"," \
    "\"destination\":\"B\",\"person_identity_key\":\"p\",\"authorized_by\":\"api-integration\",\"make_model\":"        \
    "\"Unknown\",\"created_at\":\"2026-03-01T09:30:00.000000Z\",\"updated_at\":\"2026-03-01T09:30:00.000000Z\","       \
    "\"expires_at\":\"2026-03-04T09:30:00.000000Z\"}"
#define TRANSFER                                                                                                       \
    "{\"transfer_id\":\"TRF-00000007\",\"vin\":\"9HGBH41JXMN999999\",\"transfer_type\":\"GATE_OUT\",\"credential_id\"" \
    ":\"AUTH-12345678\",\"location_id\":\"LOC-AUCTION-MANHEIM-ATLANTA\",\"from_custodian\":\"MANHEIM\","               \
    "\"to_custodian\":\"p\",\"status\":\"QUEUED\",\"created_at\":\"2026-03-01T09:30:00.000000Z\",\"completed_at\":"    \
    "null}"
#define STATE                                                                                                          \
    "{\"vin\":\"9HGBH41JXMN999999\",\"current_custodian\":\"MANHEIM\",\"current_location\":\"LOC-AUCTION-MANHEIM-"     \
    "ATLANTA\",\"since\":\"2026-03-01T09:30:00.000000Z\",\"last_transfer_id\":null,\"pending_authorizations\":20}"

#endif
