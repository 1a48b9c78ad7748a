/* TLS sessions that a client may resume: few enough to be looked through one by one; the oldest one makes room. */
#include <string.h>

#include "tls/tls.h"

enum { OF_ONE_KEY_MAX = 4 };

static void forget(struct sessions *sessions, struct session *session)
{
    wf_memory_free(session->key);
    *session = sessions->all[--sessions->count];
}

static char *copy(const char *text)
{
    size_t size = strlen(text) + 1;
    char *made = wf_memory_alloc(size);
    return made != NULL ? memcpy(made, text, size) : NULL;
}

static bool older(const struct session *one, const struct session *other)
{
    return other == NULL || one->used < other->used;
}

/* Who goes: the oldest of the key, when it has its share; the oldest of all, when there is no room. */
static struct session *leaver(const struct sessions *sessions, const char *key)
{
    struct session *oldest = NULL, *oldest_of_key = NULL;
    uint32_t of_key = 0;
    for (uint32_t i = 0; i < sessions->count; i++) {
        struct session *session = &sessions->all[i];
        if (older(session, oldest)) oldest = session;
        if (strcmp(session->key, key) != 0) continue;
        of_key++;
        if (older(session, oldest_of_key)) oldest_of_key = session;
    }
    if (of_key >= OF_ONE_KEY_MAX) return oldest_of_key;
    return sessions->count == sessions->max ? oldest : NULL;
}

bool sessions_put(struct sessions *sessions, const char *key, SSL_SESSION *value)
{
    if (sessions->max == 0) return false;
    if (sessions->all == NULL) sessions->all = wf_memory_alloc(sessions->max * sizeof *sessions->all);
    char *own_key = sessions->all != NULL ? copy(key) : NULL;
    if (own_key == NULL) return false;
    struct session *session = leaver(sessions, key);
    if (session != NULL) {
        SSL_SESSION_free(session->value);
        forget(sessions, session);
    }
    sessions->all[sessions->count++] = (struct session){.key = own_key, .value = value, .used = ++sessions->clock};
    return true;
}

static struct session *newest(const struct sessions *sessions, const char *key)
{
    struct session *found = NULL;
    for (uint32_t i = 0; i < sessions->count; i++) {
        struct session *session = &sessions->all[i];
        if (strcmp(session->key, key) == 0 && !(found != NULL && older(session, found))) found = session;
    }
    return found;
}

/* Tickets of TLS 1.3 are for one use (RFC 8446, C.4): who watches could tell that two connections are of one client. */
SSL_SESSION *sessions_take(struct sessions *sessions, const char *key)
{
    struct session *session = newest(sessions, key);
    if (session == NULL) return NULL;
    SSL_SESSION *value = session->value;
    if (SSL_SESSION_get_protocol_version(value) == TLS1_3_VERSION) {
        forget(sessions, session);
        return value;
    }
    session->used = ++sessions->clock;
    SSL_SESSION_up_ref(value);
    return value;
}

void sessions_clear(struct sessions *sessions)
{
    while (sessions->count > 0) {
        struct session *last = &sessions->all[sessions->count - 1];
        SSL_SESSION_free(last->value);
        forget(sessions, last);
    }
    wf_memory_free(sessions->all);
    sessions->all = NULL;
}
