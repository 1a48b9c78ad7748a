/* What the API does over time: events, errors that were ordered, limits, counts; over a socket, until it is drained.
 * The numbers are those of the settled points that the API was agreed on by. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/sse.h>

#include "api_rig.h"

#define CODE(code) "{\"error\":{\"code\":\"" code "\","

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

#define PRINT(...) or_empty(wf_arena_printf(wf_task_arena(), __VA_ARGS__))

static const char *field(const struct wf_response *response, const char *name)
{
    return or_empty(wf_headers_find(&response->headers, name));
}

/* ---- Events ---- */

struct feed {
    struct wf_response response;
    struct wf_sse_reader reader;
    char bytes[2048];
    size_t count, taken;
};

/* Returns when the head of the answer is there. */
static int open_feed(struct api *api, struct feed *feed, const char *path, const char *last_id)
{
    struct wf_named fields[3] = {{"Authorization", PRINT("Bearer %s", api->token)}};
    if (last_id != NULL) fields[1] = (struct wf_named){"Last-Event-ID", last_id};
    *feed = (struct feed){.count = 0};
    wf_sse_reader_init(&feed->reader, 0);
    return wf_fetch_open(api->client, wf_task_arena(), WF_GET, path, &feed->response, .headers = fields);
}

static void close_feed(struct feed *feed)
{
    wf_sse_reader_finish(&feed->reader);
    wf_response_close(&feed->response);
}

/* Its number, type and data in one text; "" at the end. */
static const char *next_event(struct feed *feed)
{
    struct wf_sse_news news = {.data = NULL};
    while (news.data == NULL) {
        if (feed->taken == feed->count) {
            ssize_t got = wf_response_read(&feed->response, feed->bytes, sizeof feed->bytes);
            if (got <= 0) return "";
            feed->count = (size_t)got;
            feed->taken = 0;
        }
        ssize_t took = wf_sse_reader_take(&feed->reader, feed->bytes + feed->taken, feed->count - feed->taken, &news);
        if (took < 0) return "";
        feed->taken += (size_t)took;
    }
    return PRINT("%s %s %s", news.id, news.event, news.data);
}

static int64_t number_of(const char *event)
{
    return strtoll(event, NULL, 10);
}

WF_TEST(what_happens_after_the_head_is_heard, .uses = {&api_fixture})
{
    struct api *api = wf_use(&api_fixture);
    struct feed feed;
    const char *body, *event;
    WF_EXPECT_INT(post(api, "/authorizations", new_authorization("VIN000000000001", "before"), NULL), 201);
    if (!WF_EXPECT_CODE(open_feed(api, &feed, "/events", NULL), 0)) return;
    WF_EXPECT_INT(feed.response.status, 200);
    WF_EXPECT_TEXT(field(&feed.response, "content-type"), "text/event-stream");
    WF_EXPECT_TEXT(field(&feed.response, "cache-control"), "no-store");
    if (WF_EXPECT_INT(post(api, "/authorizations", new_authorization("VIN000000000002", "after"), &body), 201)) {
        event = next_event(&feed);
        WF_EXPECT_PART(event, " authorization.created "
                              "{\"type\":\"authorization.created\",\"vin\":\"VIN000000000002\",\"at\":\"");
        WF_EXPECT_TEXT(member_of(event, "subject_id"), member_of(body, "authorization_id"));
        WF_EXPECT_TEXT(member_of(event, "at"), member_of(body, "created_at"));
    }
    close_feed(&feed);
}

/* 36: in this order. */
static const char *const events_of_a_transfer[] = {" authorization.created ", " authorization.approved ",
                                                   " authorization.used ", " custody.transferred "};

static void expect_events(struct feed *feed, int64_t after)
{
    for (size_t i = 0; i < WF_COUNT(events_of_a_transfer); i++) {
        const char *event = next_event(feed);
        WF_EXPECT_PART(event, events_of_a_transfer[i]);
        WF_EXPECT(number_of(event) > after);
        after = number_of(event);
    }
}

WF_TEST(events_can_be_had_from_any_number_on_and_of_one_vehicle, .uses = {&api_fixture}, .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    struct feed feed;
    WF_EXPECT_INT(post(api, "/authorizations", new_authorization("VIN000000000001", "x"), NULL), 201);
    const char *credential = approved(api, RELEASABLE, "person-x");
    const char *body = PRINT("{\"vin\":\"" RELEASABLE "\",\"transfer_type\":\"PICKUP\",\"credential_id\":\"%s\","
                             "\"location_id\":\"" ATLANTA "\"}",
                             credential);
    WF_EXPECT_INT(post(api, "/transfers", body, NULL), 201);
    if (!WF_EXPECT_CODE(open_feed(api, &feed, "/events", "0"), 0)) return;
    int64_t first = number_of(next_event(&feed));
    WF_EXPECT(first > 0);
    expect_events(&feed, first);
    close_feed(&feed);
    if (!WF_EXPECT_CODE(open_feed(api, &feed, "/events?vin=" RELEASABLE, "0"), 0)) return;
    expect_events(&feed, first);
    close_feed(&feed);
    if (!WF_EXPECT_CODE(open_feed(api, &feed, "/events", PRINT("%lld", (long long)first)), 0)) return;
    expect_events(&feed, first);
    close_feed(&feed);
}

WF_TEST(a_stream_of_one_vehicle_waits_while_others_move, .uses = {&api_fixture}, .simulated = true, .passes_max = 20000,
        .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    struct wf_statistics before, after;
    struct feed feed;
    if (!WF_EXPECT_CODE(open_feed(api, &feed, "/events?vin=VIN000000000009", NULL), 0)) return;
    for (int i = 0; i < 5; i++)
        WF_EXPECT_INT(post(api, "/authorizations", new_authorization("VIN000000000001", PRINT("p%d", i)), NULL), 201);
    wf_ignore(wf_sleep(WF_MILLISECONDS(100)));
    wf_loop_statistics(&before);
    wf_ignore(wf_sleep(WF_SECONDS(5)));
    wf_loop_statistics(&after);
    WF_EXPECT(after.passes - before.passes < 200); /* it does not ask again and again */
    WF_EXPECT_INT(post(api, "/authorizations", new_authorization("VIN000000000009", "q"), NULL), 201);
    WF_EXPECT_PART(next_event(&feed), "VIN000000000009");
    close_feed(&feed);
}

/* ---- Errors that were ordered ---- */

static int order(struct api *api, const char *json)
{
    return post(api, "/_sandbox/faults", json, NULL);
}

WF_TEST(an_ordered_error_acts_before_anything_is_changed, .uses = {&api_fixture})
{
    struct api *api = wf_use(&api_fixture);
    struct wf_response response;
    const char *json = new_authorization("VIN000000000001", "p");
    struct asked asked = {.method = "POST", .path = "/authorizations", .body = json};
    WF_EXPECT_INT(order(api, "{\"path\":\"/authorizations\",\"status\":503,\"count\":2}"), 204);
    for (int i = 0; i < 2; i++) {
        if (!WF_EXPECT_INT(ask(api, &asked, &response), 503)) return;
        WF_EXPECT_PART(response.body, CODE("injected_fault"));
        WF_EXPECT_TEXT(field(&response, "retry-after"), "1");
    }
    WF_EXPECT_INT(ask(api, &asked, &response), 201);
}

static const struct fault_case {
    const char *name, *order, *path;
    int status;
} faults[] = {
    {"this path", "{\"path\":\"/releasability/" HELD "\",\"status\":500}", "/releasability/" HELD, 500},
    {"another path", "{\"path\":\"/releasability/" HELD "\",\"status\":500}", "/releasability/" RELEASABLE, 200},
    {"all that begin so", "{\"path\":\"/releasability/*\",\"status\":429}", "/releasability/" RELEASABLE, 429},
    {"everything", "{\"path\":\"*\",\"status\":400}", "/authorizations", 400},
    {"everything below", "{\"path\":\"/*\",\"status\":599}", "/authorizations", 599},
    {"a prefix is not a path", "{\"path\":\"/releasability\",\"status\":500}", "/releasability/" HELD, 200},
    {"never", "{\"path\":\"/*\",\"status\":500,\"rate\":0}", "/authorizations", 200},
    {"before what is wrong with it", "{\"path\":\"/*\",\"status\":500}", "/releasability/x", 500},
    {"not what is open to all", "{\"path\":\"/*\",\"status\":500}", "/healthz", 200},
};

WF_TEST_EACH(an_ordered_error_is_for_a_path, faults, .uses = {&api_fixture}, .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    if (WF_EXPECT_INT(order(api, row->order), 204)) WF_EXPECT_INT(get(api, row->path, NULL), row->status);
}

WF_TEST(an_ordered_error_lasts_until_it_is_replaced_or_removed, .uses = {&api_fixture}, .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    WF_EXPECT_INT(order(api, "{\"path\":\"/*\",\"status\":500}"), 204);
    for (int i = 0; i < 3; i++) WF_EXPECT_INT(get(api, "/authorizations", NULL), 500);
    WF_EXPECT_INT(order(api, "{\"path\":\"/*\",\"status\":502}"), 204);
    WF_EXPECT_INT(get(api, "/authorizations", NULL), 502);
    WF_EXPECT_INT(order(api, "{\"path\":\"/*\",\"count\":0}"), 204);
    WF_EXPECT_INT(get(api, "/authorizations", NULL), 200);
}

WF_TEST(there_are_so_many_ordered_errors, .uses = {&api_fixture}, .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    for (int i = 0; i < 64; i++) WF_EXPECT_INT(order(api, PRINT("{\"path\":\"/%d\",\"status\":500}", i)), 204);
    WF_EXPECT_INT(order(api, "{\"path\":\"/64\",\"status\":500}"), 422);
    WF_EXPECT_INT(order(api, "{\"path\":\"/63\",\"status\":501}"), 204);
    WF_EXPECT_INT(order(api, "{\"path\":\"/0\",\"count\":0}"), 204);
    WF_EXPECT_INT(order(api, "{\"path\":\"/64\",\"status\":500}"), 204);
}

WF_TEST(about_so_many_of_the_requests_fail, .uses = {&api_fixture}, .simulated = true, .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    int failed = 0;
    WF_EXPECT_INT(order(api, "{\"path\":\"/authorizations/*\",\"status\":500,\"rate\":0.5}"), 204);
    for (int i = 0; i < 200; i++) failed += get(api, "/authorizations/AUTH-12345678", NULL) == 500;
    WF_EXPECT(failed > 60 && failed < 140);
}

static int check_slowly(struct api **api)
{
    WF_EXPECT_INT(get(*api, "/releasability/" HELD, NULL), 200);
    wf_test_note("slow");
    return 0;
}

WF_TEST(a_delay_holds_no_other_request, .uses = {&api_fixture}, .simulated = true, .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    int64_t began = wf_now();
    WF_EXPECT_INT(order(api, "{\"path\":\"/releasability/" HELD "\",\"delay_ms\":2000}"), 204);
    WF_SCOPE(scope);
    WF_EXPECT_CODE(wf_spawn(&scope, check_slowly, &api), 0);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(1)), 0);
    WF_EXPECT_INT(get(api, "/releasability/" RELEASABLE, NULL), 200);
    wf_test_note("fast");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "fast slow");
    WF_EXPECT(wf_now() - began >= WF_SECONDS(2));
}

/* ---- Counts and limits ---- */

WF_TEST(the_most_checks_at_once_are_counted, .uses = {&api_fixture}, .simulated = true, .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture), *all[7];
    const char *body;
    WF_EXPECT_INT(order(api, "{\"path\":\"/releasability/*\",\"delay_ms\":50}"), 204);
    for (size_t i = 0; i < WF_COUNT(all); i++) all[i] = api;
    WF_EXPECT_CODE(wf_gather(all, WF_COUNT(all), check_slowly, .limit = 4), 0);
    WF_EXPECT_INT(get(api, "/_sandbox/peak", &body), 200);
    WF_EXPECT_TEXT(body, "{\"in_flight\":0,\"peak\":4}");
    WF_EXPECT_INT(get(api, "/metrics", &body), 200);
    WF_EXPECT_PART(body, "\ncustody_checks_in_flight_peak 4\n");
    WF_EXPECT_INT(post(api, "/_sandbox/peak", "{}", NULL), 200);
    WF_EXPECT_INT(get(api, "/_sandbox/peak", &body), 200);
    WF_EXPECT_TEXT(body, "{\"in_flight\":0,\"peak\":0}");
}

WF_TEST(the_page_hears_what_was_checked_last, .uses = {&api_fixture}, .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    const char *body;
    WF_EXPECT_INT(get(api, "/releasability/" HELD, NULL), 200);
    WF_EXPECT_INT(get(api, "/_sandbox/checked?limit=5", &body), 200);
    WF_EXPECT_PART(body, "{\"vehicles\":[{\"vin\":\"" HELD "\",\"is_releasable\":false");
}

static int ask_as(struct api *api, const char *subject, struct wf_response *response)
{
    const char *claims = PRINT("\"sub\":\"%s\",\"aud\":\"custody-sandbox\",\"scope\":\"custody:read\"", subject);
    const char *bearer = PRINT("Bearer %s", token_of(claims));
    struct asked asked = {.method = "GET",
                          .path = "/transfers/" OTHER "/status",
                          .fields = {{"Authorization", bearer}}};
    return ask(api, &asked, response);
}

static void expect_quota(const struct wf_response *response, const char *remaining, const char *reset)
{
    WF_EXPECT_TEXT(field(response, "ratelimit-limit"), "1000");
    WF_EXPECT_TEXT(field(response, "ratelimit-remaining"), remaining);
    WF_EXPECT_TEXT(field(response, "ratelimit-reset"), reset);
}

WF_TEST(a_subject_has_a_thousand_requests_in_ten_seconds, .uses = {&api_fixture}, .simulated = true,
        .timeout = WF_SECONDS(60), .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    struct wf_response response;
    for (int i = 0; i < 1000; i++)
        if (!WF_EXPECT_INT(ask_as(api, "a", &response), 200)) return;
    expect_quota(&response, "0", "10");
    if (!WF_EXPECT_INT(ask_as(api, "a", &response), 429)) return;
    WF_EXPECT_PART(response.body, CODE("rate_limited"));
    expect_quota(&response, "0", "10");
    WF_EXPECT_TEXT(field(&response, "retry-after"), "10");
    if (WF_EXPECT_INT(ask_as(api, "b", &response), 200)) expect_quota(&response, "999", "10");
    WF_EXPECT_INT(get(api, "/healthz", NULL), 200);
    wf_ignore(wf_sleep(WF_MILLISECONDS(9500)));
    if (WF_EXPECT_INT(ask_as(api, "a", &response), 429)) WF_EXPECT_TEXT(field(&response, "retry-after"), "1");
    wf_ignore(wf_sleep(WF_SECONDS(1)));
    if (WF_EXPECT_INT(ask_as(api, "a", &response), 200)) expect_quota(&response, "999", "10");
}

/* ---- Over a socket ---- */

struct served {
    struct sandbox *sandbox;
    FILE *out;
    char *said;
    size_t size;
};

static int serve(struct served *served)
{
    return sandbox_serve(served->sandbox, served->out);
}

/* What it said, taken apart. */
struct greeting {
    char base[64], token[512];
};

static bool read_greeting(struct served *served, struct greeting *greeting)
{
    while (fflush(served->out) == 0 && served->size == 0)
        if (wf_sleep(WF_MILLISECONDS(1)) < 0) return false;
    int found =
        sscanf(served->said, "custody sandbox at %63s\npage %*s\ntoken %511s\n", greeting->base, greeting->token);
    return WF_EXPECT_INT(found, 2);
}

static __attribute__((noinline)) int check_there(const struct greeting *greeting)
{
    struct wf_response response;
    WF_CLIENT(client, .base_url = greeting->base, .bearer = greeting->token);
    int rc = wf_get(&client, wf_task_arena(), "/releasability/" HELD, &response);
    if (!WF_EXPECT_CODE(rc, 0)) return rc;
    WF_EXPECT_INT(response.status, 200);
    WF_EXPECT_PART(response.body, "TITLE_HOLD");
    return 0;
}

static __attribute__((noinline)) void drain_while_listening(const struct greeting *greeting, struct wf_scope *serving)
{
    struct feed *feed = wf_arena_new(wf_task_arena(), struct feed);
    WF_CLIENT(client, .base_url = greeting->base);
    struct api api = {.client = &client, .token = greeting->token};
    if (feed == NULL || !WF_EXPECT_CODE(open_feed(&api, feed, "/events", NULL), 0)) return;
    wf_scope_drain(serving);
    WF_EXPECT_TEXT(next_event(feed), "");
    close_feed(feed);
}

static void serve_and_ask(struct served *served)
{
    struct greeting greeting;
    WF_SCOPE(scope);
    if (!WF_EXPECT_CODE(wf_spawn(&scope, serve, served), 0)) return;
    if (read_greeting(served, &greeting) && check_there(&greeting) == 0) drain_while_listening(&greeting, &scope);
    wf_scope_drain(&scope); /* where it did not come so far */
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_served_sandbox_says_where_it_is_and_ends_when_it_is_drained)
{
    struct sandbox_options options = {SANDBOX_DEFAULTS};
    struct served served = {.sandbox = NULL};
    options.storage.where = ":memory:";
    options.port = 0;
    WF_SCOPE(scope);
    if (!WF_EXPECT_CODE(sandbox_open(&scope, &options, &served.sandbox), 0)) return;
    served.out = open_memstream(&served.said, &served.size);
    if (served.out != NULL) {
        serve_and_ask(&served);
        fclose(served.out);
        free(served.said);
    }
    sandbox_close(served.sandbox);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
