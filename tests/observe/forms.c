/* What forms.py reads: a dump as JSON on the first line, then the record of the same loop. */
#include <stdio.h>
#include <weft/weft.h>

static int wait_for_event(struct wf_event *event)
{
    return wf_event_wait(event);
}

static int read_forever(struct wf_stream *stream)
{
    char byte;
    return wf_stream_read_full(stream, &byte, 1, NULL);
}

static int yield_often(void *unused)
{
    (void)unused;
    int rc = 0;
    for (int i = 0; rc == 0 && i < 20; i++) rc = wf_yield();
    return rc == 0 ? wf_sleep(WF_MILLISECONDS(3)) : rc;
}

static int show(void *unused)
{
    (void)unused;
    struct wf_event event = WF_EVENT;
    struct wf_stream *reader, *writer;
    int rc = wf_pipe(&reader, &writer);
    if (rc < 0) return rc;
    {
        WF_SCOPE(scope, .name = "a \"scope\"", .limit = 1000, .timeout = WF_SECONDS(60));
        for (int i = 0; i < 50; i++) wf_spawn(&scope, wait_for_event, &event, .daemon = true);
        wf_spawn(&scope, read_forever, reader, .daemon = true);
        wf_spawn(&scope, yield_often, NULL, .name = "a\tname");
        rc = wf_sleep(WF_MILLISECONDS(10));
        int dumped = wf_dump_to(stdout, .form = WF_DUMP_JSON);
        if (rc == 0) rc = dumped;
        wf_scope_cancel(&scope, "seen");
        rc = wf_scope_end(&scope, rc);
    }
    wf_stream_close(reader);
    wf_stream_close(writer);
    return rc == 0 ? wf_record_dump(stdout) : rc;
}

int main(void)
{
    return wf_main(show, NULL);
}
