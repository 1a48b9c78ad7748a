/* Very many connections on one loop: ten thousand that are idle, a thousand whose handlers wait, one that dawdles. */
#include <dirent.h>
#include <string.h>
#include <weft/app.h>
#include <weft/testing.h>
#include <weft/weft.h>

enum { IDLE = 10000, SLOW = 1000 };

static const char quick[] = "GET /quick HTTP/1.1\r\nHost: a\r\n\r\n", slow[] = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n";

struct crowd {
    struct wf_listener *listener;
    struct wf_stream *idle[IDLE], *slow[SLOW], *dawdling;
    int in_handlers, peak;
};

static int answer_quickly(struct wf_request *request)
{
    return wf_reply_text(request, 200, "quick");
}

static int answer_slowly(struct wf_request *request)
{
    struct crowd *crowd = wf_request_state(request);
    if (++crowd->in_handlers > crowd->peak) crowd->peak = crowd->in_handlers;
    int rc = wf_sleep(WF_SECONDS(1));
    crowd->in_handlers--;
    return rc < 0 ? rc : wf_reply_text(request, 200, "slow");
}

static int serve(struct crowd *crowd)
{
    struct wf_app app = {.title = "crowd", .state = crowd, .limits = {.connections = IDLE + SLOW + 10}};
    wf_route(&app, WF_GET, "/quick", answer_quickly);
    wf_route(&app, WF_GET, "/slow", answer_slowly);
    int rc = wf_serve(&app, .listener = crowd->listener);
    wf_app_finish(&app);
    return rc;
}

static bool say(struct crowd *crowd, struct wf_stream **stream, const char *text)
{
    int rc = *stream != NULL ? 0 : wf_tcp_connect("127.0.0.1", wf_listener_port(crowd->listener), stream);
    if (rc == 0) rc = wf_stream_write_all(*stream, text, strlen(text), NULL);
    return WF_EXPECT_CODE(rc, 0);
}

/* The whole answer, whose body is that. */
static bool hear(struct wf_stream *stream, const char *body)
{
    char text[512];
    size_t size = 0;
    do {
        ssize_t got = wf_stream_read(stream, text + size, sizeof text - 1 - size);
        if (!WF_EXPECT(got > 0)) return false;
        size += (size_t)got;
        text[size] = '\0';
    } while (strstr(text, "\r\n\r\n") == NULL || strlen(strstr(text, "\r\n\r\n") + 4) < strlen(body));
    return WF_EXPECT(strcmp(strstr(text, "\r\n\r\n") + 4, body) == 0);
}

static bool all_say(struct crowd *crowd, struct wf_stream **streams, int count, const char *text)
{
    bool fine = true;
    for (int i = 0; fine && i < count; i++) fine = say(crowd, &streams[i], text);
    return fine;
}

static bool all_hear(struct wf_stream **streams, int count, const char *body)
{
    bool fine = true;
    for (int i = 0; fine && i < count; i++) fine = hear(streams[i], body);
    return fine;
}

static int count_threads(void)
{
    int count = 0;
    DIR *threads = opendir("/proc/self/task");
    for (struct dirent *each; threads != NULL && (each = readdir(threads)) != NULL;) count += each->d_name[0] != '.';
    if (threads != NULL) closedir(threads);
    return count;
}

/* Everybody waits in a handler, or for nothing; who asks for what is quick has it in no time. */
static void ask_all(struct crowd *crowd)
{
    bool fine = all_say(crowd, crowd->idle, IDLE, quick) && all_hear(crowd->idle, IDLE, "quick");
    if (fine) fine = say(crowd, &crowd->dawdling, "GET /quick HTTP/1.1\r\nHo");
    if (!fine || !all_say(crowd, crowd->slow, SLOW, slow)) return;
    int64_t began = wf_now();
    while (fine && crowd->in_handlers < SLOW && wf_now() - began < WF_SECONDS(1))
        fine = wf_sleep(WF_MILLISECONDS(1)) == 0;
    WF_EXPECT_INT(crowd->peak, SLOW);
    int64_t asked = wf_now();
    fine = fine && say(crowd, &crowd->idle[IDLE / 2], quick) && hear(crowd->idle[IDLE / 2], "quick");
    WF_EXPECT(wf_now() - asked < WF_MILLISECONDS(100));
    WF_EXPECT(count_threads() <= 2); /* the loop, and perhaps the watchdog */
    if (fine) all_hear(crowd->slow, SLOW, "slow");
    WF_EXPECT(wf_now() - began < WF_SECONDS(3));
}

static void close_all(struct crowd *crowd)
{
    for (int i = 0; i < IDLE; i++) wf_stream_close(crowd->idle[i]);
    for (int i = 0; i < SLOW; i++) wf_stream_close(crowd->slow[i]);
    wf_stream_close(crowd->dawdling);
    wf_listener_close(crowd->listener);
}

WF_TEST(ten_thousand_idle_and_a_thousand_at_work_share_one_thread, .simulated = true, .timeout = WF_MINUTES(5),
        .passes_max = 10000000, .unswept = "a hundred thousand suspensions, all alike")
{
    static struct crowd crowd;
    crowd = (struct crowd){.listener = NULL};
    if (WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &crowd.listener), 0)) {
        WF_SCOPE(scope);
        wf_spawn(&scope, serve, &crowd);
        ask_all(&crowd);
        wf_scope_cancel(&scope, "the test is over");
        wf_scope_join(&scope);
    }
    close_all(&crowd);
}

WF_TEST_MAIN
