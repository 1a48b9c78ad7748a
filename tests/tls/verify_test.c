/* Whom a client believes: every fault of a certificate has its code and says what is wrong. */
#include <string.h>

#include "pki.h"

static const struct fault_case {
    const char *name, *host;
    enum who who;
    int code;
    const char *text;
    bool revokes;
} faults[] = {
    {"expired", "server.test", EXPIRED, -EKEYEXPIRED,
     "TLS with server.test: the certificate of \"CN = server.test\" expired on 1999-12-31 23:59:59 UTC", false},
    {"future", "server.test", FUTURE, -EKEYREJECTED, "is not valid before 2094-01-01 00:00:00 UTC", false},
    {"name", "other.test", SERVER, -EKEYREJECTED,
     "the certificate is not for \"other.test\"; its names are: \"server.test\", \"*.wild.test\", \"127.0.0.1\"",
     false},
    {"deep name", "a.b.wild.test", SERVER, -EKEYREJECTED, "the certificate is not for \"a.b.wild.test\"", false},
    {"address", "127.0.0.2", SERVER, -EKEYREJECTED, "the certificate is not for \"127.0.0.2\"", false},
    {"stranger", "server.test", STRANGER, -EKEYREJECTED,
     "unknown issuer \"CN = the other root\" of the certificate of \"CN = server.test\"", false},
    {"alone", "server.test", ALONE, -EKEYREJECTED, "is signed by itself, and nobody trusts it", false},
    {"revoked", "server.test", REVOKED, -EKEYREVOKED, "the certificate of \"CN = server.test\" was revoked", true},
    {"no list", "server.test", CHAINED, -EKEYREJECTED, "unable to get certificate CRL", true},
};

static const char *case_name(size_t row)
{
    return faults[row].name;
}

WF_TEST_EACH(a_certificate_that_is_not_right_is_refused_and_said_why, faults, .row_name = case_name)
{
    struct rig rig;
    struct wf_tls_options client = OPTIONS(.sessions_max = 1);
    if (row->revokes) client.crl_file = temporary_file("crl.pem", crl_pem());
    if (rig_configure_(&rig, &client, &(struct wf_tls_options)OPTIONS(.identity = identity_of(row->who)))) {
        rig.host = row->host;
        if (rig_shake(&rig, 4096)) {
            WF_EXPECT_CODE(rig.client.rc, row->code);
            WF_EXPECT_PART(rig.client.text, row->text);
            WF_EXPECT(rig.server.rc < 0);
            WF_EXPECT_PART(rig.server.text, "TLS with a client: the peer refused, by the alert");
        }
    }
    rig_end(&rig);
}

static const enum who good[] = {SERVER, CHAINED, RSA_SERVER};

WF_TEST_EACH(a_certificate_that_is_right_is_believed, good)
{
    struct rig rig;
    if (rig_configure(&rig, OPTIONS(.sessions_max = 1), OPTIONS(.identity = identity_of(*row)))) rig_open(&rig, 4096);
    rig_end(&rig);
}

WF_TEST(lists_of_revoked_certificates_let_the_others_pass)
{
    struct rig rig;
    if (rig_configure(&rig, OPTIONS(.crl_file = temporary_file("crl.pem", crl_pem())), OPTIONS(.offload = false)))
        rig_open(&rig, 4096);
    rig_end(&rig);
}

WF_TEST(a_client_that_is_insecure_believes_everybody)
{
    struct rig rig;
    struct wf_tls_info info;
    if (rig_configure(&rig, OPTIONS(.insecure = true), OPTIONS(.identity = identity_of(STRANGER)))) {
        rig.host = NULL;
        if (rig_open(&rig, 4096) && WF_EXPECT_CODE(wf_tls_info(rig.client.tls, wf_task_arena(), &info), 0))
            WF_EXPECT_TEXT(info.chain[0].issuer, "CN = the other root");
    }
    rig_end(&rig);
}

/* Certificates are judged by the date of the world that they are seen in. */
WF_TEST(a_certificate_expires_with_time, .simulated = true, .timeout = WF_SECONDS(INT64_C(100) * 366 * 86400))
{
    struct rig rig;
    if (rig_configure(&rig, OPTIONS(.no_sessions = true), OPTIONS(.offload = false)) && rig_open(&rig, 4096) &&
        WF_EXPECT_CODE(wf_sleep(WF_SECONDS(INT64_C(96) * 365 * 86400)), 0) && rig_shake(&rig, 4096)) {
        WF_EXPECT_CODE(rig.client.rc, -EKEYEXPIRED);
        WF_EXPECT_PART(rig.client.text, "expired on 2095-01-01 00:00:00 UTC");
    }
    rig_end(&rig);
}

WF_TEST(a_host_must_be_named_to_be_verified)
{
    struct rig rig;
    static const char *const wrong[] = {NULL, "", "."};
    if (rig_configure(&rig, OPTIONS(.sessions_max = 1), OPTIONS(.offload = false)))
        for (size_t i = 0; i < WF_COUNT(wrong) && !wf_test_failed(); i++) {
            rig.host = wrong[i];
            if (!rig_shake(&rig, 4096)) break;
            WF_EXPECT_CODE(rig.client.rc, i < 2 ? -EINVAL : -EKEYREJECTED);
            WF_EXPECT_CODE(rig.server.rc, i < 2 ? WF_EEND : -EKEYREJECTED);
        }
    rig_end(&rig);
}

WF_TEST_MAIN
