/* One question at a time, in one place that the handler can find. */
#include "observe/probe.h"

#include <execinfo.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/loop.h"
#include "fiber/walk.h"

enum { IDLE, ASKED, ANSWERING, ANSWERED, PATIENCE_MS = 200, TAKEN_ON_TOP = 5 /* by emulators and debuggers */ };

static struct {
    atomic_int state;
    pid_t thread_id;
    struct system_call call; /* that it was seen in */
    struct probe answer;
} question;

static int probe_signal; /* 0: there is none */
static struct sigaction previous;

/* ---- On the thread that is asked, in the handler ---- */

static void copy(char *into, size_t size, const char *text)
{
    size_t length = strnlen(text, size - 1);
    memcpy(into, text, length);
    into[length] = '\0';
}

/* Without the handler itself, and what the system calls it by: from the place that was interrupted on. */
static size_t take_frames(void **frames, const ucontext_t *context)
{
    uintptr_t pc, frame;
    machine_registers(context, &pc, &frame);
    int count = backtrace(frames, PROBE_FRAMES), first = 0;
    while (first < count && (uintptr_t)frames[first] != pc) first++;
    return walk_shorten(frames, (size_t)count, first < count ? (size_t)first : 0);
}

static void answer(struct probe *to, const ucontext_t *context)
{
    const struct wf_task *task = current_loop != NULL ? current_loop->running : NULL;
    to->task_id = task != NULL ? task->id : 0;
    to->frame_count = 0;
    if (task == NULL) return;
    copy(to->name, sizeof to->name, task->name);
    copy(to->place, sizeof to->place, task->place);
    to->frame_count = take_frames(to->frames, context);
}

static void on_question(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    int saved = errno, asked = ASKED;
    bool is_asked = atomic_load(&question.state) == ASKED && question.thread_id == (pid_t)syscall(SYS_gettid);
    if (is_asked && atomic_compare_exchange_strong(&question.state, &asked, ANSWERING)) {
        answer(&question.answer, context);
        machine_call_again(context, &question.call);
        atomic_store(&question.state, ANSWERED);
        syscall(SYS_futex, &question.state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
    errno = saved;
}

/* ---- On the thread that asks ---- */

static bool is_free(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && !(action.sa_flags & SA_SIGINFO) && action.sa_handler == SIG_DFL;
}

void probe_begin(void)
{
    void *prime[1];
    backtrace(prime, 1); /* loads its library now, not in the handler */
    struct sigaction action = {.sa_sigaction = on_question, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (int number = SIGRTMAX - TAKEN_ON_TOP; number >= SIGRTMIN && probe_signal == 0; number--)
        if (is_free(number) && sigaction(number, &action, &previous) == 0) probe_signal = number;
}

void probe_end(void)
{
    if (probe_signal != 0) sigaction(probe_signal, &previous, NULL);
    probe_signal = 0;
}

/* What the system tells of a thread in one of its files. */
static ssize_t read_about(pid_t thread_id, const char *what, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/%s", (int)thread_id, what);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t got = read(fd, text, size - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    return got;
}

/* The thread's name, in parentheses, may hold anything. */
char probe_state(pid_t thread_id)
{
    char text[256];
    if (read_about(thread_id, "stat", text, sizeof text) <= 0) return 0;
    const char *end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' ? end[2] : 0;
}

int64_t probe_processor_ns(pthread_t thread)
{
    clockid_t clock;
    struct timespec time;
    if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* "35 0x7f.. (six arguments) stack-pointer pc", or "running". False: it waits, and it is not known in what. */
static bool find_call(pid_t thread_id, struct system_call *call)
{
    char text[256];
    unsigned long first, pc;
    *call = (struct system_call){.number = -1};
    if (read_about(thread_id, "syscall", text, sizeof text) <= 0) return false;
    if (strncmp(text, "running", 7) == 0 || text[0] == '-') return true;
    if (sscanf(text, "%ld %lx %*x %*x %*x %*x %*x %*x %lx", &call->number, &first, &pc) != 3) return false;
    call->first = first;
    call->pc = pc;
    return true;
}

static bool wait_for_answer(void)
{
    struct timespec rest = {.tv_nsec = PATIENCE_MS * 1000000};
    int state;
    while ((state = atomic_load(&question.state)) == ASKED || state == ANSWERING) {
        long rc = syscall(SYS_futex, &question.state, FUTEX_WAIT_PRIVATE, state, &rest, NULL, 0);
        int asked = ASKED;
        if (rc < 0 && errno == ETIMEDOUT && atomic_compare_exchange_strong(&question.state, &asked, IDLE)) return false;
    }
    return true;
}

/* A thread that waits in a call which cannot be made again is left alone: the signal would end its wait. */
bool probe_ask(pid_t thread_id, struct probe *out)
{
    if (probe_signal == 0 || (!find_call(thread_id, &question.call) && probe_state(thread_id) != 'R')) return false;
    question.thread_id = thread_id;
    atomic_store(&question.state, ASKED);
    if (syscall(SYS_tgkill, getpid(), thread_id, probe_signal) != 0 || !wait_for_answer()) {
        atomic_store(&question.state, IDLE);
        return false;
    }
    *out = question.answer;
    atomic_store(&question.state, IDLE);
    return out->task_id != 0;
}
