/* Peers that follow a script, as tasks of a scope, and pairs of connected streams. */
#include <weft/peer.h>

#include <stdio.h>
#include <weft/task.h>
#include <weft/tcp.h>
#include <weft/testing.h>

#include "core/loop.h"
#include "testing/script.h"

/* ---- A pair ---- */

static int connect_pair(struct wf_listener *listener, struct wf_stream **a, struct wf_stream **b)
{
    struct wf_stream *client;
    int rc = wf_tcp_connect("127.0.0.1", wf_listener_port(listener), &client);
    if (rc < 0) return rc;
    rc = wf_tcp_accept(listener, b);
    if (rc < 0) wf_stream_close(client);
    else *a = client;
    return rc;
}

int wf_test_pair(struct wf_stream **a, struct wf_stream **b)
{
    struct wf_listener *listener = NULL;
    int rc = wait_check(false);
    if (rc == 0) rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    rc = connect_pair(listener, a, b);
    wf_listener_close(listener);
    return rc;
}

/* ---- Peers ---- */

int wf_test_play(struct wf_stream *stream, const struct wf_step *steps, size_t count)
{
    struct play play = {.stream = stream, .steps = steps, .count = count};
    int rc = script_check(steps, count);
    if (rc == 0) rc = script_follow(&play);
    if (rc == 0 && script_stalls(&play)) rc = wf_sleep_until(WF_FOREVER);
    wf_stream_close(play.stream);
    return rc;
}

struct peer {
    struct play play;
    struct wf_listener *listener; /* of a server */
    struct wf_scope *scope;
    const char *place; /* of the call that made it */
};

static int hold(struct wf_stream *stream)
{
    int rc = wf_sleep_until(WF_FOREVER);
    wf_stream_close(stream);
    return rc;
}

/* The last step of a script that stalls: a daemon keeps the connection open, so that the scope can end. */
static int stall(struct peer *peer)
{
    int rc = wf_spawn(peer->scope, hold, peer->play.stream, .name = "stalled peer", .daemon = true);
    if (rc == 0) peer->play.stream = NULL;
    return rc;
}

/* A peer that is cancelled sees what the others do who are cancelled too: that says nothing. */
static void fail_test(const struct peer *peer)
{
    if (wf_cancelled()) return;
    char text[600];
    snprintf(text, sizeof text, "the peer's script is followed: %s", wf_failure());
    wf_test_expect_(false, text, peer->place);
}

static int be_peer(struct peer *peer)
{
    int rc = script_follow(&peer->play);
    if (rc < 0) fail_test(peer);
    if (rc == 0 && script_stalls(&peer->play)) rc = stall(peer);
    wf_stream_close(peer->play.stream);
    return rc;
}

static int be_server(struct peer *peer)
{
    int rc = wf_tcp_accept(peer->listener, &peer->play.stream);
    wf_listener_close(peer->listener);
    return rc == 0 ? be_peer(peer) : rc;
}

int wf_test_peer_(struct wf_scope *scope, const struct wf_step *steps, size_t count,
                  const struct wf_test_peer_options *options)
{
    if (options->size != sizeof *options || options->out_ == NULL) return -EINVAL;
    struct peer peer = {.play = {.steps = steps, .count = count}, .scope = scope, .place = options->place_};
    int rc = wait_check(false);
    if (rc == 0) rc = script_check(steps, count);
    struct wf_stream *mine = NULL;
    if (rc == 0) rc = wf_test_pair(&mine, &peer.play.stream);
    if (rc < 0) return rc;
    const char *name = options->name != NULL ? options->name : "peer";
    rc = wf_spawn_copy(scope, be_peer, &peer, .name = name, .handle = options->handle);
    if (rc == 0) {
        *options->out_ = mine;
        return 0;
    }
    wf_stream_close(mine);
    wf_stream_close(peer.play.stream);
    return rc;
}

int wf_test_server_(struct wf_scope *scope, const struct wf_step *steps, size_t count,
                    const struct wf_test_server_options *options)
{
    if (options->size != sizeof *options || options->out_ == NULL) return -EINVAL;
    struct peer peer = {.play = {.steps = steps, .count = count}, .scope = scope, .place = options->place_};
    int rc = wait_check(false);
    if (rc == 0) rc = script_check(steps, count);
    if (rc == 0) rc = wf_tcp_listen("127.0.0.1", 0, &peer.listener);
    if (rc < 0) return rc;
    const char *name = options->name != NULL ? options->name : "server";
    *options->out_ = wf_listener_port(peer.listener);
    rc = wf_spawn_copy(scope, be_server, &peer, .name = name, .handle = options->handle);
    if (rc < 0) wf_listener_close(peer.listener);
    return rc;
}
