/* Which storage is meant, and the way to its calls. */
#include "storage_class.h"

#include <string.h>

int storage_open(struct wf_scope *scope, const struct storage_options *options, struct storage **storage)
{
    *storage = NULL;
    const char *where = options->where;
    if (where == NULL || *where == '\0') return wf_fail(-EINVAL, "a storage needs a place: a path, or \":memory:\"");
    if (strstr(where, "://") != NULL) return wf_fail(-EINVAL, "no storage of this kind: %s", where);
    return sqlite_storage_open(scope, options, storage);
}

void storage_close(struct storage *storage)
{
    if (storage != NULL) storage->class->close(storage);
}

int storage_ping(struct storage *storage)
{
    return storage->class->ping(storage);
}

bool storage_has_location(const struct storage *storage, const char *id)
{
    return storage->class->has_location(storage, id);
}

int storage_check(struct storage *storage, struct wf_arena *arena, const char *const *vins, size_t count,
                  struct custody_releasability *results, int *codes)
{
    return storage->class->check(storage, arena, vins, count, results, codes);
}

int storage_cached(struct storage *storage, struct wf_arena *arena, const char *vin,
                   struct custody_releasability *result)
{
    return storage->class->cached(storage, arena, vin, result);
}

int storage_list(struct storage *storage, struct wf_arena *arena, const struct filter *filter,
                 const struct place *after, int limit, struct custody_page *page, bool *more)
{
    return storage->class->list(storage, arena, filter, after, limit, page, more);
}

int storage_authorization(struct storage *storage, struct wf_arena *arena, const char *id,
                          struct custody_authorization *result)
{
    return storage->class->authorization(storage, arena, id, result);
}

int storage_authorize(struct storage *storage, struct wf_arena *arena, const struct custody_new_authorization *wanted,
                      struct once *once, struct custody_authorization *result)
{
    return storage->class->authorize(storage, arena, wanted, once, result);
}

int storage_decide(struct storage *storage, struct wf_arena *arena, const char *id, enum decision decision,
                   const struct custody_decision *who, struct once *once, struct custody_authorization *result)
{
    return storage->class->decide(storage, arena, id, decision, who, once, result);
}

int storage_state(struct storage *storage, struct wf_arena *arena, const char *vin, struct custody_state *state)
{
    return storage->class->state(storage, arena, vin, state);
}

int storage_transfer(struct storage *storage, struct wf_arena *arena, const struct custody_new_transfer *wanted,
                     struct once *once, struct custody_transfer *result)
{
    return storage->class->transfer(storage, arena, wanted, once, result);
}

int storage_find_transfer(struct storage *storage, struct wf_arena *arena, const char *id,
                          struct custody_transfer *result)
{
    return storage->class->find_transfer(storage, arena, id, result);
}

int storage_events(struct storage *storage, struct wf_arena *arena, int64_t after, const char *vin, size_t limit,
                   struct numbered_event *events, size_t *count)
{
    return storage->class->events(storage, arena, after, vin, limit, events, count);
}

int64_t storage_last_event(const struct storage *storage)
{
    return storage->class->last_event(storage);
}

int storage_wait_news(struct storage *storage, int64_t after)
{
    return storage->class->wait_news(storage, after);
}

int storage_checked(struct storage *storage, struct wf_arena *arena, int limit, struct custody_releasability *results,
                    size_t *count)
{
    return storage->class->checked(storage, arena, limit, results, count);
}
