/* Which tensors get a pair, which of them share parameters, and the parameters. */
#include <math.h>

#include "quant/rewrite_plan.h"

/* ---- groups ---- */

static lpot_value_id head_of(const lpot_rewrite *rewrite, lpot_value_id value) {
  lpot_planned_tensor *tensors = rewrite->tensors;
  while (tensors[value].parent != value) {
    tensors[value].parent = tensors[tensors[value].parent].parent;
    value = tensors[value].parent;
  }
  return value;
}

static void tie(lpot_rewrite *rewrite, lpot_value_id a, lpot_value_id b) {
  rewrite->tensors[head_of(rewrite, b)].parent = head_of(rewrite, a);
}

static int32_t lower_op(int32_t a, int32_t b) {
  if (a == LPOT_NONE || b == LPOT_NONE) {
    return a == LPOT_NONE ? b : a;
  }
  return a < b ? a : b;
}

static void mark_ops(lpot_rewrite *rewrite) {
  for (size_t i = 0; i < lpot_quant_ops_count(rewrite->ops); i++) {
    const lpot_quant_op *op = lpot_quant_ops_get(rewrite->ops, i);
    if (!lpot_rewrite_is_int8(rewrite, i)) {
      continue;
    }
    lpot_planned_tensor *output = &rewrite->tensors[op->output];
    output->writer = (int32_t)i;
    output->is_int8 = true;
    output->paired = true;
    for (size_t k = 0; k < op->num_inputs; k++) {
      lpot_planned_tensor *input = &rewrite->tensors[op->inputs[k]];
      input->reader = lower_op(input->reader, (int32_t)i);
      input->needed = true;
      input->paired = true;
    }
  }
}

static bool any_output_needed(const lpot_rewrite *rewrite, const lpot_node *node) {
  for (int i = 0; i < node->num_outputs; i++) {
    if (lpot_quant_is_carried(rewrite->graph, node, i) &&
        rewrite->tensors[node->outputs[i]].needed) {
      return true;
    }
  }
  return false;
}

/* Against the order: a transparent node needs its input when an output of it is needed. */
static void spread_need(lpot_rewrite *rewrite, const lpot_node_id *order, size_t count) {
  for (size_t i = count; i > 0; i--) {
    const lpot_node *node = lpot_graph_node(rewrite->graph, order[i - 1]);
    if (lpot_quant_is_transparent(node->op) && any_output_needed(rewrite, node)) {
      rewrite->tensors[node->inputs[0]].needed = true;
    }
  }
}

/* Along the order: int8 goes through transparent nodes to where it is needed. All outputs of a
 * Split get pairs then: they hold values of its grid anyway. */
static void spread_int8(lpot_rewrite *rewrite, const lpot_node_id *order, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const lpot_node *node = lpot_graph_node(rewrite->graph, order[i]);
    if (!lpot_quant_is_transparent(node->op) || !rewrite->tensors[node->inputs[0]].is_int8 ||
        !any_output_needed(rewrite, node)) {
      continue;
    }
    for (int k = 0; k < node->num_outputs; k++) {
      if (!lpot_quant_is_carried(rewrite->graph, node, k)) {
        continue;
      }
      lpot_planned_tensor *output = &rewrite->tensors[node->outputs[k]];
      output->is_int8 = true;
      output->paired = true;
      tie(rewrite, node->inputs[0], node->outputs[k]);
    }
  }
}

static void tie_concats(lpot_rewrite *rewrite) {
  if (!rewrite->recipe->scale_propagation_concat) {
    return;
  }
  for (size_t i = 0; i < lpot_quant_ops_count(rewrite->ops); i++) {
    const lpot_quant_op *op = lpot_quant_ops_get(rewrite->ops, i);
    bool is_concat = lpot_graph_node(rewrite->graph, op->anchor)->op == LPOT_OP_CONCAT;
    if (!is_concat || !lpot_rewrite_is_int8(rewrite, i)) {
      continue;
    }
    for (size_t k = 0; k < op->num_inputs; k++) {
      tie(rewrite, op->output, op->inputs[k]);
    }
  }
}

/* The head of a group knows the lowest reader and writer of all its tensors. */
static void collect_ops(lpot_rewrite *rewrite) {
  for (size_t i = 0; i < rewrite->num_tensors; i++) {
    const lpot_planned_tensor *tensor = &rewrite->tensors[i];
    lpot_planned_tensor *head = &rewrite->tensors[head_of(rewrite, (lpot_value_id)i)];
    head->reader = lower_op(head->reader, tensor->reader);
    head->writer = lower_op(head->writer, tensor->writer);
  }
}

/* ---- ranges ---- */

static const lpot_tensor_config *group_config(const lpot_rewrite *rewrite,
                                              const lpot_planned_tensor *head) {
  int32_t op = head->reader != LPOT_NONE ? head->reader : head->writer;
  LPOT_ASSERT(op != LPOT_NONE);
  return &rewrite->recipe->ops[op].activation;
}

static lpot_status widen_by(lpot_rewrite *rewrite, lpot_value_id value, bool is_op_tensor,
                            lpot_error *err) {
  lpot_planned_tensor *head = &rewrite->tensors[head_of(rewrite, value)];
  const lpot_tensor_config *config = group_config(rewrite, head);
  lpot_value_id source = lpot_quant_statistics_source(rewrite->graph, value);
  const char *name = lpot_graph_value(rewrite->graph, source)->name;
  const lpot_histogram *histogram = lpot_calibration_histogram(rewrite->calibration, source);
  if (histogram == NULL) {
    /* What a transparent node makes is part of its input's range. */
    return is_op_tensor ? LPOT_FAIL(err, LPOT_INVALID, "calibration did not observe '%s'", name)
                        : LPOT_OK;
  }
  if (histogram->nans > 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "calibration of '%s' saw NaN", name);
  }
  if (histogram->positive_infinities > 0 || histogram->negative_infinities > 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "calibration of '%s' saw infinite values", name);
  }
  float low = 0;
  float high = 0;
  lpot_threshold(histogram, config->algorithm, config->dtype, config->scheme, &low, &high);
  head->low = fminf(head->low, low);
  head->high = fmaxf(head->high, high);
  return LPOT_OK;
}

/* Elements that are merely rearranged are counted with the tensor they come from. */
static bool repeats_its_input(const lpot_rewrite *rewrite, lpot_value_id value) {
  lpot_value_id source = lpot_quant_statistics_source(rewrite->graph, value);
  return source != value && rewrite->tensors[value].is_int8;
}

static lpot_status find_ranges(lpot_rewrite *rewrite, const bool *is_op_tensor, lpot_error *err) {
  for (size_t i = 0; i < rewrite->num_tensors; i++) {
    lpot_value_id value = (lpot_value_id)i;
    if (rewrite->tensors[i].paired && !repeats_its_input(rewrite, value)) {
      LPOT_TRY(widen_by(rewrite, value, is_op_tensor[i], err));
    }
  }
  return LPOT_OK;
}

static void find_params(lpot_rewrite *rewrite) {
  for (size_t i = 0; i < rewrite->num_tensors; i++) {
    lpot_planned_tensor *tensor = &rewrite->tensors[i];
    if (tensor->paired) {
      const lpot_planned_tensor *head = &rewrite->tensors[head_of(rewrite, (lpot_value_id)i)];
      const lpot_tensor_config *config = group_config(rewrite, head);
      tensor->params = lpot_quant_params_from_range(
          config->dtype, config->scheme == LPOT_SCHEME_SYM, head->low, head->high);
    }
  }
}

lpot_status lpot_rewrite_plan(lpot_rewrite *rewrite, lpot_error *err) {
  size_t count = rewrite->num_tensors;
  rewrite->tensors = lpot_arena_alloc(rewrite->arena, count, sizeof *rewrite->tensors);
  bool *is_op_tensor = lpot_arena_alloc(rewrite->arena, count, sizeof *is_op_tensor);
  if (rewrite->tensors == NULL || is_op_tensor == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; i++) {
    rewrite->tensors[i].parent = (lpot_value_id)i;
    rewrite->tensors[i].reader = LPOT_NONE;
    rewrite->tensors[i].writer = LPOT_NONE;
    rewrite->tensors[i].rounded = LPOT_NONE;
  }
  const lpot_node_id *order = NULL;
  size_t num_order = 0;
  LPOT_TRY(lpot_graph_order(rewrite->graph, &order, &num_order, err));
  mark_ops(rewrite);
  for (size_t i = 0; i < count; i++) {
    is_op_tensor[i] = rewrite->tensors[i].paired;
  }
  spread_need(rewrite, order, num_order);
  spread_int8(rewrite, order, num_order);
  tie_concats(rewrite);
  collect_ops(rewrite);
  LPOT_TRY(find_ranges(rewrite, is_op_tensor, err));
  find_params(rewrite);
  return LPOT_OK;
}
