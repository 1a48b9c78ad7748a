/*
 * Dumps, the log, request contexts and metrics for C++: the same words, with options as structs in place of named
 * arguments.
 * Included by weft/cxx.h; needs C++17.
 */
#ifndef WEFT_CXX_OBSERVE_H
#define WEFT_CXX_OBSERVE_H

#include <weft/base.h>

#ifdef __cplusplus

#include <weft/context.h>
#include <weft/dump.h>
#include <weft/log.h>
#include <weft/metrics.h>

#undef wf_dump_to
#undef wf_log
#undef WF_REQUEST_CONTEXT
#undef WF_METRIC_
#undef wf_counter_at
#undef wf_gauge_at
#undef wf_histogram_at

namespace wf_cxx
{
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

inline int dump_to(FILE *file, wf_dump_options options = {})
{
    options.size = sizeof options;
    options.file_ = file;
    return wf_dump_to_(&options);
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

#define wf_dump_to(...) wf_cxx::dump_to(__VA_ARGS__)
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

#endif
#endif
