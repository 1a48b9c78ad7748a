/*
 * What the programs `tls_echo` and `tls_handshake` share: a certificate (EC P-256, for everybody to see), and the other
 * side, a process of its own on another processor. Only the server's processor time is measured, between the end of a
 * warm-up and the last request; the client is the same for every server.
 */
#ifndef BENCH_TLS_H
#define BENCH_TLS_H

#include "measure.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TLS_CONNECTIONS = 50, TLS_MESSAGE = 64, TLS_WARM_PART = 10 };

static inline void tls_must(int held, const char *what)
{
    if (held) return;
    fprintf(stderr, "%s failed\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* ---- Who the server is ---- */

static char tls_certificate_pem[4096], tls_key_pem[4096];

static inline void tls_text(BIO *bio, char *text, size_t size)
{
    int got = BIO_read(bio, text, (int)size - 1);
    tls_must(got > 0, "PEM");
    text[got] = '\0';
    BIO_free(bio);
}

static inline void tls_make_certificate(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 365 * 86400L);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                               (const unsigned char *)"bench", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_set_pubkey(certificate, key);
    tls_must(X509_sign(certificate, key, EVP_sha256()) > 0, "the certificate");
    BIO *out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, certificate);
    tls_text(out, tls_certificate_pem, sizeof tls_certificate_pem);
    out = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    tls_text(out, tls_key_pem, sizeof tls_key_pem);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

/* ---- The client ---- */

static inline SSL *tls_connect(SSL_CTX *context, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, descriptor = socket(AF_INET, SOCK_STREAM, 0);
    tls_must(descriptor >= 0 && connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, descriptor);
    tls_must(SSL_connect(ssl) == 1, "the client's handshake");
    return ssl;
}

static inline void tls_disconnect(SSL *ssl)
{
    int descriptor = SSL_get_fd(ssl);
    SSL_free(ssl);
    close(descriptor);
}

static inline void tls_read_all(SSL *ssl, char *bytes, int size)
{
    for (int got = 0, n; got < size; got += n) tls_must((n = SSL_read(ssl, bytes + got, size - got)) > 0, "a read");
}

/* Every connection sends, then every one is read, and again. */
static inline void tls_ask_echo(SSL_CTX *context, int port, long requests)
{
    static SSL *connections[TLS_CONNECTIONS];
    char message[TLS_MESSAGE], answer[TLS_MESSAGE];
    memset(message, 'x', sizeof message);
    for (int i = 0; i < TLS_CONNECTIONS; i++) connections[i] = tls_connect(context, port);
    for (long done = 0; done < requests; done += TLS_CONNECTIONS) {
        for (int i = 0; i < TLS_CONNECTIONS; i++)
            tls_must(SSL_write(connections[i], message, TLS_MESSAGE) == TLS_MESSAGE, "a write");
        for (int i = 0; i < TLS_CONNECTIONS; i++) tls_read_all(connections[i], answer, TLS_MESSAGE);
    }
}

/* A handshake, one byte there and back, the next. */
static inline void tls_ask_handshakes(SSL_CTX *context, int port, long requests)
{
    char byte = 'x';
    for (long done = 0; done < requests; done++) {
        SSL *ssl = tls_connect(context, port);
        tls_must(SSL_write(ssl, &byte, 1) == 1, "a write");
        tls_read_all(ssl, &byte, 1);
        tls_disconnect(ssl);
    }
}

/* Away from the server's processor, where there is another one. */
static inline void tls_move_away(void)
{
    cpu_set_t mine, others;
    sched_getaffinity(0, sizeof mine, &mine);
    CPU_ZERO(&others);
    for (int i = 0; i < (int)sysconf(_SC_NPROCESSORS_ONLN); i++)
        if (!CPU_ISSET(i, &mine)) CPU_SET(i, &others);
    if (CPU_COUNT(&others) > 0) sched_setaffinity(0, sizeof others, &others);
}

/* Starts the client; it waits for the port to be written to the descriptor that this returns. */
static inline int tls_start_client(void (*ask)(SSL_CTX *, int, long), long requests)
{
    int ends[2], port;
    tls_must(pipe(ends) == 0, "pipe");
    pid_t child = fork();
    tls_must(child >= 0, "fork");
    if (child > 0) {
        close(ends[0]);
        return ends[1];
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    close(ends[1]);
    tls_move_away();
    if (read(ends[0], &port, sizeof port) != sizeof port) _exit(1);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    ask(context, port, requests);
    pause();
    _exit(0);
}

/* ---- Counting ---- */

static long tls_answered, tls_wanted;
static double tls_started;

/* Said by the server after each answer; at the last one it prints the figure and ends the process. */
static inline void tls_count(const char *name)
{
    if (++tls_answered == tls_wanted / TLS_WARM_PART) tls_started = cpu_seconds();
    if (tls_answered < tls_wanted) return;
    double used = cpu_seconds() - tls_started;
    print_result(name, used * 1e6 / (double)(tls_wanted - tls_wanted / TLS_WARM_PART));
    _exit(0);
}

#endif
