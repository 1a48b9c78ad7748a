/* A world of connections for the tests of pools: it knows which are open, who uses them, and what goes wrong. */
#ifndef TESTS_FLOW_CONNECTIONS_H
#define TESTS_FLOW_CONNECTIONS_H

#include <weft/testing.h>
#include <weft/weft.h>

enum { CONNECTIONS_MAX = 4000 };

struct connection {
    int id;
    bool open, sick, dirty, used;
};

struct world {
    struct wf_pool *pool;
    struct connection connections[CONNECTIONS_MAX];
    int made, closed;
    int exist, exist_peak; /* those being opened, too */
    int fail_opens;        /* so many of the next ones fail */
    int fail_every;        /* and of all the others, each so-and-so-many-th; 0: none */
    int opens, checks, resets;
    int64_t open_takes, check_takes, reset_takes;
    bool reset_fails;
    int order[16], ordered;
};

static inline int fail_open(struct world *world)
{
    world->exist--;
    return wf_fail(-ECONNREFUSED, "nobody listens");
}

static inline int open_connection(void *context, void **resource)
{
    struct world *world = context;
    int number = ++world->opens;
    if (++world->exist > world->exist_peak) world->exist_peak = world->exist;
    int rc = world->open_takes > 0 ? wf_sleep(world->open_takes) : 0;
    if (rc < 0) {
        world->exist--;
        return rc;
    }
    if (world->fail_opens > 0) {
        world->fail_opens--;
        return fail_open(world);
    }
    if (world->fail_every > 0 && number % world->fail_every == 0) return fail_open(world);
    if (world->made == CONNECTIONS_MAX) return fail_open(world);
    struct connection *connection = &world->connections[world->made];
    *connection = (struct connection){.id = ++world->made, .open = true};
    *resource = connection;
    return 0;
}

static inline void close_connection(void *context, void *resource)
{
    struct world *world = context;
    struct connection *connection = resource;
    WF_INVARIANT(connection->open);
    connection->open = false;
    world->exist--;
    world->closed++;
}

static inline int check_connection(void *context, void *resource)
{
    struct world *world = context;
    const struct connection *connection = resource;
    world->checks++;
    WF_INVARIANT(connection->open && !connection->used);
    int rc = world->check_takes > 0 ? wf_sleep(world->check_takes) : 0;
    return rc == 0 && connection->sick ? -EPIPE : rc;
}

static inline int reset_connection(void *context, void *resource)
{
    struct world *world = context;
    struct connection *connection = resource;
    world->resets++;
    WF_INVARIANT(connection->open && !connection->used);
    int rc = world->reset_takes > 0 ? wf_sleep(world->reset_takes) : 0;
    if (rc == 0 && world->reset_fails) rc = -EIO;
    if (rc == 0) connection->dirty = false;
    return rc;
}

/* It is the borrower's alone, open and clean. */
static inline struct connection *begin_use(const struct wf_lease *lease)
{
    struct connection *connection = lease->resource;
    WF_INVARIANT(connection->open && !connection->used && !connection->dirty);
    connection->used = true;
    return connection;
}

static inline void end_use(struct connection *connection)
{
    connection->used = false;
}

static inline int use(const struct wf_lease *lease, int64_t duration)
{
    struct connection *connection = begin_use(lease);
    int rc = duration > 0 ? wf_sleep(duration) : 0;
    end_use(connection);
    return rc;
}

static inline struct wf_pool_statistics statistics_of(const struct world *world)
{
    struct wf_pool_statistics statistics;
    wf_pool_statistics(world->pool, &statistics);
    return statistics;
}

/* Nothing may be left over, whatever happened. */
static inline void end_world(struct world *world)
{
    wf_pool_destroy(world->pool);
    WF_INVARIANT(world->exist == 0);
    WF_INVARIANT(world->closed == world->made);
}

#define CONNECTIONS(world) .open = open_connection, .close = close_connection, .context = (world)

/* Runs `int body(struct world *)` with a pool in a scope of its own. */
#define IN_POOL(world, body, ...)                                                                                      \
    do {                                                                                                               \
        WF_SCOPE(pool_scope);                                                                                          \
        int pool_rc = wf_pool_create(&(world)->pool, &pool_scope, CONNECTIONS(world), __VA_ARGS__);                    \
        if (pool_rc == 0) pool_rc = body(world);                                                                       \
        WF_EXPECT_CODE(wf_scope_end(&pool_scope, pool_rc), 0);                                                         \
        end_world(world);                                                                                              \
    } while (0)

#endif
