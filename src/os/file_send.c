/* From a file to a stream. */
#include <weft/file.h>
#include <weft/stream.h>
#include <weft/task.h>

#include "core/loop.h"
#include "net/copy.h"
#include "os/file.h"

int wf_file_send(struct wf_file *file, int64_t offset, uint64_t size_max, struct wf_stream *stream, uint64_t *done)
{
    (void)LOOP_HERE();
    if (done != NULL) *done = 0;
    if (offset < 0) return -EINVAL;
    struct copy copy = {.file = file_hold(file), .offset = offset, .to = stream, .left = size_max};
    int rc = copy.file != NULL ? copy_run(&copy) : -ESPIPE;
    file_drop(file);
    if (done != NULL) *done = copy.done;
    return rc;
}
