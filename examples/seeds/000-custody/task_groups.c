/*
 * Task Groups: three different questions about one vehicle, at once; the first that fails cancels the other two.
 *
 * Rows: S110, S009, S101, S104.
 * Run it: weft run examples/seeds/000-custody/task_groups.c
 */
// weft: pkg-config custody
#include <custody/custody.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct view {
    struct custody_client *client;
    struct wf_arena *arena;
    const char *vin;
    struct custody_releasability releasability;
    struct custody_page page;
    struct custody_state state;
};

static int check(struct view *view)
{
    return custody_check_vin(view->client, view->arena, view->vin, &view->releasability);
}

static int list(struct view *view)
{
    return custody_list_authorizations(view->client, view->arena, &view->page, .vin = view->vin);
}

static int locate(struct view *view)
{
    return custody_get_status(view->client, view->arena, view->vin, &view->state);
}

static int load(struct view *view)
{
    WF_SCOPE(scope, .timeout = WF_SECONDS(10));
    wf_spawn(&scope, check, view);
    wf_spawn(&scope, list, view);
    wf_spawn(&scope, locate, view);
    return wf_scope_join(&scope); /* all are done, or none goes on */
}

static int show(const char *vin)
{
    CUSTODY_CLIENT(client, custody_sandbox(getenv("CUSTODY_TOKEN")));
    struct view view = {.client = &client, .arena = wf_task_arena(), .vin = vin};
    int rc = load(&view);
    if (rc < 0) return rc;
    printf("Releasability: %s\n", view.releasability.is_releasable ? "true" : "false");
    printf("Total authorizations: %" PRId64 "\n", view.page.total_count);
    printf("Current custodian: %s\n", view.state.current_custodian);

    struct view wrong = {.client = &client, .arena = wf_task_arena(), .vin = "INVALID_VIN"};
    rc = load(&wrong);
    printf("INVALID_VIN: %s\n", rc < 0 ? "failed, and nothing goes on" : "answered");
    return 0;
}

int main(void)
{
    return wf_main(show, "9HGBH41JXMN999999");
}
