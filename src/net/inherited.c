/* Listening sockets that whoever started this process has opened for it: from descriptor 3 on, counted and named by the
 * environment. */
#include <weft/service.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weft/task.h>

#include "core/loop.h"
#include "net/listener.h"

enum { INHERITED_FIRST = 3, INHERITED_MAX = 65536 };

static long number_in(const char *variable)
{
    const char *text = getenv(variable);
    if (text == NULL) return -1;
    char *end;
    long number = strtol(text, &end, 10);
    return end != text && *end == '\0' ? number : -1;
}

int wf_inherited_count(void)
{
    if (LOOP_ALIVE()->driver->simulated || number_in("LISTEN_PID") != getpid()) return 0;
    long count = number_in("LISTEN_FDS");
    return count > 0 && count <= INHERITED_MAX ? (int)count : 0;
}

/* Is `name` what stands at a place of "http:admin:..."? */
static bool is_named(int place, const char *name)
{
    const char *names = getenv("LISTEN_FDNAMES");
    for (; names != NULL && place > 0; place--) {
        names = strchr(names, ':');
        if (names != NULL) names++;
    }
    if (names == NULL) names = "unknown";
    size_t size = strcspn(names, ":");
    return strlen(name) == size && memcmp(names, name, size) == 0;
}

static int find(const char *name, unsigned index)
{
    int count = wf_inherited_count();
    for (int i = 0; i < count; i++)
        if ((name == NULL || is_named(i, name)) && index-- == 0) return INHERITED_FIRST + i;
    return wf_fail(-ENOENT, "no such socket '%s' among the %d that were inherited", name != NULL ? name : "any", count);
}

static int option_of(int fd, int option)
{
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? -errno : value;
}

/* Whatever waits for a connection must not hold its loop, if another process was faster. */
static int take_over(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return -errno;
    int own = fcntl(fd, F_DUPFD_CLOEXEC, INHERITED_FIRST);
    return own < 0 ? -errno : own;
}

int wf_listen_inherited(const char *name, unsigned index, struct wf_listener **out)
{
    struct loop *loop = LOOP_HERE();
    int fd = find(name, index);
    if (fd < 0) return fd;
    if (option_of(fd, SO_ACCEPTCONN) != 1 || option_of(fd, SO_TYPE) != SOCK_STREAM)
        return wf_fail(-EINVAL, "descriptor %d, which was inherited, is not a listening socket of streams", fd);
    int own = take_over(fd);
    if (own < 0) return wf_fail(own, "cannot take over descriptor %d: %s", fd, wf_strerror(own));
    struct wf_listener *listener = listener_new(1);
    if (listener == NULL) {
        loop->driver->close_fd(loop, own);
        return -ENOMEM;
    }
    listener->local = option_of(own, SO_DOMAIN) == AF_UNIX;
    listener_add(listener, own);
    *out = listener;
    return 0;
}
