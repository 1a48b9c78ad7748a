/* What a test makes happen on purpose: a cancel or a failure at a chosen call inside its scope. */
#include <weft/run.h>

#include "core/loop.h"

static bool is_due(struct injection *injection)
{
    if (injection->times > 0 && !injection->persistent) return false;
    if (injection->left > 0 && --injection->left > 0) return false;
    injection->times++;
    return true;
}

static bool means_cancel(enum injection_kind kind, bool in_flight)
{
    if (!in_flight) return kind == INJECT_CANCEL_ENTRY;
    return kind == INJECT_CANCEL_IN_FLIGHT || kind == INJECT_CANCEL_COMPLETED;
}

uint32_t inject_cancel(struct loop *loop, struct wf_task *task, bool in_flight)
{
    struct injection *injection = &loop->injection;
    struct wf_scope *scope = injection->scope;
    if (means_cancel(injection->kind, in_flight) && is_due(injection))
        node_cancel(&scope->node_, &scope->reason_, WF_REASON_EXPLICIT, "injected by a test", scope->place_);
    return task->current->flags;
}

/* How each kind of operation fails in life. */
static const int failures[OP_KINDS] = {
    [OP_ACCEPT] = -EMFILE,
    [OP_CONNECT] = -ECONNREFUSED,
    [OP_RECV] = -ECONNRESET,
    [OP_SEND] = -ECONNRESET,
    [OP_READ] = -EIO,
    [OP_WRITE] = -EIO,
    [OP_OPEN] = -EMFILE,
    [OP_STAT] = -EIO,
    [OP_SYNC] = -EIO,
    [OP_TRUNCATE] = -EIO,
    [OP_ALLOCATE] = -ENOSPC,
    [OP_LIST] = -EIO,
    [OP_PATH] = -EIO,
    [OP_POLL] = -ENOMEM,
    [OP_RECEIVE_MESSAGE] = -ECONNRESET,
    [OP_SEND_MESSAGE] = -ECONNRESET,
    [OP_SPLICE_IN] = -EIO,
    [OP_SPLICE_OUT] = -ECONNRESET,
    [OP_RECEIVE_MANY] = -ECONNREFUSED,
    [OP_SEND_MANY] = -ECONNREFUSED,
};

enum { SHORTS_MAX = 1000 }; /* megabytes, byte by byte, would take for ever */

static bool transfers(const struct op *op)
{
    return op->kind == OP_RECV || op->kind == OP_SEND || op->kind == OP_READ || op->kind == OP_WRITE ||
           op->kind == OP_SPLICE_IN || op->kind == OP_SPLICE_OUT || (op->kind == OP_SEND_MESSAGE && op->desc->stream);
}

static void shorten(struct op *op)
{
    op->size = 1;
    if (op->kind != OP_SEND_MESSAGE) return;
    struct msghdr *message = op->buffer;
    message->msg_iovlen = 1;
    message->msg_iov->iov_len = 1;
}

bool inject_operation(struct loop *loop, struct op *op)
{
    struct injection *injection = &loop->injection;
    switch (injection->kind) {
    case INJECT_FAILED_OPERATION:
        op->wait.result = failures[op->kind];
        return is_due(injection);
    case INJECT_SHORT_OPERATION:
        if (transfers(op) && op->size > 1 && injection->times < SHORTS_MAX && is_due(injection)) shorten(op);
        return false;
    default:
        return false;
    }
}
