/*
 * Dependency Injection Pattern: a handler gets its custody client from a provider, which answers 503 where there is
 * none yet, is asked once per request, and is replaced in a test.
 *
 * Rows: S067, S063, S073.
 * The sample's `except Exception` around such a handler would turn the 503 into a 500; an answer that is made stands.
 *
 * Run it: weft run examples/seeds/000-custody/dependency_injection_pattern.c
 */
// weft: pkg-config custody
#include <custody/custody.h>
#include <stdio.h>
#include <stdlib.h>
#include <weft/depend.h>

#define ANSWER_MEMBERS(M) M(STRING, vin) M(BOOL, is_releasable)
WF_MODEL(answer, ANSWER_MEMBERS)

static int times_opened;

static int get_custody_client(struct wf_request *request, const struct wf_dependency *self, void **value)
{
    (void)self;
    times_opened++;
    *value = wf_request_state(request);
    return *value != NULL ? 0 : wf_http_error(request, 503, "Client not initialized");
}
static const struct wf_dependency custody_client = {.name = "custody client", .open = get_custody_client};

static int check_releasability(struct wf_request *request)
{
    struct custody_client *custody, *the_same;
    int rc = wf_depend(request, &custody_client, &custody);
    if (rc == 0) rc = wf_depend(request, &custody_client, &the_same); /* is not opened again */
    if (rc < 0) return rc;
    struct custody_releasability result;
    rc = custody_check_vin(custody, wf_request_arena(request), wf_path_text(request, "vin"), &result);
    if (rc < 0) return rc; /* -EINVAL is 422, -ENOENT 404, -ETIME 504 (weft/app.h) */
    struct answer answer = {.vin = result.vin, .is_releasable = result.is_releasable};
    return wf_reply(request, 200, &answer_model, &answer);
}

static int show(struct wf_app *app, const char *what)
{
    WF_CLIENT(client, .app = app);
    struct wf_response response;
    times_opened = 0;
    int rc = wf_get(&client, wf_task_arena(), "http://gateway/releasability/9HGBH41JXMN999999", &response);
    if (rc == 0) printf("%s: %d %s, opened %d\n", what, response.status, response.body, times_opened);
    return rc;
}

static int open_nothing(struct wf_request *request, const struct wf_dependency *self, void **value)
{
    (void)self, (void)value;
    return wf_http_error(request, 418, "a test's own");
}
static const struct wf_dependency stand_in = {.name = "stand-in", .open = open_nothing};

static int run(void *unused)
{
    (void)unused;
    CUSTODY_CLIENT(custody, custody_sandbox(getenv("CUSTODY_TOKEN")));
    struct wf_app app = {.title = "Gateway"};
    wf_route(&app, WF_GET, "/releasability/{vin}", check_releasability, .response = &answer_model);
    int rc = show(&app, "before");
    app.state = &custody;
    if (rc == 0) rc = show(&app, "with a client");
    wf_app_override(&app, &custody_client, &stand_in);
    if (rc == 0) rc = show(&app, "in a test");
    wf_app_finish(&app);
    return rc;
}

int main(void)
{
    return wf_main(run, NULL);
}
