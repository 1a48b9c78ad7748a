/*
 * Something to look into from outside: tests/inspect/run.py runs it. target MODE [NUMBER]
 *
 *     tree    tasks that wait in many ways, then stay as they are
 *     many    so many sleeping tasks
 *     churn   tasks come and go without pause
 *     work    some that use the processor, some that wake often, some that wait
 *     loops   a task on each of so many loops
 *     exec    becomes another program on a line of input
 *     gap     a task that wakes each millisecond; ends on a line of input and prints the longest time that it overslept
 *     damage  breaks its own registry in the way that NUMBER says, then sleeps
 *     crash   waits in its tasks for a line of input, then aborts
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/weft.h>

#include "core/registry.h" /* private: it is damaged here */

static int number;

static void say_ready(void)
{
    puts("ready");
    fflush(stdout);
}

static int nap(void *unused)
{
    (void)unused;
    return wf_sleep(WF_SECONDS(3600));
}

/* ---- tree ---- */

struct things {
    struct wf_event event;
    struct wf_stream *stream;
    struct wf_listener *listener;
};

static int wait_for_event(struct things *things)
{
    return wf_event_wait(&things->event);
}

static __attribute__((noinline)) int read_inner(struct things *things)
{
    char byte;
    ssize_t got = wf_stream_read(things->stream, &byte, 1);
    return got < 0 ? (int)got : 0;
}

static __attribute__((noinline)) int read_request(struct things *things)
{
    int rc = read_inner(things);
    return rc < 0 ? rc : 1;
}

static int accept_peers(struct things *things)
{
    struct wf_stream *peer;
    int rc = wf_tcp_accept(things->listener, &peer);
    if (rc == 0) rc = wf_tcp_accept(things->listener, &peer);
    return rc;
}

static int hold_on(void *unused)
{
    (void)unused;
    return wf_shielded(WF_FOREVER, wf_sleep(WF_SECONDS(3600)));
}

static int be_cancelled(void *unused)
{
    (void)unused;
    WF_SCOPE(scope, .name = "closing", .limit = 4);
    wf_spawn(&scope, hold_on, NULL, .name = "holding on");
    wf_yield();
    wf_scope_cancel(&scope, "for \"the\" test");
    return wf_scope_join(&scope);
}

static int at_once(void *unused)
{
    (void)unused;
    return 0;
}

static int keep_ended(void *unused)
{
    (void)unused;
    WF_SCOPE(scope, .keep_finished = true);
    wf_spawn(&scope, at_once, NULL, .name = "done");
    int rc = wf_sleep(WF_SECONDS(3600));
    return wf_scope_end(&scope, rc);
}

static int work_in_group(void *unused)
{
    (void)unused;
    WF_SCOPE(scope, .name = "group", .timeout = WF_SECONDS(3000));
    for (int i = 0; i < 3; i++) wf_spawn(&scope, nap, NULL);
    return wf_scope_join(&scope);
}

static int emit_once(struct wf_generator *out, void *unused)
{
    (void)unused;
    int item = 1;
    int rc = wf_emit(out, &item);
    return rc < 0 ? rc : wf_sleep(WF_SECONDS(3600));
}

static int consume(void *unused)
{
    (void)unused;
    int item = 0;
    WF_GENERATOR(items, emit_once, NULL, int);
    while (wf_next(&items, &item) > 0) {}
    return 0;
}

static int tree(void *unused)
{
    (void)unused;
    static struct things things = {.event = WF_EVENT};
    int rc = wf_tcp_listen("127.0.0.1", 0, &things.listener);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    wf_spawn(&scope, accept_peers, &things, .name = "accepting");
    rc = wf_tcp_connect("127.0.0.1", wf_listener_port(things.listener), &things.stream);
    if (rc < 0) return wf_scope_end(&scope, rc);
    wf_spawn(&scope, read_request, &things, .name = "reading");
    wf_spawn(&scope, wait_for_event, &things);
    wf_spawn(&scope, be_cancelled, NULL);
    wf_spawn(&scope, consume, NULL);
    wf_spawn(&scope, nap, NULL, .name = "strange \x1b[31m\xff name", .daemon = true);
    for (int i = 0; i < 4; i++) {
        char name[32];
        snprintf(name, sizeof name, "worker-%d", i);
        wf_spawn(&scope, work_in_group, NULL, .name = name);
    }
    wf_spawn(&scope, keep_ended, NULL);
    rc = wf_sleep(WF_MILLISECONDS(100));
    if (rc == 0) say_ready();
    return wf_scope_join(&scope);
}

/* ---- many, churn ---- */

static int many(void *unused)
{
    (void)unused;
    WF_SCOPE(scope);
    for (int i = 0; i < number; i++) wf_spawn(&scope, nap, NULL);
    int rc = wf_sleep(WF_MILLISECONDS(200));
    if (rc == 0) say_ready();
    return wf_scope_join(&scope);
}

static int short_lived(void *unused)
{
    (void)unused;
    WF_SCOPE(scope, .name = "short");
    wf_spawn(&scope, nap, NULL, .name = "below", .daemon = true);
    int rc = wf_sleep(WF_MICROSECONDS(200));
    return wf_scope_end(&scope, rc);
}

static int churn(void *unused)
{
    (void)unused;
    WF_SCOPE(scope, .limit = 300);
    say_ready();
    for (int rc = 0; rc == 0;) {
        char name[32];
        snprintf(name, sizeof name, "born %d", number++);
        rc = wf_spawn(&scope, short_lived, NULL, .name = name);
    }
    return wf_scope_join(&scope);
}

/* ---- work ---- */

static int work_for(const int64_t *ns)
{
    for (;;) {
        int64_t end = wf_now() + *ns;
        while (wf_now() < end) {}
        int rc = wf_sleep(WF_MILLISECONDS(15));
        if (rc < 0) return rc;
    }
}

static int tick(void *unused)
{
    (void)unused;
    int rc = 0;
    while (rc == 0) rc = wf_sleep(WF_MICROSECONDS(500));
    return rc;
}

WF_COUNTER(rounds, "test_rounds_total", "Rounds of work.", .labels = {"kind", "size"});
WF_HISTOGRAM(durations, "test_duration_seconds", "Of the rounds.", .seconds = true);

static int count_rounds(void *unused)
{
    (void)unused;
    int rc = 0;
    while (rc == 0) {
        wf_counter_add(wf_counter_at(&rounds, "quick", "small"), 1);
        wf_histogram_observe(&durations, WF_MILLISECONDS(3));
        rc = wf_sleep(WF_MILLISECONDS(10));
    }
    return rc;
}

static int work(void *unused)
{
    static const int64_t heavy = WF_MILLISECONDS(12), light = WF_MILLISECONDS(2);
    WF_SCOPE(scope);
    wf_spawn(&scope, work_for, &heavy, .name = "reindex");
    wf_spawn(&scope, work_for, &light, .name = "compress");
    wf_spawn(&scope, tick, NULL, .name = "heartbeat");
    wf_spawn(&scope, count_rounds, NULL);
    return wf_scope_end(&scope, tree(unused));
}

/* ---- loops ---- */

static int nap_there(const int *unused)
{
    (void)unused;
    return wf_sleep(WF_SECONDS(3600));
}

static int loops(void *unused)
{
    (void)unused;
    WF_SCOPE(scope);
    for (int i = 0; i < number; i++) wf_spawn_on(&scope, i, nap_there, &i, .name = "there");
    int rc = wf_sleep(WF_MILLISECONDS(200));
    if (rc == 0) say_ready();
    return wf_scope_join(&scope);
}

/* ---- exec ---- */

static int become_another(void *unused)
{
    (void)unused;
    say_ready();
    int rc = wf_wait_fd(STDIN_FILENO, WF_READABLE);
    execlp("cat", "cat", (char *)NULL);
    return rc < 0 ? rc : -errno;
}

/* ---- gap ---- */

static bool over;

static int wait_for_input(void *unused)
{
    (void)unused;
    int rc = wf_wait_fd(STDIN_FILENO, WF_READABLE);
    over = true;
    return rc < 0 ? rc : 0;
}

static int gap(void *unused)
{
    (void)unused;
    int64_t longest = 0;
    WF_SCOPE(scope);
    for (int i = 0; i < number; i++) wf_spawn(&scope, nap, NULL, .daemon = true);
    wf_spawn(&scope, wait_for_input, NULL);
    for (say_ready(); !over;) {
        int64_t before = wf_now();
        int rc = wf_sleep(WF_MILLISECONDS(1));
        if (rc < 0) return wf_scope_end(&scope, rc);
        int64_t late = wf_now() - before - WF_MILLISECONDS(1);
        if (late > longest) longest = late;
    }
    printf("%lld\n", (long long)longest);
    return wf_scope_join(&scope);
}

/* ---- damage, crash ---- */

static int damage(void *unused)
{
    (void)unused;
    WF_SCOPE(scope);
    wf_spawn(&scope, nap, NULL);
    int rc = wf_yield();
    char *loop = (char *)weft_registry.loops[0];
    uint64_t *chunks = NULL;
    for (size_t i = 0; i < weft_registry.layout_count; i++) {
        struct layout_entry *entry = &weft_registry.layout[i];
        if (strcmp(entry->name, "loop.chunks") == 0) chunks = (uint64_t *)(loop + entry->offset);
        if (number == 3 && strcmp(entry->name, "task.id") == 0) entry->offset = 1 << 20;
        if (number == 4 && strcmp(entry->name, "task.wait") == 0) strcpy(entry->name, "task.weight");
        if (number == 7 && strcmp(entry->name, "chunk.older") == 0) entry->offset += 8;
    }
    if (number == 1) weft_registry.version = 99;
    if (number == 2) weft_registry.layout_count = 1U << 31;
    uint64_t *broken = number == 5 ? chunks : NULL;
    if (broken != NULL) *broken = 0x123456789;
    if (number == 6) weft_registry.loops[1] = (struct loop *)(loop + 8);
    if (rc == 0) say_ready();
    while (rc == 0) pause(); /* the loop itself must not touch what is broken */
    return wf_scope_end(&scope, rc);
}

static __attribute__((noinline)) void abort_at_the_end(int code)
{
    if (code != 12345) abort();
}

static int crash_soon(void *unused)
{
    (void)unused;
    int rc = wf_wait_fd(STDIN_FILENO, WF_READABLE);
    abort_at_the_end(rc);
    return rc;
}

static int crash(void *unused)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, crash_soon, NULL);
    return wf_scope_end(&scope, tree(unused));
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    number = argc > 2 ? atoi(argv[2]) : 0;
    if (strcmp(mode, "tree") == 0) return wf_main(tree, NULL);
    if (strcmp(mode, "many") == 0) return wf_main(many, NULL);
    if (strcmp(mode, "churn") == 0) return wf_main(churn, NULL);
    if (strcmp(mode, "work") == 0) return wf_main(work, NULL);
    if (strcmp(mode, "loops") == 0) return wf_exit_status(wf_run(loops, NULL, .threads = number));
    if (strcmp(mode, "exec") == 0) return wf_main(become_another, NULL);
    if (strcmp(mode, "gap") == 0) return wf_main(gap, NULL);
    if (strcmp(mode, "damage") == 0) return wf_main(damage, NULL);
    if (strcmp(mode, "crash") == 0) return wf_main(crash, NULL);
    return 2;
}
