/* The other reader is jansson. */
#include <jansson.h>
#include <string.h>

#include "json_oracle.h"

bool oracle_read(const void *bytes, size_t size, void **tree)
{
    json_error_t error;
    *tree = json_loadb(bytes, size, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
    return true;
}

void oracle_free(void *tree)
{
    json_decref(tree);
}

enum wf_json_kind oracle_kind(const void *tree)
{
    static const enum wf_json_kind kinds[] = {
        [JSON_OBJECT] = WF_JSON_OBJECT,  [JSON_ARRAY] = WF_JSON_ARRAY, [JSON_STRING] = WF_JSON_STRING,
        [JSON_INTEGER] = WF_JSON_NUMBER, [JSON_REAL] = WF_JSON_NUMBER, [JSON_TRUE] = WF_JSON_BOOL,
        [JSON_FALSE] = WF_JSON_BOOL,     [JSON_NULL] = WF_JSON_NULL,
    };
    return kinds[json_typeof((const json_t *)tree)];
}

bool oracle_is_true(const void *tree)
{
    return json_is_true((const json_t *)tree);
}

bool oracle_is_number(const void *tree, double value)
{
    double own = json_real_value(tree);
    return memcmp(&own, &value, sizeof own) == 0;
}

bool oracle_is_text(const void *tree, const char *text, size_t size)
{
    return json_string_length(tree) == size && memcmp(json_string_value(tree), text, size) == 0;
}

size_t oracle_count(const void *tree)
{
    return json_is_array((const json_t *)tree) ? json_array_size(tree) : json_object_size(tree);
}

const void *oracle_item(const void *tree, size_t index)
{
    return json_array_get(tree, index);
}

const void *oracle_member(const void *tree, const char *key, size_t size)
{
    return json_object_getn(tree, key, size);
}
