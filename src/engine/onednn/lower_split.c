#include "engine/onednn/lower.h"

#define MAX_PARTS 64

/* A vector of one s64 number. */
static lpot_status add_number(lpot_graph *graph, int64_t number, lpot_value_id *ret_value,
                              lpot_error *err) {
  const lpot_shape shape = lpot_shape_of(1, (int64_t[]){1});
  lpot_tensor *tensor = NULL;
  LPOT_TRY(lpot_tensor_copy_of(LPOT_S64, &shape, &number, &tensor, err));
  lpot_status status = lpot_graph_add_constant(graph, NULL, &tensor, ret_value, err);
  lpot_tensor_unref(tensor);
  return status;
}

static lpot_status add_slice(lpot_graph *graph, lpot_value_id input, int axis, int64_t start,
                             lpot_value_id output, lpot_error *err) {
  int64_t count = lpot_graph_value(graph, output)->shape.dims[axis];
  lpot_value_id inputs[4] = {input};
  lpot_node_id slice = LPOT_NONE;
  LPOT_TRY(add_number(graph, start, &inputs[1], err));
  LPOT_TRY(add_number(graph, start + count, &inputs[2], err));
  LPOT_TRY(add_number(graph, axis, &inputs[3], err));
  LPOT_TRY(lpot_graph_add_node(graph, LPOT_OP_SLICE, NULL, inputs, 4, &output, 1, &slice, err));
  return LPOT_OK;
}

/* Each part a Slice. The parts' sizes are those of the outputs. */
lpot_status lpot_lower_split(lpot_graph *graph, const lpot_node *node, lpot_error *err) {
  lpot_value_id outputs[MAX_PARTS];
  lpot_value_id input = node->inputs[0];
  lpot_node_id id = node->id;
  int num_outputs = node->num_outputs;
  int rank = lpot_graph_value(graph, input)->shape.rank;
  int axis = (int)lpot_node_int(node, "axis", 0);
  axis += axis < 0 ? rank : 0;
  if (axis < 0 || axis >= rank || num_outputs > MAX_PARTS) {
    return LPOT_OK;
  }
  int64_t total = 0;
  for (int i = 0; i < num_outputs; i++) {
    outputs[i] = node->outputs[i];
    if (outputs[i] == LPOT_NONE) {
      return LPOT_OK;
    }
    total += lpot_graph_value(graph, outputs[i])->shape.dims[axis];
  }
  if (total != lpot_graph_value(graph, input)->shape.dims[axis]) {
    return LPOT_OK;
  }
  lpot_graph_remove_node(graph, id);
  int64_t start = 0;
  for (int i = 0; i < num_outputs; i++) {
    LPOT_TRY(add_slice(graph, input, axis, start, outputs[i], err));
    start += lpot_graph_value(graph, outputs[i])->shape.dims[axis];
  }
  return LPOT_OK;
}
