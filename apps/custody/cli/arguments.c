/* Command lines: options and words, read by a table. */
#include "arguments.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int refuse_usage(const char *command, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "%s: ", command);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "; see %s --help\n", command);
    return 2;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

static const struct option_rule *find(const struct option_rule *rule, const char *name, size_t size)
{
    for (; rule->name != NULL; rule++)
        if (strlen(rule->name) == size && strncmp(rule->name, name, size) == 0) return rule;
    return NULL;
}

static bool read_number(const struct option_rule *rule, const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (end == text || *end != '\0' || number < rule->low || number > rule->high) return false;
    *(int *)rule->value = (int)number;
    return true;
}

static bool take_value(const struct option_rule *rule, const char *text)
{
    if (rule->kind == OPTION_NUMBER) return read_number(rule, text);
    *(const char **)rule->value = text;
    return true;
}

/* True: it was taken, and perhaps the next word with it. */
static bool take_option(const char *command, char ***at, const struct option_rule *rules, int *status)
{
    const char *word = **at;
    bool is_long = word[1] == '-';
    size_t size = is_long ? strcspn(word + 2, "=") : 0;
    const struct option_rule *rule = is_long ? find(rules, word + 2, size) : NULL;
    const char *value = is_long && word[2 + size] == '=' ? word + 3 + size : NULL;
    if (rule == NULL) *status = refuse_usage(command, "there is no option %s", word);
    else if (rule->kind == OPTION_FLAG && value != NULL)
        *status = refuse_usage(command, "--%s takes no value", rule->name);
    if (*status >= 0) return false;
    if (rule->kind == OPTION_FLAG) return *(bool *)rule->value = true;
    if (value == NULL) value = *++*at;
    if (value == NULL) *status = refuse_usage(command, "--%s needs a value", rule->name);
    else if (!take_value(rule, value)) *status = refuse_usage(command, "--%s does not take \"%s\"", rule->name, value);
    return *status < 0;
}

static bool asks_for_help(char **at)
{
    for (; *at != NULL && strcmp(*at, "--") != 0; at++)
        if (strcmp(*at, "--help") == 0 || strcmp(*at, "-h") == 0) return true;
    return false;
}

int read_arguments(int argc, char **argv, const char *help, const struct option_rule *rules, struct words *words)
{
    int status = -1;
    bool options = true;
    (void)argc;
    *words = (struct words){.list = argv + 1};
    if (asks_for_help(argv + 1)) return fputs(help, stdout) >= 0 && fflush(stdout) == 0 ? 0 : 1;
    for (char **at = argv + 1; *at != NULL; at++) {
        if (options && strcmp(*at, "--") == 0) options = false;
        else if (!options || !is_option(*at)) words->list[words->count++] = *at;
        else if (!take_option(argv[0], &at, rules, &status)) return status;
    }
    return -1;
}
