/*
 * Requests with bytes changed, cut, doubled and swapped at random, the same ones each time: the service answers each as
 * its client's mistake, or as what it is if it still makes sense; never by a failure of its own, and goes on.
 */
#include <stdio.h>
#include <string.h>

#include "api_rig.h"

enum { ROUNDS = 3000, TEXT_MAX = 600 };

static uint64_t state;

static unsigned draw(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state % below);
}

/* A zero would only end the text. */
static char any_byte(void)
{
    static const char likely[] = "{}[]\",:\\0123456789eE+-.tfn \t\n\x7f\x80\xc3\xff";
    return draw(3) == 0 ? (char)(1 + draw(255)) : likely[draw(sizeof likely - 1)];
}

static void spoil(char text[TEXT_MAX])
{
    for (unsigned times = 1 + draw(4); times > 0; times--) {
        size_t size = strlen(text), at = size > 0 ? draw((unsigned)size) : 0;
        switch (draw(4)) {
        case 0:
            if (size > 0) text[at] = any_byte();
            break;
        case 1:
            text[at] = '\0';
            break;
        case 2: /* one more */
            if (size + 1 < TEXT_MAX) memmove(text + at + 1, text + at, size - at + 1), text[at] = any_byte();
            break;
        default: /* a part of it, doubled */
            if (size + (size - at) < TEXT_MAX) memcpy(text + size, text + at, size - at), text[size + size - at] = '\0';
        }
    }
}

static bool makes_sense(int status)
{
    return status == 200 || status == 201 || status == 202 || status == 204 ||
           (status >= 400 && status < 500 && status != 429);
}

/* The error has the form that all of them have. */
static bool expect_sense(int status, const char *body, const char *spoiled)
{
    bool fine = makes_sense(status) && (status < 400 || strncmp(body, "{\"error\":{\"code\":\"", 18) == 0);
    if (!fine) wf_test_note("%d for %s: %s", status, spoiled, body);
    return WF_EXPECT(fine);
}

/* A thousand in ten seconds. */
static void keep_to_the_quota(int asked)
{
    if (asked % 900 == 899) wf_ignore(wf_sleep(WF_SECONDS(11)));
}

static const struct {
    const char *name, *path, *body;
} bodies[] = {
    {"an authorization", "/authorizations",
     "{\"vin\":\"2HGCM82633A789012\",\"origin\":\"Atlanta\",\"destination\":\"D\\u00e4llas \\ud83d\\ude97\","
     "\"person_identity_key\":\"p\",\"authorized_by\":\"me\",\"make_model\":\"Honda\"}"},
    {"a transfer", "/transfers",
     "{\"vin\":\"2HGCM82633A789012\",\"transfer_type\":\"GATE_IN\",\"credential_id\":\"AUTH-12345678\","
     "\"location_id\":\"LOC-AUCTION-MANHEIM-ATLANTA\",\"async\":true}"},
    {"a batch", "/releasability:batch", "{\"vins\":[\"9HGBH41JXMN999999\",\"VIN000000000001\",\"x\",1.5e3,null]}"},
    {"a decision", "/authorizations/AUTH-12345678:approve", "{\"by\":\"me\",\"reason\":\"because\"}"},
};

WF_TEST_EACH(no_spoiled_body_does_harm, bodies, .uses = {&api_fixture}, .simulated = true, .timeout = WF_MINUTES(20),
             .passes_max = 10000000, .unswept = "thousands of calls")
{
    struct api *api = wf_use(&api_fixture);
    const char *body;
    char text[TEXT_MAX];
    state = 88172645463325252ULL;
    for (int i = 0; i < ROUNDS; i++) {
        keep_to_the_quota(i);
        snprintf(text, sizeof text, "%s", row->body);
        spoil(text);
        struct wf_response response;
        struct asked asked = {.method = "POST", .path = row->path, .body = text};
        asked.fields[0][0] = "Idempotency-Key";
        asked.fields[0][1] = draw(2) == 0 ? "one" : text;
        for (const char *at = text; asked.fields[0][1] == text && *at != '\0'; at++)
            if (*at <= ' ' || *at > '~') asked.fields[0][1] = "two"; /* no field of a request has such */
        int status = ask(api, &asked, &response);
        body = response.body != NULL ? response.body : "";
        if (!expect_sense(status, body, text)) return;
        wf_arena_reset(wf_task_arena());
    }
    WF_EXPECT_INT(get(api, "/releasability/" RELEASABLE, NULL), 200);
}

/* Letters that a path may have; what else there is never comes as far as this. */
static void keep_to_letters(char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~' || strchr("\"<>\\^`{|}#%&+", *text) != NULL) *text = 'A';
}

WF_TEST(no_spoiled_cursor_is_taken_for_one, .uses = {&api_fixture}, .simulated = true, .timeout = WF_MINUTES(20),
        .passes_max = 10000000, .unswept = "thousands of calls")
{
    struct api *api = wf_use(&api_fixture);
    const char *body;
    char cursor[TEXT_MAX], text[TEXT_MAX], path[2 * TEXT_MAX];
    WF_EXPECT_INT(get(api, "/authorizations?vin=" RELEASABLE "&limit=10", &body), 200);
    snprintf(cursor, sizeof cursor, "%s", member_of(body, "next_cursor"));
    WF_EXPECT(strlen(cursor) > 20);
    state = 42;
    for (int i = 0; i < ROUNDS; i++) {
        keep_to_the_quota(i);
        snprintf(text, sizeof text, "%s", cursor);
        spoil(text);
        keep_to_letters(text);
        snprintf(path, sizeof path, "/authorizations?vin=" RELEASABLE "&limit=10&cursor=%s", text);
        int status = get(api, path, &body), wanted = strcmp(text, cursor) == 0 ? 200 : 400;
        if (!WF_EXPECT_INT(status, wanted)) {
            wf_test_note("cursor %s", text);
            return;
        }
        wf_arena_reset(wf_task_arena());
    }
}

WF_TEST_MAIN
