/* Models out of JSON: what is accepted, and what is said of all that is not. */
#include "models.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_MEMBERS(M) M(STRING, sku, .pattern = "^[A-Z]{2}-[0-9]+$") M(INT32, count, .min = 0)
WF_MODEL(line, LINE_MEMBERS)

#define ORDER_MEMBERS(M)                                                                                               \
    M(STRING, customer_email, .format = WF_EMAIL)                                                                      \
    M(INT64, quantity, .min = 1, .max = 1000)                                                                          \
    M(STRING, note, .optional = true, .nullable = true, .max = 5)                                                      \
    M(LIST(MODEL(line)), lines, .optional = true, .max = 3)                                                            \
    M(MODEL(line), gift, .optional = true)                                                                             \
    M(MAP(INT64, .min = 0), stock, .optional = true)
WF_MODEL(order, ORDER_MEMBERS, .unknown = WF_UNKNOWN_REFUSED)

WF_MEMBER(truths, LIST(BOOL))
WF_MEMBER(many_truths, LIST(BOOL), .max = 20000)
WF_MEMBER(numbers, MAP(INT32))

static int parse(const struct wf_model *model, const char *text, void *out, struct wf_problems *problems)
{
    wf_problems_init(problems, wf_task_arena());
    return wf_model_parse(model, wf_task_arena(), text, strlen(text), out, problems);
}

WF_TEST(a_model_is_filled_from_json)
{
    struct order order;
    struct wf_problems problems;
    const char *text =
        "{\"customer_email\": \"a@b.example\", \"quantity\": 7, \"gift\": {\"count\": 2, \"sku\": \"AB-1\"},"
        "\"lines\": [{\"sku\": \"CD-22\", \"count\": 1}], \"stock\": {\"x\": 1, \"y\": 2}}";
    if (!WF_EXPECT_CODE(parse(&order_model, text, &order, &problems), 0)) return;
    WF_EXPECT_TEXT(order.customer_email, "a@b.example");
    WF_EXPECT_INT(order.quantity, 7);
    WF_EXPECT(order.has.quantity && order.has.gift && order.has.lines && !order.has.note && !order.null.note);
    WF_EXPECT(order.note == NULL);
    WF_EXPECT_TEXT(order.gift.sku, "AB-1");
    WF_EXPECT_INT(order.gift.count, 2);
    if (WF_EXPECT(order.lines.count == 1)) WF_EXPECT_TEXT(order.lines.items[0].sku, "CD-22");
    if (WF_EXPECT(order.stock.count == 2)) {
        WF_EXPECT_TEXT(order.stock.items[1].key, "y");
        WF_EXPECT_INT(order.stock.items[1].value, 2);
    }
}

static const struct input {
    const char *text;
    const char *problems;
} wrong[] = {
    {"{}", "body.customer_email missing; body.quantity missing"},
    {"[]", "body model_type"},
    {"null", "body model_type"},
    {"{\"customer_email\":1,\"quantity\":\"7\"}", "body.customer_email string_type; body.quantity int_type"},
    {"{\"customer_email\":\"a@b\",\"quantity\":0}", "body.quantity greater_than_equal"},
    {"{\"customer_email\":\"a@b\",\"quantity\":1001}", "body.quantity less_than_equal"},
    {"{\"customer_email\":\"a@b\",\"quantity\":1.5}", "body.quantity int_from_float"},
    {"{\"customer_email\":\"a@b\",\"quantity\":9223372036854775808}", "body.quantity int_parsing_size"},
    {"{\"customer_email\":\"ab\",\"quantity\":null}", "body.customer_email value_error; body.quantity int_type"},
    {"{\"customer_email\":\"a@b\",\"quantity\":1,\"note\":\"123456\"}", "body.note string_too_long"},
    {"{\"customer_email\":\"a@b\",\"quantity\":1,\"note\":\"a\\u0000b\"}", "body.note string_zero"},
    {"{\"customer_email\":\"a@b\",\"quantity\":1,\"quantity\":2}", "body.quantity duplicate"},
    {"{\"customer_email\":\"a@b\",\"quantity\":1,\"other\":{\"a\":[1,2]},\"\":1}",
     "body.other extra_forbidden; body. extra_forbidden"},
    {"{\"customer_email\":\"a@b\",\"quantity\":1,\"gift\":{\"sku\":\"ab-1\",\"count\":-1}}",
     "body.gift.sku string_pattern_mismatch; body.gift.count greater_than_equal"},
    {"{\"customer_email\":\"a@b\",\"quantity\":1,\"gift\":{\"sku\":\"AB-1\",\"count\":2147483648}}",
     "body.gift.count less_than_equal"},
    {"{\"customer_email\":\"a@b\",\"quantity\":1,\"lines\":[{},1,{\"sku\":\"AB-1\",\"count\":true}]}",
     "body.lines.0.sku missing; body.lines.0.count missing; body.lines.1 model_type; body.lines.2.count int_type"},
    {"{\"customer_email\":\"a@b\",\"quantity\":1,\"lines\":[1,1,1,1,1]}",
     "body.lines.0 model_type; body.lines.1 model_type; body.lines.2 model_type; body.lines too_long"},
    {"{\"customer_email\":\"a@b\",\"quantity\":1,\"lines\":{}}", "body.lines list_type"},
    {"{\"customer_email\":\"a@b\",\"quantity\":1,\"stock\":[]}", "body.stock dict_type"},
    {"{\"customer_email\":\"a@b\",\"quantity\":1,\"stock\":{\"a\":1,\"b\":2,\"a\":3}}", "body.stock.a duplicate"},
    {"{\"customer_email\":\"a@b\",\"quantity\":1,\"stock\":{\"a\":-1,\"c\\u0000\":2}}",
     "body.stock.a greater_than_equal; body.stock string_zero"},
};

WF_TEST_EACH(all_problems_are_listed_with_their_paths, wrong)
{
    struct order order;
    struct wf_problems problems;
    if (!WF_EXPECT_FAILURE(parse(&order_model, row->text, &order, &problems), -EINVAL, "problem")) return;
    WF_EXPECT_TEXT(problems_text(&problems), row->problems);
}

WF_TEST(problems_are_written_as_detail)
{
    struct order order;
    struct wf_problems problems;
    struct wf_json_writer writer;
    const char *text = "{\"customer_email\":\"a@b\",\"quantity\":0,\"lines\":[{\"sku\":\"AB-1\"}]}";
    if (!WF_EXPECT_CODE(parse(&order_model, text, &order, &problems), -EINVAL)) return;
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    wf_problems_write(&problems, &writer);
    WF_EXPECT_TEXT(
        ended(&writer),
        "{\"detail\":[{\"loc\":[\"body\",\"quantity\"],\"msg\":\"Input should be greater than or equal to 1\","
        "\"type\":\"greater_than_equal\"},{\"loc\":[\"body\",\"lines\",0,\"count\"],\"msg\":\"Field required\","
        "\"type\":\"missing\"}]}");
}

WF_TEST(what_is_no_json_is_one_problem_with_its_place)
{
    struct order order;
    struct wf_problems problems;
    wf_problems_init(&problems, wf_task_arena());
    problems.where = "query";
    if (!WF_EXPECT_CODE(wf_problems_add(&problems, "page", "missing", "Field required"), -EINVAL)) return;
    problems.where = "body";
    const char *text = "{\"quantity\": 0,\n \"other\": 1, oops}";
    int rc = wf_model_parse(&order_model, wf_task_arena(), text, strlen(text), &order, &problems);
    if (!WF_EXPECT_CODE(rc, -EBADMSG)) return;
    WF_EXPECT_TEXT(problems_text(&problems), "query.page missing; body.29 json_invalid");
    WF_EXPECT_INT((int64_t)problems.count, 2);
    WF_EXPECT_CODE(parse(&order_model, "", &order, &problems), -EBADMSG);
    WF_EXPECT_CODE(parse(&order_model, "{} x", &order, &problems), -EBADMSG);
    WF_EXPECT_INT((int64_t)problems.count, 1);
}

WF_TEST(no_more_than_a_hundred_problems_are_kept)
{
    static char text[4000];
    strcpy(text, "[");
    WF_TYPE(LIST(BOOL)) out;
    struct wf_problems problems;
    for (int i = 0; i < 150; i++) strcat(text, i < 149 ? "1," : "1]");
    wf_problems_init(&problems, wf_task_arena());
    if (!WF_EXPECT_CODE(wf_member_parse(&truths, wf_task_arena(), text, strlen(text), &out, &problems), -EINVAL))
        return;
    size_t kept = 0;
    for (const struct wf_problem *each = problems.first; each != NULL; each = each->next) kept++;
    WF_EXPECT_INT((int64_t)kept, WF_PROBLEMS_MAX);
    WF_EXPECT_INT((int64_t)problems.count, 150);
    WF_EXPECT_CODE(wf_member_parse(&truths, wf_task_arena(), "[1]", 3, &out, NULL), -EINVAL);
}

/* ---- Kinds ---- */

#define ALL_MEMBERS(M)                                                                                                 \
    M(BOOL, truth, .optional = true)                                                                                   \
    M(INT32, small, .optional = true, .below = 100)                                                                    \
    M(INT64, large, .optional = true, .min = -9e18)                                                                    \
    M(UINT64, natural, .optional = true)                                                                               \
    M(DOUBLE, real, .optional = true, .above = 0)                                                                      \
    M(STRING, text, .optional = true, .min = 2, .max = 3)                                                              \
    M(STRING, wide, .optional = true, .min = 2)                                                                        \
    M(BYTES, bytes, .optional = true, .max = 4)                                                                        \
    M(UUID, uuid, .optional = true)                                                                                    \
    M(DATE, date, .optional = true)                                                                                    \
    M(DATE_TIME, time, .optional = true)                                                                               \
    M(ENUM, state, .optional = true, .values = WF_VALUES("open", "paid", "sent"))                                      \
    M(JSON, any, .optional = true)                                                                                     \
    M(STRING, uri, .optional = true, .format = WF_URI)                                                                 \
    M(STRING, host, .optional = true, .format = WF_HOSTNAME)                                                           \
    M(STRING, ip4, .optional = true, .format = WF_IPV4)                                                                \
    M(STRING, ip6, .optional = true, .format = WF_IPV6)                                                                \
    M(STRING, mail, .optional = true, .format = WF_EMAIL)
WF_MODEL(all, ALL_MEMBERS)

static const struct value {
    const char *text;
    const char *again; /* NULL: the same; else what is written, or its problems */
} values[] = {
    {"{\"truth\":true}", NULL},
    {"{\"truth\":0}", "body.truth bool_type"},
    {"{\"small\":-2147483648}", NULL},
    {"{\"small\":-2147483649}", "body.small greater_than_equal"},
    {"{\"small\":99}", NULL},
    {"{\"small\":100}", "body.small less_than"},
    {"{\"small\":1e1}", "{\"small\":10}"},
    {"{\"large\":9223372036854775807}", NULL},
    {"{\"large\":-9000000000000000000}", NULL},
    {"{\"large\":-9000000000000000001}", "body.large greater_than_equal"},
    {"{\"natural\":18446744073709551615}", NULL},
    {"{\"natural\":-1}", "body.natural greater_than_equal"},
    {"{\"real\":0.1}", NULL},
    {"{\"real\":1}", "{\"real\":1.0}"},
    {"{\"real\":0}", "body.real greater_than"},
    {"{\"real\":1e400}", "body.real finite_number"},
    {"{\"text\":\"\xc3\xa9\xc3\xa9\xf0\x9f\x98\x80\"}", NULL}, /* three characters */
    {"{\"text\":\"\xf0\x9f\x98\x80\"}", "body.text string_too_short"},
    {"{\"text\":\"a\\u00e9\"}", "{\"text\":\"a\xc3\xa9\"}"},
    {"{\"text\":\"abcd\"}", "body.text string_too_long"},
    {"{\"text\":null}", "body.text string_type"},
    {"{\"wide\":\"\xf0\x9f\x98\x80\"}", "body.wide string_too_short"},
    {"{\"bytes\":\"\"}", NULL},
    {"{\"bytes\":\"AA==\"}", NULL},
    {"{\"bytes\":\"/+8=\"}", NULL},
    {"{\"bytes\":\"AAECAw==\"}", NULL},
    {"{\"bytes\":\"AAECAwQ=\"}", "body.bytes too_long"},
    {"{\"bytes\":\"AAE\"}", "body.bytes base64_decode"},
    {"{\"bytes\":\"AAF=\"}", "body.bytes base64_decode"}, /* bits are left over */
    {"{\"bytes\":\"A===\"}", "body.bytes base64_decode"},
    {"{\"bytes\":\"AA==AA==\"}", "body.bytes base64_decode"},
    {"{\"bytes\":\"_-8=\"}", "body.bytes base64_decode"},
    {"{\"uuid\":\"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"}", NULL},
    {"{\"uuid\":\"F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6\"}", "{\"uuid\":\"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"}"},
    {"{\"uuid\":\"f81d4fae7dec11d0a76500a0c91e6bf6\"}", "body.uuid uuid_parsing"},
    {"{\"uuid\":\"f81d4fae-7dec-11d0-a765-00a0c91e6bg6\"}", "body.uuid uuid_parsing"},
    {"{\"date\":\"2024-02-29\"}", NULL},
    {"{\"date\":\"2000-02-29\"}", NULL},
    {"{\"date\":\"1900-02-29\"}", "body.date date_parsing"},
    {"{\"date\":\"2026-04-31\"}", "body.date date_parsing"},
    {"{\"date\":\"2026-4-3\"}", "body.date date_parsing"},
    {"{\"date\":\"2026-00-10\"}", "body.date date_parsing"},
    {"{\"time\":\"2026-02-28T09:30:00Z\"}", NULL},
    {"{\"time\":\"1969-12-31T23:59:59.999999999Z\"}", NULL},
    {"{\"time\":\"1700-01-01T00:00:00.5Z\"}", NULL},
    {"{\"time\":\"2026-02-28t09:30:00.120z\"}", "{\"time\":\"2026-02-28T09:30:00.12Z\"}"},
    {"{\"time\":\"2026-03-01T00:30:00+01:00\"}", "{\"time\":\"2026-02-28T23:30:00Z\"}"},
    {"{\"time\":\"2026-12-31T23:30:00-00:45\"}", "{\"time\":\"2027-01-01T00:15:00Z\"}"},
    {"{\"time\":\"2016-12-31T23:59:60Z\"}", "{\"time\":\"2017-01-01T00:00:00Z\"}"},
    {"{\"time\":\"2026-02-28T09:30:00\"}", "body.time datetime_parsing"},
    {"{\"time\":\"2026-02-28T24:00:00Z\"}", "body.time datetime_parsing"},
    {"{\"time\":\"2026-02-28T09:30:00.Z\"}", "body.time datetime_parsing"},
    {"{\"time\":\"2026-02-28T09:30:00+24:00\"}", "body.time datetime_parsing"},
    {"{\"time\":\"2026-02-28T09:30:00+0100\"}", "body.time datetime_parsing"},
    {"{\"time\":\"3000-01-01T00:00:00Z\"}", "body.time datetime_parsing"},
    {"{\"time\":1772271000}", "body.time datetime_type"},
    {"{\"state\":\"paid\"}", NULL},
    {"{\"state\":\"pai\"}", "body.state enum"},
    {"{\"state\":1}", "body.state string_type"},
    {"{\"any\":{ \"a\": [1, null] }}", NULL},
    {"{\"any\":null}", NULL},
    {"{\"uri\":\"https://a.example/x?y=%41#z\"}", NULL},
    {"{\"uri\":\"urn:isbn:123\"}", NULL},
    {"{\"uri\":\"/relative\"}", "body.uri value_error"},
    {"{\"uri\":\"http:\"}", "body.uri value_error"},
    {"{\"uri\":\"http://a b\"}", "body.uri value_error"},
    {"{\"uri\":\"http://a%4\"}", "body.uri value_error"},
    {"{\"host\":\"a-b.example\"}", NULL},
    {"{\"host\":\"-a.example\"}", "body.host value_error"},
    {"{\"host\":\"a-.example\"}", "body.host value_error"},
    {"{\"host\":\"a..b\"}", "body.host value_error"},
    {"{\"host\":\"a.\"}", "body.host value_error"},
    {"{\"host\":\"\"}", "body.host value_error"},
    {"{\"host\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b\"}", NULL},
    {"{\"host\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b\"}", "body.host value_error"},
    {"{\"host\":\"a--------------------------------------------------------------a.b\"}", "body.host value_error"},
    {"{\"host\":\"a_b\"}", "body.host value_error"},
    {"{\"uri\":\"1a:b\"}", "body.uri value_error"},
    {"{\"ip4\":\"192.0.2.1\"}", NULL},
    {"{\"ip4\":\"192.0.2.256\"}", "body.ip4 value_error"},
    {"{\"ip4\":\"192.0.2.1.\"}", "body.ip4 value_error"},
    {"{\"ip6\":\"2001:db8::1\"}", NULL},
    {"{\"ip6\":\"2001:db8::1::2\"}", "body.ip6 value_error"},
    {"{\"mail\":\"o'brien+tag@a.example\"}", NULL},
    {"{\"mail\":\"a@b@c\"}", "body.mail value_error"},
    {"{\"mail\":\"@b\"}", "body.mail value_error"},
    {"{\"mail\":\"a b@c\"}", "body.mail value_error"},
    {"{\"mail\":\"a@\"}", "body.mail value_error"},
    {"{\"unknown\":[{\"deep\":\"\\u00e9\"}],\"truth\":false}", "{\"truth\":false}"},
    {"{\"state\":\"sent\",\"truth\":true,\"s\\u006dall\":5}", "{\"truth\":true,\"small\":5,\"state\":\"sent\"}"},
};

WF_TEST_EACH(each_kind_reads_and_writes_its_values, values)
{
    WF_EXPECT_TEXT(there_and_back(&all_model, row->text), row->again != NULL ? row->again : row->text);
}

/* ---- Presence ---- */

#define PATCH_MEMBERS(M)                                                                                               \
    M(STRING, name, .optional = true, .nullable = true)                                                                \
    M(INT64, age, .nullable = true)                                                                                    \
    M(INT32, page, .preset = "1", .min = 1)                                                                            \
    M(ENUM, state, .preset = "paid", .values = WF_VALUES("open", "paid"))                                              \
    M(LIST(STRING), tags, .preset = "[\"a\",\"b\"]")                                                                   \
    M(INT64, id, .read_only = true)                                                                                    \
    M(STRING, password, .write_only = true, .optional = true)
WF_MODEL(patch, PATCH_MEMBERS)

WF_TEST(absent_null_and_given_are_three_things)
{
    struct patch patch;
    struct wf_problems problems;
    if (!WF_EXPECT_CODE(parse(&patch_model, "{\"age\":null}", &patch, &problems), 0)) return;
    WF_EXPECT(!patch.has.name && !patch.null.name && !patch.has.age && patch.null.age);
    if (!WF_EXPECT_CODE(parse(&patch_model, "{\"age\":0,\"name\":null}", &patch, &problems), 0)) return;
    WF_EXPECT(!patch.has.name && patch.null.name && patch.has.age && !patch.null.age);
    WF_EXPECT_CODE(parse(&patch_model, "{}", &patch, &problems), -EINVAL);
    WF_EXPECT_TEXT(problems_text(&problems), wf_failure() != NULL ? "body.age missing" : "");
}

WF_TEST(presets_stand_in_and_what_is_read_only_is_passed_over)
{
    struct patch patch;
    struct wf_problems problems;
    const char *text = "{\"age\":1,\"id\":\"anything\",\"password\":\"secret\"}";
    if (!WF_EXPECT_CODE(parse(&patch_model, text, &patch, &problems), 0)) return;
    WF_EXPECT(patch.page == 1 && patch.state == 1 && !patch.has.page && !patch.has.id && patch.id == 0);
    WF_EXPECT_TEXT(patch.password, "secret");
    if (WF_EXPECT(patch.tags.count == 2)) WF_EXPECT_TEXT(patch.tags.items[1], "b");
    WF_EXPECT_TEXT(there_and_back(&patch_model, text),
                   "{\"age\":1,\"page\":1,\"state\":\"paid\",\"tags\":[\"a\",\"b\"],\"id\":0}");
}

/* ---- Unions, trees, checks ---- */

#define CIRCLE_MEMBERS(M) M(DOUBLE, radius, .above = 0)
WF_MODEL(circle, CIRCLE_MEMBERS, .unknown = WF_UNKNOWN_REFUSED)
#define SQUARE_MEMBERS(M) M(DOUBLE, side, .above = 0) M(STRING, name, .optional = true)
WF_MODEL(square, SQUARE_MEMBERS)
#define SHAPE_CASES(C) C(circle) C(square, .name = "box")
WF_UNION(shape, SHAPE_CASES, .tag = "type")
#define DRAWING_MEMBERS(M) M(LIST(MODEL(shape)), shapes) M(LIST(MODEL(drawing)), parts, .optional = true)
WF_MODEL(drawing, DRAWING_MEMBERS)

static const struct value drawings[] = {
    {"{\"shapes\":[{\"type\":\"circle\",\"radius\":2.5},{\"type\":\"box\",\"side\":1.0}]}", NULL},
    {"{\"shapes\":[{\"radius\":2.5,\"type\":\"circle\"}]}", "{\"shapes\":[{\"type\":\"circle\",\"radius\":2.5}]}"},
    {"{\"shapes\":[{\"radius\":[{}],\"t\\u0079pe\":\"box\",\"side\":3}]}",
     "{\"shapes\":[{\"type\":\"box\",\"side\":3.0}]}"},
    {"{\"shapes\":[{\"radius\":1}]}", "body.shapes.0 union_tag_not_found"},
    {"{\"shapes\":[{\"type\":1}]}", "body.shapes.0 union_tag_not_found"},
    {"{\"shapes\":[{\"type\":\"square\"},5]}", "body.shapes.0 union_tag_invalid; body.shapes.1 model_type"},
    {"{\"shapes\":[{\"type\":\"circle\",\"side\":1}]}",
     "body.shapes.0.side extra_forbidden; body.shapes.0.radius missing"},
    {"{\"shapes\":[],\"parts\":[{\"shapes\":[],\"parts\":[{\"shapes\":[]}]}]}", NULL},
    {"{\"shapes\":[],\"parts\":[{}]}", "body.parts.0.shapes missing"},
};

WF_TEST_EACH(a_union_is_told_by_its_tag_and_a_model_may_contain_itself, drawings)
{
    WF_EXPECT_TEXT(there_and_back(&drawing_model, row->text), row->again != NULL ? row->again : row->text);
}

#define GRID_MEMBERS(M)                                                                                                \
    M(LIST(LIST(INT32, .max = 9), .max = 2), rows, .max = 3)                                                           \
    M(MAP(LIST(MODEL(circle))), by_name, .optional = true)                                                             \
    M(LIST(MAP(ENUM, .values = WF_VALUES("a", "b"))), choices, .preset = "[{}]")                                       \
    M(MAP(MAP(BOOL)), flags, .optional = true)
WF_MODEL(grid, GRID_MEMBERS)

static const struct value grids[] = {
    {"{\"rows\":[[1,2],[],[3]],\"by_name\":{\"x\":[{\"radius\":1.5}]},\"choices\":[{\"k\":\"b\"}],\"flags\":{\"a\":{"
     "\"b\":true}}}",
     NULL},
    {"{\"rows\":[]}", "{\"rows\":[],\"choices\":[{}]}"},
    {"{\"rows\":[[1],[1,2,3],[10,\"x\"]],\"choices\":[{\"k\":\"c\"}]}",
     "body.rows.1 too_long; body.rows.2.0 less_than_equal; body.rows.2.1 int_type; body.choices.0.k enum"},
    {"{\"rows\":[1,{}],\"by_name\":{\"x\":[{\"radius\":0}]}}",
     "body.rows.0 list_type; body.rows.1 list_type; body.by_name.x.0.radius greater_than"},
};

WF_TEST_EACH(lists_and_maps_may_hold_lists_and_maps, grids)
{
    WF_EXPECT_TEXT(there_and_back(&grid_model, row->text), row->again != NULL ? row->again : row->text);
}

WF_TEST(the_case_of_a_union_is_the_model_that_it_is)
{
    struct shape shape;
    struct wf_problems problems;
    if (!WF_EXPECT_CODE(parse(&shape_model, "{\"type\":\"box\",\"side\":4}", &shape, &problems), 0)) return;
    WF_EXPECT(shape.which == &square_model);
    WF_EXPECT(shape.square.side == 4 && !shape.square.has.name);
}

WF_TEST(depth_ends_at_the_depth_of_json)
{
    static char text[2000];
    text[0] = '\0';
    for (int i = 0; i < 17; i++) strcat(text, "{\"shapes\":[],\"parts\":[");
    struct drawing drawing;
    struct wf_problems problems;
    WF_EXPECT_CODE(parse(&drawing_model, text, &drawing, &problems), -EBADMSG);
}

static const char *check_even(const void *value)
{
    return *(const int64_t *)value % 2 == 0 ? NULL : "it is odd";
}

struct range;
static const char *check_range(const void *value);

#define RANGE_MEMBERS(M)                                                                                               \
    M(INT64, low, .check = check_even) M(INT64, high) M(LIST(INT64, .check = check_even), all, .optional = true)
WF_MODEL(range, RANGE_MEMBERS, .check = check_range)

static const char *check_range(const void *value)
{
    const struct range *range = value;
    return range->low <= range->high ? NULL : "low is above high";
}

static const struct value ranges[] = {
    {"{\"low\":2,\"high\":3}", NULL},
    {"{\"low\":1,\"high\":0}", "body.low value_error"},
    {"{\"low\":2,\"high\":0}", "body value_error"},
    {"{\"low\":2,\"high\":3,\"all\":[2,3,4,5]}", "body.all.1 value_error; body.all.3 value_error"},
};

WF_TEST_EACH(functions_of_ones_own_check_members_and_models, ranges)
{
    WF_EXPECT_TEXT(there_and_back(&range_model, row->text), row->again != NULL ? row->again : row->text);
}

/* ---- Limits ---- */

WF_TEST(a_list_without_a_maximum_has_one_all_the_same)
{
    WF_TYPE(LIST(BOOL)) out;
    struct wf_problems problems;
    size_t size = 0;
    char *text = wf_arena_alloc(wf_task_arena(), 6 * (WF_ITEMS_MAX + 2));
    if (text == NULL) return;
    text[size++] = '[';
    for (int i = 0; i <= WF_ITEMS_MAX; i++) size += (size_t)sprintf(text + size, "true,");
    text[size - 1] = ']';
    wf_problems_init(&problems, wf_task_arena());
    if (!WF_EXPECT_CODE(wf_member_parse(&truths, wf_task_arena(), text, size, &out, &problems), -EINVAL)) return;
    WF_EXPECT_TEXT(problems_text(&problems), "body too_long");
    WF_EXPECT_CODE(wf_member_parse(&many_truths, wf_task_arena(), text, size, &out, &problems), 0);
    WF_EXPECT_INT((int64_t)out.count, WF_ITEMS_MAX + 1);
}

WF_TEST(keys_that_come_twice_are_found_among_many)
{
    WF_TYPE(MAP(INT32)) out;
    struct wf_problems problems;
    size_t size = 0;
    char *text = wf_arena_alloc(wf_task_arena(), 20 * 2000);
    if (text == NULL) return;
    text[size++] = '{';
    for (int i = 0; i < 1000; i++) size += (size_t)sprintf(text + size, "\"k%d\":%d,", i * 7919 % 1000, i);
    size_t distinct = size;
    text[distinct - 1] = '}';
    wf_problems_init(&problems, wf_task_arena());
    WF_EXPECT_CODE(wf_member_parse(&numbers, wf_task_arena(), text, distinct, &out, &problems), 0);
    text[distinct - 1] = ',';
    size += (size_t)sprintf(text + size, "\"k500\":0}");
    if (!WF_EXPECT_CODE(wf_member_parse(&numbers, wf_task_arena(), text, size, &out, &problems), -EINVAL)) return;
    WF_EXPECT_TEXT(problems_text(&problems), "body.k500 duplicate");
}

WF_TEST(an_arena_with_a_limit_is_a_limit_of_a_parse)
{
    struct wf_arena arena;
    struct order order;
    const char *text = "{\"customer_email\":\"a@b.example\",\"quantity\":7,\"stock\":{\"x\":1,\"y\":2}}";
    wf_arena_init(&arena);
    for (size_t limit = 1; limit < 160; limit++) {
        wf_arena_set_limit(&arena, limit);
        int rc = wf_model_parse(&order_model, &arena, text, strlen(text), &order, NULL);
        WF_EXPECT(rc == -ENOMEM || rc == 0);
        wf_arena_reset(&arena);
    }
    wf_arena_finish(&arena);
}

WF_TEST_MAIN
