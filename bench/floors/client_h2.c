/*
 * Processor time of a GET over HTTP/2, of which 64 at once share one connection, by nghttp2's own programs:
 * client_h2 PROGRAM REQUESTS URL. h2load throws answers away as they come; nghttp knows them apart.
 */
#define _GNU_SOURCE
#include "../measure.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(const char *program, const char *requests, const char *url)
{
    int nothing = open("/dev/null", O_WRONLY);
    dup2(nothing, STDOUT_FILENO);
    dup2(nothing, STDERR_FILENO);
    if (strcmp(program, "h2load") == 0) execlp(program, program, "-c1", "-m64", "-n", requests, url, (char *)NULL);
    else execlp(program, program, "-n", "-M64", "-m", requests, url, (char *)NULL);
    _exit(127);
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    int status;
    struct rusage used;
    if (argc < 4) return 2;
    pid_t child = fork();
    if (child == 0) run(argv[1], argv[2], argv[3]);
    if (waitpid(child, &status, 0) != child || status != 0 || getrusage(RUSAGE_CHILDREN, &used) < 0) return 1;
    double took = seconds(used.ru_utime) + seconds(used.ru_stime);
    return print_result("client_h2", took * 1e6 / strtod(argv[2], NULL));
}
