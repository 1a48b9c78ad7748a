/* What a service tells its manager: datagrams of "NAME=value" lines to a Unix socket that the environment names. */
#include <weft/service.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/address.h>
#include <weft/loops.h>
#include <weft/time.h>

#include "core/loop.h"

enum { STATUS_MAX = 1024 };

/* ---- Sending ---- */

static int send_to(struct loop *loop, const struct wf_address *address, const char *state)
{
    const struct driver *driver = loop->driver;
    int fd = driver->socket(loop, AF_UNIX, SOCK_DGRAM, 0);
    if (fd < 0) return fd;
    struct iovec part = {.iov_base = (void *)(uintptr_t)state, .iov_len = strlen(state)};
    const struct msghdr message = {.msg_name = (void *)(uintptr_t)&address->any,
                                   .msg_namelen = address->size,
                                   .msg_iov = &part,
                                   .msg_iovlen = 1};
    int64_t rc = driver->send_now(loop, fd, &message);
    driver->close_fd(loop, fd);
    return rc < 0 ? (int)rc : 1;
}

int wf_notify(const char *state)
{
    struct loop *loop = LOOP_ALIVE();
    const char *socket = getenv("NOTIFY_SOCKET");
    if (state == NULL || state[0] == '\0') return -EINVAL;
    if (socket == NULL) return 0;
    if (socket[0] != '\0' && socket[0] != '/' && socket[0] != '@') return -EAFNOSUPPORT;
    struct wf_address address;
    int rc = wf_address_unix(socket, &address);
    return rc < 0 ? rc : send_to(loop, &address, state);
}

int wf_notify_ready(void)
{
    return wf_notify("READY=1");
}

int wf_notify_stopping(void)
{
    return wf_notify("STOPPING=1");
}

int wf_notify_status(const char *text)
{
    char state[STATUS_MAX];
    if (text == NULL || strchr(text, '\n') != NULL) return -EINVAL;
    int size = snprintf(state, sizeof state, "STATUS=%s", text);
    return size < STATUS_MAX ? wf_notify(state) : -EMSGSIZE;
}

/* ---- The watchdog ---- */

/* 0: nobody asks. */
static int64_t watchdog_interval(void)
{
    const char *text = getenv("WATCHDOG_USEC"), *process = getenv("WATCHDOG_PID");
    if (text == NULL) return 0;
    if (process != NULL && strtol(process, NULL, 10) != getpid()) return 0;
    char *end;
    errno = 0;
    long long microseconds = strtoll(text, &end, 10);
    int64_t interval;
    bool is_number = errno == 0 && end != text && *end == '\0' && microseconds > 0;
    return is_number && !__builtin_mul_overflow(microseconds, 500, &interval) ? interval : -EINVAL;
}

static int answer(void *unused)
{
    (void)unused;
    return 0;
}

/* A message that was lost is said again in time. */
static int say_alive(void *unused)
{
    int64_t interval = watchdog_interval();
    for (;;) {
        int rc = wf_everywhere(answer, unused);
        if (rc == 0) wf_ignore(wf_notify("WATCHDOG=1"));
        if (rc == 0) rc = wf_sleep(interval);
        if (rc < 0) return rc;
    }
}

int wf_notify_watchdog(struct wf_scope *scope)
{
    (void)LOOP_HERE();
    int64_t interval = watchdog_interval();
    if (interval <= 0) return (int)interval;
    int rc = wf_try_spawn(scope, say_alive, NULL, .daemon = true, .name = "watchdog of the service");
    return rc < 0 ? rc : 1;
}
