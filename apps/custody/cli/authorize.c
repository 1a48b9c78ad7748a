/* custody authorize, approve, reject, cancel: one authorization, made or decided about. */
#include <weft/weft.h>

#include "commands.h"
#include "errand.h"

static const char authorize_help[] =
    "usage: custody authorize VIN --origin TEXT --destination TEXT --person KEY --by WHO --model TEXT [OPTIONS]\n\n"
    "Asks for an authorization, and prints it.\n\n"
    "  --origin TEXT         from where\n"
    "  --destination TEXT    to where\n"
    "  --person KEY          who gets the vehicle\n"
    "  --by WHO              who authorizes it\n"
    "  --model TEXT          make and model\n"
    "  --key KEY             said again, nothing is made twice (its own for each call)\n" ERRAND_HELP ERRAND_STATUS;

#define DECISION_HELP(verb, does)                                                                                      \
    "usage: custody " verb " ID --by WHO [--reason TEXT] [OPTIONS]\n\n" does " an authorization, and prints it.\n\n"   \
    "  --by WHO              who decides\n"                                                                            \
    "  --reason TEXT         why\n" ERRAND_HELP ERRAND_STATUS

static int print_authorization(struct errand *errand, const struct custody_authorization *authorization)
{
    if (errand->json) return print_json(&custody_authorization_model, authorization) ? 0 : -EPIPE;
    printf("%s %s %s\n", authorization->authorization_id, custody_status_name(authorization->status),
           authorization->vin);
    return 0;
}

/* ---- A new one ---- */

static int authorize(struct errand *errand)
{
    const struct custody_authorize_options *options = errand->own;
    struct custody_authorization made;
    int rc = CALL(errand, custody_create_authorization_(errand->client, wf_task_arena(), &made, options));
    return rc < 0 ? complain(errand, options->vin, rc) : print_authorization(errand, &made);
}

int run_authorize(int argc, char **argv)
{
    struct custody_authorize_options wanted = {.size = sizeof wanted};
    struct errand errand = {.command = "authorize", .timeout_s = TIMEOUT_S, .own = &wanted};
    const struct option_rule rules[] = {{"origin", OPTION_TEXT, &wanted.origin, 0, 0},
                                        {"destination", OPTION_TEXT, &wanted.destination, 0, 0},
                                        {"person", OPTION_TEXT, &wanted.person_identity_key, 0, 0},
                                        {"by", OPTION_TEXT, &wanted.authorized_by, 0, 0},
                                        {"model", OPTION_TEXT, &wanted.make_model, 0, 0},
                                        {"key", OPTION_TEXT, &wanted.idempotency_key, 0, 0},
                                        ERRAND_RULES(&errand)};
    int status = read_arguments(argc, argv, authorize_help, rules, &errand.words);
    if (status >= 0) return status;
    if (errand.words.count != 1) return refuse_usage(argv[0], "one VIN is needed");
    for (size_t i = 0; i < 5; i++)
        if (*(const char **)rules[i].value == NULL) return refuse_usage(argv[0], "--%s is needed", rules[i].name);
    wanted.vin = errand.words.list[0];
    return run_errand(&errand, authorize);
}

/* ---- Decisions ---- */

typedef int decide_fn(struct custody_client *client, struct wf_arena *arena, const char *id, const char *by,
                      const char *reason, struct custody_authorization *result);

struct deciding {
    decide_fn *decide;
    const char *by, *reason;
};

static int decide(struct errand *errand)
{
    const struct deciding *deciding = errand->own;
    struct custody_authorization result;
    const char *id = errand->words.list[0];
    int rc =
        CALL(errand, deciding->decide(errand->client, wf_task_arena(), id, deciding->by, deciding->reason, &result));
    return rc < 0 ? complain(errand, id, rc) : print_authorization(errand, &result);
}

static int run_decision(int argc, char **argv, const char *command, const char *help, decide_fn *fn)
{
    struct deciding deciding = {.decide = fn};
    struct errand errand = {.command = command, .timeout_s = TIMEOUT_S, .own = &deciding};
    const struct option_rule rules[] = {{"by", OPTION_TEXT, &deciding.by, 0, 0},
                                        {"reason", OPTION_TEXT, &deciding.reason, 0, 0},
                                        ERRAND_RULES(&errand)};
    int status = read_arguments(argc, argv, help, rules, &errand.words);
    if (status >= 0) return status;
    if (errand.words.count != 1) return refuse_usage(argv[0], "the id of one authorization is needed");
    if (deciding.by == NULL) return refuse_usage(argv[0], "--by is needed");
    return run_errand(&errand, decide);
}

int run_approve(int argc, char **argv)
{
    return run_decision(argc, argv, "approve", DECISION_HELP("approve", "Approves"), custody_approve);
}

int run_reject(int argc, char **argv)
{
    return run_decision(argc, argv, "reject", DECISION_HELP("reject", "Rejects"), custody_reject);
}

int run_cancel(int argc, char **argv)
{
    return run_decision(argc, argv, "cancel", DECISION_HELP("cancel", "Cancels"), custody_cancel);
}
