/*
 * The macros of weft for C++: the same words, with options as a struct in place of named arguments.
 *
 *     static int load(user *u);
 *
 *     static int load_all(user *users)
 *     {
 *         wf_scope_options options = {};
 *         options.timeout = WF_SECONDS(5);
 *         WF_SCOPE(scope, options);
 *         wf_spawn(&scope, load, &users[0]);
 *         wf_spawn(&scope, load, &users[1]);
 *         return wf_scope_join(&scope);
 *     }
 *
 * An exception may unwind a scope (it is then left without its end: children are cancelled and waited for), but must be
 * caught before the task's function returns: past that it ends the process. Included by weft/weft.h; needs C++17.
 */
#ifndef WEFT_CXX_H
#define WEFT_CXX_H

#include <weft/base.h>

#ifdef __cplusplus

#include <weft/cxx_cache.h>
#include <weft/cxx_flow.h>
#include <weft/cxx_net.h>
#include <weft/cxx_observe.h>
#include <weft/cxx_process.h>
#include <weft/cxx_socket.h>
#include <weft/cxx_sync.h>
#include <weft/cxx_task.h>

#endif
#endif
