/* The world of the sandbox: each VIN's vehicle by a hash of the VIN, and what the examples speak of. */
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <weft/time.h>

const struct location world_locations[] = {
    {"LOC-AUCTION-ADESA-BOSTON", "ADESA"},         {"LOC-AUCTION-ADESA-CHICAGO", "ADESA"},
    {"LOC-AUCTION-ADESA-GOLDENGATE", "ADESA"},     {"LOC-AUCTION-MANHEIM-ATLANTA", "MANHEIM"},
    {"LOC-AUCTION-MANHEIM-DALLAS", "MANHEIM"},     {"LOC-AUCTION-MANHEIM-DENVER", "MANHEIM"},
    {"LOC-AUCTION-MANHEIM-DETROIT", "MANHEIM"},    {"LOC-AUCTION-MANHEIM-ORLANDO", "MANHEIM"},
    {"LOC-AUCTION-MANHEIM-PHOENIX", "MANHEIM"},    {"LOC-AUCTION-MANHEIM-SEATTLE", "MANHEIM"},
    {"LOC-DEALER-AUTONATION-MIAMI", "AUTONATION"}, {"LOC-DEALER-CARMAX-RICHMOND", "CARMAX"},
    {"LOC-DEALER-LITHIA-MEDFORD", "LITHIA"},       {"LOC-DEALER-PENSKE-BLOOMFIELD", "PENSKE"},
    {"LOC-PORT-WALLENIUS-BRUNSWICK", "WALLENIUS"}, {"LOC-RAIL-UNIONPACIFIC-KANSASCITY", "UNIONPACIFIC"},
    {"LOC-YARD-COPART-HOUSTON", "COPART"},         {"LOC-YARD-IAA-TAMPA", "IAA"},
};
const size_t world_location_count = WF_COUNT(world_locations);

const char *const world_vins[] = {"9HGBH41JXMN999999", "1HGCM82633A123456", "2HGCM82633A789012", NULL};

/* ---- Vehicles ---- */

static const struct custody_blocker blockers[] = {
    {.code = "TITLE_HOLD", .message = "The title has not been released."},
    {.code = "LIEN_ACTIVE", .message = "A lender holds a lien on the vehicle."},
    {.code = "PAYMENT_PENDING", .message = "The payment has not arrived."},
    {.code = "ARBITRATION_OPEN", .message = "An arbitration about the vehicle is open."},
    {.code = "NO_AUTHORIZATION", .message = "The owner has not allowed any release."},
    {.code = "LEGAL_HOLD", .message = "A court or an authority holds the vehicle."},
    {.code = "RECALL_STOP", .message = "A recall forbids to drive or sell it."},
};

/* FNV-1a, and the end of MurmurHash3, so that the last character counts in every bit. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (; *text != '\0'; text++) hash = (hash ^ (uint8_t)*text) * 0x100000001b3;
    hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
    hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
    return hash ^ (hash >> 33);
}

/* The hash in use: each take leaves what is behind it. */
static size_t take(uint64_t *hash, size_t below)
{
    size_t taken = (size_t)(*hash % below);
    *hash /= below;
    return taken;
}

/* A second of the year 2024. */
static int64_t moment(uint64_t *hash)
{
    return WF_SECONDS(INT64_C(1704067200)) + WF_SECONDS((int64_t)take(hash, 366 * 24 * 3600));
}

static void block(struct world_vehicle *vehicle, size_t which, int64_t since)
{
    struct custody_blocker *blocker = &vehicle->blockers[vehicle->blocker_count++];
    *blocker = blockers[which];
    blocker->since = since;
}

void world_vehicle(const char *vin, struct world_vehicle *vehicle)
{
    uint64_t hash = hash_of(vin), of_blockers = hash_of(vin + 1);
    *vehicle = (struct world_vehicle){.blocker_count = 0};
    bool held = take(&hash, 5) == 0;
    vehicle->location = &world_locations[take(&hash, world_location_count)];
    vehicle->since = moment(&hash);
    if (strcmp(vin, world_vins[0]) == 0 || strcmp(vin, world_vins[2]) == 0) return;
    int64_t since = moment(&of_blockers);
    if (strcmp(vin, world_vins[1]) == 0) return block(vehicle, 0, since);
    if (!held) return;
    size_t which = take(&of_blockers, WF_COUNT(blockers));
    block(vehicle, which, since);
    if (take(&of_blockers, 4) == 0)
        block(vehicle, (which + 1 + take(&of_blockers, WF_COUNT(blockers) - 1)) % WF_COUNT(blockers),
              moment(&of_blockers));
}

/* ---- Ids ---- */

/* The factor has no divisor in common with 100,000,000, so that no id comes twice. */
const char *world_id(const char *prefix, int64_t number, char id[WORLD_ID_SIZE])
{
    int64_t scattered = (12345678 + (number - 1) * INT64_C(38196601)) % 100000000;
    snprintf(id, WORLD_ID_SIZE, "%s-%08" PRId64, prefix, scattered);
    return id;
}

/* ---- Authorizations ---- */

/* Of the 120 for the first vehicle: how many there are of each, the oldest first. Those that have expired were made
 * more than three days before. */
static const struct seeded {
    int count, status;
    int64_t age; /* of the first of them; the others follow by the minute */
} seeded[] = {
    {8, CUSTODY_EXPIRED, WF_MINUTES(100 * 60)},  {12, CUSTODY_CANCELLED, WF_MINUTES(50 * 60)},
    {12, CUSTODY_REJECTED, WF_MINUTES(40 * 60)}, {16, CUSTODY_USED, WF_MINUTES(30 * 60)},
    {20, CUSTODY_APPROVED, WF_MINUTES(20 * 60)}, {52, CUSTODY_PENDING, WF_MINUTES(2 * 60)},
};

static int64_t age_of(int index, int *status)
{
    const struct seeded *some = seeded;
    for (; index >= some->count; some++) index -= some->count;
    *status = some->status;
    return some->age - WF_MINUTES(index);
}

void world_authorization(int number, int64_t now, struct world_room *room, struct custody_authorization *authorization)
{
    int status = CUSTODY_APPROVED;
    int64_t age = number == 1 ? WF_MINUTES(60) : age_of(number - 2, &status);
    int64_t decided = status == CUSTODY_PENDING ? 0 : WF_MINUTES(status == CUSTODY_EXPIRED ? 72 * 60 : 5);
    int64_t created = now - now % 1000 - age;
    snprintf(room->person, sizeof room->person, "person-%06d", number);
    *authorization = (struct custody_authorization){
        .authorization_id = world_id("AUTH", number, room->id),
        .vin = world_vins[number == 1 ? 2 : 0],
        .status = status,
        .origin = "LOC-AUCTION-MANHEIM-ATLANTA",
        .destination = "LOC-DEALER-CARMAX-RICHMOND",
        .person_identity_key = room->person,
        .authorized_by = "api-integration",
        .make_model = "Unknown",
        .created_at = created,
        .updated_at = created + decided,
        .expires_at = created + WF_MINUTES(72 * 60),
    };
}
