/* Clients: their options, their beginning and end, and their token. */
#include "client.h"

#include <stdlib.h>
#include <string.h>
#include <weft/extend.h>

enum { ATTEMPTS = 3, CONNECTIONS = 30, ANSWER_MAX = 16 << 20 };

static const char *or_environment(const char *text, const char *name)
{
    if (text != NULL) return text;
    text = getenv(name);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* ---- The token ---- */

/* Whatever else it may be, it fits into a field (RFC 6750 section 2.1). */
static bool may_be_token(const char *token)
{
    if (token[0] == '\0') return false;
    for (const char *at = token; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~') return false;
    return true;
}

/* As weft's client asks for it. That there is none is one code, whatever the callback says, so that it cannot be taken
 * for a lost connection. */
static int ask_for_token(void *arg, bool refresh, struct wf_arena *arena, const char **token)
{
    struct custody_client_ *inside = arg;
    (void)refresh;
    *token = NULL;
    int rc = inside->find_token(inside->find_token_arg, arena, token);
    if (rc == -ECANCELED || rc == -ENOMEM) return rc;
    if (rc < 0) {
        const char *why = wf_failure();
        return wf_fail(-EACCES, "no token: %s", why != NULL ? why : wf_strerror(rc));
    }
    if (*token == NULL) return wf_fail(-EACCES, "there is no token");
    return may_be_token(*token) ? 0 : wf_fail(-EACCES, "the token has characters that no token has");
}

/* ---- Beginning ---- */

static void prepare(struct custody_client_ *inside, const struct custody_client_options *options)
{
    memset(inside, 0, sizeof *inside);
    inside->retry = (struct wf_retry_options)WF_RETRY(.attempts = options->attempts > 0 ? options->attempts : ATTEMPTS,
                                                      .jitter = WF_JITTER_EQUAL);
    inside->pipeline = (struct wf_pipeline){.name = "custody", .retry = &inside->retry};
    inside->find_token = options->find_token;
    inside->find_token_arg = options->find_token_arg;
    inside->vin_policy = options->vin_policy;
    inside->send_any_vin = options->send_any_vin;
    inside->references = 1;
}

/* Nothing of the service redirects, and a token goes nowhere else. */
static int open_http(struct custody_client_ *inside, const struct custody_client_options *options)
{
    const char *base = or_environment(options->base_url, "CUSTODY_URL");
    const char *token = options->find_token == NULL ? or_environment(options->token, "CUSTODY_TOKEN") : NULL;
    inside->bad_token = token != NULL && !may_be_token(token);
    struct wf_client_options http = {.size = sizeof http,
                                     .client_ = &inside->http,
                                     .place_ = options->place_,
                                     .base_url = base != NULL ? base : CUSTODY_SANDBOX_URL,
                                     .bearer = inside->bad_token ? NULL : token,
                                     .token = options->find_token != NULL ? ask_for_token : NULL,
                                     .token_arg = inside,
                                     .pipeline = &inside->pipeline,
                                     .redirects = -1,
                                     .headers = WF_NAMED({"Accept", "application/json"}),
                                     .user_agent = "custody/0.1 weft/" WF_VERSION,
                                     .app = options->app,
                                     .record = options->record,
                                     .replay = options->replay,
                                     .name = "custody"};
    http.limits.per_host = options->connections > 0 ? options->connections : CONNECTIONS;
    http.limits.connections = http.limits.per_host;
    http.limits.body_max = ANSWER_MAX;
    if (options->tasks != NULL) return wf_client_open_(options->tasks, &http);
    wf_client_begin_(&http);
    return inside->http.failed_;
}

int custody_client_open_(const struct custody_client_options *options)
{
    struct custody_client *client = options->client_;
    if (options->size != sizeof *options) return -EINVAL;
    if (client->private_ != NULL) return -EALREADY;
    client->failed_ = -ENOMEM;
    struct custody_client_ *inside = wf_memory_alloc(sizeof *inside);
    if (inside == NULL) return -ENOMEM;
    prepare(inside, options);
    client->private_ = inside;
    int rc = open_http(inside, options);
    if (rc < 0) custody_client_close(client);
    return client->failed_ = rc;
}

/* ---- The end ---- */

struct custody_client_ *sdk_hold(const struct custody_client *client, int *rc)
{
    struct custody_client_ *inside = client->private_;
    bool open = inside != NULL && client->failed_ == 0;
    *rc = open ? 0 : client->failed_ < 0 ? client->failed_ : -EBADF;
    if (open && inside->bad_token) *rc = -EACCES;
    if (*rc == 0) {
        inside->references++;
        return inside;
    }
    sdk_error_set(&(struct custody_error){.kind = *rc == -EACCES ? CUSTODY_AUTHENTICATION : CUSTODY_OTHER,
                                          .rc = *rc,
                                          .message = *rc == -EACCES  ? "the token has characters that no token has"
                                                     : *rc == -EBADF ? "the client is not open"
                                                                     : wf_strerror(*rc)});
    return NULL;
}

void sdk_release(struct custody_client_ *inside)
{
    if (--inside->references == 0) wf_memory_free(inside);
}

/* Calls that are under way elsewhere still look into it. */
void custody_client_close(struct custody_client *client)
{
    struct custody_client_ *inside = client->private_;
    *client = (struct custody_client){.private_ = NULL};
    if (inside == NULL) return;
    if (inside->http.tasks_ != NULL) wf_client_leave_(&inside->http);
    else wf_client_close(&inside->http);
    sdk_release(inside);
}
