/*
 * Processes for C++: the same words, with options as structs in place of named arguments.
 * Included by weft/cxx.h; needs C++17.
 */
#ifndef WEFT_CXX_PROCESS_H
#define WEFT_CXX_PROCESS_H

#include <weft/base.h>

#ifdef __cplusplus

#include <weft/process_pool.h>

#undef wf_process_start
#undef wf_process_run
#undef wf_process_pool_open

namespace wf_cxx
{
inline int process_start(wf_process *process, const char *const *argv, wf_process_options options = {})
{
    options.size = sizeof options;
    options.argv_ = argv;
    return wf_process_start_(process, &options);
}

inline int process_run(wf_arena *arena, wf_process_result *result, const char *const *argv,
                       wf_process_options options = {})
{
    options.size = sizeof options;
    options.argv_ = argv;
    return wf_process_run_(arena, result, &options);
}

inline int process_pool_open(wf_process_pool **pool, const char *const *argv, wf_process_pool_options options = {})
{
    options.size = sizeof options;
    options.argv_ = argv;
    return wf_process_pool_open_(pool, &options);
}
}  // namespace wf_cxx

#define wf_process_start(...) wf_cxx::process_start(__VA_ARGS__)
#define wf_process_run(...) wf_cxx::process_run(__VA_ARGS__)
#define wf_process_pool_open(...) wf_cxx::process_pool_open(__VA_ARGS__)

#endif
#endif
