/*
 * TCP and serial ports for C++: the same words, with options as structs in place of named arguments.
 * Included by weft/cxx.h; needs C++17.
 */
#ifndef WEFT_CXX_NET_H
#define WEFT_CXX_NET_H

#include <weft/base.h>

#ifdef __cplusplus

#include <weft/tcp.h>
#include <weft/tty.h>

#undef wf_serial_open
#undef wf_tcp_listen

namespace wf_cxx
{
inline int tcp_listen(const char *host, uint16_t port, wf_listener **listener, wf_tcp_listen_options options = {})
{
    options.size = sizeof options;
    options.out_ = listener;
    return wf_tcp_listen_(host, port, &options);
}

inline int serial_open(const char *path, wf_stream **stream, wf_serial_options options = {})
{
    options.size = sizeof options;
    options.out_ = stream;
    return wf_serial_open_(path, &options);
}
}  // namespace wf_cxx

#define wf_serial_open(...) wf_cxx::serial_open(__VA_ARGS__)
#define wf_tcp_listen(...) wf_cxx::tcp_listen(__VA_ARGS__)

#endif
#endif
