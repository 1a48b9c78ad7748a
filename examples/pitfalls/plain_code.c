/*
 * Plain code that calls tasks. Bad: it calls what suspends where there is no loop; the process ends with a paragraph
 * that says what to do. Good: it runs a loop of its own for the call. Best, from a thread beside a running loop: it
 * hands the request over and wakes the loop, which has connections and caches already.
 *
 *     weft run examples/pitfalls/plain_code.c
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/weft.h>

/* What suspends, and belongs into a task. */
static int fetch(int *price)
{
    int rc = wf_sleep(WF_MILLISECONDS(10));
    if (rc == 0) *price = 42;
    return rc;
}

/* ---- Bad: in a process of its own, because it ends there ---- */

static void bad(void)
{
    int ends[2], price = 0, status;
    char text[1024];
    if (pipe(ends) < 0) return;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        _exit(fetch(&price));
    }
    close(ends[1]);
    ssize_t got = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    waitpid(child, &status, 0);
    text[got > 0 ? got : 0] = '\0';
    printf("bad: %s: %.*s ...\n", WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "ended", (int)strcspn(text, "."),
           text);
}

/* ---- Good: a loop for this call ---- */

static void good(void)
{
    int price = 0, rc = wf_run(fetch, &price);
    printf("good: %s, the price is %d\n", wf_strerror(rc), price);
}

/* ---- Best: a request to a loop that runs ---- */

struct desk {
    pthread_mutex_t mutex;
    pthread_cond_t answered;
    struct wf_event asked;
    struct wf_waker *waker;
    int price;
    bool done;
};

/* On any thread: asks, and waits as threads do. */
static void *customer(void *argument)
{
    struct desk *desk = argument;
    wf_waker_wake(desk->waker);
    pthread_mutex_lock(&desk->mutex);
    while (!desk->done) pthread_cond_wait(&desk->answered, &desk->mutex);
    printf("best: the price is %d\n", desk->price);
    pthread_mutex_unlock(&desk->mutex);
    return NULL;
}

/* In the loop: the lock is never held across a call that suspends. */
static int serve(struct desk *desk)
{
    int price = 0, rc = wf_event_wait(&desk->asked);
    if (rc == 0) rc = fetch(&price);
    pthread_mutex_lock(&desk->mutex);
    desk->price = price;
    desk->done = true;
    pthread_cond_signal(&desk->answered);
    pthread_mutex_unlock(&desk->mutex);
    return rc;
}

static int best(struct desk *desk)
{
    pthread_t thread;
    int rc = wf_waker_create(&desk->asked, &desk->waker);
    if (rc < 0) return rc;
    rc = -pthread_create(&thread, NULL, customer, desk);
    if (rc == 0) rc = serve(desk);
    if (rc == 0) rc = -pthread_join(thread, NULL);
    wf_waker_destroy(desk->waker);
    return rc;
}

int main(void)
{
    bad();
    good();
    fflush(stdout);
    struct desk desk = {.mutex = PTHREAD_MUTEX_INITIALIZER, .answered = PTHREAD_COND_INITIALIZER};
    return wf_main(best, &desk);
}
