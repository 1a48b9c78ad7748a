/* custody transfer, status: hand a vehicle over, and who has it. */
#include <weft/weft.h>

#include "commands.h"
#include "errand.h"

static const char transfer_help[] =
    "usage: custody transfer VIN --type TYPE --credential ID --location ID [OPTIONS]\n\n"
    "Hands a vehicle over, and prints the transfer.\n\n"
    "  --type TYPE           PICKUP, DROPOFF, GATE_OUT, GATE_IN, AUCTION_CHECKIN, DEALER_RELEASE\n"
    "  --credential ID       the approved authorization, AUTH-...\n"
    "  --location ID         where, LOC-...\n"
    "  --async               do not wait until it is completed\n"
    "  --key KEY             said again, nothing is made twice (its own for each call)\n" ERRAND_HELP ERRAND_STATUS;

static const char status_help[] = "usage: custody status [OPTIONS] VIN...\n\n"
                                  "Prints who has vehicles, and where they are.\n\n" ERRAND_HELP ERRAND_STATUS;

/* ---- A transfer ---- */

static int transfer(struct errand *errand)
{
    static const char *const states[] = {"QUEUED", "COMPLETED", "FAILED"};
    const struct custody_transfer_options *options = errand->own;
    struct custody_transfer made;
    int rc = CALL(errand, custody_create_transfer_(errand->client, wf_task_arena(), &made, options));
    if (rc < 0) return complain(errand, options->vin, rc);
    if (errand->json) return print_json(&custody_transfer_model, &made) ? 0 : -EPIPE;
    printf("%s %s %s: %s to %s\n", made.transfer_id, states[made.status], made.vin, made.from_custodian,
           made.to_custodian);
    return 0;
}

int run_transfer(int argc, char **argv)
{
    struct custody_transfer_options wanted = {.size = sizeof wanted};
    struct errand errand = {.command = "transfer", .timeout_s = TIMEOUT_S, .own = &wanted};
    const struct option_rule rules[] = {{"type", OPTION_TEXT, &wanted.transfer_type, 0, 0},
                                        {"credential", OPTION_TEXT, &wanted.credential_id, 0, 0},
                                        {"location", OPTION_TEXT, &wanted.location_id, 0, 0},
                                        {"async", OPTION_FLAG, &wanted.async, 0, 0},
                                        {"key", OPTION_TEXT, &wanted.idempotency_key, 0, 0},
                                        ERRAND_RULES(&errand)};
    int status = read_arguments(argc, argv, transfer_help, rules, &errand.words);
    if (status >= 0) return status;
    if (errand.words.count != 1) return refuse_usage(argv[0], "one VIN is needed");
    for (size_t i = 0; i < 3; i++)
        if (*(const char **)rules[i].value == NULL) return refuse_usage(argv[0], "--%s is needed", rules[i].name);
    wanted.vin = errand.words.list[0];
    return run_errand(&errand, transfer);
}

/* ---- Who has it ---- */

static bool print_state(const struct errand *errand, const struct custody_state *state)
{
    char since[TIME_TEXT];
    if (errand->json) return print_json(&custody_state_model, state);
    printf("%-17s  %-20s  %-30s  %-19s  %lld\n", state->vin, state->current_custodian, state->current_location,
           show_time(state->since, since), (long long)state->pending_authorizations);
    return fflush(stdout) == 0;
}

static int show_status(struct errand *errand)
{
    struct custody_state state;
    if (!errand->json)
        printf("%s%-17s  %-20s  %-30s  %-19s  %s%s\n", paint(BOLD), "VIN", "CUSTODIAN", "LOCATION", "SINCE (UTC)",
               "PENDING", paint(PLAIN));
    for (size_t i = 0; i < errand->words.count; i++) {
        const char *vin = errand->words.list[i];
        int rc = CALL(errand, custody_get_status(errand->client, wf_task_arena(), vin, &state));
        if (rc < 0) complain(errand, vin, rc);
        if (wf_cancelled()) return -ECANCELED;
        if (rc == 0 && !print_state(errand, &state)) return -EPIPE;
    }
    return 0;
}

int run_status(int argc, char **argv)
{
    struct errand errand = {.command = "status", .timeout_s = TIMEOUT_S};
    const struct option_rule rules[] = {ERRAND_RULES(&errand)};
    int status = read_arguments(argc, argv, status_help, rules, &errand.words);
    if (status >= 0) return status;
    return errand.words.count > 0 ? run_errand(&errand, show_status) : refuse_usage(argv[0], "no VIN is given");
}
