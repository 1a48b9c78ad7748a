/* weft new DIR: makes a project, from the templates below. */
#include "command.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: weft new DIR\n"
    "\n"
    "Makes a project in DIR: a program, a test, a build (Meson, and a Makefile in front of it) and a README. DIR must\n"
    "not exist, or be empty. Its last component becomes the project's name: letters, digits, - and _.\n";

/* In the templates @NAME@ is the project's name and @PATH@ the line that says where weft is, where that is needed. */
/* clang-format off */
static const struct project_file {
    const char *name;
    const char *text;
} templates[] = {
    {"main.c",
     "/* @NAME@: greets everybody at once. */\n"
     "#include <stdio.h>\n"
     "#include <weft/weft.h>\n"
     "\n"
     "#include \"greet.h\"\n"
     "\n"
     "struct guests {\n"
     "    char **names;\n"
     "    int count;\n"
     "};\n"
     "\n"
     "static int greet_one(const char *name)\n"
     "{\n"
     "    char line[128];\n"
     "    int rc = greet(name, line, sizeof line);\n"
     "    if (rc < 0) return rc;\n"
     "    puts(line);\n"
     "    return 0;\n"
     "}\n"
     "\n"
     "/* However many guests there are, it takes as long as the slowest greeting. */\n"
     "static int greet_all(const struct guests *guests)\n"
     "{\n"
     "    WF_SCOPE(scope, .timeout = WF_SECONDS(5));\n"
     "    for (int i = 0; i < guests->count; i++) wf_spawn(&scope, greet_one, guests->names[i]);\n"
     "    return wf_scope_join(&scope);\n"
     "}\n"
     "\n"
     "int main(int argc, char **argv)\n"
     "{\n"
     "    char *everybody[] = {\"world\"};\n"
     "    struct guests guests = {everybody, 1};\n"
     "    if (argc > 1) guests = (struct guests){argv + 1, argc - 1};\n"
     "    return wf_main(greet_all, &guests, .signals = true);\n"
     "}\n"},
    {"greet.h",
     "#ifndef GREET_H\n"
     "#define GREET_H\n"
     "\n"
     "#include <stddef.h>\n"
     "#include <weft/base.h>\n"
     "\n"
     "/*\n"
     " * Thinks for a moment and writes a greeting. Returns its length.\n"
     " * Suspends: yes. On cancel: nothing is written.\n"
     " * Errors: -ECANCELED; -EINVAL for no name; -ENOSPC when it does not fit.\n"
     " */\n"
     "WF_SUSPENDS WF_CHECKED int greet(const char *name, char *line, size_t size);\n"
     "\n"
     "#endif\n"},
    {"greet.c",
     "#include \"greet.h\"\n"
     "\n"
     "#include <stdio.h>\n"
     "#include <weft/weft.h>\n"
     "\n"
     "int greet(const char *name, char *line, size_t size)\n"
     "{\n"
     "    if (name[0] == '\\0') return wf_fail(-EINVAL, \"nobody to greet\");\n"
     "    int rc = wf_sleep(WF_MILLISECONDS(100));\n"
     "    if (rc < 0) return rc;\n"
     "    int length = snprintf(line, size, \"Hello, %s!\", name);\n"
     "    return (size_t)length < size ? length : -ENOSPC;\n"
     "}\n"},
    {"greet_test.c",
     "#include <weft/testing.h>\n"
     "#include <weft/weft.h>\n"
     "\n"
     "#include \"greet.h\"\n"
     "\n"
     "WF_TEST(a_greeting_has_the_name)\n"
     "{\n"
     "    char line[32];\n"
     "    WF_EXPECT_INT(greet(\"Ada\", line, sizeof line), 11);\n"
     "    WF_EXPECT_TEXT(line, \"Hello, Ada!\");\n"
     "}\n"
     "\n"
     "WF_TEST(nobody_is_not_greeted)\n"
     "{\n"
     "    char line[32];\n"
     "    WF_EXPECT_FAILURE(greet(\"\", line, sizeof line), -EINVAL, \"nobody to greet\");\n"
     "}\n"
     "\n"
     "/* In a simulated world time is virtual, and exact. */\n"
     "WF_TEST(a_greeting_takes_100_ms, .simulated = true)\n"
     "{\n"
     "    char line[32];\n"
     "    int64_t started = wf_now();\n"
     "    WF_EXPECT_INT(greet(\"Ada\", line, sizeof line), 11);\n"
     "    WF_EXPECT_INT(wf_now() - started, WF_MILLISECONDS(100));\n"
     "}\n"
     "\n"
     "/* Run again and again, and each time something goes wrong at another place. */\n"
     "WF_TEST(a_greeting_is_whole_or_not_there, .simulated = true, .sweep = true)\n"
     "{\n"
     "    char line[32] = \"\";\n"
     "    int rc = greet(\"Ada\", line, sizeof line);\n"
     "    WF_INVARIANT(rc == 11 || (rc < 0 && line[0] == '\\0'));\n"
     "}\n"
     "\n"
     "WF_TEST_MAIN\n"},
    {"meson.build",
     "project('@NAME@', 'c', version: '0.1.0', default_options: ['c_std=gnu11', 'warning_level=2'])\n"
     "\n"
     "weft = dependency('weft')\n"
     "\n"
     "executable('@NAME@', 'main.c', 'greet.c', dependencies: weft, install: true)\n"
     "\n"
     "test('greet', executable('greet_test', 'greet_test.c', 'greet.c', dependencies: weft),\n"
     "  args: '--tap', protocol: 'tap')\n"},
    {"Makefile",
     "# make: build. make run: build and start. make test: build and run the tests.\n"
     "BUILD ?= build\n"
     "@PATH@"
     "\n"
     ".PHONY: all run test clean\n"
     "\n"
     "all: $(BUILD)/build.ninja\n"
     "\tninja -C $(BUILD)\n"
     "\n"
     "$(BUILD)/build.ninja:\n"
     "\tmeson setup $(BUILD)\n"
     "\n"
     "run: all\n"
     "\t$(BUILD)/@NAME@\n"
     "\n"
     "test: all\n"
     "\tmeson test -C $(BUILD) --print-errorlogs\n"
     "\n"
     "clean:\n"
     "\trm -rf $(BUILD)\n"},
    {"README.md",
     "# @NAME@\n"
     "\n"
     "Needs a C compiler, Meson, Ninja, pkg-config and weft.\n"
     "\n"
     "    make test    # build, and run the tests\n"
     "    make run     # build, and start the program\n"
     "\n"
     "`main.c` starts the tasks, `greet.c` is what each does, and `greet_test.c` holds it to its word.\n"},
    {".gitignore", "/build/\n"},
};
/* clang-format on */

/* ---- Names ---- */

static bool is_reserved(const char *name)
{
    static const char *const reserved[] = {"all",       "benchmark",   "clean",      "dist",
                                           "install",   "reconfigure", "scan-build", "test",
                                           "uninstall", "greet_test",  "coverage"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(name, reserved[i]) == 0) return true;
    return strncmp(name, "meson-", 6) == 0;
}

/* The name goes into a build file and names a program there. */
static const char *project_name(const char *path)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/') size--;
    const char *name = base_name(format_text("%.*s", (int)size, path));
    bool good = isalpha((unsigned char)name[0]);
    for (const char *at = name; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && *at != '-' && *at != '_') good = false;
    if (!good) fail("new: '%s' cannot name a project: use letters, digits, - and _, a letter first", name);
    if (is_reserved(name)) fail("new: '%s' cannot name a project: the build uses that word itself", name);
    return name;
}

/* ---- Writing ---- */

/* What a Makefile must say so that pkg-config finds weft; nothing where it does already. */
static const char *path_line(void)
{
    struct words ask = {0};
    add_split(&ask, "pkg-config --exists weft");
    if (find_program(ask.list[0]) != NULL && run_program(&ask, &(struct surroundings){.input = -1, .output = -1}) == 0)
        return "";
    struct places places = find_places(false);
    return format_text("# pkg-config did not find weft by itself when this project was made. Not needed once it does.\n"
                       "export PKG_CONFIG_PATH := %s:$(PKG_CONFIG_PATH)\n",
                       places.pkgconfig_directory);
}

static char *replace(const char *text, const char *mark, const char *value)
{
    char *done = format_text("%s", "");
    for (const char *found; (found = strstr(text, mark)) != NULL; text = found + strlen(mark))
        done = format_text("%s%.*s%s", done, (int)(found - text), text, value);
    return format_text("%s%s", done, text);
}

static bool is_empty(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) fail("new: %s: %s", path, strerror(errno));
    bool empty = true;
    for (const struct dirent *found; (found = readdir(directory)) != NULL;)
        if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0) empty = false;
    closedir(directory);
    return empty;
}

static void make_project(const char *path)
{
    const char *name = project_name(path), *where = path_line();
    bool made = mkdir(path, 0777) == 0;
    if (!made && errno != EEXIST) fail("new: cannot make %s: %s", path, strerror(errno));
    if (!made && !is_empty(path)) fail("new: %s exists and is not empty", path);
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        const char *file = format_text("%s/%s", path, templates[i].name);
        const char *text = replace(replace(templates[i].text, "@NAME@", name), "@PATH@", where);
        if (!save_file(file, text, strlen(text))) fail("new: cannot write %s: %s", file, strerror(errno));
    }
}

int new_command(int argc, char **argv)
{
    int i = 1;
    if (i < argc && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) return fputs(usage, stdout) < 0;
    if (i < argc && strcmp(argv[i], "--") == 0) i++;
    else if (i < argc && argv[i][0] == '-') {
        complain("new: there is no option %s; see weft new --help", argv[i]);
        return STATUS_USAGE;
    }
    if (i + 1 != argc || argv[i][0] == '\0') {
        complain("new: name one directory; see weft new --help");
        return STATUS_USAGE;
    }
    make_project(argv[i]);
    printf("made %s; build and test it with\n\n    cd %s && make test\n", argv[i], argv[i]);
    return 0;
}
