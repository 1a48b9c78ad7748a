// Whether the lock was taken is not to be ignored.
// expect gcc: ignoring return value of 'wf_mutex_lock' declared with attribute 'warn_unused_result'
// expect clang: ignoring return value of function declared with 'warn_unused_result' attribute
#include <weft/weft.h>


int misuse(struct wf_mutex *mutex);
int misuse(struct wf_mutex *mutex)
{
    wf_mutex_lock(mutex);
    return wf_mutex_unlock(mutex);
}
