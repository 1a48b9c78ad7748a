// How much was read is not to be ignored.
// expect gcc: ignoring return value of 'wf_stream_read' declared with attribute 'warn_unused_result'
// expect clang: ignoring return value of function declared with 'warn_unused_result' attribute
#include <weft/weft.h>


int misuse(struct wf_stream *stream);
int misuse(struct wf_stream *stream)
{
    char buffer[16];
    wf_stream_read(stream, buffer, sizeof buffer);
    return 0;
}
