/* custody transfer, status: hand a vehicle over, and who has it. */
#include <weft/weft.h>

#include "commands.h"
#include "session.h"

static const char transfer_help[] =
    "usage: custody transfer VIN --type TYPE --credential ID --location ID [OPTIONS]\n\n"
    "Hands a vehicle over, and prints the transfer.\n\n"
    "  --type TYPE           PICKUP, DROPOFF, GATE_OUT, GATE_IN, AUCTION_CHECKIN, DEALER_RELEASE\n"
    "  --credential ID       the approved authorization, AUTH-...\n"
    "  --location ID         where, LOC-...\n"
    "  --async               do not wait until it is completed\n"
    "  --key KEY             said again, nothing is made twice (its own for each call)\n" SESSION_HELP SESSION_STATUS;

static const char status_help[] = "usage: custody status [OPTIONS] VIN...\n\n"
                                  "Prints who has vehicles, and where they are.\n\n" SESSION_HELP SESSION_STATUS;

/* ---- A transfer ---- */

static int transfer(struct session *session)
{
    static const char *const states[] = {"QUEUED", "COMPLETED", "FAILED"};
    const struct custody_transfer_options *options = session->own;
    struct custody_transfer made;
    int rc = CALL(session, custody_create_transfer_(session->client, wf_task_arena(), &made, options));
    if (rc < 0) return complain(session, options->vin, rc);
    if (session->json) return print_json(&custody_transfer_model, &made) ? 0 : -EPIPE;
    printf("%s %s %s: %s to %s\n", made.transfer_id, states[made.status], made.vin, made.from_custodian,
           made.to_custodian);
    return 0;
}

int run_transfer(int argc, char **argv)
{
    struct custody_transfer_options wanted = {.size = sizeof wanted};
    struct session session = {.command = "transfer", .timeout_s = TIMEOUT_S, .own = &wanted};
    const struct option_rule rules[] = {{"type", OPTION_TEXT, &wanted.transfer_type, 0, 0},
                                        {"credential", OPTION_TEXT, &wanted.credential_id, 0, 0},
                                        {"location", OPTION_TEXT, &wanted.location_id, 0, 0},
                                        {"async", OPTION_FLAG, &wanted.async, 0, 0},
                                        {"key", OPTION_TEXT, &wanted.idempotency_key, 0, 0},
                                        SESSION_RULES(&session)};
    int status = read_arguments(argc, argv, transfer_help, rules, &session.words);
    if (status >= 0) return status;
    if (session.words.count != 1) return refuse_usage(argv[0], "one VIN is needed");
    for (size_t i = 0; i < 3; i++)
        if (*(const char **)rules[i].value == NULL) return refuse_usage(argv[0], "--%s is needed", rules[i].name);
    wanted.vin = session.words.list[0];
    return run_session(&session, transfer);
}

/* ---- Who has it ---- */

static bool print_state(const struct session *session, const struct custody_state *state)
{
    char since[TIME_TEXT];
    if (session->json) return print_json(&custody_state_model, state);
    printf("%-17s  %-20s  %-30s  %-19s  %lld\n", state->vin, state->current_custodian, state->current_location,
           show_time(state->since, since), (long long)state->pending_authorizations);
    return fflush(stdout) == 0;
}

static int show_status(struct session *session)
{
    struct custody_state state;
    if (!session->json)
        printf("%s%-17s  %-20s  %-30s  %-19s  %s%s\n", paint(BOLD), "VIN", "CUSTODIAN", "LOCATION", "SINCE (UTC)",
               "PENDING", paint(PLAIN));
    for (size_t i = 0; i < session->words.count; i++) {
        const char *vin = session->words.list[i];
        int rc = CALL(session, custody_get_status(session->client, wf_task_arena(), vin, &state));
        if (rc < 0) complain(session, vin, rc);
        if (wf_cancelled()) return -ECANCELED;
        if (rc == 0 && !print_state(session, &state)) return -EPIPE;
    }
    return 0;
}

int run_status(int argc, char **argv)
{
    struct session session = {.command = "status", .timeout_s = TIMEOUT_S};
    const struct option_rule rules[] = {SESSION_RULES(&session)};
    int status = read_arguments(argc, argv, status_help, rules, &session.words);
    if (status >= 0) return status;
    return session.words.count > 0 ? run_session(&session, show_status) : refuse_usage(argv[0], "no VIN is given");
}
