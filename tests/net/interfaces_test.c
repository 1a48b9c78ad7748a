/* The list of network interfaces. */
#include <net/if.h>
#include <string.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

static const struct wf_interface *find(const struct wf_interface *interfaces, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(interfaces[i].name, name) == 0) return &interfaces[i];
    return NULL;
}

static bool has_address(const struct wf_interface *interface, const char *host, int prefix)
{
    struct wf_address wanted;
    WF_EXPECT_CODE(wf_address_ip(host, 0, &wanted), 0);
    for (int i = 0; i < interface->address_count; i++)
        if (wf_address_equal(&interface->addresses[i].address, &wanted) && interface->addresses[i].prefix == prefix)
            return true;
    return false;
}

WF_TEST(the_loopback_interface_is_among_them)
{
    struct wf_arena arena;
    struct wf_interface *interfaces;
    int count = 0;
    wf_arena_init(&arena);
    if (WF_EXPECT_CODE(wf_interfaces(&arena, &interfaces, &count), 0)) {
        const struct wf_interface *loopback = find(interfaces, count, "lo");
        if (WF_EXPECT(loopback != NULL)) {
            WF_EXPECT(loopback->loopback && loopback->up && !loopback->point_to_point);
            WF_EXPECT_INT(loopback->index, 1);
            WF_EXPECT_INT(loopback->mtu, 65536);
            WF_EXPECT(has_address(loopback, "127.0.0.1", 8));
        }
        for (int i = 1; i < count; i++) WF_EXPECT(interfaces[i].index > interfaces[i - 1].index);
    }
    wf_arena_finish(&arena);
}

WF_TEST(names_and_indexes_are_those_of_the_system, .real = true)
{
    struct wf_arena arena;
    struct wf_interface *interfaces;
    int count = 0;
    wf_arena_init(&arena);
    if (WF_EXPECT_CODE(wf_interfaces(&arena, &interfaces, &count), 0))
        for (int i = 0; i < count; i++) WF_EXPECT_INT(if_nametoindex(interfaces[i].name), interfaces[i].index);
    wf_arena_finish(&arena);
}

static int look(struct wf_arena *arena)
{
    struct wf_interface *interfaces;
    int count = 0, rc = wf_interfaces(arena, &interfaces, &count);
    if (rc < 0) return rc;
    WF_EXPECT_INT(count, 2);
    WF_EXPECT(has_address(find(interfaces, count, "sim0"), "10.0.0.1", 8));
    return 0;
}

WF_TEST(a_simulated_host_has_its_address_on_one, .simulated = true)
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    struct wf_sim_host *host = wf_sim_host("first");
    if (WF_EXPECT(host != NULL)) WF_EXPECT_CODE(wf_sim_on(host, look(&arena)), 0);
    wf_arena_finish(&arena);
}

WF_TEST(an_arena_without_room_is_an_error)
{
    struct wf_arena arena;
    struct wf_interface *interfaces;
    int count;
    wf_arena_init(&arena);
    wf_arena_set_limit(&arena, 100);
    WF_EXPECT_CODE(wf_interfaces(&arena, &interfaces, &count), -ENOMEM);
    wf_arena_finish(&arena);
}

WF_TEST_MAIN
