/* Certificates as text, for messages and for wf_tls_info. */
#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <weft/time.h>

#include "tls/tls.h"

enum { LINE_MAX_SIZE = 512, NAMES_MAX = 256 };

/* ---- Pieces ---- */

const char *name_text(const X509_NAME *name, char *text, size_t size)
{
    text[0] = '\0';
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL) return text;
    unsigned long how = XN_FLAG_ONELINE & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    if (X509_NAME_print_ex(bio, name, 0, how) >= 0) {
        int got = BIO_read(bio, text, (int)size - 1);
        text[got > 0 ? got : 0] = '\0';
    }
    BIO_free(bio);
    return text;
}

const char *moment_text(const ASN1_TIME *when, char *text, size_t size)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(when, &parts) != 1 || strftime(text, size, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
        snprintf(text, size, "an unreadable date");
    return text;
}

static bool address_text(const ASN1_OCTET_STRING *address, char *text, size_t size)
{
    int length = ASN1_STRING_length(address);
    int family = length == 4 ? AF_INET : AF_INET6;
    if (length != 4 && length != 16) return snprintf(text, size, "an unreadable address") > 0;
    return inet_ntop(family, ASN1_STRING_get0_data(address), text, (socklen_t)size) != NULL;
}

/* A name with a zero byte in it is shown as what it claims to be and is not. */
static bool plain_text(const ASN1_STRING *name, char *text, size_t size)
{
    const char *bytes = (const char *)ASN1_STRING_get0_data(name);
    int length = ASN1_STRING_length(name);
    bool whole = memchr(bytes, 0, (size_t)length) == NULL;
    snprintf(text, size, "%.*s%s", length, bytes, whole ? "" : " and more after a zero byte");
    return true;
}

/* Other kinds of names, of mail and of directories, are passed over. */
bool alternative_name(const GENERAL_NAMES *names, int index, char *text, size_t size)
{
    for (int i = 0, found = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS && name->type != GEN_IPADD && name->type != GEN_URI) continue;
        if (found++ < index) continue;
        return name->type == GEN_IPADD ? address_text(name->d.iPAddress, text, size)
                                       : plain_text(name->d.ia5, text, size);
    }
    return false;
}

/* ---- A whole certificate ---- */

static int64_t nanoseconds(const ASN1_TIME *when)
{
    struct tm parts;
    return ASN1_TIME_to_tm(when, &parts) == 1 ? WF_SECONDS((int64_t)timegm(&parts)) : 0;
}

static const char *hexadecimal(struct wf_arena *arena, const unsigned char *bytes, size_t size)
{
    char *text = wf_arena_alloc(arena, 2 * size + 1);
    for (size_t i = 0; i < size && text != NULL; i++) snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    if (text != NULL) text[2 * size] = '\0';
    return text;
}

static const char *fingerprint(struct wf_arena *arena, const X509 *certificate)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    return X509_digest(certificate, EVP_sha256(), digest, &size) == 1 ? hexadecimal(arena, digest, size) : NULL;
}

static const char *serial(struct wf_arena *arena, X509 *certificate)
{
    const ASN1_INTEGER *number = X509_get0_serialNumber(certificate);
    return hexadecimal(arena, ASN1_STRING_get0_data(number), (size_t)ASN1_STRING_length(number));
}

static const char *key_text(struct wf_arena *arena, const X509 *certificate)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    char group[64];
    size_t size;
    if (key == NULL) return wf_arena_strdup(arena, "unknown");
    if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1)
        return wf_arena_printf(arena, "EC %s", strcmp(group, "prime256v1") == 0 ? "P-256" : group);
    const char *name = EVP_PKEY_get0_type_name(key);
    return wf_arena_printf(arena, "%s %d", name != NULL ? name : "unknown", EVP_PKEY_get_bits(key));
}

static const char *const *names_of(struct wf_arena *arena, const X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    char text[LINE_MAX_SIZE];
    int count = 0;
    while (count < NAMES_MAX && alternative_name(names, count, text, sizeof text)) count++;
    const char **list = wf_arena_array(arena, (size_t)count + 1, sizeof *list);
    for (int i = 0; i < count && list != NULL; i++) {
        alternative_name(names, i, text, sizeof text);
        list[i] = wf_arena_strdup(arena, text);
        if (list[i] == NULL) list = NULL;
    }
    GENERAL_NAMES_free(names);
    return (const char *const *)list;
}

static bool describe(struct wf_arena *arena, X509 *certificate, struct wf_tls_certificate *out)
{
    char text[LINE_MAX_SIZE];
    out->subject = wf_arena_strdup(arena, name_text(X509_get_subject_name(certificate), text, sizeof text));
    out->issuer = wf_arena_strdup(arena, name_text(X509_get_issuer_name(certificate), text, sizeof text));
    out->names = names_of(arena, certificate);
    out->not_before = nanoseconds(X509_get0_notBefore(certificate));
    out->not_after = nanoseconds(X509_get0_notAfter(certificate));
    out->key = key_text(arena, certificate);
    out->serial = serial(arena, certificate);
    out->fingerprint = fingerprint(arena, certificate);
    return out->subject != NULL && out->issuer != NULL && out->names != NULL && out->key != NULL &&
           out->serial != NULL && out->fingerprint != NULL;
}

/* ---- wf_tls_info ---- */

/* A server's list of what its client sent does not begin with the client's own. */
static bool describe_chain(struct wf_arena *arena, const SSL *ssl, struct wf_tls_info *info)
{
    X509 *own = SSL_get0_peer_certificate(ssl);
    const STACK_OF(X509) *others = SSL_get_peer_cert_chain(ssl);
    int skip = SSL_is_server(ssl) ? 0 : 1, count = sk_X509_num(others);
    if (own == NULL) return true;
    size_t total = 1 + (count > skip ? (size_t)(count - skip) : 0);
    struct wf_tls_certificate *chain = wf_arena_array(arena, total, sizeof *chain);
    if (chain == NULL || !describe(arena, own, &chain[0])) return false;
    for (size_t i = 1; i < total; i++)
        if (!describe(arena, sk_X509_value(others, (int)i - 1 + skip), &chain[i])) return false;
    info->chain = chain;
    info->chain_count = total;
    return true;
}

/* Gives false where there is text and no memory for it. */
static bool keep(struct wf_arena *arena, const char *text, const char **out)
{
    *out = text != NULL ? wf_arena_strdup(arena, text) : NULL;
    return text == NULL || *out != NULL;
}

int wf_tls_info(struct wf_stream *tls, struct wf_arena *arena, struct wf_tls_info *info)
{
    if (tls == NULL || tls->class_ != &connection_class) return -EINVAL;
    const SSL *ssl = ((struct connection *)tls)->ssl;
    const unsigned char *alpn;
    unsigned size;
    *info = (struct wf_tls_info){.resumed = SSL_session_reused(ssl) == 1};
    SSL_get0_alpn_selected(ssl, &alpn, &size);
    if (size > 0) info->alpn = wf_arena_strndup(arena, (const char *)alpn, size);
    bool done = keep(arena, SSL_get_version(ssl), &info->version) &&
                keep(arena, SSL_get_cipher_name(ssl), &info->cipher) &&
                keep(arena, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name), &info->server_name) &&
                (size == 0 || info->alpn != NULL) && describe_chain(arena, ssl, info);
    return done ? 0 : -ENOMEM;
}
