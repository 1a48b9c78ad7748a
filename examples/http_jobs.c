/*
 * Work that is accepted now and done later: 202 and where to ask, a task that outlives its request, and one word of
 * each failure. What is under way when the server ends has ten seconds; what must survive a crash belongs into a
 * database.
 * Run it: weft run examples/http_jobs.c --port 8000, then open http://127.0.0.1:8000/docs
 */
// weft: pkg-config weft-http
#include <inttypes.h>
#include <stdio.h>
#include <weft/app.h>
#include <weft/background.h>
#include <weft/model.h>
#include <weft/task.h>
#include <weft/time.h>

enum { TRANSFERS_MAX = 1000 };
enum { QUEUED, RUNNING, DONE, FAILED };

#define ASKED_MEMBERS(M)                                                                                               \
    M(INT64, amount, .min = 1, .example = "250")                                                                       \
    M(INT32, delay_ms, .min = 0, .max = 5000, .preset = "100", .description = "How long the work takes")
WF_MODEL(transfer_asked, ASKED_MEMBERS)

#define TRANSFER_MEMBERS(M)                                                                                            \
    M(INT64, id)                                                                                                       \
    M(INT64, amount)                                                                                                   \
    M(ENUM, state, .values = WF_VALUES("queued", "running", "done", "failed"))
WF_MODEL(transfer, TRANSFER_MEMBERS)

#define WHICH_MEMBERS(M) M(INT64, id, .min = 1)
WF_MODEL(which_transfer, WHICH_MEMBERS)

struct bank {
    struct transfer transfers[TRANSFERS_MAX];
    int64_t count;
    struct wf_background *background;
};

struct job {
    struct transfer *transfer;
    int32_t delay_ms;
};

static int carry_out(struct job *job)
{
    job->transfer->state = RUNNING;
    int rc = wf_sleep(WF_MILLISECONDS(job->delay_ms));
    if (rc == 0 && job->transfer->amount > 1000)
        rc = wf_fail(-EDQUOT, "%" PRId64 " is too much", job->transfer->amount);
    job->transfer->state = rc == 0 ? DONE : FAILED;
    return rc;
}

static void tell_operator(void *context, const char *name, int code, const char *message)
{
    (void)context;
    printf("%s failed: %s (%s)\n", name, message, wf_strerror(code));
    fflush(stdout);
}

static int ask_for_transfer(struct wf_request *request)
{
    struct bank *bank = wf_request_state(request);
    const struct transfer_asked *asked = wf_body_value(request);
    if (bank->count == TRANSFERS_MAX) return wf_http_error(request, 503, "no more transfers today");
    struct transfer *transfer = &bank->transfers[bank->count];
    *transfer = (struct transfer){.id = bank->count + 1, .amount = asked->amount, .state = QUEUED};
    struct job job = {.transfer = transfer, .delay_ms = asked->delay_ms};
    char name[40];
    snprintf(name, sizeof name, "transfer-%" PRId64, transfer->id);
    int rc = wf_background_start_copy(bank->background, carry_out, &job, .name = name);
    if (rc < 0) return rc; /* too many at once, or the server ends: 503 */
    bank->count++;
    wf_reply_header(request, "Location",
                    wf_arena_printf(wf_request_arena(request), "/transfers/%" PRId64, transfer->id));
    return wf_reply(request, 202, &transfer_model, transfer);
}

static int show_transfer(struct wf_request *request)
{
    struct bank *bank = wf_request_state(request);
    const struct which_transfer *which = wf_path_value(request);
    if (which->id > bank->count) return wf_http_error(request, 404, "there is no transfer %" PRId64, which->id);
    return wf_reply(request, 200, &transfer_model, &bank->transfers[which->id - 1]);
}

static int with_background(struct wf_app *app)
{
    struct bank *bank = app->state;
    WF_BACKGROUND(background, .name = "transfers", .grace = WF_SECONDS(10), .on_error = tell_operator);
    bank->background = &background;
    int rc = wf_app_run(app);
    int ended = wf_background_shutdown(&background);
    return rc < 0 ? rc : ended;
}

int main(int argc, char **argv)
{
    static struct bank bank;
    struct wf_app app = {.title = "Transfers", .state = &bank, .lifespan = with_background};
    wf_route(&app, WF_POST, "/transfers", ask_for_transfer, .body = &transfer_asked_model, .response = &transfer_model,
             .status = 202);
    wf_route(&app, WF_GET, "/transfers/{id}", show_transfer, .path = &which_transfer_model,
             .response = &transfer_model);
    return wf_serve_main(&app, argc, argv);
}
