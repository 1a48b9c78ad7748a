// An option of the sister macro.
// expect gcc: 'struct wf_gather_options' has no member named 'winner'
// expect clang: field designator 'winner' does not refer to any field in type 'struct wf_gather_options'
#include <weft/weft.h>

struct user {
    int id;
};

static int load_user(struct user *user)
{
    return user->id;
}

int misuse(struct user *user);
int misuse(struct user *user)
{
    size_t winner = 0;
    return wf_gather(user, 3, load_user, .winner = &winner);
}
