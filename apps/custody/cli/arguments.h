/* Command lines of the commands that stand on the SDK: words and options, in any order. */
#ifndef CUSTODY_ARGUMENTS_H
#define CUSTODY_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

/* One option. Lists end with one whose name is NULL. */
struct option_rule {
    const char *name; /* "limit", without its dashes */
    enum { OPTION_TEXT, OPTION_NUMBER, OPTION_FLAG } kind;
    void *value;   /* const char *, int, bool */
    int low, high; /* of a number */
};

struct words {
    char **list;
    size_t count;
};

/*
 * Takes options into their values, and leaves what is none of them in `words`. `--name value`, `--name=value`; behind
 * "--" all is words; "-" is a word. Returns -1 to go on, else the exit status, when help was asked for, or something
 * makes no sense, which was said.
 */
int read_arguments(int argc, char **argv, const char *help, const struct option_rule *rules, struct words *words);

/* Says so, and where help is. Returns the exit status. */
int refuse_usage(const char *command, const char *format, ...) __attribute__((__format__(__printf__, 2, 3)));

#endif
