/* The distinct elements of a tensor, or its distinct slices along an axis: what inference needs for
 * the shape of a Unique node and its kernel for the result. */
#ifndef LPOT_GRAPH_UNIQUE_H
#define LPOT_GRAPH_UNIQUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "graph/graph.h"
#include "tensor/tensor.h"

typedef struct lpot_unique {
  int axis;             /* 0 to rank - 1, or -1: elements of the flat tensor */
  int64_t total;        /* slices looked at */
  int64_t count;        /* distinct ones */
  int64_t *first;       /* [total]; of the first count: where each occurs first */
  int64_t *occurrences; /* [total]; of the first count: how often */
  int64_t *inverse;     /* [total] which of the distinct ones each is */
} lpot_unique;

/* As the attributes axis and sorted of node say: sorted (elements by value, slices element after
 * element), or in order of first occurrence. LPOT_FORMAT when axis is out of range. */
LPOT_MUST_CHECK lpot_status lpot_unique_find(const lpot_node *node, const lpot_tensor *tensor,
                                             lpot_unique *ret_unique, lpot_error *err);
void lpot_unique_done(lpot_unique *unique);

#endif
