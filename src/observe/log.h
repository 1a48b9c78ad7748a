/*
 * What the parts of the log share.
 *
 *     wf_log_ (log.c) --level--> a line in memory of the thread (line.c) --> hook
 *                                                                       \--> ring --> writer (output.c)
 */
#ifndef WEFT_OBSERVE_LOG_H
#define WEFT_OBSERVE_LOG_H

#include <weft/log.h>

/* ---- level.c ---- */

/* The name of a module, without folder and ending where it is a file's. */
const char *module_name(const struct wf_log_module *module, size_t *size);
/* Forgets all settings, and reads those of the environment again. */
void levels_reset(void);
/* Gives false when a part of it could not be understood; the rest holds. */
bool levels_read(const char *text);

/* ---- log.c ---- */

/* Everything as at the start of a program: levels, format, hook; counts are zero. */
void log_reset(void);
/* A line that says how many were dropped, for the writer: its size, at most `size`. */
size_t log_drop_notice(uint64_t dropped, char *text, size_t size);

/* ---- output.c ---- */

/* Puts a line into the ring, or counts it as dropped. `urgent`: what is in the ring shall be written soon. */
void output_push(const char *line, size_t size, bool urgent);
uint64_t output_dropped(void);
int output_descriptor(void);
/* Threads: outside of tasks: both may block. */
int output_set(int fd);
int output_stop(int64_t bound_ns);

#endif
