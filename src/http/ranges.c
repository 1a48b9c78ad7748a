/*
 * A field that is no list of ranges is as if it were not there. So is one that asks for more pieces than may be, or for
 * more bytes than all are: such requests only cost.
 */
#include "http/ranges.h"

#include <string.h>
#include <strings.h>

/* Digits; -1: none, or too many. */
static int64_t number(const char **at)
{
    int64_t value = -1;
    for (unsigned digits = 0; **at >= '0' && **at <= '9'; ++*at) {
        if (++digits > 18) return -1;
        value = (value < 0 ? 0 : value * 10) + (**at - '0');
    }
    return value;
}

/* "10-20", "10-" or "-5". 1: within the size; 0: not; -1: no range. */
static int read_one(const char **at, uint64_t size, struct range *range)
{
    if (**at == '-') {
        ++*at;
        int64_t last = number(at);
        if (last < 0) return -1;
        range->size = (uint64_t)last < size ? (uint64_t)last : size;
        range->first = size - range->size;
        return range->size > 0;
    }
    int64_t first = number(at);
    if (first < 0 || **at != '-') return -1;
    ++*at;
    int64_t last = **at >= '0' && **at <= '9' ? number(at) : INT64_MAX;
    if (last < first) return -1;
    if ((uint64_t)first >= size) return 0;
    range->first = (uint64_t)first;
    range->size = ((uint64_t)last < size ? (uint64_t)last + 1 : size) - range->first;
    return 1;
}

int ranges_read(const char *text, uint64_t size, struct range *ranges, int max)
{
    int count = 0, asked = 0;
    uint64_t total = 0;
    if (strncasecmp(text, "bytes=", 6) != 0) return RANGES_ALL;
    for (const char *at = text + 6;;) {
        at += strspn(at, " \t,");
        if (*at == '\0') break;
        struct range range;
        int found = read_one(&at, size, &range);
        at += strspn(at, " \t");
        if (found < 0 || (*at != ',' && *at != '\0') || ++asked > max) return RANGES_ALL;
        if (found == 0) continue;
        ranges[count++] = range;
        total += range.size;
    }
    if (asked == 0 || total > size) return RANGES_ALL;
    return count > 0 ? count : RANGES_NONE;
}
