/* A call over HTTP/2. */
#include <weft/task.h>

#include "client/client.h"

static int ask(struct call *call)
{
    return call_fail(call, -EOPNOTSUPP, "HTTP/2 is not spoken yet");
}

static ssize_t read_body(struct call *call, void *buffer, size_t size)
{
    (void)call, (void)buffer, (void)size;
    return -EOPNOTSUPP;
}

static void leave(struct call *call)
{
    call->wire = NULL;
}

static void close_wire(struct wire *wire)
{
    wf_stream_close(wire->stream);
}

int c2_begin(struct wire *wire)
{
    (void)wire;
    return -EOPNOTSUPP;
}

const struct protocol http2 = {.version = "HTTP/2", .ask = ask, .read = read_body, .leave = leave, .close = close_wire};
