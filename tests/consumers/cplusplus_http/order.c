#include "order.h"

WF_MODEL_DEFINE(order, ORDER_MEMBERS)
