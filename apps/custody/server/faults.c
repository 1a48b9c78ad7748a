/* What is ordered to go wrong: an error, a delay, for some paths, now and then or so many times. */
#include <string.h>
#include <weft/extend.h>

#include "server.h"

static const char own_paths[] = "/_sandbox/"; /* so that what was ordered can be lifted */

#define FAULT_MEMBERS(M)                                                                                               \
    M(STRING, path, .min = 1, .max = 500, .example = "/releasability/*",                                               \
      .description = "Below the base; with a * at its end, all that begin so")                                         \
    M(INT32, status, .optional = true, .min = 400, .max = 599)                                                         \
    M(INT32, delay_ms, .optional = true, .min = 0, .max = 60000)                                                       \
    M(DOUBLE, rate, .preset = "1", .min = 0, .max = 1, .description = "Of the requests")                               \
    M(INT64, count, .optional = true, .min = 0, .description = "So often; 0 removes it; else until it is replaced")
WF_MODEL_DECLARE(fault_order, FAULT_MEMBERS)
WF_MODEL_DEFINE(fault_order, FAULT_MEMBERS, .name = "Fault", .unknown = WF_UNKNOWN_REFUSED)

/* ---- Acting ---- */

static bool is_meant(const struct fault *fault, const char *path)
{
    size_t size = strlen(fault->path);
    if (fault->path[size - 1] == '*') return strncmp(fault->path, path, size - 1) == 0;
    return strcmp(fault->path, path) == 0;
}

/* The one whose path says most: of two that fit, the longer one; a whole path is longer than what it begins with. */
static struct fault *find_meant(struct sandbox *sandbox, const char *path)
{
    struct fault *found = NULL;
    for (unsigned i = 0; i < sandbox->fault_count; i++) {
        struct fault *fault = &sandbox->faults[i];
        if (fault->left == 0 || !is_meant(fault, path)) continue;
        if (found == NULL || strlen(fault->path) > strlen(found->path)) found = fault;
    }
    return found;
}

static bool happens(double rate)
{
    uint32_t random;
    if (rate >= 1) return true;
    wf_random_bytes(&random, sizeof random);
    return random < rate * 4294967296.0;
}

int faults_act(struct wf_request *request, struct sandbox *sandbox)
{
    const char *path = wf_request_path(request) + strlen(BASE_PATH);
    if (sandbox->fault_count == 0 || strncmp(path, own_paths, sizeof own_paths - 1) == 0) return 0;
    struct fault *fault = find_meant(sandbox, path);
    if (fault == NULL || !happens(fault->rate)) return 0;
    if (fault->left > 0) fault->left--;
    int status = fault->status; /* while it waits another one may be ordered */
    int rc = fault->delay > 0 ? wf_sleep(fault->delay) : 0;
    if (rc < 0 || status == 0) return rc;
    if (status == 429 || status == 503) rc = wf_reply_header(request, "Retry-After", "1");
    return rc < 0 ? rc : refuse(request, status, "injected_fault", "this error was ordered");
}

/* ---- Ordering ---- */

static struct fault *find_ordered(struct sandbox *sandbox, const char *path)
{
    for (unsigned i = 0; i < sandbox->fault_count; i++)
        if (strcmp(sandbox->faults[i].path, path) == 0) return &sandbox->faults[i];
    return NULL;
}

static const char *what_is_wrong(const char *path)
{
    size_t star = strcspn(path, "*");
    if (path[0] != '/' && strcmp(path, "*") != 0) return "a path begins with /";
    if (path[star] != '\0' && path[star + 1] != '\0') return "a * comes last";
    if (strncmp(path, BASE_PATH "/", sizeof BASE_PATH) == 0) return "a path is without " BASE_PATH;
    return NULL;
}

int check_fault(struct wf_request *request, struct wf_problems *problems)
{
    struct sandbox *sandbox = wf_request_state(request);
    const struct fault_order *order = wf_body_value(request);
    int rc = check_query(request, problems, NULL);
    if (rc < 0 || order == NULL || order->path == NULL || order->path[0] == '\0') return rc;
    const char *wrong = what_is_wrong(order->path);
    if (wrong == NULL && sandbox->fault_count == FAULTS_MAX && find_ordered(sandbox, order->path) == NULL)
        wrong = "there are as many faults as may be; remove one";
    problems->where = "body";
    return wrong != NULL ? wf_problems_add(problems, "path", "value_error", "%s", wrong) : 0;
}

static void remove_fault(struct sandbox *sandbox, struct fault *fault)
{
    wf_memory_free(fault->path);
    *fault = sandbox->faults[--sandbox->fault_count];
}

void faults_finish(struct sandbox *sandbox)
{
    while (sandbox->fault_count > 0) remove_fault(sandbox, &sandbox->faults[0]);
}

int order_fault(struct wf_request *request)
{
    struct sandbox *sandbox = wf_request_state(request);
    const struct fault_order *order = wf_body_value(request);
    struct fault *before = find_ordered(sandbox, order->path);
    if (before != NULL) remove_fault(sandbox, before);
    if (order->has.count && order->count == 0) return wf_reply_empty(request, 204);
    size_t size = strlen(order->path) + 1;
    char *path = wf_memory_alloc(size);
    if (path == NULL) return -ENOMEM;
    memcpy(path, order->path, size);
    sandbox->faults[sandbox->fault_count++] = (struct fault){
        .path = path,
        .status = order->has.status ? order->status : 0,
        .delay = order->has.delay_ms ? WF_MILLISECONDS(order->delay_ms) : 0,
        .rate = order->rate,
        .left = order->has.count ? order->count : -1,
    };
    return wf_reply_empty(request, 204);
}
