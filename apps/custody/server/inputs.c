/* What models cannot see of an input: policies, the form of a key, what a query should not have. */
#include <string.h>

#include "server.h"

/* ---- VINs ---- */

/* As it may be shown: a path's can be bytes that are no text, and then the path is shown as it was sent. */
static const char *as_sent(struct wf_request *request, const char *text)
{
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, wf_request_arena(request), 0);
    return wf_json_write_string(&writer, text) == 0 ? text : wf_request_path(request);
}

int check_vin(struct wf_request *request, struct wf_problems *problems, const char *where, const char *name,
              const char *text)
{
    const struct sandbox *sandbox = wf_request_state(request);
    char vin[CUSTODY_VIN_MAX + 1];
    const char *wrong = custody_vin_normalize(sandbox->options.vin_policy, text, vin);
    if (wrong == NULL) return 0;
    problems->where = where;
    return wf_problems_add(problems, name, invalid_vin, "\"%s\" is no VIN: %s", as_sent(request, text), wrong);
}

const char *vin_of_path(struct wf_request *request, char vin[CUSTODY_VIN_MAX + 1])
{
    const struct sandbox *sandbox = wf_request_state(request);
    const char *text = wf_path_text(request, "vin");
    if (text == NULL || custody_vin_normalize(sandbox->options.vin_policy, text, vin) != NULL) return NULL;
    return vin;
}

/* ---- Identities ---- */

static bool is_visible(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < '!' || *text > '~') return false;
    return true;
}

int check_key(struct wf_request *request, struct wf_problems *problems)
{
    static const char name[] = "Idempotency-Key";
    const struct wf_headers *fields = wf_request_headers(request);
    uint32_t after = 0;
    const char *key = wf_headers_next(fields, name, &after);
    if (key == NULL) return 0;
    const char *wrong = NULL;
    if (key[0] == '\0' || strlen(key) > 255 || !is_visible(key)) wrong = "it has 1 to 255 visible ASCII characters";
    else if (wf_headers_next(fields, name, &after) != NULL) wrong = "it is given twice";
    problems->where = "header";
    return wrong != NULL ? wf_problems_add(problems, name, "value_error", "%s", wrong) : 0;
}

bool is_id(const char *text, const char *prefix)
{
    size_t size = strlen(prefix);
    if (strncmp(text, prefix, size) != 0 || strlen(text) != size + ID_DIGITS) return false;
    return strspn(text + size, "0123456789") == ID_DIGITS;
}

/* ---- Queries ---- */

static const struct wf_member *find_member(const struct wf_model *model, const char *name)
{
    for (size_t i = 0; model != NULL && i < model->count; i++)
        if (strcmp(model->members[i].name, name) == 0) return &model->members[i];
    return NULL;
}

static size_t count_of(const struct wf_pairs *pairs, const struct wf_pair *pair)
{
    size_t count = 0;
    for (size_t i = 0; i < pairs->count; i++)
        count += pairs->items[i].name_size == pair->name_size &&
                 memcmp(pairs->items[i].name, pair->name, pair->name_size) == 0;
    return count;
}

/* Where there is a model, it has found what is unknown, and what is given twice, but for values that are empty. */
static int check_pair(struct wf_request *request, struct wf_problems *problems, const struct wf_model *model,
                      const struct wf_pairs *pairs, const struct wf_pair *pair)
{
    char *name = wf_arena_strndup(wf_request_arena(request), pair->name, pair->name_size);
    if (name == NULL) return -ENOMEM;
    const struct wf_member *member = find_member(model, name);
    if (member == NULL && model != NULL) return 0;
    if (member == NULL)
        return wf_problems_add(problems, as_sent(request, name), "extra_forbidden", "there is no such parameter");
    if (count_of(pairs, pair) > 1) return wf_problems_add(problems, name, "duplicate", "it is given twice");
    if (pair->text_size > 0 || member->kind == WF_KIND_STRING) return 0;
    return wf_problems_add(problems, name, "missing", "it has no value");
}

int check_query(struct wf_request *request, struct wf_problems *problems, const struct wf_model *model)
{
    const char *query = wf_request_query(request);
    struct wf_pairs pairs;
    if (query == NULL || query[0] == '\0') return 0;
    problems->where = "query";
    int rc = wf_pairs_parse(wf_request_arena(request), query, strlen(query), &pairs);
    if (rc == -ENOMEM) return rc;
    if (rc < 0) return wf_problems_add(problems, NULL, "value_error", "%s", wf_failure());
    for (size_t i = 0; i < pairs.count; i++) {
        rc = check_pair(request, problems, model, &pairs, &pairs.items[i]);
        if (rc == -ENOMEM) return rc;
    }
    return rc;
}

int check_no_query(struct wf_request *request, struct wf_problems *problems)
{
    return check_query(request, problems, NULL);
}

int check_path_vin(struct wf_request *request, struct wf_problems *problems)
{
    const char *text = wf_path_text(request, "vin");
    if (text == NULL) return -ENOMEM;
    int rc = check_vin(request, problems, "path", "vin", text);
    return rc == -ENOMEM ? rc : check_query(request, problems, NULL);
}
