/* The contract of processes, their pool and signals: contract.h says what the lines mean. */
#include <fcntl.h>
#include <unistd.h>

#include "../contract.h"
#include "programs.h"

static const char *const sleeper[] = {"sleep", "100", NULL};

static void call_cancelled(struct wf_process *process)
{
    struct wf_process_result result;
    const char *const *const programs[] = {sleeper};
    struct wf_arena *arena = wf_task_arena();
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_process_run, wf_process_run(arena, &result, sleeper));
    REFUSED(wf_process_pipeline, wf_process_pipeline(programs, 1, arena, 0, &result));
    REFUSED(wf_process_wait, wf_process_wait(process, NULL));
    COMPLETES(wf_process_stop, wf_process_stop(process), 0);
    COMPLETES(wf_process_end, wf_process_end(process, -EPROTO), -EPROTO);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
}

WF_TEST(a_refused_call_starts_no_program_and_an_end_is_never_refused, .rule = "1.1 1.3 1.7")
{
    struct wf_process process;
    if (!have_programs()) return;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_process_start, WF_EXPECT_CODE(wf_process_start(&process, sleeper), 0));
    struct wf_process none = {.pid = 0};
    STAYS(wf_process_release, wf_process_release(&none));
    STAYS(wf_process_signal, wf_ignore(wf_process_signal(&process, 0)));
    call_cancelled(&process);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int leave_a_block(void)
{
    WF_PROCESS(process);
    return wf_process_start(&process, sleeper);
}

WF_TEST(a_block_ends_its_program_in_a_cancelled_scope_too, .rule = "1.7")
{
    if (!have_programs()) return;
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the call");
    COMPLETES(WF_PROCESS, leave_a_block(), 0);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
}

static int no_job(const char *question, char *answer)
{
    return question == answer;
}

WF_TEST(a_worker_that_nobody_asks_says_so, .plain = true)
{
    int input = dup(STDIN_FILENO), nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    WF_EXPECT_INT(wf_process_worker(no_job), 2);
    dup2(input, STDIN_FILENO);
    close(nothing);
    close(input);
}

static void close_cancelled(struct wf_process_pool *pool)
{
    struct wf_process_pool_statistics statistics = {.jobs = 99};
    char byte = 0;
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_process_pool_run, wf_process_pool_run(pool, &byte, &byte));
    REFUSED(wf_process_worker, wf_process_worker(no_job));
    STAYS(wf_process_pool_statistics, wf_process_pool_statistics(pool, &statistics));
    WF_EXPECT(statistics.jobs == 0);
    COMPLETES(wf_process_pool_close, wf_process_pool_close(pool, -EPROTO), -EPROTO);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
}

WF_TEST(a_refused_job_starts_no_worker, .rule = "1.1 1.3 1.7")
{
    struct wf_process_pool *pool = NULL;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_process_pool_open, WF_EXPECT_CODE(wf_process_pool_open(&pool, sleeper, .question = 1, .answer = 1), 0));
    if (pool != NULL) close_cancelled(pool);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_refused_wait_for_a_signal_takes_none, .rule = "1.1 1.3 1.7")
{
    struct wf_signal_receiver *receiver = NULL;
    const int number = SIGHUP;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_signal_open, WF_EXPECT_CODE(wf_signal_open(&number, 1, &receiver), 0));
    if (receiver == NULL) return;
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_signal_wait, wf_signal_wait(receiver));
    STAYS(wf_signal_try, WF_EXPECT_INT(wf_signal_try(receiver), 0));
    STAYS(wf_signal_close, wf_signal_close(receiver));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
