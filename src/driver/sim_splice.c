/* Splicing in the simulated world: the caller's pipe is memory to read into, or to write from. */
#include "driver/sim.h"

bool sim_splice_try(struct sim *sim, const struct op *op, int64_t *result)
{
    bool in = op->kind == OP_SPLICE_IN;
    struct sim_end *pipe = sim_end_of(sim, op->fd), *end = sim_end_of(sim, op->desc->fd);
    struct op piece = {.kind = in ? OP_READ : OP_WRITE, .offset = op->offset};
    *result = -EINVAL; /* a real device or directory */
    if (end == NULL || pipe == NULL) return true;
    piece.buffer = sim_pipe_part(pipe, &piece.size);
    if (piece.size > op->size) piece.size = op->size;
    if (end->kind == END_FILE) *result = sim_file_try(sim, end, &piece);
    else if (!sim_net_try(sim, end, &piece, result)) return false;
    if (*result > 0) sim_pipe_moved(pipe, (size_t)*result);
    return true;
}
