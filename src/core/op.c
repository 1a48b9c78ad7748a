/* Operations and descriptors: what lies between a suspending call and the driver. */
#include <stdio.h>

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

static void describe_peer(const struct desc *desc, struct wait_detail *detail)
{
    struct wf_address peer = {.size = sizeof(struct sockaddr_un)};
    char text[WF_ADDRESS_TEXT];
    if (!desc->socket || current_loop->driver->peer_name(current_loop, desc->fd, &peer.any, &peer.size) < 0) return;
    snprintf(detail->peer, sizeof detail->peer, "%s", wf_address_text(&peer, text));
}

static void describe_op(const struct wf_wait *wait, struct wait_detail *detail)
{
    const struct op *op = (const struct op *)wait;
    if (op->desc != NULL) {
        detail->descriptor = op->desc->fd;
        describe_peer(op->desc, detail);
        snprintf(detail->text, sizeof detail->text, "descriptor %d%s%s", op->desc->fd,
                 detail->peer[0] != '\0' ? ", peer " : "", detail->peer);
    } else if (op->kind == OP_POLL) {
        detail->descriptor = op->fd;
        snprintf(detail->text, sizeof detail->text, "descriptor %d", op->fd);
    } else if (op->kind == OP_OPEN || op->kind == OP_STAT || op->kind == OP_PATH) {
        snprintf(detail->text, sizeof detail->text, "%s", op->path);
    }
}

#define OP_CLASS(text, ...)                                                                                            \
    {                                                                                                                  \
        .name = text, .cancel = op_cancel, .operation = true, .describe = describe_op, __VA_ARGS__                     \
    }

static const struct wait_class op_classes[OP_KINDS] = {
    [OP_ACCEPT] = OP_CLASS("accept", .idle = true),
    [OP_CONNECT] = OP_CLASS("connect"),
    [OP_RECV] = OP_CLASS("recv"),
    [OP_SEND] = OP_CLASS("send"),
    [OP_RECEIVE_MESSAGE] = OP_CLASS("recvmsg"),
    [OP_SEND_MESSAGE] = OP_CLASS("sendmsg"),
    [OP_RECEIVE_MANY] = OP_CLASS("recvmmsg"),
    [OP_SEND_MANY] = OP_CLASS("sendmmsg"),
    [OP_READ] = OP_CLASS("read"),
    [OP_WRITE] = OP_CLASS("write"),
    [OP_OPEN] = OP_CLASS("open"),
    [OP_STAT] = OP_CLASS("stat"),
    [OP_SYNC] = OP_CLASS("fsync"),
    [OP_TRUNCATE] = OP_CLASS("truncate"),
    [OP_ALLOCATE] = OP_CLASS("fallocate"),
    [OP_LIST] = OP_CLASS("list"),
    [OP_PATH] = OP_CLASS("path"),
    [OP_POLL] = OP_CLASS("poll"),
    [OP_SPLICE_IN] = OP_CLASS("splice"),
    [OP_SPLICE_OUT] = OP_CLASS("splice"),
};

/* Gives true when it is over already. */
__attribute__((always_inline)) static inline bool submit(struct loop *loop, struct op *op)
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
    int rc = wait_check_in(loop, class->idle);
    if (rc < 0) return rc;
    if (op->desc != NULL && op->desc->closed) return -EBADF;
    int64_t result;
    do {
        if (submit(loop, op)) return wait_skipped_in(loop, op->wait.result);
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

static void let_go(struct loop *loop, struct desc *desc)
{
    birth_forget(loop, &desc->birth);
    loop->driver->close(loop, desc);
    desc->release(desc);
}

void op_complete(struct op *op, int64_t result)
{
    struct loop *loop = current_loop;
    struct desc *desc = op->desc;
    unlink_op(loop, op);
    if (desc != NULL && --desc->pending == 0 && desc->closed) let_go(loop, desc);
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
    birth_note(current_loop, &desc->birth, "descriptor", fd);
}

void desc_hand_over(struct desc *desc)
{
    birth_forget(current_loop, &desc->birth);
}

void desc_take_over(struct desc *desc)
{
    birth_adopt(current_loop, &desc->birth);
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
    let_go(current_loop, desc);
}
