/* A large file, thrown away as it comes. http_client_download PORT MEGABYTES */
#include "../measure.h"

#include <weft/client.h>
#include <weft/weft.h>

enum { PIECE = 65536 };

struct arguments {
    long port, megabytes;
};

static int measure(const struct arguments *arguments)
{
    struct wf_arena *arena = wf_task_arena();
    struct wf_response response;
    char url[64], range[64], *buffer = wf_arena_alloc(arena, PIECE);
    int64_t wanted = (int64_t)arguments->megabytes << 20, size = 0;
    if (buffer == NULL) return -ENOMEM;
    snprintf(url, sizeof url, "http://127.0.0.1:%ld/large/file", arguments->port);
    snprintf(range, sizeof range, "bytes=0-%lld", (long long)wanted - 1);
    WF_CLIENT(client);
    double started = cpu_seconds();
    int rc = wf_fetch_open(&client, arena, WF_GET, url, &response, .headers = WF_NAMED({"Range", range}));
    ssize_t got = 0;
    while (rc == 0 && (got = wf_response_read(&response, buffer, PIECE)) > 0) size += got;
    double took = cpu_seconds() - started;
    if (rc == 0 && size != wanted) rc = got < 0 ? (int)got : -EPROTO;
    return rc < 0 ? rc : print_result("http_client_download", took * 1e3);
}

int main(int argc, char **argv)
{
    struct arguments arguments = {argument(argc, argv, 1, 0), argument(argc, argv, 2, 1024)};
    return wf_main(measure, &arguments);
}
