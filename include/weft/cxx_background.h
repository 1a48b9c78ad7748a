/*
 * The macros of background tasks for C++: options as a struct in place of named arguments.
 *
 *     wf_background_options options = {};
 *     options.grace = WF_SECONDS(10);
 *     WF_BACKGROUND(background, options);
 *
 *     wf_background_task_options named = {};
 *     named.name = "mail";
 *     rc = wf_background_start_copy(&background, send_mail, &mail, named);
 *
 * Included by weft/cxx.h; needs C++17.
 */
#ifndef WEFT_CXX_BACKGROUND_H
#define WEFT_CXX_BACKGROUND_H

#include <weft/base.h>

#ifdef __cplusplus

#include <weft/background.h>

#undef WF_BACKGROUND
#undef wf_background_start
#undef wf_background_start_copy
#undef wf_background_every
#undef wf_background_every_copy

namespace wf_cxx
{
inline void open_background(const char *place, wf_background *background, wf_background_options options = {})
{
    options.size = sizeof options;
    options.place_ = place;
    options.background_ = background;
    wf_background_open_(&options);
}

template <bool copies, class Arg>
int start_background(const char *place, const char *function, int64_t period, bool periodic, wf_background *background,
                     int (*fn)(Arg *), Arg *arg, wf_background_task_options options = {})
{
    options.size = sizeof options;
    options.place_ = place;
    options.function_ = function;
    options.arg_ = arg;
    options.periodic_ = periodic;
    options.period_ = period;
    if constexpr (copies) {
        static_assert(__is_trivially_copyable(Arg), "a copied argument is copied byte by byte");
        options.copy_size_ = sizeof(Arg);
    }
    return wf_background_start_(background, reinterpret_cast<int (*)(void *)>(fn), &options);
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

#endif
#endif
