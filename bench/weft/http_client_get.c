/* 64 tasks that share one client and ask for one text again and again. http_client_get PORT REQUESTS */
#include "../measure.h"

#include <weft/client.h>
#include <weft/weft.h>

enum { TASKS = 64, WARM_UP = 640 };

struct asking {
    struct wf_client *client;
    const char *url;
    long left; /* of all tasks */
};

static int ask(struct asking *asking)
{
    struct wf_arena *arena = wf_task_arena();
    struct wf_response response;
    int rc = 0;
    while (rc == 0 && asking->left-- > 0) {
        rc = wf_get(asking->client, arena, asking->url, &response);
        if (rc == 0 && (response.status != 200 || response.size != 13)) rc = -EPROTO;
        wf_arena_reset(arena);
    }
    return rc;
}

static int ask_all(struct asking *asking, long requests)
{
    asking->left = requests;
    WF_SCOPE(scope);
    int rc = 0;
    for (int i = 0; rc == 0 && i < TASKS; i++) rc = wf_spawn(&scope, ask, asking);
    return wf_scope_end(&scope, rc);
}

struct arguments {
    long port, requests;
};

static int measure(const struct arguments *arguments)
{
    char url[64];
    WF_CLIENT(client, .limits = {.per_host = TASKS});
    struct asking asking = {.client = &client, .url = url};
    snprintf(url, sizeof url, "http://127.0.0.1:%ld/plaintext", arguments->port);
    int rc = ask_all(&asking, WARM_UP);
    if (rc < 0) return rc;
    double started = cpu_seconds();
    rc = ask_all(&asking, arguments->requests);
    double took = cpu_seconds() - started;
    return rc < 0 ? rc : print_result("http_client_get", took * 1e6 / (double)arguments->requests);
}

int main(int argc, char **argv)
{
    struct arguments arguments = {argument(argc, argv, 1, 0), argument(argc, argv, 2, 10000)};
    return wf_main(measure, &arguments);
}
