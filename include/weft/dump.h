/*
 * What every task is doing, now: the tree of tasks and scopes, with what each waits for and where in its code.
 *
 *     wf_dump();                                       // as text, through wf_report
 *     wf_dump_to(stdout, .form = WF_DUMP_JSON);        // docs/debugging.md says what is in it
 *     kill -USR1 PID                                   // the same from a shell, of every loop (wf_run, .signals)
 *
 *     tasks of loop 1 (uring): 1000 alive, 1 runnable
 *       serve #1  running  (spawned at server.c:80)  12 KiB of stack, 17 turns
 *         scope 'connections' at server.c:31: 998 children, limit 1000
 *         answer x 998, #3 ... #1000  waits: recv (descriptor 9, peer 127.0.0.1:4711), for 12.1 s  (spawned at ...
 *             wf_stream_read at stream.c:102 (server+0x4a1c)
 *             answer at server.c:17 (server+0x1d20)
 *
 * Siblings of the same name that wait for the same thing at the same place, with the same below them, are one entry:
 * how many they are, the first and the last number, and the first one's own figures. So a hundred thousand tasks are a
 * page. "For" how long is counted from the pass in which the wait began.
 *
 * Functions and lines need debugging information and libdw (Debian: libdw1); without them there are dynamic symbols and
 * addresses for addr2line. Code that was compiled without unwind tables ends a walk.
 *
 * Threads: a dump shows the caller's loop. It runs in one go: while it writes, its loop does nothing else.
 */
#ifndef WEFT_DUMP_H
#define WEFT_DUMP_H

#include <stdio.h>

#include <weft/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum wf_dump_form {
    WF_DUMP_TEXT,
    WF_DUMP_JSON, /* one object, one line */
};

struct wf_dump_options {
    size_t size; /* filled by the macro */
    FILE *file_;
    enum wf_dump_form form;
    bool no_stacks;     /* only the tree */
    bool unfolded;      /* each task has its own entry */
    uint32_t tasks_max; /* entries; the tasks past that are counted only; default 1,000 */
};

/* Writes the tree as text through wf_report. Suspends: never. Threads: inside a loop. */
WF_API void wf_dump(void);

/*
 * wf_dump_to(file, .option = value, ...) writes it to a file of the C library; open_memstream(3) gives one in memory.
 * The loop waits for the file.
 * Suspends: never. Errors: -EINVAL, -ENOMEM; -EIO where the file does not take it. Threads: inside a loop.
 */
#define wf_dump_to(...)                                                                                                \
    wf_dump_to_(&(struct wf_dump_options){.size = sizeof(struct wf_dump_options), .file_ = __VA_ARGS__})
WF_API int wf_dump_to_(const struct wf_dump_options *options);

#ifdef __cplusplus
}
#endif
#endif
