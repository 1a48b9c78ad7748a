/* Values out of texts: parameters, forms, queries. */
#include "models.h"

WF_MEMBER(limit, INT64, .min = 1, .max = 100, .preset = "20")
WF_MEMBER(needed, INT32)
WF_MEMBER(maybe, DOUBLE, .optional = true)
WF_MEMBER(flag, BOOL)
WF_MEMBER(id, UUID)
WF_MEMBER(vin, STRING, .pattern = "^[A-HJ-NPR-Z0-9]{17}$")
WF_MEMBER(since, DATE_TIME)
WF_MEMBER(state, ENUM, .values = WF_VALUES("open", "paid"))
WF_MEMBER(tags, LIST(STRING, .max = 3), .min = 1)
WF_MEMBER(filter, JSON)

union any {
    int64_t integer;
    int32_t small;
    double real;
    bool truth;
    int index;
    const char *text;
    struct wf_uuid uuid;
    WF_TYPE(LIST(STRING)) list;
};

static int parse(const struct wf_member *member, const char *text, union any *out, struct wf_problems *problems)
{
    wf_problems_init(problems, wf_task_arena());
    problems->where = "query";
    size_t size = text != NULL ? strlen(text) : 0;
    return wf_member_parse_text(member, wf_task_arena(), text, size, out, problems);
}

WF_TEST(a_parameter_is_typed_and_bound)
{
    union any out;
    struct wf_problems problems;
    WF_EXPECT_CODE(parse(&limit, "100", &out, &problems), 0);
    WF_EXPECT_INT(out.integer, 100);
    WF_EXPECT_CODE(parse(&limit, NULL, &out, &problems), 0);
    WF_EXPECT_INT(out.integer, 20);
    WF_EXPECT_CODE(parse(&maybe, NULL, &out, &problems), 1);
    WF_EXPECT_CODE(parse(&maybe, "-1.5e1", &out, &problems), 0);
    WF_EXPECT(out.real == -15);
    WF_EXPECT_CODE(parse(&id, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", &out, &problems), 0);
    WF_EXPECT_INT(out.uuid.bytes[15], 0xf6);
    WF_EXPECT_CODE(parse(&state, "paid", &out, &problems), 0);
    WF_EXPECT_INT(out.index, 1);
    WF_EXPECT_CODE(parse(&since, "1970-01-01T00:00:01Z", &out, &problems), 0);
    WF_EXPECT_INT(out.integer, WF_SECONDS(1));
    if (WF_EXPECT_CODE(parse(&vin, "1HGCM82633A123456", &out, &problems), 0))
        WF_EXPECT_TEXT(out.text, "1HGCM82633A123456");
    if (WF_EXPECT_CODE(parse(&filter, "{\"a\": 1}", &out, &problems), 0)) WF_EXPECT_TEXT(out.text, "{\"a\": 1}");
    if (WF_EXPECT_CODE(parse(&tags, "one", &out, &problems), 0) && WF_EXPECT(out.list.count == 1))
        WF_EXPECT_TEXT(out.list.items[0], "one");
}

WF_TEST(a_bool_has_many_words)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {{"true", true},   {"1", true},  {"YES", true}, {"on", true},
                 {"False", false}, {"0", false}, {"no", false}};
    union any out;
    struct wf_problems problems;
    for (size_t i = 0; i < WF_COUNT(words); i++) {
        WF_EXPECT_CODE(parse(&flag, words[i].text, &out, &problems), 0);
        WF_EXPECT(out.truth == words[i].value);
    }
}

static const struct bad {
    const struct wf_member *member;
    const char *text, *problems;
} bad[] = {
    {&needed, NULL, "query.needed missing"},
    {&needed, "", "query.needed int_parsing"},
    {&needed, "x", "query.needed int_parsing"},
    {&needed, "1x", "query.needed int_parsing"},
    {&needed, " 1", "query.needed int_parsing"},
    {&needed, "007", "query.needed int_parsing"},
    {&needed, "1.5", "query.needed int_from_float"},
    {&needed, "3000000000", "query.needed less_than_equal"},
    {&limit, "0", "query.limit greater_than_equal"},
    {&limit, "99999999999999999999", "query.limit int_parsing_size"},
    {&maybe, "NaN", "query.maybe float_parsing"},
    {&maybe, "1e999", "query.maybe finite_number"},
    {&flag, "maybe", "query.flag bool_parsing"},
    {&id, "1", "query.id uuid_parsing"},
    {&vin, "INVALID_VIN", "query.vin string_pattern_mismatch"},
    {&vin, "\xff", "query.vin string_unicode"},
    {&since, "now", "query.since datetime_parsing"},
    {&state, "sent", "query.state enum"},
    {&tags, "four", "query.tags.0 string_too_long"},
    {&filter, "{", "query.filter json_invalid"},
};

WF_TEST_EACH(a_bad_parameter_is_a_problem_with_its_path, bad)
{
    union any out;
    struct wf_problems problems;
    if (!WF_EXPECT_CODE(parse(row->member, row->text, &out, &problems), -EINVAL)) return;
    WF_EXPECT_TEXT(problems_text(&problems), row->problems);
}

/* ---- Forms ---- */

#define LOGIN_MEMBERS(M)                                                                                               \
    M(STRING, user, .min = 1)                                                                                          \
    M(INT32, age, .optional = true)                                                                                    \
    M(LIST(INT64, .max = 9), picks, .optional = true, .max = 3)                                                        \
    M(BOOL, remember, .preset = "no")                                                                                  \
    M(STRING, note, .optional = true)
WF_MODEL(login, LOGIN_MEMBERS, .unknown = WF_UNKNOWN_REFUSED)

static int parse_form(const char *text, struct login *login, struct wf_problems *problems)
{
    struct wf_pairs pairs;
    wf_problems_init(problems, wf_task_arena());
    int rc = wf_pairs_parse(wf_task_arena(), text, strlen(text), &pairs);
    return rc < 0 ? rc : wf_model_parse_pairs(&login_model, wf_task_arena(), &pairs, login, problems);
}

WF_TEST(a_form_fills_a_model)
{
    struct login login;
    struct wf_problems problems;
    const char *text = "user=Zo%C3%AB+K&picks=3&age=&remember=on&picks=4&&note=";
    if (!WF_EXPECT_CODE(parse_form(text, &login, &problems), 0)) return;
    WF_EXPECT_TEXT(login.user, "Zo\xc3\xab K");
    WF_EXPECT(login.remember && login.has.remember && !login.has.age);
    if (WF_EXPECT(login.picks.count == 2)) WF_EXPECT_INT(login.picks.items[1], 4);
    WF_EXPECT_TEXT(login.note, "");
    if (!WF_EXPECT_CODE(parse_form("user=x", &login, &problems), 0)) return;
    WF_EXPECT(!login.remember && !login.has.remember && !login.has.note && login.note == NULL &&
              login.picks.count == 0);
}

static const struct form {
    const char *text;
    int code;
    const char *problems;
} forms[] = {
    {"", -EINVAL, "body.user missing"},
    {"user=", -EINVAL, "body.user string_too_short"},
    {"user=a&user=b", -EINVAL, "body.user duplicate"},
    {"user=a&age=x&picks=1&picks=10&picks=y", -EINVAL,
     "body.age int_parsing; body.picks.1 less_than_equal; body.picks.2 int_parsing"},
    {"user=a&picks=1&picks=2&picks=3&picks=4", -EINVAL, "body.picks too_long"},
    {"user=a&other=1&%FF=2&=3&b", -EINVAL,
     "body.other extra_forbidden; body.\xef\xbf\xbd extra_forbidden; body. extra_forbidden; body.b extra_forbidden"},
    {"user=%ff", -EINVAL, "body.user string_unicode"},
    {"user=%4", -EBADMSG, ""},
    {"us%er=1", -EBADMSG, ""},
    {"user=%00", -EBADMSG, ""},
};

WF_TEST_EACH(what_is_wrong_with_a_form_is_listed, forms)
{
    struct login login;
    struct wf_problems problems;
    if (!WF_EXPECT_CODE(parse_form(row->text, &login, &problems), row->code)) return;
    WF_EXPECT_TEXT(problems_text(&problems), row->problems);
}

WF_TEST(a_form_has_at_most_a_thousand_pairs)
{
    char text[2 * WF_PAIRS_MAX + 1];
    struct wf_pairs pairs;
    for (size_t i = 0; i < sizeof text; i++) text[i] = i % 2 == 0 ? 'a' : '&';
    WF_EXPECT_CODE(wf_pairs_parse(wf_task_arena(), text, sizeof text, &pairs), -E2BIG);
    if (!WF_EXPECT_CODE(wf_pairs_parse(wf_task_arena(), text, sizeof text - 2, &pairs), 0)) return;
    WF_EXPECT_INT((int64_t)pairs.count, WF_PAIRS_MAX);
}

WF_TEST(raw_zero_bytes_in_a_form_are_no_end)
{
    struct wf_pairs pairs;
    if (!WF_EXPECT_CODE(wf_pairs_parse(wf_task_arena(), "a\0b=c\0+d", 8, &pairs), 0)) return;
    if (!WF_EXPECT(pairs.count == 1)) return;
    WF_EXPECT(pairs.items[0].name_size == 3 && pairs.items[0].text_size == 4);
    WF_EXPECT(memcmp(pairs.items[0].text, "c\0 d", 4) == 0);
}

WF_TEST_MAIN
