/*
 * The handshake: a step inside OpenSSL, what came of it is sent, what it asks for is read, and again. One task does it,
 * and nobody else knows the connection yet.
 *
 * A server of TLS 1.3 is done when it has the client's last message, and has then only tickets to send: they go with
 * its first bytes. So a server never waits for a client that writes before it reads.
 */
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <weft/executor.h>
#include <weft/task.h>
#include <weft/tcp.h>

#include "tls/tls.h"

enum { HOST_MAX = 253 };

/* ---- Making ---- */

static size_t head_size(void)
{
    return offsetof(struct connection, in);
}

int connection_new(struct wf_stream *under, struct wf_tls_config *config, struct connection **out)
{
    struct connection *connection = wf_memory_alloc(sizeof *connection);
    if (connection == NULL) return -ENOMEM;
    memset(connection, 0, head_size());
    wf_stream_init(&connection->stream, &connection_class);
    connection->sending = (struct wf_mutex)WF_MUTEX;
    connection->under = under;
    connection->config = config;
    atomic_fetch_add(&config->references, 1);
    connection->credentials = config_credentials(config);
    connection->ssl = SSL_new(connection->credentials->context);
    BIO *bio = connection->ssl != NULL ? bytes_open(connection) : NULL;
    if (bio != NULL) SSL_set_bio(connection->ssl, bio, bio);
    if (bio != NULL && SSL_set_app_data(connection->ssl, connection) == 1) {
        *out = connection;
        return 0;
    }
    connection_free(connection);
    forget_errors();
    return -ENOMEM;
}

/* OpenSSL forgets the session of a connection that ended without a goodbye; only a fault is a reason to (RFC 5246,
 * 7.2.2). */
static void keep_session(struct connection *connection)
{
    bool faulty = connection->read_code != 0 && connection->read_code != WF_EEND;
    if (connection->ssl != NULL && !faulty && SSL_is_init_finished(connection->ssl))
        SSL_set_shutdown(connection->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

void connection_free(struct connection *connection)
{
    keep_session(connection);
    warm_leave(connection);
    SSL_free(connection->ssl);
    wf_memory_free(connection->session_key);
    credentials_release(connection->credentials);
    config_release(connection->config);
    wf_memory_free(connection);
}

/* ---- Whom to expect ---- */

static bool is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* A name may end with a dot; certificates and requests have none. */
static int expect_name(SSL *ssl, const char *host, bool verify)
{
    char name[HOST_MAX + 1];
    size_t size = strlen(host);
    if (size > 1 && host[size - 1] == '.') size--;
    if (size == 0 || size > HOST_MAX) return wf_fail(-EINVAL, "TLS: \"%.60s\" is no name of a host", host);
    snprintf(name, sizeof name, "%.*s", (int)size, host);
    if (SSL_set_tlsext_host_name(ssl, name) != 1) return -ENOMEM;
    if (!verify) return 0;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name) == 1 ? 0 : -ENOMEM;
}

static int expect(SSL *ssl, const char *host, bool verify)
{
    if (host == NULL) return verify ? wf_fail(-EINVAL, "TLS: the name of a host is needed to verify it") : 0;
    if (!is_address(host)) return expect_name(ssl, host, verify);
    if (!verify) return 0;
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1 ? 0 : -ENOMEM;
}

/* ---- TLS sessions ---- */

static int resume(struct connection *connection, const char *key)
{
    struct wf_tls_config *config = connection->config;
    if (key == NULL || config->options.no_sessions) return 0;
    size_t size = strlen(key) + 1;
    connection->session_key = wf_memory_alloc(size);
    if (connection->session_key == NULL) return -ENOMEM;
    memcpy(connection->session_key, key, size);
    pthread_mutex_lock(&config->lock);
    bool current = config->current == connection->credentials;
    SSL_SESSION *session = current ? sessions_take(&config->sessions, key) : NULL;
    pthread_mutex_unlock(&config->lock);
    if (session == NULL) return 0;
    SSL_set_session(connection->ssl, session); /* one that cannot be resumed is not */
    SSL_SESSION_free(session);
    forget_errors();
    return 0;
}

static void count(struct wf_tls_config *config, bool completed, bool resumed)
{
    pthread_mutex_lock(&config->lock);
    config->statistics.handshakes += completed;
    config->statistics.resumed += completed && resumed;
    config->statistics.failed += !completed;
    pthread_mutex_unlock(&config->lock);
}

/* ---- Steps ---- */

struct step {
    SSL *ssl;
    int result, reason;
    struct fault fault;
};

static int take_step(struct step *step)
{
    forget_errors();
    step->result = SSL_do_handshake(step->ssl);
    step->reason = SSL_get_error(step->ssl, step->result);
    bool failed = step->reason == SSL_ERROR_SSL || step->reason == SSL_ERROR_SYSCALL;
    if (failed) fault_of_openssl(&step->fault);
    return 0;
}

static int fail_handshake(struct connection *connection, const struct step *step)
{
    if (connection->fault.code == 0) connection->fault = step->fault;
    connection_send_alert(connection);
    return connection->fault.code;
}

static bool tickets_only(const SSL *ssl)
{
    return SSL_is_server(ssl) && SSL_version(ssl) == TLS1_3_VERSION;
}

static int shake_hands(struct connection *connection)
{
    for (;;) {
        struct step step = {.ssl = connection->ssl};
        int rc = connection->config->options.offload ? wf_offload(take_step, &step) : take_step(&step);
        if (rc < 0) return rc;
        if (step.fault.code != 0) return fail_handshake(connection, &step);
        if (step.result == 1 && tickets_only(connection->ssl)) return 0;
        rc = connection_send(connection);
        if (rc == 0 && step.reason == SSL_ERROR_WANT_READ) rc = connection_fill(connection, "during the handshake");
        if (rc < 0 || step.result == 1) return rc;
    }
}

/* ---- Both sides ---- */

/* A cancelled task is refused before the first step: the steps themselves may not wait. */
static int establish(struct connection *connection, const char *who, struct wf_stream **out)
{
    X509_VERIFY_PARAM_set_time(SSL_get0_param(connection->ssl), (time_t)(wf_wall_now() / WF_SECONDS(1)));
    int rc = shake_hands(connection);
    if (rc == 0) {
        count(connection->config, true, SSL_session_reused(connection->ssl) == 1);
        connection->fault.code = 0;
        connection->between_records = true;
        warm_up(connection);
        *out = &connection->stream;
        return 0;
    }
    if (rc != -ECANCELED) count(connection->config, false, false);
    if (connection->fault.code == rc) fault_tell(&connection->fault, who);
    connection_free(connection);
    return rc;
}

static int check(struct wf_stream *stream, const struct wf_tls_config *config, bool server)
{
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    if (stream == NULL || config == NULL) return -EINVAL;
    if (config->server != server)
        return wf_fail(-EINVAL, "TLS: the configuration is for the other side, a %s's", server ? "client" : "server");
    return 0;
}

static int connect_as(struct wf_stream *stream, struct wf_tls_config *config, const char *host, const char *key,
                      struct wf_stream **tls)
{
    struct connection *connection;
    int rc = check(stream, config, false);
    if (rc == 0) rc = connection_new(stream, config, &connection);
    if (rc != 0) return rc;
    SSL_set_connect_state(connection->ssl);
    rc = expect(connection->ssl, host, !config->options.insecure);
    if (rc == 0) rc = resume(connection, key);
    if (rc == 0) return establish(connection, host != NULL ? host : "the server", tls);
    connection_free(connection);
    return rc;
}

int wf_tls_connect(struct wf_stream *stream, struct wf_tls_config *config, const char *host, struct wf_stream **tls)
{
    return connect_as(stream, config, host, host, tls);
}

int wf_tls_accept(struct wf_stream *stream, struct wf_tls_config *config, struct wf_stream **tls)
{
    struct connection *connection;
    int rc = check(stream, config, true);
    if (rc == 0) rc = connection_new(stream, config, &connection);
    if (rc != 0) return rc;
    SSL_set_accept_state(connection->ssl);
    return establish(connection, "a client", tls);
}

int wf_tls_dial(const char *host, uint16_t port, struct wf_tls_config *config, struct wf_stream **tls)
{
    struct wf_stream *stream;
    char key[HOST_MAX + 16];
    int rc = wf_tcp_connect(host, port, &stream);
    if (rc < 0) return rc;
    snprintf(key, sizeof key, "%s:%u", host, (unsigned)port);
    rc = connect_as(stream, config, host, key, tls);
    if (rc < 0) wf_stream_close(stream);
    return rc;
}
