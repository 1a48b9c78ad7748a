/*
 * Credentials: what OpenSSL makes of certificates, keys and options. It is made on a thread of the executor, because
 * the system's certificates alone take milliseconds; what is wrong is noted as a fault, which the task tells.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "tls/tls.h"

static const unsigned char own_sessions[] = "weft";

/* ---- Callbacks: of connections, inside OpenSSL ---- */

static struct connection *connection_of(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

/* The first fault is the one to tell. */
static int on_verified(int good, X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct connection *connection = connection_of(ssl);
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    char *address = X509_VERIFY_PARAM_get1_ip_asc(SSL_get0_param(connection->ssl));
    if (!good && connection->fault.code == 0)
        fault_of_certificate(&connection->fault, store, host != NULL ? host : address);
    OPENSSL_free(address);
    return good;
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct connection *connection = connection_of(ssl);
    struct wf_tls_config *config = connection->config;
    if (connection->session_key == NULL) return 0;
    pthread_mutex_lock(&config->lock);
    bool kept =
        config->current == connection->credentials && sessions_put(&config->sessions, connection->session_key, session);
    pthread_mutex_unlock(&config->lock);
    return kept;
}

static int on_server_name(SSL *ssl, int *alert, void *unused)
{
    (void)alert, (void)unused;
    const struct credentials *credentials = connection_of(ssl)->credentials;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == NULL || X509_check_host(SSL_get_certificate(ssl), name, 0, 0, NULL) == 1) return SSL_TLSEXT_ERR_OK;
    for (size_t i = 0; i < credentials->more_count; i++) {
        const struct identity *other = &credentials->more[i];
        if (X509_check_host(other->certificate, name, 0, 0, NULL) != 1) continue;
        int done = SSL_use_cert_and_key(ssl, other->certificate, other->key, other->chain, 1);
        return done == 1 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
}

/* A client that offers only what we do not speak is told so (RFC 7301, 3.2). */
static int on_protocols(SSL *ssl, const unsigned char **chosen, unsigned char *size, const unsigned char *offered,
                        unsigned offered_size, void *unused)
{
    (void)unused;
    const struct wf_tls_config *config = connection_of(ssl)->config;
    unsigned char *found;
    int rc = SSL_select_next_proto(&found, size, config->alpn, config->alpn_size, offered, offered_size);
    *chosen = found;
    return rc == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int on_password(char *buffer, int size, int writes, void *password)
{
    (void)writes;
    size_t length = password != NULL ? strlen(password) : 0;
    if (length == 0 || length > (size_t)size) return -1;
    memcpy(buffer, password, length);
    return (int)length;
}

/* ---- Faults ---- */

static int failed(struct credentials_job *job, const char *what, const char *why)
{
    unsigned long error = ERR_peek_error();
    const char *reason = ERR_reason_error_string(error);
    bool memory = ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
    if (why == NULL) why = reason != NULL ? reason : "it cannot be used";
    return fault_set(&job->fault, memory ? -ENOMEM : -EINVAL, "%s: %s", what, why);
}

/* ---- Pieces of PEM ---- */

/* Nothing more of the kind is the usual end; anything else is a piece that cannot be read. */
static bool ended_well(void)
{
    unsigned long error = ERR_peek_last_error();
    bool well = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
    if (well) ERR_clear_error();
    return well;
}

static STACK_OF(X509) * read_certificates(const struct pem *pem)
{
    BIO *bio = BIO_new_mem_buf(pem->text, (int)pem->size);
    STACK_OF(X509) *list = sk_X509_new_null();
    X509 *certificate = NULL;
    bool good = bio != NULL && list != NULL;
    while (good && (certificate = PEM_read_bio_X509(bio, NULL, on_password, NULL)) != NULL) {
        good = sk_X509_push(list, certificate) > 0;
        if (!good) X509_free(certificate);
    }
    if (good) good = ended_well();
    BIO_free(bio);
    if (good) return list;
    sk_X509_pop_free(list, X509_free);
    return NULL;
}

static EVP_PKEY *read_key(const struct pem *pem, const char *password)
{
    BIO *bio = BIO_new_mem_buf(pem->text, (int)pem->size);
    if (bio == NULL) return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, on_password, (void *)(uintptr_t)password);
    BIO_free(bio);
    return key;
}

/* ---- Whom to trust ---- */

static int trust(struct credentials_job *job, SSL_CTX *context, const struct pem *pem)
{
    if (pem->text == NULL) return 0;
    STACK_OF(X509) *list = read_certificates(pem);
    if (list == NULL) return failed(job, pem->name, NULL);
    int count = sk_X509_num(list), rc = count > 0 ? 0 : failed(job, pem->name, "there is no certificate in it");
    for (int i = 0; i < count && rc == 0; i++) {
        X509 *certificate = sk_X509_value(list, i);
        bool asked = !job->config->server || SSL_CTX_add_client_CA(context, certificate) == 1;
        bool done = asked && X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate) == 1;
        if (!done) rc = failed(job, pem->name, NULL);
    }
    sk_X509_pop_free(list, X509_free);
    return rc;
}

static int trust_all(struct credentials_job *job, SSL_CTX *context)
{
    const struct wf_tls_options *options = &job->config->options;
    for (size_t i = 0; i < WF_COUNT(job->ca); i++)
        if (trust(job, context, &job->ca[i]) < 0) return job->fault.code;
    if (options->ca_path != NULL && SSL_CTX_load_verify_dir(context, options->ca_path) != 1)
        return failed(job, options->ca_path, NULL);
    bool named = job->ca[0].text != NULL || job->ca[1].text != NULL || options->ca_path != NULL;
    if (named || job->config->server || options->insecure) return 0;
    if (SSL_CTX_set_default_verify_paths(context) != 1) return failed(job, "the system's certificates", NULL);
    return 0;
}

static int revoke(struct credentials_job *job, SSL_CTX *context)
{
    if (job->crl.text == NULL) return 0;
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    BIO *bio = BIO_new_mem_buf(job->crl.text, (int)job->crl.size);
    X509_CRL *list = NULL;
    int count = 0;
    bool good = bio != NULL;
    for (; good && (list = PEM_read_bio_X509_CRL(bio, NULL, on_password, NULL)) != NULL; count++) {
        good = X509_STORE_add_crl(store, list) == 1;
        X509_CRL_free(list);
    }
    if (good) good = ended_well();
    BIO_free(bio);
    if (!good) return failed(job, job->crl.name, NULL);
    if (count == 0) return failed(job, job->crl.name, "there is no list of revoked certificates in it");
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return 0;
}

/* ---- Who one is ---- */

static void identity_free(struct identity *identity)
{
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
    sk_X509_pop_free(identity->chain, X509_free);
}

static int read_identity(struct credentials_job *job, const struct material *material, struct identity *out)
{
    out->chain = read_certificates(&material->certificate);
    if (out->chain == NULL) return failed(job, material->certificate.name, NULL);
    out->certificate = sk_X509_shift(out->chain);
    if (out->certificate == NULL) return failed(job, material->certificate.name, "there is no certificate in it");
    out->key = read_key(&material->key, material->password);
    if (out->key == NULL) return failed(job, material->key.name, NULL);
    if (X509_check_private_key(out->certificate, out->key) == 1) return 0;
    return failed(job, material->key.name, "the key is not that of the certificate");
}

static int use_identity(struct credentials_job *job, SSL_CTX *context)
{
    const struct material *material = &job->material[0];
    struct identity identity = {.chain = NULL};
    if (material->certificate.text == NULL) return 0;
    int rc = read_identity(job, material, &identity);
    if (rc == 0 && SSL_CTX_use_cert_and_key(context, identity.certificate, identity.key, identity.chain, 1) != 1)
        rc = failed(job, material->certificate.name, NULL);
    identity_free(&identity);
    return rc;
}

static int read_others(struct credentials_job *job, struct credentials *credentials)
{
    for (size_t i = 0; i < job->config->options.more_count; i++) {
        credentials->more_count = i + 1;
        int rc = read_identity(job, &job->material[i + 1], &credentials->more[i]);
        if (rc < 0) return rc;
    }
    return 0;
}

/* ---- The protocol ---- */

static int protocol_of(enum wf_tls_version version)
{
    return version == WF_TLS_1_3 ? TLS1_3_VERSION : version == WF_TLS_1_2 ? TLS1_2_VERSION : 0;
}

static int set_protocol(struct credentials_job *job, SSL_CTX *context)
{
    const struct wf_tls_options *options = &job->config->options;
    int minimum = options->minimum == WF_TLS_DEFAULT ? TLS1_2_VERSION : protocol_of(options->minimum);
    SSL_CTX_set_min_proto_version(context, minimum);
    SSL_CTX_set_max_proto_version(context, protocol_of(options->maximum));
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (options->ciphers != NULL && SSL_CTX_set_cipher_list(context, options->ciphers) != 1)
        return failed(job, options->ciphers, "none of these ciphers is known");
    if (options->cipher_suites != NULL && SSL_CTX_set_ciphersuites(context, options->cipher_suites) != 1)
        return failed(job, options->cipher_suites, "none of these cipher suites is known");
    if (options->groups != NULL && SSL_CTX_set1_groups_list(context, (char *)(uintptr_t)options->groups) != 1)
        return failed(job, options->groups, "not all of these groups are known");
    return 0;
}

static int set_side(struct credentials_job *job, SSL_CTX *context)
{
    const struct wf_tls_config *config = job->config;
    const struct wf_tls_options *options = &config->options;
    bool trusts = job->ca[0].text != NULL || job->ca[1].text != NULL || options->ca_path != NULL;
    bool verifies = config->server ? trusts : !options->insecure;
    int mode = verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE;
    if (options->require_certificate) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(context, mode, verifies ? on_verified : NULL);
    if (options->no_sessions) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    if (options->no_sessions) SSL_CTX_set_num_tickets(context, 0);
    if (config->server) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_session_id_context(context, own_sessions, sizeof own_sessions - 1);
        SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
        if (config->alpn_size > 0) SSL_CTX_set_alpn_select_cb(context, on_protocols, NULL);
        return 0;
    }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_session);
    if (config->alpn_size > 0 && SSL_CTX_set_alpn_protos(context, config->alpn, config->alpn_size) != 0)
        return failed(job, "the protocols (ALPN)", NULL);
    return 0;
}

/* ---- All of it ---- */

static int fill(struct credentials_job *job, struct credentials *credentials)
{
    SSL_CTX *context = SSL_CTX_new(job->config->server ? TLS_server_method() : TLS_client_method());
    credentials->context = context;
    if (context == NULL) return failed(job, "OpenSSL", NULL);
    int rc = set_protocol(job, context);
    if (rc == 0) rc = trust_all(job, context);
    if (rc == 0) rc = revoke(job, context);
    if (rc == 0) rc = use_identity(job, context);
    if (rc == 0) rc = read_others(job, credentials);
    return rc == 0 ? set_side(job, context) : rc;
}

int credentials_make(struct credentials_job *job)
{
    size_t size = sizeof *job->made + job->config->options.more_count * sizeof job->made->more[0];
    struct credentials *credentials = wf_memory_alloc(size);
    if (credentials == NULL) return fault_set(&job->fault, -ENOMEM, "out of memory");
    memset(credentials, 0, size);
    atomic_init(&credentials->references, 1);
    ERR_clear_error();
    int rc = fill(job, credentials);
    ERR_clear_error();
    if (rc < 0) credentials_release(credentials);
    else job->made = credentials;
    return rc;
}

void credentials_release(struct credentials *credentials)
{
    if (credentials == NULL || atomic_fetch_sub(&credentials->references, 1) > 1) return;
    SSL_CTX_free(credentials->context);
    for (size_t i = 0; i < credentials->more_count; i++) identity_free(&credentials->more[i]);
    wf_memory_free(credentials);
}
