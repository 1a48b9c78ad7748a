/*
 * The least that a change of stacks can cost on x86-64: save the six registers that the ABI calls callee-saved,
 * exchange the stack pointers, restore, jump.
 *
 * It ends in pop + jmp and not in `ret`: the return that would match the call lies on another stack, so the processor's
 * return predictor misses every time, which costs about five times the whole switch.
 */
#ifndef BENCH_BARE_SWITCH_H
#define BENCH_BARE_SWITCH_H

#include <stdint.h>

#ifndef __x86_64__
#error "the bare switch is written for x86-64"
#endif

/* Leaves the current stack, keeping its pointer in `*from`, and goes on with the one that was left at `to`. */
void bare_switch(void **from, void *to);

__asm__(".text\n"
        ".p2align 4\n"
        ".type bare_switch, @function\n"
        "bare_switch:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    popq %rcx\n"
        "    jmpq *%rcx\n"
        ".size bare_switch, . - bare_switch\n");

/* Makes a stack look as if `entry` had been left just before its first instruction. `top` is 16-byte aligned. */
static inline void *bare_stack_init(void *top, void (*entry)(void))
{
    enum { SAVED_REGISTERS = 6 };
    uintptr_t *frame = (uintptr_t *)top;
    *--frame = 0;                    /* where entry's return address would be: it must not return */
    *--frame = (uintptr_t)entry;
    return frame - SAVED_REGISTERS;  /* their values do not matter */
}

#endif
