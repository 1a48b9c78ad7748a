/*
 * weft inside GLib's main loop: a GSource that asks how long weft may be left alone, watches its descriptor, and gives
 * it a turn. A timeout of GLib's own ticks beside the tasks.
 *
 *     cc embed_glib.c $(pkg-config --cflags --libs weft glib-2.0)
 */
#include <glib.h>
#include <stdio.h>
#include <weft/weft.h>

struct embedding {
    GSource source; /* first: GLib allocates and frees the whole */
    struct wf_embedded *weft;
    gpointer watch;
    GMainLoop *loop;
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

/* ---- The source ---- */

/* Milliseconds for GLib, rounded up, so that it does not wake too early. */
static gboolean prepare(GSource *source, gint *timeout)
{
    int64_t patience = wf_embed_patience(((struct embedding *)source)->weft);
    if (patience == WF_FOREVER) *timeout = -1;
    else *timeout = patience > WF_SECONDS(3600) ? 3600 * 1000 : (gint)((patience + 999999) / 1000000);
    return patience == 0;
}

static gboolean check(GSource *source)
{
    struct embedding *embedding = (struct embedding *)source;
    return g_source_query_unix_fd(source, embedding->watch) != 0 || wf_embed_patience(embedding->weft) == 0;
}

static gboolean dispatch(GSource *source, GSourceFunc unused, gpointer data)
{
    (void)unused, (void)data;
    struct embedding *embedding = (struct embedding *)source;
    if (wf_embed_turn(embedding->weft) != 0) return G_SOURCE_CONTINUE;
    g_main_loop_quit(embedding->loop);
    return G_SOURCE_REMOVE;
}

static GSourceFuncs functions = {.prepare = prepare, .check = check, .dispatch = dispatch};

/* ---- The program ---- */

static gboolean when_ticking(gpointer ticks)
{
    ++*(int *)ticks;
    return G_SOURCE_CONTINUE;
}

int main(void)
{
    struct wf_embedded *weft;
    int ticks = 0, rc = wf_embed_begin(&weft, count_to_three, "a task");
    if (rc < 0) {
        printf("not here: %s\n", wf_strerror(rc));
        return 0;
    }
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    GSource *source = g_source_new(&functions, sizeof(struct embedding));
    struct embedding *embedding = (struct embedding *)source;
    embedding->weft = weft;
    embedding->loop = loop;
    embedding->watch = g_source_add_unix_fd(source, wf_embed_fd(weft), G_IO_IN);
    g_source_attach(source, NULL);
    g_timeout_add(5, when_ticking, &ticks);
    g_main_loop_run(loop);
    g_source_unref(source);
    g_main_loop_unref(loop);
    printf("GLib ticked beside it: %s\n", ticks > 1 ? "yes" : "no");
    return wf_exit_status(wf_embed_finish(weft));
}
