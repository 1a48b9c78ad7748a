/* Who minds a connection of HTTP/2: what has not moved for too long is refused, by streams where that is enough. */
#include <weft/extend.h>
#include <weft/task.h>
#include <weft/time.h>

#include "http/app.h"
#include "http/h2.h"

static const int64_t frugal_after = WF_SECONDS(1);

bool h2_count(struct h2 *h2, struct h2_rate *rate, uint32_t burst, uint32_t per_second)
{
    (void)h2;
    int64_t now = wf_now();
    uint64_t forgiven = (uint64_t)((now - rate->since) / (WF_SECONDS(1) / per_second));
    if (forgiven > 0) {
        rate->used = forgiven < rate->used ? rate->used - (uint32_t)forgiven : 0;
        rate->since = now;
    }
    return ++rate->used <= burst;
}

/* ---- Streams ---- */

static bool has_answer_left(const struct h2_stream *stream)
{
    return stream->out_end > stream->out_first || stream->lent_size > 0;
}

static void mind_stream(struct h2_stream *stream, const struct wf_http_limits *limits, int64_t now)
{
    bool skips = stream->answer_gone && !stream->client_done;
    bool waits = stream->waits_for_body || has_answer_left(stream) || skips;
    if (stream->moved != stream->seen_moved || !waits) stream->seen_at = now;
    stream->seen_moved = stream->moved;
    int64_t still = now - stream->seen_at;
    if (stream->waits_for_body && still > limits->body_time) {
        stream->body_late = true;
        wf_event_set(&stream->came);
    } else if (skips && still > limits->body_time) {
        h2_reset(stream->h2, stream->id, NGHTTP2_NO_ERROR);
    } else if (has_answer_left(stream) && still > limits->write_time) {
        h2_reset(stream->h2, stream->id, NGHTTP2_CANCEL);
    }
}

/* ---- The connection ---- */

/* How long the condition has held, by what was noted when it began. */
static int64_t lasts(bool holds, int64_t *since, int64_t now)
{
    if (!holds) *since = 0;
    else if (*since == 0) *since = now;
    return holds ? now - *since : 0;
}

static bool writer_is_stuck(struct h2 *h2, const struct wf_http_limits *limits, int64_t now)
{
    struct wf_stream_statistics statistics;
    wf_stream_statistics(h2->connection->stream, &statistics);
    bool moves = !h2->connection->writing || statistics.bytes_written != h2->seen_written;
    h2->seen_written = statistics.bytes_written;
    return lasts(!moves, &h2->written_at, now) > limits->write_time;
}

/* First the client hears that it should go, and with the next look that nothing more is taken: what it had sent
 * meanwhile is answered (RFC 9113 section 6.8). */
static void drain(struct h2 *h2)
{
    if (h2->drain == H2_GOING) return;
    bool warned = h2->drain == H2_WARNED || h2->count == 0;
    int rc = !warned ? nghttp2_submit_shutdown_notice(h2->session)
                     : nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, h2->highest, NGHTTP2_NO_ERROR, NULL, 0);
    h2_check(h2, rc);
    h2->drain = warned ? H2_GOING : H2_WARNED;
    h2_kick(h2);
}

/* An idle connection keeps no room for answers, nor what its frames have touched of the stack. */
static void be_frugal(struct h2 *h2)
{
    if (h2->connection->writing || h2->out_size > 0) return;
    wf_memory_free(h2->out);
    h2->out = NULL;
    h2->out_room = 0;
    if (h2->connection->trimmed) return;
    wf_scope_trim(h2->scope);
    h2->connection->trimmed = true;
}

void h2_mind(struct connection *connection, int64_t now)
{
    struct h2 *h2 = connection->protocol;
    const struct wf_http_limits *limits = &connection->server->app->private_->limits;
    if (writer_is_stuck(h2, limits, now)) connection_cut(connection, cut_slow);
    for (struct h2_stream *stream = h2->streams; stream != NULL; stream = stream->next)
        mind_stream(stream, limits, now);
    if (lasts(h2->in_head || !h2->greeted, &h2->head_at, now) > limits->head_time)
        h2_refuse(h2, NGHTTP2_ENHANCE_YOUR_CALM);
    int64_t idle = lasts(h2->count == 0, &h2->idle_at, now);
    if (idle > limits->idle_time) h2_refuse(h2, NGHTTP2_NO_ERROR);
    else if (idle > frugal_after) be_frugal(h2);
    else connection->trimmed = false;
    if (wf_draining()) drain(h2);
}
