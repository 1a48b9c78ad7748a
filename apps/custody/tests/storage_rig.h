/* A storage for each test: in memory, or, where STORAGE_ON_FILE says so, in a file of the real file system, which a
 * simulated world does not have. */
#ifndef CUSTODY_STORAGE_RIG_H
#define CUSTODY_STORAGE_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/testing.h>

#include "../server/storage.h"
#include "../server/world.h"

#ifndef STORAGE_ON_FILE
#define STORAGE_ON_FILE 0
#endif

#define RELEASABLE_VIN "9HGBH41JXMN999999"
#define HELD_VIN "1HGCM82633A123456"
#define APPROVED_VIN "2HGCM82633A789012"
#define APPROVED_ID "AUTH-12345678"
#define ATLANTA "LOC-AUCTION-MANHEIM-ATLANTA"
#define RICHMOND "LOC-DEALER-CARMAX-RICHMOND"

struct rig_place {
    char directory[64], path[80];
};

/* In memory where that is a file system: what the tests write need not be on a disk. */
static inline void rig_place_make(struct rig_place *place)
{
    snprintf(place->directory, sizeof place->directory, "%s/custody-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(place->directory) == NULL) abort();
    snprintf(place->path, sizeof place->path, "%s/custody.db", place->directory);
}

static inline void rig_place_remove(const struct rig_place *place)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < WF_COUNT(endings); i++) {
        char path[96];
        snprintf(path, sizeof path, "%s%s", place->path, endings[i]);
        unlink(path);
    }
    rmdir(place->directory);
}

static inline int rig_open(struct wf_scope *scope, const char *where, struct storage **storage)
{
    return storage_open(scope, &(struct storage_options){.where = where, .provision = true, .seed = true}, storage);
}

/* What a fixture does: in a place of its own. */
static inline int rig_provide(const struct storage_options *options, bool on_file)
{
    struct rig_place place = {.path = ":memory:"};
    if (on_file) rig_place_make(&place);
    struct storage_options here = *options;
    here.where = place.path;
    struct storage *storage;
    WF_SCOPE(scope);
    int rc = storage_open(&scope, &here, &storage);
    if (rc == 0) wf_provide(storage);
    storage_close(storage);
    if (on_file) rig_place_remove(&place);
    return wf_scope_end(&scope, rc);
}

static inline struct custody_new_authorization rig_wanted(const char *vin, const char *person)
{
    return (struct custody_new_authorization){.vin = vin,
                                              .origin = "Atlanta",
                                              .destination = "Macon",
                                              .person_identity_key = person,
                                              .authorized_by = "api-integration",
                                              .make_model = "Unknown"};
}

static inline int rig_authorize(struct storage *storage, const char *vin, const char *person,
                                struct custody_authorization *result)
{
    struct custody_new_authorization wanted = rig_wanted(vin, person);
    return storage_authorize(storage, wf_task_arena(), &wanted, NULL, result);
}

static inline int rig_decide(struct storage *storage, const char *id, enum decision decision,
                             struct custody_authorization *result)
{
    struct custody_decision who = {.by = "an officer"};
    return storage_decide(storage, wf_task_arena(), id, decision, &who, NULL, result);
}

/* One that is approved. */
static inline int rig_approved(struct storage *storage, const char *vin, const char *person,
                               struct custody_authorization *result)
{
    int rc = rig_authorize(storage, vin, person, result);
    return rc == 0 ? rig_decide(storage, result->authorization_id, DECIDE_APPROVE, result) : rc;
}

static inline int rig_list(struct storage *storage, const char *vin, int status, int limit, struct custody_page *page)
{
    struct filter filter = {.vin = vin, .status = status};
    bool more;
    return storage_list(storage, wf_task_arena(), &filter, NULL, limit, page, &more);
}

static inline int rig_transfer(struct storage *storage, const char *vin, const char *type, const char *credential,
                               const char *location, struct custody_transfer *result)
{
    struct custody_new_transfer wanted = {.vin = vin,
                                          .transfer_type = type,
                                          .credential_id = credential,
                                          .location_id = location};
    return storage_transfer(storage, wf_task_arena(), &wanted, NULL, result);
}

/* The types of what happened behind a number, in order, with blanks between them. */
static inline const char *rig_events(struct storage *storage, int64_t after, const char *vin)
{
    struct numbered_event events[32];
    size_t count = 0;
    if (storage_events(storage, wf_task_arena(), after, vin, WF_COUNT(events), events, &count) < 0) return "";
    const char *text = "";
    for (size_t i = 0; i < count && text != NULL; i++)
        text = wf_arena_printf(wf_task_arena(), "%s%s%s", text, i > 0 ? " " : "", events[i].event.type);
    return text != NULL ? text : "";
}

#endif
