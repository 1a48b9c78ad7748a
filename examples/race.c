/*
 * Three mirrors are asked at once. The first success wins and the others are cancelled; a failure does not win.
 *
 *     weft run examples/race.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct mirror {
    const char *name;
    int64_t latency;
    int result;
};

static int fetch(struct mirror *mirror)
{
    int rc = wf_sleep(mirror->latency);
    return rc < 0 ? rc : mirror->result;
}

static int download(struct mirror mirrors[3])
{
    int64_t started = wf_now();
    int results[3];
    size_t winner;
    int rc = wf_race(mirrors, 3, fetch, .winner = &winner, .collect = results);
    if (rc < 0) return rc;
    printf("%s won after %.1f s\n", mirrors[winner].name, wf_seconds(wf_now() - started));
    for (int i = 0; i < 3; i++) printf("  %s: %s\n", mirrors[i].name, wf_strerror(results[i]));
    return 0;
}

int main(void)
{
    struct mirror mirrors[3] = {
        {.name = "far", .latency = WF_SECONDS(10)},
        {.name = "broken", .latency = WF_MILLISECONDS(10), .result = -ECONNREFUSED},
        {.name = "near", .latency = WF_MILLISECONDS(200)},
    };
    return wf_main(download, mirrors);
}
