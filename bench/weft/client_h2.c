/* Processor time of a GET over HTTP/2, of which 64 at once share one connection: client_h2 REQUESTS URL CA_FILE. */
#include "../measure.h"

#include <weft/client.h>
#include <weft/weft.h>

enum { AT_ONCE = 64 };

struct asking {
    struct wf_client *client;
    const char *url;
    long left;
};

static int ask(struct asking *asking)
{
    struct wf_response response;
    while (asking->left > 0) {
        asking->left--;
        struct wf_arena arena;
        wf_arena_init(&arena);
        int rc = wf_get(asking->client, &arena, asking->url, &response, .check_status = true);
        wf_arena_finish(&arena);
        if (rc < 0) return rc;
    }
    return 0;
}

static int ask_many(struct asking *asking, long requests)
{
    asking->left = requests;
    WF_SCOPE(scope);
    for (int i = 0; i < AT_ONCE; i++) wf_spawn(&scope, ask, asking);
    return wf_scope_join(&scope);
}

struct run {
    long requests;
    const char *url, *ca_file;
};

static int measure(struct run *run)
{
    WF_CLIENT(client, .ca_file = run->ca_file, .version = WF_HTTP_2, .limits = {.per_host = 1});
    struct asking asking = {.client = &client, .url = run->url};
    int rc = ask_many(&asking, run->requests / 10);
    double started = cpu_seconds();
    if (rc == 0) rc = ask_many(&asking, run->requests);
    double used = cpu_seconds() - started;
    if (rc < 0) fprintf(stderr, "%s\n", wf_strerror(rc));
    return rc < 0 ? rc : print_result("client_h2", used * 1e6 / (double)run->requests);
}

int main(int argc, char **argv)
{
    struct run run = {argument(argc, argv, 1, 100000), argc > 2 ? argv[2] : "http://127.0.0.1:8080/",
                      argc > 3 ? argv[3] : NULL};
    return wf_run(measure, &run) < 0;
}
