/* 32 tasks read blocks of 4 KiB anywhere in a file that is in the page cache. file_read_4k READS */
#include "../file.h"

#include <weft/weft.h>

struct reader {
    struct wf_file *file;
    uint32_t random;
    long reads;
};

static int read_blocks(struct reader *reader)
{
    char block[FILE_BLOCK];
    for (long i = 0; i < reader->reads; i++) {
        ssize_t got = wf_file_read_at(reader->file, block, sizeof block, next_place(&reader->random));
        if (got != (ssize_t)sizeof block) return got < 0 ? (int)got : -EIO;
    }
    return 0;
}

static int measure(const long *reads)
{
    char path[] = "/tmp/weft-bench-XXXXXX";
    struct reader readers[FILE_READERS];
    struct wf_file *file;
    int fd = make_read_file(path);
    if (fd < 0) return -EIO;
    close(fd);
    int rc = wf_file_open(path, O_RDONLY, 0, &file);
    unlink(path);
    if (rc < 0) return rc;
    for (int i = 0; i < FILE_READERS; i++)
        readers[i] = (struct reader){.file = file, .random = (uint32_t)i + 1, .reads = *reads / FILE_READERS};
    double started = wall_seconds();
    rc = wf_gather(readers, FILE_READERS, read_blocks);
    double took = wall_seconds() - started;
    wf_file_close(file);
    return rc < 0 ? rc : print_result("file_read_4k", took * 1e9 / (double)*reads);
}

int main(int argc, char **argv)
{
    long reads = argument(argc, argv, 1, 1000000);
    return wf_main(measure, &reads);
}
