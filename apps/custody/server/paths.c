/*
 * Paths that look like one of the API, and name nothing that could be there: identities that are none, verbs that do
 * not exist. They are 404 before anything is asked, like any path that is not there.
 */
#include <string.h>

#include "server.h"

static const char authorizations[] = "/authorizations/", transfers[] = "/transfers/";

static bool is_verb(const char *text)
{
    static const char *const verbs[] = {":approve", ":reject", ":cancel"};
    for (size_t i = 0; i < WF_COUNT(verbs); i++)
        if (strcmp(text, verbs[i]) == 0) return true;
    return false;
}

/* What is behind the prefix, where that is the last segment; else NULL. */
static const char *last_segment(const char *path, const char *prefix, size_t size)
{
    return strncmp(path, prefix, size) == 0 && strchr(path + size, '/') == NULL ? path + size : NULL;
}

static int not_there(struct wf_request *request)
{
    return wf_http_error(request, 404, "there is nothing at this path");
}

/* A verb of an authorization takes POST and nothing else; without this, its path would be that of the authorization
 * whose identity ends so. */
static int answer_verb(struct wf_request *request)
{
    enum wf_method method = wf_request_method(request);
    if (method == WF_POST) return wf_continue(request);
    int rc = wf_reply_header(request, "Allow", "POST, OPTIONS");
    if (rc < 0) return rc;
    if (method == WF_OPTIONS) return wf_reply_empty(request, 204);
    return wf_http_error(request, 405, "%s is not for this path", wf_method_name(method));
}

static int know_authorization(struct wf_request *request, const char *name)
{
    char id[16] = "";
    size_t size = strcspn(name, ":");
    if (size < sizeof id) memcpy(id, name, size);
    if (!is_id(id, "AUTH-")) return not_there(request);
    if (name[size] == '\0') return wf_continue(request);
    return is_verb(name + size) ? answer_verb(request) : not_there(request);
}

int know_paths(struct wf_request *request, struct sandbox *sandbox)
{
    const char *path = wf_request_path(request) + strlen(BASE_PATH);
    (void)sandbox;
    const char *authorization = last_segment(path, authorizations, sizeof authorizations - 1);
    if (authorization != NULL) return know_authorization(request, authorization);
    const char *transfer = last_segment(path, transfers, sizeof transfers - 1);
    if (transfer != NULL && !is_id(transfer, "TRF-")) return not_there(request);
    return wf_continue(request);
}
