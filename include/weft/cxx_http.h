/*
 * HTTP for C++: the same words, with options as structs in place of named arguments.
 *
 *     wf_app app = {};
 *     wf_route_options options = {};
 *     options.body = &order_model;             // WF_MODEL_DECLARE in a header, WF_MODEL_DEFINE in a file of C
 *     wf_route(&app, WF_POST, "/orders", take_order, options);
 *     return wf_serve_main(&app, argc, argv);
 *
 * Included by the headers whose words these are; needs C++17. No exception may leave a handler.
 */
#ifndef WEFT_CXX_HTTP_H
#define WEFT_CXX_HTTP_H

#include <weft/base.h>

#ifdef __cplusplus

#include <weft/app.h>
#include <weft/cookie.h>
#include <weft/cxx_task.h>
#include <weft/multipart.h>
#include <weft/sse.h>
#include <weft/static_files.h>
#include <weft/websocket.h>

#undef wf_multipart_open
#undef wf_reply_cookie
#undef wf_reply_file
#undef wf_route
#undef wf_serve
#undef wf_sse_begin
#undef wf_sse_send
#undef wf_sse_wait
#undef wf_static
#undef wf_websocket_accept

namespace wf_cxx
{
inline void route(const char *function, const char *place, wf_app *app, wf_method method, const char *pattern,
                  wf_handler *handler, wf_route_options options = {})
{
    options.size = sizeof options;
    options.function_ = function;
    options.place_ = place;
    wf_route_(app, method, pattern, handler, &options);
}

inline int http_serve(wf_app *app, wf_http_serve_options options = {})
{
    options.size = sizeof options;
    return wf_http_serve_(app, &options);
}

inline int reply_cookie(wf_request *request, const char *name, const char *value, wf_cookie_options options = {})
{
    options.size = sizeof options;
    return wf_reply_cookie_(request, name, value, &options);
}

inline int reply_file(wf_request *request, const char *path, wf_reply_file_options options = {})
{
    options.size = sizeof options;
    return wf_reply_file_(request, path, &options);
}

inline void static_folder(wf_app *app, const char *prefix, const char *folder, wf_static_options options = {})
{
    options.size = sizeof options;
    wf_static_(app, prefix, folder, &options);
}

inline int multipart_open(wf_request *request, wf_multipart *parts, wf_multipart_options options = {})
{
    options.size = sizeof options;
    options.out_ = parts;
    return wf_multipart_open_(request, &options);
}

inline int sse_begin(wf_request *request, wf_sse *events, wf_sse_options options = {})
{
    options.size = sizeof options;
    options.out_ = events;
    return wf_sse_begin_(request, &options);
}

inline int sse_send(wf_sse *events, wf_sse_event event)
{
    event.size = sizeof event;
    return wf_sse_send_(events, &event);
}

/* Evaluates again and again, each time for as long as the line may be silent. */
template <class Wait> auto sse_wait(wf_sse *events, Wait wait)
{
    auto attempt = [&] { return wf_within(wf_sse_patience_(events), wait()); };
    auto rc = wf_idle(attempt());
    while (rc == -ETIME && (rc = wf_sse_beat_(events)) == 0) rc = wf_idle(attempt());
    return rc;
}

inline int websocket_accept(wf_request *request, wf_websocket **socket, wf_websocket_options options = {})
{
    options.size = sizeof options;
    options.out_ = socket;
    return wf_websocket_accept_(request, &options);
}
}  // namespace wf_cxx

#define WF_CXX_HANDLER_(app, method, pattern, handler, ...) #handler

#define wf_multipart_open(...) wf_cxx::multipart_open(__VA_ARGS__)
#define wf_reply_cookie(...) wf_cxx::reply_cookie(__VA_ARGS__)
#define wf_reply_file(...) wf_cxx::reply_file(__VA_ARGS__)
#define wf_route(...) wf_cxx::route(WF_CXX_HANDLER_(__VA_ARGS__, 0), WF_HERE_, __VA_ARGS__)
#define wf_serve(...) wf_cxx::http_serve(__VA_ARGS__)
#define wf_sse_begin(...) wf_cxx::sse_begin(__VA_ARGS__)
#define wf_sse_send(...) wf_cxx::sse_send(__VA_ARGS__)
#define wf_sse_wait(events, ...) wf_cxx::sse_wait((events), [&] { return (__VA_ARGS__); })
#define wf_static(...) wf_cxx::static_folder(__VA_ARGS__)
#define wf_websocket_accept(...) wf_cxx::websocket_accept(__VA_ARGS__)

#endif
#endif
