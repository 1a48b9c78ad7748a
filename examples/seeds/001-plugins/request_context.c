/*
 * The context of a request: bound for its duration, seen by everything below it, in the registry of active requests
 * while it lasts, and in each log line. From "Context Management: Request Context".
 *
 * Rows: S119, S120, S121, S122.
 *
 * The sample's with_context lacks its @asynccontextmanager, so `async with` refuses it, and its variables are set and
 * never reset. Here a binding ends with its block, whatever happens in it, and a child's own binding is seen neither by
 * its parent nor by its siblings.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/001-plugins/request_context.c
 */
#define WF_LOG_MODULE "plugin"
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

struct request {
    const char *id, *peer, *user;
    int64_t takes;
    int result;
};

static int active_contexts(void)
{
    int count = 0;
    wf_each_request(request) count++;
    return count;
}

/* Deep below: nobody passed anything along. */
static int process_with_context(struct request *request)
{
    int rc = wf_sleep(request->takes);
    bool own = strcmp(wf_context_text("request_id"), request->id) == 0;
    wf_log(WF_INFO, "Processed request", WF_BOOL("context_is_own", own), WF_INT("active", active_contexts()),
           WF_NS("took", wf_now() - wf_request_current()->started));
    return rc < 0 ? rc : request->result;
}

static int audit(struct request *request)
{
    WF_CONTEXT(bound, WF_TEXT("client_id", "auditor")); /* ends with the block, and is this task's alone */
    wf_log(WF_INFO, "Audited");
    return wf_sleep(request->takes / 2);
}

static int handle_request(struct request *request)
{
    WF_REQUEST_CONTEXT(context, .name = "process");
    WF_CONTEXT(bound, WF_TEXT("request_id", request->id), WF_TEXT("client_id", request->peer),
               WF_TEXT("user_info", request->user));
    wf_log(WF_INFO, "Processing request");
    WF_SCOPE(scope);
    wf_spawn(&scope, audit, request);
    wf_spawn(&scope, process_with_context, request);
    return wf_scope_join(&scope);
}

static int handle_in_time(struct request *request)
{
    return wf_within(WF_SECONDS(2), handle_request(request));
}

/* One of a thousand at the same time: is what it sees its own? */
static int look_around(int *number)
{
    WF_CONTEXT(bound, WF_INT("number", *number));
    int rc = wf_sleep(WF_MILLISECONDS(10));
    return rc < 0 ? rc : wf_context_get("number")->integer == *number;
}

static int look_around_at_once(void)
{
    int numbers[1000], own[1000], mixed = 0;
    for (int i = 0; i < 1000; i++) numbers[i] = i;
    int rc = wf_gather(numbers, 1000, look_around, .collect = own);
    for (int i = 0; i < 1000; i++) mixed += own[i] != 1;
    printf("1000 at once, mixed up: %d\n", mixed);
    return rc;
}

static int run(void *unused)
{
    (void)unused;
    struct request requests[] = {
        {.id = "r-1", .peer = "ipv4:127.0.0.1:4001", .user = "ada", .takes = WF_SECONDS(1)},
        {.id = "r-2", .peer = "ipv4:127.0.0.1:4002", .user = "bob", .takes = WF_MILLISECONDS(500), .result = -EIO},
        {.id = "r-3", .peer = "unix:", .user = "eve", .takes = WF_SECONDS(10)},
    };
    int status[WF_COUNT(requests)];
    int rc = wf_gather(requests, WF_COUNT(requests), handle_in_time, .collect = status);
    for (size_t i = 0; i < WF_COUNT(requests); i++) printf("%s: %s\n", requests[i].id, wf_strerror(status[i]));
    printf("outside of a request: %s, %d contexts are active\n", wf_request_current() == NULL ? "none" : "one",
           active_contexts());
    return rc < 0 ? rc : look_around_at_once();
}

/* Lines go to standard error; here to standard output, without the time and the trace. */
static void print_line(void *context, enum wf_log_level level, const char *line, size_t size)
{
    char text[1024];
    (void)context, (void)level;
    snprintf(text, sizeof text, "%.*s", (int)size, line);
    const char *from = strstr(text, "msg="), *to = strstr(text, " trace_id=");
    if (from != NULL && to != NULL) printf("%.*s\n", (int)(to - from), from);
}

int main(void)
{
    wf_log_set_format(WF_LOG_LOGFMT);
    wf_log_set_hook(print_line, NULL);
    return wf_main(run, NULL);
}
