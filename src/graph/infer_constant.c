/* The tensor of a Constant node. */
#include "graph/infer_rules.h"

/* A new tensor of a scalar or vector of numbers that an attribute lists. */
static lpot_status tensor_of(lpot_dtype dtype, bool is_vector, size_t count, const void *data,
                             lpot_tensor **ret_tensor, lpot_error *err) {
  lpot_shape shape = lpot_shape_scalar();
  if (is_vector) {
    int64_t dim = (int64_t)count;
    shape = lpot_shape_of(1, &dim);
  }
  LPOT_TRY(lpot_tensor_copy_of(dtype, &shape, data, ret_tensor, err));
  return LPOT_OK;
}

static lpot_status tensor_of_attribute(const lpot_attribute *attribute, lpot_tensor **ret_tensor,
                                       lpot_error *err) {
  switch (attribute->kind) {
  case LPOT_ATTRIBUTE_TENSOR:
    *ret_tensor = lpot_tensor_ref(attribute->tensor);
    break;
  case LPOT_ATTRIBUTE_INT:
    LPOT_TRY(tensor_of(LPOT_S64, false, 1, &attribute->integer, ret_tensor, err));
    break;
  case LPOT_ATTRIBUTE_FLOAT:
    LPOT_TRY(tensor_of(LPOT_F32, false, 1, &attribute->real, ret_tensor, err));
    break;
  case LPOT_ATTRIBUTE_INTS:
    LPOT_TRY(tensor_of(LPOT_S64, true, attribute->count, attribute->integers, ret_tensor, err));
    break;
  case LPOT_ATTRIBUTE_FLOATS:
    LPOT_TRY(tensor_of(LPOT_F32, true, attribute->count, attribute->reals, ret_tensor, err));
    break;
  case LPOT_ATTRIBUTE_STRING:
  case LPOT_ATTRIBUTE_STRINGS:
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "a constant of text is not supported");
  }
  return LPOT_OK;
}

lpot_status lpot_infer_constant_value(const lpot_node *node, lpot_tensor **ret_tensor,
                                      lpot_error *err) {
  static const struct {
    const char *name;
    lpot_attribute_kind kind;
  } table[] = {
      {"value", LPOT_ATTRIBUTE_TENSOR},        {"value_float", LPOT_ATTRIBUTE_FLOAT},
      {"value_floats", LPOT_ATTRIBUTE_FLOATS}, {"value_int", LPOT_ATTRIBUTE_INT},
      {"value_ints", LPOT_ATTRIBUTE_INTS},     {"value_string", LPOT_ATTRIBUTE_STRING},
  };
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    const lpot_attribute *attribute = lpot_node_attribute(node, table[i].name);
    if (attribute != NULL && attribute->kind == table[i].kind) {
      LPOT_TRY(tensor_of_attribute(attribute, ret_tensor, err));
      return LPOT_OK;
    }
  }
  return LPOT_FAIL(err, LPOT_UNSUPPORTED, "the constant has no value of a known kind");
}
