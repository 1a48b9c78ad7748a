/* An open file as an answer. */
#ifndef WEFT_HTTP_FILE_REPLY_H
#define WEFT_HTTP_FILE_REPLY_H

#include <weft/static_files.h>

struct wf_file;
struct stat;

/* Answers with the file, which stays the caller's; `encoding` is what it is compressed by, or NULL. */
int file_reply(struct wf_request *request, struct wf_file *file, const struct stat *status, const char *encoding,
               const struct wf_reply_file_options *options);

/* Opens a path for reading: -ENOENT for a name that is none. A fifo is not waited for. */
int file_reply_open(const char *path, int flags, struct wf_file **file, struct stat *status);

#endif
