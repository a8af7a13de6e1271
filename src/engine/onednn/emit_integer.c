#include <string.h>

#include "base/memory.h"
#include "engine/onednn/emit_fusion.h"
#include "engine/onednn/loops.h"

/* Dynamic quantization: DynamicQuantizeLinear, and MatMulInteger and ConvInteger with constant
 * weights. oneDNN sums products of the bytes as they are, without the input's zero point z, which
 * is known at run time only; z times what an input of ones gives is subtracted afterwards. */

/* ---- DynamicQuantizeLinear ---- */

static lpot_status run_dynamic_quantize(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  int64_t count = lpot_shape_elements(&plan->slots[step->slots[0]].shape);
  const float *values = lpot_slot_data(plan, step->slots[0]);
  lpot_quant_params params = lpot_loop_dynamic_params(values, count);
  float *scale = lpot_slot_data(plan, step->slots[2]);
  uint8_t *zero_point = lpot_slot_data(plan, step->slots[3]);
  lpot_loop_quantize(values, count, &params, lpot_slot_data(plan, step->slots[1]));
  *scale = params.scale;
  *zero_point = (uint8_t)params.zero_point;
  return LPOT_OK;
}

lpot_status lpot_emit_dynamic_quantize(lpot_compiler *compiler, const lpot_node *node,
                                       lpot_error *err) {
  static const lpot_dtype types[3] = {LPOT_U8, LPOT_F32, LPOT_U8};
  const lpot_shape scalar = lpot_shape_scalar();
  lpot_layout layout = lpot_layout_of(compiler, node->inputs[0]);
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id results[3] = {LPOT_NONE, LPOT_NONE, LPOT_NONE};
  lpot_step *step = NULL;
  LPOT_TRY(lpot_need(compiler, node->inputs[0], layout, &src, err));
  for (int i = 0; i < 3; ++i) {
    if (i < node->num_outputs && node->outputs[i] != LPOT_NONE) {
      LPOT_TRY(
          lpot_define(compiler, node->outputs[i], i == 0 ? layout : LPOT_PLAIN, &results[i], err));
    } else {
      LPOT_TRY(lpot_slot_new(compiler->plan, types[i], &scalar, LPOT_PLAIN, &results[i], err));
    }
  }
  LPOT_TRY(lpot_step_add(compiler->plan, node->name, "dynamic quantize", run_dynamic_quantize, &src,
                         1, results, 3, &step, err));
  return LPOT_OK;
}

/* ---- integer products ---- */

typedef struct integer_state {
  int64_t blocks; /* the result is so many times ... */
  int64_t count;  /* ... so many sums, of which all blocks have the same correction */
  lpot_dtype zero_point_dtype;
  int32_t correction[]; /* [count] sums that an input of ones gives */
} integer_state;

/* Inputs: bytes, and their zero point where the node has one. */
static lpot_status run_integer(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  const integer_state *state = step->state;
  int32_t *sums = lpot_slot_data(plan, step->slots[step->num_inputs]);
  LPOT_TRY(lpot_dl_run(step->primitive, lpot_slot_data(plan, step->slots[0]), NULL, sums, err));
  if (step->num_inputs < 2) {
    return LPOT_OK;
  }
  const void *byte = lpot_slot_data(plan, step->slots[1]);
  int32_t zero_point =
      state->zero_point_dtype == LPOT_S8 ? *(const int8_t *)byte : *(const uint8_t *)byte;
  for (int64_t i = 0; zero_point != 0 && i < state->blocks; ++i) {
    lpot_loop_correct_sums(sums + i * state->count, state->count, zero_point, state->correction);
  }
  return LPOT_OK;
}

/* The constant weights minus their zero points as s8, kept by the plan. along: the axis of the zero
 * points where there are several. */
static lpot_status center_weights(lpot_compiler *compiler, const lpot_node *node, int along,
                                  const lpot_tensor **ret_weights, lpot_error *err) {
  lpot_value_id zero_value = lpot_node_input(node, 3);
  const lpot_tensor *tensor = lpot_graph_value(compiler->graph, node->inputs[1])->constant;
  const lpot_tensor *zeros =
      zero_value == LPOT_NONE ? NULL : lpot_graph_value(compiler->graph, zero_value)->constant;
  lpot_tensor *centered = NULL;
  if (tensor == NULL || (zero_value != LPOT_NONE && zeros == NULL)) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': weights are not constant", node->name);
  }
  int64_t channels = tensor->shape.dims[along];
  int64_t inner = 1;
  for (int i = along + 1; i < tensor->shape.rank; ++i) {
    inner *= tensor->shape.dims[i];
  }
  int64_t num_zeros = zeros == NULL ? 1 : lpot_tensor_elements(zeros);
  if (num_zeros != 1 && num_zeros != channels) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': zero points of weights", node->name);
  }
  LPOT_TRY(lpot_tensor_new(LPOT_S8, &tensor->shape, &centered, err));
  lpot_status status = LPOT_OK;
  for (int64_t i = 0; i < lpot_tensor_elements(tensor) && status == LPOT_OK; ++i) {
    int64_t zero =
        zeros == NULL ? 0 : lpot_tensor_get_int(zeros, num_zeros == 1 ? 0 : i / inner % channels);
    int64_t value = lpot_tensor_get_int(tensor, i) - zero;
    if (value < INT8_MIN || value > INT8_MAX) {
      status = LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': weights leave int8", node->name);
    }
    lpot_tensor_set_int(centered, i, value);
  }
  if (status == LPOT_OK) {
    status = lpot_plan_keep_tensor(compiler->plan, centered, err);
  }
  *ret_weights = centered;
  lpot_tensor_unref(centered); /* the plan keeps it */
  return status;
}

static void int8_attributes(lpot_dl_attributes *attributes) {
  static const float one = 1.0f;
  lpot_dl_attributes_init(attributes);
  attributes->num_weight_scales = 1;
  attributes->weight_scales = &one;
}

/* A zero point has one element, if there is one. */
static lpot_status check_zero_point(const lpot_compiler *compiler, const lpot_node *node,
                                    lpot_error *err) {
  lpot_value_id value = lpot_node_input(node, 2);
  const lpot_shape *output = &lpot_graph_value(compiler->graph, node->outputs[0])->shape;
  bool has_one = value == LPOT_NONE ||
                 lpot_shape_elements(&lpot_graph_value(compiler->graph, value)->shape) == 1;
  if (!has_one || lpot_shape_elements(output) == 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': zero points by row", node->name);
  }
  return LPOT_OK;
}

/* The correction is what the primitive makes of ones: they are written to scratch of the size of
 * the input, of which the first block of the result is taken. */
static lpot_status fill_correction(lpot_dl_primitive *primitive, const lpot_slot *src,
                                   const lpot_slot *dst, integer_state *state, lpot_error *err) {
  uint8_t *ones = lpot_alloc_aligned(src->size_bytes);
  int32_t *sums = lpot_alloc_aligned(dst->size_bytes);
  lpot_status status = LPOT_OK;
  if (ones == NULL || sums == NULL) {
    status = LPOT_OUT_OF_MEMORY(err);
  } else {
    memset(ones, 1, src->size_bytes);
    status = lpot_dl_run(primitive, ones, NULL, sums, err);
  }
  if (status == LPOT_OK) {
    memcpy(state->correction, sums, (size_t)state->count * sizeof *sums);
  }
  lpot_free(ones);
  lpot_free(sums);
  return status;
}

/* Moves *primitive into a step in any case. */
static lpot_status add_step(lpot_compiler *compiler, const lpot_node *node, const char *kind,
                            lpot_dl_primitive *primitive, lpot_slot_id src, lpot_slot_id dst,
                            int64_t blocks, lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  lpot_slot_id inputs[2] = {src, LPOT_NONE};
  lpot_value_id zero_point = lpot_node_input(node, 2);
  size_t num_inputs = zero_point == LPOT_NONE ? 1 : 2;
  int64_t count = num_inputs == 1 ? 0 : lpot_shape_elements(&plan->slots[dst].shape) / blocks;
  lpot_step *step = NULL;
  integer_state *state =
      lpot_calloc(1, sizeof *state + (size_t)count * sizeof state->correction[0]);
  lpot_status status = state == NULL ? LPOT_OUT_OF_MEMORY(err) : LPOT_OK;
  if (status == LPOT_OK && num_inputs == 2) {
    state->blocks = blocks;
    state->count = count;
    state->zero_point_dtype = lpot_graph_value(compiler->graph, zero_point)->dtype;
    status = fill_correction(primitive, &plan->slots[src], &plan->slots[dst], state, err);
  }
  if (status == LPOT_OK && num_inputs == 2) {
    status = lpot_need(compiler, zero_point, LPOT_PLAIN, &inputs[1], err);
  }
  if (status == LPOT_OK) {
    status =
        lpot_step_add(plan, node->name, kind, run_integer, inputs, num_inputs, &dst, 1, &step, err);
  }
  if (status != LPOT_OK) {
    lpot_free(state);
    lpot_dl_primitive_free(primitive);
    return status;
  }
  step->primitive = primitive;
  step->state = state;
  return LPOT_OK;
}

static lpot_dl_desc matrix_desc(lpot_dtype dtype, int64_t rows, int64_t columns) {
  lpot_dl_desc desc;
  memset(&desc, 0, sizeof desc);
  desc.dtype = dtype;
  desc.rank = 2;
  desc.dims[0] = rows;
  desc.dims[1] = columns;
  desc.strides[0] = columns;
  desc.strides[1] = 1;
  return desc;
}

lpot_status lpot_emit_matmul_integer(lpot_compiler *compiler, const lpot_node *node,
                                     lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  const lpot_tensor *weights = NULL;
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  lpot_dl_matmul matmul;
  lpot_dl_primitive *primitive = NULL;
  LPOT_TRY(check_zero_point(compiler, node, err));
  if (lpot_graph_value(compiler->graph, node->inputs[0])->shape.rank < 2 ||
      lpot_graph_value(compiler->graph, node->inputs[1])->shape.rank != 2) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': weights are no matrix", node->name);
  }
  LPOT_TRY(center_weights(compiler, node, 1, &weights, err));
  int64_t depth = weights->shape.dims[0];
  int64_t columns = weights->shape.dims[1];
  LPOT_TRY(lpot_need(compiler, node->inputs[0], LPOT_PLAIN, &src, err));
  LPOT_TRY(lpot_define(compiler, node->outputs[0], LPOT_PLAIN, &dst, err));
  int64_t rows = lpot_shape_elements(&plan->slots[dst].shape) / columns;
  memset(&matmul, 0, sizeof matmul);
  matmul.src = matrix_desc(plan->slots[src].dtype, rows, depth);
  matmul.weights = matrix_desc(LPOT_S8, depth, columns);
  matmul.dst = matrix_desc(LPOT_S32, rows, columns);
  matmul.constant_weights = weights->data;
  int8_attributes(&matmul.attributes);
  LPOT_TRY(lpot_dl_matmul_new(plan->dl, &matmul, &primitive, err));
  LPOT_TRY(add_step(compiler, node, "matmul int8", primitive, src, dst, rows, err));
  return LPOT_OK;
}

lpot_status lpot_emit_conv_integer(lpot_compiler *compiler, const lpot_node *node,
                                   lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  const lpot_value *input = lpot_graph_value(compiler->graph, node->inputs[0]);
  const lpot_tensor *weights = NULL;
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  lpot_window window;
  lpot_dl_convolution convolution;
  lpot_dl_primitive *primitive = NULL;
  LPOT_TRY(check_zero_point(compiler, node, err));
  if (input->dtype != LPOT_U8) { /* see needs_unsigned_source in emit_convolution.c */
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': the input is signed", node->name);
  }
  LPOT_TRY(center_weights(compiler, node, 0, &weights, err));
  LPOT_TRY(lpot_window_resolve(node, &input->shape, &weights->shape, &window, err));
  LPOT_TRY(lpot_need(compiler, node->inputs[0], LPOT_CHANNELS_LAST, &src, err));
  LPOT_TRY(lpot_define(compiler, node->outputs[0], LPOT_CHANNELS_LAST, &dst, err));
  memset(&convolution, 0, sizeof convolution);
  lpot_fill_geometry(&window, &convolution);
  lpot_slot_desc(&plan->slots[src], &convolution.src);
  lpot_slot_desc(&plan->slots[dst], &convolution.dst);
  convolution.weights = weights->data;
  convolution.weight_dtype = LPOT_S8;
  int8_attributes(&convolution.attributes);
  LPOT_TRY(lpot_dl_convolution_new(plan->dl, &convolution, &primitive, err));
  LPOT_TRY(add_step(compiler, node, "conv int8", primitive, src, dst, input->shape.dims[0], err));
  return LPOT_OK;
}
