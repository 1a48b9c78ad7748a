/* A body in a process of its own, for what it says and how it ends. */
#ifndef TESTS_APART_H
#define TESTS_APART_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* What a process of its own says on one of its two outputs, and how it ends. */
static inline int run_apart(void (*body)(void), int descriptor, char *said, size_t size)
{
    int ends[2], status = 0;
    WF_EXPECT(pipe(ends) == 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO + STDERR_FILENO - descriptor);
        dup2(ends[1], descriptor);
        wf_set_report(NULL, NULL);
        body();
        fflush(stdout);
        _exit(0);
    }
    close(ends[1]);
    size_t used = 0;
    ssize_t got;
    while (used < size - 1 && (got = read(ends[0], said + used, size - 1 - used)) > 0) used += (size_t)got;
    said[used] = '\0';
    close(ends[0]);
    waitpid(pid, &status, 0);
    return status;
}

#endif
