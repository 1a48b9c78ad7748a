/*
 * OpenSSL's own memory fails: at any place the handshake and the transfers end with a code, and the next ones are as
 * good as ever. OpenSSL takes its memory by functions of this program, which the test kit does not see.
 */
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "pki.h"

static atomic_long countdown; /* the allocation that fails; 0: none does */
static atomic_long asked;

static bool fails(void)
{
    atomic_fetch_add(&asked, 1);
    return atomic_load(&countdown) > 0 && atomic_fetch_sub(&countdown, 1) == 1;
}

static void *take(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return size == 0 || fails() ? NULL : malloc(size);
}

static void *take_more(void *memory, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return fails() ? NULL : realloc(memory, size);
}

static void give(void *memory, const char *file, int line)
{
    (void)file, (void)line;
    free(memory);
}

/* Before anything of OpenSSL. */
__attribute__((constructor(101))) static void take_over(void)
{
    if (CRYPTO_set_mem_functions(take, take_more, give) != 1) abort();
}

/* A byte each way; what it comes to is any code. */
static void converse(struct rig *rig)
{
    char byte;
    if (!rig_shake(rig, 4096) || rig->client.tls == NULL || rig->server.tls == NULL) return;
    if (wf_stream_write_all(rig->server.tls, "s", 1, NULL) == 0) wf_ignore(wf_stream_read(rig->client.tls, &byte, 1));
    if (wf_stream_write_all(rig->client.tls, "c", 1, NULL) == 0) wf_ignore(wf_stream_read(rig->server.tls, &byte, 1));
    wf_ignore(wf_stream_shutdown(rig->client.tls));
}

static long count_allocations(struct rig *rig)
{
    atomic_store(&asked, 0);
    converse(rig);
    return atomic_load(&asked);
}

enum { VISITS = 300 };

/* Not more than so many places, evenly spread: the others are of the same kinds. */
static void converse_without(struct rig *rig, long at)
{
    atomic_store(&countdown, at);
    converse(rig);
    atomic_store(&countdown, 0);
}

WF_TEST(a_connection_stands_any_failure_of_openssls_memory, .timeout = WF_SECONDS(60),
        .unswept = "it is a sweep of its own")
{
    struct rig rig;
    if (!rig_configure(&rig, OPTIONS(.sessions_max = 2), OPTIONS(.alpn = {"h2"})) || !rig_open(&rig, 4096))
        return rig_end(&rig);
    long places = count_allocations(&rig), step = places / VISITS + 1;
    for (long at = 1; at <= places; at += step) converse_without(&rig, at);
    WF_EXPECT(places > 100);
    rig_open(&rig, 4096);
    rig_end(&rig);
}

/* A lack of memory never makes a stranger trusted. */
WF_TEST(a_stranger_is_refused_whatever_fails, .timeout = WF_SECONDS(60), .unswept = "it is a sweep of its own")
{
    struct rig rig;
    if (!rig_configure(&rig, OPTIONS(.sessions_max = 2), OPTIONS(.identity = identity_of(STRANGER))))
        return rig_end(&rig);
    long places = count_allocations(&rig), step = places / VISITS + 1;
    for (long at = 1; at <= places; at += step) {
        converse_without(&rig, at);
        WF_EXPECT(rig.client.rc < 0);
    }
    WF_EXPECT(places > 100);
    rig_end(&rig);
}

WF_TEST(configurations_stand_any_failure_of_openssls_memory, .timeout = WF_SECONDS(60),
        .unswept = "it is a sweep of its own")
{
    struct wf_tls_config *config = NULL;
    struct wf_tls_identity identity = identity_of(CHAINED);
    int rc = 0;
    for (long at = 0; at < 100000 && !wf_test_failed(); at += at < VISITS ? 1 : 41) {
        atomic_store(&countdown, at);
        rc = wf_tls_server_create(&config, .identity = identity, .ca_pem = root_pem());
        bool failed = at > 0 && atomic_load(&countdown) <= 0;
        atomic_store(&countdown, 0);
        if (rc == 0) wf_tls_destroy(config);
        WF_EXPECT(rc == 0 || rc == -ENOMEM || rc == -EINVAL);
        if (at > 0 && !failed) break;
    }
    WF_EXPECT_CODE(rc, 0);
}

WF_TEST_MAIN
