/*
 * What went wrong, in words and as a code: of OpenSSL's queue of errors, of a peer's alert, of a certificate.
 *
 *     expired                           -EKEYEXPIRED
 *     revoked                           -EKEYREVOKED
 *     anything else of a certificate    -EKEYREJECTED
 *     memory                            -ENOMEM
 *     anything else                     -EPROTO
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <weft/task.h>

#include "tls/tls.h"

enum { NAME_TEXT_MAX = 120 };

int fault_set(struct fault *fault, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    fault->code = code;
    return code;
}

int fault_tell(const struct fault *fault, const char *who)
{
    if (who == NULL) return wf_fail(fault->code, "TLS: %s", fault->text);
    return wf_fail(fault->code, "TLS with %s: %s", who, fault->text);
}

/* ---- Errors and alerts ---- */

void forget_errors(void)
{
    if (ERR_peek_error() != 0) ERR_clear_error();
}

/* Those that say something about the certificate that the peer was shown. */
static int code_of_alert(int alert)
{
    switch (alert) {
    case SSL_AD_CERTIFICATE_EXPIRED:
        return -EKEYEXPIRED;
    case SSL_AD_CERTIFICATE_REVOKED:
        return -EKEYREVOKED;
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case TLS13_AD_CERTIFICATE_REQUIRED:
        return -EKEYREJECTED;
    default:
        return -EPROTO;
    }
}

/* Where OpenSSL's own words would not tell a person what is the matter. */
static const struct {
    int reason;
    const char *text;
} reasons[] = {
    {SSL_R_WRONG_VERSION_NUMBER, "what the peer sends is not TLS"},
    {SSL_R_HTTP_REQUEST, "the peer speaks plain HTTP"},
    {SSL_R_HTTPS_PROXY_REQUEST, "the peer speaks plain HTTP, to a proxy"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the peer's versions of TLS are not among ours"},
    {SSL_R_NO_SHARED_CIPHER, "no cipher is known to both sides"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "the peer showed no certificate"},
    {SSL_R_NO_APPLICATION_PROTOCOL, "none of the peer's protocols (ALPN) is among ours"},
};

static const char *text_of_reason(unsigned long error)
{
    for (size_t i = 0; i < WF_COUNT(reasons); i++)
        if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == reasons[i].reason) return reasons[i].text;
    const char *text = ERR_reason_error_string(error);
    return text != NULL ? text : "an error without a name";
}

/* Of "tlsv1 alert unknown ca" the last words: the other list of names that OpenSSL has knows fewer. */
static const char *name_of_alert(unsigned long error)
{
    const char *text = ERR_reason_error_string(error), *word = text != NULL ? strstr(text, "alert ") : NULL;
    return word != NULL ? word + strlen("alert ")
                        : SSL_alert_desc_string_long(ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET);
}

void fault_of_openssl(struct fault *fault)
{
    unsigned long error = ERR_get_error();
    ERR_clear_error();
    int reason = ERR_GET_REASON(error), alert = reason - SSL_AD_REASON_OFFSET;
    if (error == 0) fault_set(fault, -EPROTO, "the connection is broken");
    else if (reason == ERR_R_MALLOC_FAILURE) fault_set(fault, -ENOMEM, "out of memory");
    else if (ERR_GET_LIB(error) == ERR_LIB_SSL && alert >= 0 && alert < 256)
        fault_set(fault, code_of_alert(alert), "the peer refused, by the alert \"%s\"%s", name_of_alert(error),
                  code_of_alert(alert) != -EPROTO ? ": it does not accept our certificate" : "");
    else
        fault_set(fault, ERR_GET_REASON(error) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ? -EKEYREJECTED : -EPROTO,
                  "%s", text_of_reason(error));
}

/* ---- Certificates ---- */

static int code_of_verification(int error)
{
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CRL_HAS_EXPIRED:
        return -EKEYEXPIRED;
    case X509_V_ERR_CERT_REVOKED:
        return -EKEYREVOKED;
    case X509_V_ERR_OUT_OF_MEM:
        return -ENOMEM;
    default:
        return -EKEYREJECTED;
    }
}

static void list_names(X509 *certificate, char *text, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    char name[NAME_TEXT_MAX];
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; used < size && alternative_name(names, i, name, sizeof name); i++)
        used += (size_t)snprintf(text + used, size - used, "%s\"%s\"", i > 0 ? ", " : "", name);
    if (text[0] == '\0') snprintf(text, size, "none");
    GENERAL_NAMES_free(names);
}

void fault_of_certificate(struct fault *fault, X509_STORE_CTX *store, const char *host)
{
    int error = X509_STORE_CTX_get_error(store);
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    int code = code_of_verification(error);
    char subject[NAME_TEXT_MAX] = "?", detail[NAME_TEXT_MAX] = "?";
    if (certificate != NULL) name_text(X509_get_subject_name(certificate), subject, sizeof subject);
    switch (certificate != NULL ? error : X509_V_ERR_UNSPECIFIED) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        moment_text(X509_get0_notAfter(certificate), detail, sizeof detail);
        fault_set(fault, code, "the certificate of \"%s\" expired on %s", subject, detail);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        moment_text(X509_get0_notBefore(certificate), detail, sizeof detail);
        fault_set(fault, code, "the certificate of \"%s\" is not valid before %s", subject, detail);
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        list_names(certificate, detail, sizeof detail);
        fault_set(fault, code, "the certificate is not for \"%s\"; its names are: %s", host != NULL ? host : "?",
                  detail);
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        name_text(X509_get_issuer_name(certificate), detail, sizeof detail);
        fault_set(fault, code, "unknown issuer \"%s\" of the certificate of \"%s\"", detail, subject);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        fault_set(fault, code, "the certificate of \"%s\" is signed by itself, and nobody trusts it", subject);
        break;
    case X509_V_ERR_CERT_REVOKED:
        fault_set(fault, code, "the certificate of \"%s\" was revoked", subject);
        break;
    default:
        fault_set(fault, code, "the certificate of \"%s\": %s", subject, X509_verify_cert_error_string(error));
    }
}
