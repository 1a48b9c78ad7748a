/* What programs make of several calls: a view, all pages, a fallback, a loop in the background, an end in order. */
#include <inttypes.h>
#include <stdio.h>
#include <weft/weft.h>

#include "steps.h"

static const char vehicle[] = "9HGBH41JXMN999999";

/* ---- A group of different calls ---- */

struct view {
    struct custody_client *client;
    struct wf_arena *arena;
    struct custody_releasability releasability;
    struct custody_page page;
    struct custody_state state;
};

static int load_releasability(struct view *view)
{
    return custody_check_vin(view->client, view->arena, vehicle, &view->releasability);
}

static int load_page(struct view *view)
{
    return custody_list_authorizations(view->client, view->arena, &view->page, .vin = vehicle);
}

static int load_state(struct view *view)
{
    return custody_get_status(view->client, view->arena, vehicle, &view->state);
}

int show_a_group(struct demo *demo)
{
    struct view view = {.client = demo->client, .arena = wf_task_arena()};
    puts("\nThree different questions in one scope; the first that fails would cancel the others");
    int rc = sandbox_delay(demo->sandbox, "/*", FAR_MS);
    int64_t began = wf_now();
    if (rc == 0) {
        WF_SCOPE(scope, .timeout = WF_SECONDS(5));
        wf_spawn(&scope, load_releasability, &view);
        wf_spawn(&scope, load_page, &view);
        wf_spawn(&scope, load_state, &view);
        rc = wf_scope_join(&scope);
    }
    if (rc < 0) return rc;
    printf("  releasable: %s; authorizations: %" PRId64 "; with: %s\n", view.releasability.is_releasable ? "yes" : "no",
           view.page.total_count, view.state.current_custodian);
    printf("  together %.0f ms\n", wf_seconds(wf_now() - began) * 1e3);
    return sandbox_delay(demo->sandbox, "/*", 0);
}

/* ---- Pages ---- */

int show_pages(struct demo *demo)
{
    puts("\nAll authorizations of a vehicle, one by one, while they are fetched page by page");
    CUSTODY_AUTHORIZATIONS(authorizations, demo->client, .vin = vehicle, .limit = 50);
    struct custody_authorization each;
    int rc, count = 0;
    while ((rc = wf_next(&authorizations, &each)) > 0)
        if (++count <= 2) printf("  %s: from %s to %s\n", each.authorization_id, each.origin, each.destination);
    if (rc == 0) printf("  ... %d authorizations, in %d requests\n", count, (count + 49) / 50);
    return rc;
}

/* ---- A fallback ---- */

int show_a_fallback(struct demo *demo)
{
    struct custody_releasability result;
    puts("\nThe service takes two seconds; the check may take 150 ms; what was known last is the answer");
    int rc = sandbox_delay(demo->sandbox, "/releasability/9HGBH41JXMN999999", 2000);
    int64_t began = wf_now();
    if (rc == 0)
        rc = wf_within(WF_MILLISECONDS(150), custody_check_vin(demo->client, wf_task_arena(), vehicle, &result));
    if (rc == -ETIME) rc = custody_get_cached(demo->client, wf_task_arena(), vehicle, &result);
    if (rc < 0) return rc;
    printf("  %s: %s%s, after %.0f ms\n", vehicle, result.is_releasable ? "Releasable" : "Not releasable",
           result.cached ? ", as of an earlier check" : "", wf_seconds(wf_now() - began) * 1e3);
    return sandbox_delay(demo->sandbox, "/releasability/9HGBH41JXMN999999", 0);
}

/* ---- In the background ---- */

struct poller {
    struct custody_client *client;
    int rounds, seen;
};

static int poll_for_ever(struct poller *poller)
{
    for (;;) {
        struct custody_page page;
        int rc = custody_list_authorizations(poller->client, wf_task_arena(), &page, .status = "PENDING", .limit = 50);
        if (rc == 0) poller->seen = (int)page.authorizations.count;
        poller->rounds++;
        wf_arena_reset(wf_task_arena());
        if (rc != -ECANCELED) rc = wf_sleep(WF_MILLISECONDS(100));
        if (rc < 0) return rc;
    }
}

int show_polling(struct demo *demo)
{
    struct poller poller = {.client = demo->client};
    struct wf_handle task = {0};
    puts("\nA task in the background asks for what is pending, every 100 ms, while other work goes on");
    WF_SCOPE(scope);
    wf_spawn(&scope, poll_for_ever, &poller, .handle = &task);
    int rc = wf_sleep(WF_MILLISECONDS(450));
    wf_handle_cancel(&task, "the work is done");
    if (rc == 0 && wf_handle_join(&task) == -ECANCELED) puts("  Background task cancelled");
    printf("  %d rounds, %d pending on the first page\n", poller.rounds, poller.seen);
    return wf_scope_end(&scope, rc);
}

/* ---- The end ---- */

enum { UNDER_WAY = 20 };

struct last {
    struct custody_client *client;
    int answered;
};

static int ask_last(struct last *last)
{
    struct custody_releasability result;
    int rc = custody_check_vin(last->client, wf_task_arena(), vehicle, &result);
    if (rc == 0) last->answered++;
    return rc;
}

int show_the_end(struct sandbox_process *sandbox)
{
    CUSTODY_CLIENT(client, .base_url = sandbox->url, .token = sandbox->token, .attempts = 1);
    struct last last = {.client = &client};
    int status = -1;
    printf("\nThe service is told to end (SIGTERM) while %d requests are under way\n", UNDER_WAY);
    int rc = sandbox_delay(sandbox, "/releasability/*", 200);
    WF_SCOPE(scope);
    for (int i = 0; rc == 0 && i < UNDER_WAY; i++) rc = wf_spawn(&scope, ask_last, &last);
    if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(100));
    int64_t began = wf_now();
    if (rc == 0) rc = sandbox_stop(sandbox, &status);
    rc = wf_scope_end(&scope, rc);
    if (rc < 0) return rc;
    printf("  %d of %d were answered; exit status %d, after %.0f ms\n", last.answered, UNDER_WAY, status,
           wf_seconds(wf_now() - began) * 1e3);
    return last.answered == UNDER_WAY && status == 0 ? 0 : wf_fail(-EPROTO, "the service did not end in order");
}
