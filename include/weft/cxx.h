/*
 * The macros of weft for C++: the same words, with options as a struct in place of named arguments.
 *
 *     static int load(user *u);
 *
 *     static int load_all(user *users)
 *     {
 *         wf_scope_options options = {};
 *         options.timeout = WF_SECONDS(5);
 *         WF_SCOPE(scope, options);
 *         wf_spawn(&scope, load, &users[0]);
 *         wf_spawn(&scope, load, &users[1]);
 *         return wf_scope_join(&scope);
 *     }
 *
 * An exception may unwind a scope (it is then left without its end: children are cancelled and waited for), but must be
 * caught before the task's function returns: past that it ends the process. Included by weft/weft.h; needs C++17.
 */
#ifndef WEFT_CXX_H
#define WEFT_CXX_H

#include <weft/base.h>

#ifdef __cplusplus

#include <weft/context.h>
#include <weft/channel.h>
#include <weft/executor.h>
#include <weft/group.h>
#include <weft/log.h>
#include <weft/metrics.h>
#include <weft/hedge.h>
#include <weft/pipeline.h>
#include <weft/run.h>
#include <weft/scope.h>
#include <weft/select.h>
#include <weft/sync.h>
#include <weft/tcp.h>
#include <weft/token.h>
#include <weft/cxx_socket.h>

#undef WF_SCOPE
#undef wf_spawn
#undef wf_try_spawn
#undef wf_spawn_copy
#undef wf_spawn_ready
#undef wf_within
#undef wf_until
#undef wf_shielded
#undef wf_linked
#undef wf_gather
#undef wf_race
#undef wf_run
#undef wf_main
#undef wf_offload
#undef wf_tcp_listen
#undef wf_log
#undef WF_REQUEST_CONTEXT
#undef WF_METRIC_
#undef wf_counter_at
#undef wf_gauge_at
#undef wf_histogram_at
#undef WF_MUTEX
#undef WF_SEMAPHORE
#undef WF_EVENT
#undef wf_retry
#undef wf_guarded
#undef wf_fallback
#undef wf_hedge
#undef WF_RETRY
#undef WF_BREAKER
#undef WF_RATE
#undef WF_BULKHEAD
#undef WF_CHANNEL
#undef WF_PRIORITY_CHANNEL
#undef WF_CASE_RECEIVE
#undef WF_CASE_SEND
#undef WF_CASE_EVENT
#undef WF_CASE_HANDLE
#undef WF_CASE_FUTURE
#undef WF_CASE_UNTIL
#undef WF_CASE_READY
#undef WF_MUTEX
#undef WF_SEMAPHORE
#undef WF_EVENT
#undef WF_CONDITION
#undef WF_BARRIER
#undef WF_ONCE
#undef WF_FUTURE
#undef WF_LIMITER
#undef WF_PERMIT
#undef WF_TOKEN
#undef wf_once

namespace wf_cxx
{
using task_function = int (*)(void *);

template <class Arg> task_function erased(int (*fn)(Arg *))
{
    return reinterpret_cast<task_function>(fn);
}

template <class Options> Options filled(const char *place, const char *function, Options options)
{
    options.size = sizeof options;
    options.place_ = place;
    options.function_ = function;
    return options;
}

inline void open(const char *place, wf_scope *scope, wf_scope_options options = {})
{
    options.size = sizeof options;
    options.place_ = place;
    options.scope_ = scope;
    wf_scope_open_(&options);
}

template <class Arg>
wf_spawn_options spawn_options(const char *place, const char *function, Arg *arg, const wf_spawn_options &options,
                               size_t copy_size = 0)
{
    wf_spawn_options own = filled(place, function, options);
    own.arg_ = arg;
    own.copy_size_ = copy_size;
    return own;
}

template <class Arg>
int spawn(const char *place, const char *function, wf_scope *scope, int (*fn)(Arg *), Arg *arg,
          const wf_spawn_options &options = {})
{
    const wf_spawn_options own = spawn_options(place, function, arg, options);
    return wf_spawn_(scope, erased(fn), &own);
}

template <class Arg>
int spawn_copy(const char *place, const char *function, wf_scope *scope, int (*fn)(Arg *), Arg *arg,
               const wf_spawn_options &options = {})
{
    static_assert(__is_trivially_copyable(Arg), "a copied argument is copied byte by byte");
    const wf_spawn_options own = spawn_options(place, function, arg, options, sizeof(Arg));
    return wf_spawn_(scope, erased(fn), &own);
}

template <class Arg>
int try_spawn(const char *place, const char *function, wf_scope *scope, int (*fn)(Arg *), Arg *arg,
              const wf_spawn_options &options = {})
{
    const wf_spawn_options own = spawn_options(place, function, arg, options);
    return wf_try_spawn_(scope, erased(fn), &own);
}

template <class Arg>
int spawn_ready(const char *place, const char *function, wf_scope *scope, int (*fn)(Arg *), Arg *arg,
                const wf_spawn_options &options = {})
{
    const wf_spawn_options own = spawn_options(place, function, arg, options);
    return wf_spawn_ready_(scope, erased(fn), &own);
}

template <class Body> auto inside(const char *place, const wf_scope_options &options, Body body)
{
    struct wf_scope scope __attribute__((cleanup(wf_scope_leave_))) = {};
    open(place, &scope, options);
    auto value = body();
    int rc = wf_scope_end(&scope, value < 0 ? static_cast<int>(value) : 0);
    return value < 0 || rc < 0 ? static_cast<decltype(value)>(rc) : value;
}

template <class Body> auto around(const char *place, int64_t timeout, int64_t deadline, bool shield, Body body)
{
    wf_scope_options options = {};
    options.timeout = timeout;
    options.deadline = deadline;
    options.shield = shield;
    return inside(place, options, body);
}

template <class Body> auto linked(const char *place, wf_token *token, Body body)
{
    wf_scope_options options = {};
    options.token = token;
    return inside(place, options, body);
}

template <class Item>
int gather(const char *place, const char *function, Item *items, size_t count, int (*fn)(Item *),
           const wf_gather_options &options = {})
{
    wf_gather_options own = filled(place, function, options);
    own.call_ = erased(fn);
    return wf_gather_(items, count, sizeof(Item), &own);
}

template <class Item>
int race(const char *place, const char *function, Item *items, size_t count, int (*fn)(Item *),
         const wf_race_options &options = {})
{
    wf_race_options own = filled(place, function, options);
    own.call_ = erased(fn);
    return wf_race_(items, count, sizeof(Item), &own);
}

template <class Arg>
int run(const char *place, const char *function, int (*fn)(Arg *), Arg *arg, const wf_run_options &options = {})
{
    wf_run_options own = filled(place, function, options);
    own.arg_ = arg;
    return wf_run_(erased(fn), &own);
}

template <class Arg> int offload(const char *place, const char *function, int (*fn)(Arg *), Arg *arg)
{
    return wf_offload_(erased(fn), arg, function, place);
}

inline void begin(wf_call_ *call, wf_breaker *breaker, const char *place)
{
    wf_call_begin_breaker_(call, breaker, place);
}

inline void begin(wf_call_ *call, wf_rate *rate, const char *place)
{
    wf_call_begin_rate_(call, rate, place);
}

inline void begin(wf_call_ *call, wf_bulkhead *bulkhead, const char *place)
{
    wf_call_begin_bulkhead_(call, bulkhead, place);
}

inline void begin(wf_call_ *call, const wf_pipeline *pipeline, const char *place)
{
    wf_call_begin_pipeline_(call, pipeline, place);
}

inline void begin(wf_call_ *call, const wf_retry_options *retry, const char *place)
{
    wf_call_begin_(call, retry, place);
}

template <class Guard, class Body> auto guarded(const char *place, Guard *guard, Body body)
{
    wf_call_ call __attribute__((cleanup(wf_call_leave_)));
    begin(&call, guard, place);
    decltype(body()) value = 0;
    while (wf_call_next_(&call)) {
        value = body();
        call.code_ = value < 0 ? static_cast<int>(value) : 0;
    }
    return call.code_ < 0 ? static_cast<decltype(value)>(call.code_) : value;
}

/* The last argument of a macro that has options, or not. */
struct end {
};

template <class Body> auto retry(const char *place, Body body, const wf_retry_options &options, end)
{
    wf_retry_options own = options;
    own.size = sizeof own;
    return guarded(place, &own, body);
}

template <class Body> auto retry(const char *place, Body body, end)
{
    return retry(place, body, wf_retry_options{}, end{});
}

template <class Primary, class Fallback> auto fallback(Primary primary, Fallback other)
{
    wf_fallback_ said;
    auto value = primary();
    if (value >= 0 || !wf_fallback_begin_(&said, static_cast<int>(value))) return value;
    value = other();
    return value < 0 ? static_cast<decltype(value)>(wf_fallback_failed_(&said, static_cast<int>(value))) : value;
}

template <class Item>
int hedge(const char *place, const char *function, Item *items, size_t count, int (*fn)(Item *),
          const wf_hedge_options &options)
{
    wf_hedge_options own = filled(place, function, options);
    own.call_ = erased(fn);
    return wf_hedge_(items, count, sizeof(Item), &own);
}

inline wf_breaker breaker(wf_breaker_options options = {})
{
    wf_breaker made = {};
    made.options = options;
    made.options.size = sizeof options;
    return made;
}

inline wf_rate rate(int64_t count, int64_t per_ns, wf_rate_options options = {})
{
    wf_rate made = {};
    made.options = options;
    made.options.size = sizeof options;
    made.options.count = count;
    made.options.per = per_ns;
    return made;
}

inline wf_bulkhead bulkhead(int inside, int waiting, wf_bulkhead_options options = {})
{
    wf_bulkhead made = {};
    made.options = options;
    made.options.size = sizeof options;
    made.options.inside = inside;
    made.options.waiting = waiting;
    return made;
}

inline wf_retry_options retry_options(wf_retry_options options = {})
{
    options.size = sizeof options;
    return options;
}

template <class Item, size_t capacity> struct channel : wf_channel {
    alignas(Item) char storage_[(capacity == 0 ? 1 : capacity) * sizeof(Item)];

    channel() : wf_channel()
    {
        slots_ = storage_;
        item_size_ = slot_size_ = sizeof(Item);
        capacity_ = capacity;
    }
    channel(const channel &) = delete;
    channel &operator=(const channel &) = delete;
};

template <class Item, size_t capacity, bool (*before)(const Item *, const Item *)>
struct priority_channel : wf_channel {
    struct slot {
        Item item_;
        uint64_t sequence_;
    };
    alignas(slot) char storage_[capacity * sizeof(slot)];

    static bool comes_before(const void *one, const void *other)
    {
        return before(static_cast<const Item *>(one), static_cast<const Item *>(other));
    }
    priority_channel() : wf_channel()
    {
        slots_ = storage_;
        item_size_ = sizeof(Item);
        slot_size_ = sizeof(slot);
        capacity_ = capacity;
        before_ = comes_before;
    }
    priority_channel(const priority_channel &) = delete;
    priority_channel &operator=(const priority_channel &) = delete;
};

template <class Item> wf_case channel_case(wf_case_kind_ kind, wf_channel *channel, Item *item)
{
    wf_case one = {};
    one.kind_ = kind;
    one.on_.channel = channel;
    one.item_ = const_cast<void *>(static_cast<const void *>(item));
    one.item_size_ = sizeof(Item);
    return one;
}

inline wf_case event_case(wf_event *event)
{
    wf_case one = {};
    one.kind_ = WF_CASE_EVENT_;
    one.on_.event = event;
    return one;
}

inline wf_case handle_case(wf_handle *handle)
{
    wf_case one = {};
    one.kind_ = WF_CASE_HANDLE_;
    one.on_.handle = handle;
    return one;
}

inline wf_case future_case(wf_future *future)
{
    wf_case one = {};
    one.kind_ = WF_CASE_FUTURE_;
    one.on_.future = future;
    return one;
}

inline wf_case until_case(int64_t deadline)
{
    wf_case one = {};
    one.kind_ = WF_CASE_UNTIL_;
    one.deadline_ = deadline;
    return one;
}

inline wf_case ready_case(int fd, unsigned readiness)
{
    wf_case one = {};
    one.kind_ = WF_CASE_READY_;
    one.fd_ = fd;
    one.readiness_ = readiness;
    return one;
}

inline wf_semaphore semaphore(size_t count)
{
    wf_semaphore made = {};
    made.permits_ = count;
    return made;
}

inline wf_barrier barrier(int parties)
{
    wf_barrier made = {};
    made.parties_ = parties;
    return made;
}

inline wf_limiter limiter(int limit)
{
    wf_limiter made = {};
    made.limit_ = limit;
    return made;
}

template <class Arg> int call_once(wf_once *one, int (*fn)(Arg *), Arg *arg)
{
    return wf_once_(one, erased(fn), arg);
}

inline int tcp_listen(const char *host, uint16_t port, wf_listener **listener, wf_tcp_listen_options options = {})
{
    options.size = sizeof options;
    options.out_ = listener;
    return wf_tcp_listen_(host, port, &options);
}

template <class... Fields>
void log(wf_log_module *module, wf_log_level level, const char *message, const Fields &...fields)
{
    const wf_field all[] = {fields..., wf_field_end_()};
    wf_log_(module, level, message, all);
}

inline void open_request(wf_request_context *request, wf_request_options options = {})
{
    options.size = sizeof options;
    options.request_ = request;
    wf_request_open_(&options);
}

inline wf_metric metric(wf_metric_kind kind, const char *name, const char *help, wf_metric options = {})
{
    options.kind_ = kind;
    options.name = name;
    options.help = help;
    return options;
}

inline bool register_metric(wf_metric *metric, wf_series_ *series)
{
    wf_metric_register_(metric, series);
    return true;
}

template <class Handle, class... Values>
Handle *series_at(Handle *(*find)(Handle *, const char *const *, size_t), Handle *handle, Values... values)
{
    const char *const all[] = {values...};
    return find(handle, all, sizeof...(values));
}
}  // namespace wf_cxx

#define WF_SCOPE(...) WF_SCOPE_CXX_(WF_FIRST_(__VA_ARGS__), __VA_ARGS__)
#define WF_SCOPE_CXX_(scope_name, ...)                                                                                 \
    struct wf_scope scope_name __attribute__((cleanup(wf_scope_leave_))) = {};                                         \
    wf_cxx::open(WF_HERE_, &__VA_ARGS__)

#define wf_spawn(scope, fn, ...) wf_cxx::spawn(WF_HERE_, #fn, scope, fn, __VA_ARGS__)
#define wf_try_spawn(scope, fn, ...) wf_cxx::try_spawn(WF_HERE_, #fn, scope, fn, __VA_ARGS__)
#define wf_spawn_copy(scope, fn, ...) wf_cxx::spawn_copy(WF_HERE_, #fn, scope, fn, __VA_ARGS__)
#define wf_spawn_ready(scope, fn, ...) wf_cxx::spawn_ready(WF_HERE_, #fn, scope, fn, __VA_ARGS__)
#define wf_within(duration_ns, ...)                                                                                    \
    wf_cxx::around(WF_HERE_, wf_timeout_(duration_ns), 0, false, [&] { return (__VA_ARGS__); })
#define wf_until(deadline_ns, ...)                                                                                     \
    wf_cxx::around(WF_HERE_, 0, wf_at_(deadline_ns), false, [&] { return (__VA_ARGS__); })
#define wf_shielded(duration_ns, ...)                                                                                  \
    wf_cxx::around(WF_HERE_, wf_timeout_(duration_ns), 0, true, [&] { return (__VA_ARGS__); })
#define wf_linked(token, ...) wf_cxx::linked(WF_HERE_, (token), [&] { return (__VA_ARGS__); })
#define wf_gather(items, count, ...)                                                                                   \
    wf_cxx::gather(WF_HERE_, WF_TEXT_(WF_FIRST_(__VA_ARGS__)), items, count, __VA_ARGS__)
#define wf_race(items, count, ...) wf_cxx::race(WF_HERE_, WF_TEXT_(WF_FIRST_(__VA_ARGS__)), items, count, __VA_ARGS__)
#define wf_run(fn, ...) wf_cxx::run(WF_HERE_, #fn, fn, __VA_ARGS__)
#define wf_main(fn, ...) wf_exit_status(wf_run(fn, __VA_ARGS__))
#define wf_offload(fn, arg) wf_cxx::offload(WF_HERE_, #fn, fn, arg)
#define wf_retry(...) WF_RETRY_CXX_(__VA_ARGS__, wf_cxx::end{})
#define WF_RETRY_CXX_(expression, ...)                                                                                 \
    wf_cxx::retry(                                                                                                     \
        WF_HERE_, [&] { return (expression); }, __VA_ARGS__)
#define wf_guarded(guard, ...) wf_cxx::guarded(WF_HERE_, (guard), [&] { return (__VA_ARGS__); })
#define wf_fallback(primary, ...) wf_cxx::fallback([&] { return (primary); }, [&] { return (__VA_ARGS__); })
#define wf_hedge(items, count, ...) wf_cxx::hedge(WF_HERE_, WF_TEXT_(WF_FIRST_(__VA_ARGS__)), items, count, __VA_ARGS__)
#define WF_RETRY(...) wf_cxx::retry_options(__VA_ARGS__)
#define WF_BREAKER(...) wf_cxx::breaker(__VA_ARGS__)
#define WF_RATE(...) wf_cxx::rate(__VA_ARGS__)
#define WF_BULKHEAD(...) wf_cxx::bulkhead(__VA_ARGS__)
#define wf_tcp_listen(...) wf_cxx::tcp_listen(__VA_ARGS__)

#define wf_log(level, ...)                                                                                             \
    (wf_log_wanted_(&wf_log_module_, (level)) ? wf_cxx::log(&wf_log_module_, (level), __VA_ARGS__) : (void)0)
#define WF_REQUEST_CONTEXT(...) WF_REQUEST_CONTEXT_CXX_(WF_FIRST_(__VA_ARGS__), __VA_ARGS__)
#define WF_REQUEST_CONTEXT_CXX_(variable, ...)                                                                         \
    struct wf_request_context variable __attribute__((cleanup(wf_request_leave_))) = {};                               \
    wf_cxx::open_request(&__VA_ARGS__)
#define WF_METRIC_(type, variable, metric_kind, ...)                                                                   \
    static wf_metric WF_JOIN_(variable, _metric_) = wf_cxx::metric((metric_kind), __VA_ARGS__);                        \
    static type variable;                                                                                              \
    __attribute__((unused)) static const bool WF_JOIN_(variable, _registered_) =                                       \
        wf_cxx::register_metric(&WF_JOIN_(variable, _metric_), &variable.series_)
#define wf_counter_at(...) wf_cxx::series_at(wf_counter_at_, __VA_ARGS__)
#define wf_gauge_at(...) wf_cxx::series_at(wf_gauge_at_, __VA_ARGS__)
#define wf_histogram_at(...) wf_cxx::series_at(wf_histogram_at_, __VA_ARGS__)

#define WF_CHANNEL(name, type, capacity) wf_cxx::channel<type, (capacity)> name
#define WF_PRIORITY_CHANNEL(name, type, capacity, before) wf_cxx::priority_channel<type, (capacity), before> name
#define WF_CASE_RECEIVE(channel, item) wf_cxx::channel_case(WF_CASE_RECEIVE_, (channel), (item))
#define WF_CASE_SEND(channel, item) wf_cxx::channel_case(WF_CASE_SEND_, (channel), (item))
#define WF_CASE_EVENT(event) wf_cxx::event_case(event)
#define WF_CASE_HANDLE(handle) wf_cxx::handle_case(handle)
#define WF_CASE_FUTURE(future) wf_cxx::future_case(future)
#define WF_CASE_UNTIL(deadline_ns) wf_cxx::until_case(deadline_ns)
#define WF_CASE_READY(fd, readiness) wf_cxx::ready_case((fd), (readiness))
#define WF_MUTEX                                                                                                       \
    {                                                                                                                  \
    }
#define WF_SEMAPHORE(count) wf_cxx::semaphore(count)
#define WF_EVENT                                                                                                       \
    {                                                                                                                  \
    }
#define WF_CONDITION                                                                                                   \
    {                                                                                                                  \
    }
#define WF_BARRIER(parties) wf_cxx::barrier(parties)
#define WF_ONCE                                                                                                        \
    {                                                                                                                  \
    }
#define WF_FUTURE                                                                                                      \
    {                                                                                                                  \
    }
#define WF_TOKEN                                                                                                       \
    {                                                                                                                  \
    }
#define WF_LIMITER(limit) wf_cxx::limiter(limit)
#define WF_PERMIT(permit) struct wf_permit permit __attribute__((cleanup(wf_permit_leave_))) = {}
#define wf_once(state, fn, arg) wf_cxx::call_once((state), (fn), (arg))

#endif
#endif
