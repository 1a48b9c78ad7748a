/* Forms with files, as bodies of requests (RFC 7578). */
#include <weft/task.h>

#include "client/payload.h"

int multipart_open(struct payload *payload)
{
    (void)payload;
    return wf_fail(-EOPNOTSUPP, "forms with files are not sent yet");
}

int multipart_next(struct payload *payload, struct iovec *piece)
{
    (void)payload;
    (void)piece;
    return 0;
}

void multipart_rewind(struct payload *payload)
{
    (void)payload;
}

void multipart_close(struct payload *payload)
{
    (void)payload;
}
