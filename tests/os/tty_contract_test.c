/* The contract of terminals and serial ports: contract.h says what the lines mean. */
#include "../contract.h"

static void call_cancelled(struct wf_stream *stream)
{
    int columns = 1, rows = 1;
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the call");
    REFUSED(wf_tty_wait_resize, wf_tty_wait_resize(stream, &columns, &rows));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
}

WF_TEST(asking_and_setting_a_terminal_stay, .rule = "1.7", .real = true)
{
    struct wf_stream *a, *b, *port = NULL;
    int columns, rows;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    if (WF_EXPECT_CODE(wf_pipe(&a, &b), 0)) {
        STAYS(wf_tty_raw, WF_EXPECT_CODE(wf_tty_raw(a), -ENOTTY));
        STAYS(wf_tty_restore, WF_EXPECT_CODE(wf_tty_restore(a), 0));
        STAYS(wf_tty_size, WF_EXPECT_CODE(wf_tty_size(a, &columns, &rows), -ENOTTY));
        call_cancelled(a);
        wf_stream_close(a);
        wf_stream_close(b);
    }
    STAYS(wf_tty_reset, wf_tty_reset());
    STAYS(wf_serial_open, WF_EXPECT_CODE(wf_serial_open("/dev/null", &port), -ENOTTY));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
