/*
 * Code that runs other programs, tested without them: in the simulated world a program is a function, which crashes,
 * hangs or prints nonsense whenever a test wants it to.
 *
 *     weft run examples/testing_programs.c --verbose
 */
#include <stdlib.h>
#include <string.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- What is tested: how large a picture is, by a tool that may fail in every way ---- */

static int width_of(const char *path, int *width)
{
    const char *const argv[] = {"identify", "-width", path, NULL};
    struct wf_process_result result;
    int rc = wf_within(WF_SECONDS(10), wf_process_run(wf_task_arena(), &result, argv, .grace = WF_SECONDS(2)));
    if (rc < 0) return rc;
    if (result.status.signal != 0) return wf_fail(-EIO, "identify died of signal %d", result.status.signal);
    if (result.status.code != 0) return wf_fail(-EIO, "identify: %s", result.error);
    *width = atoi(result.output);
    return *width > 0 ? 0 : wf_fail(-EPROTO, "identify said '%s'", result.output);
}

/* ---- Tools ---- */

static int say(struct wf_stream *stream, const char *text)
{
    return wf_stream_write_all(stream, text, strlen(text), NULL);
}

static int a_good_one(struct wf_sim_process *self)
{
    return strcmp(self->argv[2], "cat.png") == 0 ? say(self->output, "640\n") : 1;
}

static int one_that_complains(struct wf_sim_process *self)
{
    return say(self->error, "no such picture\n") < 0 ? 2 : 1;
}

static int one_that_crashes(struct wf_sim_process *self)
{
    (void)self;
    return wf_sim_raise(SIGSEGV);
}

static int one_that_hangs(struct wf_sim_process *self)
{
    (void)self;
    return wf_shielded(WF_FOREVER, wf_sleep(WF_MINUTES(60)));
}

/* ---- The tests ---- */

WF_TEST(a_width_is_read_wherever_it_is_cut, .simulated = true, .sweep = true)
{
    int width = 0;
    if (!WF_EXPECT_CODE(wf_sim_set_program("identify", .main = a_good_one), 0)) return;
    WF_EXPECT_CODE(width_of("cat.png", &width), 0);
    WF_EXPECT_INT(width, 640);
}

static const struct failing {
    const char *name;
    struct wf_sim_program program;
    int code;
    const char *text;
} failures[] = {
    {"a tool that complains", {.main = one_that_complains}, -EIO, "identify: no such picture"},
    {"a tool that crashes", {.main = one_that_crashes}, -EIO, "identify died of signal 11"},
    {"a tool that hangs", {.main = one_that_hangs}, -ETIME, ""},
    {"a tool that cannot be executed", {.code = -EACCES}, -EACCES, "identify: Permission denied"},
};

static const char *name_of(size_t number)
{
    return failures[number].name;
}

WF_TEST_EACH(every_failure_is_told, failures, .row_name = name_of, .simulated = true, .timeout = WF_MINUTES(1))
{
    int width, rc;
    int64_t started = wf_now();
    rc = wf_sim_set_program("identify", .main = row->program.main, .code = row->program.code);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    rc = width_of("cat.png", &width);
    if (row->text[0] != '\0') WF_EXPECT_FAILURE(rc, row->code, row->text);
    else WF_EXPECT_CODE(rc, row->code);
    WF_EXPECT(wf_now() - started < WF_SECONDS(11)); /* of virtual time, and the tool is gone */
}

WF_TEST_MAIN
