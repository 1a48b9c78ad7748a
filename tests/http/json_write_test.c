/* JSON that is written: numbers that come back, texts, what is refused. */
#include <weft/json.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- Numbers ---- */

static bool same_double(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* The same numbers every time: a linear congruence (D. E. Knuth's MMIX). */
static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state ^ *state >> 29;
}

static bool comes_back(double value)
{
    struct wf_json_writer writer;
    const char *text = NULL;
    char memory[64];
    double again = 0;
    wf_json_writer_init(&writer, NULL, 0);
    wf_json_writer_lend(&writer, memory, sizeof memory);
    wf_json_write_double(&writer, value);
    if (wf_json_write_end(&writer, &text, NULL) < 0) return false;
    struct wf_json_reader reader;
    wf_json_reader_init(&reader, NULL, text, strlen(text));
    bool same = wf_json_read_double(&reader, &again) == 0 && same_double(value, again);
    same &= wf_json_read_end(&reader) == 0 && strpbrk(text, ".e") != NULL;
    if (!same) printf("    %.17g became %s\n", value, text);
    return same;
}

WF_TEST(any_double_comes_back_from_its_text)
{
    uint64_t state = 1;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = next_random(&state);
        double any, decimal = (double)(int64_t)(bits % 2000000001) / 100 - 1e7;
        memcpy(&any, &bits, sizeof any);
        if (isfinite(any) && !WF_EXPECT(comes_back(any))) return;
        if (!WF_EXPECT(comes_back(decimal))) return;
    }
}

/* ---- Texts ---- */

static const struct number {
    double value;
    const char *text;
} numbers[] = {
    {0, "0.0"},
    {-0.0, "-0.0"},
    {1, "1.0"},
    {-1.5, "-1.5"},
    {0.1, "0.1"},
    {19.99, "19.99"},
    {100, "100.0"},
    {0.00012, "0.00012"},
    {1e15, "1000000000000000.0"},
    {1e16, "1e+16"},
    {1e22, "1e+22"},
    {1e-7, "1e-07"},
    {0.1 + 0.2, "0.30000000000000004"},
    {1.0 / 3, "0.3333333333333333"},
    {123456.789, "123456.789"},
    {5e-324, "4.94065645841247e-324"},
    {1.7976931348623157e308, "1.7976931348623157e+308"},
};

WF_TEST_EACH(doubles_are_written_short, numbers)
{
    struct wf_json_writer writer;
    const char *text = NULL;
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    wf_json_write_double(&writer, row->value);
    if (!WF_EXPECT_CODE(wf_json_write_end(&writer, &text, NULL), 0)) return;
    WF_EXPECT_TEXT(text, row->text);
}

WF_TEST(a_text_is_written_with_its_commas)
{
    struct wf_json_writer writer;
    const char *text = NULL;
    size_t size = 0;
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    wf_json_open_object(&writer);
    wf_json_write_key(&writer, "list");
    wf_json_open_array(&writer);
    wf_json_write_int(&writer, INT64_MIN);
    wf_json_write_uint(&writer, UINT64_MAX);
    wf_json_open_array(&writer);
    wf_json_close_array(&writer);
    wf_json_open_object(&writer);
    wf_json_close_object(&writer);
    wf_json_write_null(&writer);
    wf_json_close_array(&writer);
    wf_json_write_key(&writer, "a\"b");
    wf_json_write_bool(&writer, true);
    wf_json_write_key(&writer, "raw");
    wf_json_write_raw(&writer, "[ 1 ]", 5);
    wf_json_write_key(&writer, "last");
    wf_json_write_text(&writer, "x\0y", 3);
    wf_json_close_object(&writer);
    if (!WF_EXPECT_CODE(wf_json_write_end(&writer, &text, &size), 0)) return;
    WF_EXPECT_TEXT(text,
                   "{\"list\":[-9223372036854775808,18446744073709551615,[],{},null],\"a\\\"b\":true,\"raw\":[ 1 ],"
                   "\"last\":\"x\\u0000y\"}");
    WF_EXPECT_INT((int64_t)size, (int64_t)strlen(text));
}

WF_TEST(only_what_must_be_is_escaped)
{
    struct wf_json_writer writer;
    const char *text = NULL;
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    wf_json_write_string(&writer, "a/b\x7f\xc3\xa9\xf0\x9f\x98\x80 \"\\\b\f\n\r\t\x01\x1f");
    if (!WF_EXPECT_CODE(wf_json_write_end(&writer, &text, NULL), 0)) return;
    WF_EXPECT_TEXT(text, "\"a/b\x7f\xc3\xa9\xf0\x9f\x98\x80 \\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\"");
}

enum misuse {
    OPEN,
    CLOSE_NOTHING,
    CLOSE_OTHER,
    NO_KEY,
    TWO_KEYS,
    KEY_ALONE,
    KEY_LAST,
    TWO_VALUES,
    DEEP,
    NAN_,
    BAD_TEXT
};

static const struct fault {
    enum misuse what;
    int code;
    const char *part;
} faults[] = {
    {OPEN, -EINVAL, "has not ended"},     {CLOSE_NOTHING, -EINVAL, "not open"},
    {CLOSE_OTHER, -EINVAL, "not open"},   {NO_KEY, -EINVAL, "needs a key"},
    {TWO_KEYS, -EINVAL, "two in a row"},  {KEY_ALONE, -EINVAL, "outside an object"},
    {KEY_LAST, -EINVAL, "lacks a value"}, {TWO_VALUES, -EINVAL, "one value"},
    {DEEP, -EINVAL, "too many levels"},   {NAN_, -EDOM, "none, or infinite"},
    {BAD_TEXT, -EILSEQ, "no UTF-8"},
};

static void commit(struct wf_json_writer *writer, enum misuse what)
{
    switch (what) {
    case OPEN:
        wf_json_open_array(writer);
        break;
    case CLOSE_NOTHING:
        wf_json_close_array(writer);
        break;
    case CLOSE_OTHER:
        wf_json_open_array(writer);
        wf_json_close_object(writer);
        break;
    case NO_KEY:
        wf_json_open_object(writer);
        wf_json_write_int(writer, 1);
        break;
    case TWO_KEYS:
        wf_json_open_object(writer);
        wf_json_write_key(writer, "a");
        wf_json_write_key(writer, "b");
        break;
    case KEY_ALONE:
        wf_json_write_key(writer, "a");
        break;
    case KEY_LAST:
        wf_json_open_object(writer);
        wf_json_write_key(writer, "a");
        wf_json_close_object(writer);
        break;
    case TWO_VALUES:
        wf_json_write_int(writer, 1);
        wf_json_write_int(writer, 1);
        break;
    case DEEP:
        for (int i = 0; i <= WF_JSON_DEPTH_MAX; i++) wf_json_open_array(writer);
        break;
    case NAN_:
        wf_json_write_double(writer, NAN);
        break;
    case BAD_TEXT:
        wf_json_write_string(writer, "\xc3(");
        break;
    }
}

WF_TEST_EACH(a_fault_of_the_writer_stays, faults)
{
    struct wf_json_writer writer;
    const char *text;
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    commit(&writer, row->what);
    WF_EXPECT_FAILURE(wf_json_write_end(&writer, &text, NULL), row->code, row->part);
    WF_EXPECT_CODE(wf_json_write_null(&writer), row->code);
    WF_EXPECT_CODE(wf_json_write_key(&writer, "a"), row->code);
    WF_EXPECT_CODE(wf_json_close_object(&writer), row->code);
}

WF_TEST(a_text_may_be_just_as_long_as_its_maximum)
{
    for (size_t max = 1; max <= 9; max++) {
        struct wf_json_writer writer;
        const char *text;
        wf_json_writer_init(&writer, wf_task_arena(), max);
        wf_json_open_array(&writer);
        wf_json_write_string(&writer, "ab\n");
        wf_json_close_array(&writer);
        int expected = max < 8 ? -EMSGSIZE : 0; /* ["ab\n"] */
        WF_EXPECT_CODE(wf_json_write_end(&writer, &text, NULL), expected);
    }
}

WF_TEST(lent_memory_is_used_first_and_then_the_arena)
{
    char memory[8];
    struct wf_json_writer writer;
    const char *text = NULL;
    wf_json_writer_init(&writer, NULL, 0);
    wf_json_writer_lend(&writer, memory, sizeof memory);
    wf_json_write_string(&writer, "12345");
    WF_EXPECT_CODE(wf_json_write_end(&writer, &text, NULL), 0);
    WF_EXPECT(text == memory);
    wf_json_writer_init(&writer, NULL, 0);
    wf_json_writer_lend(&writer, memory, sizeof memory);
    wf_json_write_string(&writer, "123456"); /* no place for its end */
    WF_EXPECT_CODE(wf_json_write_end(&writer, &text, NULL), -ENOMEM);
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    wf_json_writer_lend(&writer, memory, sizeof memory);
    wf_json_open_array(&writer);
    for (int i = 0; i < 1000; i++) wf_json_write_int(&writer, i);
    wf_json_close_array(&writer);
    if (!WF_EXPECT_CODE(wf_json_write_end(&writer, &text, NULL), 0)) return;
    WF_EXPECT_PART(text, "[0,1,2,");
    WF_EXPECT_PART(text, ",998,999]");
}

WF_TEST_MAIN
