/* The file that `file_read_4k` reads: 64 MiB in the page cache, without a name by the time it is read. */
#ifndef BENCH_FILE_H
#define BENCH_FILE_H

#include <fcntl.h>
#include <unistd.h>

#include "measure.h"

enum { FILE_BLOCK = 4096, FILE_BLOCKS = 16384, FILE_READERS = 32 };

/* Its path is left in `path`, a template of mkstemp(3); -1: it could not be made. */
static inline int make_read_file(char *path)
{
    static char block[FILE_BLOCK];
    int fd = mkstemp(path);
    for (int i = 0; fd >= 0 && i < FILE_BLOCKS; i++) {
        memset(block, i, sizeof block);
        if (write(fd, block, sizeof block) != (ssize_t)sizeof block) return -1;
    }
    return fd;
}

/* Where the next read is: the same in every language. */
static inline int64_t next_place(uint32_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return (int64_t)(*random % FILE_BLOCKS) * FILE_BLOCK;
}

#endif
