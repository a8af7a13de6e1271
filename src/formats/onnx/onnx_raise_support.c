/* What the rules of raising share: attributes and inputs of the node at hand. */
#include "base/text.h"
#include "formats/onnx/onnx_import.h"

lpot_attribute *lpot_onnx_find_attribute(const lpot_onnx_node *node, const char *name) {
  for (size_t i = 0; i < node->num_attributes; i++) {
    if (lpot_text_equal(node->attributes[i].name, name)) {
      return &node->attributes[i];
    }
  }
  return NULL;
}

int64_t lpot_onnx_int_attribute(const lpot_onnx_node *node, const char *name, int64_t fallback) {
  const lpot_attribute *attribute = lpot_onnx_find_attribute(node, name);
  return attribute != NULL && attribute->kind == LPOT_ATTRIBUTE_INT ? attribute->integer : fallback;
}

const char *lpot_onnx_string_attribute(const lpot_onnx_node *node, const char *name,
                                       const char *fallback) {
  const lpot_attribute *attribute = lpot_onnx_find_attribute(node, name);
  return attribute != NULL && attribute->kind == LPOT_ATTRIBUTE_STRING ? attribute->string
                                                                       : fallback;
}

void lpot_onnx_drop_attribute(lpot_onnx_node *node, const char *name) {
  lpot_attribute *attribute = lpot_onnx_find_attribute(node, name);
  if (attribute == NULL) {
    return;
  }
  lpot_tensor_unref(attribute->tensor);
  node->num_attributes--;
  *attribute = node->attributes[node->num_attributes];
}

lpot_status lpot_onnx_put_attribute(lpot_onnx_node *node, const lpot_attribute *attribute,
                                    lpot_error *err) {
  lpot_onnx_drop_attribute(node, attribute->name);
  if (node->num_attributes == node->attribute_capacity) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "no room for attribute '%s'", attribute->name);
  }
  node->attributes[node->num_attributes] = *attribute;
  node->num_attributes++;
  return LPOT_OK;
}

lpot_status lpot_onnx_put_string(lpot_onnx_node *node, const char *name, const char *value,
                                 lpot_error *err) {
  lpot_attribute attribute = {.name = name, .kind = LPOT_ATTRIBUTE_STRING, .string = value};
  LPOT_TRY(lpot_onnx_put_attribute(node, &attribute, err));
  return LPOT_OK;
}

lpot_status lpot_onnx_put_int(lpot_onnx_node *node, const char *name, int64_t value,
                              lpot_error *err) {
  lpot_attribute attribute = {.name = name, .kind = LPOT_ATTRIBUTE_INT, .integer = value};
  LPOT_TRY(lpot_onnx_put_attribute(node, &attribute, err));
  return LPOT_OK;
}

void lpot_onnx_put_input(lpot_onnx_node *node, size_t index, lpot_value_id value) {
  while (node->num_inputs <= index) {
    node->inputs[node->num_inputs] = LPOT_NONE;
    node->num_inputs++;
  }
  node->inputs[index] = value;
}

lpot_status lpot_onnx_expect_inputs(const lpot_onnx_node *node, size_t expected, lpot_error *err) {
  if (node->num_inputs != expected) {
    return LPOT_FAIL(err, LPOT_FORMAT, "has %zu inputs, expected %zu", node->num_inputs, expected);
  }
  return LPOT_OK;
}

const lpot_tensor *lpot_onnx_constant_input(const lpot_onnx_import *import,
                                            const lpot_onnx_node *node, size_t index) {
  if (index >= node->num_inputs || node->inputs[index] == LPOT_NONE) {
    return NULL;
  }
  return lpot_graph_value(import->graph, node->inputs[index])->constant;
}

lpot_status lpot_onnx_put_constant(lpot_onnx_import *import, lpot_onnx_node *node, size_t index,
                                   const char *suffix, lpot_dtype dtype, const lpot_shape *shape,
                                   const void *data, lpot_error *err) {
  const char *base = node->num_outputs > 0 ? node->output_names[0] : node->name;
  const char *name = lpot_arena_printf(import->node_arena, "%s_%s", base, suffix);
  if (name == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_tensor *tensor = NULL;
  LPOT_TRY(lpot_tensor_copy_of(dtype, shape, data, &tensor, err));
  lpot_value_id value = LPOT_NONE;
  LPOT_TRY(lpot_graph_add_constant(import->graph, name, &tensor, &value, err));
  lpot_onnx_put_input(node, index, value);
  return LPOT_OK;
}

lpot_status lpot_onnx_ints_to_input(lpot_onnx_import *import, lpot_onnx_node *node,
                                    const char *name, size_t index, lpot_error *err) {
  const lpot_attribute *attribute = lpot_onnx_find_attribute(node, name);
  if (attribute == NULL) {
    return LPOT_OK;
  }
  if (attribute->kind != LPOT_ATTRIBUTE_INTS) {
    return LPOT_FAIL(err, LPOT_FORMAT, "attribute '%s' is not a list of integers", name);
  }
  int64_t count = (int64_t)attribute->count;
  lpot_shape shape = lpot_shape_of(1, &count);
  LPOT_TRY(lpot_onnx_put_constant(import, node, index, name, LPOT_S64, &shape, attribute->integers,
                                  err));
  lpot_onnx_drop_attribute(node, name);
  return LPOT_OK;
}

lpot_status lpot_onnx_require(const lpot_onnx_node *node, const char *name, lpot_error *err) {
  if (lpot_onnx_find_attribute(node, name) == NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "attribute '%s' is missing", name);
  }
  return LPOT_OK;
}

lpot_status lpot_onnx_float_to_input(lpot_onnx_import *import, lpot_onnx_node *node,
                                     const char *name, size_t index, float absent,
                                     lpot_error *err) {
  const lpot_attribute *attribute = lpot_onnx_find_attribute(node, name);
  if (attribute == NULL) {
    return LPOT_OK;
  }
  if (attribute->kind != LPOT_ATTRIBUTE_FLOAT) {
    return LPOT_FAIL(err, LPOT_FORMAT, "attribute '%s' is not a number", name);
  }
  float value = attribute->real;
  lpot_onnx_drop_attribute(node, name);
  if (value >= absent && value <= absent) {
    return LPOT_OK;
  }
  lpot_shape shape = lpot_shape_scalar();
  LPOT_TRY(lpot_onnx_put_constant(import, node, index, name, LPOT_F32, &shape, &value, err));
  return LPOT_OK;
}
