/*
 * The storage on SQLite. SQLite blocks, so it works on threads: a call is put into a lane, and a worker of that lane, a
 * task with a connection of its own, takes all that wait and does them in one job and one transaction.
 *
 *     storage_authorize -> call_make -> writing lane -> writer -> wf_offload(run_batch): BEGIN IMMEDIATE
 *                                                                     SAVEPOINT, the call, RELEASE; the next call ...
 *     storage_list ------> call_make -> reading lane -> readers       COMMIT, on the disk; and all of them return
 *
 * So one wait for the disk serves all who came during the one before. A call that fails is rolled back to its
 * savepoint, the others stay; when the commit fails, all of them have failed. Batches of nothing but checks do not wait
 * for the disk: an answer that a power cut takes away from the cache is no change that was promised. A killed process
 * loses neither.
 *
 * A database in memory has one connection, and one lane for everything.
 */
#ifndef CUSTODY_SQLITE_STORAGE_H
#define CUSTODY_SQLITE_STORAGE_H

#include "sqlite_query.h"
#include "storage_class.h"

enum {
    BATCH_MAX = 64, /* calls of a transaction */
    READERS = 2,
    RECENT_MAX = 50,
    TRANSFER_DELAY_US = 2000000, /* of one that is queued, until it is completed */
};

/* ---- Calls ---- */

enum call_kind { CALL_READS, CALL_CHECKS, CALL_CHANGES };

/* The first member of what each call is told and gives. On the stack of the caller, who waits. */
struct call {
    enum call_kind kind;
    int (*run)(struct connection *connection, struct call *call); /* on a thread; 0, a refusal, or a code */
    struct wf_arena *arena;
    struct call *next;
    bool taken; /* by a worker: it can no longer be called off */
    struct wf_event done;
    int rc;
    char message[SQLITE_MESSAGE_MAX]; /* of a negative rc; "" */
};

struct lane {
    struct call *first, *last;
    struct wf_semaphore work; /* a permit: there may be some */
    bool closed;
};

struct worker {
    struct sqlite_storage *storage;
    struct lane *lane;
    struct connection connection;
    struct wf_handle handle;
    bool started;
};

/* Vehicles that were checked, the last one first; each is there once. */
struct recent {
    char vins[RECENT_MAX][CUSTODY_VIN_MAX + 1];
    size_t count;
};

struct sqlite_storage {
    struct storage storage;
    struct lane writing, reading;
    struct worker writer, readers[READERS];
    int reader_count; /* 0: in memory */
    struct wf_handle clock;
    bool clock_started;
    struct wf_event due_moved, news;
    int64_t due, last_event;
    struct recent recent;
    struct wf_arena arena;  /* what lives as long */
    const char **locations; /* in order */
    size_t location_count;
};

/* Puts the call into its lane, and waits for it. Suspends: yes. On cancel: called off, where no worker has taken it;
 * else its end is waited for. Errors: the call's; -ECANCELED; -ESHUTDOWN. */
WF_SUSPENDS int call_make(struct sqlite_storage *storage, struct call *call);

/* The task of a worker; ends by a cancel. */
WF_SUSPENDS int worker_run(struct worker *worker);

/* The task that sees to it that what is due happens. */
WF_SUSPENDS int clock_run(struct sqlite_storage *storage);

/* ---- Parts, on the worker's thread ---- */

/* Brings the database to the form of this program, whatever form it has. */
int schema_migrate(struct connection *connection);
int schema_add_locations(struct connection *connection);
int schema_seed(struct connection *connection, struct wf_arena *arena, int64_t now);

struct vehicle {
    const char *vin, *custodian, *location_id, *last_transfer_id;
    int64_t since;        /* us */
    const char *blockers; /* a list in JSON */
    bool stored;          /* else it is the one that is provided for the VIN, and nobody has changed it */
};
/* 0; REFUSED_UNKNOWN_VIN where none is provided. */
int vehicle_find(struct connection *connection, struct wf_arena *arena, const char *vin, struct vehicle *vehicle);
/* The same, and from now on it is stored: what refers to it needs it. */
int vehicle_need(struct connection *connection, struct wf_arena *arena, const char *vin, struct vehicle *vehicle);
/* The one that is provided is stored, if none is. */
int vehicle_provide(struct connection *connection, struct wf_arena *arena, const char *vin, struct vehicle *vehicle);
bool vehicle_is_held(const struct vehicle *vehicle);
/* What the text says, and whether the vehicle is releasable. */
int vehicle_read_blockers(struct connection *connection, struct wf_arena *arena, const char *text,
                          struct custody_releasability *result);

int recent_find(struct connection *connection, struct wf_arena *arena, struct recent *recent);

int authorization_find(struct connection *connection, struct wf_arena *arena, const char *id,
                       struct custody_authorization *result);
int authorization_insert(struct connection *connection, int64_t number,
                         const struct custody_authorization *authorization);
/* REFUSED_DUPLICATE where the person has one for the vehicle that is open. */
int authorization_refuse_second(struct connection *connection, const char *vin, const char *person);
/* Another status, and the event that says so. */
int authorization_set_status(struct connection *connection, struct custody_authorization *authorization, int status,
                             const struct custody_decision *who);

int event_add(struct connection *connection, const char *type, const char *vin, int64_t at, const char *subject_id);

/* What was said to this key; once->replayed tells whether there is something. */
int once_find(struct connection *connection, struct wf_arena *arena, struct once *once);
int once_keep(struct connection *connection, struct wf_arena *arena, struct once *once, const void *value);

/* The vehicle is where it was to go. */
int transfer_complete(struct connection *connection, struct custody_transfer *transfer);
int transfer_find_due(struct connection *connection, struct wf_arena *arena, struct custody_transfer *transfer);

/* Authorizations that expire, transfers that are completed, and when the next one is due. */
int due_run(struct connection *connection);
int due_find(struct connection *connection);

/* ---- The calls of the class ---- */

int sqlite_check(struct storage *storage, struct wf_arena *arena, const char *const *vins, size_t count,
                 struct custody_releasability *results, int *codes);
int sqlite_cached(struct storage *storage, struct wf_arena *arena, const char *vin,
                  struct custody_releasability *result);
int sqlite_checked(struct storage *storage, struct wf_arena *arena, int limit, struct custody_releasability *results,
                   size_t *count);
int sqlite_state(struct storage *storage, struct wf_arena *arena, const char *vin, struct custody_state *state);
int sqlite_list(struct storage *storage, struct wf_arena *arena, const struct filter *filter, const struct place *after,
                int limit, struct custody_page *page, bool *more);
int sqlite_authorization(struct storage *storage, struct wf_arena *arena, const char *id,
                         struct custody_authorization *result);
int sqlite_authorize(struct storage *storage, struct wf_arena *arena, const struct custody_new_authorization *wanted,
                     struct once *once, struct custody_authorization *result);
int sqlite_decide(struct storage *storage, struct wf_arena *arena, const char *id, enum decision decision,
                  const struct custody_decision *who, struct once *once, struct custody_authorization *result);
int sqlite_transfer(struct storage *storage, struct wf_arena *arena, const struct custody_new_transfer *wanted,
                    struct once *once, struct custody_transfer *result);
int sqlite_find_transfer(struct storage *storage, struct wf_arena *arena, const char *id,
                         struct custody_transfer *result);
int sqlite_events(struct storage *storage, struct wf_arena *arena, int64_t after, const char *vin, size_t limit,
                  struct numbered_event *events, size_t *count);
int64_t sqlite_last_event(const struct storage *storage);
int sqlite_wait_news(struct storage *storage, int64_t after);

#endif
