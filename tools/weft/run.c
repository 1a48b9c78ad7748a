/*
 * weft run FILE.c [ARGS...]: compiles the file, unless the cache has the program already, and becomes it.
 *
 * The compiler reads the source from a file in memory, so that a first line "#!/usr/bin/env -S weft run" can be taken
 * out of it; #line and -fmacro-prefix-map keep its messages and __FILE__ as if it had read the file itself. It works in
 * the source's directory, because that is where #include "…" looks first.
 */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DIRECTIVE_LINES = 40 };

static const char usage[] =
    "usage: weft run [--asan] [--cc CC] [--verbose] FILE.c [ARGS...]\n"
    "\n"
    "Compiles FILE.c against weft and runs it with ARGS. What was compiled is kept, and compiled anew only when the\n"
    "file, something it includes, the flags, the compiler or the library has changed.\n"
    "\n"
    "  --asan      with AddressSanitizer and UndefinedBehaviorSanitizer\n"
    "  --cc CC     use this compiler; default: $CC, else the first of cc, gcc, clang\n"
    "  --verbose   show the commands, on standard error\n"
    "\n"
    "A line `// weft: pkg-config NAME...` among the first 40 adds packages. With a first line\n"
    "`#!/usr/bin/env -S weft run` and mode +x the file is a command.\n";

struct request {
    bool asan, verbose;
    const char *compiler;
    const char *file;
    char **arguments; /* of the program, argv[0] left out */
};

struct script {
    char *text;
    size_t size;
    const char *name;       /* of the program */
    const char *given;      /* the directory part of the path as it was given */
    char *path, *directory; /* the same, absolute, without symbolic links */
    struct words packages;
};

/* ---- What was asked for ---- */

static int usage_error(const char *what, const char *word)
{
    complain("run: %s %s; see weft run --help", what, word);
    return STATUS_USAGE;
}

/* Returns -1, or the status to end with. */
static int parse(int argc, char **argv, struct request *request)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--asan") == 0) request->asan = true;
        else if (strcmp(word, "--verbose") == 0) request->verbose = true;
        else if (strncmp(word, "--cc=", 5) == 0) request->compiler = word + 5;
        else if (strcmp(word, "--cc") == 0 && i + 1 < argc) request->compiler = argv[++i];
        else if (strcmp(word, "--cc") == 0) return usage_error("there is no compiler after", word);
        else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return fputs(usage, stdout) < 0;
        else if (strcmp(word, "--") != 0) return usage_error("there is no option", word);
        else break;
    }
    if (i < argc && strcmp(argv[i], "--") == 0) i++;
    if (i >= argc) return usage_error("there is no file after", argv[i - 1]);
    request->file = argv[i];
    request->arguments = argv + i + 1;
    return -1;
}

/* ---- The source ---- */

static void read_directive(struct script *script, const char *file, int line_number, const char *line)
{
    struct words words = {0};
    add_split(&words, line);
    if (words.count >= 2 && strcmp(words.list[0], "pkg-config") == 0) {
        for (size_t i = 1; i < words.count; i++) add_word(&script->packages, words.list[i]);
        return;
    }
    fail("%s:%d: after `// weft:` comes `pkg-config NAME...`, not `%s`", file, line_number, join_words(&words, ' '));
}

static void read_directives(struct script *script, const char *file)
{
    static const char mark[] = "// weft:";
    const char *line = script->text;
    for (int number = 1; number <= DIRECTIVE_LINES && *line != '\0'; number++) {
        size_t size = strcspn(line, "\n");
        if (strncmp(line, mark, sizeof mark - 1) == 0)
            read_directive(script, file, number,
                           format_text("%.*s", (int)(size - (sizeof mark - 1)), line + sizeof mark - 1));
        line += size + (line[size] == '\n');
    }
}

static const char *program_name(const char *file)
{
    const char *name = base_name(file);
    size_t size = strlen(name);
    if (size > 2 && strcmp(name + size - 2, ".c") == 0) size -= 2;
    return format_text("%.*s", (int)size, name);
}

static struct script load_script(const char *file)
{
    struct script script = {.name = program_name(file), .given = directory_part(file)};
    script.text = load_file(file, &script.size);
    if (script.text == NULL) fail("%s: %s", file, strerror(errno));
    script.path = real_path(directory_part(file)[0] != '\0' ? directory_part(file) : ".");
    if (script.path == NULL) fail("%s: %s", file, strerror(errno));
    script.directory = strcmp(script.path, "/") == 0 ? script.path : format_text("%s/", script.path);
    script.path = format_text("%s%s", script.directory, base_name(file));
    if (strncmp(script.text, "#!", 2) == 0) memcpy(script.text, "//", 2);
    read_directives(&script, file);
    return script;
}

/* ---- The compiler's command ---- */

static struct words find_compiler(const char *wanted)
{
    static const char *const usual[] = {"cc", "gcc", "clang"};
    struct words compiler = {0};
    if (wanted == NULL) wanted = getenv("CC");
    if (wanted != NULL) add_split(&compiler, wanted);
    for (size_t i = 0; compiler.count == 0 && i < sizeof usual / sizeof *usual; i++)
        if (find_program(usual[i]) != NULL) add_word(&compiler, usual[i]);
    if (compiler.count == 0) fail("no C compiler found (cc, gcc or clang): install gcc, or name one with --cc");
    const char *path = find_program(compiler.list[0]);
    if (path == NULL) fail("there is no compiler '%s'", compiler.list[0]);
    compiler.list[0] = format_text("%s", path);
    return compiler;
}

static void show(const struct request *request, const struct words *command)
{
    if (request->verbose) fprintf(stderr, "weft: %s\n", join_words(command, ' '));
}

static void add_library(const struct places *places, struct words *command)
{
    add_word(command, places->library);
    if (places->library_directory != NULL) add_word(command, format_text("-Wl,-rpath,%s", places->library_directory));
    add_word(command, "-pthread");
}

static struct words compile_command(const struct request *request, const struct script *script,
                                    const struct places *places)
{
    static const char *const always[] = {"-std=gnu11", "-g", "-Wall", "-Wextra", "-fno-omit-frame-pointer"};
    struct words command = find_compiler(request->compiler);
    bool sanitized = strcmp(places->sanitizers, "none") != 0;
    for (size_t i = 0; i < sizeof always / sizeof *always; i++) add_word(&command, always[i]);
    add_word(&command, sanitized ? "-O1" : "-O2");
    if (sanitized) add_word(&command, format_text("-fsanitize=%s", places->sanitizers));
    add_word(&command, format_text("-fmacro-prefix-map=%s=%s", script->directory, script->given));
    add_word(&command, format_text("-I%s", places->include_directory));
    add_word(&command, "-xc");
    add_word(&command, "-");
    add_word(&command, "-xnone");
    if (!add_packages(&command, &script->packages, places, request->file)) add_library(places, &command);
    return command;
}

/* ---- Key, compiling, running ---- */

/* All that decides what the compiler makes, but for the files it reads. */
static char *key_of(const struct script *script, const struct words *command, size_t *size)
{
    static const char *const heard[] = {"CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX"};
    const char *compiler = real_path(command->list[0]);
    char *head = format_text("weft " WEFT_VERSION "\n%s\n%s\n%s\n", script->path, compiler != NULL ? compiler : "",
                             join_words(command, '\n'));
    for (size_t i = 0; i < sizeof heard / sizeof *heard; i++) {
        const char *value = getenv(heard[i]);
        if (value != NULL) head = format_text("%s%s=%s\n", head, heard[i], value);
    }
    size_t head_size = strlen(head);
    char *key = take_memory(head_size + script->size);
    memcpy(key, head, head_size);
    memcpy(key + head_size, script->text, script->size);
    *size = head_size + script->size;
    return key;
}

/* The source behind a #line that names it, in a file without a name. */
static int compiler_input(const struct script *script)
{
    char *quoted = take_memory(2 * strlen(script->path) + 1), *end = quoted;
    for (const char *from = script->path; *from != '\0'; from++) {
        if (*from == '"' || *from == '\\') *end++ = '\\';
        *end++ = *from;
    }
    *end = '\0';
    char *line = format_text("#line 1 \"%s\"\n", quoted);
    size_t size = strlen(line);
    char *input = take_memory(size + script->size);
    memcpy(input, line, size);
    memcpy(input + size, script->text, script->size);
    return memory_file(input, size + script->size);
}

static void put_in_place(const char *made, const char *place)
{
    if (rename(made, place) < 0) fail("cannot rename %s: %s", made, strerror(errno));
}

static void compile(const struct request *request, const struct script *script, const struct entry *entry,
                    struct words command)
{
    char *program = format_text("%s.%ld", entry->program, (long)getpid());
    char *inputs = format_text("%s.%ld", entry->inputs, (long)getpid());
    char *key = format_text("%s.%ld", entry->key, (long)getpid());
    const char *more[] = {"-MD", "-MT", "program", "-MF", inputs, "-o", program};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) add_word(&command, more[i]);
    struct timespec started[2];
    clock_gettime(CLOCK_REALTIME_COARSE, &started[1]); /* the clock that stamps files */
    started[0] = started[1];
    show(request, &command);
    struct surroundings around = {script->directory, compiler_input(script), -1};
    if (run_program(&command, &around) != 0) {
        unlink(program);
        unlink(inputs);
        fail("%s does not compile", request->file);
    }
    if (utimensat(AT_FDCWD, program, started, 0) < 0 || !save_file(key, entry->key_text, entry->key_size))
        fail("cannot write %s: %s", entry->directory, strerror(errno));
    put_in_place(inputs, entry->inputs);
    put_in_place(key, entry->key);
    put_in_place(program, entry->program);
    cache_prune();
}

static int become(const struct request *request, const struct script *script, const struct entry *entry)
{
    struct words arguments = {0};
    add_word(&arguments, script->name);
    for (char **argument = request->arguments; *argument != NULL; argument++) add_word(&arguments, *argument);
    if (request->verbose) fprintf(stderr, "weft: %s\n", entry->program);
    fflush(NULL);
    execv(entry->program, arguments.list);
    complain("cannot run %s: %s", entry->program, strerror(errno));
    return STATUS_FAILED;
}

int run_command(int argc, char **argv)
{
    struct request request = {0};
    int status = parse(argc, argv, &request);
    if (status >= 0) return status;
    struct script script = load_script(request.file);
    struct places places = find_places(request.asan);
    struct words command = compile_command(&request, &script, &places);
    size_t size;
    char *key = key_of(&script, &command, &size);
    struct entry entry = cache_find(key, size, script.name);
    if (cache_is_fresh(&entry, script.directory, &command)) cache_touch(&entry);
    else compile(&request, &script, &entry, command);
    return become(&request, &script, &entry);
}
