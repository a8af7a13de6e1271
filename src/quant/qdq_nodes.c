#include "quant/qdq_nodes.h"

/* Adds a constant called <base><suffix>; *tensor is moved. */
static lpot_status add_named_constant(const lpot_qdq_builder *builder, const char *base,
                                      const char *suffix, lpot_tensor **tensor,
                                      lpot_value_id *ret_value, lpot_error *err) {
  const char *name = lpot_arena_printf(builder->arena, "%s%s", base, suffix);
  if (name == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  LPOT_TRY(lpot_graph_add_constant(builder->graph, name, tensor, ret_value, err));
  return LPOT_OK;
}

/* Moves *tensor in any case, as callers expect of a failed call too. */
static lpot_status add_constant(const lpot_qdq_builder *builder, const char *base,
                                const char *suffix, lpot_tensor **tensor, lpot_value_id *ret_value,
                                lpot_error *err) {
  lpot_status status = add_named_constant(builder, base, suffix, tensor, ret_value, err);
  lpot_tensor_unref(*tensor);
  *tensor = NULL;
  return status;
}

static lpot_status add_scales(const lpot_qdq_builder *builder, const char *base,
                              const float *scales, const lpot_shape *shape,
                              lpot_value_id *ret_value, lpot_error *err) {
  lpot_tensor *tensor = NULL;
  LPOT_TRY(lpot_tensor_copy_of(LPOT_F32, shape, scales, &tensor, err));
  LPOT_TRY(add_constant(builder, base, "_scale", &tensor, ret_value, err));
  return LPOT_OK;
}

static lpot_status add_zero_points(const lpot_qdq_builder *builder, const char *base,
                                   lpot_dtype dtype, int32_t zero_point, const lpot_shape *shape,
                                   lpot_value_id *ret_value, lpot_error *err) {
  lpot_tensor *tensor = NULL;
  LPOT_TRY(lpot_tensor_new(dtype, shape, &tensor, err));
  for (int64_t i = 0; i < lpot_tensor_elements(tensor); i++) {
    lpot_tensor_set_int(tensor, i, zero_point);
  }
  LPOT_TRY(add_constant(builder, base, "_zero_point", &tensor, ret_value, err));
  return LPOT_OK;
}

lpot_status lpot_qdq_add_params(const lpot_qdq_builder *builder, const char *base,
                                const lpot_quant_params *params, lpot_qdq_params *ret_params,
                                lpot_error *err) {
  const lpot_shape shape = lpot_shape_scalar();
  lpot_qdq_params result = {.dtype = params->dtype, .axis = LPOT_NONE};
  LPOT_TRY(add_scales(builder, base, &params->scale, &shape, &result.scale, err));
  LPOT_TRY(add_zero_points(builder, base, params->dtype, params->zero_point, &shape,
                           &result.zero_point, err));
  *ret_params = result;
  return LPOT_OK;
}

lpot_status lpot_qdq_add_axis_params(const lpot_qdq_builder *builder, const char *base,
                                     lpot_dtype dtype, const float *scales, int64_t count, int axis,
                                     lpot_qdq_params *ret_params, lpot_error *err) {
  const lpot_shape shape = axis == LPOT_NONE ? lpot_shape_scalar() : lpot_shape_of(1, &count);
  lpot_qdq_params result = {.dtype = dtype, .axis = axis};
  LPOT_TRY(add_scales(builder, base, scales, &shape, &result.scale, err));
  LPOT_TRY(add_zero_points(builder, base, dtype, 0, &shape, &result.zero_point, err));
  *ret_params = result;
  return LPOT_OK;
}

static lpot_status add_value(const lpot_qdq_builder *builder, const char *base, const char *suffix,
                             lpot_dtype dtype, lpot_value_id like, lpot_value_id *ret_value,
                             lpot_error *err) {
  const char *name = lpot_arena_printf(builder->arena, "%s%s", base, suffix);
  if (name == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  const lpot_shape shape = lpot_graph_value(builder->graph, like)->shape;
  LPOT_TRY(lpot_graph_add_value(builder->graph, name, dtype, &shape, ret_value, err));
  return LPOT_OK;
}

static lpot_status add_node(const lpot_qdq_builder *builder, lpot_op op, const char *base,
                            const char *suffix, lpot_value_id input, const lpot_qdq_params *params,
                            lpot_value_id output, lpot_error *err) {
  const char *name = lpot_arena_printf(builder->arena, "%s%s", base, suffix);
  if (name == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  const lpot_value_id inputs[] = {input, params->scale, params->zero_point};
  lpot_node_id node = LPOT_NONE;
  LPOT_TRY(lpot_graph_add_node(builder->graph, op, name, inputs, 3, &output, 1, &node, err));
  if (params->axis != LPOT_NONE) {
    LPOT_TRY(lpot_graph_set_int(builder->graph, node, "axis", params->axis, err));
  }
  return LPOT_OK;
}

lpot_status lpot_qdq_add_quantize(const lpot_qdq_builder *builder, const char *base,
                                  lpot_value_id input, const lpot_qdq_params *params,
                                  lpot_value_id *ret_quantized, lpot_error *err) {
  lpot_value_id output = LPOT_NONE;
  LPOT_TRY(add_value(builder, base, "_quantized", params->dtype, input, &output, err));
  LPOT_TRY(add_node(builder, LPOT_OP_QUANTIZE_LINEAR, base, "_QuantizeLinear", input, params,
                    output, err));
  *ret_quantized = output;
  return LPOT_OK;
}

lpot_status lpot_qdq_add_dequantize(const lpot_qdq_builder *builder, const char *base,
                                    lpot_value_id quantized, const lpot_qdq_params *params,
                                    lpot_value_id output, lpot_value_id *ret_value,
                                    lpot_error *err) {
  if (output == LPOT_NONE) {
    LPOT_TRY(add_value(builder, base, "_dequantized", LPOT_F32, quantized, &output, err));
  }
  LPOT_TRY(add_node(builder, LPOT_OP_DEQUANTIZE_LINEAR, base, "_DequantizeLinear", quantized,
                    params, output, err));
  *ret_value = output;
  return LPOT_OK;
}

lpot_status lpot_qdq_add_quantized_constant(const lpot_qdq_builder *builder, const char *base,
                                            lpot_tensor **tensor, lpot_value_id *ret_value,
                                            lpot_error *err) {
  LPOT_TRY(add_constant(builder, base, "_quantized", tensor, ret_value, err));
  return LPOT_OK;
}

/* ---- reading ---- */

static bool read_params(const lpot_graph *graph, const lpot_node *node,
                        lpot_qdq_params *ret_params) {
  lpot_value_id zero_point = lpot_node_input(node, 2);
  if (zero_point == LPOT_NONE) {
    return false;
  }
  const lpot_tensor *scales = lpot_graph_value(graph, node->inputs[1])->constant;
  const lpot_tensor *zeros = lpot_graph_value(graph, zero_point)->constant;
  if (scales == NULL || zeros == NULL || scales->dtype != LPOT_F32) {
    return false;
  }
  bool is_scalar = lpot_tensor_elements(scales) == 1;
  ret_params->dtype = zeros->dtype;
  ret_params->scale = node->inputs[1];
  ret_params->zero_point = zero_point;
  ret_params->axis = is_scalar ? LPOT_NONE : (int)lpot_node_int(node, "axis", 1);
  return true;
}

bool lpot_qdq_read_dequantize(const lpot_graph *graph, lpot_value_id value,
                              lpot_value_id *ret_quantized, lpot_qdq_params *ret_params) {
  if (value == LPOT_NONE) {
    return false;
  }
  lpot_node_id producer = lpot_graph_value(graph, value)->producer;
  if (producer == LPOT_NONE) {
    return false;
  }
  const lpot_node *node = lpot_graph_node(graph, producer);
  if (node->op != LPOT_OP_DEQUANTIZE_LINEAR || !read_params(graph, node, ret_params)) {
    return false;
  }
  *ret_quantized = node->inputs[0];
  return true;
}

bool lpot_qdq_read_quantize(const lpot_graph *graph, const lpot_node *node,
                            lpot_qdq_params *ret_params) {
  return node->op == LPOT_OP_QUANTIZE_LINEAR && read_params(graph, node, ret_params);
}

bool lpot_qdq_params_equal(const lpot_graph *graph, const lpot_qdq_params *a,
                           const lpot_qdq_params *b) {
  if (a->dtype != b->dtype || a->axis != LPOT_NONE || b->axis != LPOT_NONE) {
    return false;
  }
  const lpot_tensor *scale_a = lpot_graph_value(graph, a->scale)->constant;
  const lpot_tensor *scale_b = lpot_graph_value(graph, b->scale)->constant;
  const lpot_tensor *zero_a = lpot_graph_value(graph, a->zero_point)->constant;
  const lpot_tensor *zero_b = lpot_graph_value(graph, b->zero_point)->constant;
  return lpot_tensor_get_double(scale_a, 0) == lpot_tensor_get_double(scale_b, 0) &&
         lpot_tensor_get_int(zero_a, 0) == lpot_tensor_get_int(zero_b, 0);
}
