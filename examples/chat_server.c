/*
 * A chat: what one says, all others hear. Each client has a task that reads and one that writes, with a queue between
 * them and the others. Nobody waits for a client that does not listen: when its queue is full, it is thrown out.
 * The first SIGTERM drains: clients that say nothing are sent home. Without arguments, three clients of its own talk.
 *
 *     weft run examples/chat_server.c --port 7000         and then: nc 127.0.0.1 7000
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/weft.h>

enum { LINE = 256, BEHIND_MAX = 64 };

struct line {
    char text[LINE];
};

/* Those who are in the room. */
struct room {
    struct client *clients;
    uint64_t thrown_out;
};

struct client {
    struct client *next, **link;
    struct wf_stream *conn;
    struct wf_channel *lines; /* to be written */
    struct wf_scope *scope;
};

static void say_to_others(struct room *room, const struct client *speaker, const struct line *line)
{
    for (struct client *client = room->clients; client != NULL; client = client->next) {
        if (client == speaker || wf_try_send(client->lines, line) != -EAGAIN) continue;
        wf_scope_cancel(client->scope, "does not listen");
        room->thrown_out++;
    }
}

static int write_lines(struct client *client)
{
    struct line line;
    int rc;
    while ((rc = wf_receive(client->lines, &line)) > 0) {
        rc = wf_stream_write_all(client->conn, line.text, strlen(line.text), NULL);
        if (rc < 0) break;
    }
    return rc;
}

/* Whoever speaks gives way after each line, so that the others can be told. */
static int read_lines(struct room *room, struct client *client)
{
    struct line line;
    size_t size = 0;
    char byte;
    ssize_t got;
    while ((got = wf_idle(wf_stream_read(client->conn, &byte, 1))) > 0) {
        line.text[size++] = byte;
        if (byte != '\n' && size < LINE - 1) continue;
        line.text[size] = '\0';
        size = 0;
        say_to_others(room, client, &line);
        int rc = wf_yield();
        if (rc < 0) return rc;
    }
    return (int)got;
}

static void enter(struct room *room, struct client *client)
{
    client->next = room->clients;
    client->link = &room->clients;
    if (client->next != NULL) client->next->link = &client->next;
    room->clients = client;
}

static void leave(struct client *client)
{
    *client->link = client->next;
    if (client->next != NULL) client->next->link = client->link;
}

static int chat(struct room *room, struct wf_stream *conn)
{
    struct client client = {.conn = conn};
    int rc = wf_channel_create(sizeof(struct line), BEHIND_MAX, NULL, &client.lines);
    if (rc < 0) return rc;
    {
        WF_SCOPE(scope);
        client.scope = &scope;
        enter(room, &client);
        wf_spawn(&scope, write_lines, &client, .daemon = true);
        rc = wf_try_send(client.lines, &(struct line){"welcome\n"});
        if (rc == 0) rc = read_lines(room, &client);
        leave(&client);
        rc = wf_scope_end(&scope, rc);
    }
    wf_channel_destroy(client.lines);
    return rc;
}

static int serve(struct wf_listener *listener)
{
    struct room room = {.clients = NULL};
    return wf_serve_streams(listener, chat, &room, .limit = 1000, .name = "client");
}

/* ---- Three who talk ---- */

static int hear(struct wf_stream *conn, char *text)
{
    size_t size = 0;
    ssize_t got = 1;
    while (got > 0 && size < LINE - 1 && (size == 0 || text[size - 1] != '\n')) {
        got = wf_stream_read(conn, text + size, 1);
        if (got > 0) size++;
    }
    text[size > 0 ? size - 1 : 0] = '\0';
    return got > 0 ? 0 : -EPROTO;
}

static int talk(struct wf_stream *conns[3])
{
    static const char *const names[] = {"ada", "bob", "eve"};
    char text[LINE];
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++) rc = hear(conns[i], text); /* "welcome": they are in */
    for (int speaker = 0; speaker < 2 && rc == 0; speaker++) {
        int size = snprintf(text, sizeof text, "hello from %s\n", names[speaker]);
        rc = wf_stream_write_all(conns[speaker], text, (size_t)size, NULL);
        for (int i = 0; i < 3 && rc == 0; i++) {
            if (i == speaker) continue;
            rc = hear(conns[i], text);
            if (rc == 0) printf("%s hears: %s\n", names[i], text);
        }
    }
    return rc;
}

static int talk_to_oneself(struct wf_listener *listener)
{
    struct wf_stream *conns[3] = {NULL};
    WF_SCOPE(server, .timeout = WF_SECONDS(10));
    wf_spawn(&server, serve, listener);
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++) rc = wf_tcp_connect("127.0.0.1", wf_listener_port(listener), &conns[i]);
    if (rc == 0) rc = talk(conns);
    for (int i = 0; i < 3; i++) wf_stream_close(conns[i]);
    wf_scope_drain(&server);
    return wf_scope_end(&server, rc);
}

static int run(const char *port)
{
    struct wf_listener *listener;
    int rc = wf_tcp_listen("127.0.0.1", port != NULL ? (uint16_t)strtoul(port, NULL, 10) : 0, &listener);
    if (rc < 0) return rc;
    rc = port != NULL ? serve(listener) : talk_to_oneself(listener);
    wf_listener_close(listener);
    return rc;
}

int main(int argc, char **argv)
{
    if (argc != 1 && (argc != 3 || strcmp(argv[1], "--port") != 0)) {
        fprintf(stderr, "usage: %s [--port N]\n", argv[0]);
        return 2;
    }
    return wf_main(run, argc == 3 ? argv[2] : NULL, .signals = true, .grace = WF_SECONDS(10));
}
