/* A kind of storage: the calls of storage.h as one database answers them. */
#ifndef CUSTODY_STORAGE_CLASS_H
#define CUSTODY_STORAGE_CLASS_H

#include "storage.h"

struct storage {
    const struct storage_class *class;
};

struct storage_class {
    void (*close)(struct storage *storage);
    int (*ping)(struct storage *storage);
    bool (*has_location)(const struct storage *storage, const char *id);
    int (*check)(struct storage *storage, struct wf_arena *arena, const char *const *vins, size_t count,
                 struct custody_releasability *results, int *codes);
    int (*cached)(struct storage *storage, struct wf_arena *arena, const char *vin,
                  struct custody_releasability *result);
    int (*list)(struct storage *storage, struct wf_arena *arena, const struct filter *filter, const struct place *after,
                int limit, struct custody_page *page, bool *more);
    int (*authorization)(struct storage *storage, struct wf_arena *arena, const char *id,
                         struct custody_authorization *result);
    int (*authorize)(struct storage *storage, struct wf_arena *arena, const struct custody_new_authorization *wanted,
                     struct once *once, struct custody_authorization *result);
    int (*decide)(struct storage *storage, struct wf_arena *arena, const char *id, enum decision decision,
                  const struct custody_decision *who, struct once *once, struct custody_authorization *result);
    int (*state)(struct storage *storage, struct wf_arena *arena, const char *vin, struct custody_state *state);
    int (*transfer)(struct storage *storage, struct wf_arena *arena, const struct custody_new_transfer *wanted,
                    struct once *once, struct custody_transfer *result);
    int (*find_transfer)(struct storage *storage, struct wf_arena *arena, const char *id,
                         struct custody_transfer *result);
    int (*events)(struct storage *storage, struct wf_arena *arena, int64_t after, const char *vin, size_t limit,
                  struct numbered_event *events, size_t *count);
    int64_t (*last_event)(const struct storage *storage);
    int (*wait_news)(struct storage *storage, int64_t after);
    int (*checked)(struct storage *storage, struct wf_arena *arena, int limit, struct custody_releasability *results,
                   size_t *count);
};

/* As storage_open. */
WF_SUSPENDS int sqlite_storage_open(struct wf_scope *scope, const struct storage_options *options,
                                    struct storage **storage);

#endif
