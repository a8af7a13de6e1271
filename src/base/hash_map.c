#include "base/hash_map.h"

#include <string.h>

#include "base/checksum.h"
#include "base/memory.h"

#define FIRST_CAPACITY 16

typedef struct map_slot {
  char *key; /* owned; NULL while the slot is free */
  uint64_t hash;
  int64_t value;
} map_slot;

/* Open addressing with linear probing; at most three slots in four are taken. */
struct lpot_hash_map {
  map_slot *slots; /* [capacity], owned */
  size_t capacity; /* a power of two, 0 while empty */
  size_t count;
};

lpot_status lpot_hash_map_new(lpot_hash_map **ret_map, lpot_error *err) {
  lpot_hash_map *map = lpot_calloc(1, sizeof *map);
  if (map == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *ret_map = map;
  return LPOT_OK;
}

void lpot_hash_map_free(lpot_hash_map *map) {
  if (map == NULL) {
    return;
  }
  for (size_t i = 0; i < map->capacity; i++) {
    lpot_free(map->slots[i].key);
  }
  lpot_free(map->slots);
  lpot_free(map);
}

/* The slot that holds key, or the free one where it belongs. There is always a free slot. */
static map_slot *find_slot(map_slot *slots, size_t capacity, const char *key, uint64_t hash) {
  size_t mask = capacity - 1;
  size_t i = (size_t)hash & mask;
  while (slots[i].key != NULL) {
    if (slots[i].hash == hash && strcmp(slots[i].key, key) == 0) {
      break;
    }
    i = (i + 1) & mask;
  }
  return &slots[i];
}

static lpot_status grow(lpot_hash_map *map, lpot_error *err) {
  size_t capacity = map->capacity == 0 ? FIRST_CAPACITY : map->capacity * 2;
  map_slot *slots = lpot_calloc(capacity, sizeof *slots);
  if (slots == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < map->capacity; i++) {
    const map_slot *old = &map->slots[i];
    if (old->key != NULL) {
      *find_slot(slots, capacity, old->key, old->hash) = *old;
    }
  }
  lpot_free(map->slots);
  map->slots = slots;
  map->capacity = capacity;
  return LPOT_OK;
}

lpot_status lpot_hash_map_put(lpot_hash_map *map, const char *key, int64_t value, lpot_error *err) {
  if (map->count + 1 > map->capacity / 4 * 3) {
    LPOT_TRY(grow(map, err));
  }
  size_t length = strlen(key);
  uint64_t hash = lpot_hash64(key, length, 0);
  map_slot *slot = find_slot(map->slots, map->capacity, key, hash);
  if (slot->key != NULL) {
    slot->value = value;
    return LPOT_OK;
  }
  char *copy = lpot_calloc(length + 1, 1);
  if (copy == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  memcpy(copy, key, length);
  *slot = (map_slot){.key = copy, .hash = hash, .value = value};
  map->count++;
  return LPOT_OK;
}

bool lpot_hash_map_get(const lpot_hash_map *map, const char *key, int64_t *ret_value) {
  if (map->count == 0) {
    return false;
  }
  uint64_t hash = lpot_hash64(key, strlen(key), 0);
  const map_slot *slot = find_slot(map->slots, map->capacity, key, hash);
  if (slot->key == NULL) {
    return false;
  }
  *ret_value = slot->value;
  return true;
}

size_t lpot_hash_map_count(const lpot_hash_map *map) {
  return map->count;
}
