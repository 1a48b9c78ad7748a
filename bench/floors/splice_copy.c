/* Floor of `splice_copy`: sendfile(2) until it is done, on a socket that waits. */
#include "../measure.h"
#include "../sink.h"

#include <sys/sendfile.h>

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons(port);
    int conn = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(conn, (struct sockaddr *)&address, sizeof address) < 0 ? -1 : conn;
}

int main(int argc, char **argv)
{
    long mebibytes = argument(argc, argv, 1, 1024);
    uint16_t port = 0;
    int fd = sink_file(mebibytes);
    pid_t child = sink_start(mebibytes, &port);
    int conn = connect_to(port);
    if (fd < 0 || child < 0 || conn < 0) return 1;
    off_t offset = 0, size = (off_t)mebibytes << 20;
    double started = cpu_seconds();
    while (offset < size)
        if (sendfile(conn, fd, &offset, (size_t)(size - offset)) <= 0) return 1;
    double seconds = cpu_seconds() - started;
    close(conn);
    return sink_end(child) != 0 || print_result("splice_copy", seconds * 1e3);
}
