/*
 * Calls over TLS one after the other: by one client, or by one that is opened for each.
 * http_client_reuse one|each PORT CALLS CERTIFICATE
 */
#include "../measure.h"

#include <weft/client.h>
#include <weft/weft.h>

struct arguments {
    bool each;
    long port, calls;
    const char *certificate;
};

static int ask(struct wf_client *client, const struct arguments *arguments)
{
    struct wf_response response;
    char url[64];
    snprintf(url, sizeof url, "https://localhost:%ld/plaintext", arguments->port);
    int rc = wf_get(client, wf_task_arena(), url, &response);
    if (rc == 0 && response.size != 13) rc = -EPROTO;
    wf_arena_reset(wf_task_arena());
    return rc;
}

static int ask_by_one(const struct arguments *arguments)
{
    WF_CLIENT(client, .ca_file = arguments->certificate);
    int rc = 0;
    for (long i = 0; rc == 0 && i < arguments->calls; i++) rc = ask(&client, arguments);
    return rc;
}

static int ask_by_another(const struct arguments *arguments)
{
    WF_CLIENT(client, .ca_file = arguments->certificate);
    return ask(&client, arguments);
}

static int measure(const struct arguments *arguments)
{
    double started = cpu_seconds();
    int rc = 0;
    if (!arguments->each) rc = ask_by_one(arguments);
    else
        for (long i = 0; rc == 0 && i < arguments->calls; i++) rc = ask_by_another(arguments);
    double took = cpu_seconds() - started;
    if (rc < 0) return wf_fail(rc, "%s", wf_failure());
    return print_result("http_client_reuse", took * 1e6 / (double)arguments->calls);
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.each = argc > 1 && strcmp(argv[1], "each") == 0,
                                  .port = argument(argc, argv, 2, 0),
                                  .calls = argument(argc, argv, 3, 100),
                                  .certificate = argc > 4 ? argv[4] : NULL};
    return wf_main(measure, &arguments);
}
