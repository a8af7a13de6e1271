#include "base/memory.h"
#include "engine/onednn/loops.h"
#include "engine/onednn/onednn_plan.h"
#include "graph/infer.h"

/* ReduceSum and its kin where the reduced dimensions lie side by side in memory: the last axes of
 * row-major data, the spatial ones of channels-last data. */

typedef struct reduce_rule {
  lpot_op op;
  lpot_loop_combiner combiner;
  bool is_mean;
} reduce_rule;

static const reduce_rule reduce_rules[] = {
    {LPOT_OP_REDUCE_MAX, LPOT_LOOP_MAX, false},
    {LPOT_OP_REDUCE_MEAN, LPOT_LOOP_SUM, true},
    {LPOT_OP_REDUCE_MIN, LPOT_LOOP_MIN, false},
    {LPOT_OP_REDUCE_SUM, LPOT_LOOP_SUM, false},
};

/* Marks the axes; false when the node reduces nothing or its axes are not known. */
static bool read_reduced(const lpot_compiler *compiler, const lpot_node *node, int rank,
                         bool reduced[LPOT_MAX_RANK]) {
  int64_t axes[LPOT_MAX_RANK];
  size_t count = 0;
  if (lpot_node_constant_ints(compiler->graph, node, 1, "axes", LPOT_MAX_RANK, axes, &count,
                              NULL) != LPOT_OK ||
      (count == 0 && lpot_node_int(node, "noop_with_empty_axes", 0) != 0)) {
    return false;
  }
  for (int i = 0; i < rank; ++i) {
    reduced[i] = count == 0;
  }
  for (size_t i = 0; i < count; ++i) {
    int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
    if (axis < 0 || axis >= rank) {
      return false;
    }
    reduced[axis] = true;
  }
  return true;
}

/* The axis that lies at place `position` in memory. */
static int axis_at(int position, int rank, lpot_layout layout) {
  if (layout == LPOT_PLAIN || rank < 3 || position == 0) {
    return position;
  }
  return position == rank - 1 ? 1 : position + 1;
}

/* Sees the data as [outer, length, inner]; false when the reduced axes do not lie side by side, or
 * when those that are kept lie in another order than the result's. Axes of size 1 lie anywhere. */
static bool find_block(const lpot_shape *shape, lpot_layout layout, const bool *reduced,
                       bool keep_dims, lpot_loop_reduction *reduction) {
  int last_kept = -1;
  reduction->outer = 1;
  reduction->length = 1;
  reduction->inner = 1;
  for (int position = 0; position < shape->rank; ++position) {
    int axis = axis_at(position, shape->rank, layout);
    int64_t size = shape->dims[axis];
    if (size == 1) {
      continue;
    }
    if (reduced[axis]) {
      if (reduction->inner != 1) {
        return false;
      }
      reduction->length *= size;
      continue;
    }
    if (!keep_dims && axis < last_kept) {
      return false;
    }
    last_kept = axis;
    *(reduction->length == 1 ? &reduction->outer : &reduction->inner) *= size;
  }
  return true;
}

static lpot_status run_reduce(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  lpot_loop_reduce(step->state, lpot_slot_data(plan, step->slots[0]),
                   lpot_slot_data(plan, step->slots[1]));
  return LPOT_OK;
}

static lpot_status add_reduce(lpot_compiler *compiler, const lpot_node *node, lpot_layout layout,
                              bool keep_dims, const lpot_loop_reduction *reduction,
                              lpot_error *err) {
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  LPOT_TRY(lpot_need(compiler, node->inputs[0], layout, &src, err));
  LPOT_TRY(lpot_define(compiler, node->outputs[0], keep_dims ? layout : LPOT_PLAIN, &dst, err));
  lpot_loop_reduction *state = lpot_calloc(1, sizeof *state);
  if (state == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *state = *reduction;
  LPOT_TRY(lpot_step_add_state(compiler->plan, node->name, "reduce", run_reduce, &src, 1, &dst, 1,
                               state, err));
  return LPOT_OK;
}

lpot_status lpot_emit_reduce(lpot_compiler *compiler, const lpot_node *node, lpot_error *err) {
  const lpot_value *input = lpot_graph_value(compiler->graph, node->inputs[0]);
  const reduce_rule *rule = NULL;
  bool reduced[LPOT_MAX_RANK];
  for (size_t i = 0; i < sizeof reduce_rules / sizeof reduce_rules[0]; ++i) {
    rule = reduce_rules[i].op == node->op ? &reduce_rules[i] : rule;
  }
  if (rule == NULL || input->dtype != LPOT_F32 || lpot_shape_elements(&input->shape) == 0 ||
      !read_reduced(compiler, node, input->shape.rank, reduced)) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': no loop reduces that", node->name);
  }
  lpot_loop_reduction reduction = {.combiner = rule->combiner, .is_mean = rule->is_mean};
  bool keep_dims = lpot_node_int(node, "keepdims", 1) != 0;
  lpot_layout layout = lpot_layout_of(compiler, node->inputs[0]);
  if (!find_block(&input->shape, layout, reduced, keep_dims, &reduction)) {
    layout = LPOT_PLAIN;
    if (!find_block(&input->shape, layout, reduced, keep_dims, &reduction)) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "node '%s': the reduced axes are scattered",
                       node->name);
    }
  }
  LPOT_TRY(add_reduce(compiler, node, layout, keep_dims, &reduction, err));
  return LPOT_OK;
}
