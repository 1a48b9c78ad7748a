/*
 * A client that works until it is killed: load URL TOKEN SEED. Tasks check vehicles, list authorizations, ask for new
 * ones, approve them and hand vehicles over. What the service has acknowledged is a line of standard output, each
 * written at once:
 *
 *     created AUTH-12345678 VIN PERSON
 *     approved AUTH-12345678
 *     transferred TRF-00000001 AUTH-12345678
 *
 * Whatever fails is tried again, with the same key; a line of standard error says what a call failed with for good.
 */
#include <custody/custody.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TASKS = 8, VEHICLES = 400, LINE = 200 };

struct worker {
    struct custody_client *client;
    const char *seed;
    int number, count;
};

static WF_PRINTF_(1, 2) int acknowledge(const char *format, ...)
{
    char line[LINE];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    return write(STDOUT_FILENO, line, (size_t)size) == size ? 0 : -errno;
}

/* May what a call failed with be over in a while? Then it is waited for. */
static bool again(const char *what, int rc)
{
    if (rc == 0 || rc == -ECANCELED) return false;
    const struct custody_error *error = custody_error();
    bool passing = error->kind == CUSTODY_SERVER || error->kind == CUSTODY_CONNECTION ||
                   error->kind == CUSTODY_TIMEOUT || error->kind == CUSTODY_RATE_LIMIT;
    if (!passing) fprintf(stderr, "%s: %s\n", what, error->message);
    return passing && wf_sleep(WF_MILLISECONDS(100)) == 0;
}

/* Until it succeeds, or is refused. */
#define PATIENTLY(what, ...)                                                                                           \
    __extension__({                                                                                                    \
        int tried_;                                                                                                    \
        do tried_ = (__VA_ARGS__);                                                                                     \
        while (again((what), tried_));                                                                                 \
        tried_;                                                                                                        \
    })

static int hand_over(struct worker *worker, const struct custody_authorization *authorization, const char *key)
{
    struct wf_arena *arena = wf_task_arena();
    struct custody_authorization approved;
    struct custody_transfer transfer;
    int rc = PATIENTLY("approve", custody_approve(worker->client, arena, authorization->authorization_id, "load", NULL,
                                                  &approved));
    if (rc == -EEXIST) rc = 0; /* by a call whose answer was lost */
    if (rc == 0) rc = acknowledge("approved %s\n", authorization->authorization_id);
    if (rc < 0) return rc;
    rc = PATIENTLY("transfer",
                   custody_create_transfer(worker->client, arena, &transfer, .vin = authorization->vin,
                                           .transfer_type = "GATE_IN", .location_id = "LOC-AUCTION-MANHEIM-ATLANTA",
                                           .credential_id = authorization->authorization_id, .idempotency_key = key));
    if (rc < 0) return rc;
    return acknowledge("transferred %s %s\n", transfer.transfer_id, authorization->authorization_id);
}

static int do_one(struct worker *worker)
{
    struct wf_arena *arena = wf_task_arena();
    int turn = worker->count++;
    const char *vin = wf_arena_printf(arena, "VIN%012d", (worker->number * 97 + turn * 31) % VEHICLES);
    const char *person = wf_arena_printf(arena, "person-%s-%d-%d", worker->seed, worker->number, turn);
    struct custody_releasability checked;
    struct custody_authorization authorization;
    struct custody_page page;
    int rc = PATIENTLY("check", custody_check_vin(worker->client, arena, vin, &checked));
    if (rc == 0) rc = PATIENTLY("list", custody_list_authorizations(worker->client, arena, &page, .vin = vin));
    if (rc == 0)
        rc = PATIENTLY("create", custody_create_authorization(worker->client, arena, &authorization, .vin = vin,
                                                              .origin = "Atlanta", .destination = "Dallas",
                                                              .person_identity_key = person, .authorized_by = "load",
                                                              .make_model = "Unknown", .idempotency_key = person));
    if (rc == 0) rc = acknowledge("created %s %s %s\n", authorization.authorization_id, vin, person);
    return rc == 0 && turn % 2 == 0 ? hand_over(worker, &authorization, person) : rc;
}

static int work(struct worker *worker)
{
    int rc = 0;
    while (rc != -ECANCELED) {
        rc = wf_within(WF_SECONDS(20), do_one(worker));
        wf_arena_reset(wf_task_arena());
    }
    return rc;
}

static int watch(struct custody_client *client)
{
    CUSTODY_EVENTS(events, client);
    struct custody_news news;
    int rc;
    do rc = wf_next(&events, &news);
    while (rc > 0);
    return rc;
}

static int run(char **argv)
{
    CUSTODY_CLIENT(client, .base_url = argv[1], .token = argv[2]);
    struct worker workers[TASKS];
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, watch, &client);
    for (int i = 0; i < TASKS; i++) {
        workers[i] = (struct worker){.client = &client, .seed = argv[3], .number = i};
        wf_spawn(&scope, work, &workers[i]);
    }
    return wf_scope_join(&scope);
}

int main(int argc, char **argv)
{
    if (argc != 4) return fputs("usage: load URL TOKEN SEED\n", stderr), 2;
    wf_log_set_level("retry", WF_OFF); /* that calls are tried again is what this is for */
    return wf_main(run, argv);
}
