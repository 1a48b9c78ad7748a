/* Which proxy is between, if any: by the options, or as the environment says. */
#include "client/proxy.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <weft/address.h>
#include <weft/task.h>

#include "client/login.h"

enum { SOCKS_PORT = 1080, SOCKS_TEXT_MAX = 255 };

/* ---- Reading ---- */

static bool find_kind(struct proxy *proxy, const char *scheme)
{
    static const char *const schemes[] =
        {[PROXY_HTTP] = "http", [PROXY_HTTPS] = "https", [PROXY_SOCKS5] = "socks5", [PROXY_SOCKS5H] = "socks5h"};
    for (unsigned i = 0; i < WF_COUNT(schemes); i++) {
        if (strcmp(scheme, schemes[i]) != 0) continue;
        proxy->kind = i;
        return true;
    }
    return false;
}

static bool fits_socks(const char *text)
{
    return text == NULL || strlen(text) <= SOCKS_TEXT_MAX;
}

static int fill_in(struct proxy *proxy, const struct wf_url *url, struct wf_arena *arena)
{
    proxy->host = url->host;
    proxy->port = url->port != 0 ? url->port : SOCKS_PORT;
    proxy->user = url->user;
    proxy->password = url->password;
    bool v6 = strchr(url->host, ':') != NULL;
    proxy->name = wf_arena_printf(arena, v6 ? "[%s]:%u" : "%s:%u", proxy->host, proxy->port);
    if (proxy->name == NULL) return -ENOMEM;
    bool http = proxy->kind == PROXY_HTTP || proxy->kind == PROXY_HTTPS;
    if (http && url->user != NULL && (proxy->login = login_basic(arena, url->user, url->password)) == NULL)
        return -ENOMEM;
    if (http || (fits_socks(url->user) && fits_socks(url->password))) return 0;
    return wf_fail(-EINVAL, "the login of a SOCKS proxy is longer than %d bytes", SOCKS_TEXT_MAX);
}

/* `said` is where it was said. A password stays out of messages. */
static int read_proxy(struct client *client, const char *text, const char *said, const struct proxy **proxy)
{
    struct wf_url url;
    struct wf_arena *arena = &client->arena;
    *proxy = NULL;
    if (text == NULL || text[0] == '\0') return 0;
    if (strstr(text, "://") == NULL && (text = wf_arena_printf(arena, "http://%s", text)) == NULL) return -ENOMEM;
    struct proxy *made = wf_arena_new(arena, struct proxy);
    int rc = made == NULL ? -ENOMEM : wf_url_parse(text, arena, &url);
    if (rc == -ENOMEM) return rc;
    if (rc < 0) return wf_fail(-EINVAL, "%s is no URL of a proxy", said);
    if (!find_kind(made, url.scheme)) return wf_fail(-EINVAL, "%s: proxies do not speak \"%s\"", said, url.scheme);
    *proxy = made;
    return fill_in(made, &url, arena);
}

static const char *variable(const char *small, const char *large)
{
    const char *value = secure_getenv(small);
    if (value != NULL || large == NULL) return value;
    return secure_getenv(large);
}

/* In a CGI program HTTP_PROXY is what the other side says in a field "Proxy" (CVE-2016-5385). */
static int read_environment(struct client *client)
{
    struct proxies *proxies = &client->proxies;
    const char *otherwise = variable("all_proxy", "ALL_PROXY");
    const char *plain = variable("http_proxy", secure_getenv("REQUEST_METHOD") == NULL ? "HTTP_PROXY" : NULL);
    const char *secure = variable("https_proxy", "HTTPS_PROXY"), *none_for = variable("no_proxy", "NO_PROXY");
    int rc = read_proxy(client, plain != NULL ? plain : otherwise, "HTTP_PROXY", &proxies->plain);
    if (rc == 0) rc = read_proxy(client, secure != NULL ? secure : otherwise, "HTTPS_PROXY", &proxies->secure);
    proxies->by_environment = true;
    if (rc < 0 || none_for == NULL) return rc;
    proxies->none_for = wf_arena_strdup(&client->arena, none_for);
    return proxies->none_for != NULL ? 0 : -ENOMEM;
}

int proxies_read(struct client *client)
{
    const struct wf_client_options *options = &client->options;
    struct proxies *proxies = &client->proxies;
    if (options->app != NULL || options->unix_path != NULL) return 0;
    if (options->proxy == NULL) return read_environment(client);
    int rc = read_proxy(client, options->proxy, ".proxy", &proxies->plain);
    proxies->secure = proxies->plain;
    return rc;
}

/* ---- NO_PROXY ---- */

/* A host, or an address, as bytes: 4, 16, or 0 where it is a name. */
static unsigned bytes_of(const char *host, unsigned char bytes[16])
{
    if (inet_pton(AF_INET, host, bytes) == 1) return 4;
    return inet_pton(AF_INET6, host, bytes) == 1 ? 16 : 0;
}

static bool is_local(const char *host)
{
    unsigned char bytes[16];
    static const unsigned char loopback[16] = {[15] = 1};
    unsigned size = bytes_of(host, bytes);
    if (size == 4) return bytes[0] == 127;
    return size == 16 ? memcmp(bytes, loopback, 16) == 0 : strcmp(host, "localhost") == 0;
}

/* "10.0.0.0/8" */
static bool is_in_network(const char *network, const char *slash, const char *host)
{
    char address[64];
    unsigned char bytes[16], wanted[16];
    unsigned size = bytes_of(host, bytes);
    if (size == 0 || slash - network >= (ptrdiff_t)sizeof address) return false;
    memcpy(address, network, (size_t)(slash - network));
    address[slash - network] = '\0';
    char *end;
    unsigned long bits = strtoul(slash + 1, &end, 10);
    if (bytes_of(address, wanted) != size || *end != '\0' || end == slash + 1 || bits > size * 8UL) return false;
    for (unsigned i = 0; i < bits; i++)
        if (((bytes[i / 8] ^ wanted[i / 8]) >> (7 - i % 8) & 1) != 0) return false;
    return true;
}

/* "example.org" and ".example.org": that host, and those below. */
static bool is_below(const char *domain, const char *host)
{
    if (domain[0] == '*') domain++;
    if (domain[0] == '.') domain++;
    size_t size = strlen(host), tail = strlen(domain);
    if (tail == 0 || tail > size || strcasecmp(host + size - tail, domain) != 0) return false;
    return tail == size || host[size - tail - 1] == '.';
}

/* Takes ":80", and the brackets of an IPv6 address, off. False: the port is another one. */
static bool takes_port(char **entry, uint16_t port)
{
    char *at = *entry, *close = at[0] == '[' ? strchr(at, ']') : NULL;
    char *colon = close != NULL ? (close[1] == ':' ? close + 1 : NULL) : strchr(at, ':');
    if (close != NULL) {
        *entry = at + 1;
        *close = '\0';
    } else if (colon != NULL && strchr(colon + 1, ':') != NULL) return true; /* an address without brackets */
    if (colon == NULL) return true;
    *colon = '\0';
    return strtoul(colon + 1, NULL, 10) == port;
}

static bool excepts(char *entry, const char *host, uint16_t port)
{
    unsigned char bytes[16], wanted[16];
    if (strcmp(entry, "*") == 0) return true;
    const char *slash = strchr(entry, '/');
    if (slash != NULL) return is_in_network(entry, slash, host);
    if (!takes_port(&entry, port)) return false;
    unsigned size = bytes_of(host, bytes);
    if (size > 0) return bytes_of(entry, wanted) == size && memcmp(bytes, wanted, size) == 0;
    return is_below(entry, host);
}

static bool is_excepted(const char *list, const char *host, uint16_t port)
{
    char entry[256];
    while (list != NULL && *list != '\0') {
        list += strspn(list, ", \t");
        size_t size = strcspn(list, ", \t");
        if (size > 0 && size < sizeof entry) {
            memcpy(entry, list, size);
            entry[size] = '\0';
            if (excepts(entry, host, port)) return true;
        }
        list += size;
    }
    return false;
}

const struct proxy *proxy_for(const struct client *client, const struct wf_url *url, bool secure)
{
    const struct proxies *proxies = &client->proxies;
    const struct proxy *proxy = secure ? proxies->secure : proxies->plain;
    if (proxy == NULL || !proxies->by_environment) return proxy;
    return is_local(url->host) || is_excepted(proxies->none_for, url->host, url->port) ? NULL : proxy;
}

/* ---- Messages ---- */

int proxy_stream_failed(int code)
{
    return code == -ECANCELED ? code : wf_fail(code, "%s", wf_strerror(code));
}

int proxy_fail(struct call *call, const struct proxy *proxy, int code)
{
    if (code == -ECANCELED || code == -ETIME || code == -ENOMEM) return code;
    const char *told = wf_failure();
    return call_fail(call, code, "the proxy %s: %s", proxy->name, told != NULL ? told : wf_strerror(code));
}
