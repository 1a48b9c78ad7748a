/* Two sides of a connection: pki.h. */
#include <stdio.h>
#include <string.h>
#include <weft/peer.h>

#include "pki.h"

bool rig_configure_(struct rig *rig, struct wf_tls_options *client, struct wf_tls_options *server)
{
    chance_reset();
    memset(rig, 0, sizeof *rig);
    rig->host = "server.test";
    if (client->ca_file == NULL && client->ca_path == NULL && client->ca_pem == NULL) client->ca_pem = root_pem();
    if (server->identity.certificate_file == NULL && server->identity.certificate_pem == NULL)
        server->identity = identity_of(SERVER);
    client->out_ = &rig->client.config;
    server->out_ = &rig->server.config;
    return WF_EXPECT_CODE(wf_tls_client_create_(client), 0) && WF_EXPECT_CODE(wf_tls_server_create_(server), 0);
}

static void note_end(struct side *side, int rc)
{
    const char *said = wf_failure();
    side->rc = rc;
    snprintf(side->text, sizeof side->text, "%s", rc < 0 && said != NULL ? said : "");
    if (rc == 0) {
        side->under = NULL;
        return;
    }
    side->tls = NULL;
    wf_stream_close(side->under);
    side->under = NULL;
}

static int accept_one(struct rig *rig)
{
    note_end(&rig->server, wf_tls_accept(rig->server.under, rig->server.config, &rig->server.tls));
    return 0;
}

static int connect_one(struct rig *rig)
{
    note_end(&rig->client, wf_tls_connect(rig->client.under, rig->client.config, rig->host, &rig->client.tls));
    return 0;
}

bool rig_shake(struct rig *rig, size_t capacity)
{
    rig_close(rig);
    rig->client.rc = rig->server.rc = 1;
    int rc = capacity > 0 ? wf_stream_pair(capacity, &rig->client.under, &rig->server.under)
                          : wf_test_pair(&rig->client.under, &rig->server.under);
    if (!WF_EXPECT_CODE(rc, 0)) return false;
    rig->client.raw = rig->client.under;
    rig->server.raw = rig->server.under;
    WF_SCOPE(scope);
    wf_spawn(&scope, accept_one, rig);
    wf_spawn(&scope, connect_one, rig);
    return WF_EXPECT_CODE(wf_scope_join(&scope), 0) && rig->client.rc <= 0 && rig->server.rc <= 0;
}

bool rig_open(struct rig *rig, size_t capacity)
{
    if (!rig_shake(rig, capacity)) return false;
    bool client = WF_EXPECT_CODE(rig->client.rc, 0) || !WF_EXPECT_TEXT(rig->client.text, "");
    bool server = WF_EXPECT_CODE(rig->server.rc, 0) || !WF_EXPECT_TEXT(rig->server.text, "");
    return client && server && rig->client.tls != NULL && rig->server.tls != NULL;
}

static void close_side(struct side *side)
{
    wf_stream_close(side->tls);
    wf_stream_close(side->under);
    side->tls = side->under = NULL;
}

void rig_close(struct rig *rig)
{
    close_side(&rig->client);
    close_side(&rig->server);
}

void rig_end(struct rig *rig)
{
    rig_close(rig);
    wf_tls_destroy(rig->client.config);
    wf_tls_destroy(rig->server.config);
    rig->client.config = rig->server.config = NULL;
}
