/* Many checks at once: three, one of three that is wrong, a hundred. */
#include <inttypes.h>
#include <stdio.h>
#include <weft/weft.h>

#include "steps.h"

enum { MANY = 100, AT_ONCE = 10 };

struct check {
    struct custody_client *client;
    struct wf_arena *arena;
    const char *vin;
    struct custody_releasability result;
    const char *error;
};

static int check_one(struct check *check)
{
    int rc = custody_check_vin(check->client, check->arena, check->vin, &check->result);
    if (rc < 0) check->error = wf_arena_strdup(check->arena, custody_error()->message);
    return rc;
}

static int check_one_by_one(struct check *checks, size_t count)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) rc = check_one(&checks[i]);
    return rc;
}

static void prepare(struct demo *demo, struct check *checks, const char *const *vins, size_t count)
{
    for (size_t i = 0; i < count; i++)
        checks[i] = (struct check){.client = demo->client, .arena = wf_task_arena(), .vin = vins[i]};
}

static void show_times(const char *how, int64_t at_once, int64_t one_by_one)
{
    printf("  %s %.0f ms; one after the other %.0f ms: %.1f times as long\n", how, wf_seconds(at_once) * 1e3,
           wf_seconds(one_by_one) * 1e3, (double)one_by_one / (double)at_once);
}

static void show_results(const struct check *checks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct custody_releasability *result = &checks[i].result;
        if (checks[i].error != NULL) printf("  %s: Error - %s\n", checks[i].vin, checks[i].error);
        else if (result->is_releasable) printf("  %s: Releasable\n", checks[i].vin);
        else printf("  %s: Not releasable (%s)\n", checks[i].vin, result->blockers.items[0].code);
    }
}

int show_three_vehicles(struct demo *demo)
{
    static const char *const vins[] = {"9HGBH41JXMN999999", "1HGCM82633A123456", "2HGCM82633A789012"};
    struct check checks[WF_COUNT(vins)];
    puts("\nThree vehicles at once; the answers come in the order of the questions");
    int rc = sandbox_delay(demo->sandbox, "/releasability/*", FAR_MS);
    prepare(demo, checks, vins, WF_COUNT(vins));
    int64_t began = wf_now();
    if (rc == 0) rc = check_one_by_one(checks, WF_COUNT(vins));
    int64_t one_by_one = wf_now() - began;
    began = wf_now();
    if (rc == 0) rc = wf_gather(checks, WF_COUNT(vins), check_one);
    int64_t at_once = wf_now() - began;
    if (rc < 0) return rc;
    show_results(checks, WF_COUNT(vins));
    show_times("at once", at_once, one_by_one);
    return 0;
}

int show_errors_in_place(struct demo *demo)
{
    static const char *const vins[] = {"9HGBH41JXMN999999", "INVALID_VIN", "1HGCM82633A123456"};
    struct check checks[WF_COUNT(vins)];
    int codes[WF_COUNT(vins)];
    puts("\nOne of them is no VIN: its error is in its place, the others are answered");
    prepare(demo, checks, vins, WF_COUNT(vins));
    int rc = wf_gather(checks, WF_COUNT(vins), check_one, .collect = codes);
    if (rc == 0) show_results(checks, WF_COUNT(vins));
    return rc;
}

static int64_t check_many(struct check *checks, uint32_t limit, int *rc)
{
    int64_t began = wf_now();
    if (*rc == 0) *rc = wf_gather(checks, MANY, check_one, .limit = limit);
    return wf_now() - began;
}

int show_a_hundred(struct demo *demo)
{
    static struct check checks[MANY];
    const char *vins[MANY];
    int64_t peak = 0, ignored = 0;
    printf("\n%d vehicles, %d at a time\n", MANY, AT_ONCE);
    for (int i = 0; i < MANY; i++)
        if ((vins[i] = wf_arena_printf(wf_task_arena(), "VIN%012d", i)) == NULL) return -ENOMEM;
    prepare(demo, checks, vins, MANY);
    int rc = sandbox_peak(demo->sandbox, &ignored); /* counts anew */
    int64_t bounded = check_many(checks, AT_ONCE, &rc);
    if (rc == 0) rc = sandbox_peak(demo->sandbox, &peak);
    int64_t one_by_one = check_many(checks, 1, &rc);
    if (rc < 0) return rc;
    int releasable = 0;
    for (int i = 0; i < MANY; i++) releasable += checks[i].result.is_releasable;
    printf("  Processed %d VINs, %d releasable; the server counted %" PRId64 " at once, at most\n", MANY, releasable,
           peak);
    show_times("ten at a time", bounded, one_by_one);
    return 0;
}
