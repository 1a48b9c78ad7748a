/* What the commands that stand on the SDK share: a client, how long a call may take, how things are said. */
#ifndef CUSTODY_ERRAND_H
#define CUSTODY_ERRAND_H

#include <custody/custody.h>
#include <stdio.h>
#include <weft/json.h>

#include "arguments.h"

struct errand {
    const char *command; /* "check" */
    const char *url, *token;
    int timeout_s; /* of each call */
    bool json;
    struct words words;
    struct custody_client *client; /* open while the body runs */
    int status;                    /* with which the program ends */
    void *own;                     /* the command's */
};

/* The rules of the options that all have. */
#define ERRAND_RULES(errand)                                                                                           \
    {"url", OPTION_TEXT, &(errand)->url, 0, 0}, {"token", OPTION_TEXT, &(errand)->token, 0, 0},                        \
        {"timeout", OPTION_NUMBER, &(errand)->timeout_s, 1, 86400}, {"json", OPTION_FLAG, &(errand)->json, 0, 0},      \
    {                                                                                                                  \
        NULL, OPTION_FLAG, NULL, 0, 0                                                                                  \
    }

/* And what is said of them. */
#define ERRAND_HELP                                                                                                    \
    "  --url URL             where the service is (CUSTODY_URL; default " CUSTODY_SANDBOX_URL ")\n"                    \
    "  --token TOKEN         who asks (CUSTODY_TOKEN); @FILE: it is in that file\n"                                    \
    "  --timeout SECONDS     of each call (30)\n"                                                                      \
    "  --json                one line of JSON for each\n"                                                              \
    "  --help                this\n"

#define ERRAND_STATUS "\nExit status: 0, 1 when something failed, 2 for a wrong command line, 130 after Ctrl-C.\n"

enum { TIMEOUT_S = 30 };

/* Runs the command's body in a loop, with a client. Returns the exit status. */
int run_errand(struct errand *errand, int (*body)(struct errand *errand));

/* An expression that is cut when a call takes too long. */
#define CALL(errand, ...) wf_within(WF_SECONDS((errand)->timeout_s), __VA_ARGS__)

/* Says why the last call failed: "custody: check: VIN: ...". Returns the code. `about` may be NULL. */
int complain(struct errand *errand, const char *about, int rc);
/* The same as a text. */
const char *explain(struct wf_arena *arena, const char *about);

/* ---- Output: false: nobody reads any more ---- */

bool print_json(const struct wf_model *model, const void *value);

/* A word of a colour, where standard output is a terminal that has them. */
enum colour { PLAIN, GREEN, YELLOW, RED, BOLD };
const char *paint(enum colour colour);

/* "2026-03-01 09:30:00" */
enum { TIME_TEXT = 32 };
const char *show_time(int64_t at, char text[TIME_TEXT]);

#endif
