/* An app on one end of a connection in memory, and a client on the other that says bytes and notes the answers. */
#ifndef WEFT_TESTS_HTTP_RIG_H
#define WEFT_TESTS_HTTP_RIG_H

#include <weft/app.h>

struct pieces {
    const char *bytes[4];
    size_t sizes[4];
    unsigned count;
    bool one_by_one; /* a byte at a time, with a turn of the loop between two */
    bool glued;      /* all pieces at once */
};

struct exchange_log {
    char *bytes; /* all that the server said, in the task's arena */
    size_t size;
    char statuses[256]; /* of the final answers, "200 400 " */
    int served;         /* what serving gave */
};

/* Says the pieces to an app whose handler takes every body and answers 200, ends its side, and reads to the end. */
void talk(struct exchange_log *log, const struct pieces *pieces);

/* The same with an app of one's own. */
void talk_to(struct exchange_log *log, const struct pieces *pieces, struct wf_app *app);

/* One request as a text. */
void ask(struct exchange_log *log, struct wf_app *app, const char *text);

#endif
