/*
 * A token hands a cancel to code that is not a child: whoever holds it can cancel every scope that was linked to it,
 * wherever they are in the tree of tasks.
 *
 *     struct wf_token stop = WF_TOKEN;
 *     ...
 *     WF_SCOPE(scope, .token = &stop);            // anywhere below: linked until it ends
 *     ...
 *     wf_token_cancel(&stop, "the user closed the window");
 *
 * In a linked scope it is like any other cancel; but what cut it short is not the scope's own doing, so its end returns
 * -ECANCELED. A link costs no memory and goes away with its scope; a scope that is linked to a cancelled token is born
 * cancelled. There is no way back: a token is cancelled once, and the first reason counts.
 *
 * A token must live longer than the scopes that are linked to it. It needs no finishing.
 * Threads: the tasks of one loop; from elsewhere by a waker (waker.h).
 */
#ifndef WEFT_TOKEN_H
#define WEFT_TOKEN_H

#include <weft/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_token {
    struct wf_scope *first_, *last_; /* of those that are linked, in the order of linking */
    const char *text_, *place_;
    bool cancelled_;
    void *reserved_[2];
};
#define WF_TOKEN                                                                                                       \
    {                                                                                                                  \
        .first_ = NULL                                                                                                 \
    }

/*
 * Cancels every scope that is linked, and will be. `why` is for people and must outlive the token (a literal, usually).
 * Suspends: never.
 */
#define wf_token_cancel(token, why) wf_token_cancel_at_((token), (why), WF_HERE_)

/* Was it cancelled, and why? NULL when it was not. Suspends: never. */
WF_API bool wf_token_cancelled(const struct wf_token *token);
WF_API const char *wf_token_why(const struct wf_token *token);

/* Scopes that are linked now. Suspends: never. */
WF_API size_t wf_token_links(const struct wf_token *token);

/*
 * wf_linked(token, expression) gives the expression's value; -ECANCELED when the token was cancelled before it was
 * done.
 * Suspends: where the expression does. On cancel: as the expression.
 */
#define wf_linked(the_token, ...) WF_LINKED_(WF_JOIN_(wf_linked_, __COUNTER__), (the_token), __VA_ARGS__)

/* ---- What the macros stand on: private ---- */

WF_API void wf_token_cancel_at_(struct wf_token *token, const char *why, const char *place);

#define WF_LINKED_(scope_name, link, ...)                                                                              \
    __extension__({                                                                                                    \
        WF_SCOPE_(scope_name, scope_name, .token = (link));                                                            \
        __typeof__(__VA_ARGS__) WF_JOIN_(scope_name, _value) = (__VA_ARGS__);                                          \
        WF_AROUND_END_(scope_name, WF_JOIN_(scope_name, _value));                                                      \
        WF_JOIN_(scope_name, _value);                                                                                  \
    })

#ifdef __cplusplus
}
#endif
#endif
