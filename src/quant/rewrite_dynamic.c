/* Dynamic quantization: an int8 op becomes an integer product between a quantization by the range
 * that the input has at run time and a multiplication by both scales. */
#include "quant/rewrite_plan.h"

/* A tensor that is quantized at run time, once for all its readers. */
typedef struct quantized_input {
  struct quantized_input *next;
  lpot_value_id source;
  lpot_value_id bytes, scale, zero_point;
} quantized_input;

/* A weight with its scales, once for all ops that use it alike. */
typedef struct quantized_matrix {
  struct quantized_matrix *next;
  lpot_value_id weight;
  int axis;
  float factor;
  bool transposed;
  lpot_value_id bytes, scales;
} quantized_matrix;

/* What has been made so far; arena. */
typedef struct dynamic_state {
  lpot_rewrite *rewrite;
  lpot_qdq_builder builder;
  quantized_input *inputs;
  quantized_matrix *matrices;
} dynamic_state;

/* ---- small nodes ---- */

static lpot_status add_value(const dynamic_state *state, const char *base, const char *suffix,
                             lpot_dtype dtype, const lpot_shape *shape, lpot_value_id *ret_value,
                             lpot_error *err) {
  const char *name = lpot_arena_printf(state->builder.arena, "%s%s", base, suffix);
  if (name == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  LPOT_TRY(lpot_graph_add_value(state->builder.graph, name, dtype, shape, ret_value, err));
  return LPOT_OK;
}

/* The node is called after base and its operator. */
static lpot_status add_node(const dynamic_state *state, lpot_op op, const char *base,
                            const lpot_value_id *inputs, size_t num_inputs,
                            const lpot_value_id *outputs, size_t num_outputs,
                            lpot_node_id *ret_node, lpot_error *err) {
  const char *name =
      lpot_arena_printf(state->builder.arena, "%s_%s", base, lpot_op_get_info(op)->name);
  if (name == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  LPOT_TRY(lpot_graph_add_node(state->builder.graph, op, name, inputs, num_inputs, outputs,
                               num_outputs, ret_node, err));
  return LPOT_OK;
}

static lpot_status add_binary(const dynamic_state *state, lpot_op op, const char *base,
                              lpot_value_id left, lpot_value_id right, lpot_value_id output,
                              lpot_error *err) {
  const lpot_value_id inputs[] = {left, right};
  lpot_node_id node = LPOT_NONE;
  LPOT_TRY(add_node(state, op, base, inputs, 2, &output, 1, &node, err));
  return LPOT_OK;
}

/* ---- operands ---- */

static lpot_status quantize_input(dynamic_state *state, lpot_value_id source,
                                  const quantized_input **ret_input, lpot_error *err) {
  for (const quantized_input *made = state->inputs; made != NULL; made = made->next) {
    if (made->source == source) {
      *ret_input = made;
      return LPOT_OK;
    }
  }
  quantized_input *input = lpot_arena_alloc(state->builder.arena, 1, sizeof *input);
  if (input == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  const char *base = lpot_graph_value(state->builder.graph, source)->name;
  const lpot_shape shape = lpot_graph_value(state->builder.graph, source)->shape;
  const lpot_shape scalar = lpot_shape_scalar();
  lpot_node_id node = LPOT_NONE;
  LPOT_TRY(add_value(state, base, "_quantized", LPOT_U8, &shape, &input->bytes, err));
  LPOT_TRY(add_value(state, base, "_scale", LPOT_F32, &scalar, &input->scale, err));
  LPOT_TRY(add_value(state, base, "_zero_point", LPOT_U8, &scalar, &input->zero_point, err));
  const lpot_value_id outputs[] = {input->bytes, input->scale, input->zero_point};
  LPOT_TRY(
      add_node(state, LPOT_OP_DYNAMIC_QUANTIZE_LINEAR, base, &source, 1, outputs, 3, &node, err));
  input->source = source;
  input->next = state->inputs;
  state->inputs = input;
  *ret_input = input;
  return LPOT_OK;
}

static const quantized_matrix *find_matrix(const dynamic_state *state,
                                           const quantized_matrix *wanted) {
  const quantized_matrix *made = state->matrices;
  while (made != NULL &&
         (made->weight != wanted->weight || made->axis != wanted->axis ||
          made->factor != wanted->factor || made->transposed != wanted->transposed)) {
    made = made->next;
  }
  return made;
}

static lpot_status add_matrix(const dynamic_state *state, lpot_rewritten_matrix *form,
                              quantized_matrix *matrix, lpot_error *err) {
  const char *base = lpot_graph_value(state->builder.graph, matrix->weight)->name;
  lpot_qdq_params params;
  LPOT_TRY(
      lpot_qdq_add_quantized_constant(&state->builder, base, &form->tensor, &matrix->bytes, err));
  /* Its zero points are 0 and stay unused. */
  LPOT_TRY(lpot_qdq_add_axis_params(&state->builder, base, LPOT_S8, form->scales, form->num_scales,
                                    form->axis, &params, err));
  matrix->scales = params.scale;
  return LPOT_OK;
}

static lpot_status quantize_matrix(dynamic_state *state, size_t index,
                                   const quantized_matrix **ret_matrix, lpot_error *err) {
  const lpot_quant_op *op = lpot_quant_ops_get(state->rewrite->ops, index);
  bool transposed = op->weight_axis == 0;
  lpot_rewritten_matrix form;
  LPOT_TRY(lpot_rewrite_quantize_matrix(state->rewrite, index, transposed, &form, err));
  const quantized_matrix wanted = {.next = state->matrices,
                                   .weight = op->weight,
                                   .axis = form.axis,
                                   .factor = form.factor,
                                   .transposed = transposed};
  *ret_matrix = find_matrix(state, &wanted);
  if (*ret_matrix != NULL) {
    lpot_tensor_unref(form.tensor);
    return LPOT_OK;
  }
  quantized_matrix *matrix = lpot_arena_alloc(state->builder.arena, 1, sizeof *matrix);
  if (matrix == NULL) {
    lpot_tensor_unref(form.tensor);
    return LPOT_OUT_OF_MEMORY(err);
  }
  *matrix = wanted;
  LPOT_TRY(add_matrix(state, &form, matrix, err));
  state->matrices = matrix;
  *ret_matrix = matrix;
  return LPOT_OK;
}

/* Gemm's C, times beta. */
static lpot_status scaled_bias(const dynamic_state *state, const lpot_quant_op *op,
                               lpot_value_id *ret_bias, lpot_error *err) {
  const lpot_node *node = lpot_graph_node(state->rewrite->graph, op->anchor);
  const lpot_value *value = lpot_graph_value(state->rewrite->graph, op->bias);
  float beta = lpot_node_float(node, "beta", 1);
  *ret_bias = op->bias;
  if (beta == 1) {
    return LPOT_OK;
  }
  lpot_tensor *tensor = NULL;
  LPOT_TRY(
      lpot_tensor_copy_of(LPOT_F32, &value->constant->shape, value->constant->data, &tensor, err));
  float *elements = tensor->data;
  for (int64_t i = 0; i < lpot_tensor_elements(tensor); i++) {
    elements[i] *= beta;
  }
  const char *name = lpot_arena_printf(state->builder.arena, "%s_scaled", value->name);
  lpot_status status =
      name == NULL ? LPOT_OUT_OF_MEMORY(err)
                   : lpot_graph_add_constant(state->builder.graph, name, &tensor, ret_bias, err);
  lpot_tensor_unref(tensor);
  return status;
}

/* ---- one op ---- */

/* The product of both operands as f32, not scaled yet. */
static lpot_status add_product(const dynamic_state *state, const char *base,
                               const quantized_input *input, const quantized_matrix *matrix,
                               const lpot_shape *shape, lpot_value_id *ret_value, lpot_error *err) {
  const lpot_value_id operands[] = {input->bytes, matrix->bytes, input->zero_point};
  lpot_value_id sums = LPOT_NONE;
  lpot_node_id node = LPOT_NONE;
  LPOT_TRY(add_value(state, base, "_sums", LPOT_S32, shape, &sums, err));
  LPOT_TRY(add_node(state, LPOT_OP_MATMUL_INTEGER, base, operands, 3, &sums, 1, &node, err));
  LPOT_TRY(add_value(state, base, "_product", LPOT_F32, shape, ret_value, err));
  LPOT_TRY(add_node(state, LPOT_OP_CAST, base, &sums, 1, ret_value, 1, &node, err));
  LPOT_TRY(lpot_graph_set_int(state->builder.graph, node, "to", lpot_dtype_to_onnx(LPOT_F32), err));
  return LPOT_OK;
}

static lpot_status add_scaling(const dynamic_state *state, const char *base,
                               const quantized_input *input, const quantized_matrix *matrix,
                               lpot_value_id product, lpot_value_id output, lpot_error *err) {
  const lpot_shape shape = lpot_graph_value(state->builder.graph, matrix->scales)->shape;
  const char *name = lpot_arena_printf(state->builder.arena, "%s_scales", base);
  lpot_value_id scales = LPOT_NONE;
  if (name == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  LPOT_TRY(lpot_graph_add_value(state->builder.graph, name, LPOT_F32, &shape, &scales, err));
  LPOT_TRY(add_binary(state, LPOT_OP_MUL, name, input->scale, matrix->scales, scales, err));
  LPOT_TRY(add_binary(state, LPOT_OP_MUL, base, product, scales, output, err));
  return LPOT_OK;
}

static lpot_status rewrite_op(dynamic_state *state, size_t index, lpot_error *err) {
  const lpot_quant_op *op = lpot_quant_ops_get(state->rewrite->ops, index);
  const lpot_node *node = lpot_graph_node(state->rewrite->graph, op->anchor);
  const lpot_value_id result = node->outputs[0];
  const lpot_shape shape = lpot_graph_value(state->rewrite->graph, result)->shape;
  bool has_bias = op->bias != LPOT_NONE && op->bias_add == LPOT_NONE;
  const quantized_input *input = NULL;
  const quantized_matrix *matrix = NULL;
  lpot_value_id product = LPOT_NONE;
  lpot_value_id scaled = result;
  LPOT_TRY(quantize_input(state, op->inputs[0], &input, err));
  LPOT_TRY(quantize_matrix(state, index, &matrix, err));
  lpot_graph_remove_node(state->builder.graph, op->anchor);
  LPOT_TRY(add_product(state, op->name, input, matrix, &shape, &product, err));
  if (has_bias) {
    LPOT_TRY(add_value(state, op->name, "_scaled", LPOT_F32, &shape, &scaled, err));
  }
  LPOT_TRY(add_scaling(state, op->name, input, matrix, product, scaled, err));
  if (has_bias) {
    lpot_value_id bias = LPOT_NONE;
    LPOT_TRY(scaled_bias(state, op, &bias, err));
    LPOT_TRY(add_binary(state, LPOT_OP_ADD, op->name, scaled, bias, result, err));
  }
  return LPOT_OK;
}

lpot_status lpot_rewrite_dynamic(lpot_rewrite *rewrite, lpot_error *err) {
  dynamic_state state = {.rewrite = rewrite, .builder = lpot_rewrite_builder(rewrite)};
  for (size_t i = 0; i < lpot_quant_ops_count(rewrite->ops); i++) {
    if (lpot_rewrite_is_int8(rewrite, i)) {
      LPOT_TRY(rewrite_op(&state, i, err));
    }
  }
  return LPOT_OK;
}
