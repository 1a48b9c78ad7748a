/* custody: the sandbox, and what the SDK can do, from a shell. */
#include <stdio.h>
#include <string.h>
#include <weft/base.h>

#include "commands.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"check", run_check, "ask whether vehicles are releasable"},
    {"status", run_status, "print who has vehicles, and where"},
    {"list", run_list, "print authorizations"},
    {"authorize", run_authorize, "ask for an authorization"},
    {"approve", run_approve, "approve one"},
    {"reject", run_reject, "reject one"},
    {"cancel", run_cancel, "cancel one"},
    {"transfer", run_transfer, "hand a vehicle over"},
    {"watch", run_watch, "print events as they happen"},
    {"sandbox", run_sandbox, "serve the API for tests and demonstrations"},
};

static void write_help(FILE *file)
{
    fputs("usage: custody COMMAND [options]\n\n", file);
    for (size_t i = 0; i < WF_COUNT(commands); i++) fprintf(file, "  %-10s %s\n", commands[i].name, commands[i].help);
    fputs("\ncustody COMMAND --help says more. Exit status: 0, 1 for a failure, 2 for a wrong command line.\n", file);
}

static int run(const struct command *command, int argc, char **argv)
{
    char name[64];
    snprintf(name, sizeof name, "custody %s", command->name);
    argv[0] = name;
    return command->run(argc, argv);
}

int main(int argc, char **argv)
{
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        write_help(stdout);
        return 0;
    }
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) return puts("custody " CUSTODY_VERSION) < 0;
    for (size_t i = 0; argc >= 2 && i < WF_COUNT(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0) return run(&commands[i], argc - 1, argv + 1);
    if (argc >= 2) fprintf(stderr, "custody: there is no command \"%s\"\n", argv[1]);
    write_help(stderr);
    return 2;
}
