/* Biases of int8 ops: those of Conv and Gemm become s32 constants of scale input x weight. Bias
 * correction takes the mean of what rounding the weight adds to the output, (W_q - W) E[x] with the
 * means of the f32 input's channels, off the bias (M. Nagel et al., "Data-Free Quantization Through
 * Weight Equalization and Bias Correction", 2019, section 4.2; there E[x] comes from batch
 * normalization, here from the calibration). Zeros of a Conv's padding count as any other input. */
#include <math.h>

#include "base/memory.h"
#include "quant/rewrite_plan.h"

/* ---- the mean error ---- */

/* Channel of the input that element (outer, channel, inner) of the weight is multiplied with. */
static int64_t input_channel(const lpot_int8_weight *weight, int64_t outer, int64_t channel,
                             int64_t inner) {
  if (weight->op->weight_axis == 1) {
    return outer;
  }
  int64_t group = channel / (weight->channels / weight->groups);
  int64_t group_channels = weight->op->input_channels / weight->groups;
  return group * group_channels + inner / (weight->inner / group_channels);
}

/* shifts [channels], zeros before. */
static void add_errors(const lpot_int8_weight *weight, const double *means, double *shifts) {
  for (int64_t o = 0; o < weight->outer; o++) {
    for (int64_t c = 0; c < weight->channels; c++) {
      int64_t start = (o * weight->channels + c) * weight->inner;
      double scale = (double)weight->scales[weight->num_scales == 1 ? 0 : c];
      for (int64_t i = 0; i < weight->inner; i++) {
        double rounded = scale * weight->quantized[start + i];
        double error = rounded - (double)weight->values[start + i];
        shifts[c] += error * means[input_channel(weight, o, c, i)];
      }
    }
  }
}

/* *ret_shifts [channels] stays NULL where the calibration has another view of the input. */
static lpot_status find_shifts(lpot_rewrite *rewrite, const lpot_int8_weight *weight,
                               double **ret_shifts, lpot_error *err) {
  const lpot_quant_op *op = weight->op;
  const lpot_channel_means *seen = lpot_calibration_channels(rewrite->calibration, op->inputs[0]);
  if (seen == NULL) {
    return LPOT_FAIL(err, LPOT_INVALID, "calibration did not observe the channels of '%s'",
                     lpot_graph_value(rewrite->graph, op->inputs[0])->name);
  }
  if (seen->channels != op->input_channels || seen->inner != op->input_inner) {
    return LPOT_OK;
  }
  double *means = lpot_arena_alloc(rewrite->arena, (size_t)seen->channels, sizeof *means);
  double *shifts = lpot_arena_alloc(rewrite->arena, (size_t)weight->channels, sizeof *shifts);
  if (means == NULL || shifts == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (int64_t i = 0; i < seen->channels; i++) {
    means[i] = lpot_channel_means_get(seen, i);
  }
  add_errors(weight, means, shifts);
  *ret_shifts = shifts;
  return LPOT_OK;
}

/* ---- s32 ---- */

/* A shift is less than what half a step of every product makes, for which the bias leaves room. */
static lpot_status quantize_bias(const lpot_int8_weight *weight, const lpot_tensor *bias,
                                 const double *shifts, const float *scales,
                                 lpot_tensor **ret_tensor, lpot_error *err) {
  const lpot_shape shape = lpot_shape_of(1, &weight->channels);
  lpot_tensor *tensor = NULL;
  LPOT_TRY(lpot_tensor_new(LPOT_S32, &shape, &tensor, err));
  int32_t *out = tensor->data;
  for (int64_t i = 0; i < weight->channels; i++) {
    double scale = (double)scales[weight->num_scales == 1 ? 0 : i];
    double value = bias == NULL ? 0 : lpot_tensor_get_double(bias, i) * weight->beta;
    double steps = nearbyint((value - (shifts == NULL ? 0 : shifts[i])) / scale);
    out[i] = (int32_t)fmin(fmax(steps, INT32_MIN), INT32_MAX);
  }
  *ret_tensor = tensor;
  return LPOT_OK;
}

static lpot_status set_bias_input(lpot_rewrite *rewrite, const lpot_quant_op *op,
                                  lpot_value_id bias, lpot_error *err) {
  const lpot_node *node = lpot_graph_node(rewrite->qdq, op->anchor);
  const lpot_value_id inputs[] = {node->inputs[0], node->inputs[1], bias};
  LPOT_TRY(lpot_graph_set_inputs(rewrite->qdq, op->anchor, inputs, 3, err));
  return LPOT_OK;
}

static lpot_status put_s32(lpot_rewrite *rewrite, const lpot_int8_weight *weight,
                           const double *shifts, lpot_error *err) {
  const lpot_qdq_builder builder = lpot_rewrite_builder(rewrite);
  const lpot_quant_op *op = weight->op;
  const lpot_value *value =
      op->bias == LPOT_NONE ? NULL : lpot_graph_value(rewrite->graph, op->bias);
  const char *name =
      value != NULL ? value->name : lpot_arena_printf(rewrite->arena, "%s_bias", op->name);
  float *scales = lpot_arena_alloc(rewrite->arena, (size_t)weight->num_scales, sizeof *scales);
  if (name == NULL || scales == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (int64_t i = 0; i < weight->num_scales; i++) {
    scales[i] = weight->input_scale * weight->scales[i];
  }
  lpot_tensor *tensor = NULL;
  LPOT_TRY(
      quantize_bias(weight, value == NULL ? NULL : value->constant, shifts, scales, &tensor, err));
  lpot_value_id quantized = LPOT_NONE;
  lpot_value_id rounded = LPOT_NONE;
  lpot_qdq_params params;
  LPOT_TRY(lpot_qdq_add_quantized_constant(&builder, name, &tensor, &quantized, err));
  LPOT_TRY(lpot_qdq_add_axis_params(&builder, name, LPOT_S32, scales, weight->num_scales,
                                    weight->axis == LPOT_NONE ? LPOT_NONE : 0, &params, err));
  LPOT_TRY(lpot_qdq_add_dequantize(&builder, name, quantized, &params, LPOT_NONE, &rounded, err));
  LPOT_TRY(set_bias_input(rewrite, op, rounded, err));
  return LPOT_OK;
}

/* ---- f32, in the Add behind a MatMul ---- */

static lpot_status put_f32(lpot_rewrite *rewrite, const lpot_quant_op *op, const double *shifts,
                           lpot_error *err) {
  const lpot_value *value = lpot_graph_value(rewrite->graph, op->bias);
  const lpot_node *add = lpot_graph_node(rewrite->qdq, op->bias_add);
  const char *name = lpot_arena_printf(rewrite->arena, "%s_corrected", value->name);
  if (name == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_tensor *tensor = NULL;
  LPOT_TRY(lpot_tensor_new(LPOT_F32, &value->constant->shape, &tensor, err));
  float *out = tensor->data;
  for (int64_t i = 0; i < lpot_tensor_elements(tensor); i++) {
    out[i] = (float)(lpot_tensor_get_double(value->constant, i) - shifts[i]);
  }
  lpot_value_id corrected = LPOT_NONE;
  LPOT_TRY(lpot_graph_add_constant(rewrite->qdq, name, &tensor, &corrected, err));
  LPOT_TRY(lpot_graph_set_input(rewrite->qdq, op->bias_add, add->inputs[0] == op->bias ? 0 : 1,
                                corrected, err));
  return LPOT_OK;
}

lpot_status lpot_rewrite_bias(lpot_rewrite *rewrite, const lpot_int8_weight *weight,
                              lpot_error *err) {
  const lpot_quant_op *op = weight->op;
  bool is_matmul = lpot_graph_node(rewrite->graph, op->anchor)->op == LPOT_OP_MATMUL;
  double *shifts = NULL;
  if (rewrite->recipe->corrections.bias_correction) {
    LPOT_TRY(find_shifts(rewrite, weight, &shifts, err));
  }
  if (is_matmul && op->bias_add != LPOT_NONE && shifts != NULL) {
    LPOT_TRY(put_f32(rewrite, op, shifts, err));
  }
  if (!is_matmul && (op->bias != LPOT_NONE || shifts != NULL)) {
    LPOT_TRY(put_s32(rewrite, weight, shifts, err));
  }
  return LPOT_OK;
}
