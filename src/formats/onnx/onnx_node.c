#include "base/text.h"
#include "formats/onnx/onnx_import.h"
#include "formats/onnx/onnx_proto.h"

#define MAX_ATTRIBUTES 256 /* of one node; ONNX's own operators have at most about 20 */

static void add_context(const lpot_onnx_import *import, const lpot_onnx_node *node, size_t index,
                        lpot_error *err) {
  char name[96];
  char op_type[64];
  lpot_text_printable(node->name, name, sizeof name);
  lpot_text_printable(node->op_type, op_type, sizeof op_type);
  lpot_error_prefix(err, "graph '%s', node %zu '%s' (%s)", import->graph_name, index, name,
                    op_type);
  lpot_error_node(err, name);
}

static lpot_status count_fields(const lpot_wire_field *message, lpot_onnx_node *node,
                                lpot_error *err) {
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    node->num_inputs += field.number == LPOT_NODE_INPUT;
    node->num_outputs += field.number == LPOT_NODE_OUTPUT;
    node->attribute_capacity += field.number == LPOT_NODE_ATTRIBUTE;
  }
  if (node->attribute_capacity > MAX_ATTRIBUTES) {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: a node has %zu attributes, expected at most %d",
                     message->offset, node->attribute_capacity, MAX_ATTRIBUTES);
  }
  node->attribute_capacity += LPOT_ONNX_SPARE;
  return LPOT_OK;
}

static lpot_status allocate_arrays(lpot_onnx_import *import, lpot_onnx_node *node,
                                   lpot_error *err) {
  size_t num_inputs = node->num_inputs + LPOT_ONNX_SPARE;
  size_t num_outputs = node->num_outputs + LPOT_ONNX_SPARE;
  lpot_arena *arena = import->node_arena;
  node->input_names = lpot_arena_alloc(arena, num_inputs, sizeof *node->input_names);
  node->output_names = lpot_arena_alloc(arena, num_outputs, sizeof *node->output_names);
  node->inputs = lpot_arena_alloc(arena, num_inputs, sizeof *node->inputs);
  node->outputs = lpot_arena_alloc(arena, num_outputs, sizeof *node->outputs);
  node->attributes = lpot_arena_alloc(arena, node->attribute_capacity, sizeof *node->attributes);
  if (node->input_names == NULL || node->output_names == NULL || node->inputs == NULL ||
      node->outputs == NULL || node->attributes == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_OK;
}

/* Where the string of this field goes, or NULL for fields of other kinds. */
static const char **string_place(lpot_onnx_node *node, uint32_t number, size_t *num_inputs,
                                 size_t *num_outputs) {
  switch (number) {
  case LPOT_NODE_INPUT:
    *num_inputs += 1;
    return &node->input_names[*num_inputs - 1];
  case LPOT_NODE_OUTPUT:
    *num_outputs += 1;
    return &node->output_names[*num_outputs - 1];
  case LPOT_NODE_NAME:
    return &node->name;
  case LPOT_NODE_OP_TYPE:
    return &node->op_type;
  case LPOT_NODE_DOMAIN:
    return &node->domain;
  default:
    return NULL;
  }
}

/* Reads all but the attributes, and finds the ids of all values. */
static lpot_status read_head(lpot_onnx_import *import, const lpot_wire_field *message,
                             lpot_onnx_node *node, lpot_error *err) {
  LPOT_TRY(count_fields(message, node, err));
  LPOT_TRY(allocate_arrays(import, node, err));
  size_t num_inputs = 0;
  size_t num_outputs = 0;
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    const char **place = string_place(node, field.number, &num_inputs, &num_outputs);
    if (place != NULL) {
      LPOT_TRY(lpot_wire_string(&field, import->node_arena, place, err));
    }
  }
  for (size_t i = 0; i < node->num_inputs; i++) {
    LPOT_TRY(lpot_onnx_intern_value(import, node->input_names[i], &node->inputs[i], err));
  }
  for (size_t i = 0; i < node->num_outputs; i++) {
    LPOT_TRY(lpot_onnx_intern_value(import, node->output_names[i], &node->outputs[i], err));
  }
  if (lpot_text_equal(node->domain, "ai.onnx")) {
    node->domain = "";
  }
  return LPOT_OK;
}

static lpot_status read_attributes(lpot_onnx_import *import, const lpot_wire_field *message,
                                   lpot_onnx_node *node, lpot_error *err) {
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number != LPOT_NODE_ATTRIBUTE) {
      continue;
    }
    lpot_attribute *attribute = &node->attributes[node->num_attributes];
    LPOT_TRY(lpot_onnx_read_attribute(import, &field, attribute, err));
    node->num_attributes++;
    for (size_t i = 0; i + 1 < node->num_attributes; i++) {
      if (lpot_text_equal(node->attributes[i].name, attribute->name)) {
        char shown[64];
        lpot_text_printable(attribute->name, shown, sizeof shown);
        return LPOT_FAIL(err, LPOT_FORMAT, "attribute '%s' is given twice", shown);
      }
    }
  }
  return LPOT_OK;
}

static void node_done(lpot_onnx_node *node) {
  for (size_t i = 0; i < node->num_attributes; i++) {
    lpot_tensor_unref(node->attributes[i].tensor);
  }
  node->num_attributes = 0;
}

lpot_status lpot_onnx_intern_value(lpot_onnx_import *import, const char *name,
                                   lpot_value_id *ret_value, lpot_error *err) {
  if (name[0] == '\0') {
    *ret_value = LPOT_NONE;
    return LPOT_OK;
  }
  lpot_value_id value = lpot_graph_find_value(import->graph, name);
  if (value == LPOT_NONE) {
    lpot_shape shape = lpot_shape_unknown();
    LPOT_TRY(lpot_graph_add_value(import->graph, name, LPOT_DTYPE_UNKNOWN, &shape, &value, err));
  }
  *ret_value = value;
  return LPOT_OK;
}

static bool is_constant(const lpot_onnx_node *node) {
  return node->domain[0] == '\0' && lpot_text_equal(node->op_type, "Constant");
}

/* Inputs and constants got their type when they were made, and so did nothing else so far. */
static lpot_status check_free(const lpot_onnx_import *import, lpot_value_id id, lpot_error *err) {
  const lpot_value *value = lpot_graph_value(import->graph, id);
  if (value->dtype != LPOT_DTYPE_UNKNOWN || value->producer != LPOT_NONE) {
    char shown[96];
    lpot_text_printable(value->name, shown, sizeof shown);
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "output '%s' is already an input, a constant or another "
                     "node's output",
                     shown);
  }
  return LPOT_OK;
}

/* A Constant node has one attribute that holds its value, in one of five forms. */
typedef struct constant_form {
  const char *name;
  lpot_attribute_kind kind;
  lpot_dtype dtype;
  int rank;
} constant_form;

static const constant_form constant_forms[] = {
    {"value", LPOT_ATTRIBUTE_TENSOR, LPOT_DTYPE_UNKNOWN, 0},
    {"value_float", LPOT_ATTRIBUTE_FLOAT, LPOT_F32, 0},
    {"value_int", LPOT_ATTRIBUTE_INT, LPOT_S64, 0},
    {"value_floats", LPOT_ATTRIBUTE_FLOATS, LPOT_F32, 1},
    {"value_ints", LPOT_ATTRIBUTE_INTS, LPOT_S64, 1},
};

static const constant_form *find_constant_form(const lpot_attribute *attribute) {
  for (size_t i = 0; i < sizeof constant_forms / sizeof constant_forms[0]; i++) {
    const constant_form *form = &constant_forms[i];
    if (form->kind == attribute->kind && lpot_text_equal(form->name, attribute->name)) {
      return form;
    }
  }
  return NULL;
}

static lpot_status make_constant(const lpot_onnx_node *node, lpot_tensor **ret_tensor,
                                 lpot_error *err) {
  const lpot_attribute *attribute = node->attributes;
  const constant_form *form = node->num_attributes == 1 ? find_constant_form(attribute) : NULL;
  if (form == NULL) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "expected one attribute value, value_float, value_int, "
                     "value_floats or value_ints");
  }
  if (form->kind == LPOT_ATTRIBUTE_TENSOR) {
    *ret_tensor = lpot_tensor_ref(attribute->tensor);
    return LPOT_OK;
  }
  int64_t count = (int64_t)attribute->count;
  lpot_shape shape = lpot_shape_of(form->rank, &count);
  lpot_tensor *tensor = NULL;
  LPOT_TRY(lpot_tensor_new(form->dtype, &shape, &tensor, err));
  int64_t elements = form->rank == 0 ? 1 : count;
  for (int64_t i = 0; i < elements; i++) {
    if (form->dtype == LPOT_F32) {
      ((float *)tensor->data)[i] = form->rank == 0 ? attribute->real : attribute->reals[i];
    } else {
      ((int64_t *)tensor->data)[i] = form->rank == 0 ? attribute->integer : attribute->integers[i];
    }
  }
  *ret_tensor = tensor;
  return LPOT_OK;
}

static lpot_status import_constant(lpot_onnx_import *import, const lpot_onnx_node *node,
                                   lpot_error *err) {
  if (node->num_inputs != 0 || node->num_outputs != 1 || node->outputs[0] == LPOT_NONE) {
    return LPOT_FAIL(err, LPOT_FORMAT, "has %zu inputs and %zu outputs, expected 0 and 1",
                     node->num_inputs, node->num_outputs);
  }
  LPOT_TRY(check_free(import, node->outputs[0], err));
  lpot_tensor *tensor = NULL;
  LPOT_TRY(make_constant(node, &tensor, err));
  LPOT_TRY(lpot_graph_set_constant(import->graph, node->outputs[0], &tensor, err));
  return LPOT_OK;
}

static lpot_status declare(lpot_onnx_import *import, const lpot_wire_field *message,
                           lpot_onnx_node *node, lpot_error *err) {
  LPOT_TRY(read_head(import, message, node, err));
  for (size_t i = 0; i < node->num_inputs; i++) {
    LPOT_TRY(lpot_hash_map_put(import->reads, node->input_names[i], 1, err));
  }
  if (is_constant(node)) {
    LPOT_TRY(read_attributes(import, message, node, err));
    LPOT_TRY(import_constant(import, node, err));
  }
  return LPOT_OK;
}

lpot_status lpot_onnx_declare_node(lpot_onnx_import *import, const lpot_wire_field *message,
                                   size_t index, lpot_error *err) {
  lpot_onnx_node node = {.name = "", .op_type = "", .domain = ""};
  lpot_arena_reset(import->node_arena);
  lpot_status status = declare(import, message, &node, err);
  node_done(&node);
  if (status != LPOT_OK) {
    add_context(import, &node, index, err);
  }
  return status;
}

static size_t without_trailing_none(const lpot_value_id *values, size_t count) {
  while (count > 0 && values[count - 1] == LPOT_NONE) {
    count--;
  }
  return count;
}

static lpot_status emit_node(lpot_onnx_import *import, const lpot_onnx_node *node,
                             lpot_error *err) {
  lpot_op op = LPOT_NUM_OPS;
  LPOT_TRY(lpot_op_find(node->domain, node->op_type, &op, err));
  size_t num_inputs = without_trailing_none(node->inputs, node->num_inputs);
  size_t num_outputs = without_trailing_none(node->outputs, node->num_outputs);
  lpot_node_id id = LPOT_NONE;
  LPOT_TRY(lpot_graph_add_node(import->graph, op, node->name, node->inputs, num_inputs,
                               node->outputs, num_outputs, &id, err));
  for (size_t i = 0; i < node->num_attributes; i++) {
    LPOT_TRY(lpot_onnx_set_attribute(import->graph, id, &node->attributes[i], err));
  }
  return LPOT_OK;
}

static lpot_status check_domain(const lpot_onnx_import *import, const lpot_onnx_node *node,
                                lpot_error *err) {
  if (lpot_text_equal(node->domain, "com.microsoft") && import->microsoft_opset != 1) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "the model imports version %lld of com.microsoft, expected 1",
                     (long long)import->microsoft_opset);
  }
  return LPOT_OK;
}

static lpot_status import_node(lpot_onnx_import *import, const lpot_wire_field *message,
                               lpot_onnx_node *node, lpot_error *err) {
  LPOT_TRY(read_head(import, message, node, err));
  if (is_constant(node)) {
    return LPOT_OK;
  }
  LPOT_TRY(check_domain(import, node, err));
  LPOT_TRY(read_attributes(import, message, node, err));
  LPOT_TRY(lpot_onnx_raise_node(import, node, err));
  LPOT_TRY(emit_node(import, node, err));
  return LPOT_OK;
}

lpot_status lpot_onnx_import_node(lpot_onnx_import *import, const lpot_wire_field *message,
                                  size_t index, lpot_error *err) {
  lpot_onnx_node node = {.name = "", .op_type = "", .domain = ""};
  lpot_arena_reset(import->node_arena);
  lpot_status status = import_node(import, message, &node, err);
  node_done(&node);
  if (status != LPOT_OK) {
    add_context(import, &node, index, err);
  }
  return status;
}
