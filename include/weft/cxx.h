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

#include <weft/channel.h>
#include <weft/executor.h>
#include <weft/group.h>
#include <weft/run.h>
#include <weft/scope.h>
#include <weft/select.h>
#include <weft/sync.h>
#include <weft/tcp.h>
#include <weft/token.h>

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
#define wf_tcp_listen(...) wf_cxx::tcp_listen(__VA_ARGS__)

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
