/*
 * Sending and receiving messages. A struct msghdr on the task's stack says where its bytes and its address are; several
 * at once go into an array of them.
 */
#include "net/socket.h"

#include <netinet/udp.h>
#include <string.h>
#include <weft/task.h>
#include <weft/time.h>

#include "base/memory.h"
#include "core/loop.h"
#include "net/descriptor.h"

enum { ADDRESS_ROOM = sizeof(struct wf_address) - offsetof(struct wf_address, any) };

/* Room for what says the size of segments. */
union segment_control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

static const int64_t retry_first = WF_MICROSECONDS(100), retry_last = WF_MILLISECONDS(10);

/* ---- One ---- */

/* The kernel has said how long an address is; longer than there is room for is none of ours. */
static void set_size(struct wf_address *address, socklen_t size)
{
    address->size = size <= ADDRESS_ROOM ? size : 0;
}

static int64_t run_one(struct wf_socket *socket, enum op_kind kind, const struct msghdr *message)
{
    struct op op;
    op.kind = kind;
    op.desc = &socket->desc;
    op.buffer = (void *)(uintptr_t)message;
    op.size = message->msg_iov->iov_len;
    op.flags = 0;
    return op_run(&op);
}

/* Whether another Unix socket has room is told to one that is connected to it only: asked again and again. */
static int64_t send_to_name(struct wf_socket *socket, const struct msghdr *message)
{
    int rc = wait_check(false);
    if (rc == 0 && socket->desc.closed) rc = -EBADF;
    for (int64_t wait = retry_first; rc == 0; wait = wait < retry_last ? wait * 2 : retry_last) {
        int64_t sent = current_loop->driver->send_now(current_loop, socket->desc.fd, message);
        if (sent != -EAGAIN) return wait_skipped(sent);
        socket->desc.pending++; /* keeps it while it sleeps */
        rc = wf_sleep(wait);
        if (rc == 0 && socket->desc.closed) rc = -EBADF;
        desc_leave(&socket->desc);
    }
    return rc;
}

int64_t socket_send(struct wf_socket *socket, const struct msghdr *message)
{
    bool by_name = socket->family == AF_UNIX && message->msg_namelen > 0;
    return by_name ? send_to_name(socket, message) : run_one(socket, OP_SEND_MESSAGE, message);
}

ssize_t wf_socket_send(struct wf_socket *socket, const void *bytes, size_t size, const struct wf_address *to)
{
    (void)LOOP_HERE();
    if (size == 0 && socket->packets) return -EINVAL;
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (to != NULL && to->size > 0) {
        message.msg_name = (void *)(uintptr_t)&to->any;
        message.msg_namelen = to->size;
    }
    return socket_send(socket, &message);
}

ssize_t wf_socket_receive(struct wf_socket *socket, void *buffer, size_t size, struct wf_address *from)
{
    (void)LOOP_HERE();
    bool packets = socket->packets; /* it may be gone when the call returns */
    struct iovec part = {.iov_base = buffer, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (from != NULL) {
        message.msg_name = &from->any;
        message.msg_namelen = ADDRESS_ROOM;
    }
    ssize_t got = run_one(socket, OP_RECEIVE_MESSAGE, &message);
    if (got < 0) return got;
    if (from != NULL) set_size(from, message.msg_namelen);
    if (message.msg_flags & MSG_TRUNC) return -EMSGSIZE;
    return got == 0 && packets ? WF_EEND : got;
}

/* ---- Many ---- */

static int64_t run_many(struct wf_socket *socket, enum op_kind kind, struct mmsghdr *headers, int count)
{
    struct op op;
    op.kind = kind;
    op.desc = &socket->desc;
    op.buffer = headers;
    op.size = (size_t)count;
    op.flags = 0;
    return op_run(&op);
}

static void ask_for_segments(struct msghdr *header, union segment_control *control, uint16_t segment)
{
    header->msg_control = control;
    header->msg_controllen = CMSG_SPACE(sizeof segment);
    struct cmsghdr *part = CMSG_FIRSTHDR(header);
    part->cmsg_level = SOL_UDP;
    part->cmsg_type = UDP_SEGMENT;
    part->cmsg_len = CMSG_LEN(sizeof segment);
    memcpy(CMSG_DATA(part), &segment, sizeof segment);
}

int wf_socket_send_many(struct wf_socket *socket, const struct wf_message *messages, int count)
{
    (void)LOOP_HERE();
    struct mmsghdr headers[WF_MESSAGES_MAX];
    struct iovec parts[WF_MESSAGES_MAX];
    union segment_control controls[WF_MESSAGES_MAX];
    if (count < 1) return -EINVAL;
    if (count > WF_MESSAGES_MAX) count = WF_MESSAGES_MAX;
    for (int i = 0; i < count; i++) {
        const struct wf_message *message = &messages[i];
        struct msghdr *header = &headers[i].msg_hdr;
        if (message->size == 0 && socket->packets) return -EINVAL;
        parts[i] = (struct iovec){.iov_base = message->bytes, .iov_len = message->size};
        *header = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
        if (message->address.size > 0) header->msg_name = (void *)(uintptr_t)&message->address.any;
        header->msg_namelen = message->address.size;
        if (message->segment > 0) ask_for_segments(header, &controls[i], message->segment);
    }
    if (socket->family != AF_UNIX || headers[0].msg_hdr.msg_namelen == 0)
        return (int)run_many(socket, OP_SEND_MANY, headers, count);
    int64_t rc = send_to_name(socket, &headers[0].msg_hdr);
    return rc < 0 ? (int)rc : 1;
}

static uint16_t segment_of(struct msghdr *header)
{
    int size = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL; part = CMSG_NXTHDR(header, part))
        if (part->cmsg_level == SOL_UDP && part->cmsg_type == UDP_GRO) memcpy(&size, CMSG_DATA(part), sizeof size);
    return (uint16_t)size;
}

static void take_header(struct wf_message *message, struct mmsghdr *header)
{
    message->size = header->msg_len;
    message->cut = header->msg_hdr.msg_flags & MSG_TRUNC;
    message->segment = header->msg_hdr.msg_control != NULL ? segment_of(&header->msg_hdr) : 0;
    set_size(&message->address, header->msg_hdr.msg_namelen);
}

int wf_socket_receive_many(struct wf_socket *socket, struct wf_message *messages, int count)
{
    (void)LOOP_HERE();
    struct mmsghdr headers[WF_MESSAGES_MAX];
    struct iovec parts[WF_MESSAGES_MAX];
    union segment_control controls[WF_MESSAGES_MAX];
    bool packets = socket->packets;
    if (count < 1) return -EINVAL;
    if (count > WF_MESSAGES_MAX) count = WF_MESSAGES_MAX;
    for (int i = 0; i < count; i++) {
        parts[i] = (struct iovec){.iov_base = messages[i].bytes, .iov_len = messages[i].size};
        headers[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i],
                                             .msg_iovlen = 1,
                                             .msg_name = &messages[i].address.any,
                                             .msg_namelen = ADDRESS_ROOM,
                                             .msg_control = socket->coalesce ? &controls[i] : NULL,
                                             .msg_controllen = socket->coalesce ? sizeof controls[i] : 0};
    }
    int got = (int)run_many(socket, OP_RECEIVE_MANY, headers, count);
    for (int i = 0; i < got; i++) take_header(&messages[i], &headers[i]);
    if (got < 0 || !packets) return got;
    while (got > 0 && messages[got - 1].size == 0) got--; /* the end is told again and again */
    return got > 0 ? got : WF_EEND;
}

/* ---- Beginning and end ---- */

struct wf_socket *socket_alloc(sa_family_t family, bool packets)
{
    struct wf_socket *socket = memory_zero(sizeof *socket);
    if (socket == NULL) return NULL;
    socket->desc.socket = true;
    socket->family = family;
    socket->packets = packets;
    return socket;
}

static void socket_release(struct desc *desc)
{
    struct wf_socket *socket = (struct wf_socket *)((char *)desc - offsetof(struct wf_socket, desc));
    memory_free(socket->path);
    memory_free(socket);
}

void socket_begin(struct wf_socket *socket, int fd)
{
    desc_init(&socket->desc, fd, socket_release);
}

int socket_new(int fd, sa_family_t family, bool packets, struct wf_socket **out)
{
    struct wf_socket *socket = socket_alloc(family, packets);
    if (socket == NULL) {
        current_loop->driver->close_fd(current_loop, fd);
        return -ENOMEM;
    }
    socket_begin(socket, fd);
    *out = socket;
    return 0;
}

void wf_socket_close(struct wf_socket *socket)
{
    if (socket == NULL) return;
    struct loop *loop = LOOP_ALIVE();
    if (socket->path != NULL) loop->driver->remove_name(loop, socket->path);
    desc_close(&socket->desc);
}

/* ---- Asking ---- */

int wf_socket_local(const struct wf_socket *socket, struct wf_address *address)
{
    (void)LOOP_HERE();
    return desc_address(&socket->desc, false, address);
}

int wf_socket_peer(const struct wf_socket *socket, struct wf_address *address)
{
    (void)LOOP_HERE();
    return desc_address(&socket->desc, true, address);
}

int wf_socket_fd(const struct wf_socket *socket)
{
    return socket->desc.fd;
}
