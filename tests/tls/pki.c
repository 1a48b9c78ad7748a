/* The certificates, made through libcrypto; and the two sides. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "pki.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Chance ---- */

static atomic_uint_fast64_t chance;

/* SplitMix64, by Sebastiano Vigna. */
static int next_bytes(unsigned char *bytes, int size)
{
    for (int i = 0; i < size; i++) {
        uint64_t value = atomic_fetch_add(&chance, UINT64_C(0x9e3779b97f4a7c15));
        value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
        bytes[i] = (unsigned char)(value ^ value >> 31);
    }
    return 1;
}

static int always(void)
{
    return 1;
}

void chance_reset(void)
{
    static const RAND_METHOD method = {.bytes = next_bytes, .pseudorand = next_bytes, .status = always};
    RAND_set_rand_method(&method);
    atomic_store(&chance, 1);
}

/* ---- Certificates ---- */

struct made {
    X509 *certificate;
    EVP_PKEY *key;
    char *certificate_pem, *key_pem;
};

static struct made root, other_root, middle, identities[IDENTITIES];
static char *crl, *encrypted_key;

static void must(bool held)
{
    if (!held) abort();
}

static char *text_of(BIO *bio)
{
    char *bytes;
    long size = BIO_get_mem_data(bio, &bytes);
    char *text = strndup(bytes, (size_t)size);
    must(text != NULL);
    BIO_free(bio);
    return text;
}

static void add_extension(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    must(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static EVP_PKEY *new_key(enum who who)
{
    if (who == RSA_SERVER) return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    if (who == EC_SERVER) return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

struct wanted {
    const char *name, *names; /* names NULL: an authority */
    const char *from, *until; /* GeneralizedTime; NULL: a century around */
};

static void make(struct made *made, const struct made *issuer, enum who who, const struct wanted *wanted)
{
    static long serial = 100;
    X509 *certificate = made->certificate = X509_new();
    made->key = new_key(who);
    must(certificate != NULL && made->key != NULL);
    if (issuer == NULL) issuer = made;
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), wanted->from ? wanted->from : "19950101000000Z");
    ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), wanted->until ? wanted->until : "20950101000000Z");
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                               (const unsigned char *)wanted->name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer->certificate));
    X509_set_pubkey(certificate, made->key);
    bool authority = wanted->names == NULL;
    add_extension(certificate, issuer->certificate, NID_basic_constraints, authority ? "critical,CA:TRUE" : "CA:FALSE");
    add_extension(certificate, issuer->certificate, NID_subject_key_identifier, "hash");
    if (!authority) add_extension(certificate, issuer->certificate, NID_subject_alt_name, wanted->names);
    must(X509_sign(certificate, issuer->key, EVP_PKEY_is_a(issuer->key, "ED25519") ? NULL : EVP_sha256()) > 0);
}

static void write_pem(struct made *made, const struct made *chain)
{
    BIO *certificate = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_mem());
    must(PEM_write_bio_X509(certificate, made->certificate) == 1);
    if (chain != NULL) must(PEM_write_bio_X509(certificate, chain->certificate) == 1);
    must(PEM_write_bio_PrivateKey(key, made->key, NULL, NULL, 0, NULL, NULL) == 1);
    made->certificate_pem = text_of(certificate);
    made->key_pem = text_of(key);
}

static void make_crl(void)
{
    X509_CRL *list = X509_CRL_new();
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *from = ASN1_TIME_new(), *until = ASN1_TIME_new();
    ASN1_TIME_set_string_X509(from, "19950101000000Z");
    ASN1_TIME_set_string_X509(until, "20950101000000Z");
    X509_CRL_set_version(list, 1);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(root.certificate));
    X509_CRL_set1_lastUpdate(list, from);
    X509_CRL_set1_nextUpdate(list, until);
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(identities[REVOKED].certificate));
    X509_REVOKED_set_revocationDate(entry, from);
    X509_CRL_add0_revoked(list, entry);
    must(X509_CRL_sign(list, root.key, NULL) > 0);
    BIO *bio = BIO_new(BIO_s_mem());
    must(PEM_write_bio_X509_CRL(bio, list) == 1);
    crl = text_of(bio);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    X509_CRL_free(list);
}

static void encrypt_key(void)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const unsigned char password[] = "secret";
    must(PEM_write_bio_PrivateKey(bio, identities[SERVER].key, EVP_aes_128_cbc(), password, 6, NULL, NULL) == 1);
    encrypted_key = text_of(bio);
}

static const char names[] = "DNS:server.test,DNS:*.wild.test,IP:127.0.0.1";

static void make_all(void)
{
    const struct wanted plain = {.name = "server.test", .names = names};
    make(&root, NULL, SERVER, &(struct wanted){.name = "the root"});
    make(&other_root, NULL, SERVER, &(struct wanted){.name = "the other root"});
    make(&middle, &root, SERVER, &(struct wanted){.name = "the middle"});
    make(&identities[SERVER], &root, SERVER, &plain);
    make(&identities[SHOP], &root, SHOP, &(struct wanted){.name = "shop", .names = "DNS:shop.test"});
    make(&identities[EXPIRED], &root, EXPIRED,
         &(struct wanted){.name = "server.test", .names = names, .until = "19991231235959Z"});
    make(&identities[FUTURE], &root, FUTURE,
         &(struct wanted){.name = "server.test", .names = names, .from = "20940101000000Z"});
    make(&identities[REVOKED], &root, REVOKED, &plain);
    make(&identities[CLIENT], &root, CLIENT, &(struct wanted){.name = "ada", .names = "DNS:ada.test"});
    make(&identities[STRANGER], &other_root, STRANGER, &plain);
    make(&identities[CHAINED], &middle, CHAINED, &plain);
    make(&identities[ALONE], NULL, ALONE, &plain);
    make(&identities[RSA_SERVER], &root, RSA_SERVER, &plain);
    make(&identities[EC_SERVER], &root, EC_SERVER, &plain);
    write_pem(&root, NULL);
    write_pem(&other_root, NULL);
    for (int i = 0; i < IDENTITIES; i++) write_pem(&identities[i], i == CHAINED ? &middle : NULL);
    make_crl();
    encrypt_key();
}

static void prepare(void)
{
    if (root.certificate != NULL) return;
    chance_reset();
    make_all();
}

/* Before any test: what OpenSSL keeps for good is not a test's. */
__attribute__((constructor)) static void prepare_early(void)
{
    prepare();
}

struct wf_tls_identity identity_of(enum who who)
{
    const struct made *made = &identities[who];
    return (struct wf_tls_identity){.certificate_pem = made->certificate_pem, .key_pem = made->key_pem};
}

const char *root_pem(void)
{
    return root.certificate_pem;
}

const char *other_root_pem(void)
{
    return other_root.certificate_pem;
}

const char *crl_pem(void)
{
    return crl;
}

const char *encrypted_key_pem(void)
{
    return encrypted_key;
}

/* ---- Files ---- */

static char directory[] = "/tmp/weft-tls-XXXXXX";
static char paths[16][128];
static size_t path_count;

static void remove_files(void)
{
    for (size_t i = 0; i < path_count; i++) unlink(paths[i]);
    rmdir(directory);
}

void temporary_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    must(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

const char *temporary_file(const char *name, const char *text)
{
    if (path_count == 0) {
        must(mkdtemp(directory) != NULL);
        atexit(remove_files);
    }
    char path[sizeof paths[0]];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    temporary_write(path, text);
    for (size_t i = 0; i < path_count; i++)
        if (strcmp(paths[i], path) == 0) return paths[i];
    must(path_count < WF_COUNT(paths));
    return strcpy(paths[path_count++], path);
}
