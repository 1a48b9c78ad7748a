/* Recording: a relay between a client and a server that writes down what both say. */
#include <stdio.h>
#include <string.h>
#include <weft/file.h>
#include <weft/task.h>
#include <weft/tcp.h>

#include "core/loop.h"
#include "testing/escape.h"
#include "testing/relay.h"

enum {
    SHOWN_MAX = 60, /* bytes of a line */
    LITERAL = 4 * SHOWN_MAX + 1,
    LINE_LENGTH = LITERAL + 40, /* at most */
    TEXT_SIZE = 2048,           /* of lines that are written at once */
};

struct recorder {
    struct wf_listener *listener;
    const char *host, *path;
    uint16_t port;
    struct wf_file *file;
    struct wf_mutex writing; /* one side at a time, in the order of what they said */
    int64_t offset, last_at;
    bool over;  /* by a reset: what comes now is only its consequence */
    int failed; /* the recorder, not the conversation */
    char text[TEXT_SIZE];
    size_t used;
};

/* ---- Lines ---- */

static int flush(struct recorder *recorder)
{
    if (recorder->offset + (int64_t)recorder->used > WF_CONVERSATION_MAX)
        return wf_fail(-EFBIG, "%s: the conversation has more than %d bytes of text", recorder->path,
                       WF_CONVERSATION_MAX);
    for (size_t done = 0; done < recorder->used;) {
        ssize_t put = wf_file_write_at(recorder->file, recorder->text + done, recorder->used - done, recorder->offset);
        if (put == -ECANCELED) return -ECANCELED;
        if (put < 0) return wf_fail((int)put, "%s: %s", recorder->path, wf_strerror((int)put));
        done += (size_t)put;
        recorder->offset += put;
    }
    recorder->used = 0;
    return 0;
}

/* The time is that of the first line of what came at once. */
static int add_line(struct recorder *recorder, bool to_server, const char *what)
{
    int rc = sizeof recorder->text - recorder->used < LINE_LENGTH ? flush(recorder) : 0;
    if (rc < 0) return rc;
    char *line = recorder->text + recorder->used;
    int64_t now = wf_now();
    int size = snprintf(line, LINE_LENGTH, "%c %s", to_server ? '>' : '<', what);
    if (now > recorder->last_at)
        size += snprintf(line + size, LINE_LENGTH - (size_t)size, " %.6f", wf_seconds(now - recorder->last_at));
    line[size++] = '\n';
    recorder->last_at = now;
    recorder->used += (size_t)size;
    return 0;
}

/* Lines of the text make lines of the file, where they are not too long for that. */
static int add_bytes(struct recorder *recorder, bool to_server, const char *bytes, size_t size)
{
    int rc = 0;
    for (size_t done = 0; done < size && rc == 0;) {
        size_t most = size - done < SHOWN_MAX ? size - done : SHOWN_MAX;
        const char *newline = memchr(bytes + done, '\n', most);
        size_t count = newline != NULL ? (size_t)(newline - (bytes + done)) + 1 : most;
        char literal[LITERAL], quoted[LITERAL + 2];
        escape(literal, sizeof literal, bytes + done, count);
        snprintf(quoted, sizeof quoted, "\"%s\"", literal);
        rc = add_line(recorder, to_server, quoted);
        done += count;
    }
    return rc;
}

static int write_down(struct recorder *recorder, bool to_server, const void *bytes, ssize_t got)
{
    if (recorder->over) return 0;
    recorder->over = got < 0;
    int rc = got > 0 ? add_bytes(recorder, to_server, bytes, (size_t)got)
                     : add_line(recorder, to_server, got == 0 ? "end" : "reset");
    return rc == 0 ? flush(recorder) : rc;
}

static int watch(void *context, bool to_server, const void *bytes, ssize_t got)
{
    struct recorder *recorder = context;
    int rc = wf_mutex_lock(&recorder->writing);
    if (rc < 0) return rc;
    rc = write_down(recorder, to_server, bytes, got);
    wf_mutex_unlock(&recorder->writing);
    if (rc < 0 && recorder->failed == 0) recorder->failed = rc;
    return rc;
}

/* ---- The task ---- */

static int relay(struct recorder *recorder, struct wf_stream *client, struct wf_stream *server)
{
    static const struct wf_flow unharmed;
    uint64_t counted = 0;
    struct relay relay = {
        .to_server = {.from = client, .to = server, .flow = &unharmed, .counted = &counted},
        .to_client = {.from = server, .to = client, .flow = &unharmed, .counted = &counted},
        .watch = watch,
        .context = recorder,
    };
    recorder->last_at = wf_now();
    int rc = relay_run(&relay);
    return rc == -ECANCELED || rc == -ENOMEM ? rc : recorder->failed;
}

static int record(struct recorder *recorder)
{
    struct wf_stream *client, *server;
    int rc = wf_tcp_accept(recorder->listener, &client);
    wf_listener_close(recorder->listener);
    if (rc < 0) return rc;
    rc = wf_file_open(recorder->path, O_WRONLY | O_CREAT | O_TRUNC, 0644, &recorder->file);
    if (rc == 0) rc = wf_tcp_connect(recorder->host, recorder->port, &server);
    if (rc == 0) rc = relay(recorder, client, server);
    else wf_stream_abort(client);
    wf_file_close(recorder->file);
    return rc;
}

int wf_test_record_(struct wf_scope *scope, const char *host, uint16_t port, const char *path,
                    const struct wf_test_record_options *options)
{
    if (options->size != sizeof *options || options->out_ == NULL || host == NULL || path == NULL) return -EINVAL;
    struct recorder recorder = {.host = host, .port = port, .path = path};
    int rc = wait_check(false);
    if (rc == 0) rc = wf_tcp_listen("127.0.0.1", 0, &recorder.listener);
    if (rc < 0) return rc;
    const char *name = options->name != NULL ? options->name : "recorder";
    *options->out_ = wf_listener_port(recorder.listener);
    rc = wf_spawn_copy(scope, record, &recorder, .name = name, .handle = options->handle);
    if (rc < 0) wf_listener_close(recorder.listener);
    return rc;
}
