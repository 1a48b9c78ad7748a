/*
 * Items of a batch, at most five at a time, with results in order and errors in place; and a limit that two batches
 * share. From "Concurrent Processing: Batch Processing with Semaphore".
 *
 * Rows: S007, S017, S023, S097.
 *
 * The sample computes a batch_size that it never uses, makes a task for every item at once, and says nowhere whether
 * the limit is one batch's or the server's. Here a batch has a limit of its own, which bounds its tasks too, and the
 * server's is a semaphore that all batches pass.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/001-plugins/batch_processing_with_semaphore.c
 */
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

struct batch_processor {
    struct wf_semaphore permits; /* of the server: for all batches together */
    int inside, peak;
};

struct item {
    struct batch_processor *processor;
    char name[32];
    size_t result;
};

static int process_item(struct item *item)
{
    if (++item->processor->inside > item->processor->peak) item->processor->peak = item->processor->inside;
    int rc = wf_sleep(WF_MILLISECONDS(100));
    item->processor->inside--;
    if (rc == 0 && strcmp(item->name, "item2") == 0) return wf_fail(-EINVAL, "%s is no item", item->name);
    item->result = strlen(item->name);
    return rc;
}

static int process_with_permit(struct item *item)
{
    int rc = wf_semaphore_acquire(&item->processor->permits);
    if (rc < 0) return rc;
    rc = process_item(item);
    wf_semaphore_release(&item->processor->permits);
    return rc;
}

static void name_items(struct item *items, size_t count, struct batch_processor *processor)
{
    for (size_t i = 0; i < count; i++) {
        items[i] = (struct item){.processor = processor};
        snprintf(items[i].name, sizeof items[i].name, "item%zu", i + 1);
    }
}

static int process_three(void)
{
    struct batch_processor processor = {.permits = WF_SEMAPHORE(5)};
    struct item items[3];
    int status[3];
    name_items(items, 3, &processor);
    int rc = wf_gather(items, 3, process_item, .limit = 5, .collect = status);
    for (int i = 0; rc == 0 && i < 3; i++) printf("%s: %s\n", items[i].name, wf_strerror(status[i]));
    return rc;
}

static int process_batch(struct item *items)
{
    int status[100];
    return wf_gather(items, 100, process_with_permit, .limit = 10, .collect = status);
}

static int process_two_batches(void)
{
    struct batch_processor processor = {.permits = WF_SEMAPHORE(5)};
    struct item batches[2][100];
    int64_t started = wf_now();
    WF_SCOPE(scope);
    for (int i = 0; i < 2; i++) {
        name_items(batches[i], 100, &processor);
        wf_spawn(&scope, process_batch, batches[i], .stack_size = 64 << 10);
    }
    int rc = wf_scope_join(&scope);
    printf("two batches of 100 items, limit 10 each, 5 for the server: %.1f s, at most %d at once\n",
           wf_seconds(wf_now() - started), processor.peak);
    return rc;
}

static int run(void *unused)
{
    (void)unused;
    int rc = process_three();
    return rc < 0 ? rc : process_two_batches();
}

int main(void)
{
    return wf_main(run, NULL);
}
