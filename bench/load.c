/*
 * The load client: asks echo servers, each over so many connections, every one of which sends a message, waits for all
 * of it to come back and sends the next. One thread, epoll; a closed loop, so a server is asked as fast as it answers.
 *
 *     load CONNECTIONS BYTES SECONDS [udp] PORT:PID:IDLE[:get|pipelined|post]...
 *
 * All servers are up at once and asked in turn, in short slices of time there and back: the speed of a shared machine
 * changes by a third from one second to the next, and this way it changes for all of them. Between its slices a server
 * has nothing to do, and its scheduler account is exact because it sleeps. IDLE more connections to that server are
 * open all the time and never say anything. The first answer on every connection is compared byte by byte.
 *
 * With `get` and the two others a server speaks HTTP: GET /plaintext, 16 of these at once, POST /orders with JSON.
 * BYTES says nothing then. The first answer on each connection is looked at, and the others have to be as long.
 *
 * Prints a line of names and numbers for each server:
 *
 *     port 41233 requests 251872 cpu_us 6.31 user_us 0.20 system_us 6.02 server_busy 0.97 client_busy 0.93 p50_us...
 *     port 41235 failed: no answer for 5 seconds
 *
 * cpu_us is the server's processor time for one request and the number that counts: elapsed time depends on the client
 * too. It is the scheduler's own account in nanoseconds (schedstat, summed over the server's threads). Its split into
 * user and system time comes from the kernel's sampling ticks and is an estimate.
 */
#define _GNU_SOURCE
#include "measure.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MESSAGE_MAX = 64 * 1024,
    EVENTS_AT_ONCE = 256,
    STALL_MS = 5000,
    SLICES = 6,  /* for each server; even, as every other pass over the servers goes backwards */
};

/* Latencies are counted in 64 equal steps for each power of two, so every one is right within 1.6 %. */
enum { STEP_BITS = 6, STEPS = 1 << STEP_BITS, STEPS_ALL = STEPS * (64 - STEP_BITS + 1) };

struct connection {
    int descriptor;
    uint32_t received;  /* of the answer that is under way */
    bool checked;       /* its first answer was compared */
    int64_t sent_at_ns;
};

struct server_time {
    double cpu, user, system;  /* seconds */
};

/* What is said to a server, again and again. */
struct message {
    const char *name;
    bool is_http;
    int requests;
    uint32_t size;
    char bytes[MESSAGE_MAX];
};

struct server {
    int port, pid, idle;
    int epoll;
    const struct message *message;
    uint32_t answer_size;  /* of all that a message asks for */
    struct connection *connections;
    char failure[200];  /* empty while it does what it should; then it is asked no more */

    /* Sums over the slices that count. */
    uint64_t requests;
    struct server_time used;
    double elapsed, client;
    uint32_t latencies[STEPS_ALL];
};

static int connection_count;
static char answer[MESSAGE_MAX];
static struct message messages[] = {
    {.name = "echo", .requests = 1},
    {.name = "get", .is_http = true, .requests = 1},
    {.name = "pipelined", .is_http = true, .requests = 16},
    {.name = "post", .is_http = true, .requests = 1},
};
static bool datagrams; /* instead of connections: connected sockets, a message is a datagram */

static void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Notes why a server is out. The first reason stays. */
__attribute__((format(printf, 2, 3))) static void give_up(struct server *server, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (server->failure[0] == 0) vsnprintf(server->failure, sizeof server->failure, format, arguments);
    va_end(arguments);
}

static bool gave_up(const struct server *server)
{
    return server->failure[0] != 0;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* ---- Latencies ---- */

static size_t step_of(uint64_t latency_ns)
{
    if (latency_ns < STEPS) return latency_ns;
    unsigned shift = 63 - STEP_BITS - (unsigned)__builtin_clzll(latency_ns);
    return (size_t)shift * STEPS + (latency_ns >> shift);
}

static double step_microseconds(size_t step)
{
    size_t shift = step < STEPS ? 0 : step / STEPS - 1;
    return (double)((step - shift * STEPS) << shift) / 1e3;
}

static double percentile(const struct server *server, double fraction)
{
    uint64_t seen = 0;
    size_t step = 0;
    for (; step < STEPS_ALL - 1; step++) {
        seen += server->latencies[step];
        if ((double)seen >= fraction * (double)server->requests) break;
    }
    return step_microseconds(step);
}

/* ---- What the server has used so far ---- */

static double thread_cpu_seconds(int pid, const char *thread)
{
    char path[300];
    unsigned long long ran_ns = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, thread);
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;  /* the thread has just ended */
    if (fscanf(file, "%llu", &ran_ns) != 1) ran_ns = 0;
    fclose(file);
    return (double)ran_ns / 1e9;
}

static struct server_time server_time(int pid)
{
    char path[64], line[1024];
    struct server_time time = {0};
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *threads = opendir(path);
    if (threads == NULL) return time;  /* it has gone, and its connections will say so */
    for (struct dirent *entry; (entry = readdir(threads)) != NULL;) {
        if (entry->d_name[0] != '.') time.cpu += thread_cpu_seconds(pid, entry->d_name);
    }
    closedir(threads);

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) return time;
    if (fgets(line, sizeof line, file) == NULL) line[0] = 0;
    fclose(file);
    /* The process's name may hold spaces and brackets: count the fields after its last bracket. */
    unsigned long user_ticks, system_ticks;
    const char *fields = strrchr(line, ')');
    if (fields == NULL || sscanf(fields, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user_ticks,
                                 &system_ticks) != 2)
        return time;
    double ticks_per_second = (double)sysconf(_SC_CLK_TCK);
    time.user = (double)user_ticks / ticks_per_second;
    time.system = (double)system_ticks / ticks_per_second;
    return time;
}

/* ---- Connections ---- */

static int connect_to(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)server->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    int descriptor = socket(AF_INET, datagrams ? SOCK_DGRAM : SOCK_STREAM, 0);
    if (descriptor < 0) fail("socket");
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0)
        give_up(server, "connect: %s", strerror(errno));
    if (!datagrams) setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fcntl(descriptor, F_SETFL, O_NONBLOCK) < 0) fail("fcntl");
    return descriptor;
}

static void connect_all(struct server *server)
{
    server->epoll = epoll_create1(0);
    server->connections = calloc((size_t)connection_count, sizeof *server->connections);
    if (server->epoll < 0 || server->connections == NULL) fail("connections");
    for (int i = 0; i < server->idle && !gave_up(server); i++) connect_to(server);
    for (int i = 0; i < connection_count && !gave_up(server); i++) {
        struct connection *connection = &server->connections[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        connection->descriptor = connect_to(server);
        if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, connection->descriptor, &event) < 0) fail("epoll_ctl");
    }
}

static void ask(struct server *server, struct connection *connection, int64_t at_ns)
{
    connection->received = 0;
    connection->sent_at_ns = at_ns;
    const struct message *message = server->message;
    ssize_t sent = send(connection->descriptor, message->bytes, message->size, MSG_NOSIGNAL);
    if (sent != (ssize_t)message->size) give_up(server, "send: %s", sent < 0 ? strerror(errno) : "the socket is full");
}

/* ---- The first answers of a server of HTTP ---- */

/* How long the answer is that these bytes begin with; 0: its head is not whole. */
static uint32_t answer_length(struct server *server, const char *bytes)
{
    const char *end = strstr(bytes, "\r\n\r\n");
    const char *length = strcasestr(bytes, "\r\ncontent-length:");
    if (end == NULL) return 0;
    if (strncmp(bytes, "HTTP/1.1 200 ", 13) != 0)
        give_up(server, "it answers %.30s", bytes);
    else if (length == NULL || length > end)
        give_up(server, "it does not say how long its answer is");
    return gave_up(server) ? 0 : (uint32_t)(end + 4 - bytes) + (uint32_t)atoi(length + 17);
}

/* One message and all that comes back: the answers to all requests in it, of equal length. */
static void try_connection(struct server *server, struct connection *connection)
{
    struct pollfd readable = {.fd = connection->descriptor, .events = POLLIN};
    uint32_t size = 0, expected = 0;
    ask(server, connection, now_ns());
    while (!gave_up(server) && (expected == 0 || size < expected)) {
        if (poll(&readable, 1, STALL_MS) != 1) give_up(server, "no answer for %d seconds", STALL_MS / 1000);
        ssize_t got = recv(connection->descriptor, answer + size, sizeof answer - 1 - size, MSG_DONTWAIT);
        if (got <= 0) give_up(server, "it closed the connection, or said too much");
        if (gave_up(server)) return;
        size += (uint32_t)got;
        answer[size] = 0;
        if (expected == 0) expected = answer_length(server, answer) * (uint32_t)server->message->requests;
    }
    if (size != expected || (server->answer_size > 0 && size != server->answer_size))
        give_up(server, "its answers differ in length");
    server->answer_size = size;
    connection->checked = true;
}

static void try_all_connections(struct server *server)
{
    server->answer_size = server->message->is_http ? 0 : server->message->size;
    for (int i = 0; server->message->is_http && i < connection_count && !gave_up(server); i++)
        try_connection(server, &server->connections[i]);
}

/* ---- Asking ---- */

/* Takes what has come; true when the answer is complete. */
static bool answered(struct server *server, struct connection *connection)
{
    ssize_t size = recv(connection->descriptor, answer, sizeof answer, 0);
    if (size < 0 && errno == EAGAIN) return false;
    if (size <= 0)
        give_up(server, "recv: %s", size < 0 ? strerror(errno) : "the server closed the connection");
    else if (connection->received + (uint64_t)size > server->answer_size)
        give_up(server, "more came back than was asked for");
    else if (!connection->checked && memcmp(answer, server->message->bytes + connection->received, (size_t)size) != 0)
        give_up(server, "the answer is not what was sent");
    if (gave_up(server)) return false;
    connection->received += (uint32_t)size;
    if (connection->received < server->answer_size) return false;
    connection->checked = true;
    return true;
}

/* Keeps every connection busy until `until_ns`, then waits for the last answers; returns how many there were. */
static uint64_t converse(struct server *server, int64_t until_ns)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    uint64_t requests = 0;
    int64_t at_ns = now_ns();
    int awaited = connection_count;
    for (int i = 0; i < connection_count && !gave_up(server); i++) ask(server, &server->connections[i], at_ns);
    while (awaited > 0 && !gave_up(server)) {
        int ready = epoll_wait(server->epoll, events, EVENTS_AT_ONCE, STALL_MS);
        if (ready == 0) give_up(server, "no answer for %d seconds", STALL_MS / 1000);
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!answered(server, connection)) continue;
            at_ns = now_ns();
            server->latencies[step_of((uint64_t)(at_ns - connection->sent_at_ns))]++;
            requests += (uint64_t)server->message->requests;
            if (at_ns < until_ns)
                ask(server, connection, at_ns);
            else
                awaited--;
        }
    }
    return requests;
}

/* ---- Slices ---- */

static int64_t after(double seconds)
{
    return now_ns() + (int64_t)(seconds * 1e9);
}

/* Every connection has an answer before anything counts. */
static void warm_up(struct server *server, double seconds)
{
    if (!gave_up(server)) converse(server, after(seconds));
    memset(server->latencies, 0, sizeof server->latencies);
}

static void measure_slice(struct server *server, double seconds)
{
    if (gave_up(server)) return;
    struct server_time before = server_time(server->pid);
    double client_before = cpu_seconds();
    double started = wall_seconds();
    server->requests += converse(server, after(seconds));
    server->elapsed += wall_seconds() - started;
    server->client += cpu_seconds() - client_before;
    struct server_time now = server_time(server->pid);
    server->used.cpu += now.cpu - before.cpu;
    server->used.user += now.user - before.user;
    server->used.system += now.system - before.system;
}

static void print_server(const struct server *server)
{
    printf("port %d ", server->port);
    if (gave_up(server)) {
        printf("failed: %s\n", server->failure);
        return;
    }
    double microseconds = 1e6 / (double)server->requests;
    printf("requests %llu requests_per_second %.0f cpu_us %.4f user_us %.3f system_us %.3f server_busy %.3f "
           "client_busy %.3f p50_us %.1f p99_us %.1f p999_us %.1f\n",
           (unsigned long long)server->requests, (double)server->requests / server->elapsed,
           server->used.cpu * microseconds, server->used.user * microseconds, server->used.system * microseconds,
           server->used.cpu / server->elapsed, server->client / server->elapsed, percentile(server, 0.5),
           percentile(server, 0.99), percentile(server, 0.999));
}

static void write_messages(uint32_t echo_size)
{
    static const char get[] = "GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    static const char post[] = "POST /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                               "Content-Length: 98\r\n\r\n"
                               "{\"customer_email\":\"someone@example.com\",\"quantity\":42,\"price\":19.99,"
                               "\"note\":\"leave it at the door\"}";
    messages[0].size = echo_size;
    for (uint32_t i = 0; i < echo_size; i++) messages[0].bytes[i] = (char)('a' + i % 26);
    for (size_t i = 1; i < sizeof messages / sizeof *messages; i++) {
        struct message *message = &messages[i];
        const char *request = strcmp(message->name, "post") == 0 ? post : get;
        for (int j = 0; j < message->requests; j++)
            message->size += (uint32_t)sprintf(message->bytes + message->size, "%s", request);
    }
}

static const struct message *message_of(const char *name)
{
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
        if (strcmp(messages[i].name, name) == 0) return &messages[i];
    return NULL;
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    datagrams = argc > 4 && strcmp(argv[4], "udp") == 0;
    int first_server = datagrams ? 5 : 4;
    if (argc <= first_server) {
        fprintf(stderr, "usage: load CONNECTIONS BYTES SECONDS [udp] PORT:PID:IDLE[:get|pipelined|post]...\n");
        return 2;
    }
    double seconds = strtod(argv[3], NULL);
    int count = argc - first_server;
    struct server *servers = calloc((size_t)count, sizeof *servers);
    connection_count = atoi(argv[1]);
    uint32_t size = (uint32_t)atoi(argv[2]);
    errno = EINVAL;
    if (connection_count < 1 || size < 1 || size > MESSAGE_MAX || seconds <= 0) fail("arguments");
    if (servers == NULL) fail("servers");
    write_messages(size);

    raise_descriptor_limit();
    for (int i = 0; i < count; i++) {
        struct server *server = &servers[i];
        char name[16] = "echo";
        if (sscanf(argv[first_server + i], "%d:%d:%d:%15s", &server->port, &server->pid, &server->idle, name) < 3)
            fail(argv[first_server + i]);
        server->message = message_of(name);
        if (server->message == NULL) fail(name);
        connect_all(server);
    }
    for (int i = 0; i < count; i++) try_all_connections(&servers[i]);
    for (int i = 0; i < count; i++) warm_up(&servers[i], seconds / SLICES);
    for (int slice = 0; slice < SLICES; slice++) {
        for (int i = 0; i < count; i++) measure_slice(&servers[slice % 2 == 0 ? i : count - 1 - i], seconds / SLICES);
    }
    for (int i = 0; i < count; i++) print_server(&servers[i]);
    return 0;
}
