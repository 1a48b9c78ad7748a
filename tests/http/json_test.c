/* JSON without a tree: what is accepted, and how it reads. */
#include <weft/json.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

static struct wf_json_reader reader_of(const char *text)
{
    struct wf_json_reader reader;
    wf_json_reader_init(&reader, wf_task_arena(), text, strlen(text));
    return reader;
}

/* ---- What is JSON ---- */

static const struct text {
    const char *text;
    size_t size; /* 0: up to the zero byte */
} good[] = {
    {"null", 0},
    {"true", 0},
    {" \t\r\n false \t\r\n ", 0},
    {"0", 0},
    {"-0", 0},
    {"-0.0e-0", 0},
    {"123456789012345678901234567890", 0},
    {"1E+400", 0},
    {"0.5", 0},
    {"1e9", 0},
    {"\"\"", 0},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uFfFf\"", 0},
    {"\"\\ud800\\udc00\\udbff\\udfff\"", 0},
    {"\"\x7f\"", 0},
    {"\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"", 0},
    {"[]", 0},
    {"[ ]", 0},
    {"[1,\n2 , [3]]", 0},
    {"{}", 0},
    {"{ \"\" : { } }", 0},
    {"{\"a\":1,\"a\":2}", 0},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", 0}, /* 32 */
    {"{\"a long key, longer than eight\":\"a value \xc3\xa9 with \\u00e9 escapes\"}", 0},
};

WF_TEST_EACH(what_is_json_is_accepted, good)
{
    struct wf_json_reader reader = reader_of(row->text);
    WF_EXPECT_CODE(wf_json_skip(&reader), 0);
    WF_EXPECT_CODE(wf_json_read_end(&reader), 0);
}

static const struct bad {
    const char *text;
    size_t size;
    size_t offset; /* where the fault is */
    const char *part;
} bad[] = {
    {"", 0, 0, "a value was expected"},
    {" ", 0, 1, "a value was expected"},
    {"\xef\xbb\xbf{}", 0, 0, "a value was expected"},
    {"nul", 0, 0, "neither null"},
    {"nulL", 0, 0, "neither null"},
    {"True", 0, 0, "a value was expected"},
    {"truefalse", 0, 4, "nothing more"},
    {"1 2", 0, 2, "nothing more"},
    {"NaN", 0, 0, "a value was expected"},
    {"Infinity", 0, 0, "a value was expected"},
    {"-Infinity", 0, 0, "not well-formed"},
    {"-", 0, 0, "not well-formed"},
    {"+1", 0, 0, "a value was expected"},
    {"01", 0, 0, "not well-formed"},
    {"-01", 0, 0, "not well-formed"},
    {"1.", 0, 0, "not well-formed"},
    {".5", 0, 0, "a value was expected"},
    {"1.e1", 0, 0, "not well-formed"},
    {"1e", 0, 0, "not well-formed"},
    {"1e+", 0, 0, "not well-formed"},
    {"0x10", 0, 1, "nothing more"},
    {"1_000", 0, 1, "nothing more"},
    {"\"", 0, 1, "ends inside a string"},
    {"\"abc", 0, 4, "ends inside a string"},
    {"\"\\\"", 0, 3, "ends inside a string"},
    {"'a'", 0, 0, "a value was expected"},
    {"\"a\nb\"", 0, 2, "control character"},
    {"\"12345678\x1f\"", 0, 9, "control character"},
    {"\"a\0b\"", 5, 2, "control character"},
    {"\"\\a\"", 0, 1, "begins no escape"},
    {"\"\\", 0, 1, "begins no escape"},
    {"\"\\\0\"", 4, 1, "begins no escape"},
    {"\"\\u12\"", 0, 1, "begins no escape"},
    {"\"\\u12G4\"", 0, 1, "begins no escape"},
    {"\"\\ud800\"", 0, 1, "begins no escape"},
    {"\"\\ud800\\u0041\"", 0, 1, "begins no escape"},
    {"\"\\ud800\\ud800\"", 0, 1, "begins no escape"},
    {"\"\\ud800\\ue000\"", 0, 1, "begins no escape"},
    {"\"\\udc00\\ud800\"", 0, 1, "begins no escape"},
    {"\"\\ud800x\\udc00\"", 0, 1, "begins no escape"},
    {"\"\x80\"", 0, 1, "no UTF-8"},
    {"\"\xc0\xaf\"", 0, 1, "no UTF-8"},
    {"\"\xc3\"", 0, 1, "no UTF-8"},
    {"\"\xe0\x9f\xbf\"", 0, 1, "no UTF-8"},
    {"\"\xed\xa0\x80\"", 0, 1, "no UTF-8"},
    {"\"\xf0\x8f\xbf\xbf\"", 0, 1, "no UTF-8"},
    {"\"\xf4\x90\x80\x80\"", 0, 1, "no UTF-8"},
    {"\"\xf5\x80\x80\x80\"", 0, 1, "no UTF-8"},
    {"\"\xff\"", 0, 1, "no UTF-8"},
    {"[", 0, 1, "the end of the array"},
    {"[1", 0, 2, "the end of the array"},
    {"[1,]", 0, 3, "a value was expected"},
    {"[,1]", 0, 1, "a value was expected"},
    {"[1,,2]", 0, 3, "a value was expected"},
    {"[1 2]", 0, 3, "the end of the array"},
    {"[1}", 0, 2, "the end of the array"},
    {"[]]", 0, 2, "nothing more"},
    {"{", 0, 1, "the end of the object"},
    {"{\"a\"", 0, 4, "a colon"},
    {"{\"a\" 1}", 0, 5, "a colon"},
    {"{\"a\":}", 0, 5, "a value was expected"},
    {"{\"a\":1", 0, 6, "the end of the object"},
    {"{\"a\":1,}", 0, 7, "a key"},
    {"{,}", 0, 1, "a key"},
    {"{a:1}", 0, 1, "a key"},
    {"{1:1}", 0, 1, "a key"},
    {"{\"a\":1]", 0, 6, "the end of the object"},
    {"[1] // comment", 0, 4, "nothing more"},
    {"/**/1", 0, 0, "a value was expected"},
    {"[1\v]", 0, 2, "the end of the array"},
    {"[1\xc2\xa0]", 0, 2, "the end of the array"},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", 0, 32, "too many levels"},
};

WF_TEST_EACH(what_is_not_json_is_refused_with_its_place, bad)
{
    struct wf_json_reader reader;
    struct wf_json_place place;
    wf_json_reader_init(&reader, wf_task_arena(), row->text, row->size > 0 ? row->size : strlen(row->text));
    int rc = wf_json_skip(&reader);
    if (rc == 0) rc = wf_json_read_end(&reader);
    WF_EXPECT_FAILURE(rc, -EBADMSG, row->part);
    wf_json_find_place(&reader, &place);
    WF_EXPECT_INT((int64_t)place.offset, (int64_t)row->offset);
    WF_EXPECT_CODE(wf_json_skip(&reader), -EBADMSG);
    WF_EXPECT_CODE(wf_json_read_end(&reader), -EBADMSG);
}

WF_TEST(every_beginning_of_a_text_is_refused)
{
    static const char text[] = "{\"a\":[1.5e3,\"x\\u00e9\xc3\xa9\",true,null,{\"b\":-0}],\"c\":\"\\ud83d\\ude00\"}";
    struct wf_json_reader reader;
    for (size_t size = 0; size < sizeof text; size++) {
        char *copy = malloc(size + 1); /* of that size: a byte too far is seen */
        if (copy == NULL) return;
        char *exact = realloc(copy, size > 0 ? size : 1);
        if (exact == NULL) return free(copy);
        memcpy(exact, text, size);
        wf_json_reader_init(&reader, wf_task_arena(), exact, size);
        int rc = wf_json_skip(&reader);
        if (rc == 0) rc = wf_json_read_end(&reader);
        WF_EXPECT_CODE(rc, size == sizeof text - 1 ? 0 : -EBADMSG);
        free(exact);
    }
}

WF_TEST(lines_and_columns_count_characters)
{
    struct wf_json_reader reader = reader_of("{\n \"\xc3\xa9\xe2\x82\xac\": x}");
    struct wf_json_place place;
    WF_EXPECT_FAILURE(wf_json_skip(&reader), -EBADMSG, "line 2, column 8 (byte 12)");
    wf_json_find_place(&reader, &place);
    WF_EXPECT_INT((int64_t)place.line, 2);
    WF_EXPECT_INT((int64_t)place.column, 8);
}

/* ---- Reading ---- */

WF_TEST(an_object_is_read_member_by_member)
{
    struct wf_json_reader reader =
        reader_of("{\"id\": 17, \"\\u006e\\u0061me\": \"Zo\\u00eb\", \"more\": [1, {}], \"ok\": true}");
    int64_t id = 0;
    const char *name = NULL;
    bool ok = false;
    int rc = wf_json_begin_object(&reader);
    while (rc >= 0 && (rc = wf_json_next_member(&reader)) > 0) {
        if (wf_json_key_is(&reader, "id")) rc = wf_json_read_int(&reader, &id);
        else if (wf_json_key_is(&reader, "name")) rc = wf_json_read_string(&reader, &name, NULL);
        else if (wf_json_key_is(&reader, "ok")) rc = wf_json_read_bool(&reader, &ok);
        else rc = wf_json_skip(&reader);
    }
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_CODE(wf_json_read_end(&reader), 0);
    WF_EXPECT_INT(id, 17);
    WF_EXPECT_TEXT(name, "Zo\xc3\xab");
    WF_EXPECT(ok);
}

WF_TEST(a_value_of_another_kind_is_not_consumed)
{
    struct wf_json_reader reader = reader_of("\n [\"x\"]");
    const char *text;
    int64_t integer;
    bool truth;
    WF_EXPECT_FAILURE(wf_json_read_int(&reader, &integer), -EINVAL, "line 2, column 2: a number was expected");
    WF_EXPECT_CODE(wf_json_read_bool(&reader, &truth), -EINVAL);
    WF_EXPECT_CODE(wf_json_read_null(&reader), -EINVAL);
    WF_EXPECT_CODE(wf_json_read_string(&reader, &text, NULL), -EINVAL);
    WF_EXPECT_CODE(wf_json_begin_object(&reader), -EINVAL);
    WF_EXPECT_CODE(wf_json_begin_array(&reader), 0);
    WF_EXPECT_INT(wf_json_next_item(&reader), 1);
    WF_EXPECT_CODE(wf_json_begin_array(&reader), -EINVAL);
    WF_EXPECT_CODE(wf_json_read_string(&reader, &text, NULL), 0);
    WF_EXPECT_INT(wf_json_next_item(&reader), 0);
    WF_EXPECT_CODE(wf_json_read_end(&reader), 0);
}

WF_TEST(an_item_that_is_left_out_is_a_fault_and_no_endless_loop)
{
    struct wf_json_reader reader = reader_of("[1, 2]");
    WF_EXPECT_CODE(wf_json_begin_array(&reader), 0);
    WF_EXPECT_INT(wf_json_next_item(&reader), 1);
    WF_EXPECT_CODE(wf_json_next_item(&reader), -EBADMSG);
}

WF_TEST(text_with_a_zero_byte_is_for_those_who_take_its_size)
{
    struct wf_json_reader reader = reader_of("\"a\\u0000b\"");
    const char *text = NULL;
    size_t size = 0;
    WF_EXPECT_FAILURE(wf_json_read_string(&reader, &text, NULL), -EINVAL, "U+0000");
    if (!WF_EXPECT_CODE(wf_json_read_string(&reader, &text, &size), 0)) return;
    WF_EXPECT_INT((int64_t)size, 3);
    WF_EXPECT(memcmp(text, "a\0b", 4) == 0);
}

WF_TEST(raw_text_is_as_it_stands)
{
    struct wf_json_reader reader = reader_of(" [1, {\"a\" :2}]  ");
    const char *text = NULL;
    size_t size = 0;
    if (!WF_EXPECT_CODE(wf_json_read_raw(&reader, &text, &size), 0)) return;
    WF_EXPECT(size == 13 && memcmp(text, "[1, {\"a\" :2}]", 13) == 0);
}

WF_TEST(escapes_become_utf8)
{
    static const struct {
        const char *text, *value;
    } escapes[] = {
        {"\"\\u0024\\u00a2\\u20ac\\ud800\\udf48\"", "$\xc2\xa2\xe2\x82\xac\xf0\x90\x8d\x88"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"before\\u00e9after \xc3\xa9 and \\n\"", "before\xc3\xa9"
                                                    "after \xc3\xa9 and \n"},
    };
    for (size_t i = 0; i < WF_COUNT(escapes); i++) {
        struct wf_json_reader reader = reader_of(escapes[i].text);
        const char *text = NULL;
        if (!WF_EXPECT_CODE(wf_json_read_string(&reader, &text, NULL), 0)) return;
        WF_EXPECT_TEXT(text, escapes[i].value);
    }
}

/* ---- Numbers ---- */

static const struct integer {
    const char *text;
    int code;
    int64_t value;
} integers[] = {
    {"0", 0, 0},
    {"-0", 0, 0},
    {"9223372036854775807", 0, INT64_MAX},
    {"-9223372036854775808", 0, INT64_MIN},
    {"9223372036854775808", -ERANGE, 0},
    {"-9223372036854775809", -ERANGE, 0},
    {"18446744073709551616", -ERANGE, 0},
    {"99999999999999999999999", -ERANGE, 0},
    {"9007199254740993", 0, 9007199254740993},
    {"1.0", 0, 1},
    {"1e2", 0, 100},
    {"-2.50e1", 0, -25},
    {"1.5", -EINVAL, 0},
    {"1e-1", -EINVAL, 0},
    {"9007199254740992.0", 0, 9007199254740992},
    {"9007199254740994.0", -ERANGE, 0},
    {"1e400", -ERANGE, 0},
};

WF_TEST_EACH(integers_lose_nothing, integers)
{
    struct wf_json_reader reader = reader_of(row->text);
    int64_t value = 0;
    WF_EXPECT_CODE(wf_json_read_int(&reader, &value), row->code);
    WF_EXPECT_INT(value, row->value);
    if (row->code < 0) WF_EXPECT_CODE(wf_json_skip(&reader), 0); /* it is still there */
}

WF_TEST(integers_without_a_sign_have_64_bits)
{
    struct wf_json_reader reader = reader_of("18446744073709551615");
    uint64_t value = 0;
    WF_EXPECT_CODE(wf_json_read_uint(&reader, &value), 0);
    WF_EXPECT(value == UINT64_MAX);
    reader = reader_of("-1");
    WF_EXPECT_CODE(wf_json_read_uint(&reader, &value), -ERANGE);
    reader = reader_of("-0");
    WF_EXPECT_CODE(wf_json_read_uint(&reader, &value), 0);
    WF_EXPECT(value == 0);
}

static bool same_double(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* As strtod reads it; the test runs in the C locale. */
static bool reads_as_nearest(const char *text)
{
    struct wf_json_reader reader = reader_of(text);
    double value = 0, wanted = strtod(text, NULL);
    int rc = wf_json_read_double(&reader, &value);
    bool right = isinf(wanted) ? rc == -ERANGE : rc == 0 && same_double(value, wanted);
    if (!right) printf("    %s: %.17g, wanted %.17g\n", text, value, wanted);
    return right;
}

static const char *const doubles[] = {
    "0",
    "-0.0",
    "0.1",
    "-1.5e-3",
    "123456789.123456789",
    "1e22",
    "1e23",
    "9007199254740993",
    "9007199254740992.9999",
    "1.7976931348623157e308",
    "1.7976931348623159e308",
    "1e309",
    "-1e999999999999999999999",
    "4.9e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    "2.2250738585072011e-308",
    "2.2250738585072014e-308",
    "1e-400",
    "1e-999999999999999999999",
    "0.000000000000000000000000000000000000000000000000001e51",
    "10000000000000000000000000000000000000000000e-43",
    "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692"
    "887"
    "910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914"
    "819"
    "860834936475292719074168444365510704342711559699508093042880",
};

WF_TEST_EACH(doubles_are_the_nearest_ones, doubles)
{
    WF_EXPECT(reads_as_nearest(*row));
}

WF_TEST(a_digit_past_all_others_decides_a_tie)
{
    static char text[1200];
    int size = snprintf(text, sizeof text, "9007199254740993.");
    memset(text + size, '0', 1000);
    text[size + 1000] = '\0';
    WF_EXPECT(reads_as_nearest(text)); /* exactly in the middle */
    text[size + 999] = '1';
    WF_EXPECT(reads_as_nearest(text));
    memset(text, '7', sizeof text - 1);
    WF_EXPECT(reads_as_nearest(text));
    memcpy(text + 1100, "e-1100", sizeof "e-1100");
    WF_EXPECT(reads_as_nearest(text));
}

/* ---- Anywhere ---- */

static int read_outside(void *unused)
{
    (void)unused;
    struct wf_json_reader reader;
    wf_json_reader_init(&reader, NULL, "[1,]", 4);
    return wf_json_skip(&reader);
}

WF_TEST(json_is_for_threads_and_programs_without_a_loop, .plain = true)
{
    WF_EXPECT_CODE(read_outside(NULL), -EBADMSG);
}

WF_TEST_MAIN
