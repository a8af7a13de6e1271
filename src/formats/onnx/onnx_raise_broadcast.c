/* Below opset 7 a node may say from which axis of its first input on the second one lies. Later
 * opsets align the ends: the second input gets dimensions of 1 behind its own, by an Unsqueeze.
 * How many depends on both ranks, so this waits until all nodes are there. */
#include "base/text.h"
#include "formats/onnx/onnx_import.h"
#include "graph/infer.h"

static bool is_waiting(const lpot_graph *graph, lpot_node_id id) {
  const lpot_node *node = lpot_graph_node(graph, id);
  return !node->removed && lpot_node_attribute(node, "broadcast") != NULL;
}

/* A copy in which the waiting nodes hand their first input on, whose shape their result has: so
 * inference gets past them. Where it fails all the same, the shapes up to there still hold. */
static lpot_status infer_copy(const lpot_graph *graph, lpot_graph **ret_shapes, lpot_error *err) {
  lpot_graph *shapes = NULL;
  LPOT_TRY(lpot_graph_clone(graph, &shapes, err));
  lpot_status status = LPOT_OK;
  for (size_t i = 0; i < lpot_graph_num_nodes(shapes) && status == LPOT_OK; i++) {
    lpot_node_id id = (lpot_node_id)i;
    if (is_waiting(shapes, id)) {
      lpot_value_id first = lpot_graph_node(shapes, id)->inputs[0];
      lpot_graph_set_op(shapes, id, LPOT_OP_IDENTITY);
      status = lpot_graph_set_inputs(shapes, id, &first, 1, err);
    }
  }
  if (status == LPOT_OK && lpot_graph_infer(shapes, NULL, NULL) == LPOT_NO_MEMORY) {
    status = LPOT_OUT_OF_MEMORY(err);
  }
  if (status != LPOT_OK) {
    lpot_graph_free(shapes);
    return status;
  }
  *ret_shapes = shapes;
  return LPOT_OK;
}

/* The second input becomes Unsqueeze(it) with count more dimensions behind its rank. */
static lpot_status add_dimensions(lpot_graph *graph, lpot_node_id id, int rank, int count,
                                  lpot_error *err) {
  lpot_value_id inputs[2] = {lpot_graph_node(graph, id)->inputs[1], LPOT_NONE};
  lpot_value_id output = LPOT_NONE;
  lpot_node_id added = LPOT_NONE;
  lpot_tensor *axes = NULL;
  int64_t values[LPOT_MAX_RANK];
  int64_t num_values = count;
  lpot_shape shape = lpot_shape_of(1, &num_values);
  lpot_shape unknown = lpot_shape_unknown();
  for (int i = 0; i < count; i++) {
    values[i] = rank + i;
  }
  LPOT_TRY(lpot_tensor_copy_of(LPOT_S64, &shape, values, &axes, err));
  LPOT_TRY(lpot_graph_add_constant(graph, NULL, &axes, &inputs[1], err));
  LPOT_TRY(lpot_graph_add_value(graph, NULL, LPOT_DTYPE_UNKNOWN, &unknown, &output, err));
  LPOT_TRY(lpot_graph_add_node(graph, LPOT_OP_UNSQUEEZE, NULL, inputs, 2, &output, 1, &added, err));
  LPOT_TRY(lpot_graph_set_input(graph, id, 1, output, err));
  return LPOT_OK;
}

static lpot_status align(lpot_graph *graph, const lpot_graph *shapes, lpot_node_id id,
                         lpot_error *err) {
  const lpot_node *node = lpot_graph_node(graph, id);
  int rank = lpot_graph_value(shapes, node->inputs[0])->shape.rank;
  int second_rank = lpot_graph_value(shapes, node->inputs[1])->shape.rank;
  int64_t axis = lpot_node_int(node, "axis", 0);
  if (rank == LPOT_RANK_UNKNOWN || second_rank == LPOT_RANK_UNKNOWN) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "broadcasts along an axis of inputs of unknown rank");
  }
  /* Slopes that are no vector of channels have the first input's dimensions already. */
  bool is_aligned = lpot_text_equal(lpot_op_get_info(node->op)->name, "PRelu") && second_rank != 1;
  if (!is_aligned && rank >= 1) {
    axis += axis < 0 ? rank : 0;
    if (axis < 0 || axis > rank - second_rank) {
      return LPOT_FAIL(err, LPOT_FORMAT, "axis is %lld, but input 0 has rank %d and input 1 has %d",
                       (long long)axis, rank, second_rank);
    }
    int missing = rank - second_rank - (int)axis;
    if (missing > 0) {
      LPOT_TRY(add_dimensions(graph, id, second_rank, missing, err));
    }
  }
  lpot_graph_remove_attribute(graph, id, "broadcast");
  lpot_graph_remove_attribute(graph, id, "axis");
  return LPOT_OK;
}

static lpot_status align_all(const lpot_onnx_import *import, const lpot_graph *shapes,
                             lpot_error *err) {
  lpot_graph *graph = import->graph;
  size_t num_nodes = lpot_graph_num_nodes(graph);
  for (size_t i = 0; i < num_nodes; i++) {
    lpot_node_id id = (lpot_node_id)i;
    if (!is_waiting(graph, id)) {
      continue;
    }
    lpot_status status = align(graph, shapes, id, err);
    if (status != LPOT_OK) {
      char name[96];
      lpot_text_printable(lpot_graph_node(graph, id)->name, name, sizeof name);
      lpot_error_prefix(err, "graph '%s', node '%s'", import->graph_name, name);
      lpot_error_node(err, name);
      return status;
    }
  }
  return LPOT_OK;
}

lpot_status lpot_onnx_raise_broadcasts(lpot_onnx_import *import, lpot_error *err) {
  bool found = false;
  for (size_t i = 0; i < lpot_graph_num_nodes(import->graph) && import->opset < 7; i++) {
    found = found || is_waiting(import->graph, (lpot_node_id)i);
  }
  if (!found) {
    return LPOT_OK;
  }
  lpot_graph *shapes = NULL;
  LPOT_TRY(infer_copy(import->graph, &shapes, err));
  lpot_status status = align_all(import, shapes, err);
  lpot_graph_free(shapes);
  return status;
}
