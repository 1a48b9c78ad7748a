/* What is there before anybody asks: locations, a vehicle for every VIN, and the authorizations of the examples. The
 * same in every database, and on every day. Nothing here suspends. Threads: any. */
#ifndef CUSTODY_WORLD_H
#define CUSTODY_WORLD_H

#include <custody/types.h>

/* LOC-<kind>-<owner>-<city> */
struct location {
    const char *id, *owner;
};
extern const struct location world_locations[];
extern const size_t world_location_count;

enum { WORLD_BLOCKERS_MAX = 2 };

/* The vehicle that a VIN has where nobody said anything else. */
struct world_vehicle {
    const struct location *location; /* and its owner has it */
    int64_t since;                   /* ns since 1970 */
    struct custody_blocker blockers[WORLD_BLOCKERS_MAX];
    size_t blocker_count; /* of one in five about, more than none */
};
void world_vehicle(const char *vin, struct world_vehicle *vehicle);

/* Vehicles of the examples: NULL behind the last. */
extern const char *const world_vins[];

/* ---- Numbers, and the ids that they have ---- */

enum {
    WORLD_AUTHORIZATIONS = 121, /* have the numbers from 1 */
    WORLD_NUMBERS_MAX = 1000,   /* are the world's; those behind them are given to what is made */
    WORLD_ID_SIZE = 16,
};

/* "AUTH-12345678" of number 1, and so on: each number below 100,000,000 has an id of its own, and two that follow each
 * other have ids that do not. */
const char *world_id(const char *prefix, int64_t number, char id[WORLD_ID_SIZE]);

/* The authorization of a number, as it is at `now`; texts that are not literals are in the room. */
struct world_room {
    char id[WORLD_ID_SIZE], person[32];
};
void world_authorization(int number, int64_t now, struct world_room *room, struct custody_authorization *authorization);

#endif
