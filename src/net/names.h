/* Names and numbers, for who connects and listens. */
#ifndef WEFT_NET_NAMES_H
#define WEFT_NET_NAMES_H

#include <weft/names.h>

/* A numeric address, if it is one; says nothing else. */
bool address_numeric(const char *host, uint16_t port, struct wf_address *address);

#endif
