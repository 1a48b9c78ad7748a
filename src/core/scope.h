/* What scope.c, handle.c and task.c say to each other about children. */
#ifndef WEFT_CORE_SCOPE_H
#define WEFT_CORE_SCOPE_H

#include "core/wait.h"

enum scope_state { SCOPE_UNOPENED, SCOPE_OPEN, SCOPE_ENDING, SCOPE_CLOSED };
enum handle_state { HANDLE_UNUSED, HANDLE_ALIVE, HANDLE_ENDED };

void scope_add_child(struct wf_scope *scope, struct wf_task *task);

/* A child's function returned `rc`. `counts`: its error is the scope's. Takes it off the list of the living. */
void scope_child_ended(struct wf_scope *scope, struct wf_task *task, int rc, bool cancelled, bool counts);

/* Hands the outcome of a scope that was left without its end to whatever encloses it. */
void scope_hand_up(struct wf_task *task, struct wf_scope *scope, int result);

/* Room under the limit was given back, or not used after all: passes it on, or lets the opener go. */
void scope_room_left(struct wf_scope *scope);

/* Keeps the record of an ended child for wf_scope_next; false when the scope does not, and the record is free. */
bool scope_keeps(struct wf_scope *scope, struct wf_task *task, int rc);

/* A child that somebody waits for by wf_spawn_ready ended; false when it had not said that it was ready. */
bool ready_ended(struct wf_task *task, int rc);

/* ---- handle.c ---- */

/* A child that could not be made counts as one that failed. Returns `rc`. */
int spawn_failed(struct wf_scope *scope, const char *place, int rc);

/* ---- token.c ---- */

/* Links a scope that is being opened; cancels it, if the token was. */
void token_link(struct wf_token *token, struct wf_scope *scope);
/* Takes back the link of a scope that ends. */
void token_unlink(struct wf_scope *scope);

#endif
