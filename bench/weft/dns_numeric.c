/* Resolutions of numeric addresses, of IPv4 and IPv6 in turn, each by a request that then resets its arena. dns_numeric
 * TIMES */
#include "../measure.h"

#include <weft/weft.h>

static int resolve(long times, struct wf_arena *arena, long *sum)
{
    static const char *const hosts[] = {"192.0.2.17", "2001:db8::17:1"};
    for (long i = 0; i < times; i++) {
        const struct wf_address *addresses;
        int count = wf_resolve(hosts[i & 1], 443, arena, &addresses);
        if (count < 0) return count;
        *sum += addresses[0].size;
        wf_arena_reset(arena);
    }
    return 0;
}

static int measure(const long *times)
{
    struct wf_arena arena;
    long sum = 0;
    wf_arena_init(&arena);
    double started = wall_seconds();
    int rc = resolve(*times, &arena, &sum);
    double seconds = wall_seconds() - started;
    wf_arena_finish(&arena);
    if (rc < 0) return rc;
    return sum == 0 ? -EPROTO : print_result("dns_numeric", seconds * 1e9 / (double)*times);
}

int main(int argc, char **argv)
{
    long times = argument(argc, argv, 1, 5000000);
    return wf_main(measure, &times);
}
