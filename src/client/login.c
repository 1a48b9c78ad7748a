/* Logins: a token, a name and a password, or a token that is asked for at need. */
#include "client/login.h"

#include <string.h>
#include <weft/extend.h>
#include <weft/task.h>

#include "http/model.h"

static bool is_secure(const struct wf_url *url)
{
    return strcmp(url->scheme, "https") == 0 || strcmp(url->scheme, "wss") == 0;
}

static bool is_at(const struct call *call, const struct wf_url *home)
{
    return is_secure(home) == is_secure(&call->url) && strcmp(home->host, call->url.host) == 0 &&
           home->port == call->url.port;
}

bool login_of_call_is_for(const struct call *call)
{
    return is_at(call, &call->first_url);
}

bool login_of_client_is_for(const struct call *call)
{
    return is_at(call, call->client->base.text != NULL ? &call->client->base : &call->first_url);
}

static int add_value(struct call *call, const char *value)
{
    if (value == NULL) return -ENOMEM;
    int rc = wf_headers_add(&call->headers, call->arena, "authorization", value);
    return rc == -EINVAL ? call_fail(call, rc, "the login cannot be sent") : rc;
}

static int add_bearer(struct call *call, const char *token)
{
    return add_value(call, wf_arena_printf(call->arena, "Bearer %s", token));
}

const char *login_basic(struct wf_arena *arena, const char *user, const char *password)
{
    const char *text = wf_arena_printf(arena, "%s:%s", user, password != NULL ? password : "");
    if (text == NULL) return NULL;
    size_t size = strlen(text);
    char *encoded = wf_arena_alloc(arena, 6 + (size + 2) / 3 * 4 + 1);
    if (encoded == NULL) return NULL;
    memcpy(encoded, "Basic ", 6);
    encoded[6 + base64_encode((const unsigned char *)text, size, encoded + 6)] = '\0';
    return encoded;
}

static int add_basic(struct call *call, const char *user, const char *password)
{
    return add_value(call, login_basic(call->arena, user, password));
}

/* ---- A token that is asked for ---- */

static int keep_token(struct client *client, const char *token)
{
    size_t size = strlen(token) + 1;
    char *copy = wf_memory_alloc(size);
    if (copy == NULL) return -ENOMEM;
    memcpy(copy, token, size);
    wf_memory_free(client->token);
    client->token = copy;
    client->token_turn++;
    return 0;
}

/* Another call may have asked meanwhile. */
static int ask_for_token(struct call *call, bool refresh, uint64_t turn)
{
    struct client *client = call->client;
    if (client->token != NULL && (!refresh || client->token_turn != turn)) return 0;
    const char *token = NULL;
    int rc = client->options.token(client->options.token_arg, refresh, call->arena, &token);
    if (rc < 0) return call_fail_as_told(call, rc);
    return token == NULL ? call_fail(call, -EACCES, "there is no token") : keep_token(client, token);
}

static int add_token(struct call *call, bool refresh)
{
    struct client *client = call->client;
    if (client->token == NULL || refresh) {
        uint64_t turn = client->token_turn;
        int rc = wf_mutex_lock(&client->token_lock);
        if (rc < 0) return rc;
        rc = ask_for_token(call, refresh, turn);
        wf_mutex_unlock(&client->token_lock);
        if (rc < 0) return rc;
    }
    call->token_turn = client->token_turn;
    return add_bearer(call, client->token);
}

bool login_can_refresh(const struct call *call)
{
    return call->client->options.token != NULL && call->token_turn > 0 && login_of_client_is_for(call);
}

static int add_of_client(struct call *call, bool refresh)
{
    const struct wf_client_options *options = &call->client->options;
    if (!login_of_client_is_for(call)) return 0;
    if (options->token != NULL) return add_token(call, refresh);
    if (options->bearer != NULL) return add_bearer(call, options->bearer);
    return options->basic.user != NULL ? add_basic(call, options->basic.user, options->basic.password) : 0;
}

int login_add(struct call *call, bool refresh)
{
    const struct wf_fetch_options *options = call->options;
    bool own = options->bearer != NULL || options->basic.user != NULL;
    call->token_turn = 0;
    if (own && !login_of_call_is_for(call)) return 0;
    if (options->bearer != NULL) return add_bearer(call, options->bearer);
    if (options->basic.user != NULL) return add_basic(call, options->basic.user, options->basic.password);
    if (call->url.user != NULL) return add_basic(call, call->url.user, call->url.password);
    return add_of_client(call, refresh);
}
