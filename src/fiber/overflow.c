#include "fiber/overflow.h"

#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/report.h"
#include "base/sanitize.h"
#include "fiber/stack.h"

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

enum { FRAMES_MAX = 48 };

static overflow_describe *describe_stack;
static struct sigaction previous_segv, previous_bus;

static size_t signal_stack_size(void)
{
    size_t needed = 2 * (size_t)getauxval(AT_MINSIGSTKSZ);
    return needed < 65536 ? 65536 : needed;
}

/* ---- In the signal handler: nothing here allocates or locks ---- */

static void say(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
}

#if defined(__x86_64__)
static void registers(const ucontext_t *context, uintptr_t *pc, uintptr_t *frame)
{
    *pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    *frame = (uintptr_t)context->uc_mcontext.gregs[REG_RBP];
}
#elif defined(__aarch64__)
static void registers(const ucontext_t *context, uintptr_t *pc, uintptr_t *frame)
{
    *pc = (uintptr_t)context->uc_mcontext.pc;
    *frame = (uintptr_t)context->uc_mcontext.regs[29];
}
#else
static void registers(const ucontext_t *context, uintptr_t *pc, uintptr_t *frame)
{
    (void)context;
    *pc = *frame = 0;
}
#endif

static void say_backtrace(const ucontext_t *context, const struct stack *stack)
{
    void *frames[FRAMES_MAX];
    int count = 0;
    uintptr_t pc, frame;
    registers(context, &pc, &frame);
    uintptr_t low = (uintptr_t)stack->low, high = low + stack->size - 2 * sizeof(uintptr_t);
    if (pc != 0) frames[count++] = (void *)pc;
    while (count < FRAMES_MAX && frame >= low && frame <= high && frame % sizeof(uintptr_t) == 0) {
        const uintptr_t *record = (const uintptr_t *)frame;
        if (record[1] == 0) break;
        frames[count++] = (void *)record[1];
        if (record[0] <= frame) break;
        frame = record[0];
    }
    backtrace_symbols_fd(frames, count, STDERR_FILENO);
    if (count == FRAMES_MAX) say("...\n");
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
    say(line);
    say_backtrace(context, stack);
}

static void pass_on(const struct sigaction *previous, int signal_number, siginfo_t *info, void *context)
{
    if (previous->sa_flags & SA_SIGINFO) previous->sa_sigaction(signal_number, info, context);
    else if (previous->sa_handler != SIG_DFL && previous->sa_handler != SIG_IGN) previous->sa_handler(signal_number);
    else signal(signal_number, SIG_DFL); /* the instruction faults again, and the core has the true place */
}

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    bool in_guard = false;
    struct stack *stack = info->si_code > 0 ? stack_find(info->si_addr, &in_guard) : NULL;
    if (stack != NULL && in_guard) explain(stack, info->si_addr, context);
    if (before_death != NULL) before_death();
    pass_on(signal_number == SIGSEGV ? &previous_segv : &previous_bus, signal_number, info, context);
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
