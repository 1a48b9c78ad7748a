/* The contract of JSON and models, none of which suspends: contract.h says what the lines mean. */
#include "../contract.h"

#include "models.h"

#define POINT_MEMBERS(M) M(INT64, x) M(INT64, y)
WF_MODEL(point, POINT_MEMBERS)
WF_MEMBER(number, INT64)

static const char text[] = "[null,true,1,2,3.5,\"a\",[],{\"k\":{}}]";

WF_TEST(reading_json_never_suspends, .rule = "1.7")
{
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    struct wf_json_reader reader;
    struct wf_json_place place;
    const char *found;
    size_t size;
    int64_t integer;
    uint64_t natural;
    double real;
    bool truth;
    STAYS(wf_json_reader_init, wf_json_reader_init(&reader, wf_task_arena(), text, sizeof text - 1));
    STAYS(wf_json_begin_array, wf_json_begin_array(&reader));
    STAYS(wf_json_next_item, wf_ignore(wf_json_next_item(&reader)));
    STAYS(wf_json_read_null, wf_json_read_null(&reader));
    wf_ignore(wf_json_next_item(&reader));
    STAYS(wf_json_peek, wf_json_peek(&reader));
    STAYS(wf_json_read_bool, wf_json_read_bool(&reader, &truth));
    wf_ignore(wf_json_next_item(&reader));
    STAYS(wf_json_read_int, wf_json_read_int(&reader, &integer));
    wf_ignore(wf_json_next_item(&reader));
    STAYS(wf_json_read_uint, wf_json_read_uint(&reader, &natural));
    wf_ignore(wf_json_next_item(&reader));
    STAYS(wf_json_read_double, wf_json_read_double(&reader, &real));
    wf_ignore(wf_json_next_item(&reader));
    STAYS(wf_json_read_string, wf_json_read_string(&reader, &found, NULL));
    wf_ignore(wf_json_next_item(&reader));
    STAYS(wf_json_read_raw, wf_json_read_raw(&reader, &found, &size));
    wf_ignore(wf_json_next_item(&reader));
    STAYS(wf_json_begin_object, wf_json_begin_object(&reader));
    STAYS(wf_json_next_member, wf_ignore(wf_json_next_member(&reader)));
    STAYS(wf_json_key_is, wf_json_key_is(&reader, "k"));
    STAYS(wf_json_skip, wf_json_skip(&reader));
    STAYS(wf_json_read_end, wf_json_read_end(&reader));
    STAYS(wf_json_find_place, wf_json_find_place(&reader, &place));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(writing_json_never_suspends, .rule = "1.7")
{
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    struct wf_json_writer writer;
    char memory[64];
    const char *found;
    STAYS(wf_json_writer_init, wf_json_writer_init(&writer, wf_task_arena(), 0));
    STAYS(wf_json_writer_lend, wf_json_writer_lend(&writer, memory, sizeof memory));
    STAYS(wf_json_open_object, wf_json_open_object(&writer));
    STAYS(wf_json_write_key, wf_json_write_key(&writer, "k"));
    STAYS(wf_json_open_array, wf_json_open_array(&writer));
    STAYS(wf_json_write_null, wf_json_write_null(&writer));
    STAYS(wf_json_write_bool, wf_json_write_bool(&writer, true));
    STAYS(wf_json_write_int, wf_json_write_int(&writer, -1));
    STAYS(wf_json_write_uint, wf_json_write_uint(&writer, 1));
    STAYS(wf_json_write_double, wf_json_write_double(&writer, 0.5));
    STAYS(wf_json_write_string, wf_json_write_string(&writer, "a"));
    STAYS(wf_json_write_text, wf_json_write_text(&writer, "ab", 2));
    STAYS(wf_json_write_raw, wf_json_write_raw(&writer, "{}", 2));
    STAYS(wf_json_close_array, wf_json_close_array(&writer));
    STAYS(wf_json_close_object, wf_json_close_object(&writer));
    STAYS(wf_json_write_end, wf_ignore(wf_json_write_end(&writer, &found, NULL)));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(reading_models_never_suspends, .rule = "1.7")
{
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    struct wf_problems problems;
    struct wf_pairs pairs = {.items = NULL};
    struct point point;
    int64_t out;
    STAYS(wf_model_check, wf_model_check(&point_model));
    STAYS(wf_member_check, wf_member_check(&number));
    STAYS(wf_pattern_check, wf_pattern_check("a*"));
    STAYS(wf_pattern_match, wf_pattern_match("a*", "aa", 2));
    STAYS(wf_problems_init, wf_problems_init(&problems, wf_task_arena()));
    STAYS(wf_problems_add, wf_problems_add(&problems, "x", "missing", "Field required"));
    STAYS(wf_model_parse, wf_ignore(wf_model_parse(&point_model, wf_task_arena(), "{}", 2, &point, &problems)));
    STAYS(wf_member_parse, wf_ignore(wf_member_parse(&number, wf_task_arena(), "1", 1, &out, &problems)));
    STAYS(wf_member_parse_text, wf_ignore(wf_member_parse_text(&number, wf_task_arena(), "1", 1, &out, &problems)));
    STAYS(wf_pairs_parse, wf_ignore(wf_pairs_parse(wf_task_arena(), "x=1", 3, &pairs)));
    STAYS(wf_model_parse_pairs,
          wf_ignore(wf_model_parse_pairs(&point_model, wf_task_arena(), &pairs, &point, &problems)));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(writing_models_never_suspends, .rule = "1.7")
{
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    struct wf_json_writer writer;
    struct wf_problems problems;
    const struct wf_model *models[] = {&point_model};
    struct point point = {.x = 1, .y = 2};
    int64_t value = 1;
    wf_problems_init(&problems, wf_task_arena());
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    wf_json_open_array(&writer);
    STAYS(wf_model_write, wf_model_write(&point_model, &point, &writer));
    STAYS(wf_member_write, wf_member_write(&number, &value, &writer));
    STAYS(wf_problems_write, wf_problems_write(&problems, &writer));
    STAYS(wf_model_write_schema, wf_model_write_schema(&point_model, &writer));
    STAYS(wf_member_write_schema, wf_member_write_schema(&number, &writer));
    STAYS(wf_model_write_schemas, wf_model_write_schemas(models, 1, &writer));
    wf_json_close_array(&writer);
    WF_EXPECT_PART(ended(&writer), "[{\"x\":1,\"y\":2},1,{\"detail\":[]},{\"type\":\"object\"");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
