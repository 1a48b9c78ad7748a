/* A model that C defines, for routes in C++. */
#ifndef ORDER_H
#define ORDER_H

#include <weft/model.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ORDER_MEMBERS(M) M(STRING, email, .format = WF_EMAIL) M(INT64, quantity, .min = 1, .max = 1000)
WF_MODEL_DECLARE(order, ORDER_MEMBERS)

#ifdef __cplusplus
}
#endif
#endif
