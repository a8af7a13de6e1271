/* NonMaxSuppression on tensors: what inference needs for the shape of such a node and its kernel
 * for the result. */
#ifndef LPOT_GRAPH_NON_MAX_SUPPRESSION_H
#define LPOT_GRAPH_NON_MAX_SUPPRESSION_H

#include <stdint.h>

#include "base/error.h"
#include "graph/graph.h"
#include "tensor/tensor.h"

#define LPOT_SELECTION_WIDTH 3 /* batch, class, box */

typedef struct lpot_selection {
  int64_t count;
  int64_t *triples; /* [count, LPOT_SELECTION_WIDTH]; owned */
} lpot_selection;

/* inputs[i] of node, NULL where it leaves them out: boxes [batch, boxes, 4], scores [batch,
 * classes, boxes], and three tensors of one element: how many boxes at most for each class (0
 * without), above which overlap a box gives way to a better one (0), and which score a box must
 * exceed. LPOT_FORMAT when shapes or types do not fit. */
LPOT_MUST_CHECK lpot_status lpot_non_max_suppression(const lpot_node *node,
                                                     const lpot_tensor *const *inputs,
                                                     lpot_selection *ret_selection,
                                                     lpot_error *err);
void lpot_selection_done(lpot_selection *selection);

#endif
