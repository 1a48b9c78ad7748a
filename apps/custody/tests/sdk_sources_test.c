/* Sources of the SDK: all authorizations page by page, and events as they happen. */
#include <weft/sse.h>

#include "scripted_service.h"

#define VIN "9HGBH41JXMN999999"
#define CLIENT(...) CUSTODY_CLIENT(client, .token = "secret", .app = &service.app, ##__VA_ARGS__)

/* ---- Pages ---- */

enum { ALL = 120, PAGE_TEXT = 40000 };

/* So many of 120, by a cursor that says from where on. */
static int list_some(struct wf_request *request)
{
    struct service *service = wf_request_state(request);
    int64_t limit, from;
    int rc = note(service, request);
    if (rc == 0) rc = wf_query_int(request, "limit", 50, &limit);
    if (rc == 0) rc = wf_query_int(request, "cursor", 0, &from);
    char *text = rc == 0 ? wf_arena_alloc(wf_request_arena(request), PAGE_TEXT) : NULL;
    if (text == NULL) return rc < 0 ? rc : -ENOMEM;
    int64_t end = from + limit < ALL ? from + limit : ALL;
    int size = snprintf(text, PAGE_TEXT, "{\"total_count\":%d,\"authorizations\":[", ALL);
    for (int64_t i = from; i < end; i++)
        size +=
            snprintf(text + size, PAGE_TEXT - (size_t)size, "%s" AUTHORIZATION("%08d"), i > from ? "," : "", (int)i);
    if (end < ALL) snprintf(text + size, PAGE_TEXT - (size_t)size, "],\"next_cursor\":\"%d\"}", (int)end);
    else snprintf(text + size, PAGE_TEXT - (size_t)size, "],\"next_cursor\":null}");
    return wf_reply_bytes(request, 200, "application/json", text, strlen(text));
}

#define LISTING(service)                                                                                               \
    SERVICE(service, {500});                                                                                           \
    wf_route(&service.app, WF_GET, "/v1/authorizations", list_some)

WF_TEST(all_authorizations_come_page_by_page)
{
    struct custody_authorization item, first = {.vin = NULL};
    char expected[16];
    int rc, count = 0;
    LISTING(service);
    CLIENT();
    CUSTODY_AUTHORIZATIONS(all, &client, .vin = VIN, .status = "PENDING", .limit = 50);
    WF_EXPECT_INT((int64_t)service.asked, 0);
    while ((rc = wf_next(&all, &item)) > 0) {
        if (count == 0) first = item;
        snprintf(expected, sizeof expected, "AUTH-%08d", count++);
        WF_EXPECT_TEXT(item.authorization_id, expected);
        WF_EXPECT_INT((int64_t)service.asked, (count + 49) / 50);
        if (count == 100) WF_EXPECT_TEXT(first.authorization_id, "AUTH-00000000");
    }
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_INT(count, ALL);
    WF_EXPECT_INT((int64_t)service.asked, 3);
    WF_EXPECT_TEXT(service.log[0].text, "GET /v1/authorizations?vin=" VIN "&status=PENDING&limit=50|Bearer secret|");
    WF_EXPECT_TEXT(service.log[2].text,
                   "GET /v1/authorizations?vin=" VIN "&status=PENDING&limit=50&cursor=100|Bearer secret|");
    WF_EXPECT_CODE(wf_next(&all, &item), 0);
    WF_EXPECT_INT((int64_t)service.asked, 3);
}

WF_TEST(a_source_that_is_closed_asks_no_more)
{
    struct custody_authorization item;
    LISTING(service);
    CLIENT();
    CUSTODY_AUTHORIZATIONS(all, &client, .limit = 10);
    WF_EXPECT_CODE(wf_next(&all, &item), 1);
    custody_pages_close(&all);
    custody_pages_close(&all);
    WF_EXPECT_CODE(wf_next(&all, &item), -EBADF);
    WF_EXPECT_INT((int64_t)service.asked, 1);
}

WF_TEST(stages_stand_on_pages)
{
    struct custody_authorization item;
    int rc, count = 0;
    LISTING(service);
    CLIENT();
    CUSTODY_AUTHORIZATIONS(all, &client, .limit = 20);
    WF_TAKE(some, &all, 30);
    while ((rc = wf_next(&some, &item)) > 0) count++;
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_INT(count, 30);
    WF_EXPECT_INT((int64_t)service.asked, 2);
}

WF_TEST(a_page_that_was_cut_is_asked_for_again, .simulated = true)
{
    struct custody_authorization item;
    static const char page[] = "{\"authorizations\":[" AUTHORIZATION("00000001") "],\"total_count\":1}";
    SERVICE(service, {200, page, .latency = WF_SECONDS(5)}, {500, NULL}, {200, page});
    CLIENT();
    CUSTODY_AUTHORIZATIONS(all, &client);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_next(&all, &item)), -ETIME);
    WF_EXPECT_CODE(wf_next(&all, &item), -EREMOTEIO);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_SERVER);
    if (WF_EXPECT_CODE(wf_next(&all, &item), 1)) WF_EXPECT_TEXT(item.authorization_id, "AUTH-00000001");
    WF_EXPECT_CODE(wf_next(&all, &item), 0);
}

WF_TEST(pages_that_go_round_in_circles_end)
{
    struct custody_authorization item;
    SERVICE(service, {200, "{\"authorizations\":[],\"total_count\":9,\"next_cursor\":\"again\"}"});
    CLIENT();
    CUSTODY_AUTHORIZATIONS(all, &client);
    WF_EXPECT_CODE(wf_next(&all, &item), -EREMOTEIO);
    WF_EXPECT_PART(custody_error()->message, "in circles");
    WF_EXPECT_INT((int64_t)service.asked, 2);
}

WF_TEST(what_pages_are_asked_for_wrongly_is_said_by_the_first_item)
{
    struct custody_authorization item;
    SERVICE(service, {500});
    CLIENT();
    CUSTODY_AUTHORIZATIONS(bad_vin, &client, .vin = "INVALID_VIN");
    WF_EXPECT_CODE(wf_next(&bad_vin, &item), -EINVAL);
    WF_EXPECT_PART(custody_error()->message, "INVALID_VIN");
    CUSTODY_AUTHORIZATIONS(bad_limit, &client, .limit = 201);
    WF_EXPECT_CODE(wf_next(&bad_limit, &item), -EINVAL);
    WF_EXPECT_INT((int64_t)service.asked, 0);
}

/* ---- Events ---- */

#define EVENT                                                                                                          \
    "{\"type\":\"custody.transferred\",\"vin\":\"" VIN "\",\"at\":\"2026-03-01T09:30:00.000000Z\","                    \
    "\"subject_id\":\"TRF-0000000%d\"}"

/* Two events and an end, each time one comes. */
static int tell_news(struct wf_request *request)
{
    struct service *service = wf_request_state(request);
    struct wf_sse events;
    char id[12], data[200];
    const char *last = wf_sse_last_id(request);
    int number = last != NULL ? last[0] - '0' : 0;
    int rc = note(service, request);
    if (rc == 0 && number >= 4) return wf_reply_empty(request, 204);
    if (rc == 0) rc = wf_sse_begin(request, &events);
    for (int i = number + 1; rc == 0 && i <= number + 2; i++) {
        snprintf(id, sizeof id, "%d", i);
        snprintf(data, sizeof data, EVENT, i);
        rc = wf_sse_send(&events, .event = "custody.transferred", .id = id, .data = data, .retry = 1);
    }
    return rc;
}

static int tell_nonsense(struct wf_request *request)
{
    struct wf_sse events;
    char data[200];
    snprintf(data, sizeof data, EVENT, 2);
    int rc = wf_sse_begin(request, &events);
    if (rc == 0) rc = wf_sse_send(&events, .id = "1", .data = "hello");
    return rc == 0 ? wf_sse_send(&events, .id = "2", .data = data) : rc;
}

WF_TEST(events_go_on_behind_the_last_one, .simulated = true, .timeout = WF_MINUTES(500))
{
    struct custody_news news;
    int rc, count = 0;
    SERVICE(service, {500});
    wf_route(&service.app, WF_GET, "/v1/events", tell_news);
    CLIENT();
    CUSTODY_EVENTS(events, &client, .vin = "9hgbh41jxmn999999");
    WF_EXPECT_INT((int64_t)service.asked, 0);
    while ((rc = wf_next(&events, &news)) > 0) {
        WF_EXPECT_INT(news.id[0] - '0', ++count);
        WF_EXPECT_TEXT(news.event.type, "custody.transferred");
        WF_EXPECT_TEXT(news.event.vin, VIN);
    }
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_INT(count, 4);
    WF_EXPECT_INT((int64_t)service.asked, 3);
    WF_EXPECT_TEXT(service.log[0].text, "GET /v1/events?vin=" VIN "|Bearer secret|");
    WF_EXPECT_CODE(wf_next(&events, &news), 0);
}

WF_TEST(events_may_begin_behind_one, .simulated = true, .timeout = WF_MINUTES(500))
{
    struct custody_news news;
    SERVICE(service, {500});
    wf_route(&service.app, WF_GET, "/v1/events", tell_news);
    CLIENT();
    CUSTODY_EVENTS(events, &client, .after = "2");
    if (WF_EXPECT_CODE(wf_next(&events, &news), 1)) WF_EXPECT_TEXT(news.id, "3");
    WF_EXPECT_TEXT(service.log[0].text, "GET /v1/events|Bearer secret|");
    custody_events_close(&events);
    custody_events_close(&events);
    WF_EXPECT_CODE(wf_next(&events, &news), -EBADF);
}

WF_TEST(an_event_that_is_none_is_an_error_and_the_next_one_comes, .simulated = true, .timeout = WF_MINUTES(500))
{
    struct custody_news news;
    SERVICE(service, {500});
    wf_route(&service.app, WF_GET, "/v1/events", tell_nonsense);
    CLIENT();
    CUSTODY_EVENTS(events, &client);
    WF_EXPECT_CODE(wf_next(&events, &news), -EREMOTEIO);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_SERVER);
    if (WF_EXPECT_CODE(wf_next(&events, &news), 1)) WF_EXPECT_TEXT(news.event.subject_id, "TRF-00000002");
}

WF_TEST(who_may_not_hear_events_is_told_why, .simulated = true, .timeout = WF_MINUTES(500))
{
    struct custody_news news;
    SERVICE(service, {403, ERROR("insufficient_scope", "not you")});
    CLIENT();
    CUSTODY_EVENTS(events, &client);
    WF_EXPECT_CODE(wf_next(&events, &news), -EPERM);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_PERMISSION);
    WF_EXPECT_TEXT(custody_error()->code, "insufficient_scope");
    WF_EXPECT_TEXT(custody_error()->message, "not you");
    WF_EXPECT_TEXT(custody_error()->request_id, "r-17");
    CUSTODY_EVENTS(bad, &client, .vin = "INVALID_VIN");
    WF_EXPECT_CODE(wf_next(&bad, &news), -EINVAL);
    WF_EXPECT_PART(custody_error()->message, "INVALID_VIN");
}

WF_TEST(a_wait_for_events_is_cut_by_its_scope_and_loses_none, .simulated = true, .timeout = WF_MINUTES(500))
{
    struct custody_news news;
    SERVICE(service, {500, NULL, .latency = WF_SECONDS(30)});
    CLIENT();
    CUSTODY_EVENTS(events, &client);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(2), wf_next(&events, &news)), -ETIME);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_TIMEOUT);
}

WF_TEST_MAIN
