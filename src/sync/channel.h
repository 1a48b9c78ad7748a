/* What select needs of a channel: the calls without their waits. */
#ifndef WEFT_SYNC_CHANNEL_H
#define WEFT_SYNC_CHANNEL_H

#include <weft/channel.h>

void channel_check_item(const struct wf_channel *channel, size_t size, const char *function);
/* The call's result, or -EAGAIN when it would have to wait. */
int channel_try_send(struct wf_channel *channel, const void *item);
int channel_try_receive(struct wf_channel *channel, void *item);

#endif
