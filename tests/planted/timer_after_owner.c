/*
 * Timer firing after its owner ended.
 *
 * The mistake: a timer that belongs to a request is started in the scope of the server. The request is answered and its
 * memory given back, and the timer still comes. In a scope of the request's own it could not have outlived it.
 * Known from users of libuv who free what a timer lies in (libuv/libuv#2544), and from baresip/re#1317.
 * Caught by AddressSanitizer; virtual time brings the timer at once.
 */
// needs: address
// caught: heap-use-after-free
// caught: in warn_later
#include <stdlib.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct request {
    int warnings;
};

static int warn_later(struct request *request)
{
    int rc = wf_sleep(WF_MILLISECONDS(10));
    if (rc == 0) request->warnings++;
    return rc;
}

static int answer(struct request *request)
{
    int rc = wf_sleep(WF_MILLISECONDS(1));
    WF_EXPECT_INT(request->warnings, 0);
    return rc;
}

#ifdef CORRECTED
static int answer_watched(struct wf_scope *server, struct request *request)
{
    (void)server;
    WF_SCOPE(scope);
    wf_spawn(&scope, warn_later, request, .daemon = true);
    return wf_scope_end(&scope, answer(request));
}
#else
static int answer_watched(struct wf_scope *server, struct request *request)
{
    wf_spawn(server, warn_later, request);
    return answer(request);
}
#endif

WF_TEST(an_answered_request_can_be_freed)
{
    WF_SCOPE(server);
    struct request *request = calloc(1, sizeof *request);
    WF_EXPECT_CODE(answer_watched(&server, request), 0);
    free(request);
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
}

WF_TEST_MAIN
