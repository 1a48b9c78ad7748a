/* Names in simulated worlds: what is asked once, kept, shared, abandoned; what numeric addresses do. */
#include <stdio.h>
#include <string.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct asker {
    const char *host;
    int family;
    int count;
    char first[WF_ADDRESS_TEXT];
    int64_t took;
};

static int ask(struct asker *asker)
{
    struct wf_arena arena;
    const struct wf_address *addresses;
    int64_t started = wf_now();
    wf_arena_init(&arena);
    asker->count = wf_resolve(asker->host, 80, &arena, &addresses, .family = asker->family);
    asker->took = wf_now() - started;
    if (asker->count > 0) wf_address_text(&addresses[0], asker->first);
    wf_arena_finish(&arena);
    return asker->count;
}

/* ---- Numbers ---- */

WF_TEST(numeric_addresses_are_read_at_once_and_ask_nobody)
{
    struct asker v4 = {.host = "127.0.0.1"}, v6 = {.host = "::1"}, wrong = {.host = "::1", .family = AF_INET};
    int count = 0;
    WF_EXPECT_NO_SUSPENSION(count = ask(&v4));
    WF_EXPECT_INT(count, 1);
    WF_EXPECT_TEXT(v4.first, "127.0.0.1:80");
    WF_EXPECT_INT(ask(&v6), 1);
    WF_EXPECT_TEXT(v6.first, "[::1]:80");
    WF_EXPECT_FAILURE(ask(&wrong), -EAFNOSUPPORT, "::1");
    struct wf_names_statistics statistics;
    wf_names_statistics(&statistics);
    WF_EXPECT_INT((int64_t)statistics.lookups, 0);
}

WF_TEST(names_that_cannot_be_are_refused_with_a_message)
{
    char longest[WF_NAME_MAX + 2];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    struct asker empty = {.host = ""}, none = {.host = NULL}, too_long = {.host = longest};
    struct asker strange = {.host = "a", .family = AF_UNIX};
    WF_EXPECT_FAILURE(ask(&empty), -EINVAL, "empty");
    WF_EXPECT_FAILURE(ask(&none), -EINVAL, "empty");
    WF_EXPECT_FAILURE(ask(&too_long), -ENAMETOOLONG, "253");
    WF_EXPECT_FAILURE(ask(&strange), -EINVAL, "family");
    WF_EXPECT_FAILURE(wf_names_set(.threads_max = 65), -EINVAL, "64");
}

/* ---- Keeping and sharing ---- */

static void expect_lookups(uint64_t wanted)
{
    struct wf_names_statistics statistics;
    wf_names_statistics(&statistics);
    WF_EXPECT_INT((int64_t)statistics.lookups, (int64_t)wanted);
}

WF_TEST(a_name_is_asked_for_once_while_it_is_kept_and_again_after_its_time, .simulated = true,
        .timeout = WF_SECONDS(100))
{
    struct asker asker = {.host = "Www.Example"};
    WF_EXPECT_CODE(wf_sim_set_name("www.example", .addresses = {"fd00::7", "10.0.0.7"}), 0);
    WF_EXPECT_INT(ask(&asker), 2);
    WF_EXPECT_TEXT(asker.first, "[fd00::7]:80");
    asker.host = "WWW.EXAMPLE";
    WF_EXPECT_INT(ask(&asker), 2);
    WF_EXPECT_INT(asker.took, 0);
    expect_lookups(1);
    wf_sleep(WF_SECONDS(31));
    WF_EXPECT_INT(ask(&asker), 2);
    expect_lookups(2);
    wf_names_forget();
    asker.family = AF_INET;
    WF_EXPECT_INT(ask(&asker), 1);
    WF_EXPECT_TEXT(asker.first, "10.0.0.7:80");
    expect_lookups(3);
}

WF_TEST(fresh_asks_again_and_what_is_not_kept_is_asked_again, .simulated = true)
{
    struct asker asker = {.host = "moving"};
    struct wf_arena arena;
    const struct wf_address *addresses;
    WF_EXPECT_CODE(wf_sim_set_name("moving", .addresses = {"10.0.0.7"}), 0);
    WF_EXPECT_INT(ask(&asker), 1);
    WF_EXPECT_CODE(wf_sim_set_name("moving", .addresses = {"10.0.0.8"}), 0);
    wf_arena_init(&arena);
    WF_EXPECT_INT(wf_resolve("moving", 1, &arena, &addresses, .fresh = true), 1);
    wf_arena_finish(&arena);
    WF_EXPECT_INT(ask(&asker), 1);
    WF_EXPECT_TEXT(asker.first, "10.0.0.8:80");
    expect_lookups(2);
    WF_EXPECT_CODE(wf_names_set(.ttl = -1), 0);
    wf_names_forget();
    WF_EXPECT_INT(ask(&asker), 1);
    WF_EXPECT_INT(ask(&asker), 1);
    expect_lookups(4);
}

WF_TEST(that_a_host_does_not_exist_is_kept_for_five_seconds, .simulated = true)
{
    struct asker asker = {.host = "nobody"};
    WF_EXPECT_FAILURE(ask(&asker), -ENOENT, "nobody: no such host");
    WF_EXPECT_FAILURE(ask(&asker), -ENOENT, "nobody: no such host");
    expect_lookups(1);
    wf_sleep(WF_SECONDS(6));
    WF_EXPECT_CODE(wf_sim_set_name("nobody", .addresses = {"10.0.0.9"}), 0);
    WF_EXPECT_INT(ask(&asker), 1);
}

WF_TEST(a_resolver_that_cannot_tell_now_is_asked_again, .simulated = true)
{
    struct asker asker = {.host = "later"};
    WF_EXPECT_CODE(wf_sim_set_name("later", .code = -EAGAIN), 0);
    WF_EXPECT_FAILURE(ask(&asker), -EAGAIN, "later: the name cannot be looked up now");
    WF_EXPECT_CODE(wf_sim_set_name("later", .code = -EIO), 0);
    WF_EXPECT_FAILURE(ask(&asker), -EIO, "later");
    WF_EXPECT_CODE(wf_sim_set_name("later", .addresses = {"10.0.0.9"}), 0);
    WF_EXPECT_INT(ask(&asker), 1);
    expect_lookups(3);
}

WF_TEST(many_who_ask_at_once_share_one_look_up, .simulated = true)
{
    static struct asker askers[20];
    WF_EXPECT_CODE(wf_sim_set_name("slow", .addresses = {"10.0.0.9"}, .delay = WF_SECONDS(2)), 0);
    WF_SCOPE(scope);
    for (size_t i = 0; i < WF_COUNT(askers); i++) {
        askers[i] = (struct asker){.host = "slow"};
        wf_spawn(&scope, ask, &askers[i]);
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    for (size_t i = 0; i < WF_COUNT(askers); i++) WF_EXPECT_INT(askers[i].count, 1);
    expect_lookups(1);
}

/* ---- Leaving ---- */

WF_TEST(a_caller_that_leaves_does_not_end_the_look_up_and_the_next_one_joins_it, .simulated = true)
{
    struct asker asker = {.host = "slow"};
    WF_EXPECT_CODE(wf_sim_set_name("slow", .addresses = {"10.0.0.9"}, .delay = WF_SECONDS(2)), 0);
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), ask(&asker)), -ETIME);
    WF_EXPECT_INT(ask(&asker), 1);
    WF_EXPECT(wf_now() - started < WF_SECONDS(2) + WF_MILLISECONDS(1));
    expect_lookups(1);
}

WF_TEST(an_answer_that_nobody_waited_for_is_kept, .simulated = true)
{
    struct asker asker = {.host = "slow"};
    WF_EXPECT_CODE(wf_sim_set_name("slow", .addresses = {"10.0.0.9"}, .delay = WF_SECONDS(2)), 0);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), ask(&asker)), -ETIME);
    wf_sleep(WF_SECONDS(2));
    WF_EXPECT_INT(ask(&asker), 1);
    WF_EXPECT_INT(asker.took, 0);
    struct wf_names_statistics statistics;
    wf_names_statistics(&statistics);
    WF_EXPECT_INT((int64_t)statistics.abandoned, 1);
    WF_EXPECT_INT((int64_t)statistics.under_way, 0);
}

WF_TEST(a_resolver_that_hangs_holds_up_only_who_asked_it, .simulated = true, .timeout = WF_SECONDS(100))
{
    struct asker asker = {.host = "hanging"}, other = {.host = "quick"};
    WF_EXPECT_CODE(wf_sim_set_name("hanging", .hangs = true), 0);
    WF_EXPECT_CODE(wf_sim_set_name("quick", .addresses = {"10.0.0.9"}), 0);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(60), ask(&asker)), -ETIME);
    WF_EXPECT_INT(ask(&other), 1);
}

WF_TEST(wrong_answers_are_refused_by_the_simulated_world, .simulated = true)
{
    WF_EXPECT_CODE(wf_sim_set_name("a", .addresses = {"not numeric"}), -EINVAL);
    WF_EXPECT_CODE(wf_sim_set_name(NULL), -EINVAL);
    char name[300];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    WF_EXPECT_CODE(wf_sim_set_name(name), -ENAMETOOLONG);
    int rc = 0;
    for (int i = 0; i < 257 && rc == 0; i++) {
        snprintf(name, sizeof name, "name-%d", i);
        rc = wf_sim_set_name(name, .code = -EIO);
    }
    WF_EXPECT_CODE(rc, -ENOSPC);
}

WF_TEST(a_look_up_survives_what_goes_wrong_at_any_place, .simulated = true, .sweep = true)
{
    struct asker askers[3];
    int64_t started = wf_now();
    if (!WF_EXPECT_CODE(wf_sim_set_name("name", .addresses = {"10.0.0.9"}, .delay = WF_MILLISECONDS(1)), 0)) return;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    for (size_t i = 0; i < WF_COUNT(askers); i++) {
        askers[i] = (struct asker){.host = "name"};
        wf_spawn(&scope, ask, &askers[i]);
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_INVARIANT(wf_now() - started < WF_SECONDS(5));
}

WF_TEST_MAIN
