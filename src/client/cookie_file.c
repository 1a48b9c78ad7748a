/*
 * Cookies as a text: the format of Netscape's cookies.txt, as curl, wget and Python read and write it. One cookie a
 * line, seven fields between tabs:
 *
 *     domain  also below it (TRUE, FALSE)  path  Secure (TRUE, FALSE)  expires (seconds since 1970; 0: with the client)
 *     name  value
 *
 * "#HttpOnly_" before the domain says just that; other lines that begin with # are comments.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <weft/task.h>
#include <weft/time.h>

#include "client/client.h"
#include "client/cookies.h"

static const char heading[] = "# Netscape HTTP Cookie File\n";
static const char http_only[] = "#HttpOnly_";

/* ---- Writing ---- */

static size_t write_line(char *to, size_t room, const struct cookie *cookie)
{
    int64_t expires_s = cookie->expires == INT64_MAX ? 0 : cookie->expires / WF_SECONDS(1);
    int size = snprintf(to, room, "%s%s%s\t%s\t%s\t%s\t%" PRId64 "\t%s\t%s\n", cookie->http_only ? http_only : "",
                        cookie->host_only ? "" : ".", cookie->domain, cookie->host_only ? "FALSE" : "TRUE",
                        cookie->path, cookie->secure ? "TRUE" : "FALSE", expires_s, cookie->name, cookie->value);
    return (size_t)size;
}

static int save(const struct jar *jar, struct wf_arena *arena, const char **text)
{
    size_t size = sizeof heading;
    const struct cookie *cookie = NULL;
    while ((cookie = jar_next(jar, cookie)) != NULL) size += write_line(NULL, 0, cookie);
    char *written = wf_arena_alloc(arena, size);
    if (written == NULL) return -ENOMEM;
    memcpy(written, heading, sizeof heading);
    char *to = written + sizeof heading - 1, *end = written + size;
    while ((cookie = jar_next(jar, cookie)) != NULL) to += write_line(to, (size_t)(end - to), cookie);
    *text = written;
    return 0;
}

/* ---- Reading ---- */

enum { DOMAIN, BELOW, PATH, SECURE, EXPIRES, NAME, VALUE, FIELDS };

static bool is_word(const char *text, bool *value)
{
    *value = strcasecmp(text, "TRUE") == 0;
    return *value || strcasecmp(text, "FALSE") == 0;
}

static bool is_time(const char *text, int64_t *expires)
{
    char *end;
    long long seconds = strtoll(text, &end, 10);
    if (end == text || *end != '\0') return false;
    *expires = seconds <= 0 || seconds > INT64_MAX / WF_SECONDS(1) ? INT64_MAX : WF_SECONDS(seconds);
    return true;
}

static bool split(char *line, char *fields[FIELDS])
{
    static char nothing[1]; /* an empty value may be left out with its tab */
    for (int i = 0; i < FIELDS; i++) {
        if (line == NULL && i < VALUE) return false;
        fields[i] = line != NULL ? line : nothing;
        if (line == NULL) break;
        line = strchr(line, '\t');
        if (line != NULL) *line++ = '\0';
    }
    return line == NULL;
}

/* A line, which is changed. False: it is none. */
static bool read_line(char *line, struct cookie *cookie)
{
    char *fields[FIELDS];
    bool below;
    *cookie = (struct cookie){.next = NULL};
    if (strncmp(line, http_only, sizeof http_only - 1) == 0) {
        cookie->http_only = true;
        line += sizeof http_only - 1;
    }
    if (!split(line, fields) || !is_word(fields[BELOW], &below) || !is_word(fields[SECURE], &cookie->secure) ||
        !is_time(fields[EXPIRES], &cookie->expires))
        return false;
    for (char *at = fields[DOMAIN]; *at != '\0'; at++)
        if (*at >= 'A' && *at <= 'Z') *at = (char)(*at + 'a' - 'A');
    cookie->domain = fields[DOMAIN] + (fields[DOMAIN][0] == '.');
    cookie->host_only = !below;
    cookie->path = fields[PATH];
    cookie->name = fields[NAME];
    cookie->value = fields[VALUE];
    bool whole = strpbrk(cookie->name, ";=") == NULL && strchr(cookie->value, ';') == NULL;
    return whole && cookie->domain[0] != '\0' && cookie->path[0] == '/' && cookie->name[0] != '\0' &&
           strlen(cookie->name) + strlen(cookie->value) <= COOKIE_SIZE_MAX && cookie_keeps_prefix(cookie, true) &&
           (cookie->host_only || !is_public_suffix(cookie->domain));
}

static int load_line(struct jar *jar, const char *text, size_t size, unsigned number, struct wf_arena *arena)
{
    struct cookie cookie;
    if (size > 0 && text[size - 1] == '\r') size--;
    bool comment = text[0] == '#' && strncmp(text, http_only, sizeof http_only - 1) != 0;
    if (size == 0 || comment) return 0;
    char *line = wf_arena_strndup(arena, text, size);
    if (line == NULL) return -ENOMEM;
    for (const char *at = line; *at != '\0'; at++)
        if (((unsigned char)*at < 0x20 && *at != '\t') || *at == 0x7f)
            return wf_fail(-EBADMSG, "line %u of the cookies has a control character", number);
    if (!read_line(line, &cookie)) return wf_fail(-EBADMSG, "line %u is no cookie", number);
    return jar_keep(jar, &cookie, wf_wall_now());
}

static int load(struct jar *jar, const char *text)
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    int rc = 0;
    for (unsigned number = 1; rc == 0 && *text != '\0'; number++) {
        size_t size = strcspn(text, "\n");
        rc = load_line(jar, text, size, number, &arena);
        wf_arena_reset(&arena);
        text += size + (text[size] == '\n');
    }
    wf_arena_finish(&arena);
    return rc;
}

/* ---- For users ---- */

static int find_jar(const struct wf_client *handle, struct jar **jar)
{
    const struct client *client = (const struct client *)(const void *)handle->private_;
    if (client == NULL) return wf_fail(-EBADF, "the client is not open");
    *jar = client->jar;
    return *jar != NULL ? 0 : wf_fail(-EOPNOTSUPP, "the client keeps no cookies");
}

int wf_client_cookies_save(const struct wf_client *client, struct wf_arena *arena, const char **text)
{
    struct jar *jar = NULL;
    int rc = find_jar(client, &jar);
    return rc < 0 ? rc : save(jar, arena, text);
}

int wf_client_cookies_load(struct wf_client *client, const char *text)
{
    struct jar *jar = NULL;
    int rc = find_jar(client, &jar);
    return rc < 0 ? rc : load(jar, text);
}

void wf_client_cookies_clear(struct wf_client *client, const char *host)
{
    struct jar *jar = NULL;
    if (find_jar(client, &jar) == 0) jar_clear(jar, host);
}

int wf_client_cookie(struct wf_client *client, struct wf_arena *arena, const char *url, const char *name,
                     const char **value)
{
    struct jar *jar = NULL;
    struct wf_url parts;
    struct cookie **found = NULL;
    size_t count = 0;
    int rc = find_jar(client, &jar);
    if (rc == 0) rc = wf_url_parse(url, arena, &parts);
    if (rc == 0) rc = jar_find(jar, &parts, wf_wall_now(), arena, &found, &count);
    if (rc < 0) return rc;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(found[i]->name, name) != 0) continue;
        *value = wf_arena_strdup(arena, found[i]->value);
        return *value != NULL ? 0 : -ENOMEM;
    }
    return -ENOENT;
}

static int keep_said(struct jar *jar, const char *url, const char *text, struct wf_arena *arena)
{
    struct wf_url parts;
    struct cookie cookie;
    int rc = wf_url_parse(url, arena, &parts);
    if (rc < 0) return rc;
    const char *mistake = cookie_read(&parts, text, wf_wall_now(), arena, &cookie);
    return mistake != NULL ? wf_fail(-EINVAL, "no cookie of %s: %s", parts.host, mistake)
                           : jar_keep(jar, &cookie, wf_wall_now());
}

int wf_client_cookie_set(struct wf_client *client, const char *url, const char *text)
{
    struct wf_arena arena;
    struct jar *jar = NULL;
    int rc = find_jar(client, &jar);
    if (rc < 0) return rc;
    wf_arena_init(&arena);
    rc = keep_said(jar, url, text, &arena);
    wf_arena_finish(&arena);
    return rc;
}

/* ---- For calls ---- */

int cookies_send(struct call *call)
{
    struct cookie **found;
    size_t count, size = 1;
    if (call->client->jar == NULL || wf_headers_find(&call->headers, "cookie") != NULL) return 0;
    int rc = jar_find(call->client->jar, &call->url, wf_wall_now(), call->arena, &found, &count);
    if (rc < 0 || count == 0) return rc;
    for (size_t i = 0; i < count; i++) size += strlen(found[i]->name) + strlen(found[i]->value) + 3;
    char *text = wf_arena_alloc(call->arena, size), *to = text;
    if (text == NULL) return -ENOMEM;
    for (size_t i = 0; i < count; i++) to += sprintf(to, "%s%s=%s", i > 0 ? "; " : "", found[i]->name, found[i]->value);
    return wf_headers_add(&call->headers, call->arena, "cookie", text);
}

/* What is no cookie is no mistake of the call's. */
int cookies_receive(struct call *call)
{
    struct jar *jar = call->client->jar;
    const char *text;
    uint32_t after = 0;
    int rc = 0;
    int64_t now = wf_wall_now();
    bool over_tls = strcmp(call->url.scheme, "https") == 0 || strcmp(call->url.scheme, "wss") == 0;
    while (jar != NULL && rc == 0 && (text = wf_headers_next(&call->response->headers, "set-cookie", &after)) != NULL) {
        struct cookie cookie;
        if (cookie_read(&call->url, text, now, call->arena, &cookie) != NULL) continue;
        if (over_tls || !jar_is_guarded(jar, &cookie)) rc = jar_keep(jar, &cookie, now);
    }
    return rc;
}
