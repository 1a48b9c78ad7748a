/* What a signal handler must know of the processor: the registers of what it interrupted. */
#ifndef WEFT_FIBER_MACHINE_H
#define WEFT_FIBER_MACHINE_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

/* A system call that a thread was seen to be in. */
struct system_call {
    long number; /* -1: none */
    uintptr_t first;
    uintptr_t pc; /* of the instruction after it */
};

/* Where it was, and its frame record; 0 where that is not known. */
static inline void machine_registers(const ucontext_t *context, uintptr_t *pc, uintptr_t *frame);

/*
 * Was that call ended by this signal, with -EINTR? Then it is made once more when the handler returns, so that the
 * program does not notice. (The system does it by itself for most; these are sleep, poll and their kind.)
 */
static inline void machine_call_again(ucontext_t *context, const struct system_call *call);

#if defined(__x86_64__)

static inline void machine_registers(const ucontext_t *context, uintptr_t *pc, uintptr_t *frame)
{
    *pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    *frame = (uintptr_t)context->uc_mcontext.gregs[REG_RBP];
}

static inline void machine_call_again(ucontext_t *context, const struct system_call *call)
{
    enum { SYSCALL_SIZE = 2 };
    greg_t *registers = context->uc_mcontext.gregs;
    if (call->number < 0 || registers[REG_RAX] != -EINTR || (uintptr_t)registers[REG_RIP] != call->pc) return;
    registers[REG_RAX] = call->number;
    registers[REG_RIP] -= SYSCALL_SIZE;
}

#elif defined(__aarch64__)

static inline void machine_registers(const ucontext_t *context, uintptr_t *pc, uintptr_t *frame)
{
    *pc = (uintptr_t)context->uc_mcontext.pc;
    *frame = (uintptr_t)context->uc_mcontext.regs[29];
}

static inline void machine_call_again(ucontext_t *context, const struct system_call *call)
{
    enum { SVC_SIZE = 4 };
    mcontext_t *registers = &context->uc_mcontext;
    if (call->number < 0 || (int64_t)registers->regs[0] != -EINTR || registers->pc != call->pc) return;
    registers->regs[0] = call->first; /* the number is where it was */
    registers->pc -= SVC_SIZE;
}

#else

static inline void machine_registers(const ucontext_t *context, uintptr_t *pc, uintptr_t *frame)
{
    (void)context;
    *pc = *frame = 0;
}

static inline void machine_call_again(ucontext_t *context, const struct system_call *call)
{
    (void)context, (void)call;
}

#endif

#endif
