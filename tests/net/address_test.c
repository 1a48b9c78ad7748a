/* Addresses and their text; where streams are. */
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

static const struct form {
    const char *text, *again; /* NULL: the same */
} forms[] = {
    {"1.2.3.4:80", NULL},
    {"0.0.0.0:0", NULL},
    {"255.255.255.255:65535", NULL},
    {"127.0.0.1:080", "127.0.0.1:80"},
    {"[::1]:80", NULL},
    {"[::]:0", NULL},
    {"[2001:DB8:0:0::1]:443", "[2001:db8::1]:443"},
    {"[::ffff:1.2.3.4]:53", NULL},
    {"[fe80::1%2]:80", NULL},
    {"[fe80::1%lo]:80", "[fe80::1%1]:80"},
    {"unix:/run/app.sock", NULL},
    {"unix:relative", NULL},
    {"unix:@abstract", NULL},
    {"unix:@", NULL},
    {"unix:@a\\x00b", NULL},
    {"unix:/a\\x0Ab", "unix:/a\\x0ab"},
    {"unix:/a\\x5cb", NULL},
    {"unix:\\x40looks-abstract", NULL},
    {"unix:/with blank:and\xc3\xa9", NULL},
};

WF_TEST_EACH(text_and_address_stand_for_each_other, forms)
{
    struct wf_address address, read;
    char text[WF_ADDRESS_TEXT];
    if (!WF_EXPECT_CODE(wf_address_parse(row->text, &address), 0)) return;
    WF_EXPECT_TEXT(wf_address_text(&address, text), row->again != NULL ? row->again : row->text);
    WF_EXPECT_CODE(wf_address_parse(text, &read), 0);
    WF_EXPECT(wf_address_equal(&address, &read));
}

static const struct bad {
    const char *text;
    int code;
    const char *part;
} bad[] = {
    {NULL, -EINVAL, "no address"},
    {"", -EINVAL, "ends with a colon and its port"},
    {"1.2.3.4", -EINVAL, "ends with a colon and its port"},
    {"1.2.3.4:", -EINVAL, "a port is a number"},
    {"1.2.3.4:65536", -EINVAL, "a port is a number"},
    {"1.2.3.4:4294967376", -EINVAL, "a port is a number"},
    {"1.2.3.4:-1", -EINVAL, "a port is a number"},
    {"1.2.3.4:http", -EINVAL, "a port is a number"},
    {"1.2.3:80", -EINVAL, "neither"},
    {"1.2.3.256:80", -EINVAL, "neither"},
    {"[1.2.3.4]:80", -EINVAL, "neither"},
    {"localhost:80", -EINVAL, "neither"},
    {":80", -EINVAL, "neither"},
    {"::1:80", -EINVAL, "neither"},
    {"[]:80", -EINVAL, "neither"},
    {"[::1:80", -EINVAL, "neither"},
    {"[::1]80", -EINVAL, "a port is a number"},
    {"[::g]:80", -EINVAL, "neither"},
    {"[fe80::1%]:80", -EINVAL, "neither"},
    {"[fe80::1%4294967297]:80", -EINVAL, "neither"},
    {"[fe80::1%no-such-interface]:80", -EINVAL, "neither"},
    {"[fe80::1%a-name-of-an-interface-that-is-much-too-long-to-be-the-name-of-one]:80", -EINVAL, "neither"},
    {"unix:", -EINVAL, "no name"},
    {"unix:/a\\n", -EINVAL, "hexadecimal"},
    {"unix:/a\\x4", -EINVAL, "hexadecimal"},
    {"unix:/a\\", -EINVAL, "hexadecimal"},
    {"unix:/a\\x00b", -EINVAL, "zero byte"},
};

WF_TEST_EACH(what_is_no_address_is_refused_with_its_text, bad)
{
    struct wf_address address = {.size = 77};
    WF_EXPECT_FAILURE(wf_address_parse(row->text, &address), row->code, row->part);
    WF_EXPECT_PART(wf_failure(), row->text != NULL ? row->text : "NULL");
    WF_EXPECT_INT(address.size, 77);
}

WF_TEST(a_name_of_a_unix_socket_has_at_most_108_bytes)
{
    char name[120], text[WF_ADDRESS_TEXT];
    struct wf_address address;
    memset(name, 'a', sizeof name);
    for (size_t size = 106; size <= 110; size++) {
        name[size] = '\0';
        int expected = size <= 108 ? 0 : -ENAMETOOLONG;
        WF_EXPECT_CODE(wf_address_unix(name, &address), expected);
        if (expected == 0) WF_EXPECT_TEXT(wf_address_text(&address, text) + 5, name);
        if (expected == 0) WF_EXPECT_CODE(wf_address_parse(text, &address), 0);
        name[size] = 'a';
    }
    memset(name, '\n', sizeof name);
    name[0] = '@';
    name[108] = '\0';
    WF_EXPECT_CODE(wf_address_unix(name, &address), 0);
    WF_EXPECT_INT((int64_t)strlen(wf_address_text(&address, text)), 5 + 1 + 4 * 107);
    WF_EXPECT_FAILURE(wf_address_unix("", &address), -EINVAL, "empty");
}

static int parse_outside(void *unused)
{
    (void)unused;
    struct wf_address address;
    return wf_address_parse("nonsense", &address);
}

WF_TEST(addresses_are_parsed_on_threads_and_before_there_is_a_loop)
{
    WF_EXPECT_CODE(wf_offload(parse_outside, NULL), -EINVAL);
}

WF_TEST(addresses_before_there_is_a_loop, .plain = true)
{
    WF_EXPECT_CODE(parse_outside(NULL), -EINVAL);
}

WF_TEST(addresses_are_the_same_place_or_not)
{
    static const char *const texts[] = {"1.2.3.4:80", "1.2.3.4:81", "1.2.3.5:80", "[::1]:80", "[::2]:80",
                                        "[::1%3]:80", "unix:/a",    "unix:/ab",   "unix:@a"};
    struct wf_address one, other, none = {.size = 0};
    for (size_t i = 0; i < WF_COUNT(texts); i++) {
        WF_EXPECT_CODE(wf_address_parse(texts[i], &one), 0);
        WF_EXPECT(!wf_address_equal(&one, &none) && !wf_address_equal(&none, &one));
        for (size_t j = 0; j < WF_COUNT(texts); j++) {
            WF_EXPECT_CODE(wf_address_parse(texts[j], &other), 0);
            WF_EXPECT(wf_address_equal(&one, &other) == (i == j));
        }
    }
    char text[WF_ADDRESS_TEXT];
    WF_EXPECT(wf_address_equal(&none, &none));
    WF_EXPECT_TEXT(wf_address_text(&none, text), "none");
}

WF_TEST(parts_of_an_address)
{
    struct wf_address address, copy;
    char text[WF_ADDRESS_TEXT];
    WF_EXPECT_CODE(wf_address_ip("::1", 80, &address), 0);
    WF_EXPECT_INT(wf_address_port(&address), 80);
    wf_address_set_port(&address, 443);
    WF_EXPECT_TEXT(wf_address_text(&address, text), "[::1]:443");
    WF_EXPECT_CODE(wf_address_from(&address.any, address.size, &copy), 0);
    WF_EXPECT(wf_address_equal(&address, &copy));
    WF_EXPECT_CODE(wf_address_from(&address.any, sizeof address.v6 - 1, &copy), -EINVAL);
    WF_EXPECT_CODE(wf_address_from(&address.any, 1, &copy), -EINVAL);
    WF_EXPECT_CODE(wf_address_from(&address.any, sizeof address, &copy), -EINVAL);
    address.any.sa_family = AF_PACKET;
    WF_EXPECT_CODE(wf_address_from(&address.any, address.size, &copy), -EAFNOSUPPORT);
    WF_EXPECT_FAILURE(wf_address_ip("localhost", 80, &address), -EINVAL, "localhost: not a numeric address");
    WF_EXPECT_FAILURE(wf_address_ip(NULL, 80, &address), -EINVAL, "not a numeric address");
    WF_EXPECT_CODE(wf_address_unix("/a", &address), 0);
    wf_address_set_port(&address, 80);
    WF_EXPECT_INT(wf_address_port(&address), 0);
}

/* ---- Of streams ---- */

static void expect_same(struct wf_stream *one, struct wf_stream *other)
{
    struct wf_address here = {.size = 0}, there = {.size = 0};
    char text[WF_ADDRESS_TEXT];
    WF_EXPECT_CODE(wf_stream_local(one, &here), 0);
    WF_EXPECT_CODE(wf_stream_peer(other, &there), 0);
    WF_EXPECT_PART(wf_address_text(&here, text), "127.0.0.1:");
    WF_EXPECT(wf_address_equal(&here, &there));
}

WF_TEST(both_ends_of_a_connection_know_the_same_addresses)
{
    struct wf_listener *listener;
    struct wf_stream *client = NULL, *server = NULL;
    struct wf_address address;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    if (WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", wf_listener_port(listener), &client), 0) &&
        WF_EXPECT_CODE(wf_tcp_accept(listener, &server), 0)) {
        expect_same(client, server);
        expect_same(server, client);
        WF_EXPECT_CODE(wf_stream_peer(client, &address), 0);
        WF_EXPECT_INT(wf_address_port(&address), wf_listener_port(listener));
    }
    wf_stream_close(client);
    wf_stream_close(server);
    wf_listener_close(listener);
}

WF_TEST(what_is_no_socket_has_no_address)
{
    struct wf_stream *a, *b;
    struct wf_address address;
    if (!WF_EXPECT_CODE(wf_pipe(&a, &b), 0)) return;
    WF_EXPECT_CODE(wf_stream_peer(a, &address), -EOPNOTSUPP);
    WF_EXPECT_CODE(wf_stream_local(b, &address), -EOPNOTSUPP);
    wf_stream_close(a);
    wf_stream_close(b);
    if (!WF_EXPECT_CODE(wf_stream_pair(16, &a, &b), 0)) return;
    WF_EXPECT_CODE(wf_stream_peer(a, &address), -EOPNOTSUPP);
    wf_stream_close(a);
    wf_stream_close(b);
}

WF_TEST_MAIN
