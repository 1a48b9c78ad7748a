// Tasks in C++: the same words, options as structs, and an exception that unwinds a scope.
#include <cstdio>
#include <stdexcept>
#include <weft/weft.h>

struct user {
    int id;
    bool loaded;
};

static int load(user *user)
{
    int rc = wf_sleep(WF_MILLISECONDS(1));
    user->loaded = true;
    return rc;
}

static int load_both(user *users)
{
    wf_scope_options options = {};
    options.timeout = WF_SECONDS(5);
    WF_SCOPE(scope, options);
    wf_spawn(&scope, load, &users[0]);
    wf_spawn_options named = {};
    named.name = "second";
    wf_spawn(&scope, load, &users[1], named);
    int rc = wf_scope_join(&scope);
    return rc == 0 && (!users[0].loaded || !users[1].loaded) ? -EIO : rc;
}

static int throw_inside(user *users)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, load, users);
    wf_scope_join(&scope);
    throw std::runtime_error("unwound");
}

static int wait_on_each_other()
{
    wf_event event = WF_EVENT;
    wf_mutex mutex = WF_MUTEX;
    wf_semaphore permits = WF_SEMAPHORE(1);
    wf_event_set(&event);
    int rc = wf_event_wait(&event);
    if (rc == 0) rc = wf_mutex_lock(&mutex);
    if (rc == 0) rc = wf_mutex_unlock(&mutex);
    if (rc == 0) rc = wf_semaphore_acquire(&permits);
    return rc;
}

static wf_metric by_kind()
{
    wf_metric options = {};
    options.labels[0] = "kind";
    return options;
}

WF_COUNTER(seen, "consumer_seen_total", "What was seen.", by_kind());

static int say_what_is_done()
{
    wf_request_options options = {};
    options.name = "consume";
    WF_REQUEST_CONTEXT(request, options);
    WF_CONTEXT(bound, WF_TEXT("customer", "ada"));
    WF_TIMED(timer, "saying");
    wf_log(WF_DEBUG, "unseen");
    wf_log(WF_DEBUG, "unseen", WF_INT("number", 17), WF_BOOL("late", false));
    wf_counter_add(wf_counter_at(&seen, "log"), 2);
    return wf_counter_value(wf_counter_at(&seen, "log")) == 2 && wf_context_text("customer") != nullptr ? 0 : -EPROTO;
}

struct peer {
    int calls;
};

static int fail_once(peer *peer)
{
    return ++peer->calls == 1 ? -ECONNREFUSED : 7;
}

static int guard_calls()
{
    wf_retry_options soon = {};
    soon.base = WF_MILLISECONDS(1);
    const wf_retry_options kept = WF_RETRY(soon);
    wf_breaker_options once = {};
    once.failures = 1;
    wf_breaker breaker = WF_BREAKER(once);
    wf_rate rate = WF_RATE(1000, WF_SECONDS(1));
    wf_bulkhead bulkhead = WF_BULKHEAD(1, 0);
    wf_pipeline pipeline = {};
    pipeline.retry = &kept;
    pipeline.rate = &rate;
    peer peers[4] = {};
    wf_hedge_options options = {};
    options.delay = WF_SECONDS(1);
    bool fine = wf_retry(fail_once(&peers[0]), soon) == 7 && wf_retry(wf_yield()) == 0 &&
                wf_guarded(&breaker, fail_once(&peers[1])) == -ECONNREFUSED &&
                wf_guarded(&breaker, fail_once(&peers[1])) == WF_EOPEN && peers[1].calls == 1 &&
                wf_guarded(&pipeline, wf_guarded(&bulkhead, fail_once(&peers[2]))) == 7 &&
                wf_fallback(fail_once(&peers[3]), fail_once(&peers[3])) == 7 &&
                wf_hedge(peers, 2, fail_once, options) == 7;
    return fine ? 0 : -EPROTO;
}

static int start_in_background()
{
    peer peers[4] = {{1}, {1}, {1}, {1}};
    wf_background_options few = {};
    few.limit = 3;
    WF_BACKGROUND(background, few);
    WF_BACKGROUND(other);
    wf_background_task_options named = {};
    named.name = "peer";
    int rc = wf_background_start(&background, fail_once, &peers[0], named);
    if (rc == 0) rc = wf_background_start_copy(&background, fail_once, &peers[1]);
    if (rc == 0) rc = wf_background_every(&background, WF_SECONDS(60), fail_once, &peers[2]);
    if (rc == 0) rc = wf_background_every_copy(&other, WF_SECONDS(60), fail_once, &peers[3], named);
    if (rc == 0) rc = wf_background_shutdown(&other);
    if (rc == 0) rc = wf_background_shutdown(&background);
    return rc == 0 && peers[0].calls == 2 && peers[1].calls == 1 ? 0 : -EPROTO;
}

static int open_user(void *context, void **resource)
{
    *resource = context;
    return 0;
}

static void close_user(void *, void *resource)
{
    static_cast<user *>(resource)->loaded = false;
}

static int use_pool(user *shared)
{
    wf_pool_options options = {};
    options.open = open_user;
    options.close = close_user;
    options.context = shared;
    wf_pool *pool = nullptr;
    WF_SCOPE(scope);
    int rc = wf_pool_create(&pool, &scope, options);
    if (rc == 0) {
        WF_BORROW(lease, pool);
        WF_LEASE(second);
        rc = lease.code < 0 ? lease.code : wf_pool_acquire(pool, &second);
        if (rc == 0 && lease.resource != second.resource) rc = -EPROTO;
    }
    wf_pool_destroy(pool);
    return wf_scope_end(&scope, rc);
}

static bool younger(const user *one, const user *other)
{
    return one->id > other->id;
}

static int pass_items()
{
    WF_CHANNEL(numbers, int, 1);
    WF_PRIORITY_CHANNEL(queue, user, 2, younger);
    user first = {1, false}, second = {2, false}, next = {};
    int rc = wf_send(&queue, &first);
    if (rc == 0) rc = wf_send(&queue, &second);
    if (rc == 0) rc = wf_receive(&queue, &next);
    if (rc < 0 || next.id != 2) return rc < 0 ? rc : -EPROTO;
    int number = 7;
    wf_case cases[] = {WF_CASE_RECEIVE(&numbers, &number), WF_CASE_SEND(&numbers, &number), WF_CASE_UNTIL(WF_FOREVER)};
    rc = wf_select(cases, WF_COUNT(cases));
    return rc == 1 ? 0 : rc < 0 ? rc : -EPROTO;
}

static int use_the_rest(user *users)
{
    wf_token token = WF_TOKEN;
    wf_once once = WF_ONCE;
    wf_future future = WF_FUTURE;
    wf_barrier barrier = WF_BARRIER(1);
    wf_condition condition = WF_CONDITION;
    wf_limiter limiter = WF_LIMITER(1);
    WF_PERMIT(permit);
    int rc = wf_limiter_acquire(&limiter, &permit);
    if (rc == 0) rc = wf_barrier_wait(&barrier);
    if (rc == 0) rc = wf_once(&once, load, users);
    if (rc == 0) rc = wf_future_set(&future, users);
    if (rc == 0) rc = wf_future_wait(&future);
    if (rc == 0) rc = wf_linked(&token, wf_yield());
    wf_condition_notify(&condition);
    wf_token_cancel(&token, "done");
    return rc == 0 && wf_linked(&token, wf_yield()) != -ECANCELED ? -EPROTO : rc;
}

static int load_user(int *loads, wf_load *load)
{
    user *made = static_cast<user *>(wf_arena_zero(load->arena, sizeof(user)));
    if (made == nullptr) return -ENOMEM;
    made->id = ++*loads;
    load->value = made;
    return 0;
}

static void count_call(int *calls)
{
    ++*calls;
}

static int keep_in_a_cache()
{
    int loads = 0, calls = 0, number = 17;
    wf_arena arena;
    wf_cache *cache, *plain;
    wf_cache_options options = {};
    options.ttl = WF_SECONDS(300);
    int rc = wf_cache_create(&cache, WF_LOAD(load_user, &loads), options);
    if (rc == 0) rc = wf_cache_create(&plain);
    if (rc < 0) return rc;
    wf_arena_init(&arena);
    const user *one = nullptr, *same = nullptr, *other = nullptr, *none = nullptr;
    rc = wf_cache_get(cache, WF_KEY(number), &arena, &one);
    if (rc == 0) rc = wf_cache_peek(cache, WF_KEY(number), &arena, &same);
    if (rc == 0) rc = wf_cache_get_or_compute(plain, wf_key_text("ada"), &arena, load_user, &loads, &other);
    if (rc == 0) rc = wf_arena_defer(&arena, count_call, &calls);
    bool fine = rc == 0 && one == same && one->id == 1 && other->id == 2 &&
                wf_cache_get(plain, wf_key_text("ada"), &arena, &none) == -EINVAL && none == nullptr;
    wf_cache_destroy(cache);
    wf_cache_destroy(plain);
    wf_arena_finish(&arena);
    return fine && calls == 1 ? 0 : -EPROTO;
}

static int greet(user *someone, wf_stream *conn)
{
    return wf_stream_write_all(conn, &someone->id, sizeof someone->id, nullptr);
}

static int greet_one(wf_listener *listener)
{
    static user someone;
    return wf_serve_streams(listener, greet, &someone);
}

static int use_the_net()
{
    wf_listener *listener;
    wf_stream *conn;
    wf_embedded *embedded;
    wf_arena arena;
    const wf_address *addresses;
    wf_arena_init(&arena);
    int rc = wf_resolve("127.0.0.1", 80, &arena, &addresses);
    wf_arena_finish(&arena);
    if (rc != 1 || wf_names_set() < 0 || wf_embed_begin(&embedded, greet_one, (wf_listener *)nullptr) != -EBUSY)
        return -EPROTO;
    rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    wf_tcp_connect_options options = {};
    options.delay = true;
    WF_SCOPE(scope);
    wf_spawn(&scope, greet_one, listener);
    rc = wf_tcp_connect("127.0.0.1", wf_listener_port(listener), &conn, options);
    if (rc == 0) {
        char byte;
        rc = wf_idle(wf_stream_read_full(conn, &byte, 1, nullptr));
        wf_stream_close(conn);
    }
    wf_scope_drain(&scope);
    rc = wf_scope_end(&scope, rc);
    wf_listener_close(listener);
    return rc;
}

static int tell_loop(int *index)
{
    *index = wf_loop_index();
    return 0;
}

static void count_drain(int *drains)
{
    ++*drains;
}

static int use_other_loops()
{
    int index = 0, drains = 0;
    wf_bridge *bridge = nullptr;
    wf_shared_channel *channel = nullptr;
    WF_SCOPE(scope);
    wf_spawn_on_options options = {};
    options.name = "elsewhere";
    int rc = wf_scope_on_drain(&scope, count_drain, &drains);
    if (rc == 0) rc = wf_spawn_on(&scope, WF_LEAST_LOADED, tell_loop, &index, options);
    if (rc == 0) rc = wf_everywhere(tell_loop, &index);
    if (rc == 0) rc = wf_call_on(1, tell_loop, &index);
    if (rc == 0) rc = wf_bridge_create(&scope, &bridge);
    if (rc == 0) rc = wf_shared_channel_create(sizeof index, 1, WF_WITH_LOOPS, &channel);
    if (rc == 0) rc = wf_shared_send(channel, &index);
    if (rc == 0) rc = wf_shared_receive(channel, &index) == 1 ? 0 : -EPROTO;
    wf_shared_channel_destroy(channel);
    wf_bridge_destroy(bridge);
    wf_scope_drain(&scope);
    rc = wf_scope_end(&scope, rc);
    return rc == 0 && (index != 1 || drains != 1) ? -EPROTO : rc;
}

static int consume(user *users)
{
    wf_log_set_level(nullptr, WF_WARN);
    if (say_what_is_done() < 0) return -EPROTO;
    int rc = load_both(users);
    if (rc == 0) rc = wf_gather(users, 2, load);
    if (rc == 0) rc = wait_on_each_other();
    if (rc == 0) rc = guard_calls();
    if (rc == 0) rc = start_in_background();
    if (rc == 0) rc = use_pool(&users[0]);
    if (rc == 0) rc = pass_items();
    if (rc == 0) rc = keep_in_a_cache();
    if (rc == 0) rc = use_the_net();
    if (rc == 0) rc = use_other_loops();
    if (rc == 0) rc = use_the_rest(users);
    if (rc == 0 && wf_within(WF_MILLISECONDS(1), wf_sleep(WF_SECONDS(60))) != -ETIME) rc = -EPROTO;
    if (rc < 0) return rc;
    try {
        return throw_inside(users);
    } catch (const std::runtime_error &) {
        std::puts("called from C++");
        return 0;
    }
}

int main()
{
    static user users[2];
    wf_run_options options = {};
    options.threads = 2;
    return wf_main(consume, users, options);
}
