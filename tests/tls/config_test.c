/* Configurations: what cannot be is refused with a reason; files are read again on demand. */
#include <stdlib.h>
#include <string.h>

#include "pki.h"

WF_TEST(a_server_that_cannot_be_is_refused_and_said_why)
{
    struct wf_tls_config *config = NULL;
    struct wf_tls_identity server = identity_of(SERVER), both = server, half = server, other = server;
    both.key_file = "key.pem";
    half.key_pem = NULL;
    other.key_pem = identity_of(CLIENT).key_pem;
    WF_EXPECT_FAILURE(wf_tls_server_create(&config), -EINVAL, "a server needs a certificate and its key");
    WF_EXPECT_FAILURE(wf_tls_server_create(&config, .identity = both), -EINVAL, "as a file and as text");
    WF_EXPECT_FAILURE(wf_tls_server_create(&config, .identity = half), -EINVAL, "a certificate needs its key");
    WF_EXPECT_FAILURE(wf_tls_server_create(&config, .identity = other), -EINVAL,
                      "the key: the key is not that of the certificate");
    WF_EXPECT_FAILURE(wf_tls_server_create(&config, .identity = server, .insecure = true), -EINVAL, "for clients");
    WF_EXPECT_FAILURE(wf_tls_server_create(&config, .identity = server, .require_certificate = true), -EINVAL,
                      "needs to know whom to trust");
    WF_EXPECT(config == NULL);
}

WF_TEST(a_client_that_cannot_be_is_refused_and_said_why)
{
    struct wf_tls_config *config = NULL;
    char long_name[300];
    memset(long_name, 'x', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';
    WF_EXPECT_FAILURE(wf_tls_client_create(&config, .require_certificate = true), -EINVAL, "for servers");
    WF_EXPECT_FAILURE(wf_tls_client_create(&config, .minimum = WF_TLS_1_3, .maximum = WF_TLS_1_2), -EINVAL,
                      "the minimum is above the maximum");
    WF_EXPECT_FAILURE(wf_tls_client_create(&config, .alpn = {long_name}), -EINVAL, "1 to 255 bytes");
    WF_EXPECT_FAILURE(wf_tls_client_create(&config, .ca_pem = "no certificate at all"), -EINVAL,
                      "the certificates to trust: there is no certificate in it");
    WF_EXPECT_FAILURE(wf_tls_client_create(&config, .ca_pem = root_pem(), .ciphers = "NONE-SUCH"), -EINVAL,
                      "NONE-SUCH: none of these ciphers is known");
    WF_EXPECT_FAILURE(wf_tls_client_create(&config, .ca_pem = root_pem(), .groups = "K-12"), -EINVAL, "K-12");
    WF_EXPECT_FAILURE(wf_tls_client_create(&config, .ca_file = "/nowhere/ca.pem"), -ENOENT, "/nowhere/ca.pem");
    WF_EXPECT_CODE(wf_tls_client_create_(&(struct wf_tls_options){.size = 1, .out_ = &config}), -EINVAL);
    WF_EXPECT(config == NULL);
}

static char *damaged(const char *pem)
{
    char *text = strdup(pem);
    if (text != NULL) memset(text + strlen(text) / 2, '!', 8);
    return text;
}

WF_TEST(files_that_cannot_be_read_are_refused_by_name)
{
    struct wf_tls_config *config = NULL;
    char *broken = damaged(root_pem());
    if (!WF_EXPECT(broken != NULL)) return;
    const char *bad = temporary_file("broken.pem", broken), *empty = temporary_file("empty.pem", "");
    free(broken);
    struct wf_tls_identity identity = {.certificate_pem = identity_of(SERVER).certificate_pem, .key_file = empty};
    WF_EXPECT_FAILURE(wf_tls_client_create(&config, .ca_file = bad), -EINVAL, "broken.pem: ");
    WF_EXPECT_FAILURE(wf_tls_client_create(&config, .ca_file = empty), -EINVAL,
                      "empty.pem: there is no certificate in it");
    WF_EXPECT_FAILURE(wf_tls_client_create(&config, .ca_pem = root_pem(), .crl_file = empty), -EINVAL,
                      "empty.pem: there is no list of revoked certificates in it");
    WF_EXPECT_FAILURE(wf_tls_server_create(&config, .identity = identity), -EINVAL, "empty.pem: ");
    WF_EXPECT(config == NULL);
}

WF_TEST(a_certificate_and_its_key_may_lie_in_files)
{
    struct rig rig;
    struct wf_tls_identity text = identity_of(SERVER);
    struct wf_tls_identity files = {.certificate_file = temporary_file("server.pem", text.certificate_pem),
                                    .key_file = temporary_file("server.key", text.key_pem)};
    if (rig_configure(&rig, OPTIONS(.ca_file = temporary_file("ca.pem", root_pem())), OPTIONS(.identity = files)))
        rig_open(&rig, 4096);
    rig_end(&rig);
}

WF_TEST(an_encrypted_key_needs_its_password)
{
    struct wf_tls_config *config = NULL;
    struct wf_tls_identity identity = {.certificate_pem = identity_of(SERVER).certificate_pem,
                                       .key_pem = encrypted_key_pem()};
    WF_EXPECT(wf_tls_server_create(&config, .identity = identity) == -EINVAL);
    identity.key_password = "wrong";
    WF_EXPECT(wf_tls_server_create(&config, .identity = identity) == -EINVAL);
    identity.key_password = "secret";
    if (WF_EXPECT_CODE(wf_tls_server_create(&config, .identity = identity), 0)) wf_tls_destroy(config);
}

WF_TEST(the_systems_certificates_do_not_vouch_for_ours, .unswept = "how many the system has is not ours to know")
{
    struct rig rig;
    struct wf_tls_config *config = NULL;
    if (!rig_configure(&rig, OPTIONS(.sessions_max = 1), OPTIONS(.offload = false))) return rig_end(&rig);
    if (WF_EXPECT_CODE(wf_tls_client_create(&config), 0)) {
        wf_tls_destroy(rig.client.config);
        rig.client.config = config;
        if (rig_shake(&rig, 4096)) WF_EXPECT_PART(rig.client.text, "unknown issuer \"CN = the root\"");
    }
    rig_end(&rig);
}

/* ---- Reloading ---- */

static bool rewrite(const char *path, const char *text)
{
    struct wf_file *file;
    if (!WF_EXPECT_CODE(wf_file_open(path, O_WRONLY | O_TRUNC, 0, &file), 0)) return false;
    ssize_t written = wf_file_write(file, text, strlen(text));
    wf_file_close(file);
    return WF_EXPECT_INT(written, (int64_t)strlen(text));
}

static bool key_is(struct rig *rig, const char *key)
{
    struct wf_tls_info info;
    return WF_EXPECT_CODE(wf_tls_info(rig->client.tls, wf_task_arena(), &info), 0) &&
           WF_EXPECT_TEXT(info.chain[0].key, key);
}

WF_TEST(new_connections_get_what_was_reloaded_and_old_ones_keep_what_they_have)
{
    struct rig rig;
    char byte = '?';
    struct wf_tls_identity first = identity_of(SERVER), second = identity_of(RSA_SERVER);
    const char *certificate = temporary_file("turn.pem", first.certificate_pem);
    const char *key = temporary_file("turn.key", first.key_pem);
    struct wf_tls_identity files = {.certificate_file = certificate, .key_file = key};
    if (!rig_configure(&rig, OPTIONS(.no_sessions = true), OPTIONS(.identity = files))) return rig_end(&rig);
    if (rig_open(&rig, 4096) && rewrite(certificate, second.certificate_pem)) {
        WF_EXPECT_FAILURE(wf_tls_reload(rig.server.config), -EINVAL, "the key is not that of the certificate");
        if (rewrite(key, second.key_pem)) WF_EXPECT_CODE(wf_tls_reload(rig.server.config), 0);
        WF_EXPECT_CODE(wf_stream_write_all(rig.server.tls, "x", 1, NULL), 0);
        WF_EXPECT_INT(wf_stream_read(rig.client.tls, &byte, 1), 1);
        if (key_is(&rig, "ED25519 256") && rig_open(&rig, 4096)) key_is(&rig, "RSA 2048");
    }
    rig_end(&rig);
}

WF_TEST(a_configuration_may_go_before_its_connections)
{
    struct rig rig;
    char byte = '?';
    if (rig_configure(&rig, OPTIONS(.sessions_max = 1), OPTIONS(.offload = false)) && rig_open(&rig, 4096)) {
        wf_tls_destroy(rig.client.config);
        wf_tls_destroy(rig.server.config);
        rig.client.config = rig.server.config = NULL;
        WF_EXPECT_CODE(wf_stream_write_all(rig.server.tls, "x", 1, NULL), 0);
        WF_EXPECT_INT(wf_stream_read(rig.client.tls, &byte, 1), 1);
    }
    rig_end(&rig);
}

WF_TEST_MAIN
