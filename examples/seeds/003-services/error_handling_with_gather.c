/*
 * Errors in place: what fails of a dashboard is left out, with a line in the log. From "Concurrent Execution", "Error
 * Handling with gather".
 * Rows: S007, S122.
 * The sample never looks whether `user` is an exception, and so puts one into its result; here a page without its user
 * is none. Nor would it know a cancel, which is no Exception; here a cancel from outside ends the whole.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/003-services/error_handling_with_gather.c
 */
#define WF_LOG_MODULE "dashboard"
#include <stdio.h>
#include <unistd.h>
#include <weft/weft.h>

enum { USER, ORDERS, NOTIFICATIONS, PARTS };

struct part {
    const char *failed; /* the event, when it does */
    int64_t takes;
    int result, items;
    char message[64];
};

static int fetch(struct part *part)
{
    int rc = wf_sleep(part->takes);
    if (rc < 0) return rc;
    if (part->result < 0) snprintf(part->message, sizeof part->message, "%s", wf_strerror(part->result));
    return part->result;
}

static int get_dashboard_data(struct part parts[PARTS])
{
    int codes[PARTS];
    int rc = wf_gather(parts, PARTS, fetch, .collect = codes); /* fails only where it is cut short itself */
    if (rc < 0) return rc;
    if (codes[USER] < 0) return wf_fail(codes[USER], "no dashboard: %s", parts[USER].message);
    for (int i = ORDERS; i < PARTS; i++) {
        if (codes[i] == 0) continue;
        wf_log(WF_WARN, parts[i].failed, WF_TEXT("error", parts[i].message));
        parts[i].items = 0;
    }
    return 0;
}

static void show(int failing)
{
    struct part parts[PARTS] = {
        {.takes = WF_MILLISECONDS(30), .items = 1},
        {.takes = WF_MILLISECONDS(20), .items = 3, .failed = "orders_fetch_failed"},
        {.takes = WF_MILLISECONDS(10), .items = 7, .failed = "notifications_fetch_failed"},
    };
    if (failing >= 0) parts[failing].result = -ECONNREFUSED;
    int rc = wf_within(WF_SECONDS(1), get_dashboard_data(parts));
    if (rc < 0) printf("%s\n", wf_failure());
    else printf("a user, %d orders, %d notifications\n", parts[ORDERS].items, parts[NOTIFICATIONS].items);
}

static int run(void *unused)
{
    (void)unused;
    show(-1);
    show(ORDERS);
    show(NOTIFICATIONS);
    show(USER);
    struct part slow[PARTS] = {{.takes = WF_SECONDS(10)}, {.takes = WF_SECONDS(10)}, {.takes = 1}};
    int rc = wf_within(WF_SECONDS(1), get_dashboard_data(slow));
    printf("cut from outside: %s\n", wf_strerror(rc));
    return 0;
}

static void show_line(void *context, enum wf_log_level level, const char *line, size_t size)
{
    (void)context, (void)level;
    printf("%.*s", (int)size, line);
}

int main(void)
{
    wf_log_set_format(WF_LOG_LOGFMT);
    wf_log_set_hook(show_line, NULL);
    return wf_main(run, NULL);
}
