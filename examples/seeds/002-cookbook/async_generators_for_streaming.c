/*
 * Items of a paged API as one stream: page n + 1 is asked for when the last item of page n has been taken, and nothing
 * is ever asked for that nobody takes. From "3. Async Generators for Streaming".
 *
 * Rows: S024, S025.
 *
 * The sample makes its pages up in the same process; here a server answers. Leaving the loop early closes the source
 * before the next statement, where Python would do it some time later.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/002-cookbook/async_generators_for_streaming.c
 */
// weft: pkg-config weft-http
#include <inttypes.h>
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/model.h>
#include <weft/weft.h>

enum { PAGE_SIZE = 50, PAGES = 3 };

#define ITEM_MEMBERS(M) M(INT64, id) M(INT64, page)
WF_MODEL(item, ITEM_MEMBERS)
#define PAGE_MEMBERS(M) M(LIST(MODEL(item)), items, .max = 100)
WF_MODEL(page, PAGE_MEMBERS)

static int fetch_page(struct wf_client *client, struct wf_arena *arena, int64_t number, struct page *page)
{
    struct wf_response response;
    const char *path = wf_arena_printf(arena, "/items?page=%" PRId64 "&size=%d", number, PAGE_SIZE);
    int rc = wf_get(client, arena, path, &response, .check_status = true);
    return rc < 0 ? rc : wf_response_model(&response, &page_model, page);
}

/* Of one page there is never more than itself in memory. */
static int emit_page(struct wf_generator *out, struct wf_client *client, int64_t number)
{
    struct wf_arena arena;
    struct page page;
    wf_arena_init(&arena);
    int rc = fetch_page(client, &arena, number, &page);
    size_t count = rc == 0 ? page.items.count : 0;
    for (size_t i = 0; i < count && rc == 0; i++) rc = wf_emit(out, &page.items.items[i]);
    wf_arena_finish(&arena);
    return rc < 0 ? rc : count > 0;
}

static int fetch_paginated_data(struct wf_generator *out, struct wf_client *client)
{
    int rc = 1;
    for (int64_t number = 1; rc > 0; number++) rc = emit_page(out, client, number);
    return rc;
}

static int fetches; /* that the server answered */

static int process_items(struct wf_client *client, int most)
{
    int taken = 0, rc = 0;
    struct item item;
    fetches = 0;
    WF_GENERATOR(items, fetch_paginated_data, client, struct item);
    while (taken < most && (rc = wf_next(&items, &item)) > 0) {
        if (taken++ % PAGE_SIZE == 0)
            printf("Processing %" PRId64 " of page %" PRId64 ", fetches: %d\n", item.id, item.page, fetches);
    }
    printf("%d items, fetches: %d\n", taken, fetches);
    return rc < 0 ? rc : 0;
}

static int answer_items(struct wf_request *request)
{
    struct item items[PAGE_SIZE];
    int64_t number, size;
    int rc = wf_query_int(request, "page", 1, &number);
    if (rc == 0) rc = wf_query_int(request, "size", PAGE_SIZE, &size);
    if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(100));
    if (rc < 0) return rc;
    fetches++;
    struct page page = {.items = {.items = items}};
    if (number <= PAGES) page.items.count = (size_t)(size < PAGE_SIZE ? size : PAGE_SIZE);
    for (size_t i = 0; i < page.items.count; i++) items[i] = (struct item){.id = (int64_t)i, .page = number};
    return wf_reply(request, 200, &page_model, &page);
}

static int run(struct wf_app *app)
{
    WF_CLIENT(client, .app = app, .base_url = "http://api.example");
    int rc = process_items(&client, 1000);
    return rc < 0 ? rc : process_items(&client, 51); /* an early end: of page 3 nobody hears */
}

int main(void)
{
    struct wf_app app = {.title = "Items"};
    wf_route(&app, WF_GET, "/items", answer_items);
    int status = wf_main(run, &app);
    wf_app_finish(&app);
    return status;
}
