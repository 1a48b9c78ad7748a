/* What a server and a client of HTTP/2 have in common. */
#ifndef WEFT_HTTP_H2_SHARED_H
#define WEFT_HTTP_H2_SHARED_H

#include <nghttp2/nghttp2.h>
#include <weft/message.h>

enum {
    H2_FIELD_OVERHEAD = 32,     /* of SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113 section 6.5.2) */
    H2_CONTINUATIONS_MAX = 144, /* of one head (CVE-2024-27316); nghttp2 counts one that comes by bytes nine times */
};

/* The library's memory, for nghttp2. */
extern nghttp2_mem h2_memory;

/* How either side wants nghttp2 to be: windows open by hand, streams that ended are forgotten. NULL: out of memory. */
nghttp2_option *h2_option_create(void);

/* How often something may come: `burst` at once, then so many in a second. */
struct h2_rate {
    uint32_t used;
    int64_t since;
};

/* False: it came too often. */
bool h2_count(struct h2_rate *rate, uint32_t burst, uint32_t per_second);

/* A frame that keeps us busy and brings nothing; at most H2_NUISANCES_BURST, then so many in a second. */
enum { H2_NUISANCES_BURST = 500, H2_NUISANCES_PER_SECOND = 50 };
bool h2_is_nuisance(const nghttp2_frame *frame);

/* Is it a field about a connection of HTTP/1.1 (RFC 9113 section 8.2.2)? */
bool h2_is_foreign(const char *name);

/* The texts of a field, both in one piece of the arena. NULL: out of memory. */
struct wf_header *h2_keep_field(struct wf_headers *fields, struct wf_arena *arena, const uint8_t *name,
                                size_t name_size, const uint8_t *value, size_t value_size);

#endif
