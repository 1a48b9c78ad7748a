/* The fields of a part of a form (RFC 7578 section 4). */
#ifndef WEFT_HTTP_PART_HEAD_H
#define WEFT_HTTP_PART_HEAD_H

#include <weft/multipart.h>

/*
 * A parameter of a field, "form-data; name=\"a\"", without its quotes. False: it is not there, not well formed, or too
 * long for the room.
 */
bool parameter_of(const char *field, const char *name, char *to, size_t room);

/* Fills in the part from its fields, the lines without the last line end. Errors: -EBADMSG, -ENOMEM. */
int part_head_read(struct wf_part *part, struct wf_arena *arena, const char *bytes, size_t size);

#endif
