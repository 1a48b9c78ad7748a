/*
 * Cancelled waiter left in a queue.
 *
 * The mistake: a hand-written queue of waiters, each with its record on its own stack, and a cancelled one that leaves
 * without unlinking its record. The next wake-up goes to a stack that is gone, and the waiter behind it gets none.
 * Known from lunarmodules/copas#199 and agronholm/anyio#1145.
 * Caught by AddressSanitizer: the record is read on a stack that is gone.
 */
// needs: address
// caught: ERROR: AddressSanitizer:
// caught: in wake_one
#include <weft/testing.h>
#include <weft/weft.h>

struct waiter {
    struct wf_event turn;
    struct waiter *next;
};

struct line {
    struct waiter *first;
};

static void join_line(struct line *line, struct waiter *waiter)
{
    struct waiter **last = &line->first;
    while (*last != NULL) last = &(*last)->next;
    *last = waiter;
}

#ifdef CORRECTED
static void leave_line(struct line *line, struct waiter *waiter)
{
    struct waiter **link = &line->first;
    while (*link != NULL && *link != waiter) link = &(*link)->next;
    if (*link != NULL) *link = waiter->next;
}
#else
static void leave_line(struct line *line, struct waiter *waiter)
{
    (void)line, (void)waiter;
}
#endif

static int wait_in_line(struct line *line)
{
    struct waiter self = {.turn = WF_EVENT, .next = NULL};
    join_line(line, &self);
    int rc = wf_event_wait(&self.turn);
    if (rc < 0) leave_line(line, &self);
    return rc;
}

static void wake_one(struct line *line)
{
    struct waiter *first = line->first;
    if (first == NULL) return;
    line->first = first->next;
    wf_event_set(&first->turn);
}

WF_TEST(the_line_moves_on_when_someone_leaves_it)
{
    struct line line = {.first = NULL};
    struct wf_handle impatient = {.result_ = 0};
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_in_line, &line, .handle = &impatient);
    wf_spawn(&scope, wait_in_line, &line);
    wf_yield();
    wf_handle_cancel(&impatient, "does not want to wait");
    wf_yield();
    wake_one(&line);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
