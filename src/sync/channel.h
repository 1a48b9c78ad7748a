/* What select needs of a channel: both try, and give true when it is settled, with the call's result. */
#ifndef WEFT_SYNC_CHANNEL_H
#define WEFT_SYNC_CHANNEL_H

#include <weft/channel.h>

void channel_check_item(const struct wf_channel *channel, size_t size, const char *function);
bool channel_settle_send(struct wf_channel *channel, const void *item, int *result);
bool channel_settle_receive(struct wf_channel *channel, void *item, int *result);

#endif
