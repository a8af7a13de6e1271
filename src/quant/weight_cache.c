#include "quant/weight_cache.h"

#include <string.h>

#include "base/memory.h"

typedef struct cache_entry {
  lpot_weight_key key;
  size_t num_scales;
  float *scales;       /* owned */
  lpot_tensor *tensor; /* owned reference */
} cache_entry;

/* A network has some hundred weights: a list is searched in no time beside the quantization of a
 * single one. */
struct lpot_weight_cache {
  size_t count, capacity;
  cache_entry *entries;
};

lpot_status lpot_weight_cache_new(lpot_weight_cache **ret_cache, lpot_error *err) {
  lpot_weight_cache *cache = lpot_calloc(1, sizeof *cache);
  if (cache == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *ret_cache = cache;
  return LPOT_OK;
}

void lpot_weight_cache_free(lpot_weight_cache *cache) {
  if (cache == NULL) {
    return;
  }
  for (size_t i = 0; i < cache->count; i++) {
    lpot_free(cache->entries[i].scales);
    lpot_tensor_unref(cache->entries[i].tensor);
  }
  lpot_free(cache->entries);
  lpot_free(cache);
}

static const cache_entry *find(const lpot_weight_cache *cache, const lpot_weight_key *key) {
  for (size_t i = 0; cache != NULL && i < cache->count; i++) {
    const lpot_weight_key *other = &cache->entries[i].key;
    if (other->weight == key->weight && other->axis == key->axis &&
        other->transposed == key->transposed && other->reduce_range == key->reduce_range &&
        memcmp(&other->factor, &key->factor, sizeof key->factor) == 0) {
      return &cache->entries[i];
    }
  }
  return NULL;
}

bool lpot_weight_cache_get(const lpot_weight_cache *cache, const lpot_weight_key *key,
                           lpot_cached_weight *ret) {
  const cache_entry *entry = find(cache, key);
  if (entry == NULL) {
    return false;
  }
  *ret = (lpot_cached_weight){
      .num_scales = entry->num_scales, .scales = entry->scales, .tensor = entry->tensor};
  return true;
}

static lpot_status grow(lpot_weight_cache *cache, lpot_error *err) {
  if (cache->count < cache->capacity) {
    return LPOT_OK;
  }
  size_t capacity = cache->capacity == 0 ? 64 : 2 * cache->capacity;
  cache_entry *grown = lpot_realloc(cache->entries, capacity, sizeof *grown);
  if (grown == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  cache->entries = grown;
  cache->capacity = capacity;
  return LPOT_OK;
}

lpot_status lpot_weight_cache_put(lpot_weight_cache *cache, const lpot_weight_key *key,
                                  const lpot_cached_weight *form, lpot_error *err) {
  if (cache == NULL || find(cache, key) != NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(grow(cache, err));
  float *scales = lpot_calloc(form->num_scales, sizeof *scales);
  if (scales == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  memcpy(scales, form->scales, form->num_scales * sizeof *scales);
  lpot_tensor_share(form->tensor);
  cache->entries[cache->count] = (cache_entry){.key = *key,
                                               .num_scales = form->num_scales,
                                               .scales = scales,
                                               .tensor = lpot_tensor_ref(form->tensor)};
  cache->count++;
  return LPOT_OK;
}
