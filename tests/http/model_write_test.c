/* Models as JSON and as schemas, and declarations that are wrong. */
#include "models.h"

#define ADDRESS_MEMBERS(M) M(STRING, street) M(STRING, city, .name = "townOrCity", .optional = true)
WF_MODEL(address, ADDRESS_MEMBERS)

#define PERSON_MEMBERS(M)                                                                                              \
    M(STRING, name)                                                                                                    \
    M(INT64, age, .optional = true, .nullable = true)                                                                  \
    M(ENUM, state, .values = WF_VALUES("new", "old"))                                                                  \
    M(MODEL(address), home)                                                                                            \
    M(LIST(INT32), numbers)                                                                                            \
    M(MAP(STRING), labels, .optional = true)                                                                           \
    M(BYTES, photo, .optional = true)                                                                                  \
    M(DATE, born, .optional = true)                                                                                    \
    M(STRING, password, .write_only = true)
WF_MODEL(person, PERSON_MEMBERS)

WF_MEMBER(photo, BYTES)

static const char *written(const struct person *person)
{
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    return wf_model_write(&person_model, person, &writer) < 0 ? "" : ended(&writer);
}

WF_TEST(a_struct_is_written_as_it_is_declared)
{
    int32_t numbers[] = {1, -2};
    struct person person = {.name = "Zo\xc3\xab \"Z\"", .state = 1, .password = "secret"};
    person.home.street = "Main St";
    WF_EXPECT_TEXT(written(&person),
                   "{\"name\":\"Zo\xc3\xab \\\"Z\\\"\",\"state\":\"old\",\"home\":{\"street\":\"Main St\"},"
                   "\"numbers\":[]}");
    person.numbers.items = numbers;
    person.numbers.count = 2;
    person.has.age = true;
    person.home.city = "Ghent"; /* a pointer that is not NULL is there */
    person.photo = (struct wf_bytes){.data = "\0\1\2\3", .size = 4};
    WF_EXPECT_TEXT(written(&person),
                   "{\"name\":\"Zo\xc3\xab \\\"Z\\\"\",\"age\":0,\"state\":\"old\",\"home\":{\"street\":"
                   "\"Main St\",\"townOrCity\":\"Ghent\"},\"numbers\":[1,-2],\"photo\":\"AAECAw==\"}");
}

WF_TEST(null_is_written_where_it_was_said)
{
    struct person person = {.name = "a", .null.age = true, .null.name = true};
    person.home.street = "b";
    WF_EXPECT_TEXT(written(&person),
                   "{\"name\":\"a\",\"age\":null,\"state\":\"new\",\"home\":{\"street\":\"b\"},\"numbers\":[]}");
}

WF_TEST(a_value_that_its_kind_does_not_have_is_refused)
{
    struct wf_json_writer writer;
    struct person person = {.name = "a"};
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    WF_EXPECT_FAILURE(wf_model_write(&person_model, &person, &writer), -EINVAL, "street is NULL");
    person.home.street = "b";
    person.state = 2;
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    WF_EXPECT_FAILURE(wf_model_write(&person_model, &person, &writer), -EINVAL, "state is none of its values");
    person.state = 0;
    person.has.born = true;
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    WF_EXPECT_FAILURE(wf_model_write(&person_model, &person, &writer), -EINVAL, "born is no date");
    person.has.born = false;
    person.name = "\xff";
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    WF_EXPECT_FAILURE(wf_model_write(&person_model, &person, &writer), -EILSEQ, "no UTF-8");
}

WF_TEST(bytes_of_any_length_come_back)
{
    static unsigned char data[600];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (unsigned char)(i * 31);
    for (size_t size = 0; size <= sizeof data; size += size < 10 ? 1 : 59) {
        struct wf_bytes bytes = {.data = data, .size = size}, again;
        struct wf_json_writer writer;
        const char *text;
        wf_json_writer_init(&writer, wf_task_arena(), 0);
        wf_member_write(&photo, &bytes, &writer);
        if (!WF_EXPECT_CODE(wf_json_write_end(&writer, &text, NULL), 0)) return;
        if (!WF_EXPECT_CODE(wf_member_parse(&photo, wf_task_arena(), text, strlen(text), &again, NULL), 0)) return;
        WF_EXPECT(again.size == size && memcmp(again.data, data, size) == 0);
    }
}

/* ---- Schemas ---- */

#define CIRCLE_MEMBERS(M) M(DOUBLE, radius, .above = 0)
WF_MODEL(circle, CIRCLE_MEMBERS, .unknown = WF_UNKNOWN_REFUSED)
#define SHAPE_CASES(C) C(circle) C(address, .name = "place")
WF_UNION(shape, SHAPE_CASES, .tag = "type", .description = "One of two")

#define ITEM_MEMBERS(M)                                                                                                \
    M(INT64, id, .read_only = true)                                                                                    \
    M(STRING, name, .min = 1, .max = 50, .pattern = "^\\w+$", .title = "Name", .example = "bolt")                      \
    M(DOUBLE, price, .min = 0.5, .below = 100, .nullable = true, .description = "In euros")                            \
    M(UINT64, stock, .preset = "0")                                                                                    \
    M(BOOL, active, .preset = "yes", .deprecated = true)                                                               \
    M(ENUM, size, .optional = true, .values = WF_VALUES("S", "M"), .preset = "M")                                      \
    M(LIST(STRING, .format = WF_EMAIL), owners, .max = 5)                                                              \
    M(MAP(MODEL(address)), places, .optional = true)                                                                   \
    M(MODEL(shape), shape, .nullable = true)                                                                           \
    M(DATE_TIME, made, .optional = true)                                                                               \
    M(BYTES, data, .optional = true)                                                                                   \
    M(JSON, more, .optional = true)                                                                                    \
    M(STRING, secret, .write_only = true, .format = WF_PASSWORD)                                                       \
    M(LIST(MODEL(item)), parts, .optional = true)
WF_MODEL(item, ITEM_MEMBERS, .unknown = WF_UNKNOWN_REFUSED, .description = "What is sold")

static const char item_schema[] =
    "{\"type\":\"object\",\"title\":\"item\",\"description\":\"What is sold\",\"properties\":{"
    "\"id\":{\"type\":\"integer\",\"format\":\"int64\",\"readOnly\":true},"
    "\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":50,\"pattern\":\"^\\\\w+$\",\"title\":\"Name\","
    "\"examples\":[\"bolt\"]},"
    "\"price\":{\"type\":[\"number\",\"null\"],\"format\":\"double\",\"minimum\":0.5,\"exclusiveMaximum\":100,"
    "\"description\":\"In euros\"},"
    "\"stock\":{\"type\":\"integer\",\"format\":\"uint64\",\"minimum\":0,\"default\":0},"
    "\"active\":{\"type\":\"boolean\",\"default\":true,\"deprecated\":true},"
    "\"size\":{\"type\":\"string\",\"enum\":[\"S\",\"M\"],\"default\":\"M\"},"
    "\"owners\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"format\":\"email\"},\"maxItems\":5},"
    "\"places\":{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/components/schemas/address\"},"
    "\"maxProperties\":10000},"
    "\"shape\":{\"anyOf\":[{\"$ref\":\"#/components/schemas/shape\"},{\"type\":\"null\"}]},"
    "\"made\":{\"type\":\"string\",\"format\":\"date-time\"},"
    "\"data\":{\"type\":\"string\",\"contentEncoding\":\"base64\"},"
    "\"more\":{},"
    "\"secret\":{\"type\":\"string\",\"format\":\"password\",\"writeOnly\":true},"
    "\"parts\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/item\"},\"maxItems\":10000}},"
    "\"required\":[\"name\",\"price\",\"owners\",\"shape\"],\"additionalProperties\":false}";

static const char shape_schema[] =
    "{\"title\":\"shape\",\"description\":\"One of two\",\"oneOf\":["
    "{\"type\":\"object\",\"title\":\"circle\",\"properties\":{\"type\":{\"const\":\"circle\"},"
    "\"radius\":{\"type\":\"number\",\"format\":\"double\",\"exclusiveMinimum\":0}},"
    "\"required\":[\"type\",\"radius\"],\"additionalProperties\":false},"
    "{\"type\":\"object\",\"title\":\"address\",\"properties\":{\"type\":{\"const\":\"place\"},"
    "\"street\":{\"type\":\"string\"},\"townOrCity\":{\"type\":\"string\"}},\"required\":[\"type\",\"street\"]}]}";

static const char *schema_of(const struct wf_model *model)
{
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    wf_model_write_schema(model, &writer);
    return ended(&writer);
}

WF_TEST(a_schema_says_what_the_declaration_says)
{
    WF_EXPECT_CODE(wf_model_check(&item_model), 0);
    WF_EXPECT_TEXT(schema_of(&item_model), item_schema);
    WF_EXPECT_TEXT(schema_of(&shape_model), shape_schema);
}

WF_TEST(schemas_come_with_all_that_they_refer_to)
{
    const struct wf_model *models[] = {&item_model, &address_model, &item_model};
    struct wf_json_writer writer;
    struct wf_json_reader reader;
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    wf_model_write_schemas(models, WF_COUNT(models), &writer);
    const char *text = ended(&writer);
    wf_json_reader_init(&reader, wf_task_arena(), text, strlen(text));
    int rc = wf_json_begin_object(&reader);
    while (rc >= 0 && (rc = wf_json_next_member(&reader)) > 0) {
        wf_test_note("%.*s", (int)reader.key_size, reader.key);
        rc = wf_json_skip(&reader);
    }
    WF_EXPECT_TEXT(wf_test_notes(), "item address shape circle");
}

/* ---- Wrong declarations ---- */

WF_MEMBER(bad_preset, INT64, .min = 5, .preset = "4")
WF_MEMBER(bad_example, DATE, .example = "yesterday")
WF_MEMBER(bad_list_preset, LIST(INT32), .preset = "[1,")
WF_MEMBER(bad_pattern, STRING, .pattern = "(")
WF_MEMBER(bad_bounds, DOUBLE, .min = 2, .max = 1)
WF_MEMBER(bad_exclusive, DOUBLE, .above = 1, .below = 1)
WF_MEMBER(bad_length, STRING, .min = 0.5)
WF_MEMBER(bound_uuid, UUID, .min = 1)
WF_MEMBER(exclusive_text, STRING, .above = 1)
WF_MEMBER(no_values, ENUM)
WF_MEMBER(empty_values, ENUM, .values = (const char *const[]){NULL})
WF_MEMBER(stray_values, STRING, .values = WF_VALUES("a"))
WF_MEMBER(stray_format, INT64, .format = WF_EMAIL)
WF_MEMBER(stray_pattern, LIST(INT64, .pattern = "a"))
WF_MEMBER(optional_item, LIST(INT64, .optional = true))
WF_MEMBER(nothing, INT64, .read_only = true, .write_only = true)
WF_MEMBER(too_many_digits, DATE_TIME, .digits = 10)
WF_MEMBER(stray_digits, INT64, .digits = 3)
static const struct wf_member no_kind = {.name = "no_kind"};

WF_MEMBER(to_the_second, DATE_TIME)
WF_MEMBER(to_the_millisecond, DATE_TIME, .digits = 3)
WF_MEMBER(to_the_nanosecond, DATE_TIME, .digits = 9)

static const struct {
    const char *name;
    const struct wf_member *member;
    int64_t time;
    const char *text;
} times[] = {
    {"whole, as many as it has", &to_the_second, WF_SECONDS(1), "\"1970-01-01T00:00:01Z\""},
    {"a part, as many as it has", &to_the_second, WF_MILLISECONDS(1500), "\"1970-01-01T00:00:01.5Z\""},
    {"whole, three", &to_the_millisecond, WF_SECONDS(1), "\"1970-01-01T00:00:01.000Z\""},
    {"cut, not rounded up", &to_the_millisecond, WF_SECONDS(1) - 1, "\"1970-01-01T00:00:00.999Z\""},
    {"before 1970", &to_the_millisecond, -1, "\"1969-12-31T23:59:59.999Z\""},
    {"nine", &to_the_nanosecond, 70, "\"1970-01-01T00:00:00.000000070Z\""},
};

WF_TEST_EACH(a_time_has_the_digits_that_are_wanted, times)
{
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    WF_EXPECT_CODE(wf_member_write(row->member, &row->time, &writer), 0);
    WF_EXPECT_TEXT(ended(&writer), row->text);
}

#define TWICE_MEMBERS(M) M(INT64, one, .name = "same") M(INT64, two, .name = "same")
WF_MODEL(twice, TWICE_MEMBERS)
#define DEEP_MEMBERS(M) M(LIST(MODEL(twice)), all)
WF_MODEL(deep, DEEP_MEMBERS)
#define TAGGED_MEMBERS(M) M(STRING, type)
WF_MODEL(tagged, TAGGED_MEMBERS)
#define CLASH_CASES(C) C(tagged)
WF_UNION(clash, CLASH_CASES, .tag = "type")
WF_UNION(tagless, CLASH_CASES)
#define NESTED_CASES(C) C(clash)
WF_UNION(nested, NESTED_CASES, .tag = "kind")

static const struct wrong {
    const struct wf_member *member;
    const struct wf_model *model;
    const char *part;
} wrong[] = {
    {&bad_preset, NULL, "bad_preset: the preset or example \"4\": Input should be greater than or equal to 5"},
    {&bad_example, NULL, "Input should be a valid date"},
    {&bad_list_preset, NULL, "Input should be valid JSON"},
    {&bad_pattern, NULL, "a group does not end"},
    {&bad_bounds, NULL, "leave nothing"},
    {&bad_exclusive, NULL, "leave nothing"},
    {&bad_length, NULL, "a length is a whole number"},
    {&bound_uuid, NULL, ".min and .max are for"},
    {&exclusive_text, NULL, ".above and .below are for"},
    {&no_values, NULL, "an ENUM has .values"},
    {&empty_values, NULL, "an ENUM has values"},
    {&stray_values, NULL, "an ENUM has .values"},
    {&stray_format, NULL, "are for STRING"},
    {&stray_pattern, NULL, "an item: .pattern and .format are for STRING"},
    {&optional_item, NULL, "are for members"},
    {&too_many_digits, NULL, ".digits are for DATE_TIME, up to 9"},
    {&stray_digits, NULL, ".digits are for DATE_TIME"},
    {&nothing, NULL, "neither read nor written"},
    {&no_kind, NULL, "it has no kind"},
    {NULL, &twice_model, "model twice, same: the name is there twice"},
    {NULL, &deep_model, "model twice, same: the name is there twice"},
    {NULL, &clash_model, "the tag is a member of the case already"},
    {NULL, &tagless_model, "union tagless has no .tag"},
    {NULL, &nested_model, "a case is a model, and no union"},
};

WF_TEST_EACH(a_wrong_declaration_is_told_at_once, wrong)
{
    if (row->member != NULL) WF_EXPECT_FAILURE(wf_member_check(row->member), -EINVAL, row->part);
    else WF_EXPECT_FAILURE(wf_model_check(row->model), -EINVAL, row->part);
}

WF_TEST(models_of_one_name_cannot_be_in_one_document)
{
    struct wf_model other = address_model;
    const struct wf_model *models[] = {&item_model, &other};
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    WF_EXPECT_FAILURE(wf_model_write_schemas(models, 2, &writer), -EEXIST, "two models are called address");
}

WF_TEST(a_pattern_that_is_wrong_is_told_when_it_is_used)
{
    const char *out;
    int rc = wf_member_parse(&bad_pattern, wf_task_arena(), "\"a\"", 3, &out, NULL);
    WF_EXPECT_FAILURE(rc, -ENOTSUP, "a group does not end");
}

WF_TEST_MAIN
