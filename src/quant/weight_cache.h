/* Quantized weights kept from one recipe to the next: a tuning run rewrites one graph hundreds of
 * times, and a weight has few forms (per tensor, per channel). One cache belongs to one graph; it
 * holds references, so that clones share the bytes. Not thread-safe. */
#ifndef LPOT_QUANT_WEIGHT_CACHE_H
#define LPOT_QUANT_WEIGHT_CACHE_H

#include "base/error.h"
#include "graph/graph.h"
#include "tensor/tensor.h"

typedef struct lpot_weight_cache lpot_weight_cache;

/* What makes two quantized forms of one weight equal. */
typedef struct lpot_weight_key {
  lpot_value_id weight; /* in the graph that the cache belongs to */
  int axis;             /* of the scales; LPOT_NONE: one scale */
  float factor;         /* that the weight is multiplied by first */
  bool transposed;      /* the bytes are those of the transposed matrix */
  bool reduce_range;    /* fewer steps: see quant/recipe.h */
} lpot_weight_key;

typedef struct lpot_cached_weight {
  size_t num_scales;
  const float *scales; /* [num_scales] borrowed from the cache */
  lpot_tensor *tensor; /* s8, borrowed from the cache */
} lpot_cached_weight;

LPOT_MUST_CHECK lpot_status lpot_weight_cache_new(lpot_weight_cache **ret_cache, lpot_error *err);
void lpot_weight_cache_free(lpot_weight_cache *cache); /* NULL is allowed */
/* False when there is none. cache may be NULL. */
bool lpot_weight_cache_get(const lpot_weight_cache *cache, const lpot_weight_key *key,
                           lpot_cached_weight *ret);
/* Keeps a copy of the scales and a reference to the tensor, whose data move (lpot_tensor_share); a
 * form that is there already stays. cache may be NULL: nothing is kept. */
LPOT_MUST_CHECK lpot_status lpot_weight_cache_put(lpot_weight_cache *cache,
                                                  const lpot_weight_key *key,
                                                  const lpot_cached_weight *form, lpot_error *err);

#endif
