/*
 * A program that leaks descriptors: each request opens two, and a hasty return closes one. When the loop ends, what is
 * still open is reported, with where it was opened.
 *
 *     build/examples/debug_leak
 */
#include <stdio.h>
#include <weft/weft.h>

struct request {
    bool is_empty;
};

static int copy_request(const struct request *request)
{
    struct wf_stream *from, *to;
    int rc = wf_pipe(&from, &to);
    if (rc < 0) return rc;
    if (request->is_empty) {
        wf_stream_close(to);
        return 0; /* the mistake: `from` stays open */
    }
    rc = wf_stream_write_all(to, "order", 5, NULL);
    wf_stream_close(to);
    wf_stream_close(from);
    return rc;
}

static int serve(void *unused)
{
    (void)unused;
    struct request requests[] = {{false}, {true}, {false}, {true}, {true}};
    int status[WF_COUNT(requests)];
    return wf_gather(requests, WF_COUNT(requests), copy_request, .collect = status);
}

int main(void)
{
    int rc = wf_run(serve, NULL);
    printf("served: %s\n", wf_strerror(rc));
    return rc < 0 ? 1 : 0;
}
