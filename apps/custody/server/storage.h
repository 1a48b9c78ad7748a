/*
 * Where the sandbox keeps everything: an interface, so that a database in the same process (SQLite) and one elsewhere
 * (PostgreSQL) are the same to what serves.
 *
 * One call happens as a whole, or not at all. A change is on the disk when its call returns; checks may be lost by a
 * power cut, but not by a kill. A change writes its events in the same transaction, and a change that was asked for
 * with an idempotency key writes what was answered. Calls suspend; a cancel is heard before a change begins, and not in
 * the midst of it. Results live in the arena of the call, next to texts of what was asked for: those must live as long.
 * VINs are normalized, and locations known (storage_has_location), when they come here. Times are whole microseconds.
 *
 * Results: 0; a positive `enum refusal`, where the rules forbid it; -ENOENT for what is not there; -EIO, with a
 * message, for what the database says; -EAGAIN, when there is no thread for it; -ENOMEM, -ECANCELED; -ESHUTDOWN once
 * it closes, or its scope ends.
 */
#ifndef CUSTODY_STORAGE_H
#define CUSTODY_STORAGE_H

#include <custody/types.h>
#include <weft/weft.h>

/* Why a change is refused; each is a code of the API. */
enum refusal {
    REFUSED_UNKNOWN_VIN = 1, /* 404 unknown_vin: nobody knows it, and none is provided */
    REFUSED_DUPLICATE,       /* 409 duplicate_open_authorization */
    REFUSED_STATE,           /* 409 bad_state */
    REFUSED_KEY_REUSED,      /* 409 idempotency_key_reused */
    REFUSED_NOT_APPROVED,    /* 409 credential_not_approved */
    REFUSED_OTHER_VIN,       /* 409 credential_vin_mismatch */
    REFUSED_NOT_RELEASABLE,  /* 409 not_releasable */
};

/* What was answered, kept for whoever asks again with the same key. */
struct said {
    int status;
    const char *body;     /* JSON */
    const char *location; /* of what was made; NULL: none */
};

/*
 * A change that is made once however often it is asked for. Where the key was used before for the same body, the call
 * returns 0, `replayed` is true, `said` is what was answered then, and the result is not filled in. Else the change is
 * made, and `say` gives the answer to it, inside of the transaction, on whatever thread that runs: it must not suspend.
 * NULL in place of it: nothing is kept, and nothing said.
 */
struct once {
    const char *subject, *path, *key; /* key NULL: nothing is kept, and `say` gives the answer all the same */
    uint8_t body_hash[32];            /* of the body as parsed JSON, so that forms of the same are the same */
    /* of a custody_authorization or a custody_transfer */
    int (*say)(const void *value, struct wf_arena *arena, struct said *said);
    struct said said;
    bool replayed;
};

struct filter {
    const char *vin; /* NULL: of all vehicles */
    int status;      /* enum custody_status; -1: any */
};

/* A place in the order of authorizations: newest first, then by id, downwards. No two have the same time. */
struct place {
    int64_t created_at; /* ns, as in the authorization */
    const char *id;
};

enum decision { DECIDE_APPROVE, DECIDE_REJECT, DECIDE_CANCEL };

/* An event with its number: they rise without end, and are never used twice. */
struct numbered_event {
    int64_t number;
    struct custody_event event;
};

struct storage_options {
    const char *where; /* a path, ":memory:", or later a URL */
    bool provision;    /* a VIN that nobody knows gets a vehicle, always the same one */
    bool any_type;     /* types of transfers are free texts */
    bool seed;         /* vehicles and authorizations of the examples are put in where there are none yet */
};

struct storage;

/* Opens, migrates, and fills in the seeds. The scope gets the tasks that it works by; storage_close before it ends, and
 * when no call is under way. One process at a time has it open. `*storage` is NULL after an error; storage_close takes
 * that. Errors: -EINVAL for a place that makes no sense, -EIO; with a message. */
WF_SUSPENDS int storage_open(struct wf_scope *scope, const struct storage_options *options, struct storage **storage);
WF_SUSPENDS void storage_close(struct storage *storage);

/* Does it answer? For /healthz. */
WF_SUSPENDS int storage_ping(struct storage *storage);

/* Is there such a location? Suspends: never. */
bool storage_has_location(const struct storage *storage, const char *id);

/*
 * Checks so many vehicles, and keeps the answers for storage_cached. `codes` has one for each: 0, or
 * REFUSED_UNKNOWN_VIN. VINs that are NULL are passed over.
 */
WF_SUSPENDS int storage_check(struct storage *storage, struct wf_arena *arena, const char *const *vins, size_t count,
                              struct custody_releasability *results, int *codes);

/* The answer of the last check; -ENOENT: never checked. */
WF_SUSPENDS int storage_cached(struct storage *storage, struct wf_arena *arena, const char *vin,
                               struct custody_releasability *result);

/* Up to `limit` behind `after` (NULL: from the first); more says whether there are others behind them. */
WF_SUSPENDS int storage_list(struct storage *storage, struct wf_arena *arena, const struct filter *filter,
                             const struct place *after, int limit, struct custody_page *page, bool *more);

WF_SUSPENDS int storage_authorization(struct storage *storage, struct wf_arena *arena, const char *id,
                                      struct custody_authorization *result);

WF_SUSPENDS int storage_authorize(struct storage *storage, struct wf_arena *arena,
                                  const struct custody_new_authorization *wanted, struct once *once,
                                  struct custody_authorization *result);

WF_SUSPENDS int storage_decide(struct storage *storage, struct wf_arena *arena, const char *id, enum decision decision,
                               const struct custody_decision *who, struct once *once,
                               struct custody_authorization *result);

WF_SUSPENDS int storage_state(struct storage *storage, struct wf_arena *arena, const char *vin,
                              struct custody_state *state);

WF_SUSPENDS int storage_transfer(struct storage *storage, struct wf_arena *arena,
                                 const struct custody_new_transfer *wanted, struct once *once,
                                 struct custody_transfer *result);

WF_SUSPENDS int storage_find_transfer(struct storage *storage, struct wf_arena *arena, const char *id,
                                      struct custody_transfer *result);

/* Events behind a number, of one vehicle or (NULL) of all; at most `limit`. Suspends: yes, but not until there are
 * some: that is storage_wait_news. */
WF_SUSPENDS int storage_events(struct storage *storage, struct wf_arena *arena, int64_t after, const char *vin,
                               size_t limit, struct numbered_event *events, size_t *count);

/* The number of the last event. Suspends: never. */
int64_t storage_last_event(const struct storage *storage);

/* Waits until there is an event behind that number. On cancel: nothing is lost. */
WF_SUSPENDS int storage_wait_news(struct storage *storage, int64_t after);

/* What the live page shows: vehicles that were checked last, newest first; fifty at most. */
WF_SUSPENDS int storage_checked(struct storage *storage, struct wf_arena *arena, int limit,
                                struct custody_releasability *results, size_t *count);

#endif
