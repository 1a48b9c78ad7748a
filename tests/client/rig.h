/* An app, and a client whose every connection goes to it, in memory. */
#ifndef WEFT_TESTS_CLIENT_RIG_H
#define WEFT_TESTS_CLIENT_RIG_H

#include <weft/app.h>
#include <weft/client.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct rig {
    struct wf_app app;
    struct wf_client *client;
    struct wf_response response;
};

static inline void finish_rig(struct rig *rig)
{
    wf_app_finish(&rig->app);
}

static inline const char *said(const struct rig *rig)
{
    return rig->response.body != NULL ? rig->response.body : "";
}

/* RIG(rig, declare, .option = value, ...): the app has the routes of `declare`, the client these options. */
#define RIG(rig, declare, ...)                                                                                         \
    struct rig rig __attribute__((cleanup(finish_rig))) = {.app = {.title = "t", .state = &rig}};                      \
    (declare)(&rig.app);                                                                                               \
    WF_CLIENT(rig##_client, .base_url = "http://server", .app = &rig.app, __VA_ARGS__);                                \
    rig.client = &rig##_client

#define GET(rig, url, ...) wf_get((rig).client, wf_task_arena(), (url), &(rig).response, __VA_ARGS__)
#define POST(rig, url, ...) wf_post((rig).client, wf_task_arena(), (url), &(rig).response, __VA_ARGS__)

#endif
