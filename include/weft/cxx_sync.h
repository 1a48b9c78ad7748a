/*
 * Waiting on each other, for C++: the same words, with options as structs in place of named arguments.
 * Included by weft/cxx.h; needs C++17.
 */
#ifndef WEFT_CXX_SYNC_H
#define WEFT_CXX_SYNC_H

#include <weft/base.h>

#ifdef __cplusplus

#include <weft/channel.h>
#include <weft/cxx_task.h>
#include <weft/select.h>
#include <weft/sync.h>

#undef WF_MUTEX
#undef WF_SEMAPHORE
#undef WF_EVENT
#undef WF_CHANNEL
#undef WF_PRIORITY_CHANNEL
#undef WF_CASE_RECEIVE
#undef WF_CASE_SEND
#undef WF_CASE_EVENT
#undef WF_CASE_HANDLE
#undef WF_CASE_FUTURE
#undef WF_CASE_UNTIL
#undef WF_CASE_READY
#undef WF_CONDITION
#undef WF_BARRIER
#undef WF_ONCE
#undef WF_FUTURE
#undef WF_LIMITER
#undef WF_PERMIT
#undef wf_once

namespace wf_cxx
{
template <class Item, size_t capacity> struct channel : wf_channel {
    alignas(Item) char storage_[(capacity == 0 ? 1 : capacity) * sizeof(Item)];

    channel() : wf_channel()
    {
        slots_ = storage_;
        item_size_ = slot_size_ = sizeof(Item);
        capacity_ = capacity;
    }
    channel(const channel &) = delete;
    channel &operator=(const channel &) = delete;
};

template <class Item, size_t capacity, bool (*before)(const Item *, const Item *)>
struct priority_channel : wf_channel {
    struct slot {
        Item item_;
        uint64_t sequence_;
    };
    alignas(slot) char storage_[capacity * sizeof(slot)];

    static bool comes_before(const void *one, const void *other)
    {
        return before(static_cast<const Item *>(one), static_cast<const Item *>(other));
    }
    priority_channel() : wf_channel()
    {
        slots_ = storage_;
        item_size_ = sizeof(Item);
        slot_size_ = sizeof(slot);
        capacity_ = capacity;
        before_ = comes_before;
    }
    priority_channel(const priority_channel &) = delete;
    priority_channel &operator=(const priority_channel &) = delete;
};

template <class Item> wf_case channel_case(wf_case_kind_ kind, wf_channel *channel, Item *item)
{
    wf_case one = {};
    one.kind_ = kind;
    one.on_.channel = channel;
    one.item_ = const_cast<void *>(static_cast<const void *>(item));
    one.item_size_ = sizeof(Item);
    return one;
}

inline wf_case event_case(wf_event *event)
{
    wf_case one = {};
    one.kind_ = WF_CASE_EVENT_;
    one.on_.event = event;
    return one;
}

inline wf_case handle_case(wf_handle *handle)
{
    wf_case one = {};
    one.kind_ = WF_CASE_HANDLE_;
    one.on_.handle = handle;
    return one;
}

inline wf_case future_case(wf_future *future)
{
    wf_case one = {};
    one.kind_ = WF_CASE_FUTURE_;
    one.on_.future = future;
    return one;
}

inline wf_case until_case(int64_t deadline)
{
    wf_case one = {};
    one.kind_ = WF_CASE_UNTIL_;
    one.deadline_ = deadline;
    return one;
}

inline wf_case ready_case(int fd, unsigned readiness)
{
    wf_case one = {};
    one.kind_ = WF_CASE_READY_;
    one.fd_ = fd;
    one.readiness_ = readiness;
    return one;
}

inline wf_semaphore semaphore(size_t count)
{
    wf_semaphore made = {};
    made.permits_ = count;
    return made;
}

inline wf_barrier barrier(int parties)
{
    wf_barrier made = {};
    made.parties_ = parties;
    return made;
}

inline wf_limiter limiter(int limit)
{
    wf_limiter made = {};
    made.limit_ = limit;
    return made;
}

template <class Arg> int call_once(wf_once *one, int (*fn)(Arg *), Arg *arg)
{
    return wf_once_(one, erased(fn), arg);
}
}  // namespace wf_cxx

#define WF_CHANNEL(name, type, capacity) wf_cxx::channel<type, (capacity)> name
#define WF_PRIORITY_CHANNEL(name, type, capacity, before) wf_cxx::priority_channel<type, (capacity), before> name
#define WF_CASE_RECEIVE(channel, item) wf_cxx::channel_case(WF_CASE_RECEIVE_, (channel), (item))
#define WF_CASE_SEND(channel, item) wf_cxx::channel_case(WF_CASE_SEND_, (channel), (item))
#define WF_CASE_EVENT(event) wf_cxx::event_case(event)
#define WF_CASE_HANDLE(handle) wf_cxx::handle_case(handle)
#define WF_CASE_FUTURE(future) wf_cxx::future_case(future)
#define WF_CASE_UNTIL(deadline_ns) wf_cxx::until_case(deadline_ns)
#define WF_CASE_READY(fd, readiness) wf_cxx::ready_case((fd), (readiness))
#define WF_MUTEX                                                                                                       \
    {                                                                                                                  \
    }
#define WF_SEMAPHORE(count) wf_cxx::semaphore(count)
#define WF_EVENT                                                                                                       \
    {                                                                                                                  \
    }
#define WF_CONDITION                                                                                                   \
    {                                                                                                                  \
    }
#define WF_BARRIER(parties) wf_cxx::barrier(parties)
#define WF_ONCE                                                                                                        \
    {                                                                                                                  \
    }
#define WF_FUTURE                                                                                                      \
    {                                                                                                                  \
    }
#define WF_LIMITER(limit) wf_cxx::limiter(limit)
#define WF_PERMIT(permit) struct wf_permit permit __attribute__((cleanup(wf_permit_leave_), unused)) = {}
#define wf_once(state, fn, arg) wf_cxx::call_once((state), (fn), (arg))

#endif
#endif
