/*
 * Names of hosts, and their addresses.
 *
 *     const struct wf_address *addresses;
 *     int count = wf_resolve("www.example.org", 443, arena, &addresses);
 *     if (count < 0) return count;                                       // wf_failure() says which name, and why
 *     char text[WF_ADDRESS_TEXT];
 *     for (int i = 0; i < count; i++) puts(wf_address_text(&addresses[i], text));
 *
 * What is numeric is read at once. Anything else is asked of the system, by getaddrinfo(3): so the hosts file, search
 * domains, and whatever else the system is set up to use, are what they are for every other program, and the order of
 * addresses is that of RFC 6724. It is done on threads of its own, four unless told otherwise, so that a resolver that
 * hangs does not hold up wf_offload. Of those who ask for the same name at the same time the system is asked once.
 *
 * What was found is kept for 30 seconds, and that there is no such host for 5: getaddrinfo does not tell for how long
 * an answer is good. Up to 1024 names are kept, those used last. All of this is one for each loop, made when it is
 * first needed. wf_tcp_connect and wf_tcp_listen use it too.
 *
 * A look-up cannot be interrupted. A caller that is cancelled leaves it: the answer, when it comes, is kept like any
 * other. A loop that ends does not wait for it either: the thread ends when the system has answered.
 */
#ifndef WEFT_NAMES_H
#define WEFT_NAMES_H

#include <weft/address.h>
#include <weft/arena.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    WF_NAME_MAX = 253,          /* bytes of a name */
    WF_NAME_ADDRESSES_MAX = 32, /* of a name; others are left out */
};

struct wf_resolve_options {
    size_t size; /* filled by the macro */
    const struct wf_address **out_;
    int family; /* AF_INET or AF_INET6 only; default: both */
    bool fresh; /* ask again, whatever is kept */
};

/*
 * wf_resolve(host, port, arena, &addresses, .option = value, ...) gives the addresses of a host, with that port, the
 * best first, in an array that lives in the arena. Returns how many, at least one. `host` is a numeric address or a
 * name.
 * Suspends: until the system has answered; what is numeric, or kept, is there at once. On cancel: nothing is lost; the
 * system's answer is kept for the next who asks.
 * Errors, all with a message: -ENOENT for a name that nobody has; -EAGAIN when the system's resolver cannot tell now,
 * or 1024 names wait for a thread; -EIO when it failed for good; -EINVAL for an empty name or an unknown family;
 * -ENAMETOOLONG; -EAFNOSUPPORT for a numeric address of another family; -ENOMEM, -ECANCELED.
 */
#define wf_resolve(host, port, arena, ...)                                                                             \
    wf_resolve_((host), (port), (arena),                                                                               \
                &(struct wf_resolve_options){.size = sizeof(struct wf_resolve_options), .out_ = __VA_ARGS__})

struct wf_names_options {
    size_t size;          /* filled by the macro */
    int64_t ttl;          /* how long addresses are kept; 0: 30 s; below: not at all */
    int64_t negative_ttl; /* how long it is kept that there is no such host; 0: 5 s; below: not at all */
    uint32_t threads_max; /* that ask the system; 0: 4; at most 64 */
};

/*
 * wf_names_set(.option = value, ...): how this loop looks names up from now on; what is not named has its default.
 * Suspends: never. Errors: -EINVAL for more threads than 64, -ENOMEM.
 */
#define wf_names_set(...)                                                                                              \
    wf_names_set_(&(struct wf_names_options){.size = sizeof(struct wf_names_options), __VA_ARGS__})

struct wf_names_statistics {
    uint64_t lookups;   /* that the system was asked */
    uint64_t failures;  /* those of them that gave no address */
    uint64_t hits;      /* answered by what was kept, failures included */
    uint64_t shared;    /* that waited for another one's look-up */
    uint64_t abandoned; /* look-ups that everybody left before the answer */
    uint64_t under_way; /* now */
};

/* Suspends: never. */
WF_API void wf_names_statistics(struct wf_names_statistics *statistics);

/* Forgets everything that is kept: the network has changed. Suspends: never. */
WF_API void wf_names_forget(void);

/* ---- What the macros stand on: private ---- */

WF_API WF_SUSPENDS WF_CHECKED int wf_resolve_(const char *host, uint16_t port, struct wf_arena *arena,
                                              const struct wf_resolve_options *options);
WF_API int wf_names_set_(const struct wf_names_options *options);

#ifdef __cplusplus
}
#endif
#endif
