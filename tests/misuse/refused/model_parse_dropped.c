// Whether the input was right is not looked at.
// expect: wf_model_parse
#include <weft/model.h>

#define ORDER_MEMBERS(M) M(INT64, quantity)
WF_MODEL(order, ORDER_MEMBERS)

void misuse(struct wf_arena *arena, struct order *order);
void misuse(struct wf_arena *arena, struct order *order)
{
    wf_model_parse(&order_model, arena, "{}", 2, order, NULL);
}
