/* The fields of a request: the client's, the call's, and who one is. */
#include <string.h>
#include <strings.h>
#include <weft/extend.h>
#include <weft/health.h>
#include <weft/task.h>

#include "client/client.h"
#include "client/login.h"

static int add(struct call *call, const char *name, const char *value)
{
    int rc = wf_headers_add(&call->headers, call->arena, name, value);
    return rc == -ENOMEM ? rc : rc < 0 ? call_fail(call, rc, "the field \"%s\" cannot be sent", name) : 0;
}

static bool is_listed(const struct wf_named *fields, const char *name)
{
    if (fields == NULL) return false;
    for (; fields->name != NULL; fields++)
        if (strcasecmp(fields->name, name) == 0) return true;
    return false;
}

/* Literals. */
static int add_known(struct call *call, const char *name, const char *value)
{
    struct wf_headers *fields = &call->headers;
    if (fields->count == fields->room_) return add(call, name, value);
    fields->list[fields->count++] = (struct wf_header){.name = name,
                                                       .value = value,
                                                       .name_size = (uint32_t)strlen(name),
                                                       .value_size = (uint32_t)strlen(value)};
    return 0;
}

/* Has the caller said something about it? */
static bool is_said(const struct call *call, const char *name)
{
    return is_listed(call->options->headers, name) || is_listed(call->client->options.headers, name);
}

static bool is_framing(const char *name)
{
    return strcasecmp(name, "content-length") == 0 || strcasecmp(name, "transfer-encoding") == 0;
}

/* Does this field say who one is? It stays with the origin that it was meant for. */
static bool is_secret(const char *name)
{
    return strcasecmp(name, "authorization") == 0 || strcasecmp(name, "cookie") == 0;
}

static int add_fields(struct call *call, const struct wf_named *fields, const struct wf_named *unless, bool trusted)
{
    for (int rc; fields != NULL && fields->name != NULL; fields++) {
        if (fields->value == NULL || is_listed(unless, fields->name)) continue;
        if (!trusted && is_secret(fields->name)) continue;
        if (is_framing(fields->name))
            return call_fail(call, -EINVAL, "the field \"%s\" is the client's to say", fields->name);
        if (strcasecmp(fields->name, "host") == 0) call->url.authority = fields->value;
        else if ((rc = add(call, fields->name, fields->value)) < 0) return rc;
    }
    return 0;
}

static int add_own(struct call *call)
{
    const struct wf_client_options *options = &call->client->options;
    int rc = is_said(call, "accept") ? 0 : add_known(call, "accept", "*/*");
    if (rc == 0 && !options->keep_encoding && !is_said(call, "accept-encoding"))
        rc = add_known(call, "accept-encoding", "gzip, br, zstd");
    if (rc == 0 && options->user_agent[0] != '\0' && !is_said(call, "user-agent"))
        rc = add(call, "user-agent", options->user_agent);
    if (rc == 0 && has_body(call) && !is_said(call, "content-type"))
        rc = add(call, "content-type", call->payload.content_type);
    return rc < 0 || is_said(call, "traceparent") ? rc : wf_headers_add_trace(&call->headers, call->arena);
}

int call_build_headers(struct call *call, bool refresh)
{
    const struct wf_client_options *options = &call->client->options;
    call->headers = (struct wf_headers){.list = call->first_fields, .room_ = FIELDS_FIRST};
    int rc = add_own(call);
    if (rc == 0) rc = add_fields(call, options->headers, call->options->headers, login_of_client_is_for(call));
    if (rc == 0) rc = add_fields(call, call->options->headers, NULL, login_of_call_is_for(call));
    if (rc == 0 && wf_headers_find(&call->headers, "authorization") == NULL) rc = login_add(call, refresh);
    return rc == 0 ? cookies_send(call) : rc;
}
