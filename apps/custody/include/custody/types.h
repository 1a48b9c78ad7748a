/*
 * What the custody service and its clients say to each other: one declaration of each value, from which both sides have
 * the struct, its checks, its JSON and its schema (weft/model.h).
 *
 * Texts live in the arena that the value was read into. Times are ns since 1970 in UTC, and travel as RFC 3339 with six
 * digits of a second. `has.NAME` says whether a value that may be null is there.
 */
#ifndef CUSTODY_TYPES_H
#define CUSTODY_TYPES_H

#include <weft/model.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    CUSTODY_VIN_MAX = 17,    /* characters of a VIN */
    CUSTODY_BATCH_MAX = 500, /* VINs of one batch */
    CUSTODY_LIMIT_MAX = 200, /* authorizations of one page */
    CUSTODY_TEXT_MAX = 200,  /* characters of a text of an authorization */
};

/* ---- Releasability ---- */

/* Why a vehicle is held. Codes: TITLE_HOLD, LIEN_ACTIVE, PAYMENT_PENDING, ARBITRATION_OPEN, NO_AUTHORIZATION,
 * LEGAL_HOLD, RECALL_STOP; others may come. */
#define CUSTODY_BLOCKER_MEMBERS(M)                                                                                     \
    M(STRING, code, .example = "TITLE_HOLD")                                                                           \
    M(STRING, message)                                                                                                 \
    M(DATE_TIME, since, .digits = 6)
WF_MODEL_DECLARE(custody_blocker, CUSTODY_BLOCKER_MEMBERS)

/* is_releasable is true exactly when there are no blockers. */
#define CUSTODY_RELEASABILITY_MEMBERS(M)                                                                               \
    M(STRING, vin, .example = "9HGBH41JXMN999999")                                                                     \
    M(BOOL, is_releasable)                                                                                             \
    M(LIST(MODEL(custody_blocker)), blockers)                                                                          \
    M(DATE_TIME, checked_at, .digits = 6)                                                                              \
    M(BOOL, cached, .description = "the answer of an earlier check")                                                   \
    M(DOUBLE, age_s, .min = 0, .description = "seconds since the check")
WF_MODEL_DECLARE(custody_releasability, CUSTODY_RELEASABILITY_MEMBERS)

/* ---- Authorizations ---- */

/* PENDING -> APPROVED -> USED; PENDING -> REJECTED, CANCELLED, EXPIRED; APPROVED -> CANCELLED, EXPIRED. */
enum custody_status {
    CUSTODY_PENDING,
    CUSTODY_APPROVED,
    CUSTODY_USED,
    CUSTODY_REJECTED,
    CUSTODY_CANCELLED,
    CUSTODY_EXPIRED,
};
#define CUSTODY_STATUSES WF_VALUES("PENDING", "APPROVED", "USED", "REJECTED", "CANCELLED", "EXPIRED")

#define CUSTODY_AUTHORIZATION_MEMBERS(M)                                                                               \
    M(STRING, authorization_id, .example = "AUTH-12345678")                                                            \
    M(STRING, vin)                                                                                                     \
    M(ENUM, status, .values = CUSTODY_STATUSES)                                                                        \
    M(STRING, origin)                                                                                                  \
    M(STRING, destination)                                                                                             \
    M(STRING, person_identity_key)                                                                                     \
    M(STRING, authorized_by)                                                                                           \
    M(STRING, make_model)                                                                                              \
    M(DATE_TIME, created_at, .digits = 6)                                                                              \
    M(DATE_TIME, updated_at, .digits = 6)                                                                              \
    M(DATE_TIME, expires_at, .digits = 6)
WF_MODEL_DECLARE(custody_authorization, CUSTODY_AUTHORIZATION_MEMBERS)

/* Newest first. next_cursor is null on the last page. */
#define CUSTODY_PAGE_MEMBERS(M)                                                                                        \
    M(LIST(MODEL(custody_authorization)), authorizations)                                                              \
    M(INT64, total_count, .min = 0)                                                                                    \
    M(STRING, next_cursor, .optional = true, .nullable = true)
WF_MODEL_DECLARE(custody_page, CUSTODY_PAGE_MEMBERS)

/* What an authorization is asked for with. */
#define CUSTODY_NEW_AUTHORIZATION_MEMBERS(M)                                                                           \
    M(STRING, vin)                                                                                                     \
    M(STRING, origin, .min = 1, .max = CUSTODY_TEXT_MAX)                                                               \
    M(STRING, destination, .min = 1, .max = CUSTODY_TEXT_MAX)                                                          \
    M(STRING, person_identity_key, .min = 1, .max = CUSTODY_TEXT_MAX)                                                  \
    M(STRING, authorized_by, .min = 1, .max = CUSTODY_TEXT_MAX)                                                        \
    M(STRING, make_model, .min = 1, .max = CUSTODY_TEXT_MAX)
WF_MODEL_DECLARE(custody_new_authorization, CUSTODY_NEW_AUTHORIZATION_MEMBERS)

/* Who approves, rejects or cancels one, and perhaps why. */
#define CUSTODY_DECISION_MEMBERS(M)                                                                                    \
    M(STRING, by, .min = 1, .max = CUSTODY_TEXT_MAX)                                                                   \
    M(STRING, reason, .optional = true, .max = CUSTODY_TEXT_MAX)
WF_MODEL_DECLARE(custody_decision, CUSTODY_DECISION_MEMBERS)

/* ---- Transfers ---- */

enum custody_transfer_state { CUSTODY_QUEUED, CUSTODY_COMPLETED, CUSTODY_FAILED };

#define CUSTODY_TRANSFER_MEMBERS(M)                                                                                    \
    M(STRING, transfer_id, .example = "TRF-00000001")                                                                  \
    M(STRING, vin)                                                                                                     \
    M(STRING, transfer_type, .example = "GATE_OUT")                                                                    \
    M(STRING, credential_id, .example = "AUTH-12345678")                                                               \
    M(STRING, location_id, .example = "LOC-AUCTION-MANHEIM-ATLANTA")                                                   \
    M(STRING, from_custodian)                                                                                          \
    M(STRING, to_custodian)                                                                                            \
    M(ENUM, status, .values = WF_VALUES("QUEUED", "COMPLETED", "FAILED"))                                              \
    M(DATE_TIME, created_at, .digits = 6)                                                                              \
    M(DATE_TIME, completed_at, .optional = true, .nullable = true, .digits = 6)
WF_MODEL_DECLARE(custody_transfer, CUSTODY_TRANSFER_MEMBERS)

/* `async`: accepted now (202, QUEUED), completed within ten seconds. */
#define CUSTODY_NEW_TRANSFER_MEMBERS(M)                                                                                \
    M(STRING, vin)                                                                                                     \
    M(STRING, transfer_type)                                                                                           \
    M(STRING, credential_id)                                                                                           \
    M(STRING, location_id)                                                                                             \
    M(BOOL, async, .optional = true)
WF_MODEL_DECLARE(custody_new_transfer, CUSTODY_NEW_TRANSFER_MEMBERS)

/* Who has a vehicle, and where. */
#define CUSTODY_STATE_MEMBERS(M)                                                                                       \
    M(STRING, vin)                                                                                                     \
    M(STRING, current_custodian)                                                                                       \
    M(STRING, current_location)                                                                                        \
    M(DATE_TIME, since, .digits = 6)                                                                                   \
    M(STRING, last_transfer_id, .optional = true, .nullable = true)                                                    \
    M(INT64, pending_authorizations, .min = 0)
WF_MODEL_DECLARE(custody_state, CUSTODY_STATE_MEMBERS)

/* ---- Events, errors ---- */

/* The data of an event: its type ("custody.transferred", "authorization.created", ...) and what it is about. */
#define CUSTODY_EVENT_MEMBERS(M)                                                                                       \
    M(STRING, type)                                                                                                    \
    M(STRING, vin)                                                                                                     \
    M(DATE_TIME, at, .digits = 6)                                                                                      \
    M(STRING, subject_id)
WF_MODEL_DECLARE(custody_event, CUSTODY_EVENT_MEMBERS)

#define CUSTODY_ERROR_FIELD_MEMBERS(M) M(STRING, loc, .example = "body.origin") M(STRING, msg)
WF_MODEL_DECLARE(custody_error_field, CUSTODY_ERROR_FIELD_MEMBERS)

#define CUSTODY_ERROR_DETAIL_MEMBERS(M)                                                                                \
    M(STRING, code, .example = "invalid_vin")                                                                          \
    M(STRING, message)                                                                                                 \
    M(LIST(MODEL(custody_error_field)), fields)                                                                        \
    M(STRING, request_id)
WF_MODEL_DECLARE(custody_error_detail, CUSTODY_ERROR_DETAIL_MEMBERS)

#define CUSTODY_ERROR_BODY_MEMBERS(M) M(MODEL(custody_error_detail), error)
WF_MODEL_DECLARE(custody_error_body, CUSTODY_ERROR_BODY_MEMBERS)

/* ---- A batch of checks ---- */

#define CUSTODY_BATCH_ERROR_MEMBERS(M) M(STRING, code) M(STRING, message)
WF_MODEL_DECLARE(custody_batch_error, CUSTODY_BATCH_ERROR_MEMBERS)

/* One of `result` and `error` is there, as `ok` says; vin is as it was sent. */
#define CUSTODY_BATCH_ROW_MEMBERS(M)                                                                                   \
    M(STRING, vin)                                                                                                     \
    M(BOOL, ok)                                                                                                        \
    M(MODEL(custody_releasability), result, .optional = true)                                                          \
    M(MODEL(custody_batch_error), error, .optional = true)
WF_MODEL_DECLARE(custody_batch_row, CUSTODY_BATCH_ROW_MEMBERS)

#define CUSTODY_BATCH_MEMBERS(M) M(LIST(STRING), vins, .min = 1, .max = CUSTODY_BATCH_MAX)
WF_MODEL_DECLARE(custody_batch, CUSTODY_BATCH_MEMBERS)

#define CUSTODY_BATCH_ANSWER_MEMBERS(M) M(LIST(MODEL(custody_batch_row)), results)
WF_MODEL_DECLARE(custody_batch_answer, CUSTODY_BATCH_ANSWER_MEMBERS)

/* ---- Vehicle identification numbers ---- */

/* Which texts are VINs. `lenient`: 11 to 17 letters and digits, as before 1981. `iso3779`: 17, without I, O and Q.
 * `checkdigit`: these whose ninth is the check digit of North America (49 CFR 565.15), too. */
enum custody_vin_policy { CUSTODY_VIN_LENIENT, CUSTODY_VIN_ISO3779, CUSTODY_VIN_CHECKDIGIT };

/*
 * Is the text a VIN? Writes it with capital letters; nothing is trimmed. Returns NULL where it is, else what is wrong
 * with it, in a few static words. Suspends: never. Threads: any.
 */
const char *custody_vin_normalize(enum custody_vin_policy policy, const char *text, char vin[CUSTODY_VIN_MAX + 1]);

/* "lenient", "iso3779", "checkdigit"; -1: none of them. Suspends: never. */
int custody_vin_policy_of(const char *name);

#ifdef __cplusplus
}
#endif
#endif
