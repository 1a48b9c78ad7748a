/* A model that C defines and C++ uses. */
#ifndef ORDER_H
#define ORDER_H

#include <weft/model.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LINE_MEMBERS(M) M(STRING, sku) M(INT32, count, .min = 1)
WF_MODEL_DECLARE(line, LINE_MEMBERS)

#define ORDER_MEMBERS(M) M(INT64, id) M(LIST(MODEL(line)), lines) M(MAP(DOUBLE), prices, .optional = true)
WF_MODEL_DECLARE(order, ORDER_MEMBERS)

#define EVENT_CASES(C) C(order) C(line)
WF_UNION_DECLARE(event, EVENT_CASES)

#ifdef __cplusplus
}
#endif
#endif
