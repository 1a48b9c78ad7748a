/*
 * Retry, breaker, rate, bulkhead, hedge, pools and background tasks for C++: the same words, with options as structs in
 * place of named arguments.
 * Included by weft/cxx.h; needs C++17.
 */
#ifndef WEFT_CXX_FLOW_H
#define WEFT_CXX_FLOW_H

#include <weft/base.h>

#ifdef __cplusplus

#include <weft/background.h>
#include <weft/cxx_task.h>
#include <weft/hedge.h>
#include <weft/pipeline.h>
#include <weft/pool.h>

#undef WF_BACKGROUND
#undef wf_background_start
#undef wf_background_start_copy
#undef wf_background_every
#undef wf_background_every_copy
#undef wf_retry
#undef wf_guarded
#undef wf_fallback
#undef wf_hedge
#undef WF_RETRY
#undef WF_BREAKER
#undef WF_RATE
#undef WF_BULKHEAD
#undef WF_LEASE
#undef wf_pool_create

namespace wf_cxx
{
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

inline void open_background(const char *place, wf_background *background, wf_background_options options = {})
{
    options.size = sizeof options;
    options.place_ = place;
    options.background_ = background;
    wf_background_open_(&options);
}

template <bool copies, class Arg>
int start_background(const char *place, const char *function, int64_t period, bool periodic, wf_background *background,
                     int (*fn)(Arg *), Arg *arg, const wf_background_task_options &options = {})
{
    wf_background_task_options own = filled(place, function, options);
    own.arg_ = arg;
    own.periodic_ = periodic;
    own.period_ = period;
    if constexpr (copies) {
        static_assert(__is_trivially_copyable(Arg), "a copied argument is copied byte by byte");
        own.copy_size_ = sizeof(Arg);
    }
    return wf_background_start_(background, erased(fn), &own);
}

inline int pool_create(const char *place, wf_pool **pool, wf_scope *scope, wf_pool_options options)
{
    options.size = sizeof options;
    options.place_ = place;
    options.scope_ = scope;
    return wf_pool_create_(pool, &options);
}

inline wf_retry_options retry_options(wf_retry_options options = {})
{
    options.size = sizeof options;
    return options;
}
}  // namespace wf_cxx

#define WF_BACKGROUND(...) WF_BACKGROUND_CXX_(WF_FIRST_(__VA_ARGS__), __VA_ARGS__)
#define WF_BACKGROUND_CXX_(background_name, ...)                                                                       \
    struct wf_background background_name __attribute__((cleanup(wf_background_leave_))) = {};                          \
    wf_cxx::open_background(WF_HERE_, &__VA_ARGS__)
#define wf_background_start(background, fn, ...)                                                                       \
    wf_cxx::start_background<false>(WF_HERE_, #fn, 0, false, (background), (fn), __VA_ARGS__)
#define wf_background_start_copy(background, fn, ...)                                                                  \
    wf_cxx::start_background<true>(WF_HERE_, #fn, 0, false, (background), (fn), __VA_ARGS__)
#define wf_background_every(background, period_ns, fn, ...)                                                            \
    wf_cxx::start_background<false>(WF_HERE_, #fn, (period_ns), true, (background), (fn), __VA_ARGS__)
#define wf_background_every_copy(background, period_ns, fn, ...)                                                       \
    wf_cxx::start_background<true>(WF_HERE_, #fn, (period_ns), true, (background), (fn), __VA_ARGS__)
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
#define WF_LEASE(lease) struct wf_lease lease __attribute__((cleanup(wf_lease_leave_), unused)) = {}
#define wf_pool_create(pool, ...) wf_cxx::pool_create(WF_HERE_, (pool), __VA_ARGS__)

#endif
#endif
