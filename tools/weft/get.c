/* weft get: what it is told by the command line. */
#include "get.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: weft get [OPTIONS] URL...\n"
    "\n"
    "Downloads URLs into files, several at once. A file gets its name when it is whole; before, it is FILE.part.\n"
    "\n"
    "  -o FILE           the file's name; -: standard output\n"
    "  -d DIR            where the files belong; made where it is missing\n"
    "  -J                names as the server says (Content-Disposition); no file is replaced\n"
    "  -c                go on with the parts that an earlier run left\n"
    "  -j N              so many at once (4)\n"
    "  --sha256 HEX      what the file must have; it is not kept otherwise\n"
    "  --sums FILE       the same for each, from a list as sha256sum writes it\n"
    "  -H 'NAME: VALUE'  a field of each request\n"
    "  --bearer TOKEN    a login by a token; @FILE: it is in that file\n"
    "  --user NAME:PASSWORD   a login by name; @FILE: they are in that file\n"
    "  --timeout S       seconds for each download (none)\n"
    "  --retries N       so often again after what may pass (3)\n"
    "  --http1, --http2  that version of HTTP (the best that the server has)\n"
    "  --ca FILE         trust these certificates instead of the system's\n"
    "  --insecure        trust any server\n"
    "  --proxy URL       http:, https:, socks5: or socks5h:; \"\": none (as the environment says)\n"
    "  --json            a line for each: bytes, status and how long each step took\n"
    "  -q                print errors alone\n"
    "\n"
    "Ctrl-C leaves the parts. Exit status: 0, 1 when some could not be had, 2 for a wrong command line.\n";

/* ---- Values ---- */

static bool parse_number(const char *text, double low, double high, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && *value >= low && *value <= high;
}

static bool parse_count(const char *text, uint32_t low, uint32_t high, uint32_t *value)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    *value = (uint32_t)number;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && number >= low && number <= high;
}

static bool is_sum(const char *text)
{
    return strlen(text) == 64 && strspn(text, "0123456789abcdefABCDEF") == 64;
}

static bool add_header(struct get *get, const char *text)
{
    const char *colon = strchr(text, ':');
    if (colon == NULL || colon == text) return false;
    struct wf_named *larger = take_memory((get->header_count + 2) * sizeof *larger);
    if (get->header_count > 0) memcpy(larger, get->headers, get->header_count * sizeof *larger);
    char *name = format_text("%.*s", (int)(colon - text), text);
    larger[get->header_count++] = (struct wf_named){name, colon + 1 + strspn(colon + 1, " \t")};
    larger[get->header_count] = (struct wf_named){NULL, NULL};
    get->headers = larger;
    return true;
}

/* Secrets are better in files than on a command line, which everybody on the machine can see. */
static const char *load_secret(const char *value)
{
    size_t size;
    if (value[0] != '@') return value;
    char *text = load_file(value + 1, &size);
    if (text == NULL) complain("cannot read '%s'", value + 1);
    else text[strcspn(text, "\r\n")] = '\0';
    return text;
}

static bool take_user(struct get *get, const char *value)
{
    const char *text = load_secret(value);
    if (text == NULL) return false;
    size_t size = strcspn(text, ":");
    get->basic.user = format_text("%.*s", (int)size, text);
    get->basic.password = text[size] == ':' ? text + size + 1 : "";
    return true;
}

/* ---- Options ---- */

static bool take_timeout(struct get *get, const char *value)
{
    double seconds;
    if (!parse_number(value, 0.001, 1e7, &seconds)) return false;
    get->timeout = (int64_t)(seconds * 1e9);
    return true;
}

static bool set_text(const char **text, const char *value)
{
    *text = value;
    return true;
}

/* 1: taken; 0: its value makes no sense; -1: there is no such option. */
static int take_value(struct get *get, const char *name, const char *value)
{
    if (strcmp(name, "-o") == 0) return value[0] != '\0' && set_text(&get->output, value);
    if (strcmp(name, "-d") == 0) return value[0] != '\0' && set_text(&get->directory, value);
    if (strcmp(name, "-j") == 0) return parse_count(value, 1, 1000, &get->jobs);
    if (strcmp(name, "-H") == 0) return add_header(get, value);
    if (strcmp(name, "--sha256") == 0) return is_sum(value) && set_text(&get->sha256, value);
    if (strcmp(name, "--sums") == 0) return set_text(&get->sums, value);
    if (strcmp(name, "--bearer") == 0) return (get->bearer = load_secret(value)) != NULL;
    if (strcmp(name, "--user") == 0) return take_user(get, value);
    if (strcmp(name, "--timeout") == 0) return take_timeout(get, value);
    if (strcmp(name, "--retries") == 0) return parse_count(value, 0, 1000, &get->retries);
    if (strcmp(name, "--ca") == 0) return set_text(&get->ca_file, value);
    if (strcmp(name, "--proxy") == 0) return set_text(&get->proxy, value);
    return -1;
}

static bool take_flag(struct get *get, const char *name)
{
    if (strcmp(name, "-c") == 0) get->resume = true;
    else if (strcmp(name, "-J") == 0) get->remote_name = true;
    else if (strcmp(name, "-q") == 0) get->quiet = true;
    else if (strcmp(name, "--http1") == 0) get->version = WF_HTTP_1;
    else if (strcmp(name, "--http2") == 0) get->version = WF_HTTP_2;
    else if (strcmp(name, "--insecure") == 0) get->insecure = true;
    else if (strcmp(name, "--json") == 0) get->json = true;
    else return false;
    return true;
}

static bool has_value(const char *name)
{
    static const char *const names[] = {"-o",       "-d",     "-j",        "-H",        "--sha256", "--sums",
                                        "--bearer", "--user", "--timeout", "--retries", "--ca",     "--proxy"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

/* An option, with its value in the same word or in the next. False: it makes no sense, which was said. */
static bool take_option(struct get *get, char ***argument)
{
    char *word = **argument, *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
    const char *name = equals == NULL ? word : format_text("%.*s", (int)(equals - word), word);
    if (equals == NULL && take_flag(get, name)) return true;
    if (!has_value(name)) {
        complain("get does not know '%s'; see weft get --help", word);
        return false;
    }
    const char *value = equals != NULL ? equals + 1 : (*argument)[1] != NULL ? *++*argument : NULL;
    if (value != NULL && take_value(get, name, value) > 0) return true;
    bool secret = strcmp(name, "--bearer") == 0 || strcmp(name, "--user") == 0; /* has said why */
    if (value == NULL) complain("%s needs a value; see weft get --help", name);
    else if (!secret) complain("%s does not take '%s'; see weft get --help", name, value);
    return false;
}

static bool parse(struct get *get, char **argument, size_t room)
{
    struct download *downloads = take_memory(room * sizeof *downloads);
    get->downloads = downloads;
    for (bool options = true; *argument != NULL; argument++) {
        if (options && strcmp(*argument, "--") == 0) options = false;
        else if (options && **argument == '-') {
            if (!take_option(get, &argument)) return false;
        } else downloads[get->count++] = (struct download){.get = get, .url = *argument, .total = -1};
    }
    return true;
}

/* What does not go together. NULL: all does. */
static const char *find_fault(const struct get *get)
{
    bool to_output = get->output != NULL && strcmp(get->output, "-") == 0;
    if (get->count == 0) return "get needs a URL";
    if (get->count > 1 && get->output != NULL) return "-o goes with one URL";
    if (get->count > 1 && get->sha256 != NULL) return "--sha256 goes with one URL; for several there is --sums";
    if (get->sha256 != NULL && get->sums != NULL) return "--sha256 and --sums do not go together";
    if (to_output && (get->json || get->resume || get->directory != NULL || get->sha256 != NULL || get->sums != NULL))
        return "-o - does not go with -c, -d, --json, --sha256 and --sums";
    if (get->remote_name && (get->resume || get->output != NULL || get->sums != NULL))
        return "-J does not go with -c, -o and --sums";
    if (get->bearer != NULL && get->basic.user != NULL) return "--bearer and --user do not go together";
    return NULL;
}

int main(int argc, char **argv)
{
    static struct get get = {.jobs = 4, .retries = 3};
    for (char **argument = argv + 1; *argument != NULL && strcmp(*argument, "--") != 0; argument++) {
        if (strcmp(*argument, "--help") != 0 && strcmp(*argument, "-h") != 0) continue;
        return fputs(usage, stdout) >= 0 && fflush(stdout) == 0 ? 0 : STATUS_FAILED;
    }
    if (!parse(&get, argv + 1, (size_t)argc)) return STATUS_USAGE;
    const char *fault = find_fault(&get);
    if (fault != NULL) complain("%s; see weft get --help", fault);
    if (fault != NULL || !name_downloads(&get)) return STATUS_USAGE;
    const char *terminal = getenv("TERM");
    get.terminal = !get.quiet && isatty(STDERR_FILENO) && (terminal == NULL || strcmp(terminal, "dumb") != 0);
    return run_downloads(&get);
}
