// Deadlines and shields around each other, around calls of every signed type, and as parts of expressions.
#include <weft/weft.h>

static int step(int n)
{
    return n;
}

int nested(struct wf_stream *stream);
int nested(struct wf_stream *stream)
{
    char buffer[64];
    int rc = wf_within(WF_SECONDS(2), wf_within(WF_SECONDS(1), wf_shielded(WF_SECONDS(3), wf_sleep(1))));
    rc += wf_shielded(WF_SECONDS(1), wf_within(WF_MILLISECONDS(5), wf_until(wf_now() + 1, step(rc))));
    rc += wf_until(WF_FOREVER, wf_shielded(WF_FOREVER, step(1) + wf_within(5, step(2)))) + wf_within(1, step(3));
    ssize_t got = wf_within(WF_SECONDS(1), wf_shielded(WF_SECONDS(1), wf_stream_read(stream, buffer, sizeof buffer)));
    int64_t left = wf_within(WF_SECONDS(1), wf_remaining());
    if (wf_within(0, wf_sleep(1)) == -ETIME) return -ETIME;
    wf_within(WF_SECONDS(1), wf_yield());
    wf_shielded(WF_SECONDS(1), wf_stream_shutdown(stream));
    return got < 0 || left < 0 ? -EIO : rc;
}

// The comma of an expression of its own, and of a compound literal, in parentheses.
int commas(void);
int commas(void)
{
    struct pair {
        int left, right;
    };
    return wf_within(WF_SECONDS(1), (step(1), step(2))) + wf_within(1, step((struct pair){1, 2}.right));
}
