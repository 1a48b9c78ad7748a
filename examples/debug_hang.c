/*
 * A program that hangs, and how it says why: two orders wait for a lock, whose holder waits for an answer that does not
 * come. SIGUSR1 makes it tell; here it sends that to itself, where you would say: kill -USR1 PID.
 *
 *     build/examples/debug_hang
 */
#include <signal.h>
#include <stdio.h>
#include <weft/weft.h>

struct shop {
    struct wf_mutex stock;
    struct wf_stream *warehouse; /* nobody answers there */
};

static int ask_warehouse(struct shop *shop)
{
    char answer[8];
    ssize_t got = wf_stream_read(shop->warehouse, answer, sizeof answer);
    return got < 0 ? (int)got : 0;
}

static int handle_order(struct shop *shop)
{
    int rc = wf_mutex_lock(&shop->stock);
    if (rc < 0) return rc;
    rc = ask_warehouse(shop); /* the mistake: it holds the lock all the while */
    wf_ignore(wf_mutex_unlock(&shop->stock));
    return rc;
}

static int serve(void *unused)
{
    (void)unused;
    struct shop shop = {.stock = WF_MUTEX};
    struct wf_stream *other_end;
    int rc = wf_pipe(&shop.warehouse, &other_end);
    if (rc < 0) return rc;
    {
        WF_SCOPE(orders, .name = "orders");
        for (int i = 0; i < 3; i++) wf_spawn(&orders, handle_order, &shop);
        rc = wf_sleep(WF_MILLISECONDS(200));
        raise(SIGUSR1);
        if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(50));
        wf_scope_cancel(&orders, "seen enough");
        rc = wf_scope_end(&orders, rc);
    }
    wf_stream_close(shop.warehouse);
    wf_stream_close(other_end);
    return rc;
}

int main(void)
{
    return wf_exit_status(wf_run(serve, NULL, .signals = true));
}
