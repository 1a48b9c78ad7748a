/* What a test may leave behind: each is named, with the place where it was made as far as anybody knows it. */
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
#include <weft/testing.h>
#include <weft/weft.h>

static int accept_and_forget(struct wf_listener *listener)
{
    struct wf_stream *conn;
    return wf_tcp_accept(listener, &conn);
}

// fails a_connection_is_lost: left behind: 1 heap block
// fails a_connection_is_lost: accept_and_forget at leaks.c:11
// fails[uring epoll] a_connection_is_lost: (socket:[
// fails[sim] a_connection_is_lost: left behind: 1 descriptor of the simulated world
// fails[sim] a_connection_is_lost: opened by task 'accept_and_forget' (spawned at
WF_TEST(a_connection_is_lost)
{
    struct wf_listener *listener;
    struct wf_stream *conn;
    WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, accept_and_forget, listener);
    if (WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", wf_listener_port(listener), &conn), 0)) wf_stream_close(conn);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_listener_close(listener);
}

static __attribute__((noinline)) int listen_and_forget(void)
{
    struct wf_listener *listener;
    return wf_tcp_listen("127.0.0.1", 0, &listener);
}

// fails a_listener_is_lost: left behind: 1 heap block
// fails a_listener_is_lost: listen_and_forget at leaks.c:
WF_TEST(a_listener_is_lost)
{
    int rc = listen_and_forget();
    WF_EXPECT_CODE(rc, 0);
}

// fails a_descriptor_is_lost: left behind: descriptor
// fails a_descriptor_is_lost: (/dev/null)
WF_TEST(a_descriptor_is_lost)
{
    WF_EXPECT(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0);
}

// fails a_foreign_descriptor_is_closed: closed a foreign one: descriptor 0
WF_TEST(a_foreign_descriptor_is_closed)
{
    WF_EXPECT_INT(close(STDIN_FILENO), 0);
}

static void *linger(void *unused)
{
    pause();
    return unused;
}

// fails a_thread_is_lost: left behind: thread
// fails a_thread_is_lost: (lingerer)
WF_TEST(a_thread_is_lost)
{
    pthread_t thread;
    WF_EXPECT_INT(pthread_create(&thread, NULL, linger, NULL), 0);
    pthread_setname_np(thread, "lingerer");
}

static void *hurry(void *unused)
{
    return unused;
}

// passes what_comes_after_a_leak_is_not_blamed
WF_TEST(what_comes_after_a_leak_is_not_blamed)
{
    pthread_t thread;
    WF_EXPECT_INT(pthread_create(&thread, NULL, hurry, NULL), 0);
    WF_EXPECT_INT(pthread_join(thread, NULL), 0);
    WF_EXPECT_CODE(wf_yield(), 0);
}

WF_TEST_MAIN
