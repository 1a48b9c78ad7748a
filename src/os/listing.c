#include "os/listing.h"

#include <fcntl.h>
#include <weft/task.h>

#include "base/memory.h"
#include "core/loop.h"

enum { BUFFER = 8192 };

struct listing {
    struct desc desc;
    unsigned flags;
    size_t used, next;
    _Alignas(struct listed) char buffer[BUFFER];
};

int path_failed(int rc, const char *path)
{
    if (rc != -ECANCELED && rc != -EBADF) wf_fail(rc, "%s: %s", path, wf_strerror(rc));
    return rc;
}

static void released(struct desc *desc)
{
    memory_free((char *)desc - offsetof(struct listing, desc));
}

int listing_open(const char *path, unsigned flags, struct listing **out)
{
    struct listing *listing = memory_zero(sizeof *listing);
    if (listing == NULL) return -ENOMEM;
    struct op op = {.kind = OP_OPEN, .path = path, .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC};
    int fd = (int)op_run(&op);
    if (fd < 0) {
        memory_free(listing);
        return fd;
    }
    listing->flags = flags;
    desc_init(&listing->desc, fd, released);
    *out = listing;
    return 0;
}

static int refill(struct listing *listing)
{
    struct op op = {
        .kind = OP_LIST,
        .desc = &listing->desc,
        .buffer = listing->buffer,
        .size = BUFFER,
        .flags = listing->flags,
    };
    int64_t rc = op_run(&op);
    if (rc < 0) return (int)rc;
    listing->used = (size_t)rc;
    listing->next = 0;
    listing->flags = op.flags;
    return 0;
}

int listing_next(struct listing *listing, const struct listed **listed)
{
    while (listing->next == listing->used) {
        if (listing->flags & LIST_ENDED) return 0;
        int rc = refill(listing);
        if (rc < 0) return rc;
    }
    *listed = (const struct listed *)(const void *)(listing->buffer + listing->next);
    listing->next += (*listed)->size;
    return 1;
}

void listing_close(struct listing *listing)
{
    if (listing != NULL) desc_close(&listing->desc);
}
