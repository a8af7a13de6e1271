/* Raising operators of opsets 1 to 6 to the form of opset 7, from where onnx_raise.c goes on. One
 * function per operator and one row per function; each states its rule in one line. */
#include "base/text.h"
#include "formats/onnx/onnx_import.h"

/* Copies of a Tile 1 become inputs of a Concat. */
#define MAX_TILES 4096

/* Arithmetic, comparisons and logic below 7 broadcast only when told to, the second input to the
 * first: at its end, as later opsets do, or from an axis on, which onnx_raise_broadcast.c settles
 * when ranks are known. */
static lpot_status raise_broadcast(lpot_onnx_import *import, lpot_onnx_node *node,
                                   lpot_error *err) {
  (void)import;
  LPOT_TRY(lpot_onnx_expect_inputs(node, 2, err));
  bool broadcasts = lpot_onnx_int_attribute(node, "broadcast", 0) != 0;
  if (!broadcasts) {
    lpot_onnx_drop_attribute(node, "axis");
  }
  if (lpot_onnx_find_attribute(node, "axis") == NULL) {
    lpot_onnx_drop_attribute(node, "broadcast");
  }
  return LPOT_OK;
}

/* PRelu below 7: a vector of slopes lies along the channels. */
static lpot_status raise_prelu(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  (void)import;
  LPOT_TRY(lpot_onnx_expect_inputs(node, 2, err));
  LPOT_TRY(lpot_onnx_put_int(node, "broadcast", 1, err));
  LPOT_TRY(lpot_onnx_put_int(node, "axis", 1, err));
  return LPOT_OK;
}

/* BatchNormalization and Dropout below 7: is_test must be 1. */
static lpot_status raise_is_test(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  (void)import;
  if (lpot_onnx_int_attribute(node, "is_test", 0) == 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "is_test is 0, which means training, expected 1");
  }
  lpot_onnx_drop_attribute(node, "is_test");
  return LPOT_OK;
}

/* Reshape below 5: attribute shape becomes input 1. */
static lpot_status raise_reshape(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  LPOT_TRY(lpot_onnx_expect_inputs(node, 1, err));
  LPOT_TRY(lpot_onnx_require(node, "shape", err));
  LPOT_TRY(lpot_onnx_ints_to_input(import, node, "shape", 1, err));
  return LPOT_OK;
}

/* Cast below 6: the type is a name. */
static lpot_status raise_cast(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  static const char *const type_names[] = {
      [1] = "FLOAT",   [2] = "UINT8",   [3] = "INT8",    [4] = "UINT16", [5] = "INT16",
      [6] = "INT32",   [7] = "INT64",   [8] = "STRING",  [9] = "BOOL",   [10] = "FLOAT16",
      [11] = "DOUBLE", [12] = "UINT32", [13] = "UINT64",
  };
  (void)import;
  const char *to = lpot_onnx_string_attribute(node, "to", "");
  for (size_t i = 1; i < sizeof type_names / sizeof type_names[0]; i++) {
    if (lpot_text_equal_ignoring_case(to, type_names[i])) {
      LPOT_TRY(lpot_onnx_put_int(node, "to", (int64_t)i, err));
      return LPOT_OK;
    }
  }
  char shown[64];
  lpot_text_printable(to, shown, sizeof shown);
  return LPOT_FAIL(err, LPOT_UNSUPPORTED, "cast to the data type '%s'", shown);
}

/* Concat below 4: axis is 1 when absent. */
static lpot_status raise_concat(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  (void)import;
  if (lpot_onnx_find_attribute(node, "axis") == NULL) {
    LPOT_TRY(lpot_onnx_put_int(node, "axis", 1, err));
  }
  return LPOT_OK;
}

/* Pad below 2: pads were called paddings. */
static lpot_status raise_pad(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  (void)import;
  LPOT_TRY(lpot_onnx_require(node, "paddings", err));
  lpot_attribute pads = *lpot_onnx_find_attribute(node, "paddings");
  if (pads.kind != LPOT_ATTRIBUTE_INTS) {
    return LPOT_FAIL(err, LPOT_FORMAT, "attribute 'paddings' is not a list of integers");
  }
  pads.name = "pads";
  lpot_onnx_drop_attribute(node, "paddings");
  LPOT_TRY(lpot_onnx_put_attribute(node, &pads, err));
  return LPOT_OK;
}

static lpot_status take_scale(lpot_onnx_node *node, const char *name, float *ret_scale,
                              lpot_error *err) {
  const lpot_attribute *scale = lpot_onnx_find_attribute(node, name);
  if (scale == NULL || scale->kind != LPOT_ATTRIBUTE_FLOAT) {
    return LPOT_FAIL(err, LPOT_FORMAT, "attribute '%s' is missing or no number", name);
  }
  *ret_scale = scale->real;
  lpot_onnx_drop_attribute(node, name);
  return LPOT_OK;
}

/* Upsample below 7: height_scale and width_scale of an image become scales of all four axes. */
static lpot_status raise_upsample(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  float *scales = lpot_arena_alloc(import->node_arena, 4, sizeof *scales);
  if (scales == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  scales[0] = 1.0f;
  scales[1] = 1.0f;
  LPOT_TRY(take_scale(node, "height_scale", &scales[2], err));
  LPOT_TRY(take_scale(node, "width_scale", &scales[3], err));
  lpot_attribute attribute = {
      .name = "scales", .kind = LPOT_ATTRIBUTE_FLOATS, .reals = scales, .count = 4};
  LPOT_TRY(lpot_onnx_put_attribute(node, &attribute, err));
  return LPOT_OK;
}

/* Split below 2: input 1, which must be constant, becomes attribute split. */
static lpot_status raise_split(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  if (node->num_inputs < 2 || node->inputs[1] == LPOT_NONE) {
    return LPOT_OK;
  }
  const lpot_tensor *sizes = lpot_onnx_constant_input(import, node, 1);
  if (sizes == NULL) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "input 1 is not constant");
  }
  size_t count = (size_t)lpot_tensor_elements(sizes);
  int64_t *integers = lpot_arena_alloc(import->node_arena, count + 1, sizeof *integers);
  if (integers == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; i++) {
    double size = lpot_tensor_get_double(sizes, (int64_t)i); /* the sizes have the data's type */
    integers[i] = size >= 0.0 && size < 1e15 ? (int64_t)size : -1;
  }
  node->num_inputs = 1;
  lpot_attribute attribute = {
      .name = "split", .kind = LPOT_ATTRIBUTE_INTS, .integers = integers, .count = count};
  LPOT_TRY(lpot_onnx_put_attribute(node, &attribute, err));
  return LPOT_OK;
}

static lpot_status constant_number(const lpot_onnx_import *import, const lpot_onnx_node *node,
                                   size_t index, double *ret_number, lpot_error *err) {
  const lpot_tensor *tensor = lpot_onnx_constant_input(import, node, index);
  if (tensor == NULL || lpot_tensor_elements(tensor) != 1) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "input %zu is no constant of one element", index);
  }
  *ret_number = lpot_tensor_get_double(tensor, 0);
  return LPOT_OK;
}

/* Tile below 6: so many copies (input 1) one behind the other along an axis (input 2), a Concat. */
static lpot_status raise_tile(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  double tiles = 0.0;
  double axis = 0.0;
  LPOT_TRY(lpot_onnx_expect_inputs(node, 3, err));
  LPOT_TRY(constant_number(import, node, 1, &tiles, err));
  LPOT_TRY(constant_number(import, node, 2, &axis, err));
  if (!(tiles >= 1.0 && tiles <= MAX_TILES) || !(axis >= 0.0 && axis < LPOT_MAX_RANK)) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "%g tiles along axis %g, expected 1 to %d of 0 to %d",
                     tiles, axis, MAX_TILES, LPOT_MAX_RANK - 1);
  }
  size_t count = (size_t)tiles;
  lpot_value_id *copies =
      lpot_arena_alloc(import->node_arena, count + LPOT_ONNX_SPARE, sizeof *copies);
  if (copies == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; i++) {
    copies[i] = node->inputs[0];
  }
  node->inputs = copies;
  node->num_inputs = count;
  node->op_type = "Concat";
  LPOT_TRY(lpot_onnx_put_int(node, "axis", (int64_t)axis, err));
  return LPOT_OK;
}

/* LSTM below 7: output_sequence said whether output 0 is wanted; its name says it too. */
static lpot_status raise_lstm(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  (void)import;
  (void)err;
  lpot_onnx_drop_attribute(node, "output_sequence");
  return LPOT_OK;
}

typedef struct early_rule {
  const char *op_type;
  int64_t below; /* applies to files of a lower opset */
  lpot_status (*raise)(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err);
} early_rule;

static const early_rule early_rules[] = {
    {"Add", 7, raise_broadcast},
    {"And", 7, raise_broadcast},
    {"BatchNormalization", 7, raise_is_test},
    {"Cast", 6, raise_cast},
    {"Concat", 4, raise_concat},
    {"Div", 7, raise_broadcast},
    {"Dropout", 7, raise_is_test},
    {"Equal", 7, raise_broadcast},
    {"Greater", 7, raise_broadcast},
    {"LSTM", 7, raise_lstm},
    {"Less", 7, raise_broadcast},
    {"Mul", 7, raise_broadcast},
    {"Or", 7, raise_broadcast},
    {"PRelu", 7, raise_prelu},
    {"Pad", 2, raise_pad},
    {"Pow", 7, raise_broadcast},
    {"Reshape", 5, raise_reshape},
    {"Split", 2, raise_split},
    {"Sub", 7, raise_broadcast},
    {"Tile", 6, raise_tile},
    {"Upsample", 7, raise_upsample},
    {"Xor", 7, raise_broadcast},
};

static bool is_broadcasting(const char *op_type) {
  for (size_t i = 0; i < sizeof early_rules / sizeof early_rules[0]; i++) {
    if (early_rules[i].raise == raise_broadcast &&
        lpot_text_equal(early_rules[i].op_type, op_type)) {
      return true;
    }
  }
  return false;
}

lpot_status lpot_onnx_raise_early(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  if (import->opset >= 7) {
    return LPOT_OK;
  }
  lpot_onnx_drop_attribute(node, "consumed_inputs"); /* a promise to a planner of memory */
  if (!is_broadcasting(node->op_type)) {
    lpot_onnx_drop_attribute(node, "broadcast"); /* Gemm's: input 2 may broadcast anyway */
  }
  const char *op_type = node->op_type;
  for (size_t i = 0; i < sizeof early_rules / sizeof early_rules[0]; i++) {
    const early_rule *rule = &early_rules[i];
    if (import->opset < rule->below && lpot_text_equal(rule->op_type, op_type)) {
      LPOT_TRY(rule->raise(import, node, err));
    }
  }
  return LPOT_OK;
}
