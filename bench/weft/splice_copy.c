/* A file over a TCP connection of this machine: the sender's processor time in milliseconds. splice_copy MEBIBYTES */
#include "../measure.h"
#include "../sink.h"

#include <weft/weft.h>

struct sending {
    char path[64];
    uint16_t port;
    uint64_t size, done;
    double seconds;
};

static int send_file(struct sending *sending, struct wf_file *file)
{
    struct wf_stream *conn;
    int rc = wf_tcp_connect("127.0.0.1", sending->port, &conn);
    if (rc < 0) return rc;
    double started = cpu_seconds();
    rc = wf_file_send(file, 0, UINT64_MAX, conn, &sending->done);
    sending->seconds = cpu_seconds() - started;
    wf_stream_close(conn);
    return rc;
}

static int run(struct sending *sending)
{
    struct wf_file *file;
    int rc = wf_file_open(sending->path, O_RDONLY, 0, &file);
    if (rc < 0) return rc;
    rc = send_file(sending, file);
    wf_file_close(file);
    return rc;
}

int main(int argc, char **argv)
{
    long mebibytes = argument(argc, argv, 1, 1024);
    struct sending sending = {.size = (uint64_t)mebibytes << 20};
    int fd = sink_file(mebibytes);
    pid_t child = sink_start(mebibytes, &sending.port);
    if (fd < 0 || child < 0) return 1;
    snprintf(sending.path, sizeof sending.path, "/proc/self/fd/%d", fd);
    if (wf_run(run, &sending) < 0 || sending.done != sending.size || sink_end(child) != 0) return 1;
    return print_result("splice_copy", sending.seconds * 1e3);
}
