/*
 * A worker that waits for a job, for a stop, and for its own patience, whichever comes first.
 *
 *     weft run examples/first_of_several.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct desk {
    struct wf_channel *jobs;
    struct wf_event stop;
};

static int give_jobs(struct desk *desk)
{
    for (int job = 1; job <= 3; job++) {
        int rc = wf_send(desk->jobs, &job);
        if (rc == 0 && job == 2) rc = wf_sleep(WF_MILLISECONDS(300));
        if (rc < 0) return rc;
    }
    wf_event_set(&desk->stop);
    return 0;
}

static int work(struct desk *desk)
{
    for (int done = 0, job;;) {
        struct wf_case cases[] = {
            WF_CASE_RECEIVE(desk->jobs, &job), /* of what is ready, the first in the array is taken */
            WF_CASE_EVENT(&desk->stop),
            WF_CASE_UNTIL(wf_deadline_after(WF_MILLISECONDS(200))),
        };
        switch (wf_select(cases, WF_COUNT(cases))) {
        case 0:
            printf("job %d\n", job);
            done++;
            break;
        case 1:
            printf("stopped after %d jobs\n", done);
            return 0;
        case 2:
            printf("nothing for 200 ms\n");
            break;
        default:
            return -ECANCELED;
        }
    }
}

static int office(void *unused)
{
    (void)unused;
    WF_CHANNEL(jobs, int, 0);
    struct desk desk = {.jobs = &jobs, .stop = WF_EVENT};
    WF_SCOPE(scope);
    wf_spawn(&scope, work, &desk);
    wf_spawn(&scope, give_jobs, &desk);
    return wf_scope_join(&scope);
}

int main(void)
{
    return wf_main(office, NULL);
}
