/*
 * Floor of `tls_echo` and `tls_handshake`: one epoll set, and OpenSSL on the socket itself. OpenSSL reads ahead, which
 * saves it a system call for each record, and is asked again only if it has more.
 */
#ifndef BENCH_FLOORS_TLS_SERVER_H
#define BENCH_FLOORS_TLS_SERVER_H

#include "../tls.h"
#include "listener.h"

#include <sys/epoll.h>

enum { TLS_EVENTS_AT_ONCE = 512 };

static SSL_CTX *tls_context;
static const char *tls_server_name;

static inline void tls_load_certificate(void)
{
    BIO *in = BIO_new_mem_buf(tls_certificate_pem, -1);
    X509 *certificate = PEM_read_bio_X509(in, NULL, NULL, NULL);
    BIO_free(in);
    in = BIO_new_mem_buf(tls_key_pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    BIO_free(in);
    tls_context = SSL_CTX_new(TLS_server_method());
    tls_must(SSL_CTX_use_cert_and_key(tls_context, certificate, key, NULL, 1) == 1, "the certificate");
    SSL_CTX_set_session_cache_mode(tls_context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(tls_context, 1);
}

static inline void tls_accept_all(int epoll, int listener)
{
    int connection;
    while ((connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        answer_without_delay(connection);
        SSL *ssl = SSL_new(tls_context);
        SSL_set_fd(ssl, connection);
        SSL_set_accept_state(ssl);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = ssl};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection, &event) < 0) fail("epoll_ctl");
    }
}

static inline void tls_answer(SSL *ssl)
{
    static char bytes[64 * 1024];
    do {
        int size = SSL_read(ssl, bytes, sizeof bytes);
        if (size <= 0) {
            if (SSL_get_error(ssl, size) != SSL_ERROR_WANT_READ) tls_disconnect(ssl);
            ERR_clear_error();
            return;
        }
        tls_must(SSL_write(ssl, bytes, size) == size, "a write");
        tls_count(tls_server_name);
    } while (SSL_has_pending(ssl));
}

static inline void tls_bench(const char *name, void (*ask)(SSL_CTX *, int, long), long requests)
{
    static struct epoll_event events[TLS_EVENTS_AT_ONCE];
    tls_make_certificate();
    tls_wanted = requests;
    tls_server_name = name;
    signal(SIGPIPE, SIG_IGN);
    int client = tls_start_client(ask, requests);
    int port, listener = listen_on_free_port(SOCK_NONBLOCK, &port), epoll = epoll_create1(0);
    tls_load_certificate();
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0) fail("epoll_ctl");
    if (write(client, &port, sizeof port) != sizeof port) fail("write");
    for (;;) {
        int ready = epoll_wait(epoll, events, TLS_EVENTS_AT_ONCE, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr == NULL) tls_accept_all(epoll, listener);
            else tls_answer(events[i].data.ptr);
        }
    }
}

#endif
