/* Tunnels: CONNECT, said to a proxy over HTTP/1.1 (RFC 9110 section 9.3.6). */
#include <string.h>
#include <weft/stream.h>
#include <weft/task.h>

#include "client/c1.h"
#include "client/proxy.h"

enum { ROOM_FIRST = 1024, INTERIM_MAX = 20 };

static int ask(struct call *call, struct wf_stream *stream, const struct proxy *proxy)
{
    const struct origin *origin = call->origin;
    const char *agent = call->client->options.user_agent;
    bool v6 = strchr(origin->host, ':') != NULL;
    const char *authority = wf_arena_printf(call->arena, v6 ? "[%s]:%u" : "%s:%u", origin->host, origin->port);
    if (authority == NULL) return -ENOMEM;
    const char *text = wf_arena_printf(call->arena, "CONNECT %s HTTP/1.1\r\nhost: %s\r\n%s%s%s%s%s%s\r\n", authority,
                                       authority, proxy->login != NULL ? "proxy-authorization: " : "",
                                       proxy->login != NULL ? proxy->login : "", proxy->login != NULL ? "\r\n" : "",
                                       agent[0] != '\0' ? "user-agent: " : "", agent, agent[0] != '\0' ? "\r\n" : "");
    int rc = text == NULL ? -ENOMEM : wf_stream_write_all(stream, text, strlen(text), NULL);
    return rc < 0 ? proxy_stream_failed(rc) : rc;
}

struct answer {
    char *text;
    size_t size, room;
};

static int make_room(struct call *call, struct answer *answer)
{
    size_t head_max = call->client->options.limits.head_max;
    if (answer->size < answer->room) return 0;
    if (answer->room >= head_max) return wf_fail(-EMSGSIZE, "its answer is longer than %zu bytes", head_max);
    size_t room = answer->room == 0 ? ROOM_FIRST : answer->room * 2;
    if (room > head_max) room = head_max;
    char *text = wf_arena_alloc(call->arena, room);
    if (text == NULL) return -ENOMEM;
    if (answer->text != NULL) memcpy(text, answer->text, answer->size);
    answer->text = text;
    answer->room = room;
    return 0;
}

/* Where the empty line ends; 0: it has not come. */
static size_t head_size(const struct answer *answer)
{
    const char *end = answer->text != NULL ? memmem(answer->text, answer->size, "\r\n\r\n", 4) : NULL;
    return end != NULL ? (size_t)(end - answer->text) + 4 : 0;
}

static int read_head(struct call *call, struct wf_stream *stream, struct answer *answer, size_t *size)
{
    while ((*size = head_size(answer)) == 0) {
        int rc = make_room(call, answer);
        if (rc < 0) return rc;
        ssize_t got = wf_stream_read(stream, answer->text + answer->size, answer->room - answer->size);
        if (got < 0) return proxy_stream_failed((int)got);
        if (got == 0) return wf_fail(-ECONNRESET, "it closed the connection without an answer");
        answer->size += (size_t)got;
    }
    return 0;
}

/* The status of the first head in the answer, which is taken off. */
static int take_status(struct call *call, struct answer *answer, size_t size)
{
    struct wf_response response = {.status = 0};
    struct call asked = {.client = call->client, .arena = call->arena, .method = WF_CONNECT, .response = &response};
    char *head = answer->text != NULL ? wf_arena_copy(call->arena, answer->text, size) : NULL;
    if (head == NULL) return -ENOMEM;
    memmove(answer->text, answer->text + size, answer->size - size);
    answer->size -= size;
    int rc = c1_parse_head(&asked, head, size);
    if (rc < 0) return asked.why != NULL ? wf_fail(rc, "%s", asked.why) : rc;
    return response.status;
}

static int judge(const struct answer *answer, int status)
{
    if (status == 407) return wf_fail(-EACCES, "it wants another login: 407");
    if (status < 200 || status >= 300)
        return wf_fail(-ECONNREFUSED, "it does not connect: %d %s", status, wf_status_reason(status));
    return answer->size == 0 ? 0 : wf_fail(-EPROTO, "it says more than it was asked");
}

int tunnel_open(struct call *call, struct wf_stream *stream, const struct proxy *proxy)
{
    struct answer answer = {.size = 0};
    size_t size;
    int rc = ask(call, stream, proxy), status = 100;
    for (int i = 0; rc == 0 && i < INTERIM_MAX && status < 200; i++) {
        rc = read_head(call, stream, &answer, &size);
        status = rc == 0 ? take_status(call, &answer, size) : rc;
        if (status < 0) return status;
    }
    return rc < 0 ? rc : judge(&answer, status);
}
