/* One call of the service, as all of them are. */
#include <stdio.h>
#include <string.h>
#include <weft/extend.h>
#include <weft/url.h>

#include "client.h"

enum { KEY_BYTES = 16, TEXTS_MAX = 8, MESSAGE_MAX = 300 };

/* ---- What is asked for ---- */

static const char *show_vin(const char *text)
{
    return text != NULL ? text : "(none)";
}

const char *sdk_vin(const struct custody_client *client, const char *text, char room[CUSTODY_VIN_MAX + 1])
{
    const struct custody_client_ *inside = client->private_;
    bool any = inside != NULL && inside->send_any_vin;
    if (any && text != NULL && text[0] != '\0') return text;
    const char *wrong = text == NULL ? "there is no VIN" : any ? "a VIN is not empty" : NULL;
    enum custody_vin_policy policy = inside != NULL ? inside->vin_policy : CUSTODY_VIN_LENIENT;
    if (wrong == NULL) wrong = custody_vin_normalize(policy, text, room);
    if (wrong == NULL) return room;
    sdk_error_invalid("invalid_vin", "vin", "%.100s: %s", show_vin(text), wrong);
    return NULL;
}

int sdk_need(const char *vin, const struct sdk_text *texts, size_t count)
{
    struct custody_error_field fields[TEXTS_MAX];
    char message[MESSAGE_MAX];
    size_t missing = 0;
    int end = snprintf(message, sizeof message, "%.40s: missing:", vin);
    for (size_t i = 0; i < count; i++) {
        if (texts[i].text != NULL) continue;
        fields[missing++] = (struct custody_error_field){.loc = texts[i].name, .msg = "is missing"};
        end += snprintf(message + end, sizeof message - (size_t)end, " %s", texts[i].name);
    }
    return missing == 0 ? 0
                        : sdk_error_set(&(struct custody_error){.kind = CUSTODY_VALIDATION,
                                                                .rc = -EINVAL,
                                                                .code = "validation_failed",
                                                                .message = message,
                                                                .fields = fields,
                                                                .field_count = missing});
}

/* What of a segment needs no encoding. */
static bool is_plain(char character)
{
    bool letter = (character >= 'A' && character <= 'Z') || (character >= 'a' && character <= 'z');
    return letter || (character >= '0' && character <= '9') || character == '-';
}

static const char *encode(struct wf_arena *arena, const char *text)
{
    size_t plain = 0;
    while (is_plain(text[plain])) plain++;
    return text[plain] == '\0' ? text : wf_url_encode(text, arena);
}

/* Every call makes one: copying is a tenth of what printf takes. */
static const char *join(struct wf_arena *arena, const char *const parts[3])
{
    size_t sizes[3] = {strlen(parts[0]), strlen(parts[1]), strlen(parts[2])};
    char *path = wf_arena_alloc(arena, sizes[0] + sizes[1] + sizes[2] + 1), *end = path;
    for (int i = 0; path != NULL && i < 3; i++) end = (char *)memcpy(end, parts[i], sizes[i]) + sizes[i];
    if (path != NULL) *end = '\0';
    return path;
}

/* Segments of dots lead elsewhere (RFC 3986 section 5.2.4). */
const char *sdk_path(struct wf_arena *arena, const char *before, const char *text, const char *behind, int *rc)
{
    *rc = 0;
    if (text == NULL || text[0] == '\0' || strcmp(text, ".") == 0 || strcmp(text, "..") == 0) {
        *rc = sdk_error_invalid("invalid_id", "path", "\"%s\" is not in %s", text != NULL ? text : "", before);
        return NULL;
    }
    const char *encoded = encode(arena, text);
    const char *path = encoded != NULL ? join(arena, (const char *const[]){before, encoded, behind}) : NULL;
    if (path == NULL) *rc = sdk_error_unanswered(-ENOMEM, NULL);
    return path;
}

/* By which the service makes a change once, however often it is sent. */
static const char *make_key(char text[2 * KEY_BYTES + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[KEY_BYTES];
    wf_random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < KEY_BYTES; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * KEY_BYTES] = '\0';
    return text;
}

/* ---- The call ---- */

static int judge(const struct wf_response *response, const struct asked *asked, struct wf_arena *arena)
{
    if (response->status < 200 || response->status > 299) return sdk_error_answered(response, asked->subject, arena);
    int rc = wf_response_model(response, asked->answer_model, asked->answer);
    if (rc == -ENOMEM) return sdk_error_unanswered(rc, asked->subject);
    return rc < 0 ? sdk_error_senseless(response, asked->subject) : 0;
}

static int ask(struct custody_client_ *inside, struct wf_arena *arena, const struct asked *asked)
{
    struct wf_response response;
    char room[2 * KEY_BYTES + 1];
    bool changes = asked->method == WF_POST;
    const char *key = !changes ? NULL : asked->key != NULL ? asked->key : make_key(room);
    struct wf_fetch_options options = {.size = sizeof options,
                                       .out_ = &response,
                                       .params = asked->params,
                                       .headers = changes ? WF_NAMED({"Idempotency-Key", key}) : NULL,
                                       .model = asked->body_model,
                                       .value = asked->body};
    int rc = wf_fetch_(&inside->http, arena, asked->method, asked->path, &options);
    return rc < 0 ? sdk_error_unanswered(rc, asked->subject) : judge(&response, asked, arena);
}

int sdk_call(struct custody_client *client, struct wf_arena *arena, const struct asked *asked)
{
    int rc = wf_checkpoint();
    if (rc < 0) return sdk_error_unanswered(wf_fail(rc, "cut before it was asked"), asked->subject);
    struct custody_client_ *inside = sdk_hold(client, &rc);
    if (inside == NULL) return rc;
    rc = ask(inside, arena, asked);
    sdk_release(inside);
    return rc;
}
