/* A custody sandbox as a process: what it says when it starts, what it is told, how it ends. */
#include "sandbox_process.h"

#include <signal.h>
#include <string.h>
#include <weft/reader.h>

enum { LINE_MAX_BYTES = 4096 };

/* What follows the words at the beginning of its next line. */
static int read_value(struct wf_reader *reader, const char *words, const char **value)
{
    char *line;
    size_t size, length = strlen(words);
    int rc = wf_reader_line(reader, &line, &size);
    if (rc < 0) return rc;
    if (rc == 0) return wf_fail(-EPROTO, "the sandbox ended before it served");
    if (size <= length || memcmp(line, words, length) != 0)
        return wf_fail(-EPROTO, "the sandbox said \"%.*s\"", (int)size, line);
    *value = wf_arena_strndup(wf_task_arena(), line + length, size - length);
    return *value != NULL ? 0 : -ENOMEM;
}

int sandbox_start(struct sandbox_process *sandbox, const char *program)
{
    const char *database = wf_arena_printf(wf_task_arena(), "%s/custody.db", sandbox->folder);
    if (database == NULL) return -ENOMEM;
    const char *const words[] = {program, "sandbox",    "--port", "0", "--rate-limit",
                                 "off",   "--database", database, NULL};
    int rc = wf_process_start(sandbox->process, words, .output = {.kind = WF_IO_PIPE}, .new_group = true,
                              .death_signal = SIGKILL);
    if (rc < 0) return rc;
    WF_READER(reader, sandbox->process->output, LINE_MAX_BYTES);
    rc = read_value(&reader, "custody sandbox at ", &sandbox->url);
    if (rc == 0) rc = read_value(&reader, "page ", &sandbox->page);
    return rc < 0 ? rc : read_value(&reader, "token ", &sandbox->token);
}

int sandbox_delay(const struct sandbox_process *sandbox, const char *path, int delay_ms)
{
    WF_CLIENT(client, .base_url = sandbox->url, .bearer = sandbox->token, .check_status = true);
    struct wf_response response;
    const char *fault = wf_arena_printf(wf_task_arena(), "{\"path\":\"%s\",\"delay_ms\":%d%s}", path, delay_ms,
                                        delay_ms == 0 ? ",\"count\":0" : "");
    return wf_post(&client, wf_task_arena(), "_sandbox/faults", &response, .json = fault);
}

#define PEAK_MEMBERS(M) M(INT64, in_flight) M(INT64, peak)
WF_MODEL(peak, PEAK_MEMBERS)

int sandbox_peak(const struct sandbox_process *sandbox, int64_t *peak)
{
    WF_CLIENT(client, .base_url = sandbox->url, .bearer = sandbox->token, .check_status = true);
    struct wf_response response;
    struct peak said;
    int rc = wf_post(&client, wf_task_arena(), "_sandbox/peak", &response, .json = "{}");
    if (rc == 0) rc = wf_response_model(&response, &peak_model, &said);
    if (rc == 0) *peak = said.peak;
    return rc;
}

int sandbox_stop(struct sandbox_process *sandbox, int *status)
{
    struct wf_process_status ended;
    int rc = wf_process_signal(sandbox->process, SIGTERM);
    if (rc == 0) rc = wf_process_wait(sandbox->process, &ended);
    if (rc == 0) *status = ended.code;
    return rc;
}
