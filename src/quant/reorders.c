#include "quant/reorders.h"

#include "base/memory.h"

typedef struct reorder_count {
  const lpot_graph *graph;
  bool *read;    /* [values] an int8 op reads it as an activation */
  bool *needed;  /* [values] the same, also through transparent nodes */
  bool *made;    /* [values] int8 when it is made */
  bool *is_int8; /* [nodes] runs in int8 */
} reorder_count;

static void count_done(reorder_count *self) {
  lpot_free(self->read);
  lpot_free(self->needed);
  lpot_free(self->made);
  lpot_free(self->is_int8);
}

static lpot_status count_init(reorder_count *self, const lpot_graph *graph, lpot_error *err) {
  size_t values = lpot_graph_num_values(graph);
  *self = (reorder_count){.graph = graph,
                          .read = lpot_calloc(values, sizeof *self->read),
                          .needed = lpot_calloc(values, sizeof *self->needed),
                          .made = lpot_calloc(values, sizeof *self->made),
                          .is_int8 = lpot_calloc(lpot_graph_num_nodes(graph), 1)};
  if (self->read == NULL || self->needed == NULL || self->made == NULL || self->is_int8 == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_OK;
}

static void mark_node(reorder_count *self, lpot_node_id node) {
  if (node != LPOT_NONE) {
    self->is_int8[node] = true;
  }
}

static void mark_ops(reorder_count *self, const lpot_quant_ops *ops, const lpot_recipe *recipe) {
  for (size_t i = 0; i < recipe->num_ops; i++) {
    const lpot_quant_op *op = lpot_quant_ops_get(ops, i);
    if (!lpot_op_config_is_quantized(&recipe->ops[i])) {
      continue;
    }
    mark_node(self, op->anchor);
    mark_node(self, op->bias_add);
    mark_node(self, op->activation);
    for (size_t k = 0; k < op->num_inputs; k++) {
      self->read[op->inputs[k]] = true;
      self->needed[op->inputs[k]] = true;
    }
    self->made[op->output] = true;
  }
}

static bool is_any_needed(const reorder_count *self, const lpot_node *node) {
  for (int i = 0; i < node->num_outputs; i++) {
    if (node->outputs[i] != LPOT_NONE && self->needed[node->outputs[i]]) {
      return true;
    }
  }
  return false;
}

/* int8 goes through a transparent node that has it and behind which it is needed. */
static void mark_transparent(reorder_count *self, const lpot_node_id *order, size_t count) {
  for (size_t i = count; i > 0; i--) {
    const lpot_node *node = lpot_graph_node(self->graph, order[i - 1]);
    if (lpot_quant_is_transparent(node->op) && is_any_needed(self, node)) {
      self->needed[node->inputs[0]] = true;
    }
  }
  for (size_t i = 0; i < count; i++) {
    const lpot_node *node = lpot_graph_node(self->graph, order[i]);
    lpot_value_id input = node->num_inputs > 0 ? node->inputs[0] : LPOT_NONE;
    if (input == LPOT_NONE || !lpot_quant_is_transparent(node->op) || !is_any_needed(self, node) ||
        !(self->made[input] || self->read[input])) {
      continue;
    }
    self->is_int8[node->id] = true;
    for (int k = 0; k < node->num_outputs; k++) {
      if (node->outputs[k] != LPOT_NONE) {
        self->made[node->outputs[k]] = true;
      }
    }
  }
}

/* 1 where a value enters int8 or leaves it, else 0. */
static lpot_status borders_of(const reorder_count *self, lpot_value_id value, uint64_t *ret_count,
                              lpot_error *err) {
  const lpot_node_id *readers = NULL;
  size_t count = 0;
  if (!self->made[value]) {
    *ret_count = self->read[value] ? 1 : 0;
    return LPOT_OK;
  }
  bool leaves = lpot_graph_is_output(self->graph, value);
  LPOT_TRY(lpot_graph_consumers(self->graph, value, &readers, &count, err));
  for (size_t i = 0; i < count; i++) {
    leaves = leaves || !self->is_int8[readers[i]];
  }
  *ret_count = leaves ? 1 : 0;
  return LPOT_OK;
}

static lpot_status count_borders(const reorder_count *self, uint64_t *ret_count, lpot_error *err) {
  uint64_t count = 0;
  for (size_t i = 0; i < lpot_graph_num_values(self->graph); i++) {
    uint64_t borders = 0;
    LPOT_TRY(borders_of(self, (lpot_value_id)i, &borders, err));
    count += borders;
  }
  *ret_count = count;
  return LPOT_OK;
}

static uint64_t count_dynamic(const reorder_count *self) {
  uint64_t count = 0;
  for (size_t i = 0; i < lpot_graph_num_values(self->graph); i++) {
    count += (self->read[i] ? 1u : 0u) + (self->made[i] ? 1u : 0u);
  }
  return count;
}

lpot_status lpot_quant_count_reorders(const lpot_graph *graph, const lpot_quant_ops *ops,
                                      const lpot_recipe *recipe, uint64_t *ret_count,
                                      lpot_error *err) {
  const lpot_node_id *order = NULL;
  size_t num_nodes = 0;
  reorder_count self;
  lpot_status status = count_init(&self, graph, err);
  if (status == LPOT_OK) {
    status = lpot_graph_order(graph, &order, &num_nodes, err);
  }
  if (status == LPOT_OK) {
    mark_ops(&self, ops, recipe);
    if (recipe->dynamic) {
      *ret_count = count_dynamic(&self);
    } else {
      mark_transparent(&self, order, num_nodes);
      status = count_borders(&self, ret_count, err);
    }
  }
  count_done(&self);
  return status;
}
