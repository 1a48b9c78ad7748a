/*
 * Floor of `echo`, completion, the other way: io_uring with one standing receive for each connection into a ring of
 * shared buffers. A buffer goes back to the ring when the kernel says that the answer in it has been sent.
 */
#define _GNU_SOURCE
#include "ring.h"

enum {
    BUFFERS = 4096,  /* more than the busy connections of any measurement: no receive finds the ring empty */
    BUFFER_GROUP = 0,
};

static struct io_uring_buf_ring *free_buffers;
static char *buffers;
static int returned;  /* buffers put back in this pass, not yet shown to the kernel */

static void return_buffer(unsigned buffer)
{
    io_uring_buf_ring_add(free_buffers, buffers + (size_t)buffer * BUFFER_SIZE, BUFFER_SIZE, (unsigned short)buffer,
                          io_uring_buf_ring_mask(BUFFERS), returned++);
}

static void show_returned_buffers(void)
{
    io_uring_buf_ring_advance(free_buffers, returned);
    returned = 0;
}

static void open_buffers(void)
{
    free_buffers = pages(BUFFERS * sizeof(struct io_uring_buf));
    buffers = pages((size_t)BUFFERS * BUFFER_SIZE);
    struct io_uring_buf_reg registration = {
        .ring_addr = (uintptr_t)free_buffers, .ring_entries = BUFFERS, .bgid = BUFFER_GROUP};
    if ((errno = -io_uring_register_buf_ring(&ring, &registration, 0)) != 0) fail("buffer ring");
    io_uring_buf_ring_init(free_buffers);
    for (unsigned i = 0; i < BUFFERS; i++) return_buffer(i);
    show_returned_buffers();
}

static void arm_receive(int connection)
{
    make_room(1);
    struct io_uring_sqe *submission = io_uring_get_sqe(&ring);
    io_uring_prep_recv_multishot(submission, connection, NULL, 0, 0);
    submission->flags |= IOSQE_BUFFER_SELECT;
    submission->buf_group = BUFFER_GROUP;
    submission->user_data = tag(RECEIVE, connection, 0);
}

static void send_back(int connection, unsigned buffer, size_t size)
{
    make_room(1);
    struct io_uring_sqe *submission = io_uring_get_sqe(&ring);
    io_uring_prep_send(submission, connection, buffers + (size_t)buffer * BUFFER_SIZE, size,
                       MSG_WAITALL | MSG_NOSIGNAL);
    submission->user_data = tag(SEND, connection, buffer);
}

static void accepted(const struct io_uring_cqe *completion)
{
    if (completion->res >= 0) {
        answer_without_delay(completion->res);
        arm_receive(completion->res);
    }
    if (!(completion->flags & IORING_CQE_F_MORE)) arm_accept(descriptor_of(completion));
}

static void received(const struct io_uring_cqe *completion)
{
    int connection = descriptor_of(completion);
    if (completion->res > 0)
        send_back(connection, completion->flags >> IORING_CQE_BUFFER_SHIFT, (size_t)completion->res);
    else if (completion->res != -ENOBUFS) {
        close(connection);
        return;
    }
    if (!(completion->flags & IORING_CQE_F_MORE)) arm_receive(connection);
}

static void handle(const struct io_uring_cqe *completion)
{
    switch (operation_of(completion)) {
    case ACCEPT:
        accepted(completion);
        break;
    case RECEIVE:
        received(completion);
        break;
    case SEND:
        return_buffer(buffer_of(completion));
        break;
    }
}

int main(void)
{
    open_ring();
    open_buffers();
    arm_accept(listen_on_loopback(0));
    for (;;) {
        wait_for_completions();
        unsigned head, reaped = 0;
        struct io_uring_cqe *completion;
        io_uring_for_each_cqe(&ring, head, completion) {
            handle(completion);
            reaped++;
        }
        show_returned_buffers();
        io_uring_cq_advance(&ring, reaped);
    }
}
