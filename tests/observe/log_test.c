/* Lines of the log: what they carry, their formats, levels: S122. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "observe/line.h" /* lines of any bytes, without the rest */
#include "observe/log.h"  /* what the environment may say */
#include "valid_line.h"

#define WHEN "time=2000-01-01T00:00:01.000000Z"

static void a_second(void)
{
    WF_EXPECT_CODE(wf_sleep_until(WF_SECONDS(1001)), 0);
}

/* ---- What a line says ---- */

WF_TEST(a_line_has_time_level_module_message_values_and_task, .simulated = true)
{
    a_second();
    wf_log(WF_INFO, "order accepted", WF_TEXT("customer", "ada"), WF_INT("quantity", 3), WF_NS("took", 1250000));
    WF_EXPECT_TEXT(wf_test_log(), WHEN " level=info module=log_test msg=\"order accepted\" customer=ada quantity=3 "
                                       "took_ms=1.25 task=a_line_has_time_level_module_message_values_and_task#1\n");
}

WF_TEST(a_line_in_json, .simulated = true)
{
    a_second();
    WF_EXPECT_CODE(wf_log_set_format(WF_LOG_JSON), 0);
    wf_log(WF_WARN, "say \"hi\"", WF_TEXT("path", "a\\b"), WF_BOOL("late", true), WF_DOUBLE("ratio", 0.1));
    WF_EXPECT_TEXT(wf_test_log(), "{\"time\":\"2000-01-01T00:00:01.000000Z\",\"level\":\"warn\",\"module\":"
                                  "\"log_test\",\"msg\":\"say \\\"hi\\\"\",\"path\":\"a\\\\b\",\"late\":true,"
                                  "\"ratio\":0.1,\"task\":\"a_line_in_json#1\"}\n");
}

WF_TEST(a_line_for_people, .simulated = true)
{
    a_second();
    WF_EXPECT_CODE(wf_log_set_format(WF_LOG_CONSOLE), 0);
    wf_log(WF_ERROR, "say \"hi\"", WF_NS("took", WF_SECONDS(2)), WF_CODE("error", -ENOENT));
    WF_EXPECT_TEXT(wf_test_log(), "2000-01-01T00:00:01.000000Z ERROR log_test: say \"hi\" took=2000ms "
                                  "error=\"No such file or directory\" task=a_line_for_people#1\n");
}

WF_TEST(a_formatted_message_has_no_fields, .simulated = true)
{
    a_second();
    wf_logf(WF_INFO, "%d of %s", 3, "them");
    WF_EXPECT_TEXT(wf_test_log(),
                   WHEN " level=info module=log_test msg=\"3 of them\" task=a_formatted_message_has_no_fields#1\n");
}

static const struct value_case {
    const char *name;
    const char *logfmt, *json;
    int64_t integer;
    enum wf_field_kind kind;
} values[] = {
    {"least", "k=-9223372036854775808", "\"k\":-9223372036854775808", INT64_MIN, WF_FIELD_INT},
    {"most", "k=18446744073709551615", "\"k\":18446744073709551615", -1, WF_FIELD_UINT},
    {"zero", "k=0", "\"k\":0", 0, WF_FIELD_INT},
    {"no time", "k_ms=0", "\"k_ms\":0", 0, WF_FIELD_DURATION},
    {"a nanosecond", "k_ms=0.000001", "\"k_ms\":0.000001", 1, WF_FIELD_DURATION},
    {"backwards", "k_ms=-1.5", "\"k_ms\":-1.5", -1500000, WF_FIELD_DURATION},
    {"for ever", "k_ms=9223372036854.775807", "\"k_ms\":9223372036854.775807", INT64_MAX, WF_FIELD_DURATION},
    {"success", "k=ok", "\"k\":\"ok\"", 0, WF_FIELD_CODE},
    {"no text", "k=null", "\"k\":null", 0, WF_FIELD_TEXT},
    {"a lie", "k=false", "\"k\":false", 0, WF_FIELD_BOOL},
};

static const char *value_name(size_t row)
{
    return values[row].name;
}

static void expect_field(struct wf_field field, const char *logfmt, const char *json)
{
    static struct line line;
    line_begin(&line, WF_LOG_LOGFMT, false);
    line_field(&line, &field);
    line.text[line.size] = '\0';
    WF_EXPECT_TEXT(line.text + 1, logfmt);
    line_begin(&line, WF_LOG_JSON, false);
    line_field(&line, &field);
    line.text[line.size] = '\0';
    WF_EXPECT_TEXT(line.text + 1, json);
}

WF_TEST_EACH(numbers_are_exact, values, .row_name = value_name)
{
    struct wf_field field = {.key = "k", .kind = row->kind};
    field.integer = row->integer;
    expect_field(field, row->logfmt, row->json);
}

WF_TEST(doubles_read_back_and_what_is_no_number_is_text)
{
    expect_field(WF_DOUBLE("k", 0.1), "k=0.1", "\"k\":0.1");
    expect_field(WF_DOUBLE("k", 1.0 / 3), "k=0.33333333333333331", "\"k\":0.33333333333333331");
    expect_field(WF_DOUBLE("k", -2e300), "k=-2e+300", "\"k\":-2e+300");
    expect_field(WF_DOUBLE("k", INFINITY), "k=inf", "\"k\":\"inf\"");
}

static const struct text_case {
    const char *name;
    struct wf_field field;
    const char *logfmt, *json;
} texts[] = {
    {"plain", {"k", WF_FIELD_BYTES, {"ada"}, 3}, "k=ada", "\"k\":\"ada\""},
    {"empty", {"k", WF_FIELD_BYTES, {""}, 0}, "k=\"\"", "\"k\":\"\""},
    {"a blank", {"k", WF_FIELD_BYTES, {"a b"}, 3}, "k=\"a b\"", "\"k\":\"a b\""},
    {"an equals sign", {"k", WF_FIELD_BYTES, {"a=b"}, 3}, "k=\"a=b\"", "\"k\":\"a=b\""},
    {"a new line", {"k", WF_FIELD_BYTES, {"a\nb"}, 3}, "k=\"a\\nb\"", "\"k\":\"a\\nb\""},
    {"a zero", {"k", WF_FIELD_BYTES, {"a\0b"}, 3}, "k=\"a\\u0000b\"", "\"k\":\"a\\u0000b\""},
    {"an escape", {"k", WF_FIELD_BYTES, {"\033[2J"}, 4}, "k=\"\\u001b[2J\"", "\"k\":\"\\u001b[2J\""},
    {"an escape in one",
     {"k",
      WF_FIELD_BYTES,
      {"\xc2\x9b"
       "2J"},
      4},
     "k=\"\\u009b2J\"",
     "\"k\":\"\\u009b2J\""},
    {"letters",
     {"k", WF_FIELD_BYTES, {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82"}, 9},
     "k=\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82\"",
     "\"k\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82\""},
    {"half a letter",
     {"k", WF_FIELD_BYTES, {"a\xe2\x82"}, 3},
     "k=\"a\xef\xbf\xbd\xef\xbf\xbd\"",
     "\"k\":\"a\xef\xbf\xbd\xef\xbf\xbd\""},
    {"an overlong one",
     {"k", WF_FIELD_BYTES, {"\xc0\xaf"}, 2},
     "k=\"\xef\xbf\xbd\xef\xbf\xbd\"",
     "\"k\":\"\xef\xbf\xbd\xef\xbf\xbd\""},
    {"a surrogate",
     {"k", WF_FIELD_BYTES, {"\xed\xa0\x80"}, 3},
     "k=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
     "\"k\":\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {"a secret", {"k", WF_FIELD_SECRET, {"s3cret"}, 6}, "k=***", "\"k\":\"***\""},
    {"a key with blanks", {"my key=", WF_FIELD_BYTES, {"v"}, 1}, "my_key_=v", "\"my key=\":\"v\""},
    {"an empty key", {"", WF_FIELD_BYTES, {"v"}, 1}, "_=v", "\"\":\"v\""},
    {"a key that the head has", {"msg", WF_FIELD_BYTES, {"v"}, 1}, "msg_=v", "\"msg_\":\"v\""},
};

static const char *text_name(size_t row)
{
    return texts[row].name;
}

WF_TEST_EACH(any_bytes_are_written_so_that_they_are_one_value, texts, .row_name = text_name)
{
    expect_field(row->field, row->logfmt, row->json);
}

WF_TEST(a_secret_is_never_written)
{
    WF_CONTEXT(bound, WF_SECRET("session_token", "s3cret"));
    wf_log(WF_INFO, "logged in", WF_SECRET("password", "hunter2"));
    WF_EXPECT_PART(wf_test_log(), "password=***");
    WF_EXPECT_PART(wf_test_log(), "session_token=***");
    WF_EXPECT(strstr(wf_test_log(), "s3cret") == NULL && strstr(wf_test_log(), "hunter2") == NULL);
}

/* ---- Whatever the bytes are ---- */

static void expect_valid(const struct line *line)
{
    WF_EXPECT(line->size <= LINE_SIZE);
    WF_EXPECT(is_valid_line(line->text, line->size, line->format));
}

static uint64_t dice;

static size_t roll(size_t below)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (size_t)(dice % below);
}

static const char *any_text(char *text, size_t most)
{
    static const char *const pieces[] = {"\xe2\x82", "\xc2\x9b", "\"", "\\", "\n", "=", " ", "\xf0\x9f\x99\x82", "a"};
    size_t size = roll(most);
    for (size_t i = 0; i < size; i++) {
        const char *piece = pieces[roll(WF_COUNT(pieces))];
        text[i] = roll(2) > 0 ? piece[roll(strlen(piece))] : (char)(1 + roll(255));
    }
    text[size] = '\0';
    return text;
}

static void make_any(struct line *line, enum wf_log_format format)
{
    static char message[12000], keys[80][40], value[12000];
    line_begin(line, format, false);
    line_head(line, (int64_t)(dice >> 2), WF_INFO, "fuzz", 4, any_text(message, roll(8) == 0 ? 12000 : 60));
    size_t fields = roll(80);
    for (size_t i = 0; i < fields; i++) {
        any_text(value, roll(20) == 0 ? 12000 : 40);
        struct wf_field field = WF_BYTES(any_text(keys[i], 40), value, strlen(value));
        if (roll(3) == 0) field = wf_field_integer_(keys[i], (int64_t)dice, (enum wf_field_kind)(3 + roll(6)));
        line_field(line, &field);
    }
    line_end(line);
}

WF_TEST(lines_of_any_bytes_are_valid_and_bounded, .plain = true, .timeout = WF_SECONDS(60))
{
    static struct line line;
    size_t cut = 0;
    for (int i = 0; i < 2000 && !wf_test_failed(); i++) {
        dice = (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15) + 1;
        make_any(&line, (enum wf_log_format)(WF_LOG_CONSOLE + i % 3));
        expect_valid(&line);
        cut += line.cut;
        if (wf_test_failed()) wf_test_note("roll %d", i);
    }
    WF_EXPECT(cut > 100);
}

WF_TEST(a_long_text_is_cut_between_two_letters_at_every_length, .plain = true)
{
    static struct line line;
    static char text[LINE_SIZE];
    for (size_t size = LINE_SIZE - 250; size < LINE_SIZE - 10; size++) {
        for (size_t i = 0; i < size; i++) text[i] = "\xf0\x9f\x99\x82"[i % 4];
        for (int format = WF_LOG_CONSOLE; format <= WF_LOG_JSON; format++) {
            const struct wf_field fields[] = {WF_BYTES("text", text, size), WF_INT("after", 123456),
                                              WF_TEXT("x", NULL)};
            line_begin(&line, (enum wf_log_format)format, false);
            line_head(&line, 0, WF_INFO, "cut", 3, "m");
            for (size_t i = 0; i < WF_COUNT(fields); i++) line_field(&line, &fields[i]);
            line_end(&line);
            expect_valid(&line);
        }
    }
}

WF_TEST(a_line_that_was_cut_says_so_and_is_counted)
{
    static char text[10000];
    memset(text, 'x', sizeof text - 1);
    struct wf_log_statistics before, after;
    wf_log_statistics(&before);
    wf_log(WF_INFO, "long", WF_TEXT("text", text), WF_INT("lost", 1));
    wf_log_statistics(&after);
    WF_EXPECT_INT((int64_t)(after.cut - before.cut), 1);
    WF_EXPECT_PART(wf_test_log(), "xxx cut=true\n");
    WF_EXPECT(strstr(wf_test_log(), "lost=") == NULL);
}

WF_TEST(colours_are_only_around_what_the_library_writes, .plain = true)
{
    static struct line line;
    const struct wf_field field = WF_TEXT("k", "\033[31m");
    line_begin(&line, WF_LOG_CONSOLE, true);
    line_head(&line, 0, WF_ERROR, "m", 1, "x");
    line_field(&line, &field);
    line_end(&line);
    line.text[line.size] = '\0';
    WF_EXPECT_TEXT(line.text, "\033[2m1970-01-01T00:00:00.000000Z\033[0m \033[31mERROR\033[0m m: x \033[2mk=\033[0m"
                              "\"\\u001b[31m\"\n");
}

/* ---- Levels ---- */

static int evaluated;

static int64_t costly(void)
{
    return ++evaluated;
}

WF_TEST(a_level_that_is_off_writes_nothing_and_evaluates_nothing)
{
    evaluated = 0;
    wf_log(WF_DEBUG, "hidden", WF_INT("n", costly()));
    wf_logf(WF_DEBUG, "hidden %d", (int)costly());
    WF_EXPECT_INT(evaluated, 0);
    WF_EXPECT(!wf_log_enabled(WF_DEBUG) && wf_log_enabled(WF_INFO));
    WF_EXPECT_TEXT(wf_test_log(), "");
}

WF_TEST(a_module_has_its_own_level)
{
    WF_EXPECT_CODE(wf_log_set_level("log_test", WF_DEBUG), 0);
    wf_log(WF_DEBUG, "one");
    WF_EXPECT_CODE(wf_log_set_level(NULL, WF_OFF), 0);
    wf_log(WF_DEBUG, "two");
    WF_EXPECT_CODE(wf_log_set_level("log_test", WF_OFF), 0);
    wf_log(WF_ERROR, "three");
    WF_EXPECT_CODE(wf_log_set_level("another", WF_DEBUG), 0);
    wf_log(WF_ERROR, "four");
    WF_EXPECT_CODE(wf_log_set_level("log_test", WF_WARN), 0);
    wf_log(WF_INFO, "five");
    wf_log(WF_WARN, "six");
    WF_EXPECT_PART(wf_test_log(), "msg=one");
    WF_EXPECT_PART(wf_test_log(), "msg=two");
    WF_EXPECT_PART(wf_test_log(), "msg=six");
    WF_EXPECT(strstr(wf_test_log(), "three") == NULL);
    WF_EXPECT(strstr(wf_test_log(), "four") == NULL && strstr(wf_test_log(), "five") == NULL);
}

WF_TEST(bad_settings_are_refused)
{
    WF_EXPECT_CODE(wf_log_set_level("orders", (enum wf_log_level)0), -EINVAL);
    WF_EXPECT_CODE(wf_log_set_level("orders", (enum wf_log_level)(WF_OFF + 1)), -EINVAL);
    WF_EXPECT_CODE(wf_log_set_level("", WF_INFO), -EINVAL);
    WF_EXPECT_CODE(wf_log_set_level("a name that is far too long for a module", WF_INFO), -EINVAL);
    WF_EXPECT_CODE(wf_log_set_format((enum wf_log_format)9), -EINVAL);
    char name[] = "m-0";
    int rc = 0;
    for (name[2] = '0'; name[2] < '0' + 65 && rc == 0; name[2]++) rc = wf_log_set_level(name, WF_INFO);
    WF_EXPECT_CODE(rc, -ENOSPC);
}

static const struct environment_case {
    const char *text;
    bool understood, info, debug;
} environments[] = {
    {"debug", true, true, true},
    {"warn", true, false, false},
    {"warn,log_test=debug", true, true, true},
    {"log_test=debug,warn", true, true, true},
    {"debug,log_test=off", true, false, false},
    {"", true, true, false},
    {",,info,", true, true, false},
    {"loud", false, true, false},
    {"log_test=", false, true, false},
    {"=debug", false, true, false},
    {"log_test=DEBUG", false, true, false},
    {"nonsense,log_test=debug", false, true, true},
};

WF_TEST_EACH(the_environment_sets_levels, environments)
{
    WF_EXPECT(levels_read(row->text) == row->understood);
    WF_EXPECT(wf_log_enabled(WF_INFO) == row->info);
    WF_EXPECT(wf_log_enabled(WF_DEBUG) == row->debug);
}

/* A file that was given a name by the compiler's command line, and modules that are none of files. */
static const struct module_case {
    const char *given, *name;
} modules[] = {
    {"../src/orders.c", "orders"}, {"orders.cc", "orders"},        {"/a/b.c/d.cpp", "d"},
    {"orders", "orders"},          {"http/server", "http/server"}, {"orders.core", "orders.core"},
};

WF_TEST_EACH(a_module_is_called_as_its_file, modules)
{
    struct wf_log_module module = {.name_ = row->given};
    size_t size;
    const char *name = module_name(&module, &size);
    WF_EXPECT_INT((int64_t)size, (int64_t)strlen(row->name));
    WF_EXPECT(strncmp(name, row->name, size) == 0);
}

/* ---- The context adds itself ---- */

static int log_below(void *unused)
{
    (void)unused;
    wf_log(WF_INFO, "below");
    return 0;
}

static int log_on_thread(void *unused)
{
    return wf_offload(log_below, unused);
}

static void log_everywhere(struct wf_scope *background)
{
    WF_REQUEST_CONTEXT(request, .name = "GET /",
                       .traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    WF_CONTEXT(bound, WF_TEXT("customer", "ada"));
    wf_context_put(WF_INT("order", 17));
    log_below(NULL);
    WF_SCOPE(scope);
    wf_spawn(&scope, log_below, NULL);
    wf_spawn(&scope, log_on_thread, NULL);
    wf_spawn(background, log_below, NULL, .context = WF_CONTEXT_CURRENT);
    wf_scope_join(&scope);
}

static size_t count_parts(const char *text, const char *part)
{
    size_t count = 0;
    while ((text = strstr(text, part)) != NULL) {
        count++;
        text++;
    }
    return count;
}

/* S122 */
WF_TEST(lines_of_tasks_threads_and_background_tasks_carry_the_context, .sweep = true, .rule = "3.11 8.5")
{
    WF_SCOPE(background);
    log_everywhere(&background);
    WF_EXPECT_CODE(wf_scope_join(&background), 0);
    const char *log = wf_test_log();
    WF_EXPECT_INT((int64_t)count_parts(log, "\n"), 4);
    WF_EXPECT_INT((int64_t)count_parts(log,
                                       " customer=ada order=17 request=\"GET /\" trace_id=4bf92f3577b34da6a3ce929d0e0"
                                       "e4736 span_id="),
                  4);
    WF_EXPECT_INT((int64_t)count_parts(log, " task=log_below#"), 2);
    WF_EXPECT_INT((int64_t)count_parts(log, " job=log_below#"), 1);
}

WF_TEST(a_key_is_written_once_and_the_innermost_wins)
{
    WF_CONTEXT(outer, WF_TEXT("customer", "outer"), WF_INT("order", 1));
    WF_CONTEXT(inner, WF_TEXT("customer", "inner"), WF_INT("order", 2));
    wf_log(WF_INFO, "here", WF_INT("order", 3));
    WF_EXPECT_PART(wf_test_log(), "msg=here order=3 customer=inner task=");
}

/* ---- The hook ---- */

static void log_in_the_hook(void *context, enum wf_log_level level, const char *line, size_t size)
{
    int *calls = context;
    ++*calls;
    WF_EXPECT_INT(level, WF_WARN);
    WF_EXPECT(line[size - 1] == '\n');
    wf_log(WF_WARN, "again");
    wf_logf(WF_WARN, "and %s", "again");
}

WF_TEST(a_hook_that_logs_is_not_called_again)
{
    int calls = 0;
    struct wf_log_statistics before, after;
    wf_log_statistics(&before);
    wf_log_set_hook(log_in_the_hook, &calls);
    wf_log(WF_WARN, "once");
    wf_log_statistics(&after);
    WF_EXPECT_INT(calls, 1);
    WF_EXPECT_INT((int64_t)(after.dropped - before.dropped), 2);
    WF_EXPECT_INT((int64_t)(after.lines[WF_WARN] - before.lines[WF_WARN]), 1);
}

WF_TEST_MAIN
