/*
 * Reading Set-Cookie as clients do, which take what servers really send (RFC 6265 section 5.2): everything up to the
 * first semicolon is name and value, attributes that are not known are passed over, the last of equal ones counts.
 */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <weft/time.h>

#include "client/cookies.h"

enum { AGE_MAX_S = 400 * 86400 }; /* rfc6265bis section 5.5 */

/* ---- Dates ---- */

struct date {
    int day, month, year, hour, minute, second;
    bool has_day, has_month, has_year, has_time;
};

static bool is_delimiter(char byte)
{
    return byte == '\t' || (byte >= 0x20 && byte <= 0x2f) || (byte >= 0x3b && byte <= 0x40) ||
           (byte >= 0x5b && byte <= 0x60) || (byte >= 0x7b && byte <= 0x7e);
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* `least` to `most` digits, and then none. NULL: it is not that. */
static const char *take_number(const char *at, unsigned least, unsigned most, int *number)
{
    unsigned digits = 0;
    *number = 0;
    for (; is_digit(*at); at++, digits++)
        if (digits < most) *number = *number * 10 + (*at - '0');
    return digits >= least && digits <= most ? at : NULL;
}

static bool take_time(struct date *date, const char *at)
{
    int hour, minute, second;
    at = take_number(at, 1, 2, &hour);
    if (at == NULL || *at++ != ':') return false;
    at = take_number(at, 1, 2, &minute);
    if (at == NULL || *at++ != ':') return false;
    if (take_number(at, 1, 2, &second) == NULL) return false;
    date->hour = hour;
    date->minute = minute;
    date->second = second;
    return date->has_time = true;
}

static bool take_month(struct date *date, const char *at)
{
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int i = 0; i < 12; i++) {
        if (strncasecmp(at, months + 3 * (size_t)i, 3) != 0) continue;
        date->month = i;
        return date->has_month = true;
    }
    return false;
}

/* What is not known yet is looked for, in this order. */
static void take_word(struct date *date, const char *at)
{
    if (!date->has_time && take_time(date, at)) return;
    if (!date->has_day && take_number(at, 1, 2, &date->day) != NULL) date->has_day = true;
    else if (!date->has_month && take_month(date, at)) return;
    else if (!date->has_year && take_number(at, 2, 4, &date->year) != NULL) date->has_year = true;
}

static bool is_real(const struct date *date)
{
    return date->has_day && date->has_month && date->has_year && date->has_time && date->day >= 1 && date->day <= 31 &&
           date->year >= 1601 && date->hour <= 23 && date->minute <= 59 && date->second <= 59;
}

bool cookie_date(const char *text, int64_t *seconds)
{
    struct date date = {.day = 0};
    for (const char *at = text; *at != '\0';) {
        while (is_delimiter(*at)) at++;
        if (*at == '\0') break;
        take_word(&date, at);
        while (*at != '\0' && !is_delimiter(*at)) at++;
    }
    if (date.has_year && date.year >= 70 && date.year <= 99) date.year += 1900;
    if (date.has_year && date.year <= 69) date.year += 2000;
    if (!is_real(&date)) return false;
    struct tm tm = {.tm_mday = date.day,
                    .tm_mon = date.month,
                    .tm_year = date.year - 1900,
                    .tm_hour = date.hour,
                    .tm_min = date.minute,
                    .tm_sec = date.second};
    *seconds = timegm(&tm);
    return tm.tm_mday == date.day; /* 31 February was moved */
}

/* ---- Domains ---- */

static bool is_address(const char *host)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

bool cookie_domain_matches(const char *host, const char *domain)
{
    size_t size = strlen(host), tail = strlen(domain);
    if (strcmp(host, domain) == 0) return true;
    return tail < size && strcmp(host + size - tail, domain) == 0 && host[size - tail - 1] == '.' && !is_address(host);
}

/* ---- Attributes ---- */

struct span {
    const char *at;
    size_t size;
};

struct attributes {
    struct span domain, path;
    int64_t age_s, date_s; /* Max-Age, Expires */
    bool has_age, has_date, secure, http_only;
};

static struct span trimmed(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t')) at++;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t')) end--;
    return (struct span){at, (size_t)(end - at)};
}

static bool is(struct span span, const char *word)
{
    return strlen(word) == span.size && strncasecmp(span.at, word, span.size) == 0;
}

static void take_age(struct attributes *attributes, struct span value)
{
    bool negative = value.size > 0 && value.at[0] == '-';
    int64_t age = 0;
    if (value.size == (negative ? 1 : 0)) return;
    for (size_t i = negative; i < value.size; i++) {
        if (!is_digit(value.at[i])) return;
        if (age < AGE_MAX_S) age = age * 10 + (value.at[i] - '0');
    }
    attributes->has_age = true;
    attributes->age_s = negative ? 0 : age < AGE_MAX_S ? age : AGE_MAX_S;
}

static void take_expires(struct attributes *attributes, struct span value)
{
    char text[128];
    if (value.size >= sizeof text) return;
    memcpy(text, value.at, value.size);
    text[value.size] = '\0';
    if (cookie_date(text, &attributes->date_s)) attributes->has_date = true;
}

static void take_attribute(struct attributes *attributes, const char *at, const char *end)
{
    const char *equals = memchr(at, '=', (size_t)(end - at));
    struct span name = trimmed(at, equals != NULL ? equals : end),
                value = trimmed(equals != NULL ? equals + 1 : end, end);
    if (value.size > COOKIE_ATTRIBUTE_MAX) return;
    if (is(name, "expires")) take_expires(attributes, value);
    else if (is(name, "max-age")) take_age(attributes, value);
    else if (is(name, "path")) attributes->path = value;
    else if (is(name, "secure")) attributes->secure = true;
    else if (is(name, "httponly")) attributes->http_only = true;
    else if (is(name, "domain")) {
        bool dot = value.size > 0 && value.at[0] == '.';
        attributes->domain = (struct span){value.at + dot, value.size - dot};
    }
}

static void take_attributes(struct attributes *attributes, const char *at)
{
    while (*at != '\0') {
        const char *end = at + strcspn(at, ";");
        take_attribute(attributes, at, end);
        at = *end == ';' ? end + 1 : end;
    }
}

/* ---- The cookie ---- */

/* The folder of what was asked for (RFC 6265 section 5.1.4). */
static struct span default_path(const struct wf_url *url)
{
    size_t size = strcspn(url->target, "?");
    while (size > 1 && url->target[size - 1] != '/') size--;
    return (struct span){url->target, size > 1 ? size - 1 : 1};
}

static int64_t expiry_of(const struct attributes *attributes, int64_t now)
{
    int64_t now_s = now / WF_SECONDS(1), until_s = attributes->date_s;
    if (attributes->has_age) return attributes->age_s > 0 ? now + WF_SECONDS(attributes->age_s) : INT64_MIN;
    if (!attributes->has_date) return INT64_MAX;
    if (until_s > now_s + AGE_MAX_S) until_s = now_s + AGE_MAX_S;
    return until_s <= 0 ? INT64_MIN : WF_SECONDS(until_s);
}

/* An address, and a domain that is a public suffix, stand for the host of that very name alone. */
static const char *find_domain(const struct wf_url *url, const struct attributes *attributes, struct wf_arena *arena,
                               struct cookie *cookie)
{
    cookie->host_only = attributes->domain.size == 0;
    char *domain = cookie->host_only ? wf_arena_strdup(arena, url->host)
                                     : wf_arena_strndup(arena, attributes->domain.at, attributes->domain.size);
    if (domain == NULL) return "out of memory";
    for (char *at = domain; *at != '\0'; at++)
        if (*at >= 'A' && *at <= 'Z') *at = (char)(*at + 'a' - 'A');
    cookie->domain = domain;
    if (!cookie_domain_matches(url->host, domain)) return "its domain is another one";
    if (cookie->host_only || (!is_address(domain) && !is_public_suffix(domain))) return NULL;
    cookie->host_only = true;
    return strcmp(url->host, domain) == 0 ? NULL : "its domain is a public suffix";
}

bool cookie_keeps_prefix(const struct cookie *cookie, bool has_path)
{
    if (strncasecmp(cookie->name, "__Secure-", 9) == 0) return cookie->secure;
    if (strncasecmp(cookie->name, "__Host-", 7) != 0) return true;
    return cookie->secure && cookie->host_only && has_path && strcmp(cookie->path, "/") == 0;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f) return true;
    return false;
}

static const char *find_name(const char *text, struct wf_arena *arena, struct cookie *cookie)
{
    const char *end = text + strcspn(text, ";"), *equals = memchr(text, '=', (size_t)(end - text));
    if (equals == NULL) return "it has no name";
    struct span name = trimmed(text, equals), value = trimmed(equals + 1, end);
    if (name.size == 0) return "its name is empty";
    if (name.size + value.size > COOKIE_SIZE_MAX) return "it is longer than 4 KiB";
    cookie->name = wf_arena_strndup(arena, name.at, name.size);
    cookie->value = wf_arena_strndup(arena, value.at, value.size);
    return cookie->name != NULL && cookie->value != NULL ? NULL : "out of memory";
}

const char *cookie_read(const struct wf_url *url, const char *text, int64_t now, struct wf_arena *arena,
                        struct cookie *cookie)
{
    struct attributes attributes = {.has_age = false};
    *cookie = (struct cookie){.next = NULL};
    if (has_control(text)) return "it has a control character";
    const char *mistake = find_name(text, arena, cookie);
    if (mistake != NULL) return mistake;
    take_attributes(&attributes, text + strcspn(text, ";"));
    mistake = find_domain(url, &attributes, arena, cookie);
    if (mistake != NULL) return mistake;
    bool explicit_domain = attributes.domain.size > 0,
         has_path = attributes.path.size > 0 && *attributes.path.at == '/';
    struct span path = has_path ? attributes.path : default_path(url);
    cookie->path = wf_arena_strndup(arena, path.at, path.size);
    if (cookie->path == NULL) return "out of memory";
    cookie->expires = expiry_of(&attributes, now);
    cookie->secure = attributes.secure;
    cookie->http_only = attributes.http_only;
    bool over_tls = strcmp(url->scheme, "https") == 0 || strcmp(url->scheme, "wss") == 0;
    if (cookie->secure && !over_tls) return "it is Secure, and did not come over TLS";
    bool host_prefix = strncasecmp(cookie->name, "__Host-", 7) == 0;
    if (!cookie_keeps_prefix(cookie, has_path) || (host_prefix && explicit_domain)) return "its name promises more";
    return NULL;
}
