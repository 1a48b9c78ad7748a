/* URLs, taken apart and joined. */
#include <string.h>
#include <weft/testing.h>
#include <weft/url.h>
#include <weft/weft.h>

static const struct whole {
    const char *text, *shown, *host, *authority, *target;
    unsigned port;
} wholes[] = {
    {"http://a", "http://a/", "a", "a", "/", 80},
    {"http://a?x=1", "http://a/?x=1", "a", "a", "/?x=1", 80},
    {"HTTP://A.Example:80/B", "http://a.example/B", "a.example", "a.example", "/B", 80},
    {"https://a:8443/b?c=d#e", "https://a:8443/b?c=d", "a", "a:8443", "/b?c=d", 8443},
    {"https://a/", "https://a/", "a", "a", "/", 443},
    {"ws://a/chat", "ws://a/chat", "a", "a", "/chat", 80},
    {"http://[::1]:81/x", "http://[::1]:81/x", "::1", "[::1]:81", "/x", 81},
    {"http://u:p@a/x", "http://a/x", "a", "a", "/x", 80},
    {"http://a/b/../c/./d", "http://a/c/d", "a", "a", "/c/d", 80},
    {"http://a/../../c", "http://a/c", "a", "a", "/c", 80},
    {"http://a/b c", "http://a/b%20c", "a", "a", "/b%20c", 80},
    {"http://a/\303\274?q=\303\274", "http://a/%C3%BC?q=%C3%BC", "a", "a", "/%C3%BC?q=%C3%BC", 80},
    {"http://a/x[1]?y[]=2", "http://a/x%5B1%5D?y%5B%5D=2", "a", "a", "/x%5B1%5D?y%5B%5D=2", 80},
    {"http://a:/x", "http://a/x", "a", "a", "/x", 80},
    {"http://127.0.0.1:9/", "http://127.0.0.1:9/", "127.0.0.1", "127.0.0.1:9", "/", 9},
};

WF_TEST_EACH(a_url_is_taken_apart, wholes)
{
    struct wf_url url;
    if (!WF_EXPECT_CODE(wf_url_parse(row->text, wf_task_arena(), &url), 0)) return;
    WF_EXPECT_TEXT(url.text, row->shown);
    WF_EXPECT_TEXT(url.host, row->host);
    WF_EXPECT_TEXT(url.authority, row->authority);
    WF_EXPECT_TEXT(url.target, row->target);
    WF_EXPECT_INT(url.port, row->port);
}

WF_TEST(users_and_fragments_are_kept_apart)
{
    struct wf_url url;
    if (!WF_EXPECT_CODE(wf_url_parse("http://us%65r:p%40ss@a/x#frag", wf_task_arena(), &url), 0)) return;
    WF_EXPECT_TEXT(url.user, "user");
    WF_EXPECT_TEXT(url.password, "p@ss");
    WF_EXPECT_TEXT(url.fragment, "frag");
    WF_EXPECT_TEXT(url.text, "http://a/x");
}

static const struct none {
    const char *text;
    int code;
} nones[] = {
    {"", -EINVAL},
    {"a/b", -EINVAL},
    {"//a/b", -EINVAL},
    {"http:", -EINVAL},
    {"http://", -EINVAL},
    {"http:///x", -EINVAL},
    {"http://a:0/", -EINVAL},
    {"http://a:65536/", -EINVAL},
    {"http://a:x/", -EINVAL},
    {"http://a/\n", -EINVAL},
    {"http://a/%zz", -EINVAL},
    {"http://[::1/", -EINVAL},
    {"http://[x]/", -EINVAL},
    {NULL, -EINVAL},
    {"mailto:a@b", -EINVAL},
};

WF_TEST_EACH(what_is_no_url_is_refused, nones)
{
    struct wf_url url;
    WF_EXPECT_CODE(wf_url_parse(row->text, wf_task_arena(), &url), row->code);
}

/* RFC 3986 section 5.4 */
static const struct joint {
    const char *reference, *whole;
} joints[] = {
    {"g", "http://a/b/c/g"},      {"./g", "http://a/b/c/g"},      {"g/", "http://a/b/c/g/"},
    {"/g", "http://a/g"},         {"//g", "http://g/"},           {"?y", "http://a/b/c/d;p?y"},
    {"g?y", "http://a/b/c/g?y"},  {"#s", "http://a/b/c/d;p?q#s"}, {"g;x=1/../y", "http://a/b/c/y"},
    {"", "http://a/b/c/d;p?q"},   {".", "http://a/b/c/"},         {"..", "http://a/b/"},
    {"../g", "http://a/b/g"},     {"../../g", "http://a/g"},      {"../../../g", "http://a/g"},
    {"http://x/y", "http://x/y"}, {"g y", "http://a/b/c/g%20y"},
};

WF_TEST_EACH(a_reference_means_a_url, joints)
{
    const char *joined;
    if (WF_EXPECT_CODE(wf_url_join("http://a/b/c/d;p?q", row->reference, wf_task_arena(), &joined), 0)) {
        if (strcmp(row->reference, "//g") == 0) WF_EXPECT_PART(joined, "http://g");
        else WF_EXPECT_TEXT(joined, row->whole);
    }
}

WF_TEST(a_text_is_encoded_whole)
{
    WF_EXPECT_TEXT(wf_url_encode("a-b._~ /?&=%\303\274", wf_task_arena()), "a-b._~%20%2F%3F%26%3D%25%C3%BC");
}

WF_TEST_MAIN
