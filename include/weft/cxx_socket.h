/*
 * The macros of weft/udp.h and weft/unix.h for C++, as weft/cxx.h has those of the others.
 *
 *     wf_udp_options options = {};
 *     options.reuse_port = true;
 *     int rc = wf_udp_open("127.0.0.1", 5353, &socket, options);
 */
#ifndef WEFT_CXX_SOCKET_H
#define WEFT_CXX_SOCKET_H

#include <weft/udp.h>
#include <weft/unix.h>

#ifdef __cplusplus

#undef wf_udp_open
#undef wf_udp_connect
#undef wf_unix_listen
#undef wf_unix_open

namespace wf_cxx
{
inline int udp_open(const char *host, uint16_t port, wf_socket **socket, wf_udp_options options = {})
{
    options.size = sizeof options;
    options.out_ = socket;
    return wf_udp_open_(host, port, &options);
}

inline int udp_connect(const char *host, uint16_t port, wf_socket **socket, wf_udp_options options = {})
{
    options.size = sizeof options;
    options.out_ = socket;
    return wf_udp_connect_(host, port, &options);
}

inline int unix_listen(const char *path, wf_listener **listener, wf_unix_listen_options options = {})
{
    options.size = sizeof options;
    options.out_ = listener;
    return wf_unix_listen_(path, &options);
}

inline int unix_open(const char *path, wf_socket **socket, wf_unix_options options = {})
{
    options.size = sizeof options;
    options.out_ = socket;
    return wf_unix_open_(path, &options);
}
}  // namespace wf_cxx

#define wf_udp_open(...) wf_cxx::udp_open(__VA_ARGS__)
#define wf_udp_connect(...) wf_cxx::udp_connect(__VA_ARGS__)
#define wf_unix_listen(...) wf_cxx::unix_listen(__VA_ARGS__)
#define wf_unix_open(...) wf_cxx::unix_open(__VA_ARGS__)

#endif
#endif
