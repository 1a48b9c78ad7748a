// An option that members do not have.
// expect gcc: 'const struct wf_member' has no member named 'minimum'
// expect clang: field designator 'minimum' does not refer to any field in type 'const struct wf_member'
#include <weft/model.h>

#define ORDER_MEMBERS(M) M(INT64, quantity, .minimum = 1)
WF_MODEL(order, ORDER_MEMBERS)
