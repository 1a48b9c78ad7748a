/*
 * Certificates for tests, made when the program starts, and OpenSSL without chance: its random numbers come from a
 * sequence, so that a swept test is the same each time.
 *
 *     root ---> server, shop, expired, future, revoked, client      other root ---> stranger
 *       +-----> middle ---> chained                                 alone (signed by itself)
 */
#ifndef TESTS_TLS_PKI_H
#define TESTS_TLS_PKI_H

#include <weft/testing.h>
#include <weft/tls.h>
#include <weft/weft.h>

enum who {
    SERVER,
    SHOP,
    EXPIRED,
    FUTURE,
    REVOKED,
    CLIENT,
    STRANGER,
    CHAINED,
    ALONE,
    RSA_SERVER,
    EC_SERVER,
    IDENTITIES
};

/* Names: server.test, *.wild.test, 127.0.0.1; shop.test; those of the faulty ones are server.test too. */
struct wf_tls_identity identity_of(enum who who);
/* Certificates to trust; the list of those that were revoked, by the root. */
const char *root_pem(void);
const char *other_root_pem(void);
const char *crl_pem(void);
/* The key of SERVER under the password "secret". */
const char *encrypted_key_pem(void);

/* The sequence from its beginning. */
void chance_reset(void);

/* A real file in a directory that goes with the program. */
const char *temporary_file(const char *name, const char *text);
void temporary_write(const char *path, const char *text);

/* ---- Two sides of a connection ---- */

struct side {
    struct wf_tls_config *config;
    struct wf_stream *under, *tls;
    struct wf_stream *raw; /* the stream below, whoever owns it */
    int rc;
    char text[512]; /* what its failure said */
};

struct rig {
    struct side client, server;
    const char *host; /* that the client expects */
};

/* Configurations with everything at its default: the client trusts the root, the server is server.test. */
#define rig_configure(rig, client_options, server_options)                                                             \
    rig_configure_((rig), &(struct wf_tls_options)client_options, &(struct wf_tls_options)server_options)
#define OPTIONS(...)                                                                                                   \
    {                                                                                                                  \
        .size = sizeof(struct wf_tls_options), __VA_ARGS__                                                             \
    }
bool rig_configure_(struct rig *rig, struct wf_tls_options *client, struct wf_tls_options *server);

/* Both shake hands, over a pair in memory with so much room, or over TCP (0). A side that fails closes its stream.
 * False: they did not get that far. */
bool rig_shake(struct rig *rig, size_t capacity);
/* The same, and both must have succeeded. */
bool rig_open(struct rig *rig, size_t capacity);
/* Closes the connection; and the configurations too. */
void rig_close(struct rig *rig);
void rig_end(struct rig *rig);

#endif
