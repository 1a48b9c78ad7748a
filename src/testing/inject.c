/* Injection as a test asks for it, and waiting until all the others do. */
#include <weft/task.h>

#include "testing/runner.h"

void wf_test_cancel_at(struct wf_scope *scope, uint64_t suspension, bool in_flight)
{
    inject_into(scope, in_flight ? INJECT_CANCEL_IN_FLIGHT : INJECT_CANCEL_ENTRY, suspension, false);
}

bool wf_test_cancel_end(void)
{
    struct injection *injection = &LOOP_HERE()->injection;
    injection->kind = INJECT_NOTHING;
    return injection->times > 0;
}

void inject_into(struct wf_scope *scope, enum injection_kind kind, uint64_t at, bool persistent)
{
    struct loop *loop = LOOP_HERE();
    if (at == 0) kind = INJECT_NOTHING;
    loop->injection = (struct injection){.kind = kind, .scope = scope, .left = at, .persistent = persistent};
    scope->node_.flags |= NODE_WATCHED; /* what is opened and spawned inside is born watched */
}

bool wf_test_injected(void)
{
    if (running.fired) return true;
    return (current_loop != NULL && current_loop->injection.times > 0) || leaks_failed();
}

static const struct wait_class idle_class = {.name = "the others to wait", .cancel = queue_cancel};

int wf_test_wait_idle(void)
{
    struct loop *loop = LOOP_HERE();
    int rc = wait_check(false);
    return rc < 0 ? rc : (int)queue_wait(&loop->idlers, &idle_class);
}
