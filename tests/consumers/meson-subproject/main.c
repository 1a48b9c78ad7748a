/* A program with weft as a subproject: three jobs of which at most two run at once. */
#include <stdio.h>
#include <weft/weft.h>

struct job {
    int input, output;
};

static int square(struct job *job)
{
    int rc = wf_yield();
    job->output = job->input * job->input;
    return rc;
}

static int squares(void *unused)
{
    (void)unused;
    struct job jobs[] = {{.input = 2}, {.input = 3}, {.input = 4}};
    int rc = wf_gather(jobs, WF_COUNT(jobs), square, .limit = 2);
    if (rc == 0) printf("%d %d %d\n", jobs[0].output, jobs[1].output, jobs[2].output);
    return rc;
}

int main(void)
{
    return wf_main(squares, NULL);
}
