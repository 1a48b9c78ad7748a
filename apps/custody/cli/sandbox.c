/* custody sandbox: serves the API until it is told to stop. */
#include "../server/sandbox.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"

enum { RATE_MAX = 1000000000, SECONDS_MAX = 86400 };

static const struct option long_options[] = {
    {"port", required_argument, NULL, 'p'},
    {"host", required_argument, NULL, 'H'},
    {"database", required_argument, NULL, 'd'},
    {"secret", required_argument, NULL, 's'},
    {"rate-limit", required_argument, NULL, 'r'},
    {"vin-policy", required_argument, NULL, 'v'},
    {"no-auto-provision", no_argument, NULL, 'n'},
    {"any-type", no_argument, NULL, 't'},
    {"access-log", no_argument, NULL, 'a'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static const char help[] =
    "usage: custody sandbox [options]\n\n"
    "  --port N              listen at this port (default 8780; 0: a free one)\n"
    "  --host ADDRESS        listen there (default 127.0.0.1; \"*\": everywhere)\n"
    "  --database FILE|URL   keep everything there (default custody.db, here; \":memory:\": nowhere)\n"
    "  --secret TEXT         its bytes sign tokens (CUSTODY_SECRET; default: random at each start)\n"
    "  --rate-limit N/S|off  so many requests of one subject in so many seconds (default 1000/10)\n"
    "  --vin-policy POLICY   lenient (default), iso3779, checkdigit\n"
    "  --no-auto-provision   a VIN that nobody knows is 404, and gets no vehicle\n"
    "  --any-type            the type of a transfer may be any text\n"
    "  --access-log          a line for each request, on standard error\n"
    "  --help                this\n\n"
    "Standard output says where the API and its page are, and has a token that is good for 24 hours.\n"
    "SIGTERM and SIGINT end it when all is answered, a second one at once.\n"
    "Exit status: 0 after such an end, 1 for a failure, 2 for wrong options.\n";

/* A whole number up to `max`; false: it is none. */
static bool read_number(const char *text, size_t size, long max, long *number)
{
    size_t digits = strspn(text, "0123456789");
    if (digits != size || size == 0 || size > 12) return false;
    *number = strtol(text, NULL, 10);
    return *number <= max;
}

static bool read_port(const char *text, struct sandbox_options *options)
{
    long port;
    if (!read_number(text, strlen(text), 65535, &port)) return false;
    options->port = (uint16_t)port;
    return true;
}

static bool read_rate(const char *text, struct sandbox_options *options)
{
    long count, seconds;
    size_t slash = strcspn(text, "/");
    options->rate_count = 0;
    if (strcmp(text, "off") == 0) return true;
    if (text[slash] == '\0' || !read_number(text, slash, RATE_MAX, &count)) return false;
    if (!read_number(text + slash + 1, strlen(text + slash + 1), SECONDS_MAX, &seconds)) return false;
    options->rate_count = count;
    options->rate_per = WF_SECONDS(seconds);
    return count > 0 && seconds > 0;
}

static bool read_policy(const char *text, struct sandbox_options *options)
{
    int policy = custody_vin_policy_of(text);
    if (policy < 0) return false;
    options->vin_policy = (enum custody_vin_policy)policy;
    return true;
}

static bool take_option(int option, const char *text, struct sandbox_options *options)
{
    switch (option) {
    case 'p':
        return read_port(text, options);
    case 'H':
        options->host = text;
        return text[0] != '\0';
    case 'd':
        options->storage.where = text;
        return text[0] != '\0';
    case 's':
        options->secret = text;
        return text[0] != '\0';
    case 'r':
        return read_rate(text, options);
    case 'v':
        return read_policy(text, options);
    case 'n':
        options->storage.provision = false;
        return true;
    case 't':
        options->storage.any_type = true;
        return true;
    default:
        options->access_log = true;
        return true;
    }
}

static int refuse_option(const char *name, const char *text)
{
    if (name != NULL) fprintf(stderr, "custody sandbox: \"%s\" is nothing that --%s takes\n", text, name);
    fputs(help, stderr);
    return 2;
}

int run_sandbox(int argc, char **argv)
{
    const char *secret = getenv("CUSTODY_SECRET");
    struct sandbox_options options = {SANDBOX_DEFAULTS};
    if (secret != NULL && secret[0] != '\0') options.secret = secret;
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (option == '?') return refuse_option(NULL, NULL);
        if (!take_option(option, optarg, &options)) return refuse_option(long_options[index].name, optarg);
    }
    if (optind < argc) {
        fprintf(stderr, "custody sandbox: there is no argument \"%s\"\n", argv[optind]);
        return 2;
    }
    return sandbox_main(&options);
}
