/* The `weft` command: finds the word that was asked for and hands over. */
#include <stdio.h>
#include <string.h>

#include "command.h"

static const char usage[] = "usage: weft COMMAND [ARGUMENTS...]\n"
                            "\n"
                            "  weft run FILE.c [ARGS...]   compile a program that uses weft, if need be, and run it\n"
                            "  weft new DIR                make a project with a program, a test and a build\n"
                            "  weft ps PID|NAME            print what the tasks of a running process do\n"
                            "  weft top PID|NAME           the same, live\n"
                            "  weft get URL...             download files, several at once\n"
                            "  weft COMMAND --help         say more about a command\n"
                            "  weft --version              print the version\n";

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
} commands[] = {
    {"run", run_command}, {"new", new_command}, {"ps", ps_command}, {"top", top_command}, {"get", get_command},
};

static int print(const char *text)
{
    bool written = fputs(text, stdout) >= 0 && fflush(stdout) == 0;
    return written ? 0 : STATUS_FAILED;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs(usage, stderr);
        return STATUS_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) return print(usage);
    if (strcmp(word, "--version") == 0) return print("weft " WEFT_VERSION "\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(word, commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
    complain("there is no command '%s'; see weft --help", word);
    return STATUS_USAGE;
}
