/*
 * weft inside another loop: here a poll(2) of its own, that also ticks. GLib, libuv and Qt are the same three calls:
 * watch the descriptor, watch the time, give a turn.
 *
 *     weft run examples/embed_poll.c
 */
#include <poll.h>
#include <stdio.h>
#include <weft/weft.h>

static int count_to_three(const char *name)
{
    for (int i = 1; i <= 3; i++) {
        int rc = wf_sleep(WF_MILLISECONDS(30));
        if (rc < 0) return rc;
        printf("%s: %d\n", name, i);
    }
    return 0;
}

/* poll's milliseconds: rounded up, so that it does not wake too early. */
static int milliseconds(int64_t patience_ns)
{
    if (patience_ns > WF_SECONDS(3600)) return 3600 * 1000;
    return (int)((patience_ns + 999999) / 1000000);
}

int main(void)
{
    struct wf_embedded *weft;
    int turns = 0;
    int rc = wf_embed_begin(&weft, count_to_three, "a task");
    if (rc < 0) {
        printf("not here: %s\n", wf_strerror(rc));
        return 0;
    }
    while ((rc = wf_embed_turn(weft)) > 0) {
        struct pollfd watched = {.fd = wf_embed_fd(weft), .events = POLLIN};
        poll(&watched, 1, milliseconds(wf_embed_patience(weft)));
        turns++;
    }
    printf("it slept between turns: %s\n", turns < 100 ? "yes" : "no");
    return wf_exit_status(wf_embed_finish(weft));
}
