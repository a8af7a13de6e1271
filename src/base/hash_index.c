#include "base/hash_index.h"

#include "base/memory.h"
#include "base/size.h"

typedef struct index_slot {
  uint64_t hash;
  size_t next_place; /* place + 1; 0: the slot is free */
} index_slot;

/* Open addressing with linear probing; at most one slot in two is taken. */
struct lpot_hash_index {
  size_t mask; /* number of slots - 1 */
  size_t capacity, count;
  index_slot *slots;
};

lpot_status lpot_hash_index_new(size_t capacity, lpot_hash_index **ret_index, lpot_error *err) {
  size_t wanted = 0;
  size_t num_slots = 2;
  LPOT_TRY(lpot_size_mul(capacity, 2, &wanted, err));
  while (num_slots < wanted) {
    LPOT_TRY(lpot_size_mul(num_slots, 2, &num_slots, err));
  }
  lpot_hash_index *index = lpot_calloc(1, sizeof *index);
  if (index == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  index->mask = num_slots - 1;
  index->capacity = capacity;
  index->slots = lpot_calloc(num_slots, sizeof *index->slots);
  if (index->slots == NULL) {
    lpot_hash_index_free(index);
    return LPOT_OUT_OF_MEMORY(err);
  }
  *ret_index = index;
  return LPOT_OK;
}

void lpot_hash_index_free(lpot_hash_index *index) {
  if (index == NULL) {
    return;
  }
  lpot_free(index->slots);
  lpot_free(index);
}

/* The slot of a hash, or the free one where it belongs. There is always a free slot. */
static size_t find_slot(const lpot_hash_index *index, uint64_t hash) {
  size_t slot = (size_t)(hash ^ hash >> 32) & index->mask;
  while (index->slots[slot].next_place != 0 && index->slots[slot].hash != hash) {
    slot = (slot + 1) & index->mask;
  }
  return slot;
}

void lpot_hash_index_put(lpot_hash_index *index, uint64_t hash, size_t place) {
  index_slot *slot = &index->slots[find_slot(index, hash)];
  if (slot->next_place == 0 && index->count < index->capacity) {
    *slot = (index_slot){.hash = hash, .next_place = place + 1};
    index->count++;
  }
}

size_t lpot_hash_index_get(const lpot_hash_index *index, uint64_t hash) {
  /* A free slot's 0 becomes SIZE_MAX. */
  return index->slots[find_slot(index, hash)].next_place - 1;
}
