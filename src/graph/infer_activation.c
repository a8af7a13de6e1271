/* Rules of the activations that have more than one input, or a mode. */
#include <inttypes.h>
#include <string.h>

#include "graph/infer_rules.h"

lpot_status lpot_infer_gelu(lpot_infer *infer, lpot_error *err) {
  const char *mode = lpot_node_string(infer->node, "approximate", "none");
  if (strcmp(mode, "none") != 0 && strcmp(mode, "tanh") != 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "approximate is '%.32s', expected none or tanh", mode);
  }
  LPOT_TRY(lpot_infer_same(infer, err));
  return LPOT_OK;
}

/* BiasGelu and FastGelu: the bias, which the latter may lack, runs along the last axis. */
lpot_status lpot_infer_bias_gelu(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  const lpot_value *bias = lpot_infer_input(infer, 1);
  lpot_shape shape = input->shape;
  if (bias != NULL) {
    LPOT_TRY(lpot_infer_same_dtype(infer, 0, 1, err));
    LPOT_TRY(lpot_infer_check_rank("the bias", &bias->shape, 1, err));
  }
  if (bias != NULL && bias->shape.rank == 1 && shape.rank != LPOT_RANK_UNKNOWN) {
    int64_t last = shape.rank == 0 ? 1 : shape.dims[shape.rank - 1];
    if (lpot_dim_merge(last, bias->shape.dims[0], &last, NULL) != LPOT_OK) {
      return LPOT_FAIL(err, LPOT_FORMAT, "the bias has %" PRId64 " elements, expected %" PRId64,
                       bias->shape.dims[0], last);
    }
    if (shape.rank > 0) {
      shape.dims[shape.rank - 1] = last;
    }
  }
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}

/* The slope broadcasts to the input, not the input to the slope. */
lpot_status lpot_infer_prelu(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  const lpot_value *slope = lpot_infer_input(infer, 1);
  lpot_shape shape = input->shape;
  lpot_shape both;
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 1, err));
  LPOT_TRY(lpot_infer_broadcast(&input->shape, &slope->shape, &both, err));
  bool fits = both.rank == LPOT_RANK_UNKNOWN || both.rank == shape.rank;
  for (int i = 0; fits && i < both.rank; i++) {
    bool grows = shape.dims[i] != LPOT_DIM_UNKNOWN && both.dims[i] != LPOT_DIM_UNKNOWN &&
                 both.dims[i] != shape.dims[i];
    fits = !grows;
    shape.dims[i] = shape.dims[i] == LPOT_DIM_UNKNOWN ? both.dims[i] : shape.dims[i];
  }
  if (!fits) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the slope does not broadcast to the input");
  }
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}
