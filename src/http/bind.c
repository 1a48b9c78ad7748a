/* Inputs by models: path, query, headers, cookies and the body, all their problems in one answer. */
#include "http/bind.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <weft/model.h>
#include <weft/task.h>

#include "http/grammar.h"
#include "http/reply.h"

enum { PAIRS_FIRST = 16 };

int bind_check(const struct route *route)
{
    const struct wf_route_options *options = &route->options;
    const struct wf_model *models[] = {options->path, options->query, options->header,  options->cookie,
                                       options->body, options->form,  options->response};
    for (size_t i = 0; i < WF_COUNT(models); i++) {
        int rc = models[i] != NULL ? wf_model_check(models[i]) : 0;
        if (rc < 0) return rc;
    }
    if (options->body != NULL && options->form != NULL)
        return wf_fail(-EINVAL, "%s %s has a body and a form; it can have one", wf_method_name(route->method),
                       route->pattern);
    return 0;
}

/* ---- Pairs from everywhere ---- */

static int add_pair(struct wf_arena *arena, struct wf_pairs *pairs, size_t *room, struct wf_pair pair)
{
    if (pairs->count == *room) {
        size_t larger = *room == 0 ? PAIRS_FIRST : *room * 2;
        struct wf_pair *items = wf_arena_array(arena, larger, sizeof *items);
        if (items == NULL) return -ENOMEM;
        if (pairs->count > 0) memcpy(items, pairs->items, pairs->count * sizeof *items);
        pairs->items = items;
        *room = larger;
    }
    pairs->items[pairs->count++] = pair;
    return 0;
}

static int path_pairs(struct wf_request *request, struct wf_pairs *pairs)
{
    size_t room = 0;
    for (unsigned i = 0; i < request->captured; i++) {
        const char *name = request->captures[i].name, *text = wf_path_text(request, name);
        if (text == NULL) return -ENOMEM;
        struct wf_pair pair = {name, text, strlen(name), strlen(text)};
        int rc = add_pair(&request->arena, pairs, &room, pair);
        if (rc < 0) return rc;
    }
    return 0;
}

static int query_pairs(struct wf_request *request, struct wf_pairs *pairs)
{
    const char *query = request->query != NULL ? request->query : "";
    return wf_pairs_parse(&request->arena, query, strlen(query), pairs);
}

/* Names of fields have no case, those of members have: here they are small. */
static int header_pairs(struct wf_request *request, struct wf_pairs *pairs)
{
    size_t room = 0;
    for (uint32_t i = 0; i < request->headers.count; i++) {
        const struct wf_header *header = &request->headers.list[i];
        char *name = wf_arena_strndup(&request->arena, header->name, header->name_size);
        if (name == NULL) return -ENOMEM;
        for (char *at = name; *at != '\0'; at++) *at = (char)tolower((unsigned char)*at);
        struct wf_pair pair = {name, header->value, header->name_size, header->value_size};
        int rc = add_pair(&request->arena, pairs, &room, pair);
        if (rc < 0) return rc;
    }
    return 0;
}

static int cookie_pairs(struct wf_request *request, struct wf_pairs *pairs)
{
    size_t room = 0;
    struct cookie cookie = {0};
    while (request_next_cookie(request, &cookie)) {
        struct wf_pair pair = {cookie.name, cookie.value, cookie.name_size, cookie.value_size};
        int rc = add_pair(&request->arena, pairs, &room, pair);
        if (rc < 0) return rc;
    }
    return 0;
}

/* ---- One input ---- */

static int parse_pairs(struct wf_request *request, const struct wf_model *model, const char *where,
                       int (*collect)(struct wf_request *, struct wf_pairs *), void **value,
                       struct wf_problems *problems)
{
    if (model == NULL) return 0;
    struct wf_pairs pairs = {0};
    problems->where = where;
    int rc = collect(request, &pairs);
    if (rc == -EBADMSG || rc == -E2BIG) return wf_problems_add(problems, NULL, "value_error", "%s", wf_failure());
    *value = rc == 0 ? wf_arena_zero(&request->arena, model->size) : NULL;
    if (*value == NULL) return rc < 0 ? rc : -ENOMEM;
    return wf_model_parse_pairs(model, &request->arena, &pairs, *value, problems);
}

/* "application/json; charset=utf-8", "application/problem+json" */
static bool is_type(const char *type, const char *wanted, const char *suffix)
{
    size_t size = strcspn(type, "; \t"), tail = suffix != NULL ? strlen(suffix) : 0;
    if (strlen(wanted) == size && strncasecmp(type, wanted, size) == 0) return true;
    return tail > 0 && size > tail && strncasecmp(type + size - tail, suffix, tail) == 0;
}

static int parse_body(struct wf_request *request, struct wf_problems *problems)
{
    const struct wf_route_options *options = &request->route->options;
    const struct wf_model *model = options->body != NULL ? options->body : options->form;
    if (model == NULL) return 0;
    const char *type = wf_headers_find(&request->headers, "content-type");
    const char *wanted = options->body != NULL ? "application/json" : "application/x-www-form-urlencoded";
    if (type != NULL && !is_type(type, wanted, options->body != NULL ? "+json" : NULL))
        return wf_http_error(request, 415, "the body has to be %s", wanted);
    char *bytes;
    size_t size;
    int rc = wf_request_body(request, &bytes, &size);
    if (rc < 0) return rc;
    request->body_value = wf_arena_zero(&request->arena, model->size);
    if (request->body_value == NULL) return -ENOMEM;
    problems->where = "body";
    if (options->body != NULL)
        return wf_model_parse(model, &request->arena, bytes, size, request->body_value, problems);
    struct wf_pairs pairs;
    rc = wf_pairs_parse(&request->arena, bytes, size, &pairs);
    if (rc == 0) return wf_model_parse_pairs(model, &request->arena, &pairs, request->body_value, problems);
    if (rc != -EBADMSG && rc != -E2BIG) return rc;
    return wf_problems_add(problems, NULL, "value_error", "%s", wf_failure()) == -ENOMEM ? -ENOMEM : -EBADMSG;
}

/* ---- All of them ---- */

int bind_inputs(struct wf_request *request)
{
    const struct wf_route_options *options = &request->route->options;
    struct wf_problems problems;
    wf_problems_init(&problems, &request->arena);
    const struct {
        const struct wf_model *model;
        const char *where;
        int (*collect)(struct wf_request *, struct wf_pairs *);
        void **value;
    } inputs[] = {
        {options->path, "path", path_pairs, &request->path_value},
        {options->query, "query", query_pairs, &request->query_value},
        {options->header, "header", header_pairs, &request->field_value},
        {options->cookie, "cookie", cookie_pairs, &request->cookie_value},
    };
    for (size_t i = 0; i < WF_COUNT(inputs); i++) {
        int rc = parse_pairs(request, inputs[i].model, inputs[i].where, inputs[i].collect, inputs[i].value, &problems);
        if (rc < 0 && rc != -EINVAL) return rc;
    }
    int rc = parse_body(request, &problems);
    if (request->state != ANSWER_NONE) return rc;
    if (rc < 0 && rc != -EINVAL && rc != -EBADMSG) return rc;
    if (rc != -EBADMSG && options->check != NULL) rc = options->check(request, &problems);
    if (rc < 0 && problems.count == 0) return rc;
    return problems.count == 0 ? 0 : reply_problems(request, rc == -EBADMSG ? 400 : 422, &problems);
}
