/* Changes that are made once: what they are asked for with, and what is answered, then and whenever they come again. */
#include <string.h>

#include "server.h"

int once_begin(struct wf_request *request, struct once *once)
{
    const struct caller *caller = NULL;
    const uint8_t *hash = NULL;
    int rc = wf_depend(request, &gate, &caller);
    if (rc == 0) rc = wf_depend(request, &strict_body, &hash);
    if (rc < 0) return rc;
    *once = (struct once){
        .subject = caller->subject,
        .path = wf_request_path(request),
        .key = wf_request_header(request, "Idempotency-Key"),
    };
    memcpy(once->body_hash, hash, sizeof once->body_hash);
    return 0;
}

int say_model(const struct wf_model *model, const void *value, struct wf_arena *arena, struct said *said)
{
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, arena, 0);
    int rc = wf_model_write(model, value, &writer);
    return rc < 0 ? rc : wf_json_write_end(&writer, &said->body, NULL);
}

int reply_once(struct wf_request *request, int rc, const struct once *once)
{
    const struct said *said = &once->said;
    if (rc != 0) return refuse_result(request, rc);
    if (said->location != NULL) rc = wf_reply_header(request, "Location", said->location);
    if (rc == 0 && once->replayed) rc = wf_reply_header(request, "Idempotent-Replay", "true");
    if (rc < 0) return rc;
    return wf_reply_bytes(request, said->status, "application/json", said->body, strlen(said->body));
}
