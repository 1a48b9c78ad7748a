/*
 * What the packages that a file names add to the compiler's command.
 *
 * A program that carries weft's archive must carry those of the libraries that stand on weft, too (weft-http, one of
 * the user's own): their shared forms would bring a second weft along, which knows nothing of the program's loops. So,
 * where weft is among what the packages need, each library that lies as an archive in a folder that they name is linked
 * as such, and weft itself comes last, from where the command found it: with --asan that is the sanitized one. What
 * such an archive needs is asked for by name, because pkg-config --static would want the archives' needs of all others.
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

/* What pkg-config prints about the packages, as one text; NULL when it does not find them. */
static char *ask(const char *options, const struct words *packages)
{
    struct words command = {0};
    add_word(&command, program());
    add_split(&command, options);
    add_words(&command, packages);
    char *text;
    return capture_program(&command, &text) == 0 ? text : NULL;
}

static struct words ask_one(const char *options, const char *package)
{
    struct words words = {0}, packages = {0};
    add_word(&packages, package);
    const char *text = ask(options, &packages);
    if (text != NULL) add_split(&words, text);
    return words;
}

static bool stands_on_weft(const struct words *flags)
{
    for (size_t i = 0; i < flags->count; i++)
        if (strcmp(flags->list[i], "-lweft") == 0) return true;
    return false;
}

/* Adds the packages that the archives of this one, and of those it stands on, need to be linked. */
static void add_needs(struct words *needs, const char *package)
{
    struct words libraries = ask_one("--libs", package);
    if (!stands_on_weft(&libraries)) return;
    struct words requires = ask_one("--print-requires", package);
    struct words wanted = ask_one("--print-requires-private", package);
    for (size_t i = 0; i < requires.count; i++)
        if (isalpha((unsigned char) requires.list[i][0])) add_needs(needs, requires.list[i]); /* no part of a version */
    add_words(needs, &wanted); /* with their versions: "openssl >= 3.0" is how pkg-config takes it, too */
}

/* The archive of a library, looked for in the folders that are named before it; NULL when it has none there. */
static char *archive_of(const struct words *flags, size_t library)
{
    for (size_t i = 0; i < library; i++) {
        if (strncmp(flags->list[i], "-L", 2) != 0) continue;
        char *path = format_text("%s/lib%s.a", flags->list[i] + 2, flags->list[library] + 2);
        if (access(path, R_OK) == 0) return path;
    }
    return NULL;
}

static void add_archives(struct words *command, const struct words *flags)
{
    for (size_t i = 0; i < flags->count; i++) {
        const char *flag = flags->list[i];
        if (strcmp(flag, "-lweft") == 0) continue;
        const char *archive = strncmp(flag, "-l", 2) == 0 ? archive_of(flags, i) : NULL;
        add_word(command, archive != NULL ? archive : flag);
    }
}

/* pkg-config looks where this command's own packages are, after the folders that the user names. */
static void search_own_folder(const struct places *places, const char *named)
{
    const char *path = places->pkgconfig_directory;
    setenv("PKG_CONFIG_PATH", named != NULL ? format_text("%s:%s", named, path) : path, 1);
}

static struct words flags_of(const struct words *packages, const char *file)
{
    struct words flags = {0};
    const char *text = ask("--cflags --libs", packages);
    if (text == NULL) fail("%s needs packages that pkg-config does not find: %s", file, join_words(packages, ' '));
    add_split(&flags, text);
    return flags;
}

void add_packages(struct words *command, const struct words *packages, const struct places *places, const char *file)
{
    if (packages->count == 0) return;
    if (find_program(program()) == NULL)
        fail("%s asks for packages (%s), but there is no %s: install pkg-config", file, join_words(packages, ' '),
             program());
    const char *before = getenv("PKG_CONFIG_PATH");
    char *named = before != NULL ? format_text("%s", before) : NULL;
    search_own_folder(places, named);
    struct words flags = flags_of(packages, file), all = {0};
    if (stands_on_weft(&flags) && places->library_directory == NULL) {
        add_words(&all, packages);
        for (size_t i = 0; i < packages->count; i++) add_needs(&all, packages->list[i]);
        flags = flags_of(&all, file);
        add_archives(command, &flags);
    } else {
        add_words(command, &flags);
    }
    if (named != NULL) setenv("PKG_CONFIG_PATH", named, 1);
    else unsetenv("PKG_CONFIG_PATH");
}
