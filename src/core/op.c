/* Operations and descriptors: what lies between a suspending call and the driver. */
#include "core/loop.h"

/* ---- Pending operations: on their descriptor's list, or on the loop's ---- */

static struct op_list *list_of(struct loop *loop, struct op *op)
{
    return op->desc != NULL ? &op->desc->ops : &loop->path_ops;
}

static void link_op(struct loop *loop, struct op *op)
{
    struct op_list *list = list_of(loop, op);
    op->next = NULL;
    op->prev = list->last;
    if (list->last != NULL) list->last->next = op;
    else list->first = op;
    list->last = op;
    if (op->desc != NULL) op->desc->pending++;
    loop->pending_ops++;
}

static void unlink_op(struct loop *loop, struct op *op)
{
    struct op_list *list = list_of(loop, op);
    if (op->next != NULL) op->next->prev = op->prev;
    else list->last = op->prev;
    if (op->prev != NULL) op->prev->next = op->next;
    else list->first = op->next;
    loop->pending_ops--;
}

static void op_cancel(struct wf_wait *wait, int code)
{
    struct op *op = (struct op *)wait;
    if (op->cancel_code == -ESHUTDOWN && code == -ECANCELED) op->cancel_code = code; /* drained, then cancelled */
    if (op->cancel_code != 0) return;
    op->cancel_code = code;
    current_loop->driver->cancel(current_loop, op);
}

/* The kernel's -ECANCELED means what we asked for; one that nobody asked for is a failure of the device. */
static int64_t translate(const struct op *op, int64_t result)
{
    if (result == -ECANCELED || (result == -EINTR && op->cancel_code != 0))
        return op->cancel_code != 0 ? op->cancel_code : -EIO;
    return result;
}

static const struct wait_class op_classes[OP_KINDS] = {
    [OP_ACCEPT] = {.name = "accept", .cancel = op_cancel, .operation = true, .idle = true},
    [OP_CONNECT] = {.name = "connect", .cancel = op_cancel, .operation = true},
    [OP_RECV] = {.name = "recv", .cancel = op_cancel, .operation = true},
    [OP_SEND] = {.name = "send", .cancel = op_cancel, .operation = true},
    [OP_RECEIVE_MESSAGE] = {.name = "recvmsg", .cancel = op_cancel, .operation = true},
    [OP_SEND_MESSAGE] = {.name = "sendmsg", .cancel = op_cancel, .operation = true},
    [OP_RECEIVE_MANY] = {.name = "recvmmsg", .cancel = op_cancel, .operation = true},
    [OP_SEND_MANY] = {.name = "sendmmsg", .cancel = op_cancel, .operation = true},
    [OP_READ] = {.name = "read", .cancel = op_cancel, .operation = true},
    [OP_WRITE] = {.name = "write", .cancel = op_cancel, .operation = true},
    [OP_OPEN] = {.name = "open", .cancel = op_cancel, .operation = true},
    [OP_STAT] = {.name = "stat", .cancel = op_cancel, .operation = true},
    [OP_SYNC] = {.name = "fsync", .cancel = op_cancel, .operation = true},
    [OP_TRUNCATE] = {.name = "truncate", .cancel = op_cancel, .operation = true},
    [OP_ALLOCATE] = {.name = "fallocate", .cancel = op_cancel, .operation = true},
    [OP_LIST] = {.name = "list", .cancel = op_cancel, .operation = true},
    [OP_PATH] = {.name = "path", .cancel = op_cancel, .operation = true},
    [OP_POLL] = {.name = "poll", .cancel = op_cancel, .operation = true},
    [OP_SPLICE_IN] = {.name = "splice", .cancel = op_cancel, .operation = true},
    [OP_SPLICE_OUT] = {.name = "splice", .cancel = op_cancel, .operation = true},
};

/* Gives true when it is over already. */
static bool submit(struct loop *loop, struct op *op)
{
    op->cancel_code = 0;
    if (__builtin_expect(loop->running->current->flags & NODE_WATCHED, 0) && inject_operation(loop, op)) return true;
    if (loop->driver->submit(loop, op)) return true;
    link_op(loop, op);
    return false;
}

int64_t op_run(struct op *op)
{
    struct loop *loop = current_loop;
    const struct wait_class *class = &op_classes[op->kind];
    int rc = wait_check(class->idle);
    if (rc < 0) return rc;
    if (op->desc != NULL && op->desc->closed) return -EBADF;
    int64_t result;
    do {
        if (submit(loop, op)) return wait_skipped(op->wait.result);
        result = suspend(&op->wait, class, op->desc);
        if (result != -EINTR || op->cancel_code != 0) return result;
        if (loop->running->current->flags & NODE_CANCELLED) return -ECANCELED;
    } while (op->desc == NULL || !op->desc->closed);
    return -EBADF;
}

/* Marks the operations whose task does not wait for them alone. */
static const struct wait_class started_class = {.name = "operation"};

bool op_start(struct op *op)
{
    struct loop *loop = current_loop;
    op->wait.task = loop->running;
    op->wait.class = &started_class;
    return submit(loop, op);
}

void op_stop(struct op *op)
{
    op_cancel(&op->wait, -ECANCELED);
}

void op_complete(struct op *op, int64_t result)
{
    struct loop *loop = current_loop;
    struct desc *desc = op->desc;
    unlink_op(loop, op);
    if (desc != NULL && --desc->pending == 0 && desc->closed) {
        loop->driver->close(loop, desc);
        desc->release(desc);
    }
    result = translate(op, result);
    if (op->wait.class == &started_class) op->done(op, result);
    else wait_end(&op->wait, result);
}

/* ---- Descriptors ---- */

void desc_init(struct desc *desc, int fd, void (*release)(struct desc *desc))
{
    desc->fd = fd;
    desc->release = release;
    current_loop->driver->attach(current_loop, desc);
}

void desc_close(struct desc *desc)
{
    desc->closed = true;
    desc->pending++; /* keeps it while its operations are ended, some of them at once */
    for (struct op *op = desc->ops.first, *next; op != NULL; op = next) {
        next = op->next;
        op_cancel(&op->wait, -EBADF);
    }
    desc_leave(desc);
}

void desc_leave(struct desc *desc)
{
    if (--desc->pending > 0 || !desc->closed) return;
    current_loop->driver->close(current_loop, desc);
    desc->release(desc);
}
