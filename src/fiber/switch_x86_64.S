/*
 * The context switch for x86-64 (System V ABI).
 *
 *     void  weft_fiber_switch(void **save, void *to);
 *     int weft_fiber_pass(void **save, void *to, const int64_t *result, int answer);
 *     void *weft_fiber_prepare(void *top, void (*entry)(void *), void *argument);
 *     bool  weft_fiber_peek(void *parked, void (*fn)(void *), void *argument);
 *
 * A suspended context is its stack pointer; from there upwards:
 *
 *     +0  mxcsr (4 bytes)                           +32 r12      +48 rbp   } a frame record, so that a walk
 *     +8  r15     +16 r14     +24 r13               +40 rbx      +56 rip   } of frame pointers starts here
 *
 * The switch ends in `ret`, and almost all switches are made from one place, the scheduler's: the return-stack buffer
 * then predicts this return, and those of the scheduler's callers, right (8 ns a turn; with pop and jmp, which leaves
 * the buffer one off, 14). A bare pair of switches without a scheduler prefers the jump: that is the pass, for two that
 * take turns. It is made as a tail call, so that it goes from one's caller straight to the other's without a single
 * `ret`, each of which would be predicted from the wrong stack (18 ns an item of a generator, else 50).
 *
 * Only control bits of mxcsr are callee-saved; loading it costs 100 ns once sticky flags differ, so it is loaded only
 * where control bits do.
 * The x87 control word costs 4 ns to read. fesetround and its kin set both alike, so it is not saved: where mxcsr
 * changes, it is set to the same rounding and masks, with full precision.
 */
#include <cet.h>

    .text

    .globl weft_fiber_switch
    .hidden weft_fiber_switch
    .type weft_fiber_switch, @function
    .balign 64
weft_fiber_switch:
    .cfi_startproc
    _CET_ENDBR
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbx, 0
    pushq %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r12, 0
    pushq %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r13, 0
    pushq %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r14, 0
    pushq %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r15, 0
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    stmxcsr (%rsp)
    movl (%rsp), %eax
    movq %rsp, (%rdi)

    /* From here on the same frame of the other context: the unwind rules stay true. */
    movq %rsi, %rsp
    xorl (%rsp), %eax
    testl $0xffc0, %eax
    jnz 2f
    .cfi_remember_state
1:  addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    popq %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r15
    popq %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r14
    popq %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r13
    popq %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r12
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbx
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbp
    ret
    .cfi_restore_state
weft_fiber_switch_to:               /* the other's control word differs */
2:  ldmxcsr (%rsp)
    movl (%rsp), %eax
    movl %eax, %edx
    shrl $7, %eax
    andl $0x3f, %eax                /* the masks */
    shrl $3, %edx
    andl $0xc00, %edx               /* the rounding */
    leal 0x340(%rax,%rdx), %eax
    movl %eax, 4(%rsp)
    fldcw 4(%rsp)
    jmp 1b
    .cfi_endproc
    .size weft_fiber_switch, . - weft_fiber_switch

/*
 * Above the saved registers lie fiber_passed, as their return address, the place of the result, and the caller: so it
 * may be resumed by either switch, and what was left by either may be resumed here.
 */
    .globl weft_fiber_pass
    .hidden weft_fiber_pass
    .type weft_fiber_pass, @function
    .balign 64
weft_fiber_pass:
    .cfi_startproc
    _CET_ENDBR
    pushq %rdx
    .cfi_adjust_cfa_offset 8
    leaq 4f(%rip), %r8
    pushq %r8
    .cfi_adjust_cfa_offset 8
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbx, 0
    pushq %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r12, 0
    pushq %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r13, 0
    pushq %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r14, 0
    pushq %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r15, 0
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    stmxcsr (%rsp)
    movl (%rsp), %eax
    movq %rsp, (%rdi)
    .cfi_endproc

    /* From here on the frame of the other context, of either kind. */
    .cfi_startproc
    .cfi_def_cfa %rsp, 64
    .cfi_offset %rip, -8
    .cfi_offset %rbp, -16
    .cfi_offset %rbx, -24
    .cfi_offset %r12, -32
    .cfi_offset %r13, -40
    .cfi_offset %r14, -48
    .cfi_offset %r15, -56
    movq %rsi, %rsp
    xorl (%rsp), %eax
    testl $0xffc0, %eax
    jnz 2f
    movq 8(%rsp), %r15
    movq 16(%rsp), %r14
    movq 24(%rsp), %r13
    movq 32(%rsp), %r12
    movq 40(%rsp), %rbx
    movq 48(%rsp), %rbp
    cmpq %r8, 56(%rsp)
    jne 3f
    movl %ecx, %eax                 /* it passed too: the answer goes straight to its caller */
    movq 72(%rsp), %rcx
    addq $80, %rsp
    .cfi_def_cfa_offset 0
    .cfi_register %rip, %rcx
    notrack jmp *%rcx
3:  .cfi_def_cfa_offset 64
    .cfi_offset %rip, -8
    movq 56(%rsp), %rcx
    addq $64, %rsp
    .cfi_def_cfa_offset 0
    .cfi_register %rip, %rcx
    notrack jmp *%rcx
2:  .cfi_def_cfa_offset 64
    .cfi_offset %rip, -8
    jmp weft_fiber_switch_to
    .cfi_endproc
    .size weft_fiber_pass, . - weft_fiber_pass

    .type fiber_passed, @function
fiber_passed:
    .cfi_startproc
    .cfi_def_cfa %rsp, 16
    .cfi_offset %rip, -8
    nop                             /* who unwinds looks one byte before the address to which a call returns */
4:  movq (%rsp), %rcx
    movq (%rcx), %rax
    movq 8(%rsp), %rcx
    addq $16, %rsp
    .cfi_def_cfa_offset 0
    .cfi_register %rip, %rcx
    notrack jmp *%rcx
    .cfi_endproc
    .size fiber_passed, . - fiber_passed

    .globl weft_fiber_prepare
    .hidden weft_fiber_prepare
    .type weft_fiber_prepare, @function
    .balign 16
weft_fiber_prepare:
    .cfi_startproc
    _CET_ENDBR
    andq $-16, %rdi
    leaq -80(%rdi), %rax            /* 64 bytes of frame; above it a zero return address and padding */
    movq $0, 64(%rax)
    movq $0, 72(%rax)
    leaq weft_fiber_start(%rip), %rcx
    movq %rcx, 56(%rax)
    movq $0, 48(%rax)
    movq $0, 40(%rax)
    movq %rsi, 32(%rax)             /* r12: the function */
    movq %rdx, 24(%rax)             /* r13: its argument */
    movq $0, 16(%rax)
    movq $0, 8(%rax)
    movq $0, (%rax)
    stmxcsr (%rax)
    ret
    .cfi_endproc
    .size weft_fiber_prepare, . - weft_fiber_prepare

/*
 * Calls a function on a suspended context's stack, below what is saved there, so that whoever unwinds from the function
 * comes into the calls of that context, as if it had been resumed and had made the call itself.
 */
    .globl weft_fiber_peek
    .hidden weft_fiber_peek
    .type weft_fiber_peek, @function
    .balign 16
weft_fiber_peek:
    .cfi_startproc
    _CET_ENDBR
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbx, 0
    movq %rsp, %rbx
    .cfi_endproc

    /* The other's frame: rbx is saved in it, so it may say here where to go back to. */
    .cfi_startproc
    .cfi_def_cfa %rsp, 64
    .cfi_offset %rip, -8
    .cfi_offset %rbp, -16
    .cfi_offset %rbx, -24
    .cfi_offset %r12, -32
    .cfi_offset %r13, -40
    .cfi_offset %r14, -48
    .cfi_offset %r15, -56
    movq %rdi, %rsp
    leaq 48(%rdi), %rbp
    movq %rdx, %rdi
    callq *%rsi
    movq %rbx, %rsp
    .cfi_endproc

    .cfi_startproc
    .cfi_def_cfa %rsp, 24
    .cfi_offset %rip, -8
    .cfi_offset %rbp, -16
    .cfi_offset %rbx, -24
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbx
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbp
    movl $1, %eax
    ret
    .cfi_endproc
    .size weft_fiber_peek, . - weft_fiber_peek

/* First instruction of a new context: the end of every backtrace. */
    .globl weft_fiber_start
    .hidden weft_fiber_start
    .type weft_fiber_start, @function
    .balign 16
weft_fiber_start:
    .cfi_startproc
    .cfi_undefined %rip
    xorl %ebp, %ebp
    movq %r13, %rdi
    callq *%r12
    ud2
    .cfi_endproc
    .size weft_fiber_start, . - weft_fiber_start

/* Where the frame record of a suspended context lies, above its stack pointer. */
    .section .rodata
    .globl weft_fiber_record_at
    .hidden weft_fiber_record_at
    .type weft_fiber_record_at, @object
    .balign 4
weft_fiber_record_at:
    .long 48
    .size weft_fiber_record_at, 4

    .section .note.GNU-stack, "", @progbits
