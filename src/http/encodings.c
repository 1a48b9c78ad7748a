/* "gzip;q=0.8, br, *;q=0": thousandths, so that nothing is rounded. */
#include "http/encodings.h"

#include <string.h>
#include <strings.h>

const struct encoding_name encodings[ENCODINGS] = {
    [ENCODING_ZSTD] = {"zstd", "zst"},
    [ENCODING_BROTLI] = {"br", "br"},
    [ENCODING_GZIP] = {"gzip", "gz"},
};

int encoding_named(const char *name, size_t size)
{
    if (size == 6 && strncasecmp(name, "x-gzip", 6) == 0) return ENCODING_GZIP;
    for (int i = 0; i < ENCODINGS; i++)
        if (strlen(encodings[i].name) == size && strncasecmp(name, encodings[i].name, size) == 0) return i;
    return -1;
}

/* Of ";q=0.5" or nothing: 0 to 1000; -1: no weight. */
static int weight(const char *at)
{
    at += strspn(at, " \t");
    if (*at != ';') return 1000;
    at++;
    at += strspn(at, " \t");
    if ((at[0] | 0x20) != 'q' || at[1] != '=' || (at[2] != '0' && at[2] != '1')) return -1;
    int value = (at[2] - '0') * 1000, place = 100;
    if (at[3] != '.') return value;
    for (at += 4; *at >= '0' && *at <= '9' && place > 0; at++, place /= 10) value += (*at - '0') * place;
    return value <= 1000 ? value : -1;
}

/* What each is worth to the client. */
static void read_weights(const struct wf_headers *headers, int worth[ENCODINGS])
{
    uint32_t after = 0;
    const char *at;
    int others = 0;
    for (int i = 0; i < ENCODINGS; i++) worth[i] = -1;
    while ((at = wf_headers_next(headers, "accept-encoding", &after)) != NULL) {
        while (*(at += strspn(at, " \t,")) != '\0') {
            size_t size = strcspn(at, " \t,;");
            int found = encoding_named(at, size), value = weight(at + size);
            if (found >= 0) worth[found] = value > 0 ? value : 0;
            if (size == 1 && at[0] == '*') others = value > 0 ? value : 0;
            at += strcspn(at, ",");
        }
    }
    for (int i = 0; i < ENCODINGS; i++)
        if (worth[i] < 0) worth[i] = others;
}

unsigned encodings_accepted(const struct wf_headers *headers, unsigned order[ENCODINGS])
{
    int worth[ENCODINGS];
    unsigned count = 0;
    read_weights(headers, worth);
    for (;;) {
        int best = -1;
        for (int i = 0; i < ENCODINGS; i++)
            if (worth[i] > 0 && (best < 0 || worth[i] > worth[best])) best = i;
        if (best < 0) return count;
        order[count++] = (unsigned)best;
        worth[best] = 0;
    }
}
