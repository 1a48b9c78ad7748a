/*
 * TCP and serial ports for C++: the same words, with options as structs in place of named arguments.
 * Included by weft/cxx.h; needs C++17.
 */
#ifndef WEFT_CXX_NET_H
#define WEFT_CXX_NET_H

#include <weft/base.h>

#ifdef __cplusplus

#include <weft/names.h>
#include <weft/serve.h>
#include <weft/tcp.h>
#include <weft/tty.h>

#undef wf_names_set
#undef wf_resolve
#undef wf_serial_open
#undef wf_serve_streams
#undef wf_tcp_connect
#undef wf_tcp_listen

namespace wf_cxx
{
inline int tcp_listen(const char *host, uint16_t port, wf_listener **listener, wf_tcp_listen_options options = {})
{
    options.size = sizeof options;
    options.out_ = listener;
    return wf_tcp_listen_(host, port, &options);
}

inline int tcp_connect(const char *host, uint16_t port, wf_stream **stream, wf_tcp_connect_options options = {})
{
    options.size = sizeof options;
    options.out_ = stream;
    return wf_tcp_connect_(host, port, &options);
}

inline int resolve(const char *host, uint16_t port, wf_arena *arena, const wf_address **addresses,
                   wf_resolve_options options = {})
{
    options.size = sizeof options;
    options.out_ = addresses;
    return wf_resolve_(host, port, arena, &options);
}

inline int names_set(wf_names_options options = {})
{
    options.size = sizeof options;
    return wf_names_set_(&options);
}

template <class Arg>
int serve_streams(wf_listener *listener, int (*handler)(Arg *, wf_stream *), Arg *arg, wf_serve_options options = {})
{
    options.size = sizeof options;
    options.arg_ = arg;
    return wf_serve_streams_(listener, reinterpret_cast<int (*)(void *, wf_stream *)>(handler), &options);
}

inline int serial_open(const char *path, wf_stream **stream, wf_serial_options options = {})
{
    options.size = sizeof options;
    options.out_ = stream;
    return wf_serial_open_(path, &options);
}
}  // namespace wf_cxx

#define wf_names_set(...) wf_cxx::names_set(__VA_ARGS__)
#define wf_resolve(...) wf_cxx::resolve(__VA_ARGS__)
#define wf_serve_streams(...) wf_cxx::serve_streams(__VA_ARGS__)
#define wf_tcp_connect(...) wf_cxx::tcp_connect(__VA_ARGS__)
#define wf_serial_open(...) wf_cxx::serial_open(__VA_ARGS__)
#define wf_tcp_listen(...) wf_cxx::tcp_listen(__VA_ARGS__)

#endif
#endif
