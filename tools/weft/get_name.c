/* Names and sums of downloads. What a URL or a server says may become a file's name, but not a path. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "get.h"

/* ---- Clean ---- */

/* How many bytes a character of UTF-8 has that may be in a name; 0: it is none. */
static size_t character_size(const unsigned char *at)
{
    size_t size = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < size; i++)
        if ((at[i] & 0xc0) != 0x80) return 0;
    if (size == 1 && (at[0] < ' ' || at[0] == 0x7f || at[0] == '/' || at[0] == '\\')) return 0;
    if (size == 2 && at[0] == 0xc2 && at[1] < 0xa0) return 0; /* control characters too */
    if (size == 3 && ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] >= 0xa0))) return 0;
    if (size == 4 && ((at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] >= 0x90))) return 0;
    return size;
}

char *clean_name(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    char *name = take_memory(NAME_MAX_BYTES + 1);
    size_t used = 0;
    while (*at != '\0' && used < NAME_MAX_BYTES) {
        size_t size = character_size(at);
        if (used + size > NAME_MAX_BYTES) break;
        if (size > 0) memcpy(name + used, at, size);
        else name[used] = '_';
        used += size > 0 ? size : 1;
        at += size > 0 ? size : 1;
    }
    name[used] = '\0';
    if (name[0] == '.') name[0] = '_'; /* no hidden file, and neither "." nor ".." */
    return name;
}

static int digit_of(char character)
{
    const char *digits = "0123456789abcdef", *at = strchr(digits, tolower((unsigned char)character));
    return at != NULL && character != '\0' ? (int)(at - digits) : -1;
}

/* In place; what is no escape stays. A zero ends nothing: it becomes what is cleaned away. */
static void decode(char *text)
{
    char *to = text;
    for (const char *at = text; *at != '\0'; at++) {
        int high = *at == '%' ? digit_of(at[1]) : -1, low = high >= 0 ? digit_of(at[2]) : -1;
        int byte = low >= 0 ? high * 16 + low : (unsigned char)*at;
        *to++ = (char)(unsigned char)(byte != 0 ? byte : 1);
        if (low >= 0) at += 2;
    }
    *to = '\0';
}

/* ---- From a URL ---- */

char *name_of_url(const char *url)
{
    const char *rest = strstr(url, "://");
    const char *path = rest == NULL ? NULL : rest + 3 + strcspn(rest + 3, "/?#");
    if (path == NULL || *path != '/') return NULL;
    char *text = format_text("%.*s", (int)strcspn(path, "?#"), path);
    char *name = strrchr(text, '/') + 1;
    if (*name == '\0') return NULL;
    decode(name);
    return clean_name(name);
}

/* ---- From a field ---- */

/* The value of a parameter: a token, or a text in quotes. Gives what follows. */
static const char *take_parameter(const char *at, char **value)
{
    char *text = *value = take_memory(strlen(at) + 1);
    if (*at != '"') {
        size_t size = strcspn(at, "; \t");
        memcpy(text, at, size);
        text[size] = '\0';
        return at + size;
    }
    for (at++; *at != '\0' && *at != '"'; at++) {
        if (at[0] == '\\' && at[1] != '\0') at++;
        *text++ = *at;
    }
    *text = '\0';
    return *at == '"' ? at + 1 : at;
}

/* UTF-8''a%20b (RFC 8187); other character sets are left out. */
static char *decode_extended(char *value)
{
    if (strncasecmp(value, "UTF-8'", 6) != 0) return NULL;
    char *text = strchr(value + 6, '\'');
    if (text == NULL) return NULL;
    decode(++text);
    return text;
}

/* Of "a/b" and "a\b" the last part; what a server says is no path. */
static char *clean_last(const char *text)
{
    const char *slash = strrchr(text, '/'), *other = strrchr(text, '\\');
    if (other > slash || slash == NULL) slash = other;
    text = slash != NULL ? slash + 1 : text;
    return *text != '\0' ? clean_name(text) : NULL;
}

char *name_of_disposition(const char *value)
{
    char *plain = NULL, *extended = NULL;
    const char *at = value + strcspn(value, ";");
    while (*at != '\0') {
        at += strspn(at, "; \t");
        size_t size = strcspn(at, "=;");
        bool is_plain = size == 8 && strncasecmp(at, "filename", 8) == 0;
        bool is_extended = size == 9 && strncasecmp(at, "filename*", 9) == 0;
        if (at[size] != '=') at += size;
        else at = take_parameter(at + size + 1, is_extended ? &extended : is_plain ? &plain : &(char *){NULL});
        at += strcspn(at, ";");
    }
    extended = extended != NULL ? decode_extended(extended) : NULL;
    const char *best = extended != NULL ? extended : plain;
    return best != NULL ? clean_last(best) : NULL;
}

/* ---- Paths ---- */

void set_path(struct download *download, const char *directory, const char *name)
{
    bool slash = directory != NULL && directory[strlen(directory) - 1] == '/';
    download->path = directory == NULL ? name : format_text("%s%s%s", directory, slash ? "" : "/", name);
    download->part = format_text("%s.part", download->path);
    download->tag = format_text("%s.part.tag", download->path);
}

/* Of two of the same name the second is NAME.1, and so on: the same in each run. */
static void set_own_path(struct get *get, size_t index, const char *name)
{
    struct download *download = &get->downloads[index];
    set_path(download, get->directory, name);
    for (unsigned number = 1;; number++) {
        size_t other = 0;
        while (other < index && strcmp(get->downloads[other].path, download->path) != 0) other++;
        if (other == index) return;
        set_path(download, get->directory, format_text("%s.%u", name, number));
    }
}

/* ---- Sums ---- */

/* "HEX  NAME" or "HEX *NAME": the sum of that name; NULL: it is not in the list. */
static const char *find_sum(const char *list, const char *name)
{
    for (const char *line = list; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t size = strcspn(line, "\r\n");
        if (size < 67 || strspn(line, "0123456789abcdefABCDEF") != 64) continue;
        if (line[64] != ' ' || (line[65] != ' ' && line[65] != '*')) continue;
        const char *path = format_text("%.*s", (int)(size - 66), line + 66);
        if (strcmp(base_name(path), name) == 0) return format_text("%.64s", line);
    }
    return NULL;
}

static bool find_sums(struct get *get)
{
    size_t size;
    char *list = load_file(get->sums, &size);
    if (list == NULL) complain("cannot read '%s': %s", get->sums, strerror(errno));
    for (size_t i = 0; list != NULL && i < get->count; i++) {
        struct download *download = &get->downloads[i];
        download->sha256 = find_sum(list, base_name(download->path));
        if (download->sha256 != NULL) continue;
        complain("'%s' has no sum for %s", get->sums, base_name(download->path));
        return false;
    }
    return list != NULL;
}

bool name_downloads(struct get *get)
{
    for (size_t i = 0; i < get->count; i++) {
        struct download *download = &get->downloads[i];
        if (strstr(download->url, "://") == NULL) download->url = format_text("https://%s", download->url);
        const char *name = get->output != NULL ? get->output : name_of_url(download->url);
        download->named = name != NULL && !get->remote_name;
        download->sha256 = get->sha256;
        if (get->output == NULL || strcmp(get->output, "-") != 0)
            set_own_path(get, i, name != NULL && name[0] != '\0' ? name : "index.html");
    }
    return get->sums == NULL || find_sums(get);
}
