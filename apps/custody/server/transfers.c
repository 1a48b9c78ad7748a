/* Transfers of custody: a new one, one of them, and who has a vehicle now. */
#include <string.h>

#include "server.h"

/* ---- A new one ---- */

static bool is_type(const char *text)
{
    static const char *const types[] = {"PICKUP",  "DROPOFF",         "GATE_OUT",
                                        "GATE_IN", "AUCTION_CHECKIN", "DEALER_RELEASE"};
    for (size_t i = 0; i < WF_COUNT(types); i++)
        if (strcmp(text, types[i]) == 0) return true;
    return false;
}

static int check_type(struct wf_problems *problems, const struct sandbox *sandbox, const char *type)
{
    bool free_text = sandbox->options.storage.any_type && type[0] != '\0' && strlen(type) <= CUSTODY_TEXT_MAX;
    if (free_text || is_type(type)) return 0;
    return wf_problems_add(problems, "transfer_type", unknown_transfer_type, "\"%.100s\" is no type of transfer", type);
}

static int check_credential(struct wf_problems *problems, const char *id)
{
    if (is_id(id, "AUTH-")) return 0;
    return wf_problems_add(problems, "credential_id", "value_error", "a credential is AUTH- and eight digits");
}

static int check_location(struct wf_problems *problems, const struct sandbox *sandbox, const char *id)
{
    if (storage_has_location(sandbox->storage, id)) return 0;
    return wf_problems_add(problems, "location_id", unknown_location, "\"%.100s\" is no location", id);
}

static int check_new(struct wf_request *request, struct wf_problems *problems)
{
    const struct sandbox *sandbox = wf_request_state(request);
    const struct custody_new_transfer *wanted = wf_body_value(request);
    int rc = check_query(request, problems, NULL);
    if (rc != -ENOMEM) rc = check_key(request, problems);
    if (rc == -ENOMEM || wanted == NULL) return rc;
    problems->where = "body";
    if (wanted->vin != NULL) rc = check_vin(request, problems, "body", "vin", wanted->vin);
    if (rc != -ENOMEM && wanted->transfer_type != NULL) rc = check_type(problems, sandbox, wanted->transfer_type);
    if (rc != -ENOMEM && wanted->credential_id != NULL) rc = check_credential(problems, wanted->credential_id);
    if (rc != -ENOMEM && wanted->location_id != NULL) rc = check_location(problems, sandbox, wanted->location_id);
    return rc;
}

static int say_new(const void *value, struct wf_arena *arena, struct said *said)
{
    const struct custody_transfer *made = value;
    said->status = made->status == CUSTODY_QUEUED ? 202 : 201;
    said->location = wf_arena_printf(arena, BASE_PATH "/transfers/%s", made->transfer_id);
    return said->location == NULL ? -ENOMEM : say_model(&custody_transfer_model, made, arena, said);
}

static int create_one(struct wf_request *request)
{
    struct sandbox *sandbox = wf_request_state(request);
    struct custody_new_transfer wanted = *(const struct custody_new_transfer *)wf_body_value(request);
    struct custody_transfer made;
    char vin[CUSTODY_VIN_MAX + 1];
    struct once once;
    wf_ignore(custody_vin_normalize(sandbox->options.vin_policy, wanted.vin, vin));
    wanted.vin = vin;
    int rc = once_begin(request, &once);
    if (rc < 0) return rc;
    once.say = say_new;
    rc = storage_transfer(sandbox->storage, wf_request_arena(request), &wanted, &once, &made);
    return reply_once(request, rc, &once);
}

/* ---- What is there ---- */

static int show_one(struct wf_request *request)
{
    struct sandbox *sandbox = wf_request_state(request);
    struct custody_transfer found;
    int rc = storage_find_transfer(sandbox->storage, wf_request_arena(request), wf_path_text(request, "id"), &found);
    return rc != 0 ? refuse_result(request, rc) : wf_reply(request, 200, &custody_transfer_model, &found);
}

static int show_status(struct wf_request *request)
{
    struct sandbox *sandbox = wf_request_state(request);
    struct custody_state state;
    char buffer[CUSTODY_VIN_MAX + 1];
    const char *vin = vin_of_path(request, buffer);
    int rc = storage_state(sandbox->storage, wf_request_arena(request), vin, &state);
    if (rc == -ENOENT) rc = REFUSED_UNKNOWN_VIN;
    return rc != 0 ? refuse_result(request, rc) : wf_reply(request, 200, &custody_state_model, &state);
}

void transfer_routes(struct wf_app *app)
{
    wf_route(app, WF_GET, "/transfers/{vin}/status", show_status, .needs = {&gate}, .scopes = "custody:read",
             .check = check_path_vin, .response = &custody_state_model, .name = "get_status", .tag = "transfers",
             .summary = "Who has the vehicle, and where");
    wf_route(app, WF_POST, "/transfers", create_one, .needs = {&gate, &strict_body}, .scopes = "custody:write",
             .check = check_new, .body = &custody_new_transfer_model, .response = &custody_transfer_model,
             .status = 201, .name = "create_transfer", .tag = "transfers",
             .description = "With an Idempotency-Key it is made once, however often it is asked for. 202 for one that "
                            "is asked for with async.");
    wf_route(app, WF_GET, "/transfers/{id}", show_one, .needs = {&gate}, .scopes = "custody:read",
             .check = check_no_query, .response = &custody_transfer_model, .name = "get_transfer", .tag = "transfers");
}
