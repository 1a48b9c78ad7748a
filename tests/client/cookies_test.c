/* Cookies of a client: what is kept, where it is sent, what goes first, and as a text. */
#include <stdio.h>
#include <string.h>

#include "rig.h"

/* ---- The app: gives cookies, and tells which came ---- */

static int echo(struct wf_request *request)
{
    const char *cookies = wf_request_header(request, "cookie");
    return wf_reply_text(request, 200, cookies != NULL ? cookies : "none");
}

static int give(struct wf_request *request)
{
    const char *to = wf_query_text(request, "to");
    wf_reply_header(request, "Set-Cookie", "a=1; Path=/");
    wf_reply_header(request, "Set-Cookie", "b=2; Path=/deep; HttpOnly");
    wf_reply_header(request, "Set-Cookie", "c=3; Path=/; Max-Age=5");
    return to != NULL ? wf_reply_redirect(request, 302, to) : wf_reply_text(request, 200, "given");
}

static void declare(struct wf_app *app)
{
    wf_route(app, WF_GET, "/echo", echo);
    wf_route(app, WF_GET, "/deep/echo", echo);
    wf_route(app, WF_GET, "/give", give);
}

static const char *get(struct rig *rig, const char *url)
{
    return WF_EXPECT_CODE(GET(*rig, url), 0) ? said(rig) : "";
}

WF_TEST(what_a_server_gives_comes_back_where_it_belongs)
{
    RIG(rig, declare, .cookies = true);
    WF_EXPECT_TEXT(get(&rig, "/echo"), "none");
    WF_EXPECT_TEXT(get(&rig, "/give"), "given");
    WF_EXPECT_TEXT(get(&rig, "/echo"), "a=1; c=3");
    WF_EXPECT_TEXT(get(&rig, "/deep/echo?x"), "b=2; a=1; c=3");
    WF_EXPECT_TEXT(get(&rig, "http://other/echo"), "none");
    WF_EXPECT_TEXT(get(&rig, "http://server:81/echo"), "a=1; c=3");
}

WF_TEST(cookies_of_redirects_are_kept_and_sent)
{
    RIG(rig, declare, .cookies = true);
    WF_EXPECT_TEXT(get(&rig, "/give?to=/echo"), "a=1; c=3");
    WF_EXPECT_TEXT(get(&rig, "/give?to=http://other/echo"), "none");
}

WF_TEST(cookies_expire, .simulated = true, .timeout = WF_MINUTES(1))
{
    RIG(rig, declare, .cookies = true);
    WF_EXPECT_TEXT(get(&rig, "/give"), "given");
    if (!WF_EXPECT_CODE(wf_sleep(WF_SECONDS(6)), 0)) return;
    WF_EXPECT_TEXT(get(&rig, "/echo"), "a=1");
}

static const char *get_with_own(struct rig *rig)
{
    return WF_EXPECT_CODE(GET(*rig, "/echo", .headers = WF_NAMED({"Cookie", "own=1"})), 0) ? said(rig) : "";
}

WF_TEST(a_cookie_field_of_the_caller_stands_for_itself)
{
    RIG(rig, declare, .cookies = true);
    WF_EXPECT_TEXT(get(&rig, "/give"), "given");
    WF_EXPECT_TEXT(get_with_own(&rig), "own=1");
}

WF_TEST(without_the_option_none_are_kept)
{
    RIG(rig, declare);
    const char *value;
    WF_EXPECT_TEXT(get(&rig, "/give"), "given");
    WF_EXPECT_TEXT(get(&rig, "/echo"), "none");
    WF_EXPECT_FAILURE(wf_client_cookie_set(rig.client, "http://a.example", "a=1"), -EOPNOTSUPP, "keeps no cookies");
    WF_EXPECT_CODE(wf_client_cookie(rig.client, wf_task_arena(), "http://a.example", "a", &value), -EOPNOTSUPP);
    wf_client_cookies_clear(rig.client, NULL);
}

/* ---- What is said ---- */

struct said_case {
    const char *name, *url, *text;
    const char *kept; /* its line, without the time; NULL: refused */
    const char *why;
};

static const struct said_case cases[] = {
    {"name and value", "http://a.org/", "n=v", "a.org\tFALSE\t/\tFALSE\t0\tn\tv\n", NULL},
    {"blanks around", "http://a.org/", " n =\tv w \t; x", "", "a control character"},
    {"blanks", "http://a.org/", " n = v w  ; x", "a.org\tFALSE\t/\tFALSE\t0\tn\tv w\n", NULL},
    {"an empty value", "http://a.org/", "n=", "a.org\tFALSE\t/\tFALSE\t0\tn\t\n", NULL},
    {"equals in a value", "http://a.org/", "n=a=b", "a.org\tFALSE\t/\tFALSE\t0\tn\ta=b\n", NULL},
    {"quotes stay", "http://a.org/", "n=\"v\"", "a.org\tFALSE\t/\tFALSE\t0\tn\t\"v\"\n", NULL},
    {"no equals", "http://a.org/", "n; Path=/", "", "it has no name"},
    {"no name", "http://a.org/", " =v", "", "its name is empty"},
    {"a control character", "http://a.org/", "n=a\1b", "", "a control character"},
    {"the folder", "http://a.org/x/y/z?q=/1/", "n=v", "a.org\tFALSE\t/x/y\tFALSE\t0\tn\tv\n", NULL},
    {"the first level", "http://a.org/x", "n=v", "a.org\tFALSE\t/\tFALSE\t0\tn\tv\n", NULL},
    {"a path", "http://a.org/x", "n=v; PATH=/y/", "a.org\tFALSE\t/y/\tFALSE\t0\tn\tv\n", NULL},
    {"no path", "http://a.org/x/y", "n=v; Path=y", "a.org\tFALSE\t/x\tFALSE\t0\tn\tv\n", NULL},
    {"the last path", "http://a.org/", "n=v; Path=/a; path=/b", "a.org\tFALSE\t/b\tFALSE\t0\tn\tv\n", NULL},
    {"a domain", "http://www.a.org/", "n=v; Domain=A.org", ".a.org\tTRUE\t/\tFALSE\t0\tn\tv\n", NULL},
    {"a domain with a dot", "http://www.a.org/", "n=v; Domain=.a.org", ".a.org\tTRUE\t/\tFALSE\t0\tn\tv\n", NULL},
    {"the host as domain", "http://a.org/", "n=v; Domain=a.org", ".a.org\tTRUE\t/\tFALSE\t0\tn\tv\n", NULL},
    {"an empty domain", "http://a.org/", "n=v; Domain=", "a.org\tFALSE\t/\tFALSE\t0\tn\tv\n", NULL},
    {"another domain", "http://a.org/", "n=v; Domain=b.org", "", "another one"},
    {"a domain below", "http://a.org/", "n=v; Domain=www.a.org", "", "another one"},
    {"half a label", "http://ba.org/", "n=v; Domain=a.org", "", "another one"},
    {"a public suffix", "http://a.co.uk/", "n=v; Domain=co.uk", "", "a public suffix"},
    {"a private suffix", "http://me.github.io/", "n=v; Domain=github.io", "", "a public suffix"},
    {"a top level", "http://a.org/", "n=v; Domain=org", "", "a public suffix"},
    {"a host that is a suffix", "http://github.io/", "n=v; Domain=github.io", "github.io\tFALSE\t/\tFALSE\t0\tn\tv\n",
     NULL},
    {"localhost", "http://localhost/", "n=v; Domain=localhost", "localhost\tFALSE\t/\tFALSE\t0\tn\tv\n", NULL},
    {"an address", "http://127.0.0.1/", "n=v; Domain=127.0.0.1", "127.0.0.1\tFALSE\t/\tFALSE\t0\tn\tv\n", NULL},
    {"part of an address", "http://127.0.0.1/", "n=v; Domain=0.0.1", "", "another one"},
    {"HttpOnly", "http://a.org/", "n=v; httponly", "#HttpOnly_a.org\tFALSE\t/\tFALSE\t0\tn\tv\n", NULL},
    {"Secure", "https://a.org/", "n=v; secure=no", "a.org\tFALSE\t/\tTRUE\t0\tn\tv\n", NULL},
    {"Secure without TLS", "http://a.org/", "n=v; Secure", "", "over TLS"},
    {"__Secure-", "https://a.org/", "__Secure-n=v; Secure", "a.org\tFALSE\t/\tTRUE\t0\t__Secure-n\tv\n", NULL},
    {"__Secure- that is not", "https://a.org/", "__secure-n=v", "", "promises more"},
    {"__Host-", "https://a.org/", "__Host-n=v; Secure; Path=/", "a.org\tFALSE\t/\tTRUE\t0\t__Host-n\tv\n", NULL},
    {"__Host- without a path", "https://a.org/", "__Host-n=v; Secure", "", "promises more"},
    {"__Host- with a domain", "https://a.org/", "__Host-n=v; Secure; Path=/; Domain=a.org", "", "promises more"},
    {"__Host- deeper", "https://a.org/", "__Host-n=v; Secure; Path=/x", "", "promises more"},
    {"gone by age", "http://a.org/", "n=v; Max-Age=0", "", NULL},
    {"gone by a negative age", "http://a.org/", "n=v; Max-Age=-1", "", NULL},
    {"an age that is none", "http://a.org/", "n=v; Max-Age=1x", "a.org\tFALSE\t/\tFALSE\t0\tn\tv\n", NULL},
    {"gone by date", "http://a.org/", "n=v; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "", NULL},
    {"gone by an old date", "http://a.org/", "n=v; Expires=Sunday, 06-Nov-94 08:49:37 GMT", "", NULL},
    {"gone by a date of C", "http://a.org/", "n=v; Expires=Sun Nov  6 08:49:37 1994", "", NULL},
    {"the age before the date", "http://a.org/", "n=v; Max-Age=0; Expires=Fri, 01 Jan 2038 00:00:00 GMT", "", NULL},
    {"a date that is none", "http://a.org/", "n=v; Expires=Fri, 31 Feb 1994 00:00:00",
     "a.org\tFALSE\t/\tFALSE\t0\tn\tv\n", NULL},
    {"a time that is none", "http://a.org/", "n=v; Expires=Fri, 01 Jan 1994 24:00:00",
     "a.org\tFALSE\t/\tFALSE\t0\tn\tv\n", NULL},
};

static const char *case_name(size_t row)
{
    return cases[row].name;
}

/* The lines of the text, without its heading. */
static const char *lines_of(struct rig *rig)
{
    const char *text = "\n";
    WF_EXPECT_CODE(wf_client_cookies_save(rig->client, wf_task_arena(), &text), 0);
    return strchr(text, '\n') + 1;
}

WF_TEST_EACH(what_is_said_is_read_as_browsers_do, cases, .row_name = case_name)
{
    RIG(rig, declare, .cookies = true);
    if (row->why != NULL) WF_EXPECT_FAILURE(wf_client_cookie_set(rig.client, row->url, row->text), -EINVAL, row->why);
    else WF_EXPECT_CODE(wf_client_cookie_set(rig.client, row->url, row->text), 0);
    WF_EXPECT_TEXT(lines_of(&rig), row->kept);
}

/* ---- Where it goes ---- */

static const char *look(struct rig *rig, const char *url)
{
    const char *value = "nothing";
    int rc = wf_client_cookie(rig->client, wf_task_arena(), url, "n", &value);
    if (rc != -ENOENT) WF_EXPECT_CODE(rc, 0);
    return value;
}

WF_TEST(a_cookie_goes_to_its_domain_and_path)
{
    RIG(rig, declare, .cookies = true);
    WF_EXPECT_CODE(wf_client_cookie_set(rig.client, "https://www.a.org/", "n=v; Domain=a.org; Path=/p; Secure"), 0);
    WF_EXPECT_TEXT(look(&rig, "https://www.a.org/p"), "v");
    WF_EXPECT_TEXT(look(&rig, "https://a.org/p/q"), "v");
    WF_EXPECT_TEXT(look(&rig, "https://x.y.a.org/p?q"), "v");
    WF_EXPECT_TEXT(look(&rig, "wss://a.org/p"), "v");
    WF_EXPECT_TEXT(look(&rig, "https://ba.org/p"), "nothing");
    WF_EXPECT_TEXT(look(&rig, "https://a.org/pq"), "nothing");
    WF_EXPECT_TEXT(look(&rig, "https://a.org/"), "nothing");
    WF_EXPECT_TEXT(look(&rig, "http://a.org/p"), "nothing");
    WF_EXPECT_CODE(wf_client_cookie_set(rig.client, "http://www.b.org/", "n=w"), 0);
    WF_EXPECT_TEXT(look(&rig, "http://www.b.org/"), "w");
    WF_EXPECT_TEXT(look(&rig, "http://x.www.b.org/"), "nothing");
    wf_client_cookies_clear(rig.client, "www.a.org");
    WF_EXPECT_TEXT(look(&rig, "https://a.org/p"), "nothing");
    WF_EXPECT_TEXT(look(&rig, "http://www.b.org/"), "w");
    wf_client_cookies_clear(rig.client, NULL);
    WF_EXPECT_TEXT(lines_of(&rig), "");
}

static int give_plain(struct wf_request *request)
{
    wf_reply_header(request, "Set-Cookie", "n=plain; Path=/");
    return wf_reply_text(request, 200, "given");
}

static void declare_plain(struct wf_app *app)
{
    wf_route(app, WF_GET, "/", give_plain);
}

WF_TEST(what_came_over_tls_is_not_replaced_by_what_did_not)
{
    RIG(rig, declare_plain, .cookies = true);
    WF_EXPECT_CODE(wf_client_cookie_set(rig.client, "https://server/", "n=safe; Secure; Path=/"), 0);
    WF_EXPECT_TEXT(get(&rig, "/"), "given");
    WF_EXPECT_TEXT(look(&rig, "https://server/"), "safe");
}

/* ---- Limits ---- */

static int set_numbered(struct rig *rig, const char *host, int number)
{
    char url[80], text[40];
    snprintf(url, sizeof url, "http://%s/", host);
    snprintf(text, sizeof text, "n%d=%d", number, number);
    return wf_client_cookie_set(rig->client, url, text);
}

static unsigned count_lines(const char *text)
{
    unsigned lines = 0;
    for (; *text != '\0'; text++) lines += *text == '\n';
    return lines;
}

WF_TEST(a_domain_has_fifty)
{
    RIG(rig, declare, .cookies = true);
    for (int i = 0; i < 60; i++)
        if (!WF_EXPECT_CODE(set_numbered(&rig, "a.org", i), 0)) return;
    const char *lines = lines_of(&rig);
    WF_EXPECT_INT(count_lines(lines), 50);
    WF_EXPECT(strstr(lines, "\tn9\t") == NULL);
    WF_EXPECT_PART(lines, "\tn10\t");
}

WF_TEST(a_client_has_three_thousand, .unswept = "thousands of the same")
{
    RIG(rig, declare, .cookies = true);
    char host[40];
    for (int i = 0; i < 3010; i++) {
        snprintf(host, sizeof host, "h%d.a.org", i % 100);
        if (!WF_EXPECT_CODE(set_numbered(&rig, host, i), 0)) return;
    }
    const char *lines = lines_of(&rig);
    WF_EXPECT_INT(count_lines(lines), 3000);
    WF_EXPECT(strstr(lines, "\tn9\t") == NULL);
    WF_EXPECT_PART(lines, "\tn10\t");
}

WF_TEST(a_long_cookie_is_refused)
{
    RIG(rig, declare, .cookies = true);
    static char text[4200] = "n=";
    memset(text + 2, 'x', 4095);
    text[2 + 4095] = '\0';
    WF_EXPECT_CODE(wf_client_cookie_set(rig.client, "http://a.org", text), 0);
    text[2 + 4095] = 'x';
    WF_EXPECT_FAILURE(wf_client_cookie_set(rig.client, "http://a.org", text), -EINVAL, "longer than 4 KiB");
}

/* ---- As a text ---- */

WF_TEST(a_text_of_curl_is_read_and_written)
{
    static const char text[] = "# Netscape HTTP Cookie File\n"
                               "# https://curl.se/docs/http-cookies.html\n"
                               "\n"
                               "#HttpOnly_.A.org\tTRUE\t/\tTRUE\t4102444800\tsession\tx y\r\n"
                               "b.org\tFALSE\t/p\tFALSE\t0\tempty\n"
                               "old.org\tFALSE\t/\tFALSE\t1000\tgone\t1\n";
    RIG(rig, declare, .cookies = true);
    if (!WF_EXPECT_CODE(wf_client_cookies_load(rig.client, text), 0)) return;
    const char *lines = lines_of(&rig);
    WF_EXPECT_PART(lines, "#HttpOnly_.a.org\tTRUE\t/\tTRUE\t4102444800\tsession\tx y\n");
    WF_EXPECT_PART(lines, "b.org\tFALSE\t/p\tFALSE\t0\tempty\t\n");
    WF_EXPECT_INT(count_lines(lines), 2);
}

WF_TEST(what_is_no_line_is_refused)
{
    static const char *const bad[] = {
        "a.org\tFALSE\t/\tFALSE\t0\n",
        "a.org\tMAYBE\t/\tFALSE\t0\tn\tv\n",
        "a.org\tFALSE\t/\tFALSE\tx\tn\tv\n",
        "a.org\tFALSE\tp\tFALSE\t0\tn\t\n",
        "a.org\tFALSE\t/\tFALSE\t0\t\tv\n",
        "\tFALSE\t/\tFALSE\t0\tn\tv\n",
        ".org\tTRUE\t/\tFALSE\t0\tn\tv\n",
        "a.org\tFALSE\t/\tFALSE\t0\tn\tv\tw\n",
        "hello",
        "a.org\tFALSE\t/\tFALSE\t0\t__Host-n\tv\n",
        "a.org\tFALSE\t/\tFALSE\t0\tn\tv; b=c\n",
    };
    RIG(rig, declare, .cookies = true);
    for (size_t i = 0; i < WF_COUNT(bad); i++)
        WF_EXPECT_FAILURE(wf_client_cookies_load(rig.client, bad[i]), -EBADMSG, "line 1 is no cookie");
    WF_EXPECT_FAILURE(wf_client_cookies_load(rig.client, "\n\na\1b"), -EBADMSG, "line 3 of the cookies has a control");
    WF_EXPECT_TEXT(lines_of(&rig), "");
}

WF_TEST_MAIN
