/* Jobs in other processes: answers, order, and what becomes of the pool when a worker dies. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "base/sanitize.h" /* sanitizers take terabytes of address space */

struct question {
    enum action { SQUARE, CRASH, LEAVE, FAIL, SLEEP, WHO, EAT } what;
    int64_t number;
};

struct answer {
    int64_t number;
};

/* ---- In the worker ---- */

static bool simulated(void)
{
    return wf_in_task() && wf_simulated();
}

static int crash(void)
{
    if (simulated()) return wf_sim_raise(SIGSEGV);
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    return 0;
}

static int leave(void)
{
    if (simulated()) return wf_sim_exit(7);
    exit(7);
}

static int wait_long(void)
{
    if (simulated()) return wf_sleep(WF_SECONDS(100));
    sleep(100); /* real time: the worker is killed long before */
    return 0;
}

static int do_job(const struct question *question, struct answer *answer)
{
    switch (question->what) {
    case SQUARE:
        answer->number = question->number * question->number;
        return 0;
    case CRASH:
        return crash();
    case LEAVE:
        return leave();
    case FAIL:
        return -EDOM;
    case SLEEP:
        return wait_long();
    case WHO:
        answer->number = simulated() ? wf_sim_self()->pid : getpid();
        return 0;
    case EAT:
        answer->number = malloc((size_t)question->number) != NULL;
        return 0;
    }
    return -EINVAL;
}

/* ---- Here ---- */

static const char *self[] = {"", "--worker", NULL}; /* the first is main's: /proc/self/exe may be an emulator */

static int be_worker(struct wf_sim_process *process)
{
    (void)process;
    return wf_process_worker(do_job);
}

static bool have_worker(void)
{
    return !wf_simulated() || WF_EXPECT_CODE(wf_sim_set_program(self[0], .main = be_worker), 0);
}

static struct wf_process_pool *open_pool(int workers)
{
    struct wf_process_pool *pool = NULL;
    if (!have_worker()) return NULL;
    WF_EXPECT_CODE(wf_process_pool_open(&pool, self, .workers = workers, .question = sizeof(struct question),
                                        .answer = sizeof(struct answer)),
                   0);
    return pool;
}

struct job {
    struct wf_process_pool *pool;
    struct question question;
    struct answer answer;
};

static int run_job(struct job *job)
{
    return wf_process_pool_run(job->pool, &job->question, &job->answer);
}

static int64_t ask(struct wf_process_pool *pool, enum action what, int64_t number)
{
    struct job job = {.pool = pool, .question = {.number = number}};
    job.question.what = what;
    int rc = run_job(&job);
    return rc < 0 ? rc : job.answer.number;
}

WF_TEST(a_thousand_jobs_on_two_workers_give_what_one_after_the_other_gives, .unswept = "a thousand of the same")
{
    static struct job jobs[1000];
    struct wf_process_pool *pool = open_pool(2);
    if (pool == NULL) return;
    for (int i = 0; i < 1000; i++) jobs[i] = (struct job){.pool = pool, .question = {SQUARE, i}};
    WF_EXPECT_CODE(wf_gather(jobs, 1000, run_job), 0);
    for (int i = 0; i < 1000; i++) WF_EXPECT_INT(jobs[i].answer.number, (int64_t)i * i);
    struct wf_process_pool_statistics statistics;
    wf_process_pool_statistics(pool, &statistics);
    WF_EXPECT(statistics.jobs == 1000 && statistics.started == 2 && statistics.workers == 2 && statistics.failed == 0);
    WF_EXPECT_CODE(wf_process_pool_close(pool, 0), 0);
}

WF_TEST(a_crash_is_the_error_of_its_job_and_the_pool_goes_on)
{
    struct wf_process_pool *pool = open_pool(1);
    if (pool == NULL) return;
    WF_EXPECT_INT(ask(pool, SQUARE, 3), 9);
    WF_EXPECT_INT(ask(pool, CRASH, 0), -EPIPE);
    WF_EXPECT_PART(wf_failure(), "the worker was ended by signal 11 (");
    WF_EXPECT_INT(ask(pool, LEAVE, 0), -EPIPE);
    WF_EXPECT_TEXT(wf_failure(), "the worker ended with status 7");
    WF_EXPECT_INT(ask(pool, FAIL, 0), -EDOM);
    WF_EXPECT_INT(ask(pool, SQUARE, 4), 16);
    struct wf_process_pool_statistics statistics;
    wf_process_pool_statistics(pool, &statistics);
    WF_EXPECT(statistics.started == 3 && statistics.failed == 2 && statistics.workers == 1);
    wf_process_pool_close(pool, 0);
}

WF_TEST(a_cancelled_job_loses_its_worker_and_nobody_elses)
{
    struct wf_process_pool *pool = open_pool(1);
    if (pool == NULL) return;
    int64_t first = ask(pool, WHO, 0);
    struct job job = {.pool = pool, .question = {SLEEP, 0}};
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(50), run_job(&job)), -ETIME);
    int64_t second = ask(pool, WHO, 0);
    WF_EXPECT(first > 0 && second > 0 && second != first);
    WF_EXPECT(wf_simulated() || kill((pid_t)first, 0) < 0);
    wf_process_pool_close(pool, 0);
}

WF_TEST(a_worker_is_replaced_after_its_last_job)
{
    struct wf_process_pool *pool;
    if (!have_worker()) return;
    int rc = wf_process_pool_open(&pool, self, .workers = 1, .question = sizeof(struct question),
                                  .answer = sizeof(struct answer), .jobs_max = 2);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    int64_t one = ask(pool, WHO, 0), two = ask(pool, WHO, 0), three = ask(pool, WHO, 0);
    WF_EXPECT(one > 0 && one == two && three != two);
    wf_process_pool_close(pool, 0);
}

WF_TEST(a_pool_that_makes_no_sense_is_refused)
{
    struct wf_process_pool *pool;
    WF_EXPECT_CODE(wf_process_pool_open(&pool, self, .question = 1, .answer = 2 << 20), -EINVAL);
    WF_EXPECT_CODE(wf_process_pool_open(&pool, self, .question = 1, .answer = 1, .workers = 257), -EINVAL);
    WF_EXPECT_TEXT(wf_failure(), "257 workers; at most 256");
    const char *const missing[] = {"weft-no-such-program", NULL};
    char byte = 0;
    if (!WF_EXPECT_CODE(wf_process_pool_open(&pool, missing, .question = 1, .answer = 1), 0)) return;
    WF_EXPECT_CODE(wf_process_pool_run(pool, &byte, &byte), -ENOENT);
    WF_EXPECT_CODE(wf_process_pool_close(pool, -EPROTO), -EPROTO);
    WF_EXPECT_CODE(wf_process_pool_close(NULL, 0), 0);
}

WF_TEST(a_worker_has_no_more_memory_than_it_may, .real = true)
{
    struct wf_process_pool *pool;
    if (WEFT_ASAN || WEFT_TSAN) return;
    int rc = wf_process_pool_open(&pool, self, .workers = 1, .question = sizeof(struct question),
                                  .answer = sizeof(struct answer), .memory_max = 512 << 20);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_INT(ask(pool, EAT, 1 << 20), 1);
    WF_EXPECT_INT(ask(pool, EAT, 1 << 30), 0);
    wf_process_pool_close(pool, 0);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--worker") == 0) return wf_process_worker(do_job);
    self[0] = argv[0];
    return wf_test_main(argc, argv);
}
