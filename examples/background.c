/*
 * Background tasks: a mail that outlives the request which asked for it, a worker with a name, a heartbeat that does
 * not drift, and an end in two phases.
 *
 *     weft run examples/background.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct mail {
    char to[16];
};

static int send_mail(struct mail *mail)
{
    int rc = wf_sleep(WF_MILLISECONDS(20)); /* the server of mails takes its time */
    if (rc < 0) return rc;
    if (mail->to[0] == '\0') return wf_fail(-EINVAL, "a mail to nobody");
    printf("mail to %s sent\n", mail->to);
    return 0;
}

static void tell_operator(void *context, const char *name, int code, const char *message)
{
    (void)context;
    printf("%s failed: %s (%s)\n", name, message, wf_strerror(code));
}

static int handle_request(struct wf_background *background, const char *customer)
{
    struct mail mail; /* is gone before the mail is sent: the task has a copy */
    snprintf(mail.to, sizeof mail.to, "%s", customer);
    int rc = wf_background_start_copy(background, send_mail, &mail, .name = "mail");
    printf("request of '%s' answered\n", customer);
    return rc;
}

static int work(const int *version)
{
    int rc = wf_sleep(WF_FOREVER);
    printf("%s, version %d, cancelled\n", wf_task_name(), *version);
    return rc;
}

struct heartbeat {
    int beats;
    struct wf_event fifth;
};

static int beat(struct heartbeat *heartbeat)
{
    printf("beat %d\n", ++heartbeat->beats);
    if (heartbeat->beats == 5) wf_event_set(&heartbeat->fifth);
    return heartbeat->beats < 5 ? 0 : wf_sleep(WF_SECONDS(60)); /* under way when the end comes */
}

static int serve(void *unused)
{
    (void)unused;
    int versions[] = {1, 2};
    struct heartbeat heartbeat = {.fifth = WF_EVENT};
    WF_BACKGROUND(background, .name = "shop", .grace = WF_MILLISECONDS(100), .on_error = tell_operator);
    int rc = handle_request(&background, "ada");
    if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(50));
    if (rc == 0) rc = handle_request(&background, "");
    if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(50));

    for (int i = 0; i < 2 && rc == 0; i++) { /* the second one replaces the first */
        rc = wf_background_start(&background, work, &versions[i], .name = "Worker-1");
        if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(10));
    }
    if (rc == 0) rc = wf_background_stop(&background, "Worker-1");

    if (rc == 0) rc = wf_background_every(&background, WF_MILLISECONDS(20), beat, &heartbeat, .name = "heartbeat");
    if (rc == 0) rc = wf_event_wait(&heartbeat.fifth);
    printf("%zu background task lives\n", wf_background_active(&background));
    if (rc == 0) rc = wf_background_shutdown(&background); /* after the grace it is cancelled */
    printf("%zu are left\n", wf_background_active(&background));
    return rc;
}

int main(void)
{
    wf_log_set_level("background", WF_OFF); /* which would say the same on standard error */
    return wf_main(serve, NULL);
}
