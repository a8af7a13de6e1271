/* Rules of the operators that keep the shape of their input, or broadcast two. */
#include <inttypes.h>

#include "graph/infer_rules.h"

lpot_status lpot_infer_same(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &input->shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_binary(lpot_infer *infer, lpot_error *err) {
  const lpot_value *a = lpot_infer_input(infer, 0);
  const lpot_value *b = lpot_infer_input(infer, 1);
  if (infer->node->op != LPOT_OP_POW) { /* The exponent may have another type. */
    LPOT_TRY(lpot_infer_same_dtype(infer, 0, 1, err));
  }
  lpot_shape shape;
  LPOT_TRY(lpot_infer_broadcast(&a->shape, &b->shape, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 0, a->dtype, &shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_cast(lpot_infer *infer, lpot_error *err) {
  int64_t to = lpot_node_int(infer->node, "to", 0);
  lpot_dtype dtype = to < 1 || to > 1000 ? LPOT_DTYPE_UNKNOWN : lpot_dtype_from_onnx((int)to);
  if (dtype == LPOT_DTYPE_UNKNOWN) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "cast to the data type %" PRId64 " is not supported",
                     to);
  }
  LPOT_TRY(lpot_infer_output(infer, 0, dtype, &lpot_infer_input(infer, 0)->shape, err));
  return LPOT_OK;
}

/* Input 1 only lends its type. */
lpot_status lpot_infer_cast_like(lpot_infer *infer, lpot_error *err) {
  lpot_dtype dtype = lpot_infer_input(infer, 1)->dtype;
  LPOT_TRY(lpot_infer_output(infer, 0, dtype, &lpot_infer_input(infer, 0)->shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_mod(lpot_infer *infer, lpot_error *err) {
  lpot_dtype dtype = lpot_infer_input(infer, 0)->dtype;
  if (lpot_dtype_is_float(dtype) && lpot_node_int(infer->node, "fmod", 0) != 1) {
    return LPOT_FAIL(err, LPOT_FORMAT, "fmod is %" PRId64 ", expected 1 for the type %s",
                     lpot_node_int(infer->node, "fmod", 0), lpot_dtype_text(dtype));
  }
  LPOT_TRY(lpot_infer_binary(infer, err));
  return LPOT_OK;
}

/* Max, Mean, Min: any number of operands of one type, all broadcast. */
lpot_status lpot_infer_variadic(lpot_infer *infer, lpot_error *err) {
  const lpot_value *first = lpot_infer_input(infer, 0);
  lpot_shape shape = first->shape;
  for (int i = 1; i < infer->node->num_inputs; i++) {
    const lpot_value *operand = lpot_infer_input(infer, i);
    if (operand == NULL) {
      return LPOT_FAIL(err, LPOT_FORMAT, "input %d is left out, but it is required", i);
    }
    LPOT_TRY(lpot_infer_same_dtype(infer, 0, i, err));
    LPOT_TRY(lpot_infer_broadcast(&shape, &operand->shape, &shape, err));
  }
  LPOT_TRY(lpot_infer_output(infer, 0, first->dtype, &shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_clip(lpot_infer *infer, lpot_error *err) {
  for (int i = 1; i < infer->node->num_inputs; i++) {
    const lpot_value *bound = lpot_infer_input(infer, i);
    if (bound != NULL && lpot_shape_is_known(&bound->shape) &&
        lpot_shape_elements(&bound->shape) != 1) {
      return LPOT_FAIL(err, LPOT_FORMAT, "input %d (%s) is no scalar", i, i == 1 ? "min" : "max");
    }
    LPOT_TRY(lpot_infer_same_dtype(infer, 0, i, err));
  }
  LPOT_TRY(lpot_infer_same(infer, err));
  return LPOT_OK;
}

/* The outputs of training are nobody's business here, yet old exporters list them. */
static lpot_status check_extra_outputs(const lpot_infer *infer, lpot_error *err) {
  for (int i = 1; i < infer->node->num_outputs; i++) {
    lpot_value_id output = infer->node->outputs[i];
    const lpot_node_id *readers = NULL;
    size_t count = 0;
    if (output == LPOT_NONE) {
      continue;
    }
    LPOT_TRY(lpot_graph_consumers(infer->graph, output, &readers, &count, err));
    if (count > 0 || lpot_graph_is_output(infer->graph, output)) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "output %d of training mode is used", i);
    }
  }
  return LPOT_OK;
}

lpot_status lpot_infer_batch_normalization(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  if (lpot_node_int(infer->node, "training_mode", 0) != 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "training_mode is not supported");
  }
  if (input->shape.rank != LPOT_RANK_UNKNOWN && input->shape.rank < 2) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the input has rank %d, expected at least 2",
                     input->shape.rank);
  }
  lpot_shape channels;
  LPOT_TRY(lpot_infer_shape_of_rank(1, &channels, err));
  if (input->shape.rank >= 2) {
    channels.dims[0] = input->shape.dims[1];
  }
  for (int i = 1; i < 5; i++) {
    const lpot_value *parameter = lpot_infer_input(infer, i);
    LPOT_TRY(lpot_infer_check_rank("a parameter", &parameter->shape, 1, err));
    if (parameter->shape.rank == 1) {
      LPOT_TRY(lpot_dim_merge(channels.dims[0], parameter->shape.dims[0], &channels.dims[0], err));
    }
  }
  lpot_shape shape = input->shape;
  if (shape.rank >= 2) {
    shape.dims[1] = channels.dims[0];
  }
  LPOT_TRY(check_extra_outputs(infer, err));
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  for (int i = 1; i < infer->node->num_outputs; i++) {
    LPOT_TRY(lpot_infer_output(infer, i, lpot_infer_input(infer, 3)->dtype, &channels, err));
  }
  return LPOT_OK;
}

lpot_status lpot_infer_dropout(lpot_infer *infer, lpot_error *err) {
  const lpot_tensor *training = lpot_infer_constant_input(infer, 2);
  if (training != NULL && lpot_tensor_elements(training) == 1 &&
      lpot_tensor_get_int(training, 0) != 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "training_mode is not supported");
  }
  LPOT_TRY(lpot_infer_same(infer, err));
  LPOT_TRY(lpot_infer_output(infer, 1, LPOT_BOOL, &lpot_infer_input(infer, 0)->shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_softmax(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  int axis = 0;
  if (input->shape.rank != LPOT_RANK_UNKNOWN) {
    LPOT_TRY(
        lpot_infer_axis(lpot_node_int(infer->node, "axis", -1), input->shape.rank, &axis, err));
  }
  LPOT_TRY(lpot_infer_same(infer, err));
  return LPOT_OK;
}
