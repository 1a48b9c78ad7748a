/* The same by way of trees: parsed, unpacked, looked at; packed, written. model_roundtrip TIMES */
#include "../../measure.h"

#include <jansson.h>

static const char input[] = "{\"customer_email\":\"someone@example.com\",\"quantity\":42,\"price\":19.99,"
                            "\"note\":\"leave it at the door\"}";

struct order {
    const char *customer_email, *note;
    json_int_t quantity;
    double price;
};

static int read_order(json_t *tree, struct order *order)
{
    if (json_unpack(tree, "{s:s, s:I, s:f, s?s}", "customer_email", &order->customer_email, "quantity",
                    &order->quantity, "price", &order->price, "note", &order->note) < 0)
        return -1;
    int right = strchr(order->customer_email, '@') != NULL && order->quantity >= 1 && order->quantity <= 1000 &&
                order->price > 0 && strlen(order->note) <= 500;
    return right ? 0 : -1;
}

static char *write_order(const struct order *order)
{
    json_t *tree = json_pack("{s:s, s:I, s:f, s:s}", "customer_email", order->customer_email, "quantity",
                             order->quantity, "price", order->price, "note", order->note);
    char *text = json_dumps(tree, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_decref(tree);
    return text;
}

static long convert(void)
{
    struct order order = {.note = ""};
    json_t *tree = json_loadb(input, sizeof input - 1, JSON_REJECT_DUPLICATES, NULL);
    if (tree == NULL || read_order(tree, &order) < 0) return -1;
    char *text = write_order(&order);
    json_decref(tree);
    if (text == NULL) return -1;
    long size = (long)strlen(text);
    free(text);
    return size;
}

int main(int argc, char **argv)
{
    long times = argument(argc, argv, 1, 400000);
    double started = wall_seconds();
    for (long i = 0; i < times; i++)
        if (convert() != sizeof input - 1) return 1;
    double seconds = wall_seconds() - started;
    return print_result("model_roundtrip", seconds * 1e9 / (double)times);
}
