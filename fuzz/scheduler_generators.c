#include "scheduler.h"

/* What a producer is to do, and what came of it. */
struct source {
    int count, result; /* so many items, then that result */
    bool pauses;
    bool started, ended;
    int emitted, taken, dropped;
};

struct item {
    struct source *source;
    int number;
};

static int produce(struct wf_generator *out, struct source *source)
{
    int rc = 0;
    source->started = true;
    for (int i = 0; i < source->count && rc == 0; i++) {
        struct item item = {.source = source, .number = i};
        if (source->pauses) rc = wf_sleep(INT64_C(1000) * i * i);
        if (rc == 0) rc = wf_emit(out, &item);
        if (rc == 0) source->emitted++;
    }
    source->ended = true;
    return rc < 0 ? rc : source->result;
}

static void drop(void *item)
{
    ((struct item *)item)->source->dropped++;
}

static int take_item(struct life *life, struct wf_generator *items, struct source *source)
{
    struct item item;
    bool was_cancelled = before_call(life);
    int rc = wf_next(items, &item);
    if (rc > 0) CLAIM(item.source == source && item.number == source->taken++);
    if (rc == 0) CLAIM(source->ended && source->taken == source->count && source->result == 0);
    if (rc == source->result && rc < 0) CLAIM(source->ended);
    after_call(life, was_cancelled, rc);
    return rc;
}

static int consume(struct life *life, struct source *source)
{
    WF_GENERATOR(items, produce, source, struct item, .drop = drop);
    int rc = 1;
    for (unsigned most = take(&world.input, 8); most > 0 && rc > 0; most--) rc = take_item(life, &items, source);
    if (take(&world.input, 2) == 0) {
        int closed = wf_generator_close(&items);
        CLAIM(closed == 0 || closed == source->result || (closed == -ECANCELED && wf_cancelled()));
        CLAIM(wf_generator_close(&items) == 0);
    } else if (source->result < 0 || wf_cancelled()) { /* an error that was not told goes to the scope around */
        life->here->uncertain = life->uncertain = true;
    }
    return rc < 0 ? rc : 0;
}

/* Rule 4.6: items in order, none lost, and a producer that has ended when its block is left. */
int use_generator(struct life *life)
{
    struct source source = {.count = (int)take(&world.input, 6)};
    unsigned choice = take(&world.input, 8);
    source.result = choice == 0 ? -EPROTO : 0;
    source.pauses = choice % 2 == 0;
    int rc = consume(life, &source);
    CLAIM(source.started == source.ended);
    CLAIM(source.emitted == source.taken + source.dropped);
    observe(life);
    return rc;
}
