/*
 * Floor of `echo`, completion: io_uring with one receive at a time into the connection's own buffer. The answer and the
 * next receive are one chain of two, so the buffer is not written before it has been sent, and a pass of the loop is
 * one system call for all connections.
 */
#define _GNU_SOURCE
#include "ring.h"

enum { DESCRIPTORS_MAX = 65536 };

static char *buffers[DESCRIPTORS_MAX];

static void arm_receive(int connection)
{
    struct io_uring_sqe *submission = io_uring_get_sqe(&ring);
    io_uring_prep_recv(submission, connection, buffers[connection], BUFFER_SIZE, 0);
    submission->user_data = tag(RECEIVE, connection, 0);
}

static void accepted(const struct io_uring_cqe *completion)
{
    int connection = completion->res;
    if (connection >= 0 && connection < DESCRIPTORS_MAX) {
        answer_without_delay(connection);
        if (buffers[connection] == NULL) buffers[connection] = malloc(BUFFER_SIZE);
        if (buffers[connection] == NULL) fail("buffer");
        make_room(1);
        arm_receive(connection);
    }
    if (!(completion->flags & IORING_CQE_F_MORE)) arm_accept(descriptor_of(completion));
}

static void received(const struct io_uring_cqe *completion)
{
    int connection = descriptor_of(completion);
    if (completion->res <= 0) {
        close(connection);
        return;
    }
    make_room(2);
    struct io_uring_sqe *submission = io_uring_get_sqe(&ring);
    io_uring_prep_send(submission, connection, buffers[connection], (size_t)completion->res,
                       MSG_WAITALL | MSG_NOSIGNAL);
    submission->flags |= IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
    submission->user_data = tag(SEND, connection, 0);
    arm_receive(connection);
}

int main(void)
{
    open_ring();
    arm_accept(listen_on_loopback(0));
    for (;;) {
        wait_for_completions();
        unsigned head, reaped = 0;
        struct io_uring_cqe *completion;
        io_uring_for_each_cqe(&ring, head, completion) {
            /* A send completes only when it failed; then its receive fails too and closes the connection. */
            if (operation_of(completion) == ACCEPT) accepted(completion);
            if (operation_of(completion) == RECEIVE) received(completion);
            reaped++;
        }
        io_uring_cq_advance(&ring, reaped);
    }
}
