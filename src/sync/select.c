/*
 * Waiting for one of several.
 *
 *     try each in turn --none--> stand in every queue, arm the timer, ask the kernel --> suspend
 *                                                                                          |
 *     the first grant, the timer, or the kernel ends the group's wait, whose members leave their queues in that step
 *                                                                                          |
 *     awake: take the timer back, ask the kernel to let go of the other polls, and wait until it has
 *
 * The records are on the stack: nothing is allocated. A poll that completes after another case has won is forgotten:
 * readiness is not consumed by looking.
 */
#include <weft/select.h>

#include "core/loop.h"
#include "core/scope.h"
#include "sync/channel.h"

struct select {
    struct wait_group group; /* first: its cancel function is given the group's wait */
    struct wf_timer_ timer;
    size_t timer_index;
    struct wf_wait release; /* of the kernel: until it has let go of every poll */
    unsigned polls;         /* that the kernel still has */
    struct wait_member members[WF_SELECT_MAX];
};

struct poll {
    struct op op;
    struct select *select; /* NULL: the kernel does not have it */
    size_t index;
};

static const struct wait_class select_class = {.name = "one of several things", .cancel = group_cancel};
static const struct wait_class release_class = {.name = "the kernel to forget a poll"};

/* ---- Looking at the cases ---- */

static int check_case(const struct wf_case *one, unsigned *polls)
{
    switch (one->kind_) {
    case WF_CASE_RECEIVE_:
    case WF_CASE_SEND_:
        channel_check_item(one->on_.channel, one->item_size_, "wf_select");
        return 0;
    case WF_CASE_HANDLE_:
        return one->on_.handle->state_ == HANDLE_UNUSED ? -EINVAL : 0;
    case WF_CASE_EVENT_:
    case WF_CASE_FUTURE_:
    case WF_CASE_UNTIL_:
        return 0;
    case WF_CASE_READY_:
        if (one->fd_ < 0) return -EBADF;
        if (one->readiness_ == 0 || (one->readiness_ & ~(unsigned)(WF_READABLE | WF_WRITABLE)) != 0) return -EINVAL;
        return ++*polls > WF_SELECT_READY_MAX ? -E2BIG : 0;
    }
    return -EINVAL;
}

static int check_cases(const struct wf_case *cases, size_t count, unsigned *polls)
{
    if (count == 0) return -EINVAL;
    if (count > WF_SELECT_MAX) return -E2BIG;
    for (size_t i = 0; i < count; i++) {
        int rc = check_case(&cases[i], polls);
        if (rc < 0) return rc;
    }
    return 0;
}

/* Carries a case out if that needs no wait. */
static bool settle(struct loop *loop, struct wf_case *one)
{
    switch (one->kind_) {
    case WF_CASE_RECEIVE_:
        one->result = channel_try_receive(one->on_.channel, one->item_);
        return one->result != -EAGAIN;
    case WF_CASE_SEND_:
        one->result = channel_try_send(one->on_.channel, one->item_);
        return one->result != -EAGAIN;
    case WF_CASE_EVENT_:
        one->result = 0;
        return one->on_.event->set_;
    case WF_CASE_FUTURE_:
        one->result = one->on_.future->code_;
        return one->on_.future->set_;
    case WF_CASE_HANDLE_:
        one->result = one->on_.handle->result_;
        return one->on_.handle->state_ == HANDLE_ENDED;
    case WF_CASE_UNTIL_:
        one->result = 0;
        return one->deadline_ != WF_FOREVER && one->deadline_ <= loop_now(loop);
    case WF_CASE_READY_:
        break;
    }
    return false;
}

static int settle_first(struct loop *loop, struct wf_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (settle(loop, &cases[i])) return (int)i;
    return -EAGAIN;
}

/* ---- The winner ---- */

/* The timer or the kernel comes with a case; too late when the wait is over. */
static void win(struct select *select, size_t index, int64_t result)
{
    if (!group_waits(&select->group)) return;
    select->members[index].node.wait.result = result;
    group_end(&select->group, (int64_t)index);
}

static void time_has_come(struct wf_timer_ *timer)
{
    struct select *select = (struct select *)((char *)timer - offsetof(struct select, timer));
    win(select, select->timer_index, 0);
}

static void poll_over(struct op *op, int64_t result)
{
    struct poll *poll = (struct poll *)op;
    struct select *select = poll->select;
    poll->select = NULL;
    select->polls--;
    win(select, poll->index, result);
    struct wf_wait *release = &select->release;
    if (select->polls == 0 && release->task != NULL && release->task->wait == release) wait_end(release, 0);
}

/* ---- Getting ready to wait ---- */

static struct wf_queue_ *queue_of(const struct wf_case *one)
{
    switch (one->kind_) {
    case WF_CASE_RECEIVE_:
        return &one->on_.channel->receivers_;
    case WF_CASE_SEND_:
        return &one->on_.channel->senders_;
    case WF_CASE_EVENT_:
        return &one->on_.event->waiters_;
    case WF_CASE_FUTURE_:
        return &one->on_.future->waiters_;
    case WF_CASE_HANDLE_:
        return &one->on_.handle->waiters_;
    case WF_CASE_UNTIL_:
    case WF_CASE_READY_:
        break;
    }
    return NULL;
}

static void stand_in_queues(struct select *select, const struct wf_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct wf_queue_ *queue = queue_of(&cases[i]);
        if (queue != NULL) group_add(&select->group, i, queue, cases[i].item_);
        else select->members[i].queue = NULL;
    }
}

static void arm_timer(struct loop *loop, struct select *select, const struct wf_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (cases[i].kind_ != WF_CASE_UNTIL_ || cases[i].deadline_ >= select->timer.deadline) continue;
        select->timer.deadline = cases[i].deadline_;
        select->timer_index = i;
    }
    if (select->timer.deadline != WF_FOREVER) timer_arm(&loop->timers, &select->timer);
}

/* Gives the index of a case that the kernel could tell about at once, or -EAGAIN. */
static int64_t start_polls(struct select *select, struct poll *polls, const struct wf_case *cases, size_t count)
{
    struct poll *poll = polls;
    for (size_t i = 0; i < count; i++) {
        if (cases[i].kind_ != WF_CASE_READY_) continue;
        *poll = (struct poll){
            .op = {.kind = OP_POLL, .fd = cases[i].fd_, .flags = cases[i].readiness_, .done = poll_over},
            .index = i,
        };
        if (op_start(&poll->op)) {
            select->members[i].node.wait.result = poll->op.wait.result;
            return (int64_t)i;
        }
        poll->select = select;
        select->polls++;
        poll++;
    }
    return -EAGAIN;
}

/* Until the last has ended the kernel may write to the records, so this wait cannot be cut short. */
static void stop_polls(struct select *select, struct poll *polls)
{
    unsigned started = select->polls;
    for (struct poll *poll = polls; started > 0; poll++) {
        if (poll->select == NULL) continue;
        started--;
        op_stop(&poll->op);
    }
    if (select->polls > 0) suspend(&select->release, &release_class, NULL);
}

/* ---- Waiting ---- */

static int wait_for_one(struct loop *loop, struct wf_case *cases, size_t count, struct poll *polls)
{
    struct select select;
    select.group = (struct wait_group){.wait.task = loop->running, .members = select.members, .count = count};
    select.timer = (struct wf_timer_){.deadline = WF_FOREVER, .fire = time_has_come};
    select.release.task = NULL;
    select.polls = 0;
    stand_in_queues(&select, cases, count);
    int64_t index = polls != NULL ? start_polls(&select, polls, cases, count) : -EAGAIN;
    if (index < 0) {
        arm_timer(loop, &select, cases, count);
        index = suspend(&select.group.wait, &select_class, NULL);
        timer_disarm(&loop->timers, &select.timer);
    } else {
        group_leave(&select.group);
    }
    if (polls != NULL) stop_polls(&select, polls);
    if (index < 0) return (int)index;
    struct wf_case *won = &cases[index];
    won->result = (int)select.members[index].node.wait.result;
    if (won->kind_ == WF_CASE_READY_ && won->result > 0) won->result &= (int)won->readiness_;
    return (int)index;
}

/* Apart, so that a select without polls does not have them on its stack. */
static __attribute__((noinline)) int wait_with_polls(struct loop *loop, struct wf_case *cases, size_t count)
{
    struct poll polls[WF_SELECT_READY_MAX];
    for (size_t i = 0; i < WF_SELECT_READY_MAX; i++) polls[i].select = NULL;
    return wait_for_one(loop, cases, count, polls);
}

int wf_select(struct wf_case *cases, size_t count)
{
    struct loop *loop = LOOP_HERE();
    unsigned polls = 0;
    int rc = check_cases(cases, count, &polls);
    if (rc == 0) rc = wait_check_in(loop, false);
    if (rc < 0) return rc;
    int index = settle_first(loop, cases, count);
    if (index >= 0) return (int)wait_skipped_in(loop, index);
    return polls > 0 ? wait_with_polls(loop, cases, count) : wait_for_one(loop, cases, count, NULL);
}

int wf_try_select(struct wf_case *cases, size_t count)
{
    struct loop *loop = LOOP_ALIVE();
    unsigned polls = 0;
    int rc = check_cases(cases, count, &polls);
    if (rc < 0) return rc;
    return polls > 0 ? -EINVAL : settle_first(loop, cases, count);
}
