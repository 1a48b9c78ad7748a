/*
 * A Set-Cookie, and a text of cookies: what is kept keeps the rules, goes where it may, and reads back as it was
 * written.
 */
#include <string.h>
#include <weft/client.h>
#include <weft/sim.h>
#include <weft/weft.h>

#include "client/cookies.h" /* its readers, and the jar behind a client */
#include "fuzz.h"

struct said {
    char text[2049];
};

static void check_kept(const struct cookie *cookie)
{
    CLAIM(strlen(cookie->name) + strlen(cookie->value) <= COOKIE_SIZE_MAX);
    CLAIM(strpbrk(cookie->name, ";=\r\n") == NULL && strpbrk(cookie->value, ";\r\n") == NULL);
    CLAIM(cookie->path[0] == '/' && strlen(cookie->path) <= COOKIE_ATTRIBUTE_MAX);
    CLAIM(cookie_domain_matches("www.example.co.uk", cookie->domain) && strcmp(cookie->domain, "co.uk") != 0);
    CLAIM(cookie_keeps_prefix(cookie, true));
}

static void read_said(const char *text, struct wf_arena *arena)
{
    struct wf_url url;
    struct cookie cookie, **found;
    size_t count = 0;
    CLAIM(wf_url_parse("https://www.example.co.uk/a/b", arena, &url) == 0);
    if (cookie_read(&url, text, WF_SECONDS(1000), arena, &cookie) != NULL) return;
    check_kept(&cookie);
    struct jar *jar = jar_create();
    CLAIM(jar != NULL && jar_keep(jar, &cookie, WF_SECONDS(1000)) == 0);
    CLAIM(jar_find(jar, &url, WF_SECONDS(1000), arena, &found, &count) == 0 && count <= 1);
    if (count == 1) CLAIM(strcmp(found[0]->value, cookie.value) == 0 && cookie.expires > WF_SECONDS(1000));
    jar_destroy(jar);
}

/* Order and cookies that have expired aside, a text that was written is read and written the same. */
static void read_text(struct wf_client *client, const char *text, struct wf_arena *arena)
{
    const char *written, *again;
    wf_ignore(wf_client_cookies_load(client, text));
    CLAIM(wf_client_cookies_save(client, arena, &written) == 0);
    wf_client_cookies_clear(client, NULL);
    CLAIM(wf_client_cookies_load(client, written) == 0);
    CLAIM(wf_client_cookies_save(client, arena, &again) == 0);
    CLAIM(strlen(written) == strlen(again));
}

static int read_both(struct said *input)
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    WF_CLIENT(client, .cookies = true);
    read_said(input->text, &arena);
    read_text(&client, input->text, &arena);
    wf_arena_finish(&arena);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct said input;
    if (size >= sizeof input.text) return 0;
    memcpy(input.text, bytes, size);
    input.text[size] = '\0';
    CLAIM(wf_run(read_both, &input, .driver = "sim") == 0);
    return 0;
}
