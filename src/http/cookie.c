/* Set-Cookie, with what browsers ask of it (RFC 6265 section 4.1, and the prefixes of its successor). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <weft/cookie.h>
#include <weft/task.h>

#include "http/grammar.h"
#include "http/request.h"

/* cookie-octet */
static bool is_value(const char *value)
{
    for (; *value != '\0'; value++) {
        unsigned char byte = (unsigned char)*value;
        if (byte <= 0x20 || byte >= 0x7f || strchr("\",;\\", byte) != NULL) return false;
    }
    return true;
}

/* av-octet: of a path, of a domain. */
static bool is_attribute(const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f || *text == ';') return false;
    return true;
}

static const char *mistake_in(const char *name, const char *value, const struct wf_cookie_options *options, bool secure,
                              const char *path)
{
    if (!is_token(name, strlen(name))) return "its name is no token";
    if (!is_value(value)) return "its value has a character that a cookie cannot have";
    if (!is_attribute(path) || path[0] != '/') return "its path does not begin with /, or has a semicolon";
    if (!is_attribute(options->domain)) return "its domain has a semicolon";
    if (options->same_site == WF_SAME_SITE_NONE && !secure) return "SameSite=None needs Secure";
    if (strncasecmp(name, "__Secure-", 9) == 0 && !secure) return "__Secure- needs Secure";
    if (strncasecmp(name, "__Host-", 7) != 0) return NULL;
    return secure && options->domain == NULL && strcmp(path, "/") == 0
               ? NULL
               : "__Host- needs Secure, the path / and no domain";
}

static char *write_cookie(struct wf_arena *arena, const char *name, const char *value,
                          const struct wf_cookie_options *options, bool secure, const char *path)
{
    static const char *const same_site[] = {"Lax", "Strict", "None"};
    char age[40] = "";
    if (options->max_age != 0)
        snprintf(age, sizeof age, "; Max-Age=%" PRId64,
                 options->max_age < 0 ? 0 : options->max_age / 1000000000 + (options->max_age % 1000000000 > 0));
    return wf_arena_printf(arena, "%s=%s; Path=%s%s%s%s; SameSite=%s%s%s", name, value, path,
                           options->domain != NULL ? "; Domain=" : "", options->domain != NULL ? options->domain : "",
                           age, same_site[options->same_site], secure ? "; Secure" : "",
                           options->for_scripts ? "" : "; HttpOnly");
}

int wf_reply_cookie_(struct wf_request *request, const char *name, const char *value,
                     const struct wf_cookie_options *options)
{
    if (options->size != sizeof *options || (unsigned)options->same_site > WF_SAME_SITE_NONE) return -EINVAL;
    bool secure = options->secure || (request->secure && !options->insecure);
    const char *path = options->path != NULL ? options->path : "/";
    const char *mistake = mistake_in(name, value, options, secure, path);
    if (mistake != NULL) return wf_fail(-EINVAL, "the cookie \"%s\": %s", name, mistake);
    if (strlen(name) + strlen(value) > WF_COOKIE_MAX) return wf_fail(-E2BIG, "the cookie \"%s\" is too long", name);
    char *cookie = write_cookie(wf_request_arena(request), name, value, options, secure, path);
    if (cookie == NULL) return -ENOMEM;
    if (strlen(cookie) > WF_COOKIE_MAX) return wf_fail(-E2BIG, "the cookie \"%s\" is too long", name);
    return wf_reply_header(request, "Set-Cookie", cookie);
}
