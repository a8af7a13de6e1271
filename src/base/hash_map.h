/* Hash map from strings to int64 values. Keys are copied. */
#ifndef LPOT_BASE_HASH_MAP_H
#define LPOT_BASE_HASH_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct lpot_hash_map lpot_hash_map;

LPOT_MUST_CHECK lpot_status lpot_hash_map_new(lpot_hash_map **ret_map, lpot_error *err);
void lpot_hash_map_free(lpot_hash_map *map);
/* Inserts or overwrites. */
LPOT_MUST_CHECK lpot_status lpot_hash_map_put(lpot_hash_map *map, const char *key, int64_t value,
                                              lpot_error *err);
bool lpot_hash_map_get(const lpot_hash_map *map, const char *key, int64_t *ret_value);
size_t lpot_hash_map_count(const lpot_hash_map *map);

#endif
