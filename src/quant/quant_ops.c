#include "quant/quant_ops.h"

#include "base/arena.h"
#include "base/memory.h"

struct lpot_quant_ops {
  const lpot_graph *graph; /* borrowed */
  bool dynamic;
  lpot_arena *arena;  /* owned: the inputs of the ops */
  lpot_quant_op *ops; /* [capacity], owned */
  size_t count;
  lpot_quant_op *others; /* [capacity], owned */
  size_t num_others;
  const char **names; /* [capacity], owned; the strings are the graph's */
  const char **types; /* [capacity], owned */
};

typedef struct finder {
  const lpot_graph *graph;
  const lpot_graph *bound;
  lpot_quant_ops *list;
  bool *absorbed; /* [number of nodes]: belongs to an op found before */
} finder;

static const char not_f32[] = "not f32";
static const char no_int8_form[] = "no int8 form";
static const char operand_constant[] = "one operand is constant";
static const char no_dynamic_form[] = "dynamic quantization is for MatMul and Gemm only";
static const char no_weight[] = "dynamic quantization needs a constant weight";

/* ---- what the bound graph knows about values ---- */

static const lpot_shape *shape_of(const finder *find, lpot_value_id value) {
  return &lpot_graph_value(find->bound, value)->shape;
}

static bool is_f32(const finder *find, lpot_value_id value) {
  return value != LPOT_NONE && lpot_graph_value(find->bound, value)->dtype == LPOT_F32;
}

/* Known before run time, perhaps only once the batch size is: calibration never sees such a value.
 */
static bool is_constant(const finder *find, lpot_value_id value) {
  return lpot_graph_value(find->graph, value)->constant != NULL ||
         lpot_graph_value(find->bound, value)->constant != NULL;
}

/* The f32 constant behind value, or NULL. */
static const lpot_tensor *f32_constant(const finder *find, lpot_value_id value) {
  const lpot_tensor *tensor = lpot_graph_value(find->graph, value)->constant;
  return tensor != NULL && tensor->dtype == LPOT_F32 ? tensor : NULL;
}

/* A vector of count elements that broadcasts over the last axis, whatever its leading ones. */
static bool is_row(const lpot_tensor *tensor, int64_t count) {
  int rank = tensor->shape.rank;
  return rank >= 1 && tensor->shape.dims[rank - 1] == count &&
         lpot_tensor_elements(tensor) == count;
}

/* ---- one function per operator: fills op, returns the reason against it or NULL ---- */

typedef const char *(*match_function)(const finder *find, const lpot_node *node, lpot_quant_op *op);

static const char *match_conv(const finder *find, const lpot_node *node, lpot_quant_op *op) {
  lpot_value_id bias = lpot_node_input(node, 2);
  const lpot_tensor *weight = f32_constant(find, node->inputs[1]);
  if (weight == NULL) {
    return "the weight is not a constant";
  }
  if (weight->shape.rank == 5) {
    return "3-D convolution";
  }
  if (weight->shape.rank != 3 && weight->shape.rank != 4) {
    return "the weight's rank is neither 3 nor 4";
  }
  if (bias != LPOT_NONE) {
    const lpot_tensor *constant = f32_constant(find, bias);
    if (constant == NULL || !is_row(constant, weight->shape.dims[0])) {
      return "the bias is not a constant vector";
    }
  }
  op->weight = node->inputs[1];
  op->weight_axis = 0;
  op->bias = bias;
  op->inputs[op->num_inputs++] = node->inputs[0];
  return NULL;
}

static const char *match_conv_transpose(const finder *find, const lpot_node *node,
                                        lpot_quant_op *op) {
  (void)find;
  (void)node;
  (void)op;
  return "ONNX Runtime has no int8 ConvTranspose";
}

static const char *match_gemm(const finder *find, const lpot_node *node, lpot_quant_op *op) {
  const lpot_tensor *weight = f32_constant(find, node->inputs[1]);
  lpot_value_id bias = lpot_node_input(node, 2);
  int transposed = lpot_node_int(node, "transB", 0) != 0;
  if (lpot_node_int(node, "transA", 0) != 0) {
    return "transA is set";
  }
  if (weight == NULL) {
    return "B is not a constant";
  }
  if (weight->shape.rank != 2) {
    return "B is not a matrix";
  }
  if (bias != LPOT_NONE) {
    const lpot_tensor *constant = f32_constant(find, bias);
    if (constant == NULL || !is_row(constant, weight->shape.dims[transposed ? 0 : 1])) {
      return "C is not a constant vector";
    }
  }
  op->weight = node->inputs[1];
  op->weight_axis = transposed ? 0 : 1;
  op->bias = bias;
  op->inputs[op->num_inputs++] = node->inputs[0];
  return NULL;
}

static const char *match_matmul(const finder *find, const lpot_node *node, lpot_quant_op *op) {
  const lpot_tensor *weight = f32_constant(find, node->inputs[1]);
  if (is_constant(find, node->inputs[0])) {
    return "the left operand is constant";
  }
  if (shape_of(find, node->inputs[0])->rank < 2 || shape_of(find, node->inputs[1])->rank < 2) {
    return "one operand is a vector";
  }
  op->inputs[op->num_inputs++] = node->inputs[0];
  if (weight == NULL) {
    op->inputs[op->num_inputs++] = node->inputs[1];
    return is_constant(find, node->inputs[1]) ? operand_constant : NULL;
  }
  if (weight->shape.rank != 2) {
    return "the constant operand is not a matrix";
  }
  op->weight = node->inputs[1];
  op->weight_axis = 1;
  return NULL;
}

static const char *match_activations(const finder *find, const lpot_node *node, lpot_quant_op *op) {
  for (int i = 0; i < node->num_inputs; i++) {
    if (is_constant(find, node->inputs[i])) {
      return operand_constant;
    }
    op->inputs[op->num_inputs++] = node->inputs[i];
  }
  return NULL;
}

static const char *match_pool(const finder *find, const lpot_node *node, lpot_quant_op *op) {
  int rank = shape_of(find, node->inputs[0])->rank;
  if (rank != 3 && rank != 4) {
    return "pooling over other than one or two axes";
  }
  return match_activations(find, node, op);
}

typedef struct anchor_rule {
  lpot_op op;
  match_function match;
  bool takes_activation; /* Relu or Clip behind it belongs to the op */
  bool can_be_dynamic;
} anchor_rule;

static const anchor_rule anchor_rules[] = {
    {LPOT_OP_CONV, match_conv, true, false},
    {LPOT_OP_CONV_TRANSPOSE, match_conv_transpose, false, false},
    {LPOT_OP_GEMM, match_gemm, true, true},
    {LPOT_OP_MATMUL, match_matmul, true, true},
    {LPOT_OP_ADD, match_activations, true, false},
    {LPOT_OP_MUL, match_activations, true, false},
    {LPOT_OP_AVERAGE_POOL, match_pool, false, false},
    {LPOT_OP_GLOBAL_AVERAGE_POOL, match_pool, false, false},
    {LPOT_OP_CONCAT, match_activations, false, false},
};

static const anchor_rule *find_rule(lpot_op op) {
  for (size_t i = 0; i < sizeof anchor_rules / sizeof anchor_rules[0]; i++) {
    if (anchor_rules[i].op == op) {
      return &anchor_rules[i];
    }
  }
  return NULL;
}

/* ---- transparent operators ---- */

typedef struct transparent_rule {
  lpot_op op;
  bool rearranges; /* same elements, another order or shape */
} transparent_rule;

static const transparent_rule transparent_rules[] = {
    {LPOT_OP_MAX_POOL, false}, {LPOT_OP_SLICE, false},    {LPOT_OP_SPLIT, false},
    {LPOT_OP_RESHAPE, true},   {LPOT_OP_TRANSPOSE, true}, {LPOT_OP_FLATTEN, true},
    {LPOT_OP_SQUEEZE, true},   {LPOT_OP_UNSQUEEZE, true}, {LPOT_OP_GATHER, false},
};

static const transparent_rule *find_transparent(lpot_op op) {
  for (size_t i = 0; i < sizeof transparent_rules / sizeof transparent_rules[0]; i++) {
    if (transparent_rules[i].op == op) {
      return &transparent_rules[i];
    }
  }
  return NULL;
}

bool lpot_quant_is_transparent(lpot_op op) {
  return find_transparent(op) != NULL;
}

bool lpot_quant_is_carried(const lpot_graph *graph, const lpot_node *node, int index) {
  lpot_value_id output = node->outputs[index];
  return output != LPOT_NONE &&
         lpot_graph_value(graph, output)->dtype == lpot_graph_value(graph, node->inputs[0])->dtype;
}

lpot_value_id lpot_quant_statistics_source(const lpot_graph *graph, lpot_value_id value) {
  for (;;) {
    lpot_node_id producer = lpot_graph_value(graph, value)->producer;
    if (producer == LPOT_NONE) {
      return value;
    }
    const lpot_node *node = lpot_graph_node(graph, producer);
    const transparent_rule *rule = find_transparent(node->op);
    if (rule == NULL || !rule->rearranges) {
      return value;
    }
    value = node->inputs[0];
  }
}

/* ---- the nodes computed with an anchor ---- */

/* The only reader of value, or NULL when there are others or value is a graph output. */
static lpot_status only_reader(const finder *find, lpot_value_id value, const lpot_node **ret_node,
                               lpot_error *err) {
  const lpot_node_id *readers = NULL;
  size_t count = 0;
  *ret_node = NULL;
  LPOT_TRY(lpot_graph_consumers(find->graph, value, &readers, &count, err));
  if (count == 1 && !lpot_graph_is_output(find->graph, value)) {
    *ret_node = lpot_graph_node(find->graph, readers[0]);
  }
  return LPOT_OK;
}

static lpot_status take_bias_add(const finder *find, lpot_quant_op *op, lpot_error *err) {
  const lpot_node *add = NULL;
  LPOT_TRY(only_reader(find, op->output, &add, err));
  if (add == NULL || add->op != LPOT_OP_ADD) {
    return LPOT_OK;
  }
  const lpot_shape *shape = shape_of(find, op->output);
  lpot_value_id other = add->inputs[0] == op->output ? add->inputs[1] : add->inputs[0];
  const lpot_tensor *bias = f32_constant(find, other);
  if (bias == NULL || bias->shape.rank > shape->rank ||
      !is_row(bias, shape->dims[shape->rank - 1])) {
    return LPOT_OK;
  }
  op->bias_add = add->id;
  op->bias = other;
  op->output = add->outputs[0];
  return LPOT_OK;
}

static bool is_activation(const finder *find, const lpot_node *node, lpot_value_id input) {
  if (node->op == LPOT_OP_RELU) {
    return true;
  }
  if (node->op != LPOT_OP_CLIP || node->inputs[0] != input) {
    return false;
  }
  for (int i = 1; i < node->num_inputs; i++) {
    if (node->inputs[i] != LPOT_NONE && f32_constant(find, node->inputs[i]) == NULL) {
      return false;
    }
  }
  return true;
}

static lpot_status take_activation(const finder *find, lpot_quant_op *op, lpot_error *err) {
  const lpot_node *node = NULL;
  LPOT_TRY(only_reader(find, op->output, &node, err));
  if (node == NULL || !is_activation(find, node, op->output)) {
    return LPOT_OK;
  }
  op->activation = node->id;
  op->output = node->outputs[0];
  return LPOT_OK;
}

/* ---- the list ---- */

static bool has_only_f32(const finder *find, const lpot_node *node) {
  return is_f32(find, node->inputs[0]) && is_f32(find, node->outputs[0]);
}

/* NULL, or why the op of an anchor stays f32. */
static const char *match(const finder *find, const lpot_node *node, const anchor_rule *rule,
                         lpot_quant_op *op) {
  if (!has_only_f32(find, node)) {
    return not_f32;
  }
  if (find->list->dynamic && !rule->can_be_dynamic) {
    return no_dynamic_form;
  }
  const char *reason = rule->match(find, node, op);
  return reason == NULL && find->list->dynamic && op->weight == LPOT_NONE ? no_weight : reason;
}

/* Conv has its channels in the second axis, Gemm and MatMul in the last one. */
static void view_input(const finder *find, const lpot_node *node, lpot_quant_op *op) {
  const lpot_shape *shape = shape_of(find, op->inputs[0]);
  int axis = node->op == LPOT_OP_CONV ? 1 : shape->rank - 1;
  op->input_channels = shape->dims[axis];
  op->input_inner = 1;
  for (int i = axis + 1; i < shape->rank; i++) {
    op->input_inner *= shape->dims[i];
  }
}

/* Attention adds a mask of large negative numbers to its scores, in a range of which int8 tells
 * nothing apart; the softmax behind it is f32 anyway. */
static lpot_status refuse_mask(const finder *find, const lpot_node *node, lpot_quant_op *op,
                               lpot_error *err) {
  const lpot_node *reader = NULL;
  if (node->op == LPOT_OP_ADD) {
    LPOT_TRY(only_reader(find, node->outputs[0], &reader, err));
  }
  if (reader != NULL && reader->op == LPOT_OP_SOFTMAX) {
    op->reason = "a softmax reads the sum";
  }
  return LPOT_OK;
}

static lpot_status examine_anchor(finder *find, const lpot_node *node, const anchor_rule *rule,
                                  lpot_quant_op *op, lpot_error *err) {
  op->inputs = lpot_arena_alloc(find->list->arena, (size_t)node->num_inputs, sizeof *op->inputs);
  if (op->inputs == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  op->reason = match(find, node, rule, op);
  if (op->reason == NULL) {
    LPOT_TRY(refuse_mask(find, node, op, err));
  }
  if (op->reason != NULL) {
    return LPOT_OK;
  }
  if (op->weight != LPOT_NONE) {
    view_input(find, node, op);
  }
  if (node->op == LPOT_OP_MATMUL) {
    LPOT_TRY(take_bias_add(find, op, err));
  }
  if (rule->takes_activation) {
    LPOT_TRY(take_activation(find, op, err));
  }
  return LPOT_OK;
}

static void store_op(finder *find, const lpot_quant_op *op) {
  lpot_quant_ops *list = find->list;
  if (op->reason != NULL) {
    list->others[list->num_others++] = *op;
    return;
  }
  const lpot_node_id parts[] = {op->anchor, op->bias_add, op->activation};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    if (parts[i] != LPOT_NONE) {
      find->absorbed[parts[i]] = true;
    }
  }
  list->names[list->count] = op->name;
  list->types[list->count] = op->type;
  list->ops[list->count++] = *op;
}

/* LSTM may leave its first outputs out. */
static lpot_value_id first_output(const lpot_node *node) {
  for (int i = 0; i < node->num_outputs; i++) {
    if (node->outputs[i] != LPOT_NONE) {
      return node->outputs[i];
    }
  }
  return LPOT_NONE;
}

static lpot_status examine_node(finder *find, const lpot_node *node, lpot_error *err) {
  const anchor_rule *rule = find_rule(node->op);
  /* Nodes that are folded once the batch size is known compute nothing at run time. */
  bool is_folded = lpot_graph_node(find->bound, node->id)->removed;
  if (is_folded || find->absorbed[node->id] || lpot_quant_is_transparent(node->op)) {
    return LPOT_OK;
  }
  lpot_value_id output = first_output(node);
  if (rule == NULL && (output == LPOT_NONE || !is_f32(find, output))) {
    return LPOT_OK; /* arithmetic on shapes is no compute */
  }
  lpot_quant_op op = {
      .name = node->name,
      .type = lpot_op_get_info(node->op)->name,
      .anchor = node->id,
      .bias_add = LPOT_NONE,
      .activation = LPOT_NONE,
      .weight = LPOT_NONE,
      .bias = LPOT_NONE,
      .output = output,
      .dynamic = find->list->dynamic,
      .reason = no_int8_form,
  };
  if (rule != NULL) {
    LPOT_TRY(examine_anchor(find, node, rule, &op, err));
  }
  store_op(find, &op);
  return LPOT_OK;
}

static lpot_status find_ops(finder *find, lpot_error *err) {
  const lpot_node_id *order = NULL;
  size_t count = 0;
  LPOT_TRY(lpot_graph_order(find->graph, &order, &count, err));
  for (size_t i = 0; i < count; i++) {
    LPOT_TRY(examine_node(find, lpot_graph_node(find->graph, order[i]), err));
  }
  return LPOT_OK;
}

static lpot_status allocate_list(lpot_quant_ops *list, size_t capacity, lpot_error *err) {
  LPOT_TRY(lpot_arena_new(&list->arena, err));
  list->ops = lpot_calloc(capacity, sizeof *list->ops);
  list->others = lpot_calloc(capacity, sizeof *list->others);
  list->names = lpot_calloc(capacity, sizeof *list->names);
  list->types = lpot_calloc(capacity, sizeof *list->types);
  if (list->ops == NULL || list->others == NULL || list->names == NULL || list->types == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_OK;
}

static lpot_status new_list(const lpot_graph *graph, const lpot_graph *bound, bool dynamic,
                            lpot_quant_ops **ret_ops, lpot_error *err) {
  size_t capacity = lpot_graph_num_nodes(graph);
  if (lpot_graph_num_nodes(bound) < capacity ||
      lpot_graph_num_values(bound) < lpot_graph_num_values(graph)) {
    return LPOT_FAIL(err, LPOT_INVALID, "the bound graph is not one of the given graph");
  }
  lpot_quant_ops *list = lpot_calloc(1, sizeof *list);
  bool *absorbed = lpot_calloc(capacity, sizeof *absorbed);
  lpot_status status = LPOT_OK;
  if (list == NULL || absorbed == NULL) {
    status = LPOT_OUT_OF_MEMORY(err);
  }
  if (status == LPOT_OK) {
    list->graph = graph;
    list->dynamic = dynamic;
    status = allocate_list(list, capacity, err);
  }
  if (status == LPOT_OK) {
    finder find = {.graph = graph, .bound = bound, .list = list, .absorbed = absorbed};
    status = find_ops(&find, err);
  }
  lpot_free(absorbed);
  if (status != LPOT_OK) {
    lpot_quant_ops_free(list);
    return status;
  }
  *ret_ops = list;
  return LPOT_OK;
}

lpot_status lpot_quant_ops_new(const lpot_graph *graph, const lpot_graph *bound,
                               lpot_quant_ops **ret_ops, lpot_error *err) {
  LPOT_TRY(new_list(graph, bound, false, ret_ops, err));
  return LPOT_OK;
}

lpot_status lpot_quant_ops_new_dynamic(const lpot_graph *graph, const lpot_graph *bound,
                                       lpot_quant_ops **ret_ops, lpot_error *err) {
  LPOT_TRY(new_list(graph, bound, true, ret_ops, err));
  return LPOT_OK;
}

void lpot_quant_ops_free(lpot_quant_ops *ops) {
  if (ops == NULL) {
    return;
  }
  lpot_free(ops->types);
  lpot_free(ops->names);
  lpot_free(ops->others);
  lpot_free(ops->ops);
  lpot_arena_free(ops->arena);
  lpot_free(ops);
}

size_t lpot_quant_ops_count(const lpot_quant_ops *ops) {
  return ops->count;
}

bool lpot_quant_ops_is_dynamic(const lpot_quant_ops *ops) {
  return ops->dynamic;
}

const lpot_quant_op *lpot_quant_ops_get(const lpot_quant_ops *ops, size_t index) {
  LPOT_ASSERT(index < ops->count);
  return &ops->ops[index];
}

size_t lpot_quant_ops_num_others(const lpot_quant_ops *ops) {
  return ops->num_others;
}

const lpot_quant_op *lpot_quant_ops_get_other(const lpot_quant_ops *ops, size_t index) {
  LPOT_ASSERT(index < ops->num_others);
  return &ops->others[index];
}

const char *const *lpot_quant_ops_names(const lpot_quant_ops *ops) {
  return ops->names;
}

const char *const *lpot_quant_ops_types(const lpot_quant_ops *ops) {
  return ops->types;
}

/* Outputs of MaxPool, Slice, Split and Gather count: tied to an int8 tensor, they widen its range.
 */
static void observe_transparent(const lpot_quant_ops *ops, bool *observed) {
  for (size_t id = 0; id < lpot_graph_num_nodes(ops->graph); id++) {
    const lpot_node *node = lpot_graph_node(ops->graph, (lpot_node_id)id);
    if (node->removed || !lpot_quant_is_transparent(node->op) ||
        !observed[lpot_quant_statistics_source(ops->graph, node->inputs[0])]) {
      continue;
    }
    for (int i = 0; i < node->num_outputs; i++) {
      if (lpot_quant_is_carried(ops->graph, node, i)) {
        observed[lpot_quant_statistics_source(ops->graph, node->outputs[i])] = true;
      }
    }
  }
}

void lpot_quant_ops_observed(const lpot_quant_ops *ops, bool *observed) {
  for (size_t i = 0; i < lpot_graph_num_values(ops->graph); i++) {
    observed[i] = false;
  }
  for (size_t i = 0; i < ops->count; i++) {
    const lpot_quant_op *op = &ops->ops[i];
    observed[lpot_quant_statistics_source(ops->graph, op->output)] = true;
    for (size_t k = 0; k < op->num_inputs; k++) {
      observed[lpot_quant_statistics_source(ops->graph, op->inputs[k])] = true;
    }
  }
  observe_transparent(ops, observed);
}
