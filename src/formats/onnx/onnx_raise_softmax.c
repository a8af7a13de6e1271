/* Softmax, LogSoftmax and Hardmax below opset 13 flatten their input to two dimensions at axis
 * (default 1) and normalise the second; from 13 on they normalise one axis (default -1). The two
 * agree when axis is the last one; else Flatten and Reshape around the new form say what the old
 * one did. */
#include "formats/onnx/onnx_import.h"
#include "graph/infer.h"

/* Shapes as far as they can be told without evaluating anything; *ret_shapes is NULL when they
 * cannot, which only costs the short form. Value ids are those of the import's graph. */
static lpot_status infer_copy(const lpot_graph *graph, lpot_graph **ret_shapes, lpot_error *err) {
  lpot_graph *shapes = NULL;
  LPOT_TRY(lpot_graph_clone(graph, &shapes, err));
  lpot_status status = lpot_graph_infer(shapes, NULL, NULL);
  if (status == LPOT_NO_MEMORY) {
    lpot_graph_free(shapes);
    return LPOT_OUT_OF_MEMORY(err);
  }
  if (status != LPOT_OK) {
    lpot_graph_free(shapes);
    shapes = NULL;
  }
  *ret_shapes = shapes;
  return LPOT_OK;
}

static bool is_last_axis(const lpot_graph *shapes, lpot_value_id input, int64_t axis) {
  if (axis == -1) {
    return true;
  }
  int rank = shapes == NULL ? LPOT_RANK_UNKNOWN : lpot_graph_value(shapes, input)->shape.rank;
  return rank != LPOT_RANK_UNKNOWN && axis == rank - 1;
}

static lpot_status add_value(lpot_graph *graph, lpot_value_id *ret_value, lpot_error *err) {
  lpot_shape shape = lpot_shape_unknown();
  LPOT_TRY(lpot_graph_add_value(graph, NULL, LPOT_DTYPE_UNKNOWN, &shape, ret_value, err));
  return LPOT_OK;
}

static bool is_flattening(lpot_op op) {
  return op == LPOT_OP_HARDMAX || op == LPOT_OP_LOG_SOFTMAX || op == LPOT_OP_SOFTMAX;
}

/* x -> Softmax -> y becomes Reshape(Softmax(Flatten(x, axis), -1), Shape(x)) -> y. */
static lpot_status coerce(lpot_graph *graph, lpot_node_id id, int64_t axis, lpot_error *err) {
  const lpot_node *softmax = lpot_graph_node(graph, id);
  lpot_value_id input = softmax->inputs[0];
  lpot_value_id output = softmax->outputs[0];
  lpot_value_id shape = LPOT_NONE;
  lpot_value_id flat = LPOT_NONE;
  lpot_value_id normalised = LPOT_NONE;
  LPOT_TRY(add_value(graph, &shape, err));
  LPOT_TRY(add_value(graph, &flat, err));
  LPOT_TRY(add_value(graph, &normalised, err));
  lpot_node_id added = LPOT_NONE;
  LPOT_TRY(lpot_graph_add_node(graph, LPOT_OP_SHAPE, NULL, &input, 1, &shape, 1, &added, err));
  LPOT_TRY(lpot_graph_add_node(graph, LPOT_OP_FLATTEN, NULL, &input, 1, &flat, 1, &added, err));
  LPOT_TRY(lpot_graph_set_int(graph, added, "axis", axis, err));
  LPOT_TRY(lpot_graph_set_input(graph, id, 0, flat, err));
  LPOT_TRY(lpot_graph_set_output(graph, id, 0, normalised, err));
  lpot_value_id pair[2] = {normalised, shape};
  LPOT_TRY(lpot_graph_add_node(graph, LPOT_OP_RESHAPE, NULL, pair, 2, &output, 1, &added, err));
  return LPOT_OK;
}

static lpot_status raise_all(lpot_graph *graph, size_t num_nodes, const lpot_graph *shapes,
                             lpot_error *err) {
  for (size_t i = 0; i < num_nodes; i++) {
    lpot_node_id id = (lpot_node_id)i;
    const lpot_node *node = lpot_graph_node(graph, id);
    if (!is_flattening(node->op) || node->removed) {
      continue;
    }
    int64_t axis = lpot_node_int(node, "axis", 1);
    if (!is_last_axis(shapes, node->inputs[0], axis)) {
      LPOT_TRY(coerce(graph, id, axis, err));
    }
    LPOT_TRY(lpot_graph_set_int(graph, id, "axis", -1, err));
  }
  return LPOT_OK;
}

static bool has_softmax(const lpot_graph *graph) {
  for (size_t i = 0; i < lpot_graph_num_nodes(graph); i++) {
    if (is_flattening(lpot_graph_node(graph, (lpot_node_id)i)->op)) {
      return true;
    }
  }
  return false;
}

lpot_status lpot_onnx_raise_softmaxes(lpot_onnx_import *import, lpot_error *err) {
  if (import->opset >= 13 || !has_softmax(import->graph)) {
    return LPOT_OK;
  }
  lpot_graph *shapes = NULL;
  LPOT_TRY(infer_copy(import->graph, &shapes, err));
  lpot_status status = raise_all(import->graph, lpot_graph_num_nodes(import->graph), shapes, err);
  lpot_graph_free(shapes);
  return status;
}
