/* Waves of 1,000 empty tasks, each wave joined by its scope. spawn_join WAVES */
#include "../measure.h"

#include <weft/weft.h>

enum { WAVE = 1000 };

static int empty(long *ended)
{
    ++*ended;
    return 0;
}

static int run_wave(long *ended)
{
    WF_SCOPE(scope);
    for (int i = 0; i < WAVE; i++) wf_spawn(&scope, empty, ended);
    return wf_scope_join(&scope);
}

static int measure(const long *waves)
{
    long ended = 0;
    int rc = run_wave(&ended);
    double started = wall_seconds();
    for (long i = 0; i < *waves && rc >= 0; i++) rc = run_wave(&ended);
    double seconds = wall_seconds() - started;
    if (rc < 0) return rc;
    if (ended != (*waves + 1) * WAVE) return wf_fail(-EPROTO, "%ld tasks ran", ended);
    return print_result("spawn_join", seconds * 1e9 / ((double)*waves * WAVE));
}

int main(int argc, char **argv)
{
    long waves = argument(argc, argv, 1, 10000);
    return wf_main(measure, &waves);
}
