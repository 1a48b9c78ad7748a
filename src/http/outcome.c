/* What a handler returned, as a status. */
#include "http/app.h"

int outcome_status(int code)
{
    switch (code) {
    case -ENOENT:
        return 404;
    case -EACCES:
    case -EPERM:
        return 403;
    case -EEXIST:
        return 409;
    case -EINVAL:
        return 422;
    case -EMSGSIZE:
        return 413;
    case -EBADMSG:
        return 400;
    case -EBUSY:
    case -EAGAIN:
    case -ENOMEM:
    case WF_EFULL:
    case WF_EOPEN:
        return 503;
    case -ETIME:
    case -ETIMEDOUT:
        return 504;
    case -ECANCELED:
        return 0;
    default:
        return code >= 0 ? 204 : 500;
    }
}
