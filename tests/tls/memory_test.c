/*
 * OpenSSL's own memory fails: at any place the handshake and the transfers end with a code, and the next ones are as
 * good as ever. OpenSSL takes its memory by functions of this program, which the test kit does not see.
 */
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "pki.h"

static atomic_long countdown; /* the allocation that fails; 0: none does */
static atomic_long asked;
static atomic_long held; /* bytes */

static bool fails(void)
{
    atomic_fetch_add(&asked, 1);
    return atomic_load(&countdown) > 0 && atomic_fetch_sub(&countdown, 1) == 1;
}

static void *take(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    void *memory = size == 0 || fails() ? NULL : malloc(size);
    atomic_fetch_add(&held, (long)malloc_usable_size(memory));
    return memory;
}

static void *take_more(void *memory, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    if (fails()) return NULL;
    long before = (long)malloc_usable_size(memory);
    void *larger = realloc(memory, size);
    if (larger != NULL || size == 0) atomic_fetch_add(&held, (long)malloc_usable_size(larger) - before);
    return larger;
}

static void give(void *memory, const char *file, int line)
{
    (void)file, (void)line;
    atomic_fetch_sub(&held, (long)malloc_usable_size(memory));
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

/* ---- Buffers for records ---- */

enum { PAIRS = 96 }; /* twice as many connections, more than keep their buffers */

/* Of two bytes in one record the first is taken out, and the other one lies in a buffer. */
static bool say_two_hear_one(struct rig *rig)
{
    char byte = 0;
    return WF_EXPECT_CODE(wf_stream_write_all(rig->client.tls, "ab", 2, NULL), 0) &&
           WF_EXPECT_INT(wf_stream_read(rig->server.tls, &byte, 1), 1) && WF_EXPECT_INT(byte, 'a');
}

static void hear_the_other_and_answer(struct rig *rig)
{
    char byte = 0;
    WF_EXPECT_INT(wf_stream_read(rig->server.tls, &byte, 1), 1);
    WF_EXPECT_INT(byte, 'b');
    WF_EXPECT_CODE(wf_stream_write_all(rig->server.tls, "c", 1, NULL), 0);
    WF_EXPECT_INT(wf_stream_read(rig->client.tls, &byte, 1), 1);
    WF_EXPECT_INT(byte, 'c');
}

static bool open_pairs(struct rig *pairs, long *held_after)
{
    for (int i = 0; i < PAIRS; i++) {
        if (!rig_open(&pairs[i], 4096) || !say_two_hear_one(&pairs[i])) return false;
        held_after[i] = atomic_load(&held);
    }
    return true;
}

/* Of a pair of the last ones, once it has pushed out the client of an older pair, whose buffers are not in use. */
WF_TEST(connections_that_came_first_give_their_buffers_back_but_for_what_is_in_them, .timeout = WF_SECONDS(60),
        .unswept = "the other suites sweep all that it does")
{
    static struct rig rig, pairs[PAIRS];
    long after[PAIRS];
    if (!rig_configure(&rig, OPTIONS(.no_sessions = true), OPTIONS(.no_sessions = true))) return rig_end(&rig);
    for (int i = 0; i < PAIRS; i++) pairs[i] = rig;
    if (open_pairs(pairs, after)) {
        long first = (after[20] - after[0]) / 20, last = (after[PAIRS - 1] - after[PAIRS - 21]) / 20;
        WF_EXPECT(last < first - 30000);
        for (int i = 0; i < PAIRS; i++) hear_the_other_and_answer(&pairs[i]);
    }
    for (int i = 0; i < PAIRS; i++) rig_close(&pairs[i]);
    rig_end(&rig);
}

WF_TEST_MAIN
