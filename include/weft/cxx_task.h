/*
 * Tasks and scopes for C++: the same words, with options as structs in place of named arguments.
 * Included by weft/cxx.h; needs C++17.
 */
#ifndef WEFT_CXX_TASK_H
#define WEFT_CXX_TASK_H

#include <weft/base.h>

#ifdef __cplusplus

#include <weft/bridge.h>
#include <weft/embed.h>
#include <weft/executor.h>
#include <weft/group.h>
#include <weft/loops.h>
#include <weft/run.h>
#include <weft/scope.h>
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
#undef wf_embed_begin
#undef wf_run
#undef wf_main
#undef wf_offload
#undef wf_spawn_on
#undef wf_scope_on_drain
#undef wf_bridge_call
#undef wf_call_on
#undef wf_everywhere
#undef WF_TOKEN

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

template <class Arg>
int embed_begin(const char *place, const char *function, wf_embedded **embedded, int (*fn)(Arg *), Arg *arg,
                const wf_run_options &options = {})
{
    wf_run_options own = filled(place, function, options);
    own.arg_ = arg;
    return wf_embed_begin_(embedded, erased(fn), &own);
}

template <class Arg>
int spawn_on(const char *place, const char *function, wf_scope *scope, int index, int (*fn)(Arg *), Arg *arg,
             const wf_spawn_on_options &options = {})
{
    static_assert(__is_trivially_copyable(Arg), "a copied argument is copied byte by byte");
    wf_spawn_on_options own = filled(place, function, options);
    own.arg_ = arg;
    own.copy_size_ = sizeof(Arg);
    return wf_spawn_on_(scope, index, erased(fn), &own);
}

template <class Arg> int call_on(const char *place, const char *function, int index, int (*fn)(Arg *), Arg *arg)
{
    return wf_call_on_(index, erased(fn), arg, function, place);
}

template <class Arg>
int bridge_call(const char *place, const char *function, wf_bridge *bridge, int (*fn)(Arg *), Arg *arg)
{
    return wf_bridge_call_(bridge, erased(fn), arg, function, place);
}

template <class Arg> int on_drain(wf_scope *scope, void (*fn)(Arg *), Arg *arg)
{
    return wf_scope_on_drain_(scope, reinterpret_cast<void (*)(void *)>(fn), arg);
}

template <class Arg> int everywhere(const char *place, const char *function, int (*fn)(Arg *), Arg *arg)
{
    return wf_everywhere_(erased(fn), arg, function, place);
}

template <class Arg> int offload(const char *place, const char *function, int (*fn)(Arg *), Arg *arg)
{
    return wf_offload_(erased(fn), arg, function, place);
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
#define wf_embed_begin(embedded, fn, ...) wf_cxx::embed_begin(WF_HERE_, #fn, embedded, fn, __VA_ARGS__)
#define wf_run(fn, ...) wf_cxx::run(WF_HERE_, #fn, fn, __VA_ARGS__)
#define wf_main(fn, ...) wf_exit_status(wf_run(fn, __VA_ARGS__))
#define wf_spawn_on(scope, index, fn, ...) wf_cxx::spawn_on(WF_HERE_, #fn, scope, index, fn, __VA_ARGS__)
#define wf_call_on(index, fn, arg) wf_cxx::call_on(WF_HERE_, #fn, index, fn, arg)
#define wf_bridge_call(bridge, fn, arg) wf_cxx::bridge_call(WF_HERE_, #fn, bridge, fn, arg)
#define wf_scope_on_drain(scope, fn, arg) wf_cxx::on_drain(scope, fn, arg)
#define wf_everywhere(fn, arg) wf_cxx::everywhere(WF_HERE_, #fn, fn, arg)
#define wf_offload(fn, arg) wf_cxx::offload(WF_HERE_, #fn, fn, arg)
#define WF_TOKEN                                                                                                       \
    {                                                                                                                  \
    }

#endif
#endif
