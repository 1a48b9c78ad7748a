/*
 * FastAPI Background Tasks: a transfer is accepted at once and made afterwards, by a task that outlives the request.
 *
 * Rows: S070, S069, S105.
 * The sample answers 200 for what has not happened yet, uses a client that its program never makes, and loses the
 * transfer when the process dies. Here the answer is 202; the client is there; and the service itself keeps what it
 * accepted (.async), so that a crash of this program after that loses nothing. What a crash before that loses needs a
 * queue that lasts.
 *
 * Run it: weft run examples/seeds/000-custody/fastapi_background_tasks.c
 */
// weft: pkg-config custody
#include <custody/custody.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/app.h>

#define QUEUED_MEMBERS(M) M(STRING, status) M(STRING, vin)
WF_MODEL(queued, QUEUED_MEMBERS)

#define ASKED_MEMBERS(M) M(STRING, transfer_type) M(STRING, credential_id)
WF_MODEL(asked, ASKED_MEMBERS)

struct gateway {
    struct custody_client *custody;
    struct wf_background *tasks;
};

struct transfer {
    struct custody_client *custody;
    char vin[CUSTODY_VIN_MAX + 1], type[32], credential[16];
};

static int process_transfer(struct transfer *transfer)
{
    struct custody_transfer made;
    int rc = custody_create_transfer(transfer->custody, wf_task_arena(), &made, .vin = transfer->vin,
                                     .transfer_type = transfer->type, .credential_id = transfer->credential,
                                     .location_id = "LOC-AUCTION-MANHEIM-ATLANTA", .async = true);
    if (rc == 0) printf("Transfer accepted: %s\n", made.transfer_id);
    else printf("Transfer failed: %s\n", custody_error()->message);
    return 0; /* said already */
}

static int initiate_transfer(struct wf_request *request)
{
    struct gateway *gateway = wf_request_state(request);
    const struct asked *asked = wf_query_value(request);
    struct transfer transfer = {.custody = gateway->custody}; /* the task has a copy */
    snprintf(transfer.vin, sizeof transfer.vin, "%s", wf_path_text(request, "vin"));
    snprintf(transfer.type, sizeof transfer.type, "%s", asked->transfer_type);
    snprintf(transfer.credential, sizeof transfer.credential, "%s", asked->credential_id);
    int rc = wf_background_start_copy(gateway->tasks, process_transfer, &transfer, .name = "transfer");
    struct queued queued = {.status = "Transfer queued", .vin = wf_path_text(request, "vin")};
    return rc < 0 ? rc : wf_reply(request, 202, &queued_model, &queued);
}

/* Somebody is allowed to fetch the vehicle. */
static int authorize(struct custody_client *custody, struct custody_authorization *authorization)
{
    const char *person = wf_arena_printf(wf_task_arena(), "person-%" PRId64, wf_wall_now());
    int rc = custody_create_authorization(custody, wf_task_arena(), authorization, .vin = "2HGCM82633A789012",
                                          .origin = "Atlanta", .destination = "Dallas", .person_identity_key = person,
                                          .authorized_by = "api-integration", .make_model = "Unknown");
    if (rc < 0) return rc;
    return custody_approve(custody, wf_task_arena(), authorization->authorization_id, "gate", NULL, authorization);
}

/* It is seen where one asks who has the vehicle. */
static int wait_until_done(struct custody_client *custody, const char *vin, const char *before)
{
    struct custody_state state = {.last_transfer_id = before};
    while (!state.has.last_transfer_id || strcmp(state.last_transfer_id, before) == 0) {
        int rc = custody_get_status(custody, wf_task_arena(), vin, &state);
        if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(50));
        if (rc < 0) return rc;
    }
    printf("%s is at %s\n", vin, state.current_location);
    return 0;
}

static int run(void *unused)
{
    (void)unused;
    static const char vin[] = "2HGCM82633A789012";
    CUSTODY_CLIENT(custody, custody_sandbox(getenv("CUSTODY_TOKEN")));
    WF_BACKGROUND(tasks);
    struct gateway gateway = {.custody = &custody, .tasks = &tasks};
    struct wf_app app = {.title = "Gateway", .state = &gateway};
    wf_route(&app, WF_POST, "/transfers/{vin}", initiate_transfer, .query = &asked_model, .response = &queued_model,
             .status = 202);
    WF_CLIENT(client, .app = &app);
    struct custody_authorization authorization;
    struct custody_state before;
    struct wf_response response;
    int rc = authorize(&custody, &authorization);
    if (rc == 0) rc = custody_get_status(&custody, wf_task_arena(), vin, &before);
    if (rc == 0)
        rc = wf_post(&client, wf_task_arena(), "http://gateway/transfers/2HGCM82633A789012", &response,
                     .params =
                         WF_NAMED({"transfer_type", "GATE_IN"}, {"credential_id", authorization.authorization_id}));
    if (rc == 0) printf("%d %s\n", response.status, response.body);
    const char *last = before.has.last_transfer_id ? before.last_transfer_id : "";
    if (rc == 0) rc = wf_within(WF_SECONDS(20), wait_until_done(&custody, vin, last));
    wf_app_finish(&app);
    return rc;
}

int main(void)
{
    return wf_main(run, NULL);
}
