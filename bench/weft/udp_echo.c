/* One task answers datagrams, one by one or, with `many`, as many at once as are there. Prints its port, serves until
 * it is ended. */
#include <weft/weft.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_SIZE = 2048 };

/* A figure under the name of one driver must not come from another, which is what weft falls back to. */
static int check_driver(void)
{
    const char *wanted = getenv("WEFT_DRIVER");
    if (wanted == NULL || strcmp(wanted, wf_driver_name()) == 0) return 0;
    return wf_fail(-ENOTSUP, "%s is not to be had: %s", wanted, wf_driver_refusal());
}

static int answer_one_by_one(struct wf_socket *socket)
{
    char bytes[BUFFER_SIZE];
    struct wf_address from;
    ssize_t size;
    while ((size = wf_socket_receive(socket, bytes, sizeof bytes, &from)) >= 0)
        if (wf_socket_send(socket, bytes, (size_t)size, &from) < 0) break;
    return (int)size;
}

static int answer_many(struct wf_socket *socket)
{
    static char bytes[WF_MESSAGES_MAX][BUFFER_SIZE];
    static struct wf_message messages[WF_MESSAGES_MAX];
    int received = 0;
    while (received >= 0) {
        for (int i = 0; i < WF_MESSAGES_MAX; i++) {
            messages[i].bytes = bytes[i];
            messages[i].size = BUFFER_SIZE;
        }
        received = wf_socket_receive_many(socket, messages, WF_MESSAGES_MAX);
        for (int sent = 0; sent < received;) {
            int rc = wf_socket_send_many(socket, messages + sent, received - sent);
            if (rc < 0) return rc;
            sent += rc;
        }
    }
    return received;
}

static int serve(const char *how)
{
    struct wf_socket *socket;
    struct wf_address address;
    int rc = check_driver();
    if (rc == 0) rc = wf_udp_open("127.0.0.1", 0, &socket);
    if (rc == 0) rc = wf_socket_local(socket, &address);
    if (rc < 0) return rc;
    printf("%d\n", wf_address_port(&address));
    fflush(stdout);
    rc = strcmp(how, "many") == 0 ? answer_many(socket) : answer_one_by_one(socket);
    wf_socket_close(socket);
    return rc;
}

int main(int argc, char **argv)
{
    return wf_main(serve, argc > 1 ? argv[1] : "one");
}
