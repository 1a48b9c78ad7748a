/* Transfers: a vehicle goes from one custodian to another. */
#include "client.h"

int custody_create_transfer_(struct custody_client *client, struct wf_arena *arena, struct custody_transfer *result,
                             const struct custody_transfer_options *options)
{
    char room[CUSTODY_VIN_MAX + 1];
    if (options->size != sizeof *options) return -EINVAL;
    const struct sdk_text texts[] = {{"transfer_type", options->transfer_type},
                                     {"credential_id", options->credential_id},
                                     {"location_id", options->location_id}};
    const char *vin = sdk_vin(client, options->vin, room);
    int rc = vin == NULL ? -EINVAL : sdk_need(options->vin, texts, WF_COUNT(texts));
    if (rc < 0) return rc;
    struct custody_new_transfer wanted = {.vin = vin,
                                          .transfer_type = options->transfer_type,
                                          .credential_id = options->credential_id,
                                          .location_id = options->location_id,
                                          .async = options->async,
                                          .has = {.async = options->async}};
    struct asked asked = {.method = WF_POST,
                          .path = "/transfers",
                          .subject = options->vin,
                          .body_model = &custody_new_transfer_model,
                          .body = &wanted,
                          .key = options->idempotency_key,
                          .answer_model = &custody_transfer_model,
                          .answer = result};
    return sdk_call(client, arena, &asked);
}

int custody_get_transfer(struct custody_client *client, struct wf_arena *arena, const char *id,
                         struct custody_transfer *result)
{
    int rc;
    const char *path = sdk_path(arena, "/transfers/", id, "", &rc);
    if (path == NULL) return rc;
    struct asked asked = {.method = WF_GET,
                          .path = path,
                          .subject = id,
                          .answer_model = &custody_transfer_model,
                          .answer = result};
    return sdk_call(client, arena, &asked);
}
