/*
 * Runs kept inputs through a target, without a fuzzer: the corpus as a test, and a finding under a debugger.
 *
 *     scheduler_fuzz fuzz/corpus/scheduler        # every file of a directory, each in a process of its own; counts
 *     scheduler_fuzz found/crash-1234             # one file, in this process
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

enum {
    LIMIT_S = 60, /* for one input, on a busy machine and under sanitizers */
    STATUS_USAGE = 2,
};

static int passed, failed;

static uint8_t *load(const char *path, size_t *size)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0) return NULL;
    *size = (size_t)status.st_size;
    uint8_t *bytes = malloc(*size); /* of that very size, so that AddressSanitizer sees a read past it */
    ssize_t got = bytes != NULL ? read(fd, bytes, *size) : -1;
    close(fd);
    if (got == status.st_size) return bytes;
    free(bytes);
    return NULL;
}

static int run_here(const char *path)
{
    size_t size;
    uint8_t *bytes = load(path, &size);
    if (bytes == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    return 0;
}

static void run_apart(const char *path)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        alarm(LIMIT_S);
        exit(run_here(path)); /* not _exit: the search for leaks runs at exit */
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child) status = -1;
    if (status == 0) {
        passed++;
        return;
    }
    failed++;
    if (status >= 0 && WIFSIGNALED(status)) printf("FAILED %s: %s\n", path, strsignal(WTERMSIG(status)));
    else printf("FAILED %s\n", path);
}

static void run_directory(const char *directory)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        static char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') run_apart(path);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
}

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: %s INPUT\n       %s INPUT-OR-DIRECTORY...\n", argv[0], argv[0]);
        return STATUS_USAGE;
    }
    if (argc == 2 && !is_directory(argv[1])) return run_here(argv[1]);
    for (int i = 1; i < argc; i++) {
        if (is_directory(argv[i])) run_directory(argv[i]);
        else run_apart(argv[i]);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0 || passed == 0 ? 1 : 0;
}
