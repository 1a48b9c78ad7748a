// A member of a kind that there is not.
// expect: WF_TYPE_NUMBER
#include <weft/model.h>

#define ORDER_MEMBERS(M) M(NUMBER, quantity)
WF_MODEL(order, ORDER_MEMBERS)
