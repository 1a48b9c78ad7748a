/*
 * Where a parked context keeps the registers that unwinding needs, for debuggers and for other processes: as
 * SAVED_REGISTERS(REGISTER), each with its offset from the stack pointer that was saved. SAVED_SIZE is what lies
 * between that and the stack pointer of the caller; 0: that one is saved too.
 *
 * The pictures are in the switches' files; a test walks parked tasks by this list.
 */
#ifndef WEFT_FIBER_SAVED_H
#define WEFT_FIBER_SAVED_H

#if defined(WEFT_SWITCH_UCONTEXT) && defined(__x86_64__)

#include <stddef.h>
#include <ucontext.h>

#define SAVED_IN_CONTEXT(number) offsetof(ucontext_t, uc_mcontext.gregs[number])
#define SAVED_SIZE 0
#define SAVED_REGISTERS(REGISTER)                                                                                      \
    REGISTER(rip, SAVED_IN_CONTEXT(REG_RIP))                                                                           \
    REGISTER(rsp, SAVED_IN_CONTEXT(REG_RSP))                                                                           \
    REGISTER(rbp, SAVED_IN_CONTEXT(REG_RBP))                                                                           \
    REGISTER(rbx, SAVED_IN_CONTEXT(REG_RBX))                                                                           \
    REGISTER(r12, SAVED_IN_CONTEXT(REG_R12))                                                                           \
    REGISTER(r13, SAVED_IN_CONTEXT(REG_R13))                                                                           \
    REGISTER(r14, SAVED_IN_CONTEXT(REG_R14))                                                                           \
    REGISTER(r15, SAVED_IN_CONTEXT(REG_R15))

#elif defined(__x86_64__)

#define SAVED_SIZE 64
#define SAVED_REGISTERS(REGISTER)                                                                                      \
    REGISTER(rip, 56)                                                                                                  \
    REGISTER(rbp, 48)                                                                                                  \
    REGISTER(rbx, 40)                                                                                                  \
    REGISTER(r12, 32)                                                                                                  \
    REGISTER(r13, 24)                                                                                                  \
    REGISTER(r14, 16)                                                                                                  \
    REGISTER(r15, 8)

#elif defined(__aarch64__) && !defined(WEFT_SWITCH_UCONTEXT)

#define SAVED_SIZE 176
#define SAVED_REGISTERS(REGISTER)                                                                                      \
    REGISTER(x29, 0)                                                                                                   \
    REGISTER(x30, 8)                                                                                                   \
    REGISTER(x19, 16)                                                                                                  \
    REGISTER(x20, 24)                                                                                                  \
    REGISTER(x21, 32)                                                                                                  \
    REGISTER(x22, 40)                                                                                                  \
    REGISTER(x23, 48)                                                                                                  \
    REGISTER(x24, 56)                                                                                                  \
    REGISTER(x25, 64)                                                                                                  \
    REGISTER(x26, 72)                                                                                                  \
    REGISTER(x27, 80)                                                                                                  \
    REGISTER(x28, 88)

#else

#define SAVED_SIZE 0
#define SAVED_REGISTERS(REGISTER)

#endif

#endif
