/* Rules of the operators whose results have a shape that depends on the elements of their inputs:
 * Compress, NonMaxSuppression, NonZero, Unique. Plans have fixed shapes, so that the shape is known
 * only once these inputs are constant; the node is then folded. */
#include <inttypes.h>

#include "graph/infer_rules.h"
#include "graph/non_max_suppression.h"
#include "graph/unique.h"

bool lpot_infer_depends_on_data(lpot_op op) {
  return op == LPOT_OP_COMPRESS || op == LPOT_OP_NON_MAX_SUPPRESSION || op == LPOT_OP_NON_ZERO ||
         op == LPOT_OP_UNIQUE;
}

static int64_t count_non_zero(const lpot_tensor *tensor) {
  int64_t count = 0;
  for (int64_t i = 0; i < lpot_tensor_elements(tensor); i++) {
    count += lpot_tensor_get_double(tensor, i) != 0.0;
  }
  return count;
}

/* ---- Compress: only the condition has to be constant ---- */

static lpot_status compressed_dim(const lpot_tensor *condition, int64_t whole, int64_t *ret_dim,
                                  lpot_error *err) {
  *ret_dim = LPOT_DIM_UNKNOWN;
  if (condition == NULL) {
    return LPOT_OK;
  }
  if (whole != LPOT_DIM_UNKNOWN && lpot_tensor_elements(condition) > whole) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "the condition has %" PRId64 " elements, expected at most %" PRId64,
                     lpot_tensor_elements(condition), whole);
  }
  *ret_dim = count_non_zero(condition);
  return LPOT_OK;
}

lpot_status lpot_infer_compress(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  const lpot_tensor *condition = lpot_infer_constant_input(infer, 1);
  lpot_shape shape = input->shape;
  LPOT_TRY(lpot_infer_check_rank("the condition", &lpot_infer_input(infer, 1)->shape, 1, err));
  if (lpot_node_attribute(infer->node, "axis") == NULL) {
    int64_t whole = LPOT_DIM_UNKNOWN;
    if (lpot_shape_is_known(&input->shape)) {
      whole = lpot_shape_elements(&input->shape);
    }
    LPOT_TRY(lpot_infer_shape_of_rank(1, &shape, err));
    LPOT_TRY(compressed_dim(condition, whole, &shape.dims[0], err));
  } else if (shape.rank != LPOT_RANK_UNKNOWN) {
    int axis = 0;
    LPOT_TRY(lpot_infer_axis(lpot_node_int(infer->node, "axis", 0), shape.rank, &axis, err));
    LPOT_TRY(compressed_dim(condition, shape.dims[axis], &shape.dims[axis], err));
  }
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}

/* ---- NonZero ---- */

lpot_status lpot_infer_non_zero(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_shape shape;
  LPOT_TRY(lpot_infer_shape_of_rank(2, &shape, err));
  if (input->shape.rank != LPOT_RANK_UNKNOWN) {
    shape.dims[0] =
        input->shape.rank == 0 ? 1 : input->shape.rank; /* a scalar as a vector of one */
  }
  if (input->constant != NULL) {
    shape.dims[1] = count_non_zero(input->constant);
  }
  LPOT_TRY(lpot_infer_output(infer, 0, LPOT_S64, &shape, err));
  return LPOT_OK;
}

/* ---- Unique ---- */

lpot_status lpot_infer_unique(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  lpot_shape shape;
  lpot_shape counts;
  lpot_shape inverse;
  LPOT_TRY(lpot_infer_shape_of_rank(1, &counts, err));
  LPOT_TRY(lpot_infer_shape_of_rank(1, &inverse, err));
  shape = lpot_node_attribute(infer->node, "axis") == NULL ? counts : input->shape;
  if (input->constant != NULL) {
    lpot_unique unique;
    LPOT_TRY(lpot_unique_find(infer->node, input->constant, &unique, err));
    counts.dims[0] = unique.count;
    inverse.dims[0] = unique.total;
    shape.dims[unique.axis < 0 ? 0 : unique.axis] = unique.count;
    lpot_unique_done(&unique);
  } else if (lpot_node_attribute(infer->node, "axis") != NULL && shape.rank != LPOT_RANK_UNKNOWN) {
    int axis = 0;
    LPOT_TRY(lpot_infer_axis(lpot_node_int(infer->node, "axis", 0), shape.rank, &axis, err));
    shape.dims[axis] = LPOT_DIM_UNKNOWN;
  }
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 1, LPOT_S64, &counts, err));
  LPOT_TRY(lpot_infer_output(infer, 2, LPOT_S64, &inverse, err));
  LPOT_TRY(lpot_infer_output(infer, 3, LPOT_S64, &counts, err));
  return LPOT_OK;
}

/* ---- NonMaxSuppression ---- */

lpot_status lpot_infer_non_max_suppression(lpot_infer *infer, lpot_error *err) {
  enum { MAX_INPUTS = 5 };
  const lpot_tensor *inputs[MAX_INPUTS] = {NULL};
  bool constant = true;
  lpot_shape shape;
  LPOT_TRY(lpot_infer_shape_of_rank(2, &shape, err));
  shape.dims[1] = LPOT_SELECTION_WIDTH;
  for (int i = 0; i < infer->node->num_inputs && i < MAX_INPUTS; i++) {
    inputs[i] = lpot_infer_constant_input(infer, i);
    constant = constant && (inputs[i] != NULL || lpot_infer_input(infer, i) == NULL);
  }
  LPOT_TRY(lpot_infer_check_rank("input 0 (boxes)", &lpot_infer_input(infer, 0)->shape, 3, err));
  LPOT_TRY(lpot_infer_check_rank("input 1 (scores)", &lpot_infer_input(infer, 1)->shape, 3, err));
  if (constant) {
    lpot_selection selection;
    LPOT_TRY(lpot_non_max_suppression(infer->node, inputs, &selection, err));
    shape.dims[0] = selection.count;
    lpot_selection_done(&selection);
  }
  LPOT_TRY(lpot_infer_output(infer, 0, LPOT_S64, &shape, err));
  return LPOT_OK;
}
