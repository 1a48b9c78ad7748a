/* The same reads one after the other, by pread(2) alone. file_read_4k READS */
#include "../file.h"

int main(int argc, char **argv)
{
    char path[] = "/tmp/weft-bench-XXXXXX", block[FILE_BLOCK];
    long reads = argument(argc, argv, 1, 1000000);
    uint32_t random = 1;
    int fd = make_read_file(path);
    if (fd < 0) return 1;
    unlink(path);
    double started = wall_seconds();
    for (long i = 0; i < reads; i++)
        if (pread(fd, block, sizeof block, next_place(&random)) != (ssize_t)sizeof block) return 1;
    return print_result("file_read_4k", (wall_seconds() - started) * 1e9 / (double)reads);
}
