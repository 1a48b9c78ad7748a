/* The system's resolver, replaced by one that does as the test says: threads, hanging, what is left behind. */
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/testing.h>
#include <weft/weft.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool released;
    int asked, hanging, returned;
} resolver = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static struct addrinfo *answer(const char *address)
{
    struct {
        struct addrinfo info;
        struct wf_address address;
    } *made = calloc(1, sizeof *made);
    if (made == NULL || wf_address_ip(address, 0, &made->address) < 0) abort();
    made->info.ai_addr = &made->address.any;
    made->info.ai_addrlen = made->address.size;
    made->info.ai_family = made->address.any.sa_family;
    return &made->info;
}

/* In place of the C library's: the executable's own definition comes first. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    (void)service;
    (void)hints;
    pthread_mutex_lock(&resolver.lock);
    resolver.asked++;
    bool hangs = strncmp(node, "hang", 4) == 0;
    resolver.hanging += hangs;
    while (hangs && !resolver.released) pthread_cond_wait(&resolver.changed, &resolver.lock);
    resolver.hanging -= hangs;
    resolver.returned++;
    pthread_mutex_unlock(&resolver.lock);
    if (strcmp(node, "nobody") == 0) return EAI_NONAME;
    if (strcmp(node, "later") == 0) return EAI_AGAIN;
    if (strcmp(node, "broken") == 0) return EAI_FAIL;
    if (strcmp(node, "full") == 0) return EAI_MEMORY;
    *found = answer("127.0.0.1");
    (*found)->ai_next = answer("127.0.0.1"); /* twice the same */
    (*found)->ai_next->ai_next = answer("::1");
    return 0;
}

void freeaddrinfo(struct addrinfo *found)
{
    while (found != NULL) {
        struct addrinfo *next = found->ai_next;
        free(found);
        found = next;
    }
}

static void set_released(bool released)
{
    pthread_mutex_lock(&resolver.lock);
    resolver.released = released;
    if (!released) resolver.asked = resolver.returned = 0;
    pthread_cond_broadcast(&resolver.changed);
    pthread_mutex_unlock(&resolver.lock);
}

static int counted(const int *what)
{
    pthread_mutex_lock(&resolver.lock);
    int count = *what;
    pthread_mutex_unlock(&resolver.lock);
    return count;
}

static int ask(const char *host)
{
    struct wf_arena arena;
    const struct wf_address *addresses;
    wf_arena_init(&arena);
    int rc = wf_resolve(host, 80, &arena, &addresses);
    wf_arena_finish(&arena);
    return rc;
}

WF_TEST(what_the_system_answers_is_told_with_a_code_and_a_message, .real = true)
{
    set_released(false);
    WF_EXPECT_INT(ask("somebody"), 2);
    WF_EXPECT_INT(ask("somebody"), 2);
    WF_EXPECT_FAILURE(ask("nobody"), -ENOENT, "nobody: no such host");
    WF_EXPECT_FAILURE(ask("later"), -EAGAIN, "later");
    WF_EXPECT_FAILURE(ask("broken"), -EIO, "broken");
    WF_EXPECT_FAILURE(ask("full"), -ENOMEM, "full");
    WF_EXPECT_INT(counted(&resolver.asked), 5);
}

static int nothing(void *unused)
{
    (void)unused;
    return 7;
}

/* Four threads hang; a fifth name waits; jobs of the executor do not notice. */
WF_TEST(resolvers_that_hang_hold_up_neither_the_executor_nor_those_who_leave, .real = true)
{
    static const char *const names[] = {"hang1", "hang2", "hang3", "hang4", "somebody"};
    set_released(false);
    struct wf_names_statistics statistics;
    {
        WF_SCOPE(scope, .policy = WF_COLLECT);
        for (size_t i = 0; i < WF_COUNT(names); i++) wf_spawn(&scope, ask, names[i]);
        while (counted(&resolver.hanging) < 4 && wf_sleep(WF_MILLISECONDS(1)) == 0) {} /* real time: until all hang */
        WF_EXPECT_INT(wf_offload(nothing, NULL), 7);
        wf_names_statistics(&statistics);
        WF_EXPECT_INT((int64_t)statistics.under_way, 5);
        wf_scope_cancel(&scope, "enough");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    wf_names_statistics(&statistics);
    WF_EXPECT_INT((int64_t)statistics.under_way, 4); /* what no thread had begun is not begun any more */
    WF_EXPECT_INT(counted(&resolver.asked), 4);
    set_released(true);
    WF_EXPECT_INT(ask("hang1"), 2);
    WF_EXPECT_INT(ask("somebody"), 2);
    do wf_names_statistics(&statistics); /* real time: until the others have come back too */
    while (statistics.under_way > 0 && wf_sleep(WF_MILLISECONDS(1)) == 0);
}

static int leave_it_hanging(void *unused)
{
    (void)unused;
    return wf_within(WF_MILLISECONDS(20), ask("hang"));
}

static int wait_until_returned(void *unused)
{
    (void)unused;
    while (counted(&resolver.returned) == 0 && wf_sleep(WF_MILLISECONDS(1)) == 0) {} /* real time: another thread */
    return 0;
}

WF_TEST(a_loop_ends_without_waiting_for_a_resolver_that_hangs, .plain = true)
{
    size_t blocks = wf_allocated_blocks();
    set_released(false);
    int rc = wf_run(leave_it_hanging, NULL);
    WF_EXPECT(rc == -ETIME || rc == -ENOENT); /* simulated worlds know no such name */
    bool real = rc == -ETIME;
    WF_EXPECT_INT(counted(&resolver.returned), 0);
    set_released(true);
    if (real) WF_EXPECT_CODE(wf_run(wait_until_returned, NULL), 0);
    for (int i = 0; i < 5000 && wf_allocated_blocks() > blocks; i++)
        usleep(1000); /* real time: the thread frees what was left to it */
}

WF_TEST(a_listener_is_at_all_addresses_of_its_name, .real = true)
{
    set_released(true);
    struct wf_listener *listener;
    struct wf_stream *client = NULL, *server = NULL;
    if (!WF_EXPECT_CODE(wf_tcp_listen("somebody", 0, &listener), 0)) return;
    uint16_t port = wf_listener_port(listener);
    const char *const hosts[] = {"127.0.0.1", "::1"};
    for (size_t i = 0; i < WF_COUNT(hosts); i++) {
        int rc = wf_tcp_connect(hosts[i], port, &client);
        if (i == 1 && (rc == -EADDRNOTAVAIL || rc == -ENETUNREACH || rc == -ECONNREFUSED)) break; /* without IPv6 */
        if (!WF_EXPECT_CODE(rc, 0)) break;
        if (WF_EXPECT_CODE(wf_tcp_accept(listener, &server), 0)) wf_stream_close(server);
        wf_stream_close(client);
    }
    wf_listener_close(listener);
}

WF_TEST_MAIN
