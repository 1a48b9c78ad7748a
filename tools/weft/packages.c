/*
 * What the packages that a file names add to the compiler's command.
 *
 * Where weft is among what they need, the program must not get a second weft: it would know nothing of the loops of the
 * first. So all that stands on weft (weft-http, a library of the user's) is linked as archives, with weft's own last,
 * from where the command found it: with --asan that is the sanitized one. Where one of them is no archive, all are
 * shared, and then there is no --asan. What an archive needs is asked for by name, because pkg-config --static would
 * want the archives' needs of all others, too.
 */
#include "command.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *program(void)
{
    const char *named = getenv("PKG_CONFIG");
    return named != NULL && named[0] != '\0' ? named : "pkg-config";
}

/* pkg-config finds weft's own packages where this command found weft, and otherwise what it always finds. */
static void prefer_packages_of(const struct places *places)
{
    const char *others = getenv("PKG_CONFIG_PATH");
    setenv("PKG_CONFIG_PATH",
           others != NULL ? format_text("%s:%s", places->pkgconfig_directory, others) : places->pkgconfig_directory, 1);
}

/* What pkg-config prints about packages, in words; false when it does not find them. */
static bool ask(const char *options, const struct words *packages, struct words *answer)
{
    struct words command = {0};
    add_word(&command, program());
    add_split(&command, options);
    add_words(&command, packages);
    char *text;
    *answer = (struct words){0};
    if (capture_program(&command, &text) != 0) return false;
    add_split(answer, text);
    return true;
}

static struct words ask_one(const char *options, const char *package)
{
    struct words packages = {0}, answer;
    add_word(&packages, package);
    ask(options, &packages, &answer);
    return answer;
}

static bool brings_weft(const struct words *flags)
{
    for (size_t i = 0; i < flags->count; i++)
        if (strcmp(flags->list[i], "-lweft") == 0) return true;
    return false;
}

/* Adds the packages that the archives of this one, and of those it stands on, need to be linked. */
static void add_needs(struct words *needs, const char *package)
{
    struct words libraries = ask_one("--libs", package);
    if (!brings_weft(&libraries)) return;
    struct words stands_on = ask_one("--print-requires", package);
    struct words wanted = ask_one("--print-requires-private", package);
    for (size_t i = 0; i < stands_on.count; i++)
        if (isalpha((unsigned char)stands_on.list[i][0]))
            add_needs(needs, stands_on.list[i]); /* no part of a version */
    add_words(needs, &wanted); /* with their versions: "openssl >= 3.0" is how pkg-config takes it, too */
}

/* A form of a library ("a", "so") in the folders that are named before it; NULL when it is in none of them. */
static char *find_form(const struct words *flags, size_t library, const char *form)
{
    for (size_t i = 0; i < library && strncmp(flags->list[library], "-l", 2) == 0; i++) {
        if (strncmp(flags->list[i], "-L", 2) != 0) continue;
        char *path = format_text("%s/lib%s.%s", flags->list[i] + 2, flags->list[library] + 2, form);
        if (access(path, R_OK) == 0) return path;
    }
    return NULL;
}

/* Of what the packages themselves bring, is there all as archives? */
static bool has_archives(const struct words *flags)
{
    for (size_t i = 0; i < flags->count; i++)
        if (find_form(flags, i, "so") != NULL && find_form(flags, i, "a") == NULL) return false;
    return true;
}

static void add_archives(struct words *command, const struct words *flags)
{
    for (size_t i = 0; i < flags->count; i++) {
        if (strcmp(flags->list[i], "-lweft") == 0) continue;
        const char *archive = find_form(flags, i, "a");
        add_word(command, archive != NULL ? archive : flags->list[i]);
    }
}

/* What is linked from a place is looked for there again when the program starts. */
static void add_shared(struct words *command, const struct words *flags)
{
    for (size_t i = 0; i < flags->count; i++) {
        add_word(command, flags->list[i]);
        if (strncmp(flags->list[i], "-L", 2) == 0) add_word(command, format_text("-Wl,-rpath,%s", flags->list[i] + 2));
    }
}

bool add_packages(struct words *command, const struct words *packages, const struct places *places, const char *file)
{
    struct words flags, all = {0};
    if (packages->count == 0) return false;
    const char *names = join_words(packages, ' ');
    if (find_program(program()) == NULL)
        fail("%s asks for packages (%s), but there is no %s: install pkg-config", file, names, program());
    prefer_packages_of(places);
    if (!ask("--cflags --libs", packages, &flags))
        fail("%s needs packages that pkg-config does not find: %s", file, names);
    bool brought = brings_weft(&flags);
    if (brought && places->library_directory == NULL && has_archives(&flags)) {
        add_words(&all, packages);
        for (size_t i = 0; i < packages->count; i++) add_needs(&all, packages->list[i]);
        if (!ask("--cflags --libs", &all, &flags))
            fail("%s needs %s, whose archives need others that are not there", file, names);
        add_archives(command, &flags);
        return false;
    }
    if (brought && places->asan)
        fail("%s needs %s, of which not all are archives: for --asan build weft with -Db_sanitize=address,undefined",
             file, names);
    add_shared(command, &flags);
    return brought;
}
