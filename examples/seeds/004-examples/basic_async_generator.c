/*
 * Items as they come, a page fetched when the one before is used up. From "Async Generators and Iterators", "Basic
 * Async Generator".
 * Rows: S024, S025.
 * The sample's generator holds an open client, which an early `break` leaves open for a while; here leaving the block
 * closes the source before the next statement. It looks at no status, and so would take an error's page for a last one.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/basic_async_generator.c
 */
// weft: pkg-config weft-http
#include <inttypes.h>
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/model.h>
#include <weft/weft.h>

enum { PER_PAGE = 100, ITEMS = 250 };

#define ITEM_MEMBERS(M) M(INT64, id)
WF_MODEL(item, ITEM_MEMBERS)

#define PAGE_MEMBERS(M) M(LIST(MODEL(item)), items)
WF_MODEL(page, PAGE_MEMBERS)

struct source {
    struct wf_app *app;
    const char *base_url;
    int clients; /* open now */
};

/* What the arena held of the page before is forgotten with it. */
static int fetch_page(struct wf_client *client, struct wf_arena *arena, int number, struct page *page)
{
    struct wf_response response;
    wf_arena_reset(arena);
    int rc = wf_get(client, arena, "/items", &response, .check_status = true,
                    .params = WF_NAMED({"page", wf_arena_printf(arena, "%d", number)}, {"per_page", "100"}));
    return rc < 0 ? rc : wf_response_model(&response, &page_model, page);
}

static int emit_pages(struct wf_generator *out, struct wf_client *client)
{
    struct page page = {.items = {.count = 1}};
    int rc = 0;
    for (int number = 1; rc == 0 && page.items.count > 0; number++) {
        rc = fetch_page(client, wf_task_arena(), number, &page);
        for (size_t i = 0; rc == 0 && i < page.items.count; i++) rc = wf_emit(out, &page.items.items[i]);
    }
    return rc;
}

static int fetch_pages(struct wf_generator *out, struct source *source)
{
    WF_CLIENT(client, .base_url = source->base_url, .app = source->app);
    source->clients++;
    int rc = emit_pages(out, &client);
    source->clients--;
    return rc;
}

static int process_item(const struct item *item)
{
    (void)item;
    return wf_sleep(WF_MILLISECONDS(10)); /* stands for some work */
}

static int process_items(struct source *source, int wanted, int *count)
{
    WF_GENERATOR(items, fetch_pages, source, struct item);
    struct item item;
    int rc = 1;
    while (*count < wanted && (rc = wf_next(&items, &item)) > 0) {
        rc = process_item(&item);
        if (rc < 0) break;
        (*count)++;
    }
    return rc < 0 ? rc : 0;
}

static int show(struct source *source, int wanted, int *requests)
{
    int count = 0;
    *requests = 0;
    int rc = process_items(source, wanted, &count);
    printf("Processed %d items, %d requests, %d clients open\n", count, *requests, source->clients);
    return rc;
}

static int run(struct wf_app *app)
{
    struct source source = {.app = app, .base_url = "https://api.example.com"};
    int rc = show(&source, ITEMS + 1, app->state); /* all */
    if (rc == 0) rc = show(&source, 100, app->state);
    if (rc == 0) rc = show(&source, 101, app->state);
    return rc;
}

/* ---- The API ---- */

static int list_items(struct wf_request *request)
{
    struct item items[PER_PAGE];
    int64_t page = 1, per_page = PER_PAGE, count = 0;
    ++*(int *)wf_request_state(request);
    int rc = wf_query_int(request, "page", 1, &page);
    if (rc == 0) rc = wf_query_int(request, "per_page", PER_PAGE, &per_page);
    if (rc < 0) return rc;
    if (page < 1 || per_page != PER_PAGE) return wf_http_error(request, 422, "pages of 100, from 1 on");
    for (int64_t id = (page - 1) * PER_PAGE; count < PER_PAGE && id < ITEMS; id++) items[count++].id = id;
    return wf_reply(request, 200, &page_model, &(struct page){.items = {items, (size_t)count}});
}

int main(void)
{
    int requests = 0;
    struct wf_app app = {.title = "Items", .state = &requests};
    wf_route(&app, WF_GET, "/items", list_items, .response = &page_model);
    int status = wf_main(run, &app);
    wf_app_finish(&app);
    return status;
}
