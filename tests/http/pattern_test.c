/* Patterns: what matches, what is none, and that no text makes a match take long. */
#include <weft/model.h>

#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

static const struct match {
    const char *pattern, *text;
    bool matches;
} matches[] = {
    {"", "", true},
    {"", "abc", true},
    {"b", "abc", true},
    {"^b", "abc", false},
    {"b$", "abc", false},
    {"^abc$", "abc", true},
    {"^abc$", "abcd", false},
    {"^$", "", true},
    {"^$", "a", false},
    {"a.c", "abc", true},
    {"^a.c$",
     "a\xc3\xa9"
     "c",
     true},
    {"^.$", "\xf0\x9f\x98\x80", true},
    {"^a.c$", "a\nc", false},
    {"^[a-c]+$", "abcabc", true},
    {"^[a-c]+$", "abcd", false},
    {"^[^a-c]+$", "xyz", true},
    {"^[^a-c]+$", "xaz", false},
    {"^[a\\-]+$", "a-a", true},
    {"^[a-]+$", "-a", true},
    {"^[-a]+$", "-a", true},
    {"^[\\]x]+$", "x]", true},
    {"^[\\d_]+$", "1_2", true},
    {"^[\xc3\xa0-\xc3\xbf]+$", "\xc3\xa9\xc3\xbc", true},
    {"^[\xc3\xa0-\xc3\xbf]+$", "e", false},
    {"^\\d\\D\\w\\W\\s\\S$", "1a_- x", true},
    {"^\\D$", "1", false},
    {"^\\.\\*\\(\\)\\[\\]\\{\\}\\|\\^\\$\\\\\\/$", ".*()[]{}|^$\\/", true},
    {"^\\n\\t$", "\n\t", true},
    {"^a?$", "", true},
    {"^a?$", "aa", false},
    {"^a*$", "aaaa", true},
    {"^a+$", "", false},
    {"^(ab)+$", "ababab", true},
    {"^(ab)+$", "aba", false},
    {"^(?:ab|cd)*$", "abcdab", true},
    {"^(a|b|)c$", "c", true},
    {"^a|b$", "ax", true},
    {"^a|b$", "xb", true},
    {"^a|b$", "xax", false},
    {"^a{3}$", "aaa", true},
    {"^a{3}$", "aa", false},
    {"^a{2,}$", "aaaaa", true},
    {"^a{2,}$", "a", false},
    {"^a{1,3}$", "aaa", true},
    {"^a{1,3}$", "aaaa", false},
    {"^a{0,2}b$", "b", true},
    {"^a{0,2}b$", "aaab", false},
    {"^a{0}b$", "b", true},
    {"^a{0}b$", "ab", false},
    {"^a{0,}b$", "aab", true},
    {"^(a{2}b){2}$", "aabaab", true},
    {"^((a|b){2}c?){1,2}$", "abcba", true},
    {"^[A-HJ-NPR-Z0-9]{17}$", "1HGCM82633A123456", true},
    {"^[A-HJ-NPR-Z0-9]{17}$", "IHGCM82633A123456", false},
    {"^(a*)*$", "aaa", true},
    {"^(a|a)*b$", "aaaaab", true},
    {"^(|a)+$", "aa", true},
    {"(^|x)a", "xa", true},
    {"(^|x)a", "ya", false},
    {"a(x|$)", "ba", true},
    {"a(x|$)", "bay", false},
};

WF_TEST_EACH(a_pattern_matches_what_it_says, matches)
{
    WF_EXPECT_INT(wf_pattern_match(row->pattern, row->text, strlen(row->text)), row->matches);
}

static const struct none {
    const char *pattern, *part;
} nones[] = {
    {"(", "byte 1: a group does not end"},
    {")", "not opened"},
    {"a)", "not opened"},
    {"[", "a class does not end"},
    {"[a", "a class does not end"},
    {"[]", "an empty class"},
    {"[b-a]", "ends before it begins"},
    {"[\\", "a backslash ends it"},
    {"*", "nothing to repeat"},
    {"a|*", "nothing to repeat"},
    {"(+)", "nothing to repeat"},
    {"a**", "nothing to repeat"},
    {"{2}", "nothing to repeat"},
    {"a{", "a number was expected"},
    {"a{x}", "a number was expected"},
    {"a{2", "does not end"},
    {"a{2,1}", "ends before it begins"},
    {"a{300}", "too many steps"},
    {"(a{16}){17}", "too many steps"},
    {"]", "not opened"},
    {"}", "not opened"},
    {"\\", "a backslash ends it"},
    {"\\q", "a letter after a backslash"},
    {"\\b", "a letter after a backslash"},
    {"\\1", "groups cannot be referred to"},
    {"(?=a)", "a group of a kind"},
    {"((((((((((((((((((((((a))))))))))))))))))))))", "too many groups"},
    {"[abcdefghijklmnopqrstuvwxyz][abcdefghijklmnopqrstuvwxyz][abcdefghijklmnopqrstuvwxyz][abcdefghijklmnopqrstuvwxyz]",
     "too many characters"},
};

WF_TEST_EACH(what_is_no_pattern_is_refused_with_the_place, nones)
{
    WF_EXPECT_FAILURE(wf_pattern_check(row->pattern), -EINVAL, row->part);
    WF_EXPECT_CODE(wf_pattern_match(row->pattern, "a", 1), -EINVAL);
}

WF_TEST(bytes_that_are_no_text_do_no_harm)
{
    WF_EXPECT_INT(wf_pattern_match("^.{3}$", "a\0\xff", 3), 1);
    WF_EXPECT_INT(wf_pattern_match("^[^\xff]$", "\xfe", 1), 1);
}

/* By trying one way after another these would take longer than the universe has been there. */
WF_TEST(no_text_makes_a_match_take_long, .timeout = WF_SECONDS(5), .real = true)
{
    static char text[20000];
    memset(text, 'a', sizeof text);
    WF_EXPECT_INT(wf_pattern_match("^(a+)+$", text, sizeof text), 1);
    text[sizeof text - 1] = 'b';
    WF_EXPECT_INT(wf_pattern_match("^(a+)+$", text, sizeof text), 0);
    WF_EXPECT_INT(wf_pattern_match("^(a|aa|a*)*c$", text, sizeof text), 0);
    WF_EXPECT_INT(wf_pattern_match("(a{0,30}){0,3}c", text, sizeof text), 0);
}

WF_TEST_MAIN
