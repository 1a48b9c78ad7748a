/* A future: a result that is set once, for all who wait. */
#include <stdio.h>
#include <weft/task.h>

#include "core/loop.h"
#include "sync/statistics.h"

static const struct wait_class future_class = {.name = "a future", .cancel = queue_cancel};

static void settle(struct wf_future *future, int code)
{
    future->set_ = true;
    future->code_ = code;
    while (queue_grant(&future->waiters_, code)) future->passed_++;
}

int wf_future_set(struct wf_future *future, const void *value)
{
    (void)LOOP_ALIVE();
    if (future->set_) return -EALREADY;
    future->value_ = (void *)(uintptr_t)value;
    settle(future, 0);
    return 0;
}

int wf_future_fail(struct wf_future *future, int code, const char *format, ...)
{
    (void)LOOP_ALIVE();
    if (code >= 0) return -EINVAL;
    if (future->set_) return -EALREADY;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(future->message_, sizeof future->message_, format, arguments);
    va_end(arguments);
    settle(future, code);
    return 0;
}

static int result_of(const struct wf_future *future, int rc)
{
    bool failed = rc < 0 && future->set_ && rc == future->code_;
    return failed ? wf_fail(rc, "%s", future->message_) : rc;
}

int wf_future_wait(struct wf_future *future)
{
    struct loop *loop = LOOP_HERE();
    int rc = wait_check_in(loop, false);
    if (rc < 0) return rc;
    if (future->set_) {
        future->passed_++;
        return (int)wait_skipped_in(loop, result_of(future, future->code_));
    }
    future->waited_++;
    return result_of(future, (int)queue_wait(&future->waiters_, &future_class));
}

void *wf_future_value(const struct wf_future *future)
{
    return future->value_;
}

int wf_future_result(const struct wf_future *future)
{
    return future->set_ ? future->code_ : -EINPROGRESS;
}

void wf_future_statistics(const struct wf_future *future, struct wf_sync_statistics *statistics)
{
    *statistics = STATISTICS_OF(future);
}
