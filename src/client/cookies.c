/*
 * The jar: cookies in buckets by their domain. A host's cookies are those of its own name and of each domain that it is
 * in, so that a call looks into as many buckets as its host has labels.
 */
#include "client/cookies.h"

#include <errno.h>
#include <string.h>
#include <weft/extend.h>

enum { BUCKETS = 128 };

struct jar {
    struct cookie *buckets[BUCKETS];
    unsigned count;
    uint64_t turn;
};

struct jar *jar_create(void)
{
    struct jar *jar = wf_memory_alloc(sizeof *jar);
    if (jar != NULL) memset(jar, 0, sizeof *jar);
    return jar;
}

void jar_destroy(struct jar *jar)
{
    if (jar != NULL) jar_clear(jar, NULL);
    wf_memory_free(jar);
}

static unsigned bucket_of(const char *domain)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (; *domain != '\0'; domain++) hash = (hash ^ (unsigned char)*domain) * 16777619U;
    return hash % BUCKETS;
}

static void take_out(struct jar *jar, struct cookie **at)
{
    struct cookie *cookie = *at;
    *at = cookie->next;
    jar->count--;
    wf_memory_free(cookie);
}

/* ---- Room ---- */

static void drop_expired(struct jar *jar, unsigned bucket, int64_t now)
{
    for (struct cookie **at = &jar->buckets[bucket]; *at != NULL;) {
        if ((*at)->expires <= now) take_out(jar, at);
        else at = &(*at)->next;
    }
}

/* The one that was not sent for the longest time, of a domain; NULL: of any. */
static struct cookie **find_stalest(struct jar *jar, unsigned bucket, const char *domain, struct cookie **stalest)
{
    for (struct cookie **at = &jar->buckets[bucket]; *at != NULL; at = &(*at)->next) {
        if (domain != NULL && strcmp((*at)->domain, domain) != 0) continue;
        if (stalest == NULL || (*at)->used < (*stalest)->used) stalest = at;
    }
    return stalest;
}

static unsigned count_of(const struct jar *jar, unsigned bucket, const char *domain)
{
    unsigned count = 0;
    for (const struct cookie *cookie = jar->buckets[bucket]; cookie != NULL; cookie = cookie->next)
        count += strcmp(cookie->domain, domain) == 0;
    return count;
}

static void make_room(struct jar *jar, const char *domain, int64_t now)
{
    unsigned bucket = bucket_of(domain);
    if (count_of(jar, bucket, domain) >= COOKIES_OF_DOMAIN) drop_expired(jar, bucket, now);
    if (count_of(jar, bucket, domain) >= COOKIES_OF_DOMAIN) take_out(jar, find_stalest(jar, bucket, domain, NULL));
    for (unsigned i = 0; jar->count >= COOKIES_MAX && i < BUCKETS; i++) drop_expired(jar, i, now);
    if (jar->count < COOKIES_MAX) return;
    struct cookie **stalest = NULL;
    for (unsigned i = 0; i < BUCKETS; i++) stalest = find_stalest(jar, i, NULL, stalest);
    take_out(jar, stalest);
}

/* ---- Keeping ---- */

static const char *copy(char **to, const char *text)
{
    size_t size = strlen(text) + 1;
    const char *copied = memcpy(*to, text, size);
    *to += size;
    return copied;
}

static struct cookie *copy_cookie(const struct cookie *cookie)
{
    size_t size = strlen(cookie->name) + strlen(cookie->value) + strlen(cookie->domain) + strlen(cookie->path) + 4;
    struct cookie *kept = wf_memory_alloc(sizeof *kept + size);
    if (kept == NULL) return NULL;
    char *to = (char *)(kept + 1);
    *kept = *cookie;
    kept->name = copy(&to, cookie->name);
    kept->value = copy(&to, cookie->value);
    kept->domain = copy(&to, cookie->domain);
    kept->path = copy(&to, cookie->path);
    return kept;
}

static bool is_same(const struct cookie *one, const struct cookie *other)
{
    return one->host_only == other->host_only && strcmp(one->name, other->name) == 0 &&
           strcmp(one->domain, other->domain) == 0 && strcmp(one->path, other->path) == 0;
}

/* One that is replaced leaves its age behind: the order of sending stays. */
int jar_keep(struct jar *jar, const struct cookie *cookie, int64_t now)
{
    struct cookie **at = &jar->buckets[bucket_of(cookie->domain)];
    struct cookie *kept = cookie->expires <= now ? NULL : copy_cookie(cookie);
    if (cookie->expires > now && kept == NULL) return -ENOMEM;
    uint64_t turn = ++jar->turn, created = turn;
    while (*at != NULL && !is_same(*at, cookie)) at = &(*at)->next;
    if (*at != NULL) {
        created = (*at)->created;
        take_out(jar, at);
    }
    if (kept == NULL) return 0;
    make_room(jar, cookie->domain, now);
    kept->created = created;
    kept->used = turn;
    struct cookie **bucket = &jar->buckets[bucket_of(cookie->domain)];
    kept->next = *bucket;
    *bucket = kept;
    jar->count++;
    return 0;
}

static bool path_matches(const char *path, size_t size, const char *prefix)
{
    size_t length = strlen(prefix);
    if (length > size || memcmp(path, prefix, length) != 0) return false;
    return length == size || prefix[length - 1] == '/' || path[length] == '/';
}

bool jar_is_guarded(const struct jar *jar, const struct cookie *cookie)
{
    for (const struct cookie *other = NULL; (other = jar_next(jar, other)) != NULL;) {
        if (!other->secure || strcmp(other->name, cookie->name) != 0) continue;
        bool related = cookie_domain_matches(other->domain, cookie->domain) ||
                       cookie_domain_matches(cookie->domain, other->domain);
        if (related && path_matches(cookie->path, strlen(cookie->path), other->path)) return true;
    }
    return false;
}

/* ---- Finding ---- */

static bool is_for(const struct cookie *cookie, const struct wf_url *url, const char *domain, int64_t now)
{
    bool over_tls = strcmp(url->scheme, "https") == 0 || strcmp(url->scheme, "wss") == 0;
    if (cookie->expires <= now || (cookie->secure && !over_tls) || strcmp(cookie->domain, domain) != 0) return false;
    if (cookie->host_only ? domain != url->host : !cookie_domain_matches(url->host, domain)) return false;
    return path_matches(url->target, strcspn(url->target, "?"), cookie->path);
}

/* Longer paths first; of equal ones, the older one (RFC 6265 section 5.4). */
static bool goes_before(const struct cookie *one, const struct cookie *other)
{
    size_t length = strlen(one->path), other_length = strlen(other->path);
    return length != other_length ? length > other_length : one->created < other->created;
}

static void sort_in(struct cookie **found, size_t count, struct cookie *cookie)
{
    while (count > 0 && goes_before(cookie, found[count - 1])) {
        found[count] = found[count - 1];
        count--;
    }
    found[count] = cookie;
}

int jar_find(struct jar *jar, const struct wf_url *url, int64_t now, struct wf_arena *arena, struct cookie ***found,
             size_t *count)
{
    *found = wf_arena_array(arena, jar->count + 1, sizeof **found);
    *count = 0;
    if (*found == NULL) return -ENOMEM;
    for (const char *domain = url->host; domain != NULL; domain = strchr(domain, '.')) {
        if (domain != url->host) domain++;
        for (struct cookie *cookie = jar->buckets[bucket_of(domain)]; cookie != NULL; cookie = cookie->next)
            if (is_for(cookie, url, domain, now)) sort_in(*found, (*count)++, cookie);
    }
    uint64_t turn = ++jar->turn;
    for (size_t i = 0; i < *count; i++) (*found)[i]->used = turn;
    return 0;
}

/* ---- All ---- */

const struct cookie *jar_next(const struct jar *jar, const struct cookie *before)
{
    if (before != NULL && before->next != NULL) return before->next;
    for (unsigned i = before != NULL ? bucket_of(before->domain) + 1 : 0; i < BUCKETS; i++)
        if (jar->buckets[i] != NULL) return jar->buckets[i];
    return NULL;
}

void jar_clear(struct jar *jar, const char *host)
{
    for (unsigned i = 0; i < BUCKETS; i++) {
        for (struct cookie **at = &jar->buckets[i]; *at != NULL;) {
            if (host == NULL || cookie_domain_matches(host, (*at)->domain)) take_out(jar, at);
            else at = &(*at)->next;
        }
    }
}
