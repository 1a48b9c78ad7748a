/*
 * The context switch for aarch64 (AAPCS64).
 *
 *     void  weft_fiber_switch(void **save, void *to);
 *     void *weft_fiber_prepare(void *top, void (*entry)(void *), void *argument);
 *     bool  weft_fiber_peek(void *parked, void (*fn)(void *), void *argument);
 *
 * A suspended context is its stack pointer; from there upwards 176 bytes:
 *
 *     +0   x29, x30 (a frame record)   +16 x19 .. x28   +96 d8 .. d15   +160 fpcr
 *
 * fpcr is written only where it differs: the write is a barrier. The switch ends in a plain branch, not `ret`, which
 * the return predictor would miss.
 */
    .text

    .globl weft_fiber_switch
    .hidden weft_fiber_switch
    .type weft_fiber_switch, %function
    .balign 64
weft_fiber_switch:
    .cfi_startproc
    hint #34                        /* bti c */
    stp x29, x30, [sp, #-176]!
    .cfi_adjust_cfa_offset 176
    .cfi_rel_offset x29, 0
    .cfi_rel_offset x30, 8
    stp x19, x20, [sp, #16]
    .cfi_rel_offset x19, 16
    .cfi_rel_offset x20, 24
    stp x21, x22, [sp, #32]
    .cfi_rel_offset x21, 32
    .cfi_rel_offset x22, 40
    stp x23, x24, [sp, #48]
    .cfi_rel_offset x23, 48
    .cfi_rel_offset x24, 56
    stp x25, x26, [sp, #64]
    .cfi_rel_offset x25, 64
    .cfi_rel_offset x26, 72
    stp x27, x28, [sp, #80]
    .cfi_rel_offset x27, 80
    .cfi_rel_offset x28, 88
    stp d8, d9, [sp, #96]
    .cfi_rel_offset d8, 96
    .cfi_rel_offset d9, 104
    stp d10, d11, [sp, #112]
    .cfi_rel_offset d10, 112
    .cfi_rel_offset d11, 120
    stp d12, d13, [sp, #128]
    .cfi_rel_offset d12, 128
    .cfi_rel_offset d13, 136
    stp d14, d15, [sp, #144]
    .cfi_rel_offset d14, 144
    .cfi_rel_offset d15, 152
    mrs x9, fpcr
    str x9, [sp, #160]
    mov x10, sp
    str x10, [x0]

    /* From here on the same frame of the other context: the unwind rules stay true. */
    mov sp, x1
    ldr x10, [sp, #160]
    cmp x9, x10
    b.eq 1f
    msr fpcr, x10
1:  ldp d14, d15, [sp, #144]
    .cfi_restore d14
    .cfi_restore d15
    ldp d12, d13, [sp, #128]
    .cfi_restore d12
    .cfi_restore d13
    ldp d10, d11, [sp, #112]
    .cfi_restore d10
    .cfi_restore d11
    ldp d8, d9, [sp, #96]
    .cfi_restore d8
    .cfi_restore d9
    ldp x27, x28, [sp, #80]
    .cfi_restore x27
    .cfi_restore x28
    ldp x25, x26, [sp, #64]
    .cfi_restore x25
    .cfi_restore x26
    ldp x23, x24, [sp, #48]
    .cfi_restore x23
    .cfi_restore x24
    ldp x21, x22, [sp, #32]
    .cfi_restore x21
    .cfi_restore x22
    ldp x19, x20, [sp, #16]
    .cfi_restore x19
    .cfi_restore x20
    ldp x29, x30, [sp], #176
    .cfi_adjust_cfa_offset -176
    .cfi_restore x29
    .cfi_restore x30
    mov x16, x30                    /* x16: a branch through it may land on any bti */
    br x16
    .cfi_endproc
    .size weft_fiber_switch, . - weft_fiber_switch

    .globl weft_fiber_prepare
    .hidden weft_fiber_prepare
    .type weft_fiber_prepare, %function
    .balign 16
weft_fiber_prepare:
    .cfi_startproc
    hint #34                        /* bti c */
    and x0, x0, #-16
    sub x0, x0, #192
    adr x9, weft_fiber_start
    stp xzr, x9, [x0]
    stp x1, x2, [x0, #16]           /* x19: the function, x20: its argument */
    stp xzr, xzr, [x0, #32]
    stp xzr, xzr, [x0, #48]
    stp xzr, xzr, [x0, #64]
    stp xzr, xzr, [x0, #80]
    stp xzr, xzr, [x0, #96]
    stp xzr, xzr, [x0, #112]
    stp xzr, xzr, [x0, #128]
    stp xzr, xzr, [x0, #144]
    mrs x9, fpcr
    stp x9, xzr, [x0, #160]
    stp xzr, xzr, [x0, #176]
    ret
    .cfi_endproc
    .size weft_fiber_prepare, . - weft_fiber_prepare

/*
 * Calls a function on a suspended context's stack, below what is saved there, so that whoever unwinds from the function
 * comes into the calls of that context, as if it had been resumed and had made the call itself.
 */
    .globl weft_fiber_peek
    .hidden weft_fiber_peek
    .type weft_fiber_peek, %function
    .balign 16
weft_fiber_peek:
    .cfi_startproc
    hint #34                        /* bti c */
    stp x29, x30, [sp, #-32]!
    .cfi_adjust_cfa_offset 32
    .cfi_rel_offset x29, 0
    .cfi_rel_offset x30, 8
    str x19, [sp, #16]
    .cfi_rel_offset x19, 16
    mov x19, sp
    .cfi_endproc

    /* The other's frame: x19 is saved in it, so it may say here where to go back to. */
    .cfi_startproc
    .cfi_def_cfa sp, 176
    .cfi_offset x29, -176
    .cfi_offset x30, -168
    .cfi_offset x19, -160
    .cfi_offset x20, -152
    .cfi_offset x21, -144
    .cfi_offset x22, -136
    .cfi_offset x23, -128
    .cfi_offset x24, -120
    .cfi_offset x25, -112
    .cfi_offset x26, -104
    .cfi_offset x27, -96
    .cfi_offset x28, -88
    mov sp, x0
    mov x29, x0
    mov x0, x2
    blr x1
    mov sp, x19
    .cfi_endproc

    .cfi_startproc
    .cfi_def_cfa sp, 32
    .cfi_offset x29, -32
    .cfi_offset x30, -24
    .cfi_offset x19, -16
    ldr x19, [sp, #16]
    .cfi_restore x19
    ldp x29, x30, [sp], #32
    .cfi_adjust_cfa_offset -32
    .cfi_restore x29
    .cfi_restore x30
    mov w0, #1
    ret
    .cfi_endproc
    .size weft_fiber_peek, . - weft_fiber_peek

/* First instruction of a new context: the end of every backtrace. */
    .globl weft_fiber_start
    .hidden weft_fiber_start
    .type weft_fiber_start, %function
    .balign 16
weft_fiber_start:
    .cfi_startproc
    .cfi_undefined x30
    hint #36                        /* bti j */
    mov x29, xzr
    mov x30, xzr
    mov x0, x20
    blr x19
    brk #0
    .cfi_endproc
    .size weft_fiber_start, . - weft_fiber_start

/* Where the frame record of a suspended context lies, above its stack pointer. */
    .section .rodata
    .globl weft_fiber_record_at
    .hidden weft_fiber_record_at
    .type weft_fiber_record_at, %object
    .balign 4
weft_fiber_record_at:
    .word 0
    .size weft_fiber_record_at, 4

    .section .note.GNU-stack, "", %progbits
