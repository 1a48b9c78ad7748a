/*
 * Peers for tests: the other end of a connection that follows a script or repeats what was recorded, and a network in
 * between that misbehaves. On the simulated driver (WEFT_DRIVER=sim) no wait takes real time.
 *
 *     static const struct wf_step script[] = {
 *         WF_RECEIVES("PING\r\n"),
 *         WF_SENDS("PONG\r\n", .piece = 1, .pause = WF_MILLISECONDS(5)),
 *         WF_RESETS,
 *     };
 *
 *     WF_TEST(a_reset_after_the_answer_is_survived)
 *     {
 *         WF_SCOPE(scope);
 *         struct wf_stream *conn;
 *         WF_EXPECT_CODE(wf_test_peer(&scope, script, WF_COUNT(script), &conn), 0);
 *         WF_EXPECT_CODE(ping(conn), 0);
 *         wf_stream_close(conn);
 *         WF_EXPECT_CODE(wf_scope_join(&scope), 0);
 *     }
 *
 * A peer is a task in a scope of the caller, and the scope waits for it. Where the other side does not do what the
 * script says, the test fails and shows what came instead, and the peer's task ends with that error.
 * Threads: inside a task.
 */
#ifndef WEFT_PEER_H
#define WEFT_PEER_H

#include <weft/scope.h>
#include <weft/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_arena;

/*
 * Two ends of a TCP connection over the loopback; in a simulated world, in its memory.
 * Suspends: until connected. On cancel: nothing is open. Errors: -ECANCELED, -EMFILE, -ENFILE, -ENOMEM.
 * Owns: wf_stream_close, of both.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_test_pair(struct wf_stream **a, struct wf_stream **b);

/* ---- Scripts ---- */

enum {
    WF_SCRIPT_STEPS_MAX = 65536, /* steps of a script */
    WF_DELIMITER_MAX = 64,       /* bytes that WF_RECEIVES_UNTIL waits for */
    WF_UNTIL_MAX = 65536,        /* bytes that may come until then */
};

enum wf_step_kind {
    WF_STEP_RECEIVE = 1,   /* exactly `bytes` come */
    WF_STEP_RECEIVE_UNTIL, /* anything comes, and `bytes` end it */
    WF_STEP_RECEIVE_END,   /* the other side ends its sending */
    WF_STEP_RECEIVE_RESET, /* the other side resets the connection */
    WF_STEP_SEND,
    WF_STEP_WAIT,
    WF_STEP_END,   /* ends the sending; receiving goes on */
    WF_STEP_RESET, /* resets the connection; the last step */
    WF_STEP_STALL, /* the last step: neither sends nor receives any more, while the connection stays open */
};

/* One thing that a peer does, or expects. The macros below make the usual ones. */
struct wf_step {
    enum wf_step_kind kind;
    const char *bytes; /* of RECEIVE, RECEIVE_UNTIL and SEND */
    size_t size;
    size_t piece;      /* of SEND: so many bytes at a time; 0: all at once */
    int64_t pause;     /* of SEND: between two pieces; of WAIT: how long */
    const char *place; /* where it was written down, for messages; may be NULL */
};

/* Exactly this literal comes; anything up to and with this literal; the end; a reset. */
#define WF_RECEIVES(text) WF_STEP_(WF_STEP_RECEIVE, WF_LITERAL_(text))
#define WF_RECEIVES_UNTIL(text) WF_STEP_(WF_STEP_RECEIVE_UNTIL, WF_LITERAL_(text))
#define WF_RECEIVES_END WF_STEP_(WF_STEP_RECEIVE_END, .bytes = NULL)
#define WF_RECEIVES_RESET WF_STEP_(WF_STEP_RECEIVE_RESET, .bytes = NULL)
/* Sends this literal; options: .piece, .pause. Waits; ends its sending; resets; stalls. */
#define WF_SENDS(...) WF_STEP_(WF_STEP_SEND, .size = sizeof("" WF_FIRST_(__VA_ARGS__)) - 1, .bytes = __VA_ARGS__)
#define WF_WAITS(duration_ns) WF_STEP_(WF_STEP_WAIT, .pause = (duration_ns))
#define WF_ENDS WF_STEP_(WF_STEP_END, .bytes = NULL)
#define WF_RESETS WF_STEP_(WF_STEP_RESET, .bytes = NULL)
#define WF_STALLS WF_STEP_(WF_STEP_STALL, .bytes = NULL)

struct wf_test_peer_options {
    size_t size; /* filled by the macro */
    struct wf_stream **out_;
    const char *name;         /* of the task, for dumps and error paths; default "peer" */
    struct wf_handle *handle; /* where the peer's result goes */
    const char *place_;
};

/*
 * wf_test_peer(&scope, steps, count, &stream, .option = value, ...): a connection whose other end follows the script,
 * in a child task of the scope, and is closed after the last step. The steps must outlive the scope. A peer that stalls
 * does not keep the scope open.
 * The peer's result: 0; -EPROTO when something else came than the script says; the system's code of a send that failed.
 * Suspends: until connected. On cancel: nothing is open, nothing runs. Owns: wf_stream_close.
 * Errors: as wf_test_pair and wf_spawn; -EINVAL for a script that cannot be followed, with a message.
 */
#define wf_test_peer(scope, steps, count, ...)                                                                         \
    wf_test_peer_((scope), (steps), (count), WF_PEER_OPTIONS_(wf_test_peer_options, __VA_ARGS__))

struct wf_test_server_options {
    size_t size; /* filled by the macro */
    uint16_t *out_;
    const char *name;         /* of the task, for dumps and error paths; default "server" */
    struct wf_handle *handle; /* where the server's result goes */
    const char *place_;
};

/*
 * wf_test_server(&scope, steps, count, &port, .option = value, ...): the same for a client that connects by itself, to
 * this port of 127.0.0.1. One connection is accepted, later ones are refused.
 * Suspends: while the scope's limit is reached. On cancel: nothing listens, nothing runs. Errors: as wf_test_peer.
 */
#define wf_test_server(scope, steps, count, ...)                                                                       \
    wf_test_server_((scope), (steps), (count), WF_PEER_OPTIONS_(wf_test_server_options, __VA_ARGS__))

/*
 * Follows the script on a stream of yours, in the calling task, and closes the stream in any case. This fails no test:
 * the result says what became of it, as above, and wf_failure() says it in words. A stall lasts until it is cancelled.
 * Suspends: until the script is at its end. On cancel: the stream is closed. Errors: as above; -ECANCELED, -EINVAL.
 */
WF_API WF_SUSPENDS int wf_test_play(struct wf_stream *stream, const struct wf_step *steps, size_t count);

/* ---- Conversations ---- */

/*
 * A conversation in a file, one thing that was said a line: who (`>` the client, `<` the server), what, and the seconds
 * since the line before, which may be left out. Empty lines and those that begin with # are for people.
 *
 *     > "GET / HTTP/1.1\r\n\r\n" 0.000213
 *     < "HTTP/1.1 200 OK\r\n" 0.012400
 *     < "Content-Length: 0\r\n\r\n"
 *     < end
 *     > reset
 */
enum {
    WF_CONVERSATION_MAX = 1 << 20, /* bytes of the file */
};

struct wf_test_record_options {
    size_t size; /* filled by the macro */
    uint16_t *out_;
    const char *name;         /* of the task, for dumps and error paths; default "recorder" */
    struct wf_handle *handle; /* where the recorder's result goes */
};

/*
 * wf_test_record(&scope, host, port, path, &own_port, .option = value, ...): a child task of the scope that accepts one
 * connection on a port of 127.0.0.1, connects to the real server, passes on what both say, and writes it to a file,
 * which is complete when the task has ended. The texts must outlive the scope.
 * The recorder's result: 0, also where the conversation ended by a reset; the error of the file or of connecting;
 * -EFBIG past WF_CONVERSATION_MAX. After an error of the recorder both sides see a reset.
 * Suspends: while the scope's limit is reached. On cancel: nothing listens, nothing runs. Errors: -EMFILE, -ENFILE,
 * -ENOMEM, as wf_spawn.
 */
#define wf_test_record(scope, host, port, path, ...)                                                                   \
    wf_test_record_((scope), (host), (port), (path),                                                                   \
                    &(struct wf_test_record_options){.size = sizeof(struct wf_test_record_options),                    \
                                                     .out_ = __VA_ARGS__})

/* A script that was read from a file. */
struct wf_script {
    const struct wf_step *steps;
    size_t count;
};

struct wf_test_load_options {
    size_t size; /* filled by the macro */
    struct wf_script *out_;
    bool client; /* play the client's part; default: the server's */
    bool waits;  /* wait before sending as the one who was recorded did; default: not at all */
};

/*
 * wf_test_load(path, arena, &script, .option = value, ...): makes a script of a conversation, recorded or written by
 * hand. The steps live in the arena.
 * Suspends: yes. On cancel: nothing is open. Errors: those of the file; -EFBIG past WF_CONVERSATION_MAX; -EINVAL for a
 * line that cannot be understood, with its number in the message; -ENOMEM.
 */
#define wf_test_load(path, arena, ...)                                                                                 \
    wf_test_load_((path), (arena),                                                                                     \
                  &(struct wf_test_load_options){.size = sizeof(struct wf_test_load_options), .out_ = __VA_ARGS__})

/* ---- A network that misbehaves ---- */

struct wf_proxy;

/* What happens to the bytes that flow in one direction; zero: nothing. */
struct wf_flow {
    int64_t delay;             /* every byte arrives so many nanoseconds later */
    uint64_t bytes_per_second; /* no more than that */
    uint64_t cut_after;        /* so many bytes of a connection get through, then the receiver sees the end; what comes
                                  after them is swallowed, and the other direction goes on */
    bool cut_resets;           /* the cut is a reset of the whole connection instead; bytes on their way may be lost */
    bool stall;                /* nothing gets through, and nobody is told, until this is false again */
};

struct wf_test_proxy_options {
    size_t size; /* filled by the macro */
    struct wf_proxy **out_;
    const char *name; /* of the task, for dumps; default "proxy" */
};

/*
 * wf_test_proxy(&scope, host, port, &proxy, .option = value, ...): listens on a port of 127.0.0.1, and connects every
 * client with the server at `host` and `port`. All of it is tasks of the scope that do not keep it open; the proxy can
 * be used until the scope's block is left. A client whose server cannot be reached gets a reset, and so does
 * whoever is still connected when the scope ends. Each direction of a connection holds at most 64 KiB on their way.
 * Suspends: while the scope's limit is reached. On cancel: nothing listens, nothing runs. Owns: the scope.
 * Errors: -EMFILE, -ENFILE, -ENOMEM, as wf_spawn.
 */
#define wf_test_proxy(scope, host, port, ...)                                                                          \
    wf_test_proxy_((scope), (host), (port),                                                                            \
                   &(struct wf_test_proxy_options){.size = sizeof(struct wf_test_proxy_options), .out_ = __VA_ARGS__})

/* The port that clients connect to. Suspends: never. */
WF_API uint16_t wf_test_proxy_port(const struct wf_proxy *proxy);

struct wf_test_proxy_settings {
    size_t size; /* filled by the macro */
    struct wf_proxy *proxy_;
    struct wf_flow to_server, to_client;
};

/*
 * wf_test_proxy_set(proxy, .to_client = {.delay = WF_SECONDS(1)}, ...): what happens to the bytes from now on, on every
 * connection, those that are on their way included. What is not named is off. Suspends: never.
 */
#define wf_test_proxy_set(...)                                                                                         \
    wf_test_proxy_set_(                                                                                                \
        &(struct wf_test_proxy_settings){.size = sizeof(struct wf_test_proxy_settings), .proxy_ = __VA_ARGS__})

/* Resets every connection that is open (see wf_test_proxy_statistics), on both sides. Suspends: never. */
WF_API void wf_test_proxy_reset(struct wf_proxy *proxy);

/*
 * Refuses new connections, or takes them again, at the same port; open ones go on.
 * Suspends: until it is so. On cancel: it may be so or not. Errors: -ECANCELED, -EMFILE, -ENFILE, -ENOMEM.
 */
WF_API WF_SUSPENDS int wf_test_proxy_refuse(struct wf_proxy *proxy, bool refuse);

struct wf_proxy_statistics {
    uint64_t connections;                      /* that clients made */
    uint64_t open;                             /* of them, now */
    uint64_t unreachable;                      /* whose server could not be reached */
    uint64_t bytes_to_server, bytes_to_client; /* that got through */
};

/* What has come so far. Suspends: never. */
WF_API void wf_test_proxy_statistics(const struct wf_proxy *proxy, struct wf_proxy_statistics *statistics);

/* ---- What the macros stand on: private ---- */

#define WF_STEP_(step_kind, ...)                                                                                       \
    {                                                                                                                  \
        .kind = (step_kind), .place = WF_HERE_, __VA_ARGS__                                                            \
    }
#define WF_LITERAL_(text) .size = sizeof("" text) - 1, .bytes = (text)
#define WF_PEER_OPTIONS_(options, ...)                                                                                 \
    &(struct options)                                                                                                  \
    {                                                                                                                  \
        .size = sizeof(struct options), .place_ = WF_HERE_, .out_ = __VA_ARGS__                                        \
    }

WF_API WF_SUSPENDS int wf_test_peer_(struct wf_scope *scope, const struct wf_step *steps, size_t count,
                                     const struct wf_test_peer_options *options);
WF_API WF_SUSPENDS int wf_test_server_(struct wf_scope *scope, const struct wf_step *steps, size_t count,
                                       const struct wf_test_server_options *options);
WF_API WF_SUSPENDS int wf_test_record_(struct wf_scope *scope, const char *host, uint16_t port, const char *path,
                                       const struct wf_test_record_options *options);
WF_API WF_SUSPENDS int wf_test_load_(const char *path, struct wf_arena *arena,
                                     const struct wf_test_load_options *options);
WF_API WF_SUSPENDS int wf_test_proxy_(struct wf_scope *scope, const char *host, uint16_t port,
                                      const struct wf_test_proxy_options *options);
WF_API void wf_test_proxy_set_(const struct wf_test_proxy_settings *settings);

#ifdef __cplusplus
}
#endif
#endif
