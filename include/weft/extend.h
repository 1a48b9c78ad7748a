/*
 * For who writes streams of a new kind: bytes through a cipher, a compressor, a device of your own. Whoever has such a
 * stream reads and writes it by weft/stream.h like any other.
 *
 *     struct upper {
 *         struct wf_stream stream;        // first
 *         struct wf_stream *under;
 *     };
 *
 *     static ssize_t upper_read(struct wf_stream *stream, void *buffer, size_t size)
 *     {
 *         ssize_t got = wf_stream_read(((struct upper *)stream)->under, buffer, size);
 *         for (ssize_t i = 0; i < got; i++) ((char *)buffer)[i] = (char)toupper(((unsigned char *)buffer)[i]);
 *         return got;
 *     }
 *
 *     static const struct wf_stream_class upper_class = {.name = "upper", .read = upper_read, ...};
 *     ...
 *     wf_stream_init(&made->stream, &upper_class);
 *
 * What every stream has is done in one place, before the class is asked: one reader and one writer at a time, -EPIPE
 * after a write that was cut in the middle, reading exactly, writing all, counting.
 */
#ifndef WEFT_EXTEND_H
#define WEFT_EXTEND_H

#include <sys/uio.h>
#include <weft/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a kind of stream can do. Functions may suspend where it is said; they are never called after `close`. */
struct wf_stream_class {
    const char *name; /* "tcp", "tls": for people */
    /* As wf_stream_read: at least one byte, 0 at the end, one call at a time. */
    ssize_t (*read)(struct wf_stream *stream, void *buffer, size_t size);
    /* Some of the parts, at least one byte, none of them empty, one call at a time. `all`: the caller will come again
     * for the rest, so that a part of them is worth waiting for. */
    ssize_t (*write)(struct wf_stream *stream, const struct iovec *parts, int count, bool all);
    /* As wf_stream_shutdown; reads and writes may be under way. */
    int (*shutdown)(struct wf_stream *stream);
    /* Ends calls that are under way: they return -EBADF. Never suspends. Says wf_stream_release, now or as soon as
     * nothing but such calls needs the stream any more. `abort`: no goodbye (wf_stream_abort). */
    void (*close)(struct wf_stream *stream, bool abort);
    /* Frees the stream, when it is released and the last call has returned. */
    void (*destroy)(struct wf_stream *stream);
    /* The descriptor underneath; NULL: there is none. */
    int (*fd)(const struct wf_stream *stream);
    /* As wf_stream_peer and wf_stream_local; NULL: it has no address. */
    int (*address)(const struct wf_stream *stream, bool peer, struct wf_address *address);
    void *reserved_[3];
};

/* The first member of yours. */
struct wf_stream {
    const struct wf_stream_class *class_;
    uint32_t references_; /* one until released, and one for each call that is under way */
    bool reading_, writing_, broken_, closed_;
    struct wf_stream_statistics statistics_;
    void *reserved_[2];
};

/* Makes it a stream that is open. Suspends: never. Owns: `class`, which must outlive it, stays yours. */
WF_API void wf_stream_init(struct wf_stream *stream, const struct wf_stream_class *stream_class);

/* Said once, by the class, after its `close`: the stream itself needs its memory no more. Suspends: never. */
WF_API void wf_stream_release(struct wf_stream *stream);

/*
 * What a call of yours does first that suspends at other times and has nothing to wait for now: it is refused in a
 * cancelled scope like any other, and takes part in fairness.
 * Suspends: when the budget is used up. On cancel: returns at once. Errors: -ECANCELED.
 */
WF_API WF_SUSPENDS int wf_checkpoint(void);

/* Random bytes: the system's, fit for secrets; in a simulated world those of its seed. Suspends: never. */
WF_API void wf_random(void *bytes, size_t size);

/*
 * Random numbers from where the loop has them: from the kernel, or in a simulated world from its seed.
 * Suspends: never. Threads: inside a task.
 */
WF_API void wf_random_bytes(void *bytes, size_t size);

/*
 * Memory of the library's allocator (wf_set_allocator), so that the test kit counts it, and lets it fail. `resize`
 * takes NULL too, and leaves the old block as it was when it fails; `free` ignores NULL.
 * Suspends: never. Owns: wf_memory_free. Threads: any.
 */
WF_API WF_CHECKED void *wf_memory_alloc(size_t size);
WF_API WF_CHECKED void *wf_memory_resize(void *memory, size_t size);
WF_API void wf_memory_free(void *memory);

#ifdef __cplusplus
}
#endif
#endif
