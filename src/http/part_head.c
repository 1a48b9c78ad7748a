/*
 * Lines of fields, and the parameters of Content-Disposition. Browsers write a quote in a name as "%22" and a line end
 * as "%0D%0A" (HTML standard, section 4.10.21.8); others write a backslash before it. Both are read.
 */
#include "http/part_head.h"

#include <string.h>
#include <strings.h>

#include "http/grammar.h"

/* ---- Parameters ---- */

/* A quoted text from its first quote on; gives where it ends, behind the last quote. NULL: it does not. */
static const char *take_quoted(const char *at, char *to, size_t room)
{
    size_t size = 0;
    for (at++; *at != '"'; at++) {
        if (*at == '\\' && (at[1] == '"' || at[1] == '\\')) at++;
        if (*at == '\0' || size + 1 >= room) return NULL;
        to[size++] = *at;
    }
    to[size] = '\0';
    return at + 1;
}

static const char *take_plain(const char *at, char *to, size_t room)
{
    size_t size = strcspn(at, "; \t");
    if (size + 1 > room) return NULL;
    memcpy(to, at, size);
    to[size] = '\0';
    return at + size;
}

/* Past a value that is not wanted. */
static const char *skip_value(const char *at)
{
    if (*at != '"') return at + strcspn(at, "; \t");
    for (at++; *at != '"' && *at != '\0'; at++)
        if (*at == '\\' && at[1] != '\0') at++;
    return *at == '"' ? at + 1 : at;
}

bool parameter_of(const char *field, const char *name, char *to, size_t room)
{
    const char *at = field + strcspn(field, ";");
    while (*at == ';') {
        at++;
        at += strspn(at, " \t");
        size_t size = strcspn(at, "=; \t");
        bool wanted = strlen(name) == size && strncasecmp(at, name, size) == 0;
        at += size;
        if (*at == '=') {
            at++;
            if (wanted) return (*at == '"' ? take_quoted(at, to, room) : take_plain(at, to, room)) != NULL;
            at = skip_value(at);
        }
        at += strcspn(at, ";");
    }
    return false;
}

/* ---- Fields ---- */

/* In place: what the HTML standard escapes. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *at = text; *at != '\0'; at++) {
        bool quote = strncmp(at, "%22", 3) == 0, cr = strncasecmp(at, "%0d", 3) == 0,
             lf = strncasecmp(at, "%0a", 3) == 0;
        *to++ = (char)(quote ? '"' : cr ? '\r' : lf ? '\n' : *at);
        if (quote || cr || lf) at += 2;
    }
    *to = '\0';
}

/* Directories are the client's own affair, and names that would lead elsewhere are none. */
static char *last_component(char *path)
{
    char *name = path;
    for (char *at = path; *at != '\0'; at++)
        if (*at == '/' || *at == '\\') name = at + 1;
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ? name + strlen(name) : name;
}

/* A parameter in the arena; NULL: it is not there, or there is no memory, which *rc tells. */
static char *keep(struct wf_arena *arena, const char *field, const char *name, int *rc)
{
    char *text = wf_arena_alloc(arena, strlen(field) + 1);
    if (text == NULL) *rc = -ENOMEM;
    if (text == NULL || !parameter_of(field, name, text, strlen(field) + 1)) return NULL;
    unescape(text);
    return text;
}

static int add_field(struct wf_part *part, struct wf_arena *arena, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    if (colon == NULL || !is_token(line, (size_t)(colon - line))) return -EBADMSG;
    const char *value = colon + 1, *end = line + size;
    while (value < end && (*value == ' ' || *value == '\t')) value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) end--;
    char *name = wf_arena_strndup(arena, line, (size_t)(colon - line));
    char *text = wf_arena_strndup(arena, value, (size_t)(end - value));
    if (name == NULL || text == NULL) return -ENOMEM;
    if (!is_field_value(value, (size_t)(end - value))) return -EBADMSG;
    int rc = wf_headers_add(&part->headers, arena, name, text);
    return rc == -EINVAL || rc == -E2BIG ? -EBADMSG : rc;
}

static int add_fields(struct wf_part *part, struct wf_arena *arena, const char *text)
{
    int rc = 0;
    while (*text != '\0' && rc == 0) {
        const char *end = strstr(text, "\r\n");
        size_t line = end != NULL ? (size_t)(end - text) : strlen(text);
        rc = add_field(part, arena, text, line);
        text += line + (end != NULL ? 2 : 0);
    }
    return rc;
}

int part_head_read(struct wf_part *part, struct wf_arena *arena, const char *bytes, size_t size)
{
    const char *text = wf_arena_strndup(arena, bytes, size);
    if (text == NULL) return -ENOMEM;
    int rc = strlen(text) == size ? add_fields(part, arena, text) : -EBADMSG;
    if (rc < 0) return rc;
    const char *disposition = wf_headers_find(&part->headers, "content-disposition");
    if (disposition == NULL || strncasecmp(disposition, "form-data", 9) != 0 || strcspn(disposition, "; \t") != 9)
        return -EBADMSG;
    part->name = keep(arena, disposition, "name", &rc);
    char *filename = keep(arena, disposition, "filename", &rc);
    part->filename = filename != NULL ? last_component(filename) : NULL;
    part->content_type = wf_headers_find(&part->headers, "content-type");
    if (part->content_type == NULL) part->content_type = "text/plain";
    return rc < 0 ? rc : part->name == NULL ? -EBADMSG : 0;
}
