/* Memory, text and lists of words for a command that runs for a moment. */
#include "command.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Everything that was taken hangs here, so that a leak checker sees memory in use. */
struct taken {
    struct taken *before;
    max_align_t memory[];
};
static struct taken *all_taken;

void *take_memory(size_t size)
{
    struct taken *taken = malloc(sizeof *taken + size);
    if (taken == NULL) {
        fputs("weft: out of memory\n", stderr);
        exit(STATUS_FAILED);
    }
    taken->before = all_taken;
    all_taken = taken;
    return taken->memory;
}

__attribute__((__format__(__printf__, 1, 0))) static char *format_list(const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (size < 0) return take_memory(1);
    char *text = take_memory((size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, format, arguments);
    return text;
}

char *format_text(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = format_list(format, arguments);
    va_end(arguments);
    return text;
}

void add_word(struct words *words, const char *word)
{
    if (words->count + 1 >= words->room) {
        words->room = words->room == 0 ? 16 : words->room * 2;
        char **larger = take_memory(words->room * sizeof *larger);
        if (words->count > 0) memcpy(larger, words->list, words->count * sizeof *larger);
        words->list = larger;
    }
    words->list[words->count++] = format_text("%s", word);
    words->list[words->count] = NULL;
}

void add_words(struct words *words, const struct words *more)
{
    for (size_t i = 0; i < more->count; i++) add_word(words, more->list[i]);
}

void add_split(struct words *words, const char *text)
{
    char *word = take_memory(strlen(text) + 1);
    while (*text != '\0') {
        size_t size = 0;
        for (; *text != '\0' && !isspace((unsigned char)*text); text++) {
            if (text[0] == '\\' && text[1] != '\0' && text[1] != '\n') text++;
            word[size++] = *text;
        }
        word[size] = '\0';
        if (size > 0) add_word(words, word);
        while (isspace((unsigned char)*text)) text++;
    }
}

char *join_words(const struct words *words, char separator)
{
    size_t size = 1;
    for (size_t i = 0; i < words->count; i++) size += strlen(words->list[i]) + 1;
    char *text = take_memory(size), *end = text;
    for (size_t i = 0; i < words->count; i++) {
        if (i > 0) *end++ = separator;
        end = stpcpy(end, words->list[i]);
    }
    *end = '\0';
    return text;
}

/* ---- Files ---- */

char *load_descriptor(int fd, size_t *size)
{
    size_t room = 16384, used = 0;
    char *bytes = take_memory(room + 1);
    for (;;) {
        ssize_t got = read(fd, bytes + used, room - used);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return NULL;
        used += (size_t)got;
        if (got == 0) break;
        if (used < room) continue;
        room *= 2;
        bytes = memcpy(take_memory(room + 1), bytes, used);
    }
    bytes[used] = '\0';
    *size = used;
    return bytes;
}

char *load_file(const char *path, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    char *bytes = load_descriptor(fd, size);
    int error = errno;
    close(fd);
    errno = error;
    return bytes;
}

bool save_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "we");
    if (file == NULL) return false;
    bool written = fwrite(bytes, 1, size, file) == size;
    int error = errno;
    if (fclose(file) != 0 && written) {
        written = false;
        error = errno;
    }
    if (!written) unlink(path);
    errno = error;
    return written;
}

const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

char *directory_part(const char *path)
{
    return format_text("%.*s", (int)(base_name(path) - path), path);
}

char *real_path(const char *path)
{
    return realpath(path, take_memory(PATH_MAX));
}

/* ---- Talking to people ---- */

void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "weft: %s\n", format_list(format, arguments));
    va_end(arguments);
}

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "weft: %s\n", format_list(format, arguments));
    va_end(arguments);
    exit(STATUS_FAILED);
}
