#include "base/mapping_index.h"

#include <stdatomic.h>
#include <stdbool.h>

#define FILE_BITS 32

static uint64_t joined(pid_t process, int file) {
  return (uint64_t)(uint32_t)process << FILE_BITS | (uint32_t)file;
}

static pid_t process_of(uint64_t both) {
  return (pid_t)(both >> FILE_BITS);
}

static size_t bucket_of(uint64_t key) {
  return (size_t)(key % LPOT_MAPPING_INDEX_BUCKETS);
}

/* How well a place suits, 0 best: its own, a free one, one of the same key, any. */
static int rank_of(const lpot_mapping_place *place, uint64_t key, pid_t process) {
  uint64_t found = atomic_load(&place->key);
  if (found == key) {
    return process_of(atomic_load(&place->process_and_file)) == process ? 0 : 2;
  }
  return found == 0 ? 1 : 3;
}

void lpot_mapping_index_put(lpot_mapping_index *index, uint64_t key, pid_t process, int file) {
  lpot_mapping_place *bucket = index->places[bucket_of(key)];
  size_t start = (size_t)process % LPOT_MAPPING_INDEX_PLACES; /* not always the same is forgotten */
  lpot_mapping_place *best = NULL;
  int best_rank = 4;
  for (size_t i = 0; i < LPOT_MAPPING_INDEX_PLACES; i++) {
    lpot_mapping_place *place = &bucket[(start + i) % LPOT_MAPPING_INDEX_PLACES];
    int rank = rank_of(place, key, process);
    if (rank < best_rank) {
      best = place;
      best_rank = rank;
    }
  }
  /* Two that write to one place at once may leave a key with another's file: it fails the check. */
  atomic_store(&best->process_and_file, joined(process, file));
  atomic_store(&best->key, key);
}

size_t lpot_mapping_index_find(const lpot_mapping_index *index, uint64_t key,
                               pid_t processes[LPOT_MAPPING_INDEX_PLACES],
                               int files[LPOT_MAPPING_INDEX_PLACES]) {
  const lpot_mapping_place *bucket = index->places[bucket_of(key)];
  size_t count = 0;
  for (size_t i = 0; i < LPOT_MAPPING_INDEX_PLACES; i++) {
    if (atomic_load(&bucket[i].key) == key) {
      uint64_t both = atomic_load(&bucket[i].process_and_file);
      processes[count] = process_of(both);
      files[count] = (int)(uint32_t)both;
      count++;
    }
  }
  return count;
}
