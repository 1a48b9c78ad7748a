/* In the order of RFC 9110 section 13.2.2. */
#include "http/conditions.h"

#include <string.h>

#include "http/date.h"
#include "http/request.h"

/* One tag of a list, with its "W/" skipped where `weak` allows it; NULL: no more. */
static const char *next_tag(const char **at, size_t *size, bool *weak)
{
    *at += strspn(*at, " \t,");
    *weak = strncmp(*at, "W/", 2) == 0;
    if (*weak) *at += 2;
    const char *tag = *at, *end = *tag == '"' ? strchr(tag + 1, '"') : NULL;
    if (end == NULL) return NULL;
    *size = (size_t)(end + 1 - tag);
    *at = end + 1;
    return tag;
}

/* Is the tag in one of the fields of that name? Weak ones are compared only where that is enough (section 8.8.3.2). */
static bool in_list(const struct wf_request *request, const char *name, const char *etag, bool weak_will_do)
{
    uint32_t after = 0;
    const char *at;
    while ((at = wf_headers_next(&request->headers, name, &after)) != NULL) {
        if (strcmp(at, "*") == 0) return true;
        size_t size;
        bool weak;
        const char *tag;
        while ((tag = next_tag(&at, &size, &weak)) != NULL)
            if (strlen(etag) == size && memcmp(tag, etag, size) == 0 && (weak_will_do || !weak)) return true;
    }
    return false;
}

/* A date that is none is as if it were not there. */
static bool later_than(const struct wf_request *request, const char *name, const struct state_of *state)
{
    const char *text = wf_headers_find(&request->headers, name);
    time_t date = text != NULL ? date_read(text) : -1;
    return date < 0 || state->modified > date;
}

int conditions_check(const struct wf_request *request, const struct state_of *state)
{
    const struct wf_headers *headers = &request->headers;
    bool reads = request->method == WF_GET || request->method == WF_HEAD;
    if (wf_headers_find(headers, "if-match") != NULL) {
        if (!in_list(request, "if-match", state->etag, false)) return 412;
    } else if (state->modified >= 0 && wf_headers_find(headers, "if-unmodified-since") != NULL) {
        const char *text = wf_headers_find(headers, "if-unmodified-since");
        if (date_read(text) >= 0 && later_than(request, "if-unmodified-since", state)) return 412;
    }
    if (wf_headers_find(headers, "if-none-match") != NULL)
        return !in_list(request, "if-none-match", state->etag, true) ? 0 : reads ? 304 : 412;
    if (!reads || state->modified < 0 || wf_headers_find(headers, "if-modified-since") == NULL) return 0;
    return later_than(request, "if-modified-since", state) ? 0 : 304;
}

bool conditions_range(const struct wf_request *request, const struct state_of *state)
{
    const char *text = wf_headers_find(&request->headers, "if-range");
    if (request->method != WF_GET) return false;
    if (text == NULL) return true;
    if (text[0] == '"' || strncmp(text, "W/", 2) == 0) return strcmp(text, state->etag) == 0;
    return date_read(text) == state->modified;
}
