/*
 * A hundred products, ten requests at a time. From "Concurrent Execution", "Semaphore - Limiting Concurrency".
 * Rows: S017, S023.
 * The sample makes all tasks first and has them queue at the semaphore; the second form makes no more than may run.
 * Both are asked of a real server, which counts how many requests it has at once.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/003-services/semaphore.c
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/weft.h>

enum { PRODUCTS = 100, AT_ONCE = 10 };

struct product {
    struct wf_client *client;
    int id;
    size_t size;
};

static struct wf_semaphore semaphore = WF_SEMAPHORE(AT_ONCE);
static uint64_t tasks_peak;

static int get_product(struct product *product)
{
    struct wf_statistics now;
    struct wf_response response;
    wf_loop_statistics(&now);
    if (now.tasks_alive > tasks_peak) tasks_peak = now.tasks_alive;
    const char *path = wf_arena_printf(wf_task_arena(), "/products/%d", product->id);
    int rc = wf_get(product->client, wf_task_arena(), path, &response, .check_status = true);
    if (rc == 0) product->size = response.size;
    return rc;
}

static int fetch_with_limit(struct product *product)
{
    int rc = wf_semaphore_acquire(&semaphore);
    if (rc < 0) return rc;
    rc = get_product(product);
    wf_semaphore_release(&semaphore);
    return rc;
}

static int fetch_all_products(struct product *products)
{
    return wf_gather(products, PRODUCTS, fetch_with_limit);
}

static int fetch_bounded(struct product *products)
{
    return wf_gather(products, PRODUCTS, get_product, .limit = AT_ONCE);
}

/* ---- The external API ---- */

struct api {
    struct wf_listener *listener;
    int now, peak;
};

static int show_product(struct wf_request *request)
{
    struct api *api = wf_request_state(request);
    if (++api->now > api->peak) api->peak = api->now;
    int rc = wf_sleep(WF_MILLISECONDS(100));
    api->now--;
    return rc < 0 ? rc : wf_reply_text(request, 200, wf_path_text(request, "id"));
}

static int serve(struct api *api)
{
    struct wf_app app = {.title = "Products", .state = api};
    wf_route(&app, WF_GET, "/products/{id}", show_product);
    int rc = wf_serve(&app, .listener = api->listener);
    wf_app_finish(&app);
    return rc;
}

/* ---- Both forms ---- */

static int show(const char *form, int (*fetch)(struct product *), struct wf_client *client, struct api *api)
{
    struct product products[PRODUCTS];
    for (int i = 0; i < PRODUCTS; i++) products[i] = (struct product){.client = client, .id = i};
    tasks_peak = 0;
    api->peak = 0;
    int64_t began = wf_now();
    int rc = fetch(products), got = 0;
    for (int i = 0; i < PRODUCTS; i++) got += products[i].size > 0;
    printf("%s: %d products in %.1f s, at most %d requests at once, %d tasks with those of the server\n", form, got,
           wf_seconds(wf_now() - began), api->peak, (int)tasks_peak);
    return rc;
}

static int compare(void *unused)
{
    struct api api = {.now = 0};
    char base[64];
    (void)unused;
    int rc = wf_tcp_listen("127.0.0.1", 0, &api.listener);
    if (rc < 0) return rc;
    snprintf(base, sizeof base, "http://127.0.0.1:%u", wf_listener_port(api.listener));
    WF_SCOPE(scope);
    WF_CLIENT(client, .base_url = base);
    wf_spawn(&scope, serve, &api, .daemon = true);
    rc = show("semaphore", fetch_all_products, &client, &api);
    if (rc == 0) rc = show("bounded", fetch_bounded, &client, &api);
    rc = wf_scope_end(&scope, rc);
    wf_listener_close(api.listener);
    return rc;
}

int main(void)
{
    return wf_main(compare, NULL);
}
