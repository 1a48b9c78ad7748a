/*
 * A loop inside another one: it is the thread's current loop only while it has its turn.
 *
 *     begin --turn: 1--> going --turn: 0--> ended --finish--> gone
 *                          \---------------finish: cancels, works until all has ended
 */
#include <weft/embed.h>

#include "base/memory.h"
#include "core/run.h"
#include "core/scope.h"

struct wf_embedded {
    struct run run;
    bool ended;
};

int wf_embed_begin_(struct wf_embedded **out, int (*fn)(void *), const struct wf_run_options *options)
{
    if (current_loop != NULL) return -EBUSY;
    struct wf_embedded *embedded = memory_zero(sizeof *embedded);
    if (embedded == NULL) return -ENOMEM;
    embedded->run.embedded = true;
    int rc = run_begin(&embedded->run, fn, options);
    if (rc < 0) {
        memory_free(embedded);
        return rc;
    }
    current_loop = NULL;
    *out = embedded;
    return 0;
}

int wf_embed_fd(const struct wf_embedded *embedded)
{
    if (embedded == NULL) return -EBADF;
    return embedded->run.fd;
}

int64_t wf_embed_patience(const struct wf_embedded *embedded)
{
    if (embedded == NULL) return WF_FOREVER;
    return embedded->ended ? 0 : loop_patience(embedded->run.loop);
}

int wf_embed_turn(struct wf_embedded *embedded)
{
    if (current_loop != NULL) return -EBUSY;
    if (embedded == NULL) return -EINVAL;
    if (embedded->ended) return 0;
    current_loop = embedded->run.loop;
    embedded->ended = !loop_turn(embedded->run.loop);
    current_loop = NULL;
    return embedded->ended ? 0 : 1;
}

int wf_embed_finish(struct wf_embedded *embedded)
{
    if (current_loop != NULL) return -EBUSY;
    if (embedded == NULL) return 0;
    struct loop *loop = embedded->run.loop;
    current_loop = loop;
    if (!embedded->ended)
        node_cancel(&loop->root.node_, &loop->root.reason_, WF_REASON_EXPLICIT, "the loop around it ended", "");
    int rc = run_end(&embedded->run);
    memory_free(embedded);
    return rc;
}
