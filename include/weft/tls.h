/*
 * TLS 1.2 and 1.3 over any stream, by OpenSSL 3. A library of its own: link with weft-tls.
 *
 *     struct wf_tls_config *config;
 *     int rc = wf_tls_client_create(&config, .alpn = {"h2", "http/1.1"});    // trusts what the system trusts
 *     if (rc < 0) return rc;
 *     struct wf_stream *conn;
 *     rc = wf_tls_dial("example.com", 443, config, &conn);
 *     if (rc >= 0) rc = wf_stream_write_all(conn, request, size, NULL);
 *     ...
 *     wf_stream_shutdown(conn);       // says goodbye; without it the peer sees its end as truncated
 *     wf_stream_close(conn);
 *     wf_tls_destroy(config);
 *
 * A TLS stream is a stream (stream.h): one task reads and one writes at a time. What is particular:
 *
 * - A read gives 0 only after the peer's goodbye (close_notify). An end without one gives WF_EEND, "truncated".
 * - A write that was cut after its bytes were encrypted, by a cancel or a fault below, breaks the stream for writing:
 *   later ones give -EPIPE. One that was cut before, while it waited for its turn, has done nothing.
 * - wf_stream_shutdown ends the sending side by close_notify; reading goes on. wf_stream_close says nothing.
 *
 * Codes of faults, each with a message (wf_failure) that says what and why: -EKEYEXPIRED, -EKEYREVOKED, -EKEYREJECTED
 * for a certificate, the peer's, or ours that the peer refused; -EPROTO for anything else that breaks the protocol;
 * WF_EEND for a connection that ended in the middle.
 */
#ifndef WEFT_TLS_H
#define WEFT_TLS_H

#include <weft/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_arena;
struct wf_tls_config;

/* ---- Configurations ---- */

enum {
    WF_TLS_ALPN_MAX = 8,        /* protocols of a configuration */
    WF_TLS_IDENTITIES_MAX = 64, /* certificates of a server */
    WF_TLS_FILE_MAX = 4 << 20,  /* bytes of a file of certificates, keys or revocations */
};

enum wf_tls_version {
    WF_TLS_DEFAULT, /* as a minimum 1.2, as a maximum the latest */
    WF_TLS_1_2,
    WF_TLS_1_3,
};

/* Who one is: a certificate, what stands between it and a known one, and its private key; PEM, in files or as text. */
struct wf_tls_identity {
    const char *certificate_file, *certificate_pem; /* one of the two; the certificate first, then its issuers */
    const char *key_file, *key_pem;                 /* one of the two */
    const char *key_password;                       /* of an encrypted key */
};

/* Everything is copied. */
struct wf_tls_options {
    size_t size; /* filled by the macro */
    struct wf_tls_config **out_;
    struct wf_tls_identity identity; /* a server has one; a client may, for servers that ask for it */

    /* Whom to trust, all of them together. A client with none of the three trusts what the system trusts; a server
     * with one of them asks its clients for certificates. */
    const char *ca_file, *ca_path, *ca_pem; /* certificates; a directory of them (openssl rehash) */
    const char *crl_file; /* revoked ones. Every certificate of a chain must then be covered by a list. */

    const char *alpn[WF_TLS_ALPN_MAX];    /* protocols, the best first */
    enum wf_tls_version minimum, maximum; /* of the protocol */
    const char *ciphers;                  /* of TLS 1.2, as OpenSSL writes them; default: OpenSSL's */
    const char *cipher_suites;            /* of TLS 1.3 */
    const char *groups;                   /* of key exchange: "X25519:P-256" */
    bool insecure;                        /* client: anybody may be at the other end. For tests. */
    bool require_certificate;             /* server: a client without one is refused */
    const struct wf_tls_identity *more;   /* server: chosen by the name that the client asks for, the first whose */
    size_t more_count;                    /* certificate has it, else `identity` */
    bool offload;                         /* the steps of handshakes run on threads of the executor: see docs/tls.md */
    uint32_t sessions_max;                /* client: of the cache of sessions; default 64 */
    bool no_sessions;                     /* nothing is resumed; a server gives no tickets */
};

/*
 * wf_tls_client_create(&config, .option = value, ...), wf_tls_server_create(&config, .identity = {...}, ...): a
 * configuration, for any number of connections.
 * Suspends: while the files are read. On cancel: nothing was made. Owns: wf_tls_destroy.
 * Errors: -ECANCELED; those of the files; -EINVAL for options and contents that cannot be, -ENOMEM.
 * Threads: a configuration may be used by several loops at once.
 */
#define wf_tls_client_create(...) wf_tls_client_create_(WF_TLS_OPTIONS_(__VA_ARGS__))
#define wf_tls_server_create(...) wf_tls_server_create_(WF_TLS_OPTIONS_(__VA_ARGS__))

/* Connections that exist go on; NULL is ignored. Suspends: never. */
WF_API void wf_tls_destroy(struct wf_tls_config *config);

/*
 * Reads the files again. Connections that exist keep what they have, new ones get the new; sessions are not resumed
 * across it. When anything is wrong, all stays as it was.
 * Suspends: while the files are read. On cancel: all is as before. Errors: as above.
 */
WF_API WF_SUSPENDS int wf_tls_reload(struct wf_tls_config *config);

struct wf_tls_statistics {
    uint64_t handshakes; /* that were completed */
    uint64_t resumed;    /* of them, by a TLS session of before */
    uint64_t failed;     /* by a fault of either side; a cancel is none */
};

/* Suspends: never. */
WF_API void wf_tls_statistics(struct wf_tls_config *config, struct wf_tls_statistics *statistics);

/* ---- Connections ---- */

/*
 * The client's side of a connection over an open stream. `host` is whom to expect: the name, or the address, that the
 * certificate must have; NULL only if `.insecure`. The handshake has the deadline of the caller's scope.
 * Suspends: until the handshake is over. On cancel: the stream below may not be used for anything but closing.
 * Owns: the TLS stream, which closes the one below; after a failure that one is still the caller's, to be closed.
 * Errors: the codes above; -ECANCELED, -EINVAL, -ENOMEM, those of the stream below.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_tls_connect(struct wf_stream *stream, struct wf_tls_config *config,
                                                 const char *host, struct wf_stream **tls);

/* The server's side. Suspends: until the handshake is over. On cancel: as above. Owns: as above. Errors: as above. */
WF_API WF_SUSPENDS WF_CHECKED int wf_tls_accept(struct wf_stream *stream, struct wf_tls_config *config,
                                                struct wf_stream **tls);

/*
 * wf_tcp_connect and wf_tls_connect. TLS sessions are kept for host and port.
 * Suspends: until the handshake is over. On cancel: no connection is left. Owns: wf_stream_close. Errors: of both.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_tls_dial(const char *host, uint16_t port, struct wf_tls_config *config,
                                              struct wf_stream **tls);

/* ---- What came of it ---- */

struct wf_tls_certificate {
    const char *subject, *issuer;  /* "CN = example.com" */
    const char *const *names;      /* DNS names and addresses it is for; ends with NULL */
    int64_t not_before, not_after; /* as wf_wall_now: nanoseconds since 1970 */
    const char *key;               /* "RSA 2048", "EC P-256" */
    const char *serial;            /* hexadecimal */
    const char *fingerprint;       /* SHA-256 of the certificate: 64 hexadecimal digits */
};

struct wf_tls_info {
    const char *version;                    /* "TLSv1.3" */
    const char *cipher;                     /* "TLS_AES_256_GCM_SHA384" */
    const char *alpn;                       /* what was agreed; NULL: nothing */
    const char *server_name;                /* that the client asked for; NULL: none */
    bool resumed;                           /* by a TLS session of before: nothing was verified anew */
    size_t chain_count;                     /* certificates that the peer sent */
    const struct wf_tls_certificate *chain; /* its own first */
};

/*
 * What was agreed and who the peer is; all of it lives in the arena. Suspends: never.
 * Errors: -EINVAL when it is no TLS stream, -ENOMEM.
 */
WF_API int wf_tls_info(struct wf_stream *tls, struct wf_arena *arena, struct wf_tls_info *info);

/* ---- What the macros stand on: private ---- */

#define WF_TLS_OPTIONS_(...)                                                                                           \
    &(struct wf_tls_options)                                                                                           \
    {                                                                                                                  \
        .size = sizeof(struct wf_tls_options), .out_ = __VA_ARGS__                                                     \
    }

WF_API WF_SUSPENDS int wf_tls_client_create_(const struct wf_tls_options *options);
WF_API WF_SUSPENDS int wf_tls_server_create_(const struct wf_tls_options *options);

#ifdef __cplusplus
}

#undef wf_tls_client_create
#undef wf_tls_server_create

/* In C++, options are a struct. */
inline int wf_tls_client_create(wf_tls_config **config, wf_tls_options options = {})
{
    options.size = sizeof options;
    options.out_ = config;
    return wf_tls_client_create_(&options);
}

inline int wf_tls_server_create(wf_tls_config **config, wf_tls_options options = {})
{
    options.size = sizeof options;
    options.out_ = config;
    return wf_tls_server_create_(&options);
}
#endif
#endif
