#include "order.h"

WF_MODEL_DEFINE(line, LINE_MEMBERS)
WF_MODEL_DEFINE(order, ORDER_MEMBERS, .unknown = WF_UNKNOWN_REFUSED)
WF_UNION_DEFINE(event, EVENT_CASES, .tag = "kind")
