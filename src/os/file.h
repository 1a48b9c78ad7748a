/* What other parts need of an open file. */
#ifndef WEFT_OS_FILE_H
#define WEFT_OS_FILE_H

#include <weft/file.h>

#include "core/driver.h"

/* Its descriptor, if it has offsets; else NULL. The file stays until it is dropped, though it may be closed. */
struct desc *file_hold(struct wf_file *file);
void file_drop(struct wf_file *file);

#endif
