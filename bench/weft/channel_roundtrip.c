/* Two tasks that send a number to each other and back, through two channels without room. channel_roundtrip TIMES */
#include "../measure.h"

#include <weft/weft.h>

struct pair {
    struct wf_channel *there, *back;
    long times;
};

static int echo(struct pair *pair)
{
    long number;
    int rc;
    while ((rc = wf_receive(pair->there, &number)) > 0) {
        rc = wf_send(pair->back, &number);
        if (rc < 0) return rc;
    }
    return rc;
}

static int ask(struct pair *pair)
{
    int rc = 0;
    for (long i = 0; i < pair->times && rc >= 0; i++) {
        long number = i;
        rc = wf_send(pair->there, &number);
        if (rc == 0) rc = wf_receive(pair->back, &number);
        if (number != i) return -EPROTO;
    }
    wf_channel_close(pair->there);
    return rc < 0 ? rc : 0;
}

static int measure(const long *times)
{
    WF_CHANNEL(there, long, 0);
    WF_CHANNEL(back, long, 0);
    struct pair pair = {&there, &back, *times};
    double started = wall_seconds();
    WF_SCOPE(scope);
    wf_spawn(&scope, echo, &pair);
    wf_spawn(&scope, ask, &pair);
    int rc = wf_scope_join(&scope);
    if (rc < 0) return rc;
    return print_result("channel_roundtrip", (wall_seconds() - started) * 1e9 / (double)*times);
}

int main(int argc, char **argv)
{
    long times = argument(argc, argv, 1, 10000000);
    return wf_main(measure, &times);
}
