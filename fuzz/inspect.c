/*
 * `weft ps` and `weft top` on a damaged process: they look at this very one, where some tasks are parked, and some of
 * the words that they read are not those that are there. Bytes: for each damage, how many pieces are read before it,
 * where in the piece it is, and what is there then.
 */
#include "../tools/weft/text.c" /* whole: what it takes is given back here, after every input */

#include "fuzz.h"

#include <weft/weft.h>

#include "../tools/weft/ps.h"

extern char weft_registry[]; /* the library's, known here by its bytes alone */

enum { DAMAGES_MAX = 32, TASKS = 9 };

struct damage {
    size_t pieces_before, offset;
    unsigned kind;
    uint64_t value;
};

static struct damage damages[DAMAGES_MAX];
static size_t damage_count, pieces_read;
static void (*read_truly)(struct memory *memory, struct piece *pieces, size_t count);

static void give_back(void)
{
    while (all_taken != NULL) {
        struct taken *before = all_taken->before;
        free(all_taken);
        all_taken = before;
    }
}

/* ---- Damage ---- */

static void do_damage(const struct damage *damage, const struct piece *piece)
{
    if (piece->size == 0) return;
    uint64_t word = 0;
    char *at = (char *)piece->into + damage->offset % piece->size;
    size_t room = (size_t)((char *)piece->into + piece->size - at), size = room < 8 ? room : 8;
    memcpy(&word, at, size);
    switch (damage->kind) {
    case 0:
        word = damage->value;
        break;
    case 1:
        word ^= damage->value;
        break;
    case 2:
        word += damage->value;
        break;
    default:
        word = piece->address + (damage->value & 0xfff8);
        break;
    }
    memcpy(at, &word, size);
}

static void read_damaged(struct memory *memory, struct piece *pieces, size_t count)
{
    read_truly(memory, pieces, count);
    for (size_t i = 0; i < count; i++, pieces_read++)
        for (size_t k = 0; k < damage_count; k++)
            if (damages[k].pieces_before == pieces_read && pieces[i].whole) do_damage(&damages[k], &pieces[i]);
}

static void take_damages(struct input *input)
{
    damage_count = 0;
    while (!input_over(input) && damage_count < DAMAGES_MAX) {
        struct damage *damage = &damages[damage_count++];
        damage->pieces_before = take(input, 256) + 256 * take(input, 8);
        damage->offset = take(input, 256) + 256 * take(input, 64);
        damage->kind = take(input, 4);
        damage->value = take_wide(input);
    }
}

/* ---- Looking ---- */

static void print_both(struct memory *memory, struct registry *registry, struct snapshot *snapshot, bool json)
{
    static struct sockets sockets = {.loaded = true};
    static struct page_map pages = {.fd = -1};
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);
    if (out == NULL) return;
    struct ps ps = {.pid = memory->pid,
                    .name = "here",
                    .registry = registry,
                    .snapshot = snapshot,
                    .sockets = &sockets,
                    .pages = &pages,
                    .limit = 100};
    make_tree(snapshot, !json);
    if (json) print_json(&ps, out);
    else print_text(&ps, out);
    fclose(out);
    free(bytes);
}

static void walk_all(struct memory *memory, const struct registry *registry, const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->task_count && i < 100; i++) {
        struct parked parked;
        uint64_t pcs[FRAMES_MAX];
        if (!read_parked(memory, registry, &snapshot->tasks[i], &parked)) continue;
        CLAIM(walk_frames(memory, &snapshot->tasks[i], &parked, pcs, FRAMES_MAX) <= FRAMES_MAX);
    }
}

static void look(bool json)
{
    struct memory memory;
    struct registry registry = {.address = (uint64_t)(uintptr_t)weft_registry};
    struct snapshot snapshot = {.damaged = NULL};
    const char *why = NULL;
    memory_of_process(&memory, getpid());
    read_truly = memory.read;
    memory.read = read_damaged;
    pieces_read = 0;
    int rc = read_registry(&memory, &registry, &why);
    if (rc == 0) rc = take_snapshot(&memory, &registry, &snapshot, &why);
    CLAIM(rc == 0 || why != NULL);
    if (damage_count == 0) CLAIM(rc == 0 && snapshot.task_count == TASKS && snapshot.damaged == NULL);
    struct seen_metric *metrics;
    if (rc == 0) read_metrics(&memory, &registry, &snapshot, &metrics);
    if (rc == 0) walk_all(&memory, &registry, &snapshot);
    if (rc == 0) print_both(&memory, &registry, &snapshot, json);
    free_snapshot(&snapshot);
    give_back();
}

/* unwinder: none here, it is files that it reads. */
size_t unwind(struct unwinder *unwinder, const struct seen_task *task, struct frame *frames, size_t room)
{
    (void)unwinder;
    (void)task;
    (void)frames;
    return room * 0;
}

/* ---- Something to look at ---- */

static int nap(void *unused)
{
    (void)unused;
    return wf_sleep(WF_SECONDS(3600));
}

static int nest(void *unused)
{
    (void)unused;
    WF_SCOPE(outer, .name = "outer", .timeout = WF_SECONDS(60));
    WF_SCOPE(inner, .limit = 3);
    wf_spawn(&inner, nap, NULL, .name = "named");
    wf_spawn(&inner, nap, NULL);
    int rc = wf_scope_join(&inner);
    return wf_scope_end(&outer, rc);
}

static int look_around(struct input *input)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, nest, NULL);
    wf_spawn(&scope, nest, NULL);
    wf_spawn(&scope, nap, NULL);
    wf_spawn(&scope, nap, NULL);
    int rc = wf_yield();
    if (rc == 0) rc = wf_yield();
    bool json = take(input, 2) != 0;
    take_damages(input);
    look(json);
    wf_scope_cancel(&scope, "seen");
    return wf_scope_end(&scope, rc);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    CLAIM(wf_run(look_around, &input, .driver = "sim") == 0);
    return 0;
}
