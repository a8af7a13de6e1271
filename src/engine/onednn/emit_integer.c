#include <string.h>

#include "base/memory.h"
#include "engine/onednn/emit_fusion.h"
#include "engine/onednn/loops.h"

/* MatMulInteger and ConvInteger with constant weights. oneDNN sums products of the bytes as they
 * are, without the input's zero point z, which is known at run time only; z times what an input of
 * ones gives is subtracted afterwards. */

/* Weights minus their zero points that leave int8 are the sum of two parts that do not. */
#define MAX_PARTS 2

typedef struct integer_product {
  const lpot_node *node;
  lpot_slot_id src;
  size_t num_parts;
  const lpot_tensor *parts[MAX_PARTS]; /* s8, shaped as the weights; kept by the plan */
  int64_t blocks; /* of the result, that get the same correction: rows, or images */
  const char *kind;
  const lpot_fusion *fusion; /* to f32; NULL: the node alone */
} integer_product;

typedef struct finish_state {
  int64_t blocks;
  int64_t count;               /* sums of one block */
  lpot_dtype zero_point_dtype; /* UNKNOWN without a zero point */
  int32_t correction[];        /* [count] sums that an input of ones gives */
} finish_state;

/* Inputs: sums of each part, then the zero point where there is one. */
static lpot_status run_finish(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const finish_state *state = step->state;
  bool has_zero = state->zero_point_dtype != LPOT_DTYPE_UNKNOWN;
  size_t num_parts = step->num_inputs - (has_zero ? 1 : 0);
  const int32_t *first = lpot_slot_data(plan, step->slots[0]);
  const int32_t *second = num_parts > 1 ? lpot_slot_data(plan, step->slots[1]) : NULL;
  int32_t *out = lpot_slot_data(plan, step->slots[step->num_inputs]);
  int32_t zero_point = 0;
  if (has_zero) {
    const void *byte = lpot_slot_data(plan, step->slots[num_parts]);
    zero_point =
        state->zero_point_dtype == LPOT_S8 ? *(const int8_t *)byte : *(const uint8_t *)byte;
  }
  for (int64_t i = 0; i < state->blocks; ++i) {
    int64_t start = i * state->count;
    lpot_loop_finish_sums(first + start, second == NULL ? NULL : second + start, zero_point,
                          state->correction, state->count, out + start);
  }
  return LPOT_OK;
}

/* ---- weights ---- */

static int64_t clamped(int64_t value) {
  int64_t raised = value < INT8_MIN ? INT8_MIN : value;
  return raised > INT8_MAX ? INT8_MAX : raised;
}

/* The zero points of the weights: none, one, or one for each index of the axis. */
typedef struct centering {
  const lpot_tensor *tensor, *zero_points;
  int64_t channels, inner;
} centering;

static lpot_status begin_centering(const lpot_compiler *compiler, const lpot_node *node, int axis,
                                   centering *ret, lpot_error *err) {
  lpot_value_id zero_value = lpot_node_input(node, 3);
  centering c = {.inner = 1};
  c.tensor = lpot_graph_value(compiler->graph, node->inputs[1])->constant;
  c.zero_points =
      zero_value == LPOT_NONE ? NULL : lpot_graph_value(compiler->graph, zero_value)->constant;
  if (c.tensor == NULL || (zero_value != LPOT_NONE && c.zero_points == NULL)) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': weights are not constant", node->name);
  }
  c.channels = c.tensor->shape.dims[axis];
  for (int i = axis + 1; i < c.tensor->shape.rank; ++i) {
    c.inner *= c.tensor->shape.dims[i];
  }
  if (c.zero_points != NULL && lpot_tensor_elements(c.zero_points) != 1 &&
      lpot_tensor_elements(c.zero_points) != c.channels) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': zero points of weights", node->name);
  }
  *ret = c;
  return LPOT_OK;
}

static int64_t centered_at(const centering *c, int64_t index) {
  int64_t zero_point = 0;
  if (c->zero_points != NULL) {
    bool one = lpot_tensor_elements(c->zero_points) == 1;
    zero_point = lpot_tensor_get_int(c->zero_points, one ? 0 : index / c->inner % c->channels);
  }
  return lpot_tensor_get_int(c->tensor, index) - zero_point;
}

/* What is left of the weights after `part` parts, as far as it fits; *ret_more when some is left.
 */
static lpot_status add_part(lpot_compiler *compiler, const centering *c, integer_product *product,
                            bool *ret_more, lpot_error *err) {
  lpot_tensor *tensor = NULL;
  LPOT_TRY(lpot_tensor_new(LPOT_S8, &c->tensor->shape, &tensor, err));
  *ret_more = false;
  for (int64_t i = 0; i < lpot_tensor_elements(tensor); ++i) {
    int64_t left = centered_at(c, i);
    for (size_t part = 0; part < product->num_parts; ++part) {
      left -= lpot_tensor_get_int(product->parts[part], i);
    }
    lpot_tensor_set_int(tensor, i, clamped(left));
    *ret_more = *ret_more || clamped(left) != left;
  }
  product->parts[product->num_parts++] = tensor;
  lpot_status status = lpot_plan_keep_tensor(compiler->plan, tensor, err);
  lpot_tensor_unref(tensor); /* the plan keeps it */
  return status;
}

static lpot_status split_weights(lpot_compiler *compiler, integer_product *product, int axis,
                                 lpot_error *err) {
  centering c = {0};
  bool more = true;
  LPOT_TRY(begin_centering(compiler, product->node, axis, &c, err));
  while (more && product->num_parts < MAX_PARTS) {
    LPOT_TRY(add_part(compiler, &c, product, &more, err));
  }
  if (more) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': weights leave int8", product->node->name);
  }
  return LPOT_OK;
}

static void int8_attributes(lpot_dl_attributes *attributes) {
  static const float one = 1.0f;
  lpot_dl_attributes_init(attributes);
  attributes->num_weight_scales = 1;
  attributes->weight_scales = &one;
}

/* The input's zero point has one element, if there is one, and there is something to compute. */
static lpot_status check_node(const lpot_compiler *compiler, const lpot_node *node,
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

/* ---- steps ---- */

/* Adds what the primitive makes of ones: they are written to scratch of the size of the input, of
 * which the first block of the result is taken. */
static lpot_status add_correction(lpot_dl_primitive *primitive, const lpot_slot *src,
                                  const lpot_slot *dst, int64_t count, int32_t *correction,
                                  lpot_error *err) {
  uint8_t *ones = lpot_alloc_aligned(src->size_bytes);
  int32_t *sums = lpot_alloc_aligned(dst->size_bytes);
  lpot_status status = LPOT_OK;
  if (ones == NULL || sums == NULL) {
    status = LPOT_OUT_OF_MEMORY(err);
  } else {
    memset(ones, 1, src->size_bytes);
    status = lpot_dl_run(primitive, ones, NULL, sums, err);
  }
  for (int64_t i = 0; i < count && status == LPOT_OK; ++i) {
    correction[i] += sums[i];
  }
  lpot_free(ones);
  lpot_free(sums);
  return status;
}

/* One step per part, into the slots of sums. The primitives belong to the steps, which are the
 * last ones of the plan. */
static lpot_status add_finish(lpot_compiler *compiler, const integer_product *product,
                              const lpot_slot_id *sums, lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  lpot_value_id zero_point = lpot_node_input(product->node, 2);
  lpot_slot_id inputs[MAX_PARTS + 1] = {sums[0], sums[1], LPOT_NONE};
  size_t num_inputs = product->num_parts;
  lpot_slot_id dst = LPOT_NONE;
  lpot_step *step = NULL;
  lpot_layout layout = plan->slots[sums[0]].layout;
  size_t first_step = plan->num_steps - product->num_parts;
  int64_t count = lpot_shape_elements(&plan->slots[sums[0]].shape) / product->blocks;
  if (zero_point != LPOT_NONE) {
    LPOT_TRY(lpot_need(compiler, zero_point, LPOT_PLAIN, &inputs[num_inputs++], err));
  }
  LPOT_TRY(lpot_define(compiler, product->node->outputs[0], layout, &dst, err));
  finish_state *state = lpot_calloc(1, sizeof *state + (size_t)count * sizeof(int32_t));
  if (state == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  state->blocks = product->blocks;
  state->count = count;
  state->zero_point_dtype = LPOT_DTYPE_UNKNOWN;
  lpot_status status = LPOT_OK;
  if (zero_point != LPOT_NONE) {
    state->zero_point_dtype = lpot_graph_value(compiler->graph, zero_point)->dtype;
  }
  for (size_t i = 0; i < product->num_parts && zero_point != LPOT_NONE && status == LPOT_OK; ++i) {
    status = add_correction(plan->steps[first_step + i].primitive, &plan->slots[product->src],
                            &plan->slots[sums[i]], count, state->correction, err);
  }
  if (status == LPOT_OK) {
    status = lpot_step_add(plan, product->node->name, "integer sums", run_finish, inputs,
                           num_inputs, &dst, 1, &step, err);
  }
  if (status != LPOT_OK) {
    lpot_free(state);
    return status;
  }
  step->state = state;
  return LPOT_OK;
}

/* ---- the product as f32 ---- */

typedef struct scaled_state {
  int64_t rows, columns;
  lpot_dtype zero_point_dtype;
  bool relu;
  const float *bias;    /* [columns] or NULL; the plan's */
  float *scales;        /* [columns] of the weights; behind the correction */
  float *factors;       /* [columns] the same times the input's scale; of one run */
  int32_t correction[]; /* [columns] sums that an input of ones gives */
} scaled_state;

/* Inputs: sums, zero point, scale. */
static lpot_status run_scaled(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  scaled_state *state = step->state;
  const int32_t *sums = lpot_slot_data(plan, step->slots[0]);
  const void *byte = lpot_slot_data(plan, step->slots[1]);
  float scale = *(const float *)lpot_slot_data(plan, step->slots[2]);
  float *out = lpot_slot_data(plan, step->slots[3]);
  int32_t zero_point =
      state->zero_point_dtype == LPOT_S8 ? *(const int8_t *)byte : *(const uint8_t *)byte;
  for (int64_t i = 0; i < state->columns; ++i) {
    state->factors[i] = scale * state->scales[i];
  }
  for (int64_t row = 0; row < state->rows; ++row) {
    int64_t start = row * state->columns;
    lpot_loop_scale_sums(sums + start, zero_point, state->correction, state->factors, state->bias,
                         state->relu, state->columns, out + start);
  }
  return LPOT_OK;
}

static lpot_status new_scaled_state(lpot_compiler *compiler, const integer_product *product,
                                    int64_t columns, scaled_state **ret_state, lpot_error *err) {
  const lpot_fusion *fusion = product->fusion;
  const float *bias = NULL;
  LPOT_TRY(lpot_fusion_bias(compiler, fusion, &bias, err));
  scaled_state *state = lpot_calloc(1, sizeof *state + 3 * (size_t)columns * sizeof(float));
  if (state == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  state->rows = product->blocks;
  state->columns = columns;
  state->zero_point_dtype = lpot_graph_value(compiler->graph, fusion->inputs[1].value)->dtype;
  state->relu = fusion->num_post_ops > 0;
  state->bias = bias;
  state->scales = (float *)(void *)(state->correction + columns);
  state->factors = state->scales + columns;
  for (int64_t i = 0; i < columns; ++i) {
    state->scales[i] = fusion->weight_scales[fusion->num_weight_scales == 1 ? 0 : i];
  }
  *ret_state = state;
  return LPOT_OK;
}

/* The primitive belongs to the last step of the plan. */
static lpot_status add_scaled(lpot_compiler *compiler, const integer_product *product,
                              lpot_slot_id sums, lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  const lpot_fusion *fusion = product->fusion;
  lpot_dl_primitive *primitive = plan->steps[plan->num_steps - 1].primitive;
  int64_t columns = product->parts[0]->shape.dims[1];
  lpot_slot_id inputs[3] = {sums, LPOT_NONE, LPOT_NONE};
  lpot_slot_id dst = LPOT_NONE;
  lpot_step *step = NULL;
  scaled_state *state = NULL;
  LPOT_TRY(lpot_need(compiler, fusion->inputs[1].value, LPOT_PLAIN, &inputs[1], err));
  LPOT_TRY(lpot_need(compiler, fusion->inputs[2].value, LPOT_PLAIN, &inputs[2], err));
  LPOT_TRY(lpot_define(compiler, fusion->output.value, LPOT_PLAIN, &dst, err));
  LPOT_TRY(new_scaled_state(compiler, product, columns, &state, err));
  lpot_status status = add_correction(primitive, &plan->slots[product->src], &plan->slots[sums],
                                      columns, state->correction, err);
  if (status == LPOT_OK) {
    status = lpot_step_add(plan, product->node->name, "scaled sums", run_scaled, inputs, 3, &dst, 1,
                           &step, err);
  }
  if (status != LPOT_OK) {
    lpot_free(state);
    return status;
  }
  step->state = state;
  return LPOT_OK;
}

typedef lpot_status (*primitive_maker)(const lpot_compiler *compiler,
                                       const integer_product *product, const lpot_tensor *weights,
                                       const lpot_slot *dst, lpot_dl_primitive **ret_primitive,
                                       lpot_error *err);

static lpot_status add_steps(lpot_compiler *compiler, const integer_product *product,
                             lpot_layout layout, lpot_dl_primitive *const *primitives,
                             lpot_slot_id *sums, size_t *ret_moved, lpot_error *err) {
  lpot_onednn_plan *plan = compiler->plan;
  const lpot_node *node = product->node;
  bool is_last =
      product->fusion == NULL && product->num_parts == 1 && lpot_node_input(node, 2) == LPOT_NONE;
  const lpot_shape shape = lpot_graph_value(compiler->graph, node->outputs[0])->shape;
  lpot_step *step = NULL;
  for (size_t i = 0; i < product->num_parts; ++i) {
    if (is_last) {
      LPOT_TRY(lpot_define(compiler, node->outputs[0], layout, &sums[i], err));
    } else {
      LPOT_TRY(lpot_slot_new(plan, LPOT_S32, &shape, layout, &sums[i], err));
    }
    LPOT_TRY(lpot_step_add(plan, node->name, product->kind, lpot_run_primitive, &product->src, 1,
                           &sums[i], 1, &step, err));
    step->primitive = primitives[i];
    *ret_moved = i + 1;
  }
  if (product->fusion != NULL) {
    LPOT_TRY(add_scaled(compiler, product, sums[0], err));
  } else if (!is_last) {
    LPOT_TRY(add_finish(compiler, product, sums, err));
  }
  return LPOT_OK;
}

/* All primitives are made before the first step is added: what oneDNN lacks leaves no traces. */
static lpot_status emit_product(lpot_compiler *compiler, const integer_product *product,
                                lpot_layout layout, primitive_maker make, lpot_error *err) {
  lpot_dl_primitive *primitives[MAX_PARTS] = {NULL, NULL};
  lpot_slot_id sums[MAX_PARTS] = {LPOT_NONE, LPOT_NONE};
  const lpot_slot dst = {.dtype = LPOT_S32,
                         .shape =
                             lpot_graph_value(compiler->graph, product->node->outputs[0])->shape,
                         .layout = layout};
  lpot_status status = LPOT_OK;
  size_t moved = 0;
  for (size_t i = 0; i < product->num_parts && status == LPOT_OK; ++i) {
    status = make(compiler, product, product->parts[i], &dst, &primitives[i], err);
  }
  if (status == LPOT_OK) {
    status = add_steps(compiler, product, layout, primitives, sums, &moved, err);
  }
  for (size_t i = moved; i < MAX_PARTS; ++i) {
    lpot_dl_primitive_free(primitives[i]);
  }
  return status;
}

/* ---- MatMulInteger: a, b, a_zero, b_zero ---- */

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

static lpot_status make_matmul(const lpot_compiler *compiler, const integer_product *product,
                               const lpot_tensor *weights, const lpot_slot *dst,
                               lpot_dl_primitive **ret_primitive, lpot_error *err) {
  const lpot_onednn_plan *plan = compiler->plan;
  int64_t depth = weights->shape.dims[0];
  int64_t columns = weights->shape.dims[1];
  lpot_dl_matmul matmul;
  (void)dst;
  memset(&matmul, 0, sizeof matmul);
  matmul.src = matrix_desc(plan->slots[product->src].dtype, product->blocks, depth);
  matmul.weights = matrix_desc(LPOT_S8, depth, columns);
  matmul.dst = matrix_desc(LPOT_S32, product->blocks, columns);
  matmul.constant_weights = weights->data;
  int8_attributes(&matmul.attributes);
  LPOT_TRY(lpot_dl_matmul_new(plan->dl, &matmul, ret_primitive, err));
  return LPOT_OK;
}

static lpot_status emit_matmul(lpot_compiler *compiler, const lpot_node *node,
                               const lpot_fusion *fusion, lpot_error *err) {
  integer_product product = {.node = node, .kind = "matmul int8", .fusion = fusion};
  const lpot_shape *output = &lpot_graph_value(compiler->graph, node->outputs[0])->shape;
  LPOT_TRY(check_node(compiler, node, err));
  if (lpot_graph_value(compiler->graph, node->inputs[0])->shape.rank < 2 ||
      lpot_graph_value(compiler->graph, node->inputs[1])->shape.rank != 2) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': weights are no matrix", node->name);
  }
  LPOT_TRY(split_weights(compiler, &product, 1, err));
  if (fusion != NULL && product.num_parts != 1) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': weights leave int8", node->name);
  }
  product.blocks = lpot_shape_elements(output) / product.parts[0]->shape.dims[1];
  LPOT_TRY(lpot_need(compiler, node->inputs[0], LPOT_PLAIN, &product.src, err));
  LPOT_TRY(emit_product(compiler, &product, LPOT_PLAIN, make_matmul, err));
  return LPOT_OK;
}

lpot_status lpot_emit_matmul_integer(lpot_compiler *compiler, const lpot_node *node,
                                     lpot_error *err) {
  LPOT_TRY(emit_matmul(compiler, node, NULL, err));
  return LPOT_OK;
}

lpot_status lpot_emit_integer_fusion(lpot_compiler *compiler, const lpot_fusion *fusion,
                                     lpot_error *err) {
  LPOT_TRY(emit_matmul(compiler, fusion->anchor, fusion, err));
  return LPOT_OK;
}

/* ---- ConvInteger: x, w, x_zero, w_zero ---- */

static lpot_status make_convolution(const lpot_compiler *compiler, const integer_product *product,
                                    const lpot_tensor *weights, const lpot_slot *dst,
                                    lpot_dl_primitive **ret_primitive, lpot_error *err) {
  const lpot_onednn_plan *plan = compiler->plan;
  const lpot_slot *src = &plan->slots[product->src];
  lpot_window window;
  lpot_dl_convolution convolution;
  LPOT_TRY(lpot_window_resolve(product->node, &src->shape, &weights->shape, &window, err));
  memset(&convolution, 0, sizeof convolution);
  lpot_fill_geometry(&window, &convolution);
  lpot_slot_desc(src, &convolution.src);
  lpot_slot_desc(dst, &convolution.dst);
  convolution.weights = weights->data;
  convolution.weight_dtype = LPOT_S8;
  int8_attributes(&convolution.attributes);
  LPOT_TRY(lpot_dl_convolution_new(plan->dl, &convolution, ret_primitive, err));
  return LPOT_OK;
}

lpot_status lpot_emit_conv_integer(lpot_compiler *compiler, const lpot_node *node,
                                   lpot_error *err) {
  const lpot_value *input = lpot_graph_value(compiler->graph, node->inputs[0]);
  integer_product product = {.node = node, .kind = "conv int8"};
  product.blocks = input->shape.dims[0];
  LPOT_TRY(check_node(compiler, node, err));
  if (input->dtype != LPOT_U8) { /* see needs_unsigned_source in emit_convolution.c */
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': the input is signed", node->name);
  }
  LPOT_TRY(split_weights(compiler, &product, 0, err));
  LPOT_TRY(lpot_need(compiler, node->inputs[0], LPOT_CHANNELS_LAST, &product.src, err));
  LPOT_TRY(emit_product(compiler, &product, LPOT_CHANNELS_LAST, make_convolution, err));
  return LPOT_OK;
}
