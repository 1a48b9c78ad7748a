/*
 * Rounding modes and exception masks of floating-point arithmetic. A switch keeps each fiber's own; a task that begins
 * where another one ended must not find what that one set.
 */
#ifndef WEFT_FIBER_MODES_H
#define WEFT_FIBER_MODES_H

/* The running context's, in the form of the processor; 0 where they are not known. Sets them, only when they differ. */
static inline unsigned long modes_now(void);
static inline void modes_set(unsigned long modes);

static inline void modes_reset(unsigned long modes)
{
    if (__builtin_expect(modes_now() != modes, 0)) modes_set(modes);
}

#if defined(__x86_64__)

enum { MXCSR_CONTROL = 0xffc0 };

static inline unsigned long modes_now(void)
{
    unsigned mxcsr;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    return mxcsr & MXCSR_CONTROL;
}

/* The x87 unit gets the same rounding and masks, with full precision. */
static inline void modes_set(unsigned long modes)
{
    unsigned mxcsr = (unsigned)modes;
    unsigned short x87 = (unsigned short)(0x340 | (modes >> 7 & 0x3f) | (modes >> 3 & 0xc00));
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(x87));
}

#elif defined(__aarch64__)

static inline unsigned long modes_now(void)
{
    unsigned long fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    return fpcr;
}

static inline void modes_set(unsigned long modes)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(modes));
}

#else

static inline unsigned long modes_now(void)
{
    return 0;
}

static inline void modes_set(unsigned long modes)
{
    (void)modes;
}

#endif

#endif
