/* One line of the log, in one of its formats. */
#ifndef WEFT_OBSERVE_LINE_H
#define WEFT_OBSERVE_LINE_H

#include <weft/log.h>

enum {
    LINE_SIZE = 8192,
    LINE_RESERVE = 64, /* at the end: closing quotes, the mark that it was cut, the newline */
    LINE_KEYS = 64,    /* fields past that are left out, and the line counts as cut */
};

struct line {
    enum wf_log_format format;
    bool coloured;
    bool cut;
    size_t size;
    size_t key_count;
    const char *keys[LINE_KEYS];
    char text[LINE_SIZE];
};

/* `format` is none of WF_LOG_AUTO. */
void line_begin(struct line *line, enum wf_log_format format, bool coloured);
/* The head: when, how bad, from where, what. `module` need not end with a zero. */
void line_head(struct line *line, int64_t wall_ns, enum wf_log_level level, const char *module, size_t module_size,
               const char *message);
/* A field whose key is there already is left out. */
void line_field(struct line *line, const struct wf_field *field);
void line_end(struct line *line);

const char *level_name(enum wf_log_level level);

#endif
