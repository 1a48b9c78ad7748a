/* Watching names of the simulated disk: inotify(7), as far as weft asks of it. */
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "driver/sim_tree.h"

enum { WATCHES_MAX = 1024, EVENTS_MAX = 1024 };

struct watch {
    struct watch *next;
    struct sim_file *file; /* held; a use */
    int number;
    unsigned mask;
};

struct event {
    struct event *next;
    struct inotify_event *said;
    size_t size;
};

struct sim_watcher {
    struct watch *watches;
    struct event *first, *last;
    int last_number;
    size_t watch_count, event_count;
};

/* ---- Making and ending ---- */

int sim_watcher(struct loop *loop)
{
    struct sim *sim = sim_of(loop);
    struct sim_end *end = sim_end_new(sim, sim_host_of(sim, loop->running), END_WATCHER);
    if (end == NULL) return -ENOMEM;
    end->watcher = memory_zero(sizeof *end->watcher);
    if (end->watcher != NULL) return sim_end_open(sim, end, loop->running);
    sim_end_close(sim, end);
    return -ENOMEM;
}

static void drop_watch(struct sim_end *end, struct watch **link)
{
    struct watch *watch = *link;
    *link = watch->next;
    end->watcher->watch_count--;
    sim_file_drop(end->host, watch->file);
    memory_free(watch);
}

static void drop_event(struct sim_watcher *watcher)
{
    struct event *event = watcher->first;
    watcher->first = event->next;
    watcher->event_count--;
    memory_free(event);
}

void sim_watch_close(struct sim_end *end)
{
    struct sim_watcher *watcher = end->watcher;
    if (watcher == NULL) return;
    while (watcher->watches != NULL) drop_watch(end, &watcher->watches);
    while (watcher->first != NULL) drop_event(watcher);
    memory_free(watcher);
}

int64_t sim_watch(struct sim *sim, const struct op *op)
{
    struct sim_end *end = sim_end_of(sim, op->fd);
    if (end == NULL || end->kind != END_WATCHER) return -EBADF;
    struct sim_place place;
    int rc = sim_resolve(sim, end->host, op->path, !(op->mode & IN_DONT_FOLLOW), &place);
    if (rc < 0 || place.file == NULL) return rc < 0 ? rc : -ENOENT;
    if ((op->mode & IN_ONLYDIR) && !S_ISDIR(place.file->mode)) return -ENOTDIR;
    if (!sim_may(sim, place.file, S_IRUSR)) return -EACCES;
    struct sim_watcher *watcher = end->watcher;
    for (struct watch *watch = watcher->watches; watch != NULL; watch = watch->next)
        if (watch->file == place.file) return watch->number;
    if (watcher->watch_count == WATCHES_MAX) return -ENOSPC;
    struct watch *watch = memory_alloc(sizeof *watch);
    if (watch == NULL) return -ENOMEM;
    *watch = (struct watch){watcher->watches, place.file, ++watcher->last_number, op->mode};
    sim_file_use(end->host, place.file);
    watcher->watches = watch;
    watcher->watch_count++;
    return watch->number;
}

/* ---- Telling ---- */

static void add_event(struct sim_watcher *watcher, int number, unsigned mask, unsigned cookie, const char *name)
{
    bool full = watcher->event_count >= EVENTS_MAX;
    if (watcher->event_count > EVENTS_MAX) return; /* it was told already */
    size_t room = name != NULL && !full ? (strlen(name) + 1 + 15) & ~(size_t)15 : 0;
    struct event *event = memory_zero(sizeof *event + sizeof(struct inotify_event) + room);
    if (event == NULL) return;
    event->said = (struct inotify_event *)(void *)(event + 1);
    event->size = sizeof(struct inotify_event) + room;
    event->said->wd = full ? -1 : number;
    event->said->mask = full ? IN_Q_OVERFLOW : mask;
    event->said->cookie = full ? 0 : cookie;
    event->said->len = (uint32_t)room;
    if (room > 0) memcpy(event->said->name, name, strlen(name) + 1);
    if (watcher->first == NULL) watcher->first = event;
    else watcher->last->next = event;
    watcher->last = event;
    watcher->event_count++;
}

static void tell_watcher(struct sim *sim, struct sim_end *end, const struct sim_file *file, const char *name,
                         unsigned mask, unsigned cookie)
{
    for (struct watch **link = &end->watcher->watches; *link != NULL;) {
        struct watch *watch = *link;
        bool ends = watch->file == file && (mask & IN_DELETE_SELF);
        if (watch->file == file && (watch->mask & mask & IN_ALL_EVENTS))
            add_event(end->watcher, watch->number, mask, cookie, name);
        if (ends) add_event(end->watcher, watch->number, IN_IGNORED, 0, NULL);
        if (ends) drop_watch(end, link);
        else link = &watch->next;
    }
    if (end->watcher->first != NULL) sim_stir(sim, end);
}

void sim_tell(struct sim *sim, struct sim_file *file, const char *name, unsigned mask, unsigned cookie)
{
    for (struct sim_end *end = sim->ends; end != NULL; end = end->later)
        if (end->kind == END_WATCHER && end->watcher != NULL) tell_watcher(sim, end, file, name, mask, cookie);
}

int sim_unwatch(struct loop *loop, int fd, int number)
{
    struct sim_end *end = sim_end_of(sim_of(loop), fd);
    if (end == NULL || end->kind != END_WATCHER) return -EBADF;
    struct watch **link = &end->watcher->watches;
    while (*link != NULL && (*link)->number != number) link = &(*link)->next;
    if (*link == NULL) return -EINVAL;
    drop_watch(end, link);
    add_event(end->watcher, number, IN_IGNORED, 0, NULL);
    sim_stir(sim_of(loop), end);
    return 0;
}

/* ---- Reading ---- */

bool sim_watch_ready(const struct sim_end *end)
{
    return end->watcher->first != NULL;
}

bool sim_watch_try(struct sim *sim, struct sim_end *end, const struct op *op, int64_t *result)
{
    (void)sim;
    struct sim_watcher *watcher = end->watcher;
    size_t used = 0;
    *result = -EINVAL;
    if (op->kind != OP_READ) return true;
    if (watcher->first == NULL) return false;
    while (watcher->first != NULL && op->size - used >= watcher->first->size) {
        memcpy((char *)op->buffer + used, watcher->first->said, watcher->first->size);
        used += watcher->first->size;
        drop_event(watcher);
    }
    if (used > 0) *result = (int64_t)used;
    return true;
}
