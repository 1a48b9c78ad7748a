/* A traceparent header from any text: what is accepted is written back as it was read, and reads the same again. */
#include "fuzz.h"

#include <string.h>
#include <weft/context.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static char text[256], written[WF_TRACEPARENT_SIZE];
    struct wf_trace trace, again;
    if (size >= sizeof text) size = sizeof text - 1;
    memcpy(text, bytes, size);
    text[size] = '\0';
    if (wf_trace_parse(text, &trace) < 0) return 0;
    wf_trace_format(&trace, written);
    CLAIM(strlen(written) == WF_TRACEPARENT_SIZE - 1);
    CLAIM(memcmp(written + 3, text + 3, 50) == 0); /* but for the version and unknown flags */
    CLAIM(wf_trace_parse(written, &again) == 0);
    CLAIM(memcmp(&again, &trace, sizeof trace) == 0);
    return 0;
}
