/*
 * Where the library is. The command finds it from where it stands itself, so a build tree works as it is and an
 * installation may be moved as a whole:
 *
 *     build tree      BUILD/weft       BUILD/src/libweft.a      the source tree's include/
 *     installation    PREFIX/bin/weft  PREFIX/lib/libweft.a     PREFIX/include/
 *
 * The build gives the names: WEFT_BINDIR, WEFT_LIBDIR and WEFT_INCLUDEDIR under the prefix, WEFT_SOURCES (the source
 * tree's include) and WEFT_SANITIZERS (what the build tree's library is compiled with).
 */
#include "command.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

char *own_directory(void)
{
    char *path = take_memory(PATH_MAX);
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (size < 0) fail("cannot read /proc/self/exe: %s", strerror(errno));
    path[size] = '\0';
    char *directory = directory_part(path);
    if (strlen(directory) > 1) directory[strlen(directory) - 1] = '\0';
    return directory;
}

/* The library of that name in a directory: the archive if there is one, because a program that carries its library
 * needs none to be found later. */
static bool use_library(struct places *places, const char *directory, const char *name)
{
    places->library = format_text("%s/lib%s.a", directory, name);
    places->library_directory = NULL;
    if (exists(places->library)) return true;
    places->library = format_text("%s/lib%s.so", directory, name);
    places->library_directory = directory;
    return exists(places->library);
}

static bool in_build_tree(struct places *places, const char *here, const char *name)
{
    places->include_directory = WEFT_SOURCES;
    places->pkgconfig_directory = format_text("%s/meson-uninstalled:%s/custody/meson-uninstalled", here, here);
    const char *part = strcmp(name, "weft") == 0 ? "src" : "tools";
    return exists(WEFT_SOURCES "/weft/weft.h") && use_library(places, format_text("%s/%s", here, part), name);
}

/* `here` without the components that WEFT_BINDIR adds to the prefix; NULL when it ends otherwise. */
static char *prefix_of(const char *here)
{
    const char *tail = "/" WEFT_BINDIR;
    size_t size = strlen(here), tail_size = strlen(tail);
    if (size < tail_size || strcmp(here + size - tail_size, tail) != 0) return NULL;
    return format_text("%.*s", (int)(size - tail_size), here);
}

static bool in_installation(struct places *places, const char *here, const char *name)
{
    char *prefix = prefix_of(here);
    if (prefix == NULL) return false;
    const char *libraries = format_text("%s/" WEFT_LIBDIR, prefix);
    places->include_directory = format_text("%s/" WEFT_INCLUDEDIR, prefix);
    places->pkgconfig_directory = format_text("%s/pkgconfig", libraries);
    return exists(format_text("%s/weft/weft.h", places->include_directory)) && use_library(places, libraries, name);
}

struct places find_places(bool asan)
{
    struct places places = {.sanitizers = WEFT_SANITIZERS};
    bool sanitized = strcmp(WEFT_SANITIZERS, "none") != 0;
    places.asan = asan && !sanitized;
    const char *name = asan && !sanitized ? "weft-asan" : "weft";
    char *here = own_directory();
    if (!in_installation(&places, here, name) && !in_build_tree(&places, here, name))
        fail("cannot find the library lib%s that belongs to %s/weft: build it with ninja, or install weft again", name,
             here);
    if (asan && !sanitized) places.sanitizers = "address,undefined";
    return places;
}
