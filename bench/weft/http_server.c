/*
 * The HTTP server that is measured: routes, limits, the date and a hook for each request, as any server has them.
 * Prints its port, serves until it is ended. http_server [CERTIFICATE KEY]
 */
#include <weft/app.h>
#include <weft/model.h>
#include <weft/tls.h>
#include <weft/websocket.h>
#include <weft/weft.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORDER_MEMBERS(M)                                                                                               \
    M(STRING, customer_email, .format = WF_EMAIL)                                                                      \
    M(INT64, quantity, .min = 1, .max = 1000)                                                                          \
    M(DOUBLE, price, .above = 0)                                                                                       \
    M(STRING, note, .optional = true, .max = 500)
WF_MODEL(order, ORDER_MEMBERS)

struct server {
    struct wf_app app;
    struct wf_tls_identity identity;
    struct wf_tls_config *tls; /* NULL: plain */
    unsigned long answered[6]; /* by the first digit of the status */
};

static int hello(struct wf_request *request)
{
    return wf_reply_text(request, 200, "Hello, World!");
}

static int take_order(struct wf_request *request)
{
    return wf_reply(request, 200, &order_model, wf_body_value(request));
}

static int show_order(struct wf_request *request)
{
    int64_t id;
    int rc = wf_path_int(request, "id", &id);
    return rc < 0 ? rc : -ENOENT;
}

/* Bytes of an upload, counted and forgotten. */
static int take_upload(struct wf_request *request)
{
    char bytes[16384];
    uint64_t total = 0;
    ssize_t got;
    while ((got = wf_request_read(request, bytes, sizeof bytes)) > 0) total += (uint64_t)got;
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)total);
    return got < 0 ? (int)got : wf_reply_text(request, 200, text);
}

static int echo(struct wf_request *request)
{
    struct wf_websocket *socket;
    int rc = wf_websocket_accept(request, &socket, .origins = {"*"});
    struct wf_arena arena;
    struct wf_websocket_message message;
    wf_arena_init(&arena);
    while (rc >= 0 && (rc = wf_websocket_receive(socket, &arena, &message)) > 0) {
        rc = wf_websocket_send(socket, &message);
        wf_arena_finish(&arena); /* an idle socket keeps nothing */
    }
    wf_arena_finish(&arena);
    return rc;
}

static void count(const struct wf_request *request, void *arg)
{
    struct server *server = arg;
    server->answered[wf_request_status(request) / 100 % 6]++;
}

static void print_port(struct wf_app *app, uint16_t port, void *arg)
{
    (void)app;
    (void)arg;
    printf("%d\n", port);
    fflush(stdout);
}

/* A figure under the name of one driver must not come from another, which is what weft falls back to. */
static int check_driver(void)
{
    const char *wanted = getenv("WEFT_DRIVER");
    if (wanted == NULL || strcmp(wanted, wf_driver_name()) == 0) return 0;
    return wf_fail(-ENOTSUP, "%s is not to be had: %s", wanted, wf_driver_refusal());
}

static int serve(struct server *server)
{
    int rc = check_driver();
    if (rc == 0 && server->identity.key_file != NULL)
        rc = wf_tls_server_create(&server->tls, .identity = server->identity, .alpn = {"h2", "http/1.1"});
    if (rc < 0) return rc;
    return wf_serve(&server->app, .host = "127.0.0.1", .tls = server->tls, .listening = print_port);
}

int main(int argc, char **argv)
{
    static struct server server;
    struct wf_app *app = &server.app;
    app->title = "bench";
    app->on_request = count;
    app->on_request_arg = &server;
    wf_route(app, WF_GET, "/plaintext", hello);
    wf_route(app, WF_POST, "/orders", take_order, .body = &order_model, .response = &order_model);
    wf_route(app, WF_GET, "/orders/{id}", show_order);
    wf_route(app, WF_POST, "/upload", take_upload, .body_max = UINT64_C(1) << 40);
    wf_route(app, WF_GET, "/socket", echo);
    if (argc > 2) server.identity = (struct wf_tls_identity){.certificate_file = argv[1], .key_file = argv[2]};
    return wf_main(serve, &server, .signals = true, .grace = 1);
}
