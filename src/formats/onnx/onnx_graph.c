#include "base/text.h"
#include "formats/onnx/onnx_import.h"
#include "formats/onnx/onnx_proto.h"

static lpot_status fail_value(lpot_status status, const lpot_onnx_import *import, const char *what,
                              const char *name, lpot_error *err) {
  if (status != LPOT_OK) {
    char shown[96];
    lpot_text_printable(name, shown, sizeof shown);
    lpot_error_prefix(err, "graph '%s', %s '%s'", import->graph_name, what, shown);
  }
  return status;
}

static lpot_status add_initializer(lpot_onnx_import *import, const lpot_wire_field *message,
                                   size_t index, lpot_error *err) {
  const char *name = "";
  lpot_tensor *tensor = NULL;
  lpot_status status = lpot_onnx_read_tensor(import, message, &name, &tensor, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "graph '%s', initializer %zu", import->graph_name, index);
    return status;
  }
  lpot_value_id value = LPOT_NONE;
  if (name[0] == '\0' || lpot_graph_find_value(import->graph, name) != LPOT_NONE) {
    status = LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: the name is empty or taken", message->offset);
    status = fail_value(status, import, "initializer", name, err);
  } else {
    status = lpot_graph_add_constant(import->graph, name, &tensor, &value, err);
  }
  lpot_tensor_unref(tensor); /* NULL once it was moved */
  return status;
}

static lpot_status add_typed_input(lpot_onnx_import *import, const lpot_wire_field *message,
                                   lpot_onnx_value_info *info, lpot_error *err) {
  if (lpot_graph_find_value(import->graph, info->name) != LPOT_NONE) {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: the name is taken", message->offset);
  }
  LPOT_TRY(lpot_onnx_read_value_type(import, message, info, err));
  if (!info->has_type) {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: the type is missing", message->offset);
  }
  lpot_value_id value = LPOT_NONE;
  LPOT_TRY(lpot_graph_add_value(import->graph, info->name, info->dtype, &info->shape, &value, err));
  LPOT_TRY(lpot_graph_add_input(import->graph, value, err));
  return LPOT_OK;
}

/* Up to IR version 3 initializers were listed as inputs too; they are constants all the same. */
static lpot_status add_input(lpot_onnx_import *import, const lpot_wire_field *message, size_t index,
                             lpot_error *err) {
  (void)index;
  lpot_onnx_value_info info;
  LPOT_TRY(lpot_onnx_read_value_name(import, message, &info, err));
  lpot_value_id known = lpot_graph_find_value(import->graph, info.name);
  if (known != LPOT_NONE && lpot_graph_value(import->graph, known)->constant != NULL) {
    return LPOT_OK;
  }
  lpot_status status = add_typed_input(import, message, &info, err);
  return fail_value(status, import, "input", info.name, err);
}

static lpot_status note_output(lpot_onnx_import *import, const lpot_wire_field *message,
                               size_t index, lpot_error *err) {
  (void)index;
  lpot_onnx_value_info info;
  LPOT_TRY(lpot_onnx_read_value_name(import, message, &info, err));
  LPOT_TRY(lpot_hash_map_put(import->reads, info.name, 1, err));
  return LPOT_OK;
}

static lpot_status add_known_output(lpot_onnx_import *import, const lpot_wire_field *message,
                                    lpot_onnx_value_info *info, lpot_error *err) {
  LPOT_TRY(lpot_onnx_read_value_type(import, message, info, err));
  lpot_value_id id = lpot_graph_find_value(import->graph, info->name);
  const lpot_value *value = id == LPOT_NONE ? NULL : lpot_graph_value(import->graph, id);
  if (value == NULL || (value->producer == LPOT_NONE && value->dtype == LPOT_DTYPE_UNKNOWN)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: no node produces it", message->offset);
  }
  if (lpot_graph_is_output(import->graph, id)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: it is listed twice", message->offset);
  }
  if (value->dtype == LPOT_DTYPE_UNKNOWN) {
    /* What the file claims holds until inference knows better. */
    lpot_graph_set_value_type(import->graph, id, info->dtype, &info->shape);
  }
  LPOT_TRY(lpot_graph_add_output(import->graph, id, err));
  return LPOT_OK;
}

static lpot_status add_output(lpot_onnx_import *import, const lpot_wire_field *message,
                              size_t index, lpot_error *err) {
  (void)index;
  lpot_onnx_value_info info;
  LPOT_TRY(lpot_onnx_read_value_name(import, message, &info, err));
  lpot_status status = add_known_output(import, message, &info, err);
  return fail_value(status, import, "output", info.name, err);
}

static lpot_status name_graph(lpot_onnx_import *import, const lpot_wire_field *message,
                              lpot_error *err) {
  const char *name = "";
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == LPOT_GRAPH_NAME) {
      LPOT_TRY(lpot_wire_string(&field, import->arena, &name, err));
    } else if (field.number == LPOT_GRAPH_SPARSE_INITIALIZER) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "offset %zu: sparse initializers are not supported",
                       field.offset);
    }
  }
  char shown[96];
  lpot_text_printable(name, shown, sizeof shown);
  import->graph_name = lpot_arena_strdup(import->arena, shown);
  if (import->graph_name == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  LPOT_TRY(lpot_graph_new(name, &import->graph, err));
  return LPOT_OK;
}

/* One step over the fields of the graph that have this number. */
typedef struct import_step {
  uint32_t number;
  lpot_status (*take)(lpot_onnx_import *import, const lpot_wire_field *message, size_t index,
                      lpot_error *err);
} import_step;

static const import_step steps[] = {
    {LPOT_GRAPH_INITIALIZER, add_initializer}, {LPOT_GRAPH_INPUT, add_input},
    {LPOT_GRAPH_NODE, lpot_onnx_declare_node}, {LPOT_GRAPH_OUTPUT, note_output},
    {LPOT_GRAPH_NODE, lpot_onnx_import_node},  {LPOT_GRAPH_OUTPUT, add_output},
};

static lpot_status run_step(lpot_onnx_import *import, const lpot_wire_field *graph,
                            const import_step *step, lpot_error *err) {
  size_t index = 0;
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(graph, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == step->number) {
      LPOT_TRY(step->take(import, &field, index, err));
      index++;
    }
  }
  return LPOT_OK;
}

static lpot_status check_graph(const lpot_onnx_import *import, lpot_error *err) {
  if (lpot_graph_num_outputs(import->graph) == 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "graph '%s': has no outputs", import->graph_name);
  }
  const lpot_node_id *order = NULL;
  size_t count = 0;
  lpot_status status = lpot_graph_order(import->graph, &order, &count, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "graph '%s'", import->graph_name);
  }
  return status;
}

lpot_status lpot_onnx_read_graph(lpot_onnx_import *import, const lpot_wire_field *graph,
                                 lpot_error *err) {
  LPOT_TRY(name_graph(import, graph, err));
  int64_t opset = import->opset;
  lpot_graph_set_opset(import->graph,
                       opset < LPOT_ONNX_CANONICAL_OPSET ? LPOT_ONNX_CANONICAL_OPSET : (int)opset);
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    LPOT_TRY(run_step(import, graph, &steps[i], err));
  }
  LPOT_TRY(check_graph(import, err));
  LPOT_TRY(lpot_onnx_raise_broadcasts(import, err));
  LPOT_TRY(lpot_onnx_raise_softmaxes(import, err));
  return LPOT_OK;
}
