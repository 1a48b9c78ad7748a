/* What was logged since the test began: caught by the log's hook, in logfmt, on whatever thread. */
#include <pthread.h>
#include <string.h>

#include "observe/log.h"
#include "testing/runner.h"

enum { LOG_MAX = 65536 };

static struct {
    pthread_mutex_t lock;
    size_t size;
    char text[LOG_MAX];
    char shown[LOG_MAX]; /* what wf_test_log gave last */
} caught = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void catch_line(void *context, enum wf_log_level level, const char *line, size_t size)
{
    (void)context;
    (void)level;
    pthread_mutex_lock(&caught.lock);
    if (size < LOG_MAX - caught.size) {
        memcpy(caught.text + caught.size, line, size);
        caught.size += size;
    }
    pthread_mutex_unlock(&caught.lock);
}

const char *wf_test_log(void)
{
    pthread_mutex_lock(&caught.lock);
    memcpy(caught.shown, caught.text, caught.size);
    caught.shown[caught.size] = '\0';
    pthread_mutex_unlock(&caught.lock);
    return caught.shown;
}

void log_begin(void)
{
    log_reset();
    pthread_mutex_lock(&caught.lock);
    caught.size = 0;
    pthread_mutex_unlock(&caught.lock);
    wf_log_set_format(WF_LOG_LOGFMT);
    wf_log_set_hook(catch_line, NULL);
}

void log_end(void)
{
    log_reset();
    if (running.failed && caught.size > 0) say("logged:\n%s", wf_test_log());
}
