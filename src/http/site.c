#include "http/site.h"

#include <string.h>
#include <weft/extend.h>
#include <weft/loops.h>
#include <weft/serve.h>
#include <weft/service.h>
#include <weft/shared.h>
#include <weft/task.h>
#include <weft/tcp.h>
#include <weft/unix.h>

#include "http/app.h"

/* ---- Servers ---- */

static int make_server(struct site *site, int loop)
{
    struct server *server = site->servers[loop] = wf_memory_alloc(sizeof *server);
    if (server == NULL) return -ENOMEM;
    server_init(server, site->app);
    server->crowd = &site->crowd;
    server->tls = site->options->tls;
    server->proxy_protocol = site->options->proxy_protocol;
    return 0;
}

static int make_servers(struct site *site)
{
    int rc = site->loops == 1 ? make_server(site, wf_loop_index()) : 0;
    for (int i = 0; i < site->loops && site->loops > 1 && rc == 0; i++) rc = make_server(site, i);
    return rc;
}

/* No task is left that could use them. */
static void free_servers(struct site *site)
{
    for (int i = 0; i < LOOPS_MAX; i++) {
        if (site->servers[i] != NULL) server_finish(site->servers[i]);
        wf_memory_free(site->servers[i]);
    }
}

static int mind(struct server **server)
{
    return mind_connections(*server);
}

/* On one loop they are plain children, which a drain reaches at once. */
static int start_minder(struct server **server, struct wf_scope *scope, const struct site *site, int loop)
{
    if (site->loops == 1) return wf_spawn(scope, mind, server, .daemon = true, .name = "http minder");
    return wf_spawn_on(scope, loop, mind, server, .daemon = true, .name = "http minder");
}

static int start_minders(struct site *site, struct wf_scope *scope)
{
    int rc = 0;
    for (int i = 0; i < LOOPS_MAX && rc == 0; i++)
        if (site->servers[i] != NULL) rc = start_minder(&site->servers[i], scope, site, i);
    return rc;
}

/* ---- Gates ---- */

static int open_gate(struct gate *gate)
{
    const struct site *site = gate->site;
    const struct wf_http_serve_options *options = site->options;
    gate->listener = options->listener;
    if (gate->listener != NULL) return 0;
    if (options->inherited) return wf_listen_inherited(NULL, gate->index, &gate->listener);
    if (options->unix_path != NULL) return wf_unix_listen(options->unix_path, &gate->listener, .replace = true);
    return wf_tcp_listen(options->host, site->port, &gate->listener, .reuse_port = options->reuse_port);
}

/* On whatever loop it is. */
static int serve_here(struct site *site, struct wf_stream *stream)
{
    return connection_serve(site->servers[wf_loop_index()], stream);
}

static int accept_at(const struct gate *gate)
{
    struct site *site = gate->site;
    uint32_t limit = site->app->private_->limits.connections;
    if (site->gates_count < (unsigned)site->loops)
        return wf_serve_streams(gate->listener, serve_here, site, .limit = limit, .name = "http", .spread = true);
    uint32_t share = (limit + site->gates_count - 1) / site->gates_count;
    return wf_serve_streams(gate->listener, connection_serve, site->servers[gate->loop], .limit = share,
                            .name = "http");
}

static int keep_gate(struct gate *gate)
{
    int rc = open_gate(gate);
    if (rc < 0) return rc;
    if (gate == gate->site->gates) gate->site->port = wf_listener_port(gate->listener);
    char word = 1;
    wf_ignore(wf_shared_try_send(gate->site->opened, &word)); /* there is room for all */
    rc = accept_at(gate);
    if (atomic_load(&gate->site->handed_over)) wf_listener_leave_file(gate->listener);
    if (gate->listener != gate->site->options->listener) wf_listener_close(gate->listener);
    return rc;
}

static int keep_gate_there(struct gate **gate)
{
    return keep_gate(*gate);
}

/* ---- All of them ---- */

static int wait_for_words(struct site *site, unsigned count)
{
    int rc = 1;
    char word;
    for (unsigned i = 0; i < count && rc > 0; i++) rc = wf_shared_receive(site->opened, &word);
    return rc < 0 ? rc : 0;
}

static int start_gate(struct site *site, struct wf_scope *scope, unsigned i)
{
    struct gate *gate = &site->gates[i];
    int here = wf_loop_index(), loop = (int)(i % (unsigned)site->loops);
    bool ours = site->loops == 1 || site->options->listener != NULL;
    *gate = (struct gate){.site = site, .loop = ours ? here : loop, .index = i};
    if (site->loops == 1) return wf_spawn(scope, keep_gate, gate, .name = "http gate");
    return wf_spawn_on(scope, gate->loop, keep_gate_there, &gate, .name = "http gate");
}

/* The first one finds the port for all. */
static int start_gates(struct site *site, struct wf_scope *scope)
{
    int rc = start_gate(site, scope, 0);
    if (rc == 0) rc = wait_for_words(site, 1);
    for (unsigned i = 1; i < site->gates_count && rc == 0; i++) rc = start_gate(site, scope, i);
    return rc < 0 ? rc : wait_for_words(site, site->gates_count - 1);
}

static int serve_site(struct site *site)
{
    const struct wf_http_serve_options *options = site->options;
    WF_SCOPE(scope, .name = "http");
    int rc = start_minders(site, &scope);
    if (rc == 0) rc = start_gates(site, &scope);
    site->listening = rc == 0;
    if (rc == 0 && options->listening != NULL) options->listening(site->app, site->port, options->listening_arg);
    rc = wf_scope_end(&scope, rc);
    site->listening = false;
    return rc;
}

static int count_gates(const struct site *site)
{
    const struct wf_http_serve_options *options = site->options;
    int count = options->inherited ? wf_inherited_count() : 1;
    if (options->inherited && count == 0) return wf_fail(-ENOENT, "no socket was inherited");
    if (!options->inherited && options->reuse_port) count = site->loops;
    return count <= GATES_MAX ? count : wf_fail(-E2BIG, "more than %d sockets were inherited", GATES_MAX);
}

int site_serve(struct site *site)
{
    const struct wf_http_serve_options *options = site->options;
    site->loops = options->spread ? wf_loops_count() : 1;
    site->port = options->port;
    int count = count_gates(site);
    if (count < 0) return count;
    site->gates_count = (unsigned)count;
    int rc = wf_shared_channel_create(1, site->gates_count, WF_WITH_LOOPS, &site->opened);
    if (rc == 0) rc = make_servers(site);
    if (rc == 0) rc = serve_site(site);
    free_servers(site);
    wf_shared_channel_destroy(site->opened);
    return rc;
}

/* ---- From an app ---- */

int wf_app_run(struct wf_app *app)
{
    const struct wf_http_serve_options *options = app->private_ != NULL ? app->private_->serving : NULL;
    if (options == NULL) return wf_fail(-EINVAL, "wf_app_run is for the lifespan of an app that wf_serve runs");
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    struct site *site = wf_memory_alloc(sizeof *site);
    if (site == NULL) return -ENOMEM;
    memset(site, 0, sizeof *site); /* a literal of its size would lie on the stack first */
    site->app = app;
    site->options = options;
    app->private_->site = site;
    crowd_init(&site->crowd);
    rc = site_serve(site);
    crowd_finish(&site->crowd);
    app->private_->site = NULL;
    wf_memory_free(site);
    return rc;
}

static int check(const struct wf_http_serve_options *options)
{
    if (options->size != sizeof *options) return -EINVAL;
    int places = (options->listener != NULL) + (options->unix_path != NULL) + options->inherited;
    if (places > 1) return wf_fail(-EINVAL, "a listener, a Unix socket and what was inherited exclude each other");
    if (options->reuse_port && places > 0) return wf_fail(-EINVAL, ".reuse_port is for a host and a port");
    return 0;
}

int wf_http_serve_(struct wf_app *app, const struct wf_http_serve_options *options)
{
    int rc = check(options);
    if (rc == 0) rc = wf_checkpoint();
    if (rc == 0) rc = app_prepare(app);
    if (rc < 0) return rc;
    app->private_->serving = options;
    rc = app->lifespan != NULL ? app->lifespan(app) : wf_app_run(app);
    app->private_->serving = NULL;
    return rc;
}
