/* What the descriptors of a process are, by the tables of sockets in its own network namespace. */
#include <arpa/inet.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "inspect.h"

struct seen_socket {
    struct socket_ends ends;
};

static const char *text_of(struct sockets *sockets, const char *bytes, size_t size)
{
    char *text = store_take(&sockets->store, size + 1);
    for (size_t i = 0; i < size; i++) text[i] = bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '?';
    return text;
}

/* "0100007F:1F90", words of the machine's own order, as "127.0.0.1:8080"; NULL for port 0. */
static const char *address_text(struct sockets *sockets, const char *field, bool six)
{
    uint32_t words[4] = {0};
    char digits[9] = "", host[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 16];
    int count = six ? 4 : 1;
    if (strlen(field) < (size_t)count * 8 + 5) return NULL;
    for (int i = 0; i < count; i++) {
        memcpy(digits, field + (ptrdiff_t)8 * i, 8);
        words[i] = (uint32_t)strtoul(digits, NULL, 16);
    }
    unsigned long port = strtoul(field + (ptrdiff_t)8 * count + 1, NULL, 16);
    if (port == 0) return NULL;
    inet_ntop(six ? AF_INET6 : AF_INET, words, host, sizeof host);
    int size = snprintf(text, sizeof text, six ? "[%s]:%lu" : "%s:%lu", host, port);
    return text_of(sockets, text, (size_t)size);
}

static void add(struct sockets *sockets, unsigned long inode, const char *kind, const char *local, const char *peer)
{
    if (inode == 0) return;
    struct seen_socket *seen = store_take(&sockets->store, sizeof *seen);
    seen->ends = (struct socket_ends){.kind = kind, .local = local, .peer = peer};
    table_put(&sockets->by_inode, inode << 3, seen);
}

/* sl local remote state queues timer retransmits uid timeout inode */
static void take_internet(struct sockets *sockets, char *line, const char *kind, bool six)
{
    char *words[10], *rest = line;
    for (int i = 0; i < 10; i++) {
        words[i] = strtok_r(i == 0 ? line : NULL, " ", &rest);
        if (words[i] == NULL) return;
    }
    add(sockets, strtoul(words[9], NULL, 10), kind, address_text(sockets, words[1], six),
        address_text(sockets, words[2], six));
}

/* num refcount protocol flags type state inode [path] */
static void take_unix(struct sockets *sockets, char *line)
{
    char *words[8], *rest = line;
    for (int i = 0; i < 8; i++) words[i] = strtok_r(i == 0 ? line : NULL, " ", &rest);
    if (words[6] == NULL) return;
    const char *path = words[7] != NULL ? text_of(sockets, words[7], strlen(words[7])) : NULL;
    add(sockets, strtoul(words[6], NULL, 10), "unix", path, NULL);
}

static void load_table(struct sockets *sockets, pid_t pid, const char *table)
{
    size_t size;
    char *bytes = load_file(format_text("/proc/%d/net/%s", (int)pid, table), &size);
    char *line = bytes != NULL ? strchr(bytes, '\n') : NULL; /* the first one names the columns */
    const char *kind = strncmp(table, "tcp", 3) == 0 ? "tcp" : "udp";
    while (line != NULL && *++line != '\0') {
        char *next = strchr(line, '\n');
        if (next != NULL) *next = '\0';
        if (strcmp(table, "unix") == 0) take_unix(sockets, line);
        else take_internet(sockets, line, kind, table[3] == '6');
        line = next;
    }
}

static void load(struct sockets *sockets, pid_t pid)
{
    sockets->loaded = true;
    load_table(sockets, pid, "tcp");
    load_table(sockets, pid, "tcp6");
    load_table(sockets, pid, "udp");
    load_table(sockets, pid, "udp6");
    load_table(sockets, pid, "unix");
}

struct socket_ends socket_ends(struct sockets *sockets, pid_t pid, int fd)
{
    static char name[64], path[PATH_MAX];
    if (!sockets->loaded) load(sockets, pid);
    snprintf(name, sizeof name, "/proc/%d/fd/%d", (int)pid, fd);
    ssize_t size = readlink(name, path, sizeof path - 1);
    if (size <= 0) return (struct socket_ends){.kind = NULL};
    path[size] = '\0';
    if (strncmp(path, "socket:[", 8) != 0)
        return (struct socket_ends){.kind = "file", .local = text_of(sockets, path, (size_t)size)};
    const struct seen_socket *seen = table_find(&sockets->by_inode, strtoul(path + 8, NULL, 10) << 3);
    return seen != NULL ? seen->ends : (struct socket_ends){.kind = "socket"};
}

void sockets_clear(struct sockets *sockets)
{
    store_clear(&sockets->store);
    table_clear(&sockets->by_inode);
    sockets->loaded = false;
}
