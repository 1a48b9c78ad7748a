/*
 * The head of an HTTP/1.x request, by llhttp.
 *
 * llhttp finds the parts; what it lets pass and RFC 9112 does not (a space before a colon, folded lines, line ends
 * without CR, several codings, a missing Host) is refused here. Names and values stay where they were read, and are
 * terminated there once the head is whole.
 */
#ifndef WEFT_HTTP_H1_PARSER_H
#define WEFT_HTTP_H1_PARSER_H

#include <llhttp.h>

#include "http/request.h"

struct h1_limits {
    size_t line_max, head_max; /* bytes */
    uint32_t fields_max;
};

enum { H1_FIELDS_FIRST = 16 };

struct h1_parser {
    llhttp_t llhttp;
    const struct h1_limits *limits;
    struct wf_request *request;
    char *start; /* of the request line */
    char *target, *target_end;
    bool chunked, keep_alive;
    bool upgrades; /* the client would go on in another protocol */
    int status;    /* why it is refused, 0: it is not */
    const char *why;
    struct wf_header first[H1_FIELDS_FIRST]; /* more than these are in the arena */
};

enum h1_found {
    H1_MORE,  /* bytes are missing */
    H1_WHOLE, /* the head is; `*used` says where it ends */
    H1_BAD,   /* parser->status is the answer, after which the connection ends */
};

void h1_parser_init(struct h1_parser *parser, const struct h1_limits *limits);

/* A new request begins. */
void h1_parser_begin(struct h1_parser *parser, struct wf_request *request);

/* `bytes` to `bytes + size` are what came since the last call, right behind it. */
enum h1_found h1_parse_head(struct h1_parser *parser, char *bytes, size_t size, size_t *used);

/* What was at the start of the request up to `to` is so many bytes further on now. */
void h1_parser_moved(struct h1_parser *parser, const char *to, ptrdiff_t by);

#endif
