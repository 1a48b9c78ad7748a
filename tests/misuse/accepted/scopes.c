// Scopes in loops, in nested blocks, in each other, and every way to spawn into them.
#include <weft/weft.h>

struct order {
    int id;
    const char *note;
};

static int load(struct order *order)
{
    return order->id;
}

static int serve(void *unused)
{
    (void)unused;
    wf_ready(1);
    return wf_yield();
}

int loops(struct order *orders, size_t count);
int loops(struct order *orders, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        WF_SCOPE(scope, .timeout = WF_SECONDS(1), .name = "outer");
        while (orders[i].id > 0) {
            WF_SCOPE(inner);
            wf_spawn(&inner, load, &orders[i]);
            if (wf_scope_join(&inner) < 0) break;
        }
        do {
            WF_SCOPE(inner, .policy = WF_COLLECT, .limit = 3);
            wf_spawn(&inner, load, &orders[i]);
            wf_each_error(&inner, error)
                if (error->code == -EINVAL) wf_take_error(error);
            wf_each_error(&inner, error) {
                wf_each_error(&scope, outer) wf_take_error(outer);
                wf_take_error(error);
            }
            wf_ignore(wf_scope_join(&inner));
        } while (--orders[i].id > 0);
        int rc = wf_scope_end(&scope, 0);
        if (rc < 0) return rc;
    }
    return 0;
}

int blocks(struct order *order);
int blocks(struct order *order)
{
    struct wf_handle handle = {.result_ = 0};
    WF_SCOPE(scope, .deadline = WF_FOREVER, .shield = true);
    {
        WF_SCOPE(one);
        WF_SCOPE(two, .keep_finished = true);
        wf_spawn(&one, load, order);
        int rc = wf_scope_join(&two);
        rc = wf_scope_end(&one, rc);
        if (rc < 0) return wf_scope_end(&scope, rc);
    }
    switch (order->id) {
    case 1: {
        WF_SCOPE(one);
        wf_spawn_copy(&one, load, order, .name = "copy");
        wf_spawn_copy(&one, load, (&(struct order){2, "a literal has parentheses of its own"}));
        wf_spawn_copy(&one, load, &(struct order){.id = 2});
        wf_ignore(wf_scope_join(&one));
        break;
    }
    default:
        break;
    }
    wf_spawn(&scope, serve, NULL, .daemon = true);
    int rc = wf_spawn_ready(&scope, serve, NULL, .handle = &handle, .stack_size = 65536);
    if (rc >= 0) rc = wf_try_spawn(&scope, load, order, .context = WF_CONTEXT_CURRENT);
    if (rc >= 0) rc = wf_spawn(&scope, order->id > 0 ? load : load, order);
    wf_handle_cancel(&handle, "enough");
    wf_scope_cancel(&scope, "done");
    return wf_scope_end(&scope, rc);
}
