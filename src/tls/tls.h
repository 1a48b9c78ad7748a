/*
 * What the files of weft-tls share. Nothing of weft but its public headers is used here.
 *
 *     wf_tls_config ---current---> credentials (what was made of the files; another one after each reload)
 *          ^                           ^
 *          +------- connection --------+        each holds a reference to what it uses
 */
#ifndef WEFT_TLS_TLS_H
#define WEFT_TLS_TLS_H

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <weft/arena.h>
#include <weft/extend.h>
#include <weft/sync.h>
#include <weft/tls.h>

enum { TEXT_MAX = 384 };

/* What went wrong, for the person: it may be found on a thread of the executor, and is told in the task. */
struct fault {
    int code; /* 0: nothing */
    char text[TEXT_MAX];
};

/* ---- Credentials ---- */

struct identity {
    X509 *certificate;
    EVP_PKEY *key;
    STACK_OF(X509) * chain;
};

struct credentials {
    atomic_uint references;
    SSL_CTX *context;
    size_t more_count;
    struct identity more[];
};

/* What was read from a file, or given as text. */
struct pem {
    const char *name; /* the path, for messages */
    char *text;       /* NULL: there is none */
    size_t size;
};

struct material {
    struct pem certificate, key;
    const char *password;
};

struct credentials_job {
    const struct wf_tls_config *config;
    struct pem ca[2], crl;
    struct material *material; /* of the identity, then of the others */
    struct credentials *made;
    struct fault fault;
};

/* Makes credentials; for wf_offload. Gives 0 or the fault's code. */
int credentials_make(struct credentials_job *job);
void credentials_release(struct credentials *credentials);

/* ---- Sessions that a client may resume ---- */

struct session {
    char *key; /* of whom */
    SSL_SESSION *value;
    uint64_t used; /* when, by a counter */
};

struct sessions {
    struct session *all;
    uint32_t count, max;
    uint64_t clock;
};

/* Takes over the reference when it gives true. */
bool sessions_put(struct sessions *sessions, const char *key, SSL_SESSION *session);
/* The newest of that key, or NULL; the reference is the caller's. One of TLS 1.3 is given once. */
SSL_SESSION *sessions_take(struct sessions *sessions, const char *key);
void sessions_clear(struct sessions *sessions);

/* ---- Configurations ---- */

struct wf_tls_config {
    atomic_uint references;
    bool server;
    struct wf_arena arena; /* of the copies in the options */
    struct wf_tls_options options;
    unsigned char alpn[WF_TLS_ALPN_MAX * 256]; /* as it is sent: each after its length */
    unsigned alpn_size;
    BIO_METHOD *bytes;    /* of connections */
    pthread_mutex_t lock; /* of what follows */
    struct credentials *current;
    struct sessions sessions;
    struct wf_tls_statistics statistics;
};

void config_release(struct wf_tls_config *config);
/* The current ones; the reference is the caller's. */
struct credentials *config_credentials(struct wf_tls_config *config);

/* ---- Connections ---- */

enum {
    RECORD_MAX = 16384,           /* plain bytes of a record */
    IN_SIZE = RECORD_MAX + 512,   /* of what is read at once */
    OUT_SIZE = RECORD_MAX + 2048, /* room for a record, and for messages of the protocol before it */
    RECORD_ROOM = RECORD_MAX + 512,
};

struct connection {
    struct wf_stream stream; /* first */
    struct wf_stream *under; /* NULL once closed */
    struct wf_tls_config *config;
    struct credentials *credentials;
    SSL *ssl;
    char *session_key;       /* whom to keep TLS sessions for; NULL: not at all */
    struct wf_mutex sending; /* held by who brings `out` to the stream below, and by who adds a record */
    unsigned warm_place;     /* counted from 1; 0: none */
    bool between_records;    /* what was read ended with a whole one */
    bool cut;                /* of a record that was encrypted not all was sent: no other can follow */
    int read_code;           /* not 0: reading has come to this, for good */
    struct fault fault;      /* of the handshake, or the last */
    size_t in_first, in_used;
    size_t out_first, out_used;
    char in[IN_SIZE], out[OUT_SIZE];
};

/* The bytes below, as OpenSSL sees them: `in` and `out`, without waiting. NULL: out of memory. */
BIO_METHOD *bytes_method(void);
BIO *bytes_open(struct connection *connection);

/* A connection that has not shaken hands yet. */
int connection_new(struct wf_stream *under, struct wf_tls_config *config, struct connection **out);
/* Without the stream below. */
void connection_free(struct connection *connection);

/* It has just used OpenSSL's buffers, and has no place (`warm_place`) among those who keep them; it is gone. */
void warm_up(struct connection *connection);
void warm_leave(struct connection *connection);

/* Reads some below, after everything in `in` was used. */
int connection_fill(struct connection *connection, const char *meanwhile);
/* Sends all of `out`. The caller holds `sending`, or is alone. */
int connection_send(struct connection *connection);
/* The same in a short time, as far as it goes: the last words of a connection that failed. */
void connection_send_alert(struct connection *connection);

extern const struct wf_stream_class connection_class;

/* ---- Faults ---- */

/* Gives the fault's code, and its message to the task. */
int fault_tell(const struct fault *fault, const char *who);
/* Before each step of OpenSSL: what others left in this thread's queue of errors is no fault of ours. Looking costs a
 * tenth of clearing. */
void forget_errors(void);
/* What OpenSSL says went wrong: the first error of this thread's queue, which is empty afterwards. */
void fault_of_openssl(struct fault *fault);
/* A certificate that was refused; for the callback of the verification. */
void fault_of_certificate(struct fault *fault, X509_STORE_CTX *store, const char *host);
int fault_set(struct fault *fault, int code, const char *format, ...) WF_PRINTF_(3, 4);

/* ---- Certificates as text ---- */

/* Into `text`, cut where it does not fit; gives it. */
const char *name_text(const X509_NAME *name, char *text, size_t size);
const char *moment_text(const ASN1_TIME *time, char *text, size_t size);
/* The index-th name of a certificate; false: there are no more. */
bool alternative_name(const GENERAL_NAMES *names, int index, char *text, size_t size);

#endif
