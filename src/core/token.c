/* Tokens: a list of the scopes that are linked, through the scopes themselves. */
#include <weft/token.h>

#include "base/report.h"
#include "core/loop.h"
#include "core/scope.h"

static void cancel_scope(const struct wf_token *token, struct wf_scope *scope)
{
    node_cancel(&scope->node_, &scope->reason_, WF_REASON_TOKEN, token->text_, token->place_);
}

void token_link(struct wf_token *token, struct wf_scope *scope)
{
    scope->token_ = token;
    scope->prev_linked_ = token->last_;
    if (token->last_ != NULL) token->last_->next_linked_ = scope;
    else token->first_ = scope;
    token->last_ = scope;
    if (token->cancelled_) cancel_scope(token, scope);
}

void token_unlink(struct wf_scope *scope)
{
    if (scope->next_linked_ != NULL) scope->next_linked_->prev_linked_ = scope->prev_linked_;
    else scope->token_->last_ = scope->prev_linked_;
    if (scope->prev_linked_ != NULL) scope->prev_linked_->next_linked_ = scope->next_linked_;
    else scope->token_->first_ = scope->next_linked_;
    scope->token_ = NULL;
}

void wf_token_cancel_at_(struct wf_token *token, const char *why, const char *place)
{
    struct loop *loop = LOOP_ALIVE();
    if (token->cancelled_) return;
    if (token->first_ != NULL && token->first_->loop_ != loop)
        misuse("a token was cancelled at %s from another loop's thread than that of the scopes that are linked to it; "
               "set an event of that loop by a waker (weft/waker.h), and cancel there.",
               place);
    token->cancelled_ = true;
    token->text_ = why;
    token->place_ = place;
    for (struct wf_scope *scope = token->first_; scope != NULL; scope = scope->next_linked_) cancel_scope(token, scope);
}

bool wf_token_cancelled(const struct wf_token *token)
{
    return token->cancelled_;
}

const char *wf_token_why(const struct wf_token *token)
{
    return token->cancelled_ && token->text_ == NULL ? "no reason given" : token->text_;
}

size_t wf_token_links(const struct wf_token *token)
{
    size_t links = 0;
    for (const struct wf_scope *scope = token->first_; scope != NULL; scope = scope->next_linked_) links++;
    return links;
}
