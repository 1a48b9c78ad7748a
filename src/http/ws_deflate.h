/* permessage-deflate (RFC 7692): the offer of a client, and messages that are squeezed and swelled by zlib. */
#ifndef WEFT_HTTP_WS_DEFLATE_H
#define WEFT_HTTP_WS_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>

struct ws_deflate {
    bool on;
    bool forget_sent, forget_received; /* each message by itself: no_context_takeover of this side, of the peer */
    int window_bits;                   /* of what we send, 9 to 15; what comes may use 15 */
    struct z_stream_s *out, *in;       /* NULL: not needed yet, or forgotten */
};

/*
 * Takes the first offer of a list that can be met, and writes the answer to it. False: there is none.
 * `deflate->forget_sent` may be set before: then we forget even if the client does not ask for it.
 */
bool ws_deflate_accept(struct ws_deflate *deflate, const char *offers, char *answer, size_t room);

/* Takes the answer of a server to the offer of a client. False: it says what was not offered. */
bool ws_deflate_agree(struct ws_deflate *deflate, const char *answer);

/* Compresses a message into memory that the caller frees. Errors: -ENOMEM. */
int ws_deflate_squeeze(struct ws_deflate *deflate, const void *bytes, size_t size, char **squeezed, size_t *count);

/* What was squeezed was not sent: the next message must not lean on it. */
void ws_deflate_forget_sent(struct ws_deflate *deflate);

/* The other way; *swelled has room for a byte more. Errors: -ENOMEM, -EMSGSIZE for more than `max`, -EBADMSG. */
int ws_deflate_swell(struct ws_deflate *deflate, const void *bytes, size_t size, size_t max, char **swelled,
                     size_t *count);

void ws_deflate_finish(struct ws_deflate *deflate);

#endif
