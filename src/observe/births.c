/* What is left open when its loop ends: a report for each place that it was opened at. */
#include <stdio.h>
#include <string.h>

#include "core/loop.h"
#include "fiber/walk.h"
#include "observe/dump.h"

enum { PLACES_TOLD = 10, LOOKED_AT_MAX = 2000 };

static bool is_alike(const struct birth *one, const struct birth *other)
{
    return one->what == other->what && memcmp(one->calls, other->calls, sizeof one->calls) == 0;
}

/* It was told with another one. */
static bool was_told(const struct birth *birth)
{
    for (const struct birth *other = birth->prev; other != NULL; other = other->prev)
        if (is_alike(birth, other)) return true;
    return false;
}

static size_t count_alike(const struct birth *birth)
{
    size_t count = 0;
    for (const struct birth *other = birth; other != NULL; other = other->next) count += is_alike(birth, other);
    return count;
}

static void tell(const struct loop *loop, const struct birth *birth)
{
    void *calls[BIRTH_CALLS];
    char text[256], number[32] = "";
    size_t count = 0, alike = count_alike(birth);
    for (; count < BIRTH_CALLS && birth->calls[count] != NULL; count++) calls[count] = birth->calls[count];
    if (birth->number >= 0) snprintf(number, sizeof number, alike == 1 ? " (%d)" : " (the last: %d)", birth->number);
    if (alike == 1)
        snprintf(text, sizeof text, "a %s%s was not closed before the loop ended. Opened at:", birth->what, number);
    else
        snprintf(text, sizeof text, "%zu %ss%s were not closed before the loop ended. Opened at:", alike, birth->what,
                 number);
    report_frames(text, calls, count, has_room_for_names(loop));
}

void births_report(const struct loop *loop)
{
    int told = 0, looked_at = 0;
    const struct birth *birth = loop->born;
    for (; birth != NULL && told < PLACES_TOLD && looked_at < LOOKED_AT_MAX; birth = birth->next, looked_at++) {
        if (was_told(birth)) continue;
        tell(loop, birth);
        told++;
    }
}
