/* JSON of four members into a struct, validated, and back into JSON. model_roundtrip TIMES */
#include "../measure.h"

#include <weft/model.h>

#define ORDER_MEMBERS(M)                                                                                               \
    M(STRING, customer_email, .format = WF_EMAIL)                                                                      \
    M(INT64, quantity, .min = 1, .max = 1000)                                                                          \
    M(DOUBLE, price, .above = 0)                                                                                       \
    M(STRING, note, .optional = true, .max = 500)
WF_MODEL(order, ORDER_MEMBERS)

static const char input[] = "{\"customer_email\":\"someone@example.com\",\"quantity\":42,\"price\":19.99,"
                            "\"note\":\"leave it at the door\"}";

/* The size of what was written, or a code. */
static long convert(struct wf_arena *arena)
{
    struct order order;
    struct wf_problems problems;
    struct wf_json_writer writer;
    const char *text;
    size_t size;
    wf_problems_init(&problems, arena);
    int rc = wf_model_parse(&order_model, arena, input, sizeof input - 1, &order, &problems);
    if (rc < 0) return rc;
    wf_json_writer_init(&writer, arena, 0);
    wf_model_write(&order_model, &order, &writer);
    rc = wf_json_write_end(&writer, &text, &size);
    return rc < 0 ? rc : (long)size;
}

int main(int argc, char **argv)
{
    long times = argument(argc, argv, 1, 2000000);
    struct wf_arena arena;
    wf_arena_init(&arena);
    double started = wall_seconds();
    for (long i = 0; i < times; i++) {
        if (convert(&arena) != sizeof input - 1) return 1;
        wf_arena_reset(&arena);
    }
    double seconds = wall_seconds() - started;
    wf_arena_finish(&arena);
    return print_result("model_roundtrip", seconds * 1e9 / (double)times);
}
