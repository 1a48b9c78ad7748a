/*
 * Linear hashing (W. Litwin, "Linear Hashing: A New Tool for File and Table Addressing", 1980): with each node that
 * comes the next bucket in turn is divided in two, so that no insertion has to move all the others.
 */
#include "base/memory.h"
#include "flow/cache.h"

enum { BUCKETS_FIRST = 16 };

int table_init(struct table *table)
{
    struct node **buckets = memory_zero(BUCKETS_FIRST * sizeof(struct node *));
    if (buckets == NULL) return -ENOMEM;
    *table = (struct table){buckets, .bucket_count = BUCKETS_FIRST, .room = BUCKETS_FIRST, .mask = BUCKETS_FIRST - 1};
    return 0;
}

void table_finish(struct table *table)
{
    memory_free(table->buckets);
}

static bool has_room(struct table *table)
{
    if (table->bucket_count < table->room) return true;
    struct node **buckets = memory_resize(table->buckets, 2 * table->room * sizeof(struct node *));
    if (buckets == NULL) return false;
    table->buckets = buckets;
    table->room *= 2;
    return true;
}

/* Without memory for more buckets the chains grow longer. */
static void divide_a_bucket(struct table *table)
{
    if (!has_room(table)) return;
    size_t added = table->bucket_count++;
    if (added > table->mask) table->mask = 2 * table->mask + 1;
    struct node **link = &table->buckets[added & table->mask >> 1], **other = &table->buckets[added];
    *other = NULL;
    while (*link != NULL) {
        struct node *node = *link;
        if ((node->hash & table->mask) == added) {
            *link = node->next;
            node->next = *other;
            *other = node;
        } else {
            link = &node->next;
        }
    }
}

void table_add(struct table *table, struct node *node)
{
    if (++table->count > table->bucket_count) divide_a_bucket(table);
    struct node **bucket = table_bucket(table, node->hash);
    node->next = *bucket;
    *bucket = node;
}

void table_remove(struct table *table, struct node *node)
{
    struct node **link = table_bucket(table, node->hash);
    while (*link != node) link = &(*link)->next;
    *link = node->next;
    table->count--;
}
