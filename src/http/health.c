/* What those who run a server ask it. */
#define WF_LOG_MODULE "http"
#include <string.h>
#include <weft/extend.h>
#include <weft/group.h>
#include <weft/health.h>
#include <weft/json.h>
#include <weft/log.h>
#include <weft/metrics.h>
#include <weft/scope.h>
#include <weft/task.h>
#include <weft/time.h>

struct probe {
    const struct wf_health_check *check;
    int64_t time;
    int result;
};

static int run_check(struct probe *probe)
{
    const struct wf_health_check *check = probe->check;
    probe->result = wf_within(probe->time, check->check(check->arg));
    if (probe->result == -ECANCELED) return -ECANCELED;
    if (probe->result < 0)
        wf_logf(WF_WARN, "the check \"%s\" failed: %s", check->name,
                wf_failure() != NULL && wf_failure()[0] != '\0' ? wf_failure() : wf_strerror(probe->result));
    return 0;
}

static unsigned prepare(const struct wf_health *health, struct probe probes[WF_HEALTH_CHECKS_MAX])
{
    unsigned count = 0;
    if (health == NULL) return 0;
    for (; count < WF_HEALTH_CHECKS_MAX && health->checks[count].name != NULL; count++)
        probes[count] = (struct probe){.check = &health->checks[count],
                                       .time = health->time > 0 ? health->time : WF_SECONDS(1),
                                       .result = -ECANCELED};
    return count;
}

static const char *verdict(int result)
{
    return result >= 0 ? "ok" : result == -ETIME ? "timeout" : "failed";
}

static int report(struct wf_request *request, int status, const char *text, const struct probe *probes, unsigned count)
{
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, wf_request_arena(request), 0);
    wf_json_open_object(&writer);
    wf_json_write_key(&writer, "status");
    wf_json_write_string(&writer, text);
    if (count > 0) {
        wf_json_write_key(&writer, "checks");
        wf_json_open_object(&writer);
        for (unsigned i = 0; i < count; i++) {
            wf_json_write_key(&writer, probes[i].check->name);
            wf_json_write_string(&writer, verdict(probes[i].result));
        }
        wf_json_close_object(&writer);
    }
    wf_json_close_object(&writer);
    int rc = wf_reply_header(request, "Cache-Control", "no-store");
    return rc < 0 ? rc : wf_reply_json(request, status, &writer);
}

int wf_health_alive(struct wf_request *request)
{
    int rc = wf_checkpoint();
    return rc < 0 ? rc : report(request, 200, "ok", NULL, 0);
}

int wf_health_ready(struct wf_request *request)
{
    struct probe probes[WF_HEALTH_CHECKS_MAX];
    unsigned count = prepare(wf_request_arg(request), probes);
    int rc = wf_checkpoint();
    if (rc == 0 && count > 0) rc = wf_gather(probes, count, run_check);
    if (rc < 0) return rc;
    bool good = true;
    for (unsigned i = 0; i < count; i++) good = good && probes[i].result >= 0;
    if (wf_draining()) return report(request, 503, "draining", probes, count);
    return report(request, good ? 200 : 503, good ? "ok" : "failing", probes, count);
}

int wf_metrics_handler(struct wf_request *request)
{
    char *text = NULL;
    int rc = wf_checkpoint();
    if (rc == 0) rc = wf_metrics_text(wf_request_arena(request), &text);
    if (rc < 0 || text == NULL) return rc;
    return wf_reply_bytes(request, 200, "text/plain; version=0.0.4; charset=utf-8", text, strlen(text));
}
