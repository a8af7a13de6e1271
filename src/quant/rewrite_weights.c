/* Weights become s8 constants. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "quant/rewrite_plan.h"

/* Largest magnitude of a quantized bias: half of the accumulator's range is left to the products.
 */
#define BIAS_LIMIT 1073741824.0
/* Steps of a weight on each side of zero. Without VNNI a sum of two products of u8 and s8 is made
 * in 16 bits: 2 x 255 x 63 fits there, 2 x 255 x 127 does not. */
#define STEPS 127.0f
#define REDUCED_STEPS 63.0f

/* A weight seen as [outer, channels, inner], scaled per channel or as a whole. */
typedef struct weight_form {
  const lpot_quant_op *op;
  float *values; /* [outer * channels * inner], times factor; owned */
  float factor;  /* Gemm's alpha, folded into the weight */
  int64_t outer, channels, inner;
  int axis; /* LPOT_NONE when one scale serves all channels */
  int64_t num_scales;
  float *scales;       /* [num_scales]; arena */
  bool transposed;     /* the s8 weight is the transposed matrix */
  bool reduce_range;   /* the recipe says so, and the activation is u8 */
  bool is_widened;     /* the bias needs larger scales than the weight */
  lpot_tensor *tensor; /* the s8 weight, where the cache had it; borrowed */
} weight_form;

/* Quantized weights made so far, so that ops that share a weight and its settings share the form.
 */
typedef struct made_weight {
  struct made_weight *next;
  lpot_value_id weight;
  int axis;
  float factor;
  int64_t num_scales;
  const float *scales;
  lpot_value_id quantized, rounded;
} made_weight;

/* ---- scales ---- */

static void fill_extents(weight_form *form, const lpot_shape *shape) {
  int axis = form->op->weight_axis;
  form->outer = 1;
  form->inner = 1;
  form->channels = shape->dims[axis];
  for (int i = 0; i < shape->rank; i++) {
    form->outer *= i < axis ? shape->dims[i] : 1;
    form->inner *= i > axis ? shape->dims[i] : 1;
  }
}

static lpot_status load_weight(weight_form *form, const lpot_tensor *tensor, lpot_error *err) {
  form->values = lpot_alloc_aligned(tensor->size_bytes);
  if (form->values == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  if (tensor->size_bytes > 0) {
    memcpy(form->values, tensor->data, tensor->size_bytes);
  }
  lpot_tensor_release_pages(tensor);
  for (int64_t i = 0; i < lpot_tensor_elements(tensor); i++) {
    form->values[i] *= form->factor;
    if (!isfinite(form->values[i])) {
      return LPOT_FAIL(err, LPOT_INVALID, "op '%s': its weight holds NaN or infinite values",
                       form->op->name);
    }
  }
  return LPOT_OK;
}

static float largest_magnitude(const float *values, int64_t count) {
  float largest = 0;
  for (int64_t i = 0; i < count; i++) {
    largest = fmaxf(largest, fabsf(values[i]));
  }
  return largest;
}

/* Leaves the largest magnitudes in scales. */
static void find_magnitudes(weight_form *form) {
  for (int64_t o = 0; o < form->outer; o++) {
    for (int64_t c = 0; c < form->channels; c++) {
      const float *run = form->values + (o * form->channels + c) * form->inner;
      float *slot = &form->scales[form->axis == LPOT_NONE ? 0 : c];
      *slot = fmaxf(*slot, largest_magnitude(run, form->inner));
    }
  }
}

static lpot_status new_scales(lpot_rewrite *rewrite, weight_form *form, lpot_error *err) {
  size_t count = 0;
  LPOT_TRY(lpot_to_size(form->num_scales, &count, err));
  form->scales = lpot_arena_alloc(rewrite->arena, count, sizeof *form->scales);
  if (form->scales == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_OK;
}

static lpot_status find_scales(lpot_rewrite *rewrite, weight_form *form, lpot_error *err) {
  float steps = form->reduce_range ? REDUCED_STEPS : STEPS;
  form->num_scales = form->axis == LPOT_NONE ? 1 : form->channels;
  LPOT_TRY(new_scales(rewrite, form, err));
  find_magnitudes(form);
  for (int64_t i = 0; i < form->num_scales; i++) {
    float magnitude = form->scales[i];
    form->scales[i] = magnitude == 0 ? 1 : fmaxf(magnitude / steps, FLT_MIN);
  }
  return LPOT_OK;
}

/* Makes room for the bias: its scale, input x weight, must be a normal number, and its quantized
 * value must leave the accumulator room. */
static lpot_status widen_scales(weight_form *form, float input_scale, const lpot_tensor *bias,
                                double beta, lpot_error *err) {
  for (int64_t i = 0; i < lpot_tensor_elements(bias); i++) {
    double value = lpot_tensor_get_double(bias, i) * beta;
    float *scale = &form->scales[form->axis == LPOT_NONE ? 0 : i];
    if (!isfinite(value)) {
      return LPOT_FAIL(err, LPOT_INVALID, "op '%s': its bias holds NaN or infinite values",
                       form->op->name);
    }
    double wanted = fmax(fabs(value) / BIAS_LIMIT, 2.0 * (double)FLT_MIN) / (double)input_scale;
    form->is_widened = form->is_widened || (float)wanted > *scale;
    *scale = fmaxf(*scale, (float)wanted);
    if (!isfinite(*scale) || !isfinite(*scale * input_scale)) {
      return LPOT_FAIL(err, LPOT_INVALID, "op '%s': its bias %g is too large for input scale %g",
                       form->op->name, value, (double)input_scale);
    }
  }
  return LPOT_OK;
}

/* ---- the weight ---- */

static void quantize_weight(const weight_form *form, int8_t *out) {
  for (int64_t o = 0; o < form->outer; o++) {
    for (int64_t c = 0; c < form->channels; c++) {
      int64_t start = (o * form->channels + c) * form->inner;
      const lpot_quant_params params = {.dtype = LPOT_S8,
                                        .scale = form->scales[form->axis == LPOT_NONE ? 0 : c]};
      lpot_quantize(form->values + start, form->inner, &params, out + start);
    }
  }
}

/* Of a matrix [outer, inner] of bytes; in and out differ. */
static void transpose(const int8_t *in, int64_t outer, int64_t inner, int8_t *out) {
  for (int64_t i = 0; i < outer; i++) {
    for (int64_t k = 0; k < inner; k++) {
      out[k * outer + i] = in[i * inner + k];
    }
  }
}

static lpot_status new_s8(const weight_form *form, const lpot_shape *shape,
                          lpot_tensor **ret_tensor, lpot_error *err) {
  lpot_tensor *tensor = NULL;
  LPOT_TRY(lpot_tensor_new(LPOT_S8, shape, &tensor, err));
  quantize_weight(form, tensor->data);
  *ret_tensor = tensor;
  return LPOT_OK;
}

static lpot_status new_transposed_s8(const weight_form *form, const lpot_shape *shape,
                                     lpot_tensor **ret_tensor, lpot_error *err) {
  const int64_t dims[] = {shape->dims[1], shape->dims[0]};
  const lpot_shape turned = lpot_shape_of(2, dims);
  lpot_tensor *straight = NULL;
  LPOT_TRY(new_s8(form, shape, &straight, err));
  lpot_status status = lpot_tensor_new(LPOT_S8, &turned, ret_tensor, err);
  if (status == LPOT_OK) {
    transpose(straight->data, dims[1], dims[0], (*ret_tensor)->data);
  }
  lpot_tensor_unref(straight);
  return status;
}

static const made_weight *find_made(const made_weight *made, const weight_form *form) {
  for (; made != NULL; made = made->next) {
    if (made->weight == form->op->weight && made->axis == form->axis &&
        made->factor == form->factor && made->num_scales == form->num_scales &&
        memcmp(made->scales, form->scales, (size_t)form->num_scales * sizeof *form->scales) == 0) {
      return made;
    }
  }
  return NULL;
}

static lpot_weight_key key_of(const weight_form *form) {
  return (lpot_weight_key){.weight = form->op->weight,
                           .axis = form->axis,
                           .factor = form->factor,
                           .transposed = form->transposed,
                           .reduce_range = form->reduce_range};
}

/* True when the cache has the weight; the form then has its scales. */
static lpot_status take_cached(lpot_rewrite *rewrite, weight_form *form, bool *ret_found,
                               lpot_error *err) {
  lpot_cached_weight cached;
  const lpot_weight_key key = key_of(form);
  *ret_found = lpot_weight_cache_get(rewrite->cache, &key, &cached);
  if (!*ret_found) {
    return LPOT_OK;
  }
  form->num_scales = (int64_t)cached.num_scales;
  form->tensor = cached.tensor;
  LPOT_TRY(new_scales(rewrite, form, err));
  memcpy(form->scales, cached.scales, cached.num_scales * sizeof *form->scales);
  return LPOT_OK;
}

/* The scales that come from the weight alone are the ones worth keeping; what a large bias has
 * widened belongs to one recipe. */
static lpot_status keep(lpot_rewrite *rewrite, const weight_form *form, lpot_tensor *tensor,
                        lpot_error *err) {
  const lpot_weight_key key = key_of(form);
  const lpot_cached_weight cached = {
      .num_scales = (size_t)form->num_scales, .scales = form->scales, .tensor = tensor};
  LPOT_TRY(lpot_weight_cache_put(rewrite->cache, &key, &cached, err));
  return LPOT_OK;
}

/* The caller owns a reference. */
static lpot_status s8_tensor(lpot_rewrite *rewrite, const weight_form *form,
                             lpot_tensor **ret_tensor, lpot_error *err) {
  if (form->tensor != NULL) {
    *ret_tensor = lpot_tensor_ref(form->tensor);
    return LPOT_OK;
  }
  const lpot_shape *shape = &lpot_graph_value(rewrite->graph, form->op->weight)->constant->shape;
  lpot_tensor *tensor = NULL;
  LPOT_TRY(form->transposed ? new_transposed_s8(form, shape, &tensor, err)
                            : new_s8(form, shape, &tensor, err));
  lpot_status status = form->is_widened ? LPOT_OK : keep(rewrite, form, tensor, err);
  if (status != LPOT_OK) {
    lpot_tensor_unref(tensor);
    return status;
  }
  *ret_tensor = tensor;
  return LPOT_OK;
}

static lpot_status make_weight(lpot_rewrite *rewrite, const weight_form *form, made_weight *made,
                               lpot_error *err) {
  const lpot_qdq_builder builder = lpot_rewrite_builder(rewrite);
  const lpot_value *value = lpot_graph_value(rewrite->graph, form->op->weight);
  lpot_tensor *tensor = NULL;
  LPOT_TRY(s8_tensor(rewrite, form, &tensor, err));
  LPOT_TRY(lpot_qdq_add_quantized_constant(&builder, value->name, &tensor, &made->quantized, err));
  lpot_qdq_params params;
  LPOT_TRY(lpot_qdq_add_axis_params(&builder, value->name, LPOT_S8, form->scales, form->num_scales,
                                    form->axis, &params, err));
  LPOT_TRY(lpot_qdq_add_dequantize(&builder, value->name, made->quantized, &params, LPOT_NONE,
                                   &made->rounded, err));
  return LPOT_OK;
}

/* *ret_quantized is the s8 constant. */
static lpot_status put_weight(lpot_rewrite *rewrite, const weight_form *form, made_weight **made,
                              lpot_value_id *ret_quantized, lpot_error *err) {
  const made_weight *found = find_made(*made, form);
  if (found == NULL) {
    made_weight *entry = lpot_arena_alloc(rewrite->arena, 1, sizeof *entry);
    if (entry == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    *entry = (made_weight){.next = *made,
                           .weight = form->op->weight,
                           .axis = form->axis,
                           .factor = form->factor,
                           .num_scales = form->num_scales,
                           .scales = form->scales};
    LPOT_TRY(make_weight(rewrite, form, entry, err));
    *made = entry;
    found = entry;
  }
  LPOT_TRY(lpot_graph_set_input(rewrite->qdq, form->op->anchor, 1, found->rounded, err));
  *ret_quantized = found->quantized;
  return LPOT_OK;
}

/* ---- one op ---- */

static lpot_status quantize_bias(lpot_rewrite *rewrite, const weight_form *form, double beta,
                                 lpot_value_id quantized, lpot_error *err) {
  const lpot_node *node = lpot_graph_node(rewrite->graph, form->op->anchor);
  bool corrects = rewrite->recipe->corrections.bias_correction;
  const lpot_int8_weight weight = {
      .op = form->op,
      .outer = form->outer,
      .channels = form->channels,
      .inner = form->inner,
      .groups = node->op == LPOT_OP_CONV ? lpot_node_int(node, "group", 1) : 1,
      .axis = form->axis,
      .num_scales = form->num_scales,
      .scales = form->scales,
      .values = corrects ? form->values : NULL,
      .quantized = corrects ? lpot_graph_value(rewrite->qdq, quantized)->constant->data : NULL,
      .input_scale = rewrite->tensors[form->op->inputs[0]].params.scale,
      .beta = beta,
  };
  LPOT_TRY(lpot_rewrite_bias(rewrite, &weight, err));
  return LPOT_OK;
}

static lpot_status quantize_form(lpot_rewrite *rewrite, weight_form *form, made_weight **made,
                                 lpot_error *err) {
  const lpot_quant_op *op = form->op;
  const lpot_node *node = lpot_graph_node(rewrite->graph, op->anchor);
  float input_scale = rewrite->tensors[op->inputs[0]].params.scale;
  double beta = node->op == LPOT_OP_GEMM ? (double)lpot_node_float(node, "beta", 1) : 1;
  const lpot_tensor *weight = lpot_graph_value(rewrite->graph, op->weight)->constant;
  bool cached = false;
  lpot_value_id quantized = LPOT_NONE;
  LPOT_TRY(take_cached(rewrite, form, &cached, err));
  if (!cached) {
    LPOT_TRY(load_weight(form, weight, err));
    LPOT_TRY(find_scales(rewrite, form, err));
  }
  if (op->bias != LPOT_NONE && op->bias_add == LPOT_NONE) {
    const lpot_tensor *bias = lpot_graph_value(rewrite->graph, op->bias)->constant;
    LPOT_TRY(widen_scales(form, input_scale, bias, beta, err));
  }
  if (cached && form->is_widened) {
    form->tensor = NULL; /* Its steps are too small for this recipe. */
  }
  bool corrects = rewrite->recipe->corrections.bias_correction;
  if (form->values == NULL && (form->tensor == NULL || corrects)) {
    LPOT_TRY(load_weight(form, weight, err));
  }
  LPOT_TRY(put_weight(rewrite, form, made, &quantized, err));
  LPOT_TRY(quantize_bias(rewrite, form, beta, quantized, err));
  if (node->op == LPOT_OP_GEMM) {
    LPOT_TRY(lpot_graph_set_float(rewrite->qdq, op->anchor, "alpha", 1, err));
    LPOT_TRY(lpot_graph_set_float(rewrite->qdq, op->anchor, "beta", 1, err));
  }
  return LPOT_OK;
}

/* Beside s8 activations oneDNN itself gives a bit of the weights away where there is no VNNI. */
static bool has_reduced_range(const lpot_rewrite *rewrite, const lpot_quant_op *op) {
  const lpot_recipe *recipe = rewrite->recipe;
  return recipe->reduce_range &&
         (recipe->dynamic || rewrite->tensors[op->inputs[0]].params.dtype == LPOT_U8);
}

static weight_form form_of(const lpot_rewrite *rewrite, size_t index) {
  const lpot_quant_op *op = lpot_quant_ops_get(rewrite->ops, index);
  const lpot_node *node = lpot_graph_node(rewrite->graph, op->anchor);
  bool per_channel = rewrite->recipe->ops[index].weight.granularity == LPOT_PER_CHANNEL;
  weight_form form = {
      .op = op,
      .factor = node->op == LPOT_OP_GEMM ? lpot_node_float(node, "alpha", 1) : 1,
      .axis = per_channel ? op->weight_axis : LPOT_NONE,
      .reduce_range = has_reduced_range(rewrite, op),
  };
  fill_extents(&form, &lpot_graph_value(rewrite->graph, op->weight)->constant->shape);
  return form;
}

static lpot_status quantize_alone(lpot_rewrite *rewrite, weight_form *form,
                                  lpot_tensor **ret_tensor, lpot_error *err) {
  bool cached = false;
  LPOT_TRY(take_cached(rewrite, form, &cached, err));
  if (!cached) {
    LPOT_TRY(load_weight(form, lpot_graph_value(rewrite->graph, form->op->weight)->constant, err));
    LPOT_TRY(find_scales(rewrite, form, err));
  }
  LPOT_TRY(s8_tensor(rewrite, form, ret_tensor, err));
  return LPOT_OK;
}

lpot_status lpot_rewrite_quantize_matrix(lpot_rewrite *rewrite, size_t index, bool transposed,
                                         lpot_rewritten_matrix *ret, lpot_error *err) {
  weight_form form = form_of(rewrite, index);
  lpot_rewritten_matrix matrix = {.factor = form.factor, .axis = form.axis};
  form.transposed = transposed;
  lpot_status status = quantize_alone(rewrite, &form, &matrix.tensor, err);
  lpot_free(form.values);
  LPOT_TRY(status);
  matrix.num_scales = form.num_scales;
  matrix.scales = form.scales;
  *ret = matrix;
  return LPOT_OK;
}

lpot_status lpot_rewrite_weights(lpot_rewrite *rewrite, lpot_error *err) {
  made_weight *made = NULL; /* arena */
  for (size_t i = 0; i < lpot_quant_ops_count(rewrite->ops); i++) {
    const lpot_quant_op *op = lpot_quant_ops_get(rewrite->ops, i);
    if (!lpot_rewrite_is_int8(rewrite, i) || op->weight == LPOT_NONE) {
      continue;
    }
    weight_form form = form_of(rewrite, i);
    lpot_status status = quantize_form(rewrite, &form, &made, err);
    lpot_free(form.values);
    if (status != LPOT_OK) {
      return status;
    }
  }
  return LPOT_OK;
}
