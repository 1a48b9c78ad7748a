/*
 * Probes for whoever traces programs: a `nop` each, and a note that says where it is and where its values then are.
 *
 *     PROBE2(resume, task->id, task->name);
 *
 * bpftrace, perf, SystemTap and gdb read the notes (section .note.stapsdt, as <sys/sdt.h> of SystemTap writes it) and
 * put a breakpoint in the nop's place while they trace; nothing is asked, tested or loaded otherwise. So the values are
 * operands in memory, or in registers where they are already: no instruction fetches them. (`inline`: else the compiler
 * takes the lines of the note for as many instructions, and calls what it would put in line.) docs/inspecting.md lists
 * the probes and their values.
 */
#ifndef WEFT_CORE_PROBE_H
#define WEFT_CORE_PROBE_H

#if defined(__x86_64__) || defined(__aarch64__)

#define PROBE_NOTE(name, values)                                                                                       \
    "990: nop\n"                                                                                                       \
    ".pushsection .note.stapsdt,\"\",\"note\"\n"                                                                       \
    ".balign 4\n"                                                                                                      \
    ".4byte 992f-991f, 994f-993f, 3\n"                                                                                 \
    "991: .asciz \"stapsdt\"\n"                                                                                        \
    "992: .balign 4\n"                                                                                                 \
    "993: .8byte 990b, _.stapsdt.base, 0\n"                                                                            \
    ".asciz \"weft\"\n"                                                                                                \
    ".asciz \"" #name "\"\n"                                                                                           \
    ".asciz \"" values "\"\n"                                                                                          \
    "994: .balign 4\n"                                                                                                 \
    ".popsection\n"                                                                                                    \
    ".ifndef _.stapsdt.base\n"                                                                                         \
    ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"                                            \
    ".weak _.stapsdt.base\n"                                                                                           \
    ".hidden _.stapsdt.base\n"                                                                                         \
    "_.stapsdt.base: .space 1\n"                                                                                       \
    ".size _.stapsdt.base,1\n"                                                                                         \
    ".popsection\n"                                                                                                    \
    ".endif\n"

/* Each value has 8 bytes and lies in memory. */
#define PROBE1(name, one) __asm__ volatile __inline__(PROBE_NOTE(name, "8@%0") : : "o"(one))
#define PROBE2(name, one, two) __asm__ volatile __inline__(PROBE_NOTE(name, "8@%0 8@%1") : : "o"(one), "o"(two))
#define PROBE3(name, one, two, three)                                                                                  \
    __asm__ volatile __inline__(PROBE_NOTE(name, "8@%0 8@%1 8@%2") : : "o"(one), "o"(two), "o"(three))
/* The last value is a signed number, wherever it is. */
#define PROBE2_CODE(name, one, two, code)                                                                              \
    __asm__ volatile __inline__(PROBE_NOTE(name, "8@%0 8@%1 -8@%2") : : "o"(one), "o"(two), "nor"((int64_t)(code)))

#else

#define PROBE1(name, one) ((void)(one))
#define PROBE2(name, one, two) ((void)(one), (void)(two))
#define PROBE3(name, one, two, three) ((void)(one), (void)(two), (void)(three))
#define PROBE2_CODE(name, one, two, code) ((void)(one), (void)(two), (void)(code))

#endif

#endif
