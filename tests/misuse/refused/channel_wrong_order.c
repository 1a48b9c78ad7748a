// The order of a priority channel compares another type than the channel holds.
// expect gcc: pointer type mismatch in conditional expression
// expect clang: pointer type mismatch
#include <weft/weft.h>

struct order {
    int urgency;
};
struct user {
    int id;
};

static bool older(const struct user *one, const struct user *other)
{
    return one->id < other->id;
}

int misuse(void);
int misuse(void)
{
    WF_PRIORITY_CHANNEL(orders, struct order, 4, older);
    return wf_channel_close(&orders);
}
