/* What a call notes about itself: where it is, how long it took, and why it failed. */
#include <stdio.h>
#include <string.h>
#include <weft/extend.h>
#include <weft/task.h>
#include <weft/time.h>

#include "client/client.h"
#include "client/proxy.h"

static const char *const doings[STEPS + 1] = {
    [STEPS] = "at the end",
    [STEP_BEGIN] = "preparing the request",
    [STEP_POOL] = "waiting for a connection",
    [STEP_CONNECT] = "connecting",
    [STEP_TLS] = "in the TLS handshake",
    [STEP_WRITE] = "sending the request",
    [STEP_HEAD] = "waiting for the answer",
    [STEP_BODY] = "reading the body",
};

static int64_t limit_of(const struct wf_client_times *times, enum step step)
{
    switch (step) {
    case STEP_POOL:
        return times->pool;
    case STEP_CONNECT:
        return times->connect;
    case STEP_TLS:
        return times->tls;
    case STEP_WRITE:
        return times->write;
    case STEP_HEAD:
        return times->head;
    case STEP_BODY:
        return times->body;
    case STEP_BEGIN:
    case STEPS:
        break;
    }
    return 0;
}

int64_t call_step(struct call *call, enum step step)
{
    if (call->step != step) {
        int64_t now = wf_now();
        call->step_took[call->step] += now - call->step_at;
        call->step_at = now;
        call->step = step;
    }
    int64_t limit = limit_of(&call->times, step);
    return limit > 0 ? limit : WF_FOREVER;
}

int call_fail(struct call *call, int code, const char *format, ...)
{
    if (call->why != NULL) return code;
    va_list arguments;
    va_start(arguments, format);
    call->why = wf_arena_vprintf(call->arena, format, arguments);
    va_end(arguments);
    return code;
}

int call_fail_as_told(struct call *call, int code)
{
    const char *told = wf_failure();
    bool ours = code == -ECANCELED || code == -ETIME || told == NULL;
    return ours ? code : call_fail(call, code, "%s", told);
}

int call_end(const struct call *call, int code)
{
    if (code >= 0 || code == -ENOMEM) return code;
    const char *method = wf_method_name(call->method), *url = call->url.text != NULL ? call->url.text : "(no URL)";
    const char *why = call->why != NULL ? call->why : wf_strerror(code);
    bool by_proxy = call->step == STEP_CONNECT && call->origin != NULL && call->origin->proxy != NULL;
    if (code == -ECANCELED || (code == -ETIME && call->why == NULL))
        return wf_fail(code, "%s %s: cut while %s%s%s", method, url, doings[call->step],
                       by_proxy ? " by the proxy " : "", by_proxy ? call->origin->proxy->name : "");
    return wf_fail(code, "%s %s: %s, while %s", method, url, why, doings[call->step]);
}
