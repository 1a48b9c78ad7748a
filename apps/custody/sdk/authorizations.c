/* Authorizations: one page of them, one of them, a new one, and what is decided about one. */
#include <stdio.h>

#include "client.h"

const char *custody_status_name(int status)
{
    const char *const *names = CUSTODY_STATUSES;
    return status >= CUSTODY_PENDING && status <= CUSTODY_EXPIRED ? names[status] : "";
}

/* ---- A page ---- */

enum { LIMIT = 50, NUMBER_ROOM = 12 };

static int check_limit(int limit)
{
    if (limit >= 0 && limit <= CUSTODY_LIMIT_MAX) return 0;
    return sdk_error_invalid("validation_failed", "query.limit", "a page has 1 to %d authorizations, and not %d",
                             CUSTODY_LIMIT_MAX, limit);
}

int custody_list_authorizations_(struct custody_client *client, struct wf_arena *arena, struct custody_page *page,
                                 const struct custody_list_options *options)
{
    char room[CUSTODY_VIN_MAX + 1], limit[NUMBER_ROOM];
    const char *vin = options->vin;
    if (options->size != sizeof *options) return -EINVAL;
    int rc = check_limit(options->limit);
    if (rc == 0 && vin != NULL && (vin = sdk_vin(client, vin, room)) == NULL) rc = -EINVAL;
    if (rc < 0) return rc;
    snprintf(limit, sizeof limit, "%d", options->limit > 0 ? options->limit : LIMIT);
    struct asked asked = {.method = WF_GET,
                          .path = "/authorizations",
                          .subject = options->vin,
                          .params = WF_NAMED({"vin", vin}, {"status", options->status}, {"limit", limit},
                                             {"cursor", options->cursor}),
                          .answer_model = &custody_page_model,
                          .answer = page};
    return sdk_call(client, arena, &asked);
}

/* ---- One ---- */

static int ask_for_one(struct custody_client *client, struct wf_arena *arena, const char *id, const char *verb,
                       struct asked *asked, struct custody_authorization *result)
{
    int rc;
    asked->path = sdk_path(arena, "/authorizations/", id, verb, &rc);
    if (asked->path == NULL) return rc;
    asked->subject = id;
    asked->answer_model = &custody_authorization_model;
    asked->answer = result;
    return sdk_call(client, arena, asked);
}

int custody_get_authorization(struct custody_client *client, struct wf_arena *arena, const char *id,
                              struct custody_authorization *result)
{
    struct asked asked = {.method = WF_GET};
    return ask_for_one(client, arena, id, "", &asked, result);
}

static int decide(struct custody_client *client, struct wf_arena *arena, const char *id, const char *verb,
                  const struct custody_decision *decision, struct custody_authorization *result)
{
    struct asked asked = {.method = WF_POST, .body_model = &custody_decision_model, .body = decision};
    if (decision->by == NULL) return sdk_error_invalid("validation_failed", "body.by", "it is not said who decides");
    return ask_for_one(client, arena, id, verb, &asked, result);
}

int custody_approve(struct custody_client *client, struct wf_arena *arena, const char *id, const char *by,
                    const char *reason, struct custody_authorization *result)
{
    return decide(client, arena, id, ":approve", &(struct custody_decision){.by = by, .reason = reason}, result);
}

int custody_reject(struct custody_client *client, struct wf_arena *arena, const char *id, const char *by,
                   const char *reason, struct custody_authorization *result)
{
    return decide(client, arena, id, ":reject", &(struct custody_decision){.by = by, .reason = reason}, result);
}

int custody_cancel(struct custody_client *client, struct wf_arena *arena, const char *id, const char *by,
                   const char *reason, struct custody_authorization *result)
{
    return decide(client, arena, id, ":cancel", &(struct custody_decision){.by = by, .reason = reason}, result);
}

/* ---- A new one ---- */

int custody_create_authorization_(struct custody_client *client, struct wf_arena *arena,
                                  struct custody_authorization *result, const struct custody_authorize_options *options)
{
    char room[CUSTODY_VIN_MAX + 1];
    if (options->size != sizeof *options) return -EINVAL;
    const struct sdk_text texts[] = {{"origin", options->origin},
                                     {"destination", options->destination},
                                     {"person_identity_key", options->person_identity_key},
                                     {"authorized_by", options->authorized_by},
                                     {"make_model", options->make_model}};
    const char *vin = sdk_vin(client, options->vin, room);
    int rc = vin == NULL ? -EINVAL : sdk_need(options->vin, texts, WF_COUNT(texts));
    if (rc < 0) return rc;
    struct custody_new_authorization wanted = {.vin = vin,
                                               .origin = options->origin,
                                               .destination = options->destination,
                                               .person_identity_key = options->person_identity_key,
                                               .authorized_by = options->authorized_by,
                                               .make_model = options->make_model};
    struct asked asked = {.method = WF_POST,
                          .path = "/authorizations",
                          .subject = options->vin,
                          .body_model = &custody_new_authorization_model,
                          .body = &wanted,
                          .key = options->idempotency_key,
                          .answer_model = &custody_authorization_model,
                          .answer = result};
    return sdk_call(client, arena, &asked);
}
