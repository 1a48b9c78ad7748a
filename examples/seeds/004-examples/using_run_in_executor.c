/*
 * Blocking calls on threads, work for the processor in processes. From "Running Sync Code in Async", "Using
 * run_in_executor".
 * Rows: S134, S135, S136.
 * The sample makes its pools when it is imported, and never ends them; here the threads are the loop's, and the
 * processes end where their pool is closed. In C threads compute at once, too; processes are for what may crash.
 * Run it: weft run examples/seeds/004-examples/using_run_in_executor.c
 */
// weft: pkg-config libcrypto
#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/weft.h>

enum { ROUNDS = 1000, JOBS = 4 };

/* ---- In a process of its own ---- */

struct question {
    char data[16];
    size_t size;
    bool crash;
};

struct digest {
    unsigned char bytes[SHA256_DIGEST_LENGTH];
};

static int cpu_intensive_task(const struct question *question, struct digest *digest)
{
    if (question->crash) _Exit(7);
    SHA256((const unsigned char *)question->data, question->size, digest->bytes);
    for (int i = 1; i < ROUNDS; i++) SHA256(digest->bytes, sizeof digest->bytes, digest->bytes);
    return 0;
}

struct job {
    struct wf_process_pool *pool;
    struct digest digest;
};

static int cpu_bound(struct job *job)
{
    static const struct question question = {.data = "data", .size = 4};
    return wf_process_pool_run(job->pool, &question, &job->digest);
}

static int compute(struct wf_process_pool *pool)
{
    struct question crash = {.crash = true};
    struct digest here;
    struct job jobs[JOBS];
    int same = 0;
    int rc = cpu_intensive_task(&(struct question){.data = "data", .size = 4}, &here);
    for (int i = 0; i < JOBS; i++) jobs[i].pool = pool;
    if (rc == 0) rc = wf_gather(jobs, JOBS, cpu_bound);
    if (rc < 0) return rc;
    for (int i = 0; i < JOBS; i++) same += memcmp(&jobs[i].digest, &here, sizeof here) == 0;
    printf("Hash result: ");
    for (size_t i = 0; i < sizeof here.bytes; i++) printf("%02x", jobs[0].digest.bytes[i]);
    printf(", %d of %d the same as here\n", same, JOBS);
    rc = wf_process_pool_run(pool, &crash, &here);
    printf("a worker crashes: %s\n", rc < 0 ? wf_failure() : "no");
    rc = cpu_bound(&jobs[0]);
    printf("the next job: %s\n", wf_strerror(rc));
    return rc;
}

/* ---- On a thread ---- */

struct file {
    const char *path;
    char content[256];
    size_t size;
};

static int blocking_io_task(struct file *file)
{
    FILE *stream = fopen(file->path, "r");
    if (stream == NULL) return -errno;
    file->size = fread(file->content, 1, sizeof file->content, stream);
    fclose(stream);
    return 0;
}

/* A job that has begun is waited for, also where its task is cancelled: it uses what lies on this stack. */
static int process_file(const char *path, size_t *size)
{
    struct file file = {.path = path};
    int rc = wf_offload(blocking_io_task, &file);
    *size = file.size;
    return rc;
}

static int read_files(const char *path)
{
    size_t size;
    int rc = process_file(path, &size);
    if (rc < 0) return rc;
    printf("File content length: %zu\n", size);
    rc = process_file("/no/such/file", &size);
    printf("a file that is not there: %s\n", wf_strerror(rc));
    return rc == -ENOENT ? 0 : rc;
}

static int run(void *unused)
{
    struct wf_process_pool *pool = NULL;
    const char *const argv[] = {"/proc/self/exe", "--worker", NULL};
    char path[] = "/tmp/weft-XXXXXX";
    (void)unused;
    int fd = mkstemp(path), rc = fd < 0 ? -errno : 0;
    if (fd >= 0 && dprintf(fd, "a file to be read\n") < 0) rc = -EIO;
    if (rc == 0) rc = read_files(path);
    if (fd >= 0) remove(path);
    if (rc == 0)
        rc = wf_process_pool_open(&pool, argv, .workers = JOBS, .question = sizeof(struct question),
                                  .answer = sizeof(struct digest));
    return rc < 0 ? rc : wf_process_pool_close(pool, compute(pool));
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--worker") == 0) return wf_process_worker(cpu_intensive_task);
    return wf_main(run, NULL, .threads_max = 10);
}
