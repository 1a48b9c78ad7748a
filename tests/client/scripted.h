/* A server that says what it is told to, whatever it is asked. */
#ifndef WEFT_TESTS_CLIENT_SCRIPTED_H
#define WEFT_TESTS_CLIENT_SCRIPTED_H

#include <stdbool.h>
#include <stddef.h>
#include <weft/scope.h>

enum { SCRIPT_MAX = 8, ASKED_MAX = 4096 };

struct line {
    const char *bytes;
    size_t size;     /* 0: the length of the text */
    bool one_by_one; /* a byte at a time */
    bool hang_up;    /* close the connection behind it */
    bool reset;      /* the same without a goodbye */
    bool silent;     /* says nothing, and waits */
};

/* One line for each request, whichever connection it comes on. After the last one it closes every connection. */
struct scripted {
    struct line lines[SCRIPT_MAX];
    unsigned count, next;
    unsigned connections;
    char *asked; /* the heads of all requests, at most ASKED_MAX bytes */
    size_t asked_size;
    uint16_t port;
    struct wf_listener *listener;
    struct wf_scope *scope;
};

/* Listens at 127.0.0.1, and serves in the scope. 0, or why not. */
int scripted_start(struct scripted *server, struct wf_scope *scope);

/* "http://127.0.0.1:1234/", in a buffer of the server's. */
const char *scripted_url(struct scripted *server, char url[64]);

#endif
