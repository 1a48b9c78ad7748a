/* The same by posix_spawn(3) and waitid(2). process_spawn TIMES */
#include "../measure.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
    long times = argument(argc, argv, 1, 1000);
    char *program[] = {"/bin/true", NULL};
    double started = wall_seconds();
    for (long i = 0; i < times; i++) {
        pid_t pid;
        siginfo_t ended;
        if (posix_spawn(&pid, program[0], NULL, NULL, program, environ) != 0) return 1;
        if (waitid(P_PID, (id_t)pid, &ended, WEXITED) < 0) return 1;
    }
    return print_result("process_spawn", (wall_seconds() - started) * 1e6 / (double)times);
}
