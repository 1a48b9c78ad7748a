/*
 * A UDP echo server and its client, one socket each. The server takes and answers as many datagrams at once as are
 * there. The client says everything in one call, waits for the answers, and asks again where one was lost.
 *
 *     weft run examples/udp_echo.c
 */
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

enum { COUNT = 5, SIZE = 64 };

static int serve(struct wf_socket *socket)
{
    static char bytes[WF_MESSAGES_MAX][SIZE];
    struct wf_message messages[WF_MESSAGES_MAX];
    for (;;) {
        for (int i = 0; i < WF_MESSAGES_MAX; i++) messages[i] = (struct wf_message){.bytes = bytes[i], .size = SIZE};
        int count = wf_socket_receive_many(socket, messages, WF_MESSAGES_MAX);
        if (count < 0) return count;
        for (int sent = 0; sent < count;) { /* each has its sender's address still */
            int rc = wf_socket_send_many(socket, messages + sent, count - sent);
            if (rc < 0) return rc;
            sent += rc;
        }
    }
}

/* UDP promises nothing: a question without an answer after a while is asked again. */
static int ask(struct wf_socket *socket, const char *question, char answer[SIZE])
{
    for (int attempt = 0; attempt < 5; attempt++) {
        ssize_t rc = wf_socket_send(socket, question, strlen(question), NULL);
        if (rc >= 0) rc = wf_within(WF_MILLISECONDS(500), (int)wf_socket_receive(socket, answer, SIZE - 1, NULL));
        if (rc >= 0) answer[rc] = '\0';
        if (rc != -ETIME) return (int)rc;
    }
    return wf_fail(-ETIME, "no answer to \"%s\"", question);
}

static int run(void *unused)
{
    (void)unused;
    struct wf_socket *server, *client;
    struct wf_address address;
    int rc = wf_udp_open("127.0.0.1", 0, &server);
    if (rc == 0) rc = wf_socket_local(server, &address);
    if (rc == 0) rc = wf_udp_connect("127.0.0.1", wf_address_port(&address), &client);
    if (rc < 0) return rc;

    WF_SCOPE(scope);
    wf_spawn(&scope, serve, server, .daemon = true);
    for (int i = 1; i <= COUNT && rc >= 0; i++) {
        char question[SIZE], answer[SIZE];
        snprintf(question, sizeof question, "question %d", i);
        rc = ask(client, question, answer);
        if (rc >= 0) printf("%s\n", answer);
    }
    rc = wf_scope_end(&scope, rc < 0 ? rc : 0);
    wf_socket_close(client);
    wf_socket_close(server);
    return rc;
}

int main(void)
{
    return wf_main(run, NULL);
}
