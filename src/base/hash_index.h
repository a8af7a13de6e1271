/* Places by 64-bit hashes, for a number of entries that is known beforehand: only making the index
 * can fail. */
#ifndef LPOT_BASE_HASH_INDEX_H
#define LPOT_BASE_HASH_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct lpot_hash_index lpot_hash_index;

LPOT_MUST_CHECK lpot_status lpot_hash_index_new(size_t capacity, lpot_hash_index **ret_index,
                                                lpot_error *err);
void lpot_hash_index_free(lpot_hash_index *index); /* NULL is allowed */
/* Enters a place below SIZE_MAX. A hash that is there keeps its place; what comes after capacity
 * hashes is ignored. */
void lpot_hash_index_put(lpot_hash_index *index, uint64_t hash, size_t place);
/* SIZE_MAX when the hash is not there. */
size_t lpot_hash_index_get(const lpot_hash_index *index, uint64_t hash);

#endif
