#include "fiber/overflow.h"

#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/report.h"
#include "base/sanitize.h"
#include "base/terminal.h"
#include "fiber/machine.h"
#include "fiber/stack.h"
#include "fiber/walk.h"

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

enum { FRAMES_MAX = 48 };

static overflow_describe *describe_stack;
static struct sigaction previous_segv, previous_bus;

/* Taken only while crashes are told. */
static const int others[] = {SIGILL, SIGFPE, SIGABRT, SIGQUIT};
enum { OTHERS = sizeof others / sizeof others[0] };
static struct sigaction previous_others[OTHERS];
static bool taken[OTHERS];
static crash_tell *_Atomic tell_crash;

static size_t signal_stack_size(void)
{
    size_t needed = 2 * (size_t)getauxval(AT_MINSIGSTKSZ);
    return needed < 65536 ? 65536 : needed;
}

/* ---- In the signal handler: nothing here allocates or locks ---- */

void crash_say(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
}

static void say_backtrace(const ucontext_t *context, const struct stack *stack)
{
    void *frames[FRAMES_MAX];
    uintptr_t pc, frame;
    machine_registers(context, &pc, &frame);
    size_t count = pc != 0 ? 1 : 0;
    frames[0] = (void *)pc;
    count += walk_records(frame, stack, frames + count, FRAMES_MAX - count);
    backtrace_symbols_fd(frames, (int)count, STDERR_FILENO);
    if (count == FRAMES_MAX) crash_say("...\n");
}

static void explain(const struct stack *stack, const void *address, const ucontext_t *context)
{
    char who[160], line[384];
    if (describe_stack(stack, who, sizeof who)) {
        snprintf(line, sizeof line,
                 "weft: stack overflow in %s: it has %u KiB; spawn it with a larger .stack_size, or use less (fault at "
                 "%p)\n",
                 who, (unsigned)(stack->size / 1024), address);
    } else {
        snprintf(line, sizeof line, "weft: stray access to the guard of another task's stack (fault at %p)\n", address);
    }
    crash_say(line);
    say_backtrace(context, stack);
}

/* Where nobody else handles it, it comes again when the handler returns: a fault by itself, and the core has the true
 * place; else because it is sent again. */
static void pass_on(const struct sigaction *previous, int number, siginfo_t *info, void *context)
{
    if (previous->sa_flags & SA_SIGINFO) {
        previous->sa_sigaction(number, info, context);
    } else if (previous->sa_handler != SIG_DFL && previous->sa_handler != SIG_IGN) {
        previous->sa_handler(number);
    } else {
        signal(number, SIG_DFL);
        if (info->si_code <= 0 || number == SIGQUIT) raise(number);
    }
}

static const struct sigaction *previous_of(int number)
{
    if (number == SIGSEGV) return &previous_segv;
    if (number == SIGBUS) return &previous_bus;
    size_t i = 0;
    while (others[i] != number) i++;
    return &previous_others[i];
}

/* Once: a crash of another thread, or in the telling, ends the process without words. */
static void tell_once(int number, const siginfo_t *info, const ucontext_t *context, bool explained)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    crash_tell *tell = atomic_load(&tell_crash);
    if (tell != NULL && !atomic_flag_test_and_set(&told)) tell(number, info, context, explained);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    bool in_guard = false, by_fault = info->si_code > 0 && (number == SIGSEGV || number == SIGBUS);
    struct stack *stack = by_fault ? stack_find(info->si_addr, &in_guard) : NULL;
    bool explained = stack != NULL && in_guard;
    if (explained) explain(stack, info->si_addr, context);
    terminal_restore_all();
    tell_once(number, info, context, explained);
    if (before_death != NULL) before_death();
    pass_on(previous_of(number), number, info, context);
}

/* ---- Outside of it ---- */

static void install(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &previous_segv);
    sigaction(SIGBUS, &action, &previous_bus);
    void *prime[1];
    backtrace(prime, 1); /* loads its library now, not in the handler */
}

int overflow_watch_thread(overflow_describe *describe, void **signal_stack)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    *signal_stack = NULL;
    if (WEFT_ASAN || WEFT_TSAN) return 0; /* they explain it themselves */
    stack_t there;
    if (sigaltstack(NULL, &there) == 0 && (there.ss_flags & SS_DISABLE)) {
        void *memory = mmap(NULL, signal_stack_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) return -ENOMEM;
        sigaltstack(&(stack_t){.ss_sp = memory, .ss_size = signal_stack_size()}, NULL);
        *signal_stack = memory;
    }
    describe_stack = describe;
    pthread_once(&once, install);
    return 0;
}

void overflow_unwatch_thread(void *signal_stack)
{
    if (signal_stack == NULL) return;
    sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
    munmap(signal_stack, signal_stack_size());
}

/* ---- Crashes ---- */

/* A sanitizer tells of crashes itself. Nobody's disposition of SIGQUIT is changed, and aborts are passed on. */
static bool is_to_be_taken(int number)
{
    struct sigaction now;
    sigaction(number, NULL, &now);
    bool is_free = !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL;
    return number == SIGQUIT ? is_free : !WEFT_ASAN && !WEFT_TSAN;
}

void crash_watch(crash_tell *tell)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    atomic_store(&tell_crash, tell);
    for (size_t i = 0; i < OTHERS; i++) {
        taken[i] = is_to_be_taken(others[i]);
        if (taken[i]) sigaction(others[i], &action, &previous_others[i]);
    }
}

/* Where somebody else has taken one since, it stays his. */
void crash_unwatch(void)
{
    atomic_store(&tell_crash, NULL);
    for (size_t i = 0; i < OTHERS; i++) {
        struct sigaction now;
        sigaction(others[i], NULL, &now);
        if (taken[i] && (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_fault)
            sigaction(others[i], &previous_others[i], NULL);
    }
}
