/*
 * Basic Setup with Lifespan: a gateway with two routes of its own, which has one client of the custody service for as
 * long as it serves.
 *
 * Rows: S063, S064, S065, S066.
 * The sample answers every error with 500 and its text: a vehicle that is none would be the server's fault, and what is
 * inside would be told to everybody. Here the SDK's codes are answered as they are meant: a wrong VIN 422, a token that
 * is not good 502, a timeout 504. Its client is a global variable that is not closed when serving fails; here it is a
 * variable of the lifespan. What the service asks for beyond the four parameters is in the code there, and here, too:
 * that is how the route is. The parameters are in the query, where logs see them, because that is how the route is.
 *
 * Run it: weft run examples/seeds/000-custody/basic_setup_with_lifespan.c
 */
// weft: pkg-config custody
#include <custody/custody.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <weft/app.h>

#define ANSWER_MEMBERS(M) M(STRING, vin) M(BOOL, is_releasable) M(LIST(STRING), blockers)
WF_MODEL(answer, ANSWER_MEMBERS)

#define WANTED_MEMBERS(M) M(STRING, vin) M(STRING, origin) M(STRING, destination) M(STRING, person_identity_key)
WF_MODEL(wanted, WANTED_MEMBERS)

#define MADE_MEMBERS(M) M(STRING, authorization_id)
WF_MODEL(made, MADE_MEMBERS)

struct gateway {
    struct wf_listener *listener;
    struct custody_client *custody;
};

static int answer_error(struct wf_request *request, int rc)
{
    if (rc == -ECANCELED) return rc;
    const struct custody_error *error = custody_error();
    if (rc == -ETIME) return wf_http_error(request, 504, "the custody service takes too long");
    if (error->kind == CUSTODY_VALIDATION || error->kind == CUSTODY_NOT_FOUND || error->kind == CUSTODY_CONFLICT)
        return wf_http_error(request, error->status >= 400 ? error->status : 422, "%s", error->message);
    return wf_http_error(request, 502, "the custody service does not answer as it should");
}

static int check_releasability(struct wf_request *request)
{
    struct gateway *gateway = wf_request_state(request);
    struct wf_arena *arena = wf_request_arena(request);
    struct custody_releasability result;
    int rc =
        wf_within(WF_SECONDS(5), custody_check_vin(gateway->custody, arena, wf_path_text(request, "vin"), &result));
    if (rc < 0) return answer_error(request, rc);
    const char **codes = wf_arena_array(arena, result.blockers.count, sizeof *codes);
    if (codes == NULL) return -ENOMEM;
    for (size_t i = 0; i < result.blockers.count; i++) codes[i] = result.blockers.items[i].code;
    struct answer answer = {.vin = result.vin,
                            .is_releasable = result.is_releasable,
                            .blockers = {.items = codes, .count = result.blockers.count}};
    return wf_reply(request, 200, &answer_model, &answer);
}

static int create_authorization(struct wf_request *request)
{
    struct gateway *gateway = wf_request_state(request);
    const struct wanted *wanted = wf_query_value(request);
    struct custody_authorization authorization;
    int rc = wf_within(WF_SECONDS(5),
                       custody_create_authorization(gateway->custody, wf_request_arena(request), &authorization,
                                                    .vin = wanted->vin, .origin = wanted->origin,
                                                    .destination = wanted->destination,
                                                    .person_identity_key = wanted->person_identity_key,
                                                    .authorized_by = "api-integration", .make_model = "Unknown"));
    if (rc < 0) return answer_error(request, rc);
    struct made made = {.authorization_id = authorization.authorization_id};
    return wf_reply(request, 200, &made_model, &made);
}

static int lifespan(struct wf_app *app)
{
    struct gateway *gateway = app->state;
    CUSTODY_CLIENT(custody, custody_sandbox(getenv("CUSTODY_TOKEN")));
    gateway->custody = &custody;
    puts("startup");
    int rc = wf_app_run(app);
    puts("shutdown");
    return rc;
}

static int serve(struct gateway *gateway)
{
    struct wf_app app = {.title = "Gateway", .state = gateway, .lifespan = lifespan};
    wf_route(&app, WF_GET, "/releasability/{vin}", check_releasability, .response = &answer_model);
    wf_route(&app, WF_POST, "/authorizations", create_authorization, .query = &wanted_model, .response = &made_model);
    int rc = wf_serve(&app, .listener = gateway->listener);
    wf_app_finish(&app);
    return rc;
}

static int ask(const char *base)
{
    WF_CLIENT(client, .base_url = base);
    struct wf_response response;
    static const char *const paths[] = {"/releasability/1HGCM82633A123456", "/releasability/INVALID_VIN"};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < WF_COUNT(paths); i++) {
        rc = wf_get(&client, wf_task_arena(), paths[i], &response);
        if (rc == 0) printf("GET %s: %d %s\n", paths[i], response.status, response.body);
    }
    if (rc == 0) rc = wf_post(&client, wf_task_arena(), "/authorizations?vin=2HGCM82633A789012", &response);
    if (rc == 0) printf("POST /authorizations with a VIN alone: %d %s\n", response.status, response.body);
    const char *person = wf_arena_printf(wf_task_arena(), "person-%" PRId64, wf_wall_now());
    if (rc == 0)
        rc = wf_post(&client, wf_task_arena(), "/authorizations", &response,
                     .params = WF_NAMED({"vin", "2HGCM82633A789012"}, {"origin", "Atlanta"}, {"destination", "Dallas"},
                                        {"person_identity_key", person}));
    if (rc == 0) printf("POST /authorizations: %d %s\n", response.status, response.body);
    return rc;
}

static int run(void *unused)
{
    (void)unused;
    struct gateway gateway = {.custody = NULL};
    int rc = wf_tcp_listen("127.0.0.1", 0, &gateway.listener);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    wf_spawn(&scope, serve, &gateway);
    rc = ask(wf_arena_printf(wf_task_arena(), "http://127.0.0.1:%u", wf_listener_port(gateway.listener)));
    wf_scope_drain(&scope); /* as the first SIGTERM does */
    rc = wf_scope_end(&scope, rc);
    wf_listener_close(gateway.listener);
    return rc;
}

int main(void)
{
    return wf_main(run, NULL);
}
