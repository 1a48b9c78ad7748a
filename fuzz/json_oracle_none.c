/* No other reader is installed. */
#include "json_oracle.h"

bool oracle_read(const void *bytes, size_t size, void **tree)
{
    (void)bytes, (void)size;
    *tree = NULL;
    return false;
}

void oracle_free(void *tree)
{
    (void)tree;
}

enum wf_json_kind oracle_kind(const void *tree)
{
    (void)tree;
    return WF_JSON_END;
}

bool oracle_is_true(const void *tree)
{
    return tree != NULL;
}

bool oracle_is_number(const void *tree, double value)
{
    (void)value;
    return tree != NULL;
}

bool oracle_is_text(const void *tree, const char *text, size_t size)
{
    (void)text, (void)size;
    return tree != NULL;
}

size_t oracle_count(const void *tree)
{
    (void)tree;
    return 0;
}

const void *oracle_item(const void *tree, size_t index)
{
    (void)index;
    return tree;
}

const void *oracle_member(const void *tree, const char *key, size_t size)
{
    (void)key, (void)size;
    return tree;
}
