/* Other programs: finding them, running them, reading what they print. */
#include "command.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

char *find_program(const char *name)
{
    if (strchr(name, '/') != NULL) return is_program(name) ? real_path(name) : NULL;
    const char *path = getenv("PATH");
    if (path == NULL) path = "/usr/local/bin:/usr/bin:/bin";
    for (const char *part = path; part != NULL;) {
        size_t size = strcspn(part, ":");
        char *candidate = format_text("%.*s/%s", size > 0 ? (int)size : 1, size > 0 ? part : ".", name);
        if (is_program(candidate)) return candidate;
        part = part[size] == ':' ? part + size + 1 : NULL;
    }
    return NULL;
}

static int wait_for(pid_t child, const char *name)
{
    int status;
    pid_t ended;
    do ended = waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    if (ended < 0) {
        complain("cannot wait for %s: %s", name, strerror(errno));
        return STATUS_FAILED;
    }
    if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
    complain("%s was ended by signal %d (%s)", name, WTERMSIG(status), strsignal(WTERMSIG(status)));
    return STATUS_FAILED;
}

static int start(const struct words *command, const struct surroundings *around, pid_t *child)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (around->input >= 0) posix_spawn_file_actions_adddup2(&actions, around->input, STDIN_FILENO);
    if (around->output >= 0) posix_spawn_file_actions_adddup2(&actions, around->output, STDOUT_FILENO);
    if (around->directory != NULL) posix_spawn_file_actions_addchdir_np(&actions, around->directory);
    int rc = posix_spawnp(child, command->list[0], &actions, NULL, command->list, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0) complain("cannot start %s: %s", command->list[0], strerror(rc));
    return rc == 0 ? 0 : STATUS_FAILED;
}

int run_program(const struct words *command, const struct surroundings *around)
{
    /* While it is ignored, children vanish before they are waited for. */
    void (*before)(int) = signal(SIGCHLD, SIG_DFL);
    pid_t child;
    int status = start(command, around, &child);
    if (status == 0) status = wait_for(child, command->list[0]);
    signal(SIGCHLD, before);
    return status;
}

int capture_program(const struct words *command, char **output)
{
    int fd = memory_file("", 0);
    struct surroundings around = {.input = -1, .output = fd};
    int status = run_program(command, &around);
    size_t size;
    lseek(fd, 0, SEEK_SET);
    *output = load_descriptor(fd, &size);
    if (*output == NULL) fail("cannot read what %s printed: %s", command->list[0], strerror(errno));
    close(fd);
    return status;
}

int memory_file(const char *bytes, size_t size)
{
    int fd = memfd_create("weft", MFD_CLOEXEC);
    if (fd < 0) fail("cannot make a file in memory: %s", strerror(errno));
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0) fail("cannot write a file in memory: %s", strerror(errno));
        bytes += written;
        size -= (size_t)written;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}
