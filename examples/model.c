/*
 * An order as a model: one declaration, and JSON is read, checked, written, described.
 * Run it: weft run examples/model.c
 *
 * Takes its JSON from the arguments, or shows three of its own. No loop is needed: models are for any program.
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <string.h>
#include <weft/model.h>

#define ITEM_MEMBERS(M)                                                                                                \
    M(STRING, sku, .pattern = "^[A-Z]{2}-[0-9]+$", .example = "AB-17")                                                 \
    M(INT32, count, .min = 1, .preset = "1")
WF_MODEL(item, ITEM_MEMBERS)

#define ORDER_MEMBERS(M)                                                                                               \
    M(STRING, customer_email, .format = WF_EMAIL)                                                                      \
    M(ENUM, state, .values = WF_VALUES("open", "paid"), .preset = "open")                                              \
    M(LIST(MODEL(item)), items, .min = 1, .max = 100)                                                                  \
    M(STRING, note, .optional = true, .max = 500)
WF_MODEL(order, ORDER_MEMBERS, .unknown = WF_UNKNOWN_REFUSED)

static int print_json(struct wf_json_writer *writer)
{
    const char *text;
    int rc = wf_json_write_end(writer, &text, NULL);
    if (rc == 0) puts(text);
    return rc;
}

static int32_t count_items(const struct order *order)
{
    int32_t count = 0;
    for (size_t i = 0; i < order->items.count; i++) count += order->items.items[i].count;
    return count;
}

/* What came in, with all that it left out; or all that is wrong with it. */
static int handle(struct wf_arena *arena, const char *text)
{
    struct order order;
    struct wf_problems problems;
    struct wf_json_writer writer;
    wf_problems_init(&problems, arena);
    wf_json_writer_init(&writer, arena, 0);
    int rc = wf_model_parse(&order_model, arena, text, strlen(text), &order, &problems);
    if (rc == -ENOMEM) return rc;
    if (rc == 0) printf("%d pieces%s: ", (int)count_items(&order), order.has.note ? ", with a note" : "");
    if (rc == 0) wf_model_write(&order_model, &order, &writer);
    else wf_problems_write(&problems, &writer);
    return print_json(&writer);
}

static int print_schemas(struct wf_arena *arena)
{
    const struct wf_model *models[] = {&order_model};
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, arena, 0);
    wf_model_write_schemas(models, WF_COUNT(models), &writer);
    return print_json(&writer);
}

int main(int argc, char **argv)
{
    static const char *const own[] = {
        "{\"customer_email\": \"zoe@b.example\", \"items\": [{\"sku\": \"AB-1\"}, {\"sku\": \"CD-2\", \"count\": 3}]}",
        "{\"customer_email\": \"zoe\", \"items\": [{\"sku\": \"ab\", \"count\": 0}, {}], \"colour\": \"red\"}",
        "{\"customer_email\": \"zoe@example.com\", \"items\": [}",
    };
    struct wf_arena arena;
    wf_arena_init(&arena);
    int rc = wf_model_check(&order_model);
    for (int i = 1; i < argc && rc == 0; i++) rc = handle(&arena, argv[i]);
    for (size_t i = 0; i < WF_COUNT(own) && argc == 1 && rc == 0; i++) rc = handle(&arena, own[i]);
    if (rc == 0) rc = print_schemas(&arena);
    wf_arena_finish(&arena);
    return rc < 0;
}
