/* The command line of a test program. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "testing/runner.h"

static const char usage_text[] =
    "Runs the tests whose names contain PART (the one that is PART, where there is one), or all of them.\n"
    "\n"
    "  --list            print the names instead; with --verbose also the rules they prove and their places\n"
    "  --verbose         print each name before it runs, and how long it took\n"
    "  --driver NAME     uring, epoll or sim; else $WEFT_DRIVER\n"
    "  --seed N          of the simulated world, from 1; else $WEFT_SEED, or 1\n"
    "  --repeat N        run each test N times; in the simulated world each time with the next seed\n"
    "  --parallel N      in N processes at once\n"
    "  --sweep           repeat each test with a cancel, a failed allocation, a failed or short operation at the "
    "first,\n"
    "                    second, third ... place\n"
    "  --no-sweep        not even the tests that ask for it\n"
    "  --inject KIND:N   one such run: KIND is cancel, cancel-in-flight, cancel-completed, allocation, allocations,\n"
    "                    operation, operations, short or shorts (the plural: that one and all later ones)\n"
    "  --tap             write the Test Anything Protocol, version 14\n"
    "  --junit FILE      write JUnit XML there, too\n"
    "  --no-colour       also: NO_COLOR in the environment, or output that is no terminal\n";

static int usage(FILE *to, int status)
{
    fprintf(to, "usage: %s [OPTION]... [PART]\n%s", program_invocation_short_name, usage_text);
    return status;
}

static int complain(const char *option, const char *value)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, option, value);
    return usage(stderr, 2);
}

static bool is_driver(const char *name)
{
    return strcmp(name, "uring") == 0 || strcmp(name, "epoll") == 0 || strcmp(name, "sim") == 0;
}

static bool read_number(const char *text, uint64_t most, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 0);
    return errno == 0 && end != text && *end == '\0' && text[0] != '-' && *number <= most;
}

static bool read_plan(const char *text, struct plan *plan)
{
    const char *colon = strchr(text, ':');
    if (colon == NULL) return false;
    plan->kind = sweep_kind_named(text, (size_t)(colon - text));
    return plan->kind != NULL && read_number(colon + 1, UINT64_MAX, &plan->at) && plan->at > 0;
}

/* Gives whether the option is one of those that are switches. */
static bool read_switch(const char *name, struct options *options)
{
    if (strcmp(name, "--list") == 0) options->list = true;
    else if (strcmp(name, "--verbose") == 0) options->verbose = true;
    else if (strcmp(name, "--sweep") == 0) options->sweep = true;
    else if (strcmp(name, "--no-sweep") == 0) options->no_sweep = true;
    else if (strcmp(name, "--tap") == 0) options->format = OUTPUT_TAP;
    else if (strcmp(name, "--no-colour") == 0) options->colour = false;
    else return false;
    return true;
}

/* Gives what is wrong with it; NULL: nothing. */
static const char *read_value(const char *name, const char *value, struct options *options)
{
    uint64_t number = 0;
    if (strcmp(name, "--driver") == 0) {
        if (!is_driver(value)) return "uring, epoll or sim is wanted";
        options->driver = value;
    } else if (strcmp(name, "--junit") == 0) {
        options->junit = value;
    } else if (strcmp(name, "--seed") == 0) {
        if (!read_number(value, UINT64_MAX, &options->seed) || options->seed == 0) return "a number from 1 is wanted";
    } else if (strcmp(name, "--repeat") == 0) {
        if (!read_number(value, 1000000, &number) || number == 0) return "a number from 1 to 1000000 is wanted";
        options->repeat = (unsigned)number;
    } else if (strcmp(name, "--parallel") == 0) {
        if (!read_number(value, 64, &number) || number == 0) return "a number from 1 to 64 is wanted";
        options->parallel = (unsigned)number;
    } else if (!read_plan(value, &options->inject)) {
        return "KIND:NUMBER is wanted, see --help";
    }
    return NULL;
}

static uint64_t seed_of_environment(void)
{
    uint64_t seed;
    const char *text = getenv("WEFT_SEED");
    return text != NULL && read_number(text, UINT64_MAX, &seed) ? seed : 1;
}

static bool takes_value(const char *name)
{
    static const char *const names[] = {"--driver", "--seed", "--repeat", "--parallel", "--inject", "--junit"};
    for (size_t i = 0; i < WF_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

/* Gives what is wrong; NULL: nothing, and how many words it took. */
static const char *read_option(char **argv, struct options *options, int *taken)
{
    char name[32];
    const char *value = strchr(argv[0], '=');
    size_t size = value != NULL ? (size_t)(value - argv[0]) : strlen(argv[0]);
    snprintf(name, sizeof name, "%.*s", (int)size, argv[0]);
    *taken = value == NULL && takes_value(name) ? 2 : 1;
    if (value == NULL && read_switch(name, options)) return NULL;
    if (!takes_value(name)) return "there is no such option";
    value = value != NULL ? value + 1 : argv[1];
    return value != NULL ? read_value(name, value, options) : "its value is missing";
}

int options_read(int argc, char **argv, struct options *options)
{
    *options = (struct options){.part = "", .repeat = 1, .parallel = 1, .seed = seed_of_environment()};
    options->driver = getenv("WEFT_DRIVER");
    options->colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    for (int i = 1, taken = 1; i < argc; i += taken, taken = 1) {
        if (strcmp(argv[i], "--help") == 0) return usage(stdout, 0);
        const char *wrong = NULL;
        if (argv[i][0] == '-') wrong = read_option(&argv[i], options, &taken);
        else if (options->part[0] != '\0') wrong = "one part of a name is enough";
        else options->part = argv[i];
        if (wrong != NULL) return complain(argv[i], wrong);
    }
    if (options->format == OUTPUT_TAP) options->colour = false;
    if (options->driver != NULL) setenv("WEFT_DRIVER", options->driver, true);
    return -1;
}
