/* All downloads: a client for them, a task for each, and what Ctrl-C does. */
#include <errno.h>
#include <signal.h>

#include "get.h"

#define FRAME_NS WF_MILLISECONDS(100)

/* ---- Beside them ---- */

static int watch_signals(struct get *get)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct wf_signal_receiver *receiver;
    int rc = wf_signal_open(numbers, WF_COUNT(numbers), &receiver);
    if (rc < 0) return rc;
    rc = wf_signal_wait(receiver);
    if (rc > 0) {
        get->signal = rc;
        wf_scope_cancel(get->scope, "a signal");
        rc = wf_sleep(WF_FOREVER); /* the signal does nothing else while its receiver is open */
    }
    wf_signal_close(receiver);
    return rc;
}

static int draw_again_and_again(struct get *get)
{
    int rc = 0;
    while (rc == 0) {
        draw_lines(get);
        rc = wf_sleep(FRAME_NS);
    }
    return rc;
}

/* ---- They ---- */

static int load_all(struct get *get)
{
    WF_SCOPE(scope, .limit = get->jobs);
    get->scope = &scope;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < get->count; i++)
        rc = wf_spawn(&scope, load_download, &get->downloads[i], .name = "download");
    return wf_scope_end(&scope, rc);
}

static int load_watched(struct get *get)
{
    WF_SCOPE(beside);
    int rc = wf_spawn(&beside, watch_signals, get, .daemon = true);
    if (rc == 0 && get->terminal) rc = wf_spawn(&beside, draw_again_and_again, get, .daemon = true);
    if (rc == 0) rc = load_all(get);
    return wf_scope_end(&beside, get->signal != 0 ? 0 : rc);
}

static int make_directory(const struct get *get)
{
    return get->directory != NULL ? wf_mkdir_all(get->directory, 0777) : 0;
}

static int run_with(struct get *get, struct wf_tls_config *tls)
{
    struct wf_retry_options retry = WF_RETRY(.attempts = (int)get->retries + 1, .base = WF_SECONDS(1),
                                             .cap = WF_SECONDS(30), .jitter = WF_JITTER_EQUAL);
    struct wf_pipeline pipeline = {.name = "get", .retry = &retry};
    WF_CLIENT(client, .headers = get->headers, .bearer = get->bearer, .basic = get->basic, .tls = tls,
              .ca_file = get->ca_file, .proxy = get->proxy, .version = get->version, .keep_encoding = true,
              .user_agent = "weft-get/" WEFT_VERSION, .pipeline = get->retries > 0 ? &pipeline : NULL,
              .on_call = note_call, .on_call_arg = get);
    get->client = &client;
    return load_watched(get);
}

static int create_trusting(const struct get *get, struct wf_tls_config **tls)
{
    if (get->version == WF_HTTP_1) return wf_tls_client_create(tls, .insecure = true, .alpn = {"http/1.1"});
    if (get->version == WF_HTTP_2) return wf_tls_client_create(tls, .insecure = true, .alpn = {"h2"});
    return wf_tls_client_create(tls, .insecure = true, .alpn = {"h2", "http/1.1"});
}

static int run(struct get *get)
{
    struct wf_tls_config *tls = NULL;
    get->began = wf_now();
    int rc = make_directory(get);
    if (rc == 0 && get->insecure) rc = create_trusting(get, &tls);
    if (rc == 0) rc = run_with(get, tls);
    wf_tls_destroy(tls);
    erase_lines(get);
    if (rc < 0) complain("%s", wf_failure() != NULL ? wf_failure() : wf_strerror(rc));
    else show_summary(get);
    return rc;
}

int run_downloads(struct get *get)
{
    int rc = wf_run(run, get);
    if (get->signal != 0) return 128 + get->signal;
    for (size_t i = 0; i < get->count; i++)
        if (get->downloads[i].state != STATE_DONE && get->downloads[i].state != STATE_THERE) rc = -EIO;
    return rc < 0 ? STATUS_FAILED : 0;
}
