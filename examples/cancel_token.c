/*
 * A token cancels operations that are not the canceller's children: those of a window, in whichever task they run.
 *
 *     weft run examples/cancel_token.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct transfer {
    const char *name;
    struct wf_token *token; /* NULL: no window waits for it */
    int64_t duration;
};

static int run_transfer(struct transfer *transfer)
{
    int rc;
    if (transfer->token == NULL) rc = wf_sleep(transfer->duration);
    else rc = wf_linked(transfer->token, wf_sleep(transfer->duration));
    printf("%s: %s", transfer->name, wf_strerror(rc));
    if (rc == -ECANCELED) printf(", because: %s", wf_caught_reason()->text);
    printf("\n");
    return 0;
}

static int desktop(void *unused)
{
    (void)unused;
    struct wf_token window = WF_TOKEN;
    struct transfer download = {"download", &window, WF_SECONDS(10)}, upload = {"upload", &window, WF_SECONDS(20)};
    struct transfer backup = {"backup", NULL, WF_MILLISECONDS(100)};
    WF_SCOPE(scope);
    wf_spawn(&scope, run_transfer, &download);
    wf_spawn(&scope, run_transfer, &upload);
    wf_spawn(&scope, run_transfer, &backup);
    wf_sleep(WF_MILLISECONDS(20));
    wf_token_cancel(&window, "the user closed the window");
    int rc = wf_scope_join(&scope);
    printf("scopes still linked: %d\n", (int)wf_token_links(&window));
    return rc;
}

int main(void)
{
    return wf_main(desktop, NULL);
}
