#include "http/restart.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/arena.h>
#include <weft/extend.h>
#include <weft/process.h>
#include <weft/service.h>
#include <weft/task.h>
#include <weft/time.h>

#include "http/app.h"
#include "http/site.h"

static const int64_t start_time = WF_SECONDS(60);
static const char ready[] = "READY=1\n";

/* ---- What the successor gets ---- */

static unsigned collect_sockets(const struct site *site, int fds[WF_PROCESS_DESCRIPTORS_MAX])
{
    unsigned count = 0;
    for (unsigned i = 0; i < site->gates_count; i++) {
        int fd;
        for (unsigned j = 0; (fd = wf_listener_fd(site->gates[i].listener, j)) >= 0; j++) {
            if (count == WF_PROCESS_DESCRIPTORS_MAX - 1) return count;
            fds[count++] = fd;
        }
    }
    return count;
}

/* What is about this process is not about the next one. */
static bool passes_on(const char *variable)
{
    static const char *const own[] = {"LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES=", "WATCHDOG_PID=",
                                      "WEFT_READY_FD="};
    for (size_t i = 0; i < WF_COUNT(own); i++)
        if (strncmp(variable, own[i], strlen(own[i])) == 0) return false;
    return true;
}

static const char **make_environment(struct wf_arena *arena, int ready_fd)
{
    size_t count = 0, kept = 0;
    while (environ[count] != NULL) count++;
    const char **environment = wf_arena_alloc(arena, (count + 2) * sizeof *environment);
    if (environment == NULL) return NULL;
    for (size_t i = 0; i < count; i++)
        if (passes_on(environ[i])) environment[kept++] = environ[i];
    environment[kept] = wf_arena_printf(arena, "WEFT_READY_FD=%d", ready_fd);
    environment[kept + 1] = NULL;
    return environment[kept] != NULL ? environment : NULL;
}

/* ---- Its start ---- */

static int start(struct wf_process *process, const struct site *site, char **argv, struct wf_stream *writer)
{
    int fds[WF_PROCESS_DESCRIPTORS_MAX];
    unsigned count = collect_sockets(site, fds);
    struct wf_arena arena;
    wf_arena_init(&arena);
    const char **environment = make_environment(&arena, 3 + (int)count);
    fds[count] = wf_stream_fd(writer);
    int rc = environment == NULL
                 ? -ENOMEM
                 : wf_process_start(process, (const char *const *)argv, .environment = environment, .descriptors = fds,
                                    .descriptors_count = count + 1, .listening = count);
    wf_arena_finish(&arena);
    return rc;
}

static int wait_for_word(struct wf_stream *reader)
{
    char word[sizeof ready];
    int rc = wf_within(start_time, wf_stream_read_full(reader, word, sizeof ready - 1, NULL));
    if (rc == WF_EEND) return wf_fail(-ECHILD, "the successor ended before it was ready");
    return rc == -ETIME ? wf_fail(rc, "the successor was not ready in time") : rc;
}

static int start_and_wait(const struct site *site, char **argv, struct wf_stream *reader, struct wf_stream *writer)
{
    WF_PROCESS(process);
    int rc = start(&process, site, argv, writer);
    wf_stream_close(writer);
    if (rc == 0) rc = wait_for_word(reader);
    if (rc < 0) return rc;
    char text[32];
    snprintf(text, sizeof text, "MAINPID=%d", (int)process.pid);
    wf_ignore(wf_notify(text));
    wf_process_release(&process);
    return 0;
}

int restart_app(struct wf_app *app, char **argv)
{
    struct site *site = app->private_ != NULL ? app->private_->site : NULL;
    struct wf_stream *reader, *writer;
    if (site == NULL || !site->listening) return wf_fail(-EAGAIN, "it does not listen yet");
    int rc = wf_pipe(&reader, &writer);
    if (rc < 0) return rc;
    rc = start_and_wait(site, argv, reader, writer);
    wf_stream_close(reader);
    if (rc == 0) atomic_store(&site->handed_over, true);
    return rc;
}

/* ---- There ---- */

void restart_say_ready(void)
{
    const char *text = getenv("WEFT_READY_FD");
    if (text == NULL) return;
    int fd = atoi(text);
    unsetenv("WEFT_READY_FD");
    if (fd < 3 || fcntl(fd, F_GETFD) < 0) return;
    ssize_t written = write(fd, ready, sizeof ready - 1); /* to a pipe that is empty */
    (void)written;
    close(fd);
}
