/* QDQ groups become single operators on int8 tensors. ONNX Runtime's CPU kernels set the
 * conditions: where they are not met, a group stays as it is, which is right but slower. */
#include "base/memory.h"
#include "graph/passes/passes.h"
#include "quant/qdq_nodes.h"
#include "quant/quant_ops.h"
#include "quant/rewrite.h"

#define MAX_FIXED_INPUTS 9

/* A tensor in quantized form. */
typedef struct int8_tensor {
  lpot_value_id quantized;
  lpot_qdq_params params;
} int8_tensor;

typedef struct group {
  lpot_graph *graph;     /* borrowed */
  const lpot_node *node; /* the operator between DequantizeLinear and QuantizeLinear */
  int8_tensor output;    /* behind the QuantizeLinear that is its only reader */
  lpot_node_id quantize; /* that node */
} group;

/* ---- recognising ---- */

static bool read_input(const group *found, int index, int8_tensor *ret) {
  return lpot_qdq_read_dequantize(found->graph, lpot_node_input(found->node, index),
                                  &ret->quantized, &ret->params);
}

/* True in *ret_found when the only reader of the node's output is a QuantizeLinear. */
static lpot_status read_output(group *found, int index, bool *ret_found, lpot_error *err) {
  const lpot_node_id *readers = NULL;
  size_t count = 0;
  lpot_value_id value = found->node->outputs[index];
  *ret_found = false;
  if (value == LPOT_NONE) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_graph_consumers(found->graph, value, &readers, &count, err));
  if (count != 1 || lpot_graph_is_output(found->graph, value)) {
    return LPOT_OK;
  }
  const lpot_node *reader = lpot_graph_node(found->graph, readers[0]);
  if (!lpot_qdq_read_quantize(found->graph, reader, &found->output.params)) {
    return LPOT_OK;
  }
  found->quantize = reader->id;
  found->output.quantized = reader->outputs[0];
  *ret_found = found->output.params.axis == LPOT_NONE;
  return LPOT_OK;
}

/* Both are per-tensor and of one type. */
static bool same_type(const int8_tensor *a, const int8_tensor *b) {
  return a->params.axis == LPOT_NONE && b->params.axis == LPOT_NONE &&
         a->params.dtype == b->params.dtype;
}

/* s8, per tensor or along axis. */
static bool is_weight(const int8_tensor *weight, int axis) {
  return weight->params.dtype == LPOT_S8 &&
         (weight->params.axis == LPOT_NONE || weight->params.axis == axis);
}

/* ---- replacing ---- */

/* The node turns into op, reads inputs and writes what the QuantizeLinear wrote. */
static lpot_status become(const group *found, lpot_op op, const lpot_value_id *inputs,
                          size_t num_inputs, lpot_error *err) {
  lpot_node_id node = found->node->id;
  lpot_graph_remove_node(found->graph, found->quantize);
  LPOT_TRY(lpot_graph_set_output(found->graph, node, 0, found->output.quantized, err));
  lpot_graph_set_op(found->graph, node, op);
  LPOT_TRY(lpot_graph_set_inputs(found->graph, node, inputs, num_inputs, err));
  return LPOT_OK;
}

/* Appends tensor, scale, zero point. */
static size_t put_triple(lpot_value_id *inputs, size_t count, const int8_tensor *tensor) {
  inputs[count] = tensor->quantized;
  inputs[count + 1] = tensor->params.scale;
  inputs[count + 2] = tensor->params.zero_point;
  return count + 3;
}

static size_t put_params(lpot_value_id *inputs, size_t count, const int8_tensor *tensor) {
  inputs[count] = tensor->params.scale;
  inputs[count + 1] = tensor->params.zero_point;
  return count + 2;
}

/* The s32 bias of a Conv or Gemm; false when it has one in another form. */
static bool read_bias(const group *found, lpot_value_id *ret_bias) {
  int8_tensor bias;
  *ret_bias = LPOT_NONE;
  if (lpot_node_input(found->node, 2) == LPOT_NONE) {
    return true;
  }
  if (!read_input(found, 2, &bias) || bias.params.dtype != LPOT_S32) {
    return false;
  }
  *ret_bias = bias.quantized;
  return true;
}

static lpot_status convert_conv(group *found, lpot_error *err) {
  int8_tensor input;
  int8_tensor weight;
  lpot_value_id bias = LPOT_NONE;
  if (!read_input(found, 0, &input) || !read_input(found, 1, &weight) || !read_bias(found, &bias) ||
      !same_type(&input, &found->output) || !is_weight(&weight, 0)) {
    return LPOT_OK;
  }
  lpot_value_id inputs[MAX_FIXED_INPUTS];
  size_t count = put_triple(inputs, 0, &input);
  count = put_triple(inputs, count, &weight);
  count = put_params(inputs, count, &found->output);
  if (bias != LPOT_NONE) {
    inputs[count++] = bias;
  }
  LPOT_TRY(become(found, LPOT_OP_QLINEAR_CONV, inputs, count, err));
  return LPOT_OK;
}

static lpot_status convert_gemm(group *found, lpot_error *err) {
  int8_tensor input;
  int8_tensor weight;
  lpot_value_id bias = LPOT_NONE;
  int axis = lpot_node_int(found->node, "transB", 0) != 0 ? 0 : 1;
  if (!read_input(found, 0, &input) || !read_input(found, 1, &weight) || !read_bias(found, &bias) ||
      !same_type(&input, &found->output) || !is_weight(&weight, axis) ||
      lpot_node_float(found->node, "alpha", 1) != 1 ||
      lpot_node_float(found->node, "beta", 1) != 1) {
    return LPOT_OK;
  }
  lpot_value_id inputs[MAX_FIXED_INPUTS];
  size_t count = put_triple(inputs, 0, &input);
  count = put_triple(inputs, count, &weight);
  inputs[count++] = bias;
  count = put_params(inputs, count, &found->output);
  lpot_graph_remove_attribute(found->graph, found->node->id, "beta");
  LPOT_TRY(become(found, LPOT_OP_QGEMM, inputs, count, err));
  return LPOT_OK;
}

/* ONNX Runtime has kernels for u8 by u8, u8 by s8 and s8 by s8. */
static bool has_matmul_kernel(const int8_tensor *left, const int8_tensor *right) {
  bool is_matrix = right->params.axis == LPOT_NONE || is_weight(right, 1);
  return is_matrix && left->params.axis == LPOT_NONE &&
         (left->params.dtype == LPOT_U8 || right->params.dtype == LPOT_S8);
}

static lpot_status convert_matmul(group *found, lpot_error *err) {
  int8_tensor left;
  int8_tensor right;
  if (!read_input(found, 0, &left) || !read_input(found, 1, &right) ||
      !same_type(&left, &found->output) || !has_matmul_kernel(&left, &right)) {
    return LPOT_OK;
  }
  lpot_value_id inputs[MAX_FIXED_INPUTS];
  size_t count = put_triple(inputs, 0, &left);
  count = put_triple(inputs, count, &right);
  count = put_params(inputs, count, &found->output);
  LPOT_TRY(become(found, LPOT_OP_QLINEAR_MATMUL, inputs, count, err));
  return LPOT_OK;
}

static lpot_status convert_binary(group *found, lpot_error *err) {
  int8_tensor left;
  int8_tensor right;
  if (!read_input(found, 0, &left) || !read_input(found, 1, &right) ||
      !same_type(&left, &found->output) || !same_type(&right, &found->output)) {
    return LPOT_OK;
  }
  lpot_value_id inputs[MAX_FIXED_INPUTS];
  size_t count = put_triple(inputs, 0, &left);
  count = put_triple(inputs, count, &right);
  count = put_params(inputs, count, &found->output);
  lpot_op op = found->node->op == LPOT_OP_ADD ? LPOT_OP_QLINEAR_ADD : LPOT_OP_QLINEAR_MUL;
  LPOT_TRY(become(found, op, inputs, count, err));
  return LPOT_OK;
}

static lpot_status convert_pool(group *found, lpot_error *err) {
  int8_tensor input;
  bool is_global = found->node->op == LPOT_OP_GLOBAL_AVERAGE_POOL;
  if (!read_input(found, 0, &input) || !same_type(&input, &found->output) ||
      lpot_node_attribute(found->node, "dilations") != NULL) {
    return LPOT_OK;
  }
  lpot_value_id inputs[MAX_FIXED_INPUTS];
  size_t count = put_triple(inputs, 0, &input);
  count = put_params(inputs, count, &found->output);
  LPOT_TRY(lpot_graph_set_int(found->graph, found->node->id, "channels_last", 0, err));
  LPOT_TRY(become(found,
                  is_global ? LPOT_OP_QLINEAR_GLOBAL_AVERAGE_POOL : LPOT_OP_QLINEAR_AVERAGE_POOL,
                  inputs, count, err));
  return LPOT_OK;
}

static bool read_concat_inputs(const group *found, lpot_value_id *inputs) {
  size_t count = put_params(inputs, 0, &found->output);
  for (int i = 0; i < found->node->num_inputs; i++) {
    int8_tensor input;
    if (!read_input(found, i, &input) || !same_type(&input, &found->output)) {
      return false;
    }
    count = put_triple(inputs, count, &input);
  }
  return true;
}

static lpot_status convert_concat(group *found, lpot_error *err) {
  size_t count = 2 + 3 * (size_t)found->node->num_inputs;
  lpot_value_id *inputs = lpot_calloc(count, sizeof *inputs);
  if (inputs == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = LPOT_OK;
  if (read_concat_inputs(found, inputs)) {
    status = become(found, LPOT_OP_QLINEAR_CONCAT, inputs, count, err);
  }
  lpot_free(inputs);
  return status;
}

/* ---- transparent operators: the same node, on int8 ---- */

static lpot_status check_outputs(group *found, const int8_tensor *input, bool *ret_equal,
                                 lpot_error *err) {
  *ret_equal = true;
  for (int i = 0; i < found->node->num_outputs && *ret_equal; i++) {
    bool is_quantized = false;
    LPOT_TRY(read_output(found, i, &is_quantized, err));
    *ret_equal =
        is_quantized && lpot_qdq_params_equal(found->graph, &input->params, &found->output.params);
  }
  return LPOT_OK;
}

static lpot_status convert_transparent(group *found, lpot_error *err) {
  int8_tensor input;
  bool is_equal = false;
  if (!read_input(found, 0, &input)) {
    return LPOT_OK;
  }
  LPOT_TRY(check_outputs(found, &input, &is_equal, err));
  if (!is_equal) {
    return LPOT_OK;
  }
  for (int i = 0; i < found->node->num_outputs; i++) {
    bool is_quantized = false;
    LPOT_TRY(read_output(found, i, &is_quantized, err));
    lpot_graph_remove_node(found->graph, found->quantize);
    LPOT_TRY(lpot_graph_set_output(found->graph, found->node->id, i, found->output.quantized, err));
  }
  LPOT_TRY(lpot_graph_set_input(found->graph, found->node->id, 0, input.quantized, err));
  return LPOT_OK;
}

/* ---- MatMul with a bias: MatMulIntegerToFloat, then what follows in f32 ---- */

/* The Add of a constant row that alone reads the MatMul, or NULL. */
static lpot_status find_bias_add(const group *found, const lpot_node **ret_add,
                                 lpot_value_id *ret_bias, lpot_error *err) {
  const lpot_node_id *readers = NULL;
  size_t count = 0;
  lpot_value_id value = found->node->outputs[0];
  *ret_add = NULL;
  LPOT_TRY(lpot_graph_consumers(found->graph, value, &readers, &count, err));
  if (count != 1 || lpot_graph_is_output(found->graph, value)) {
    return LPOT_OK;
  }
  const lpot_node *add = lpot_graph_node(found->graph, readers[0]);
  if (add->op != LPOT_OP_ADD) {
    return LPOT_OK;
  }
  lpot_value_id other = add->inputs[0] == value ? add->inputs[1] : add->inputs[0];
  const lpot_tensor *bias = lpot_graph_value(found->graph, other)->constant;
  if (bias == NULL || bias->dtype != LPOT_F32 || bias->shape.rank < 1 ||
      bias->shape.dims[bias->shape.rank - 1] != lpot_tensor_elements(bias)) {
    return LPOT_OK;
  }
  *ret_add = add;
  *ret_bias = other;
  return LPOT_OK;
}

/* The operator wants its bias with one axis. */
static lpot_status flatten_bias(const group *found, lpot_value_id *bias, lpot_error *err) {
  const lpot_tensor *constant = lpot_graph_value(found->graph, *bias)->constant;
  int64_t count = lpot_tensor_elements(constant);
  const lpot_shape shape = lpot_shape_of(1, &count);
  lpot_tensor *tensor = NULL;
  if (constant->shape.rank == 1) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_tensor_copy_of(LPOT_F32, &shape, constant->data, &tensor, err));
  lpot_status status = lpot_graph_add_constant(found->graph, NULL, &tensor, bias, err);
  lpot_tensor_unref(tensor);
  return status;
}

static lpot_status convert_biased_matmul(group *found, lpot_error *err) {
  int8_tensor left;
  int8_tensor right;
  const lpot_node *add = NULL;
  lpot_value_id bias = LPOT_NONE;
  if (!read_input(found, 0, &left) || !read_input(found, 1, &right) ||
      !has_matmul_kernel(&left, &right)) {
    return LPOT_OK;
  }
  LPOT_TRY(find_bias_add(found, &add, &bias, err));
  if (add == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(flatten_bias(found, &bias, err));
  const lpot_value_id inputs[] = {left.quantized,
                                  right.quantized,
                                  left.params.scale,
                                  right.params.scale,
                                  left.params.zero_point,
                                  right.params.zero_point,
                                  bias};
  lpot_value_id result = add->outputs[0];
  lpot_node_id node = found->node->id;
  lpot_graph_remove_node(found->graph, add->id);
  LPOT_TRY(lpot_graph_set_output(found->graph, node, 0, result, err));
  lpot_graph_set_op(found->graph, node, LPOT_OP_MATMUL_INTEGER_TO_FLOAT);
  LPOT_TRY(
      lpot_graph_set_inputs(found->graph, node, inputs, sizeof inputs / sizeof inputs[0], err));
  return LPOT_OK;
}

/* ---- the table ---- */

typedef lpot_status (*convert_function)(group *found, lpot_error *err);

typedef struct conversion {
  lpot_op op;
  convert_function convert;
} conversion;

static const conversion conversions[] = {
    {LPOT_OP_CONV, convert_conv},         {LPOT_OP_GEMM, convert_gemm},
    {LPOT_OP_MATMUL, convert_matmul},     {LPOT_OP_ADD, convert_binary},
    {LPOT_OP_MUL, convert_binary},        {LPOT_OP_CONCAT, convert_concat},
    {LPOT_OP_AVERAGE_POOL, convert_pool}, {LPOT_OP_GLOBAL_AVERAGE_POOL, convert_pool},
};

static convert_function find_conversion(lpot_op op) {
  for (size_t i = 0; i < sizeof conversions / sizeof conversions[0]; i++) {
    if (conversions[i].op == op) {
      return conversions[i].convert;
    }
  }
  return NULL;
}

static lpot_status convert_node(lpot_graph *graph, const lpot_node *node, lpot_error *err) {
  group found = {.graph = graph, .node = node};
  bool is_group = false;
  if (lpot_quant_is_transparent(node->op)) {
    LPOT_TRY(convert_transparent(&found, err));
    return LPOT_OK;
  }
  convert_function convert = find_conversion(node->op);
  if (convert == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(read_output(&found, 0, &is_group, err));
  if (is_group) {
    LPOT_TRY(convert(&found, err));
  } else if (node->op == LPOT_OP_MATMUL) {
    LPOT_TRY(convert_biased_matmul(&found, err));
  }
  return LPOT_OK;
}

static lpot_status convert_graph(lpot_graph *graph, lpot_error *err) {
  size_t count = lpot_graph_num_nodes(graph);
  for (size_t i = 0; i < count; i++) {
    const lpot_node *node = lpot_graph_node(graph, (lpot_node_id)i);
    if (!node->removed) {
      LPOT_TRY(convert_node(graph, node, err));
    }
  }
  LPOT_TRY(lpot_pass_remove_dead(graph, err));
  return LPOT_OK;
}

lpot_status lpot_quant_to_qoperator(const lpot_graph *qdq, lpot_graph **ret_graph,
                                    lpot_error *err) {
  lpot_graph *graph = NULL;
  LPOT_TRY(lpot_graph_clone(qdq, &graph, err));
  lpot_status status = convert_graph(graph, err);
  if (status != LPOT_OK) {
    lpot_graph_free(graph);
    return status;
  }
  *ret_graph = graph;
  return LPOT_OK;
}
