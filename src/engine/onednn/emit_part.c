#include <string.h>

#include "base/memory.h"
#include "engine/onednn/loops.h"
#include "engine/onednn/onednn_plan.h"

/* A range of one axis: Slice of one axis by steps of 1 (and thus the parts of a Split), Gather of
 * one constant index. Rows are copied, in whatever layout the input has. */

typedef struct part {
  int axis;
  int64_t start, count;
} part;

static const lpot_tensor *constant_input(const lpot_graph *graph, const lpot_node *node,
                                         int index) {
  lpot_value_id value = lpot_node_input(node, index);
  return value == LPOT_NONE ? NULL : lpot_graph_value(graph, value)->constant;
}

static int64_t from_the_front(int64_t position, int64_t dim) {
  return position < 0 ? position + dim : position;
}

/* Entry i of a Slice; false when it is more than one range of one axis. */
static bool read_entry(const lpot_graph *graph, const lpot_node *node, int64_t i, part *ret) {
  const lpot_shape *in = &lpot_graph_value(graph, node->inputs[0])->shape;
  const lpot_shape *out = &lpot_graph_value(graph, node->outputs[0])->shape;
  const lpot_tensor *axes = constant_input(graph, node, 3);
  const lpot_tensor *steps = constant_input(graph, node, 4);
  int64_t axis = axes == NULL ? i : from_the_front(lpot_tensor_get_int(axes, i), in->rank);
  if (axis < 0 || axis >= in->rank || (steps != NULL && lpot_tensor_get_int(steps, i) != 1)) {
    return false;
  }
  if (in->dims[axis] == out->dims[axis]) {
    return true;
  }
  int64_t start = lpot_tensor_get_int(constant_input(graph, node, 1), i);
  start = from_the_front(start, in->dims[axis]);
  start = start > 0 ? start : 0;
  bool is_first = ret->axis < 0;
  *ret = (part){(int)axis, start, out->dims[axis]};
  return is_first && start + out->dims[axis] <= in->dims[axis];
}

static bool is_part_of_slice(const lpot_graph *graph, const lpot_node *node, part *ret) {
  const lpot_tensor *starts = constant_input(graph, node, 1);
  bool has_axes = lpot_node_input(node, 3) != LPOT_NONE;
  bool has_steps = lpot_node_input(node, 4) != LPOT_NONE;
  if (starts == NULL || (has_axes && constant_input(graph, node, 3) == NULL) ||
      (has_steps && constant_input(graph, node, 4) == NULL)) {
    return false;
  }
  for (int64_t i = 0; i < lpot_tensor_elements(starts); ++i) {
    if (!read_entry(graph, node, i, ret)) {
      return false;
    }
  }
  if (ret->axis < 0) { /* all of it */
    *ret = (part){0, 0, lpot_graph_value(graph, node->inputs[0])->shape.dims[0]};
  }
  return lpot_graph_value(graph, node->inputs[0])->shape.rank > 0;
}

static bool is_part_of_gather(const lpot_graph *graph, const lpot_node *node, part *ret) {
  const lpot_shape *in = &lpot_graph_value(graph, node->inputs[0])->shape;
  const lpot_tensor *index = constant_input(graph, node, 1);
  int64_t axis = from_the_front(lpot_node_int(node, "axis", 0), in->rank);
  if (index == NULL || lpot_tensor_elements(index) != 1 || axis < 0 || axis >= in->rank) {
    return false;
  }
  int64_t start = from_the_front(lpot_tensor_get_int(index, 0), in->dims[axis]);
  *ret = (part){(int)axis, start, 1};
  return start >= 0 && start < in->dims[axis];
}

static bool find_part(const lpot_graph *graph, const lpot_node *node, part *ret) {
  const lpot_shape *in = &lpot_graph_value(graph, node->inputs[0])->shape;
  const lpot_shape *out = &lpot_graph_value(graph, node->outputs[0])->shape;
  *ret = (part){.axis = -1};
  if (lpot_shape_elements(in) <= 0 || lpot_shape_elements(out) <= 0) {
    return false;
  }
  return node->op == LPOT_OP_SLICE ? is_part_of_slice(graph, node, ret)
                                   : is_part_of_gather(graph, node, ret);
}

typedef struct part_state {
  int64_t rows;
  size_t start, row_bytes, in_stride; /* bytes */
} part_state;

static lpot_status run_part(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const part_state *state = step->state;
  const uint8_t *in = lpot_slot_data(plan, step->slots[0]);
  lpot_loop_copy_rows(in + state->start, state->rows, state->row_bytes, state->in_stride,
                      lpot_slot_data(plan, step->slots[1]), state->row_bytes);
  return LPOT_OK;
}

static lpot_status emit_part(lpot_compiler *compiler, const lpot_node *node, const part *range,
                             lpot_value_id from, lpot_value_id to, lpot_error *err) {
  const lpot_value *in = lpot_graph_value(compiler->graph, from);
  const lpot_value *out = lpot_graph_value(compiler->graph, to);
  lpot_layout layout =
      in->shape.rank == out->shape.rank ? lpot_layout_of(compiler, from) : LPOT_PLAIN;
  lpot_slot_id src = LPOT_NONE;
  lpot_slot_id dst = LPOT_NONE;
  LPOT_TRY(lpot_need(compiler, from, layout, &src, err));
  LPOT_TRY(lpot_define(compiler, to, layout, &dst, err));
  part_state *state = lpot_calloc(1, sizeof *state);
  if (state == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  int64_t row = 0;
  lpot_layout_rows(&in->shape, layout, range->axis, &state->rows, &row);
  state->in_stride = (size_t)row * lpot_dtype_size(in->dtype);
  size_t element = state->in_stride / (size_t)in->shape.dims[range->axis];
  state->start = (size_t)range->start * element;
  state->row_bytes = (size_t)range->count * element;
  LPOT_TRY(lpot_step_add_state(compiler->plan, node->name, "slice", run_part, &src, 1, &dst, 1,
                               state, err));
  return LPOT_OK;
}

lpot_status lpot_emit_part(lpot_compiler *compiler, const lpot_node *node, lpot_value_id from,
                           lpot_value_id to, bool *ret_done, lpot_error *err) {
  part range;
  *ret_done = false;
  if ((node->op == LPOT_OP_SLICE || node->op == LPOT_OP_GATHER) &&
      find_part(compiler->graph, node, &range)) {
    LPOT_TRY(emit_part(compiler, node, &range, from, to, err));
    *ret_done = true;
  }
  return LPOT_OK;
}
