/* 32 requests that read blocks of 4 KiB anywhere in a file, each begun anew when it has ended. file_read_4k READS */
#include "../../file.h"

#include <uv.h>

static long left;
static int file;

struct reader {
    uv_fs_t request;
    uint32_t random;
    char block[FILE_BLOCK];
};

static void begin(struct reader *reader);

static void on_read(uv_fs_t *request)
{
    if (request->result != FILE_BLOCK) exit(1);
    uv_fs_req_cleanup(request);
    if (left > 0) begin(request->data);
}

static void begin(struct reader *reader)
{
    uv_buf_t buffer = uv_buf_init(reader->block, FILE_BLOCK);
    left--;
    reader->request.data = reader;
    uv_fs_read(uv_default_loop(), &reader->request, file, &buffer, 1, next_place(&reader->random), on_read);
}

int main(int argc, char **argv)
{
    char path[] = "/tmp/weft-bench-XXXXXX";
    static struct reader readers[FILE_READERS];
    long reads = left = argument(argc, argv, 1, 1000000);
    file = make_read_file(path);
    if (file < 0) return 1;
    unlink(path);
    double started = wall_seconds();
    for (int i = 0; i < FILE_READERS; i++) {
        readers[i].random = (uint32_t)i + 1;
        begin(&readers[i]);
    }
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    return print_result("file_read_4k", (wall_seconds() - started) * 1e9 / (double)reads);
}
