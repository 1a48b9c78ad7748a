/* Vehicles: are they releasable, and who has them? */
#include <stdio.h>
#include <string.h>

#include "client.h"

#define CACHED_WITHIN WF_SECONDS(1)

/* ---- One ---- */

/* By the path that has its VIN in it. */
static int ask_about(struct custody_client *client, struct wf_arena *arena, const char *text, const char *before,
                     const char *behind, const struct wf_model *model, void *answer)
{
    char room[CUSTODY_VIN_MAX + 1];
    int rc;
    const char *vin = sdk_vin(client, text, room);
    if (vin == NULL) return -EINVAL;
    const char *path = sdk_path(arena, before, vin, behind, &rc);
    if (path == NULL) return rc;
    struct asked asked = {.method = WF_GET, .path = path, .subject = text, .answer_model = model, .answer = answer};
    return sdk_call(client, arena, &asked);
}

/* One that is releasable for no reason, or held for none, is not to be acted on. */
static int check_sense(const struct custody_releasability *result)
{
    if (result->is_releasable == (result->blockers.count == 0)) return 0;
    char message[100];
    size_t count = result->blockers.count;
    snprintf(message, sizeof message, "%.20s: the answer contradicts itself: %sreleasable with %zu blockers",
             result->vin, result->is_releasable ? "" : "not ", count);
    return sdk_error_set(
        &(struct custody_error){.kind = CUSTODY_SERVER, .rc = -EREMOTEIO, .status = 200, .message = message});
}

int custody_check_vin(struct custody_client *client, struct wf_arena *arena, const char *vin,
                      struct custody_releasability *result)
{
    int rc = ask_about(client, arena, vin, "/releasability/", "", &custody_releasability_model, result);
    return rc < 0 ? rc : check_sense(result);
}

/* A deadline of the caller's that comes first is a cancel here, and never this -ETIME. */
int custody_get_cached(struct custody_client *client, struct wf_arena *arena, const char *vin,
                       struct custody_releasability *result)
{
    char message[100];
    int rc = wf_within(CACHED_WITHIN, ask_about(client, arena, vin, "/releasability/", "/cached",
                                                &custody_releasability_model, result));
    if (rc == 0) return check_sense(result);
    if (rc != -ETIME) return rc;
    snprintf(message, sizeof message, "%.40s: no cached answer within a second", vin);
    return sdk_error_set(&(struct custody_error){.kind = CUSTODY_TIMEOUT, .rc = -ETIME, .message = message});
}

int custody_get_status(struct custody_client *client, struct wf_arena *arena, const char *vin,
                       struct custody_state *state)
{
    return ask_about(client, arena, vin, "/transfers/", "/status", &custody_state_model, state);
}

/* ---- Many ---- */

struct sent {
    const char **vins; /* those that are any */
    size_t *rows;      /* and which row each is for */
    size_t count;
};

/* Rows of what is no VIN are made here. */
static int choose(struct custody_client *client, struct wf_arena *arena, const char *const *vins, size_t count,
                  struct custody_batch_row *rows, struct sent *sent)
{
    char room[CUSTODY_VIN_MAX + 1];
    sent->vins = wf_arena_array(arena, count, sizeof *sent->vins);
    sent->rows = wf_arena_array(arena, count, sizeof *sent->rows);
    if (sent->vins == NULL || sent->rows == NULL) return sdk_error_unanswered(-ENOMEM, NULL);
    for (size_t i = 0; i < count; i++) {
        rows[i] = (struct custody_batch_row){.vin = vins[i] != NULL ? vins[i] : ""};
        if (sdk_vin(client, vins[i], room) != NULL) {
            sent->rows[sent->count] = i;
            sent->vins[sent->count++] = vins[i];
            continue;
        }
        const char *message = wf_arena_strdup(arena, custody_error()->message);
        if (message == NULL) return sdk_error_unanswered(-ENOMEM, NULL);
        rows[i].has.error = true;
        rows[i].error = (struct custody_batch_error){.code = "invalid_vin", .message = message};
    }
    return 0;
}

static int take_rows(const struct custody_batch_answer *answer, const struct sent *sent, struct custody_batch_row *rows)
{
    static const struct custody_error senseless = {.kind = CUSTODY_SERVER,
                                                   .rc = -EREMOTEIO,
                                                   .status = 200,
                                                   .message = "the rows of a batch are not those that were asked for"};
    if (answer->results.count != sent->count) return sdk_error_set(&senseless);
    for (size_t i = 0; i < sent->count; i++) {
        const struct custody_batch_row *row = &answer->results.items[i];
        bool whole = row->ok ? row->has.result : row->has.error;
        if (!whole || strcmp(row->vin, sent->vins[i]) != 0) return sdk_error_set(&senseless);
        int rc = row->ok ? check_sense(&row->result) : 0;
        if (rc < 0) return rc;
        rows[sent->rows[i]] = *row;
    }
    return 0;
}

int custody_check_batch(struct custody_client *client, struct wf_arena *arena, const char *const *vins, size_t count,
                        struct custody_batch_row *rows)
{
    struct sent sent = {.count = 0};
    struct custody_batch_answer answer;
    if (count > CUSTODY_BATCH_MAX)
        return sdk_error_invalid("validation_failed", "vins", "a batch has at most %d VINs", CUSTODY_BATCH_MAX);
    int rc = choose(client, arena, vins, count, rows, &sent);
    if (rc < 0 || sent.count == 0) return rc;
    struct custody_batch batch = {.vins = {.items = sent.vins, .count = sent.count}};
    struct asked asked = {.method = WF_POST,
                          .path = "/releasability:batch",
                          .body_model = &custody_batch_model,
                          .body = &batch,
                          .answer_model = &custody_batch_answer_model,
                          .answer = &answer};
    rc = sdk_call(client, arena, &asked);
    return rc < 0 ? rc : take_rows(&answer, &sent, rows);
}
