/*
 * Server-sent events: a page that counts the seconds which the server tells it. A page that was cut off comes again by
 * itself, and goes on where it was.
 * Run it: weft run examples/http_events.c --port 8000, then open http://127.0.0.1:8000/
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <stdlib.h>
#include <weft/app.h>
#include <weft/sse.h>
#include <weft/time.h>

static const char page[] =
    "<!doctype html><title>Events</title><p id=count>waiting"
    "<script>new EventSource('/events').addEventListener('second', event => count.textContent = event.data);</script>";

static int show_page(struct wf_request *request)
{
    return wf_reply_bytes(request, 200, "text/html; charset=utf-8", page, sizeof page - 1);
}

static int count_seconds(struct wf_request *request)
{
    const char *last = wf_sse_last_id(request);
    struct wf_sse events;
    int rc = wf_sse_begin(request, &events);
    for (long second = last != NULL ? strtol(last, NULL, 10) + 1 : 1; rc == 0; second++) {
        char id[24], text[48];
        snprintf(id, sizeof id, "%ld", second);
        snprintf(text, sizeof text, "%ld seconds", second);
        rc = wf_sse_send(&events, .event = "second", .id = id, .data = text, .retry = WF_SECONDS(1));
        if (rc == 0) rc = wf_sse_wait(&events, wf_sleep(WF_SECONDS(1)));
    }
    return rc;
}

int main(int argc, char **argv)
{
    struct wf_app app = {.title = "Events"};
    wf_route(&app, WF_GET, "/", show_page);
    wf_route(&app, WF_GET, "/events", count_seconds);
    return wf_serve_main(&app, argc, argv);
}
