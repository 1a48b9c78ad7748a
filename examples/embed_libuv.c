/*
 * weft inside libuv's loop: a uv_poll_t watches the descriptor, a uv_timer_t the time, and both give a turn. A timer of
 * libuv's own ticks beside the tasks.
 *
 *     cc embed_libuv.c $(pkg-config --cflags --libs weft libuv)
 */
#include <stdio.h>
#include <uv.h>
#include <weft/weft.h>

struct embedding {
    struct wf_embedded *weft;
    uv_poll_t watch;
    uv_timer_t patience, tick;
    int ticks;
};

static int count_to_three(const char *name)
{
    for (int i = 1; i <= 3; i++) {
        int rc = wf_sleep(WF_MILLISECONDS(30));
        if (rc < 0) return rc;
        printf("%s: %d\n", name, i);
    }
    return 0;
}

static void stop(struct embedding *embedding)
{
    uv_close((uv_handle_t *)&embedding->watch, NULL);
    uv_close((uv_handle_t *)&embedding->patience, NULL);
    uv_close((uv_handle_t *)&embedding->tick, NULL);
}

static void when_patience_ends(uv_timer_t *timer);

static void turn(struct embedding *embedding)
{
    if (wf_embed_turn(embedding->weft) == 0) return stop(embedding);
    int64_t patience = wf_embed_patience(embedding->weft);
    if (patience == WF_FOREVER) uv_timer_stop(&embedding->patience);
    else uv_timer_start(&embedding->patience, when_patience_ends, (uint64_t)(patience + 999999) / 1000000, 0);
}

static void when_patience_ends(uv_timer_t *timer)
{
    turn(timer->data);
}

static void when_readable(uv_poll_t *watch, int status, int events)
{
    (void)status, (void)events;
    turn(watch->data);
}

static void when_ticking(uv_timer_t *timer)
{
    ((struct embedding *)timer->data)->ticks++;
}

int main(void)
{
    struct embedding embedding = {.ticks = 0};
    uv_loop_t *loop = uv_default_loop();
    int rc = wf_embed_begin(&embedding.weft, count_to_three, "a task");
    if (rc < 0) {
        printf("not here: %s\n", wf_strerror(rc));
        return 0;
    }
    embedding.watch.data = embedding.patience.data = embedding.tick.data = &embedding;
    uv_poll_init(loop, &embedding.watch, wf_embed_fd(embedding.weft));
    uv_timer_init(loop, &embedding.patience);
    uv_timer_init(loop, &embedding.tick);
    uv_poll_start(&embedding.watch, UV_READABLE, when_readable);
    uv_timer_start(&embedding.tick, when_ticking, 5, 5);
    turn(&embedding);
    uv_run(loop, UV_RUN_DEFAULT);
    printf("libuv ticked beside it: %s\n", embedding.ticks > 1 ? "yes" : "no");
    uv_loop_close(loop);
    return wf_exit_status(wf_embed_finish(embedding.weft));
}
