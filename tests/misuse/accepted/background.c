// Background tasks of every form: copies, literals in parentheses, constants, options, several sets in one block.
#include <weft/weft.h>

struct mail {
    int to;
};

static int send_mail(struct mail *mail)
{
    return mail->to;
}

static int look(const int *number)
{
    return *number;
}

static int nothing(void *unused)
{
    (void)unused;
    return 0;
}

static void release(void *arg)
{
    (void)arg;
}

int start_all(const int *number);
int start_all(const int *number)
{
    WF_BACKGROUND(first);
    WF_BACKGROUND(second, .limit = 10, .grace = WF_SECONDS(1), .name = "second");
    int rc = wf_background_start(&first, look, number);
    rc += wf_background_start(&first, nothing, NULL, .name = "nothing");
    rc += wf_background_start_copy(&second, send_mail, (&(struct mail){.to = 7}), .release = release);
    rc += wf_background_every(&second, WF_SECONDS(1), look, number, .name = "look", .first = -1);
    if (rc == 0) rc = wf_background_every_copy(&second, rc > 0 ? 1 : 2, look, number, .jitter = 1);
    else rc = wf_background_stop(&second, "look");
    wf_each_background(&first, task)
        wf_each_background(&second, other) rc += task->runs > other->runs;
    return rc + wf_background_shutdown(&first);
}
