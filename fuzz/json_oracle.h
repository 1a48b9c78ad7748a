/* Another reader of JSON, to be held against ours. */
#ifndef FUZZ_JSON_ORACLE_H
#define FUZZ_JSON_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <weft/json.h>

/* False: there is no other reader here. `tree` is NULL where it refuses the text. */
bool oracle_read(const void *bytes, size_t size, void **tree);
void oracle_free(void *tree);

enum wf_json_kind oracle_kind(const void *tree);
bool oracle_is_true(const void *tree);
bool oracle_is_number(const void *tree, double value);
bool oracle_is_text(const void *tree, const char *text, size_t size);
size_t oracle_count(const void *tree);
const void *oracle_item(const void *tree, size_t index);
const void *oracle_member(const void *tree, const char *key, size_t size);

#endif
