/* The texts of error codes: the system's, and weft's own. */
#include <string.h>
#include <weft/base.h>

const char *wf_strerror(int code)
{
    int positive = code < 0 ? -code : code;
    if (positive == 0) return "Success";
    if (positive == -WF_EEND) return "Stream ended early";
    if (positive == -WF_EOPEN) return "Circuit breaker is open";
    if (positive == -WF_ESTATUS) return "The answer's status is an error";
    if (positive == -WF_EFULL) return "Refused, too many are waiting";
    if (positive == ECANCELED) return "Cancelled";
    if (positive == ETIME) return "Deadline expired";
    const char *text = strerrordesc_np(positive);
    return text != NULL ? text : "Unknown error";
}
