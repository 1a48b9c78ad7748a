/* One request to one URL: on a connection of the pool, and on another one where that had gone while it was idle. */
#include <strings.h>
#include <weft/task.h>

#include "client/tape.h"

enum { REFUSALS_MAX = 3 }; /* by which a server takes back that it would answer */

/* RFC 9110 section 9.2.2. */
static bool is_idempotent(enum wf_method method)
{
    return method != WF_POST && method != WF_PATCH && method != WF_CONNECT;
}

static bool has_key(const struct wf_named *fields)
{
    if (fields == NULL) return false;
    for (; fields->name != NULL; fields++)
        if (strcasecmp(fields->name, "idempotency-key") == 0 && fields->value != NULL) return true;
    return false;
}

bool call_may_repeat(const struct call *call)
{
    return !call->payload.once && (is_idempotent(call->method) || has_key(call->options->headers));
}

static bool has_gone(int code)
{
    return code == -ECONNRESET || code == -EPIPE || code == -ECONNABORTED || code == WF_EEND;
}

/* The server may close a connection at the same moment as a request is sent on it; nothing is wrong then. What might
 * have been acted on is asked again only where that does no harm, or the server says that it was not. */
static bool may_ask_again(struct call *call, int code)
{
    bool missed = call->reused && has_gone(code) && !call->answered;
    return (call->untouched || (missed && call_may_repeat(call))) && payload_rewind(&call->payload);
}

int call_attempt(struct call *call)
{
    for (unsigned refusals = 0;;) {
        call->answered = call->untouched = call->body_ended = false;
        int rc = call->client->options.replay != NULL ? tape_take(call) : pool_acquire(call);
        if (rc < 0) return rc;
        call->wire->calls++;
        if (call->reused) call->client->statistics.reused++;
        rc = call->wire->protocol->ask(call);
        if (rc == 0) return body_begin(call);
        if (call->untouched) refusals++;
        bool again = refusals <= REFUSALS_MAX && may_ask_again(call, rc);
        call->wire->protocol->leave(call);
        if (!again) return rc;
        call->why = NULL;
        call->client->statistics.retries++;
    }
}
