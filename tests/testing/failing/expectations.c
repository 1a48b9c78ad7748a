/* What is shown when an expectation does not hold: where, what came, and what was expected. */
#include <weft/testing.h>
#include <weft/weft.h>

/* The message is the task's until its next failure. */
static int order(int quantity)
{
    return quantity > 0 ? quantity : wf_fail(-EINVAL, "quantity %d", quantity);
}

static int place_order(int *quantity)
{
    return order(*quantity);
}

// fails values: expectations.c:
// fails values: expected: 1 > 2
// fails values: 6 * 7 is 42, expected 43
// fails values: order(3) gave 3 (success), expected -22 (Invalid argument)
// fails values: order(-3) gave -22 (Invalid argument), expected 0 (success)
// fails values: &"abc"[1] is "bc", expected "abc"
// fails values: nothing is "(null)", expected "something"
// fails values: "abc" does not contain "x": "abc"
WF_TEST(values)
{
    const char *nothing = NULL;
    WF_EXPECT(!WF_EXPECT(1 > 2));
    WF_EXPECT(!WF_EXPECT_INT(6 * 7, 43));
    WF_EXPECT(!WF_EXPECT_CODE(order(3), -EINVAL));
    WF_EXPECT(!WF_EXPECT_CODE(order(-3), 0));
    WF_EXPECT(!WF_EXPECT_TEXT(&"abc"[1], "abc"));
    WF_EXPECT(!WF_EXPECT_TEXT(nothing, "something"));
    WF_EXPECT(!WF_EXPECT_PART("abc", "x"));
}

// fails another_message: order(-3) gave -22 (Invalid argument), "quantity -3"; expected -22 (Invalid argument), "...too
WF_TEST(another_message)
{
    WF_EXPECT_FAILURE(order(-3), -EINVAL, "too many");
}

// fails another_code: order(-3) gave -22 (Invalid argument), "quantity -3"; expected -2 (No such file or directory)
WF_TEST(another_code)
{
    WF_EXPECT_FAILURE(order(-3), -ENOENT, "quantity");
}

// fails no_message: order(3) gave 3 (success), ""; expected
WF_TEST(no_message, .plain = true)
{
    WF_EXPECT_FAILURE(order(3), -EINVAL, "quantity");
}

static int place_orders(int quantities[2])
{
    WF_SCOPE(scope, .policy = WF_COLLECT);
    for (int i = 0; i < 2; i++) wf_spawn(&scope, place_order, &quantities[i], .name = i == 0 ? "first" : "second");
    int rc = wf_scope_join(&scope);
    WF_EXPECT_ERROR(&scope, -EINVAL, "quantity -1");
    WF_EXPECT_ERROR(&scope, -EINVAL, "second");
    WF_EXPECT_ERROR(&scope, -ENOENT, "quantity");
    WF_EXPECT_ERROR(&scope, -EINVAL, "quantity -3");
    return rc;
}

// fails another_error: no error -2 (No such file or directory) with "quantity" in the scope's list
// fails another_error: no error -22 (Invalid argument) with "quantity -3" in the scope's list
// fails another_error: another_error > first: quantity -1 (Invalid argument)
// fails another_error: another_error > second: quantity -2 (Invalid argument)
WF_TEST(another_error)
{
    int quantities[] = {-1, -2};
    WF_EXPECT_CODE(place_orders(quantities), -EINVAL);
}

// fails no_error: in the scope's list, which is empty
WF_TEST(no_error)
{
    WF_SCOPE(scope);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_ERROR(&scope, -EINVAL, "");
}

// fails suspensions: wf_sleep(1) was suspended
// fails suspensions: order(3) was not suspended
WF_TEST(suspensions)
{
    WF_EXPECT_CODE(WF_EXPECT_NO_SUSPENSION(wf_sleep(1)), 0);
    WF_EXPECT_INT(WF_EXPECT_SUSPENDS(order(3)), 3);
}

// fails an_unexpected_report: unexpected report: the lamp is on
WF_TEST(an_unexpected_report)
{
    wf_report("the lamp is on");
}

// fails an_expected_report_is_shown_when_something_fails: reported: the lamp is on
WF_TEST(an_expected_report_is_shown_when_something_fails)
{
    wf_test_allow_reports();
    wf_report("the lamp is on");
    WF_EXPECT(1 > 2);
}

// fails a_scope_left_without_its_end: the loop ended with -22 (Invalid argument)
// fails a_scope_left_without_its_end: was left with 1 children running (the first: 'place_order'
WF_TEST(a_scope_left_without_its_end)
{
    int quantity = -1;
    WF_SCOPE(scope);
    wf_spawn(&scope, place_order, &quantity);
}

/* No document of XML can hold some of these. */
// fails raw_bytes: text is "
WF_TEST(raw_bytes)
{
    const char *text = "\x01 \xff \xed\xa0\x80 \xef\xbf\xbf \xc3\xa4 <&\">]]>";
    WF_EXPECT_TEXT(text, "");
}

static const struct row {
    const char *name;
    int value;
} rows[] = {{"good", 1}, {"it's \"bad\" # 1\n\\", -1}};

static const char *row_name(size_t row)
{
    return rows[row].name;
}

// fails table[it's "bad" # 1?\]: order(row->value) is -22, expected -1
WF_TEST_EACH(table, rows, .row_name = row_name)
{
    WF_EXPECT_INT(order(row->value), row->value);
}

WF_TEST_MAIN
