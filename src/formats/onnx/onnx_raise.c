/* Raising operators of opsets 7 to 12 to the form of opset 13, and refusing or dropping what later
 * opsets brought and the graph lacks. One function per operator and one row per function; each
 * states its rule in one line. What opsets 1 to 6 alone had is in onnx_raise_early.c; what can be
 * raised only when the graph is complete, in onnx_raise_broadcast.c and onnx_raise_softmax.c. */
#include <float.h>
#include <limits.h>

#include "base/text.h"
#include "formats/onnx/onnx_import.h"

/* ---- outputs ---- */

static bool is_read(const lpot_onnx_import *import, const char *name) {
  int64_t found = 0;
  return name[0] != '\0' && lpot_hash_map_get(import->reads, name, &found);
}

/* Outputs from first on go where nobody reads them. Returns the first that is read, or 0. */
static size_t drop_unread_outputs(const lpot_onnx_import *import, lpot_onnx_node *node,
                                  size_t first) {
  size_t read = 0;
  for (size_t i = first; i < node->num_outputs; i++) {
    if (!is_read(import, node->output_names[i])) {
      node->outputs[i] = LPOT_NONE;
    } else if (read == 0) {
      read = i;
    }
  }
  return read;
}

static lpot_status only_first_output(const lpot_onnx_import *import, lpot_onnx_node *node,
                                     lpot_error *err) {
  size_t read = drop_unread_outputs(import, node, 1);
  if (read > 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "output %zu is used, but only output 0 is supported",
                     read);
  }
  return LPOT_OK;
}

/* ---- the rules ---- */

/* Squeeze below 13: attribute axes becomes input 1; absent stays absent. */
static lpot_status raise_squeeze(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  LPOT_TRY(lpot_onnx_expect_inputs(node, 1, err));
  LPOT_TRY(lpot_onnx_ints_to_input(import, node, "axes", 1, err));
  return LPOT_OK;
}

/* Unsqueeze below 13: attribute axes, which it must have, becomes input 1. */
static lpot_status raise_unsqueeze(lpot_onnx_import *import, lpot_onnx_node *node,
                                   lpot_error *err) {
  LPOT_TRY(lpot_onnx_require(node, "axes", err));
  LPOT_TRY(raise_squeeze(import, node, err));
  return LPOT_OK;
}

/* Split below 13: attribute split becomes input 1; absent means equal parts in both. */
static lpot_status raise_split(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  LPOT_TRY(lpot_onnx_expect_inputs(node, 1, err));
  LPOT_TRY(lpot_onnx_ints_to_input(import, node, "split", 1, err));
  return LPOT_OK;
}

/* Pad below 11: attributes pads and value become inputs 1 and 2; a value of 0 is left out. */
static lpot_status raise_pad(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  LPOT_TRY(lpot_onnx_expect_inputs(node, 1, err));
  LPOT_TRY(lpot_onnx_require(node, "pads", err));
  LPOT_TRY(lpot_onnx_ints_to_input(import, node, "pads", 1, err));
  LPOT_TRY(lpot_onnx_float_to_input(import, node, "value", 2, 0.0f, err));
  return LPOT_OK;
}

/* Clip below 11: attributes min and max become inputs 1 and 2; the type's limits are left out. */
static lpot_status raise_clip(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  LPOT_TRY(lpot_onnx_expect_inputs(node, 1, err));
  LPOT_TRY(lpot_onnx_float_to_input(import, node, "min", 1, -FLT_MAX, err));
  LPOT_TRY(lpot_onnx_float_to_input(import, node, "max", 2, FLT_MAX, err));
  return LPOT_OK;
}

/* Slice below 10: attributes starts, ends and axes become inputs 1, 2 and 3. */
static lpot_status raise_slice(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  LPOT_TRY(lpot_onnx_expect_inputs(node, 1, err));
  LPOT_TRY(lpot_onnx_require(node, "starts", err));
  LPOT_TRY(lpot_onnx_require(node, "ends", err));
  LPOT_TRY(lpot_onnx_ints_to_input(import, node, "starts", 1, err));
  LPOT_TRY(lpot_onnx_ints_to_input(import, node, "ends", 2, err));
  LPOT_TRY(lpot_onnx_ints_to_input(import, node, "axes", 3, err));
  return LPOT_OK;
}

/* ReduceSum below 13: attribute axes becomes input 1. Its kin keep the attribute up to 17. */
static lpot_status raise_reduce_sum(lpot_onnx_import *import, lpot_onnx_node *node,
                                    lpot_error *err) {
  LPOT_TRY(lpot_onnx_expect_inputs(node, 1, err));
  LPOT_TRY(lpot_onnx_ints_to_input(import, node, "axes", 1, err));
  return LPOT_OK;
}

/* Scatter, which 11 replaced: ScatterElements under its old name. */
static lpot_status raise_scatter(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  (void)import;
  LPOT_TRY(lpot_onnx_expect_inputs(node, 3, err));
  node->op_type = "ScatterElements";
  return LPOT_OK;
}

/* TopK below 10: attribute k, which it must have, becomes input 1. */
static lpot_status raise_top_k(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  const int64_t k = lpot_onnx_int_attribute(node, "k", 0);
  const int64_t one = 1;
  lpot_shape shape = lpot_shape_of(1, &one);
  LPOT_TRY(lpot_onnx_expect_inputs(node, 1, err));
  LPOT_TRY(lpot_onnx_require(node, "k", err));
  if (lpot_onnx_find_attribute(node, "k")->kind != LPOT_ATTRIBUTE_INT) {
    return LPOT_FAIL(err, LPOT_FORMAT, "attribute 'k' is not an integer");
  }
  LPOT_TRY(lpot_onnx_put_constant(import, node, 1, "k", LPOT_S64, &shape, &k, err));
  lpot_onnx_drop_attribute(node, "k");
  return LPOT_OK;
}

/* Dropout of all opsets: at inference the ratio has no effect, and the mask goes unless it is
 * read. A training mode that is not known to be false is refused. */
static lpot_status raise_dropout(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  if (node->num_inputs > 2 && node->inputs[2] != LPOT_NONE) {
    const lpot_tensor *mode = lpot_onnx_constant_input(import, node, 2);
    if (mode == NULL || lpot_tensor_elements(mode) != 1 || lpot_tensor_get_int(mode, 0) != 0) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "training_mode is not the constant false");
    }
  }
  lpot_onnx_drop_attribute(node, "ratio");
  lpot_onnx_drop_attribute(node, "seed");
  node->num_inputs = node->num_inputs > 1 ? 1 : node->num_inputs;
  (void)drop_unread_outputs(import, node, 1);
  return LPOT_OK;
}

/* Before opset 11 nearest took the lower neighbour when it enlarged and the upper one when it
 * shrank; one mode has to do for all axes. */
static const char *nearest_mode_of(const lpot_tensor *scales) {
  bool shrinks = false;
  bool enlarges = false;
  int64_t elements = scales == NULL ? 0 : lpot_tensor_elements(scales);
  for (int64_t i = 0; i < elements; i++) {
    double scale = lpot_tensor_get_double(scales, i);
    shrinks = shrinks || scale < 1.0;
    enlarges = enlarges || scale > 1.0;
  }
  if (shrinks && enlarges) {
    return NULL;
  }
  return shrinks ? "ceil" : "floor";
}

/* Resize 10 (and Upsample made like it): scales move behind an empty roi; coordinates were
 * asymmetric. */
static lpot_status raise_resize(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  LPOT_TRY(lpot_onnx_expect_inputs(node, 2, err));
  const char *nearest_mode = nearest_mode_of(lpot_onnx_constant_input(import, node, 1));
  bool nearest = lpot_text_equal(lpot_onnx_string_attribute(node, "mode", "nearest"), "nearest");
  if (nearest && nearest_mode == NULL) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "enlarges one axis and shrinks another by nearest neighbours");
  }
  lpot_value_id scales = node->inputs[1];
  lpot_onnx_put_input(node, 1, LPOT_NONE);
  lpot_onnx_put_input(node, 2, scales);
  LPOT_TRY(lpot_onnx_put_string(node, "coordinate_transformation_mode", "asymmetric", err));
  if (nearest) {
    LPOT_TRY(lpot_onnx_put_string(node, "nearest_mode", nearest_mode, err));
  }
  return LPOT_OK;
}

/* Upsample 7 and 9: a Resize 10 whose scales are an attribute (7) or input 1 (9); "bilinear" is an
 * older word for linear. */
static lpot_status raise_upsample(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  const lpot_attribute *scales = lpot_onnx_find_attribute(node, "scales");
  if (scales != NULL && scales->kind == LPOT_ATTRIBUTE_FLOATS && node->num_inputs == 1) {
    int64_t count = (int64_t)scales->count;
    lpot_shape shape = lpot_shape_of(1, &count);
    LPOT_TRY(
        lpot_onnx_put_constant(import, node, 1, "scales", LPOT_F32, &shape, scales->reals, err));
    lpot_onnx_drop_attribute(node, "scales");
  }
  if (lpot_text_equal(lpot_onnx_string_attribute(node, "mode", "nearest"), "bilinear")) {
    LPOT_TRY(lpot_onnx_put_string(node, "mode", "linear", err));
  }
  node->op_type = "Resize";
  LPOT_TRY(raise_resize(import, node, err));
  return LPOT_OK;
}

/* Resize of all opsets: empty constants for roi, scales and sizes mean "left out". */
static lpot_status check_resize(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  for (size_t i = 1; i < node->num_inputs; i++) {
    const lpot_tensor *tensor = lpot_onnx_constant_input(import, node, i);
    if (tensor != NULL && lpot_tensor_elements(tensor) == 0) {
      node->inputs[i] = LPOT_NONE;
    }
  }
  (void)err;
  if (lpot_onnx_int_attribute(node, "antialias", 0) == 0) {
    lpot_onnx_drop_attribute(node, "antialias");
  }
  return LPOT_OK;
}

/* BatchNormalization of all opsets: spatial (7, 8) must be 1, training_mode (14) 0; the outputs of
 * training go. */
static lpot_status raise_batch_normalization(lpot_onnx_import *import, lpot_onnx_node *node,
                                             lpot_error *err) {
  if (lpot_onnx_int_attribute(node, "spatial", 1) != 1) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "spatial is 0, expected 1");
  }
  if (lpot_onnx_int_attribute(node, "training_mode", 0) != 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "training_mode is 1, expected 0");
  }
  lpot_onnx_drop_attribute(node, "spatial");
  lpot_onnx_drop_attribute(node, "training_mode");
  lpot_onnx_drop_attribute(node, "momentum");
  LPOT_TRY(only_first_output(import, node, err));
  return LPOT_OK;
}

/* MaxPool of all opsets: the indices go unless they are read, and what orders them too. */
static lpot_status raise_max_pool(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  (void)err;
  if (drop_unread_outputs(import, node, 1) == 0) {
    lpot_onnx_drop_attribute(node, "storage_order");
  }
  return LPOT_OK;
}

/* Sum of all opsets: a chain of Adds; of one input, an Identity. */
static lpot_status raise_sum(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  if (node->num_inputs == 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "has no inputs");
  }
  for (size_t i = 0; i < node->num_inputs; i++) {
    if (node->inputs[i] == LPOT_NONE) {
      return LPOT_FAIL(err, LPOT_FORMAT, "input %zu is left out, but it is required", i);
    }
  }
  for (size_t i = 1; i + 1 < node->num_inputs; i++) {
    lpot_shape shape = lpot_shape_unknown();
    lpot_value_id partial = LPOT_NONE;
    lpot_node_id ignored = LPOT_NONE;
    LPOT_TRY(lpot_graph_add_value(import->graph, NULL, LPOT_DTYPE_UNKNOWN, &shape, &partial, err));
    lpot_value_id pair[2] = {node->inputs[0], node->inputs[i]};
    LPOT_TRY(
        lpot_graph_add_node(import->graph, LPOT_OP_ADD, NULL, pair, 2, &partial, 1, &ignored, err));
    node->inputs[0] = partial;
  }
  if (node->num_inputs == 1) {
    node->op_type = "Identity";
    return LPOT_OK;
  }
  node->inputs[1] = node->inputs[node->num_inputs - 1];
  node->num_inputs = 2;
  node->op_type = "Add";
  return LPOT_OK;
}

/* Reshape 14: allowzero stays where it may have an effect. */
static lpot_status check_reshape(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  bool has_effect = lpot_onnx_int_attribute(node, "allowzero", 0) != 0;
  const lpot_tensor *shape = lpot_onnx_constant_input(import, node, 1);
  if (has_effect && shape != NULL) {
    has_effect = false;
    for (int64_t i = 0; i < lpot_tensor_elements(shape); i++) {
      has_effect = has_effect || lpot_tensor_get_int(shape, i) == 0;
    }
  }
  if (has_effect && import->opset < 14) {
    return LPOT_FAIL(err, LPOT_FORMAT, "allowzero is of opset 14, the model has opset %lld",
                     (long long)import->opset);
  }
  if (!has_effect) {
    lpot_onnx_drop_attribute(node, "allowzero");
  }
  return LPOT_OK;
}

/* AveragePool 19: dilations of 1 go, so that older opsets can state the rest. */
static lpot_status check_average_pool(lpot_onnx_import *import, lpot_onnx_node *node,
                                      lpot_error *err) {
  const lpot_attribute *dilations = lpot_onnx_find_attribute(node, "dilations");
  bool all_one = true;
  for (size_t i = 0; dilations != NULL && i < dilations->count; i++) {
    all_one = all_one && dilations->kind == LPOT_ATTRIBUTE_INTS && dilations->integers[i] == 1;
  }
  if (all_one) {
    lpot_onnx_drop_attribute(node, "dilations");
  } else if (import->opset < 19) {
    return LPOT_FAIL(err, LPOT_FORMAT, "dilations are of opset 19, the model has opset %lld",
                     (long long)import->opset);
  }
  return LPOT_OK;
}

/* QuantizeLinear and DequantizeLinear 21: no blocks. */
static lpot_status check_block_size(lpot_onnx_import *import, lpot_onnx_node *node,
                                    lpot_error *err) {
  (void)import;
  if (lpot_onnx_int_attribute(node, "block_size", 0) != 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "block_size is %lld, expected 0",
                     (long long)lpot_onnx_int_attribute(node, "block_size", 0));
  }
  lpot_onnx_drop_attribute(node, "block_size");
  return LPOT_OK;
}

typedef struct raise_rule {
  const char *op_type;
  int64_t below; /* applies to files of a lower opset */
  lpot_status (*raise)(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err);
} raise_rule;

#define ALWAYS INT_MAX

/* Rows of one operator apply in this order. */
static const raise_rule rules[] = {
    {"AveragePool", ALWAYS, check_average_pool},
    {"BatchNormalization", ALWAYS, raise_batch_normalization},
    {"Clip", 11, raise_clip},
    {"DequantizeLinear", ALWAYS, check_block_size},
    {"Dropout", ALWAYS, raise_dropout},
    {"MaxPool", ALWAYS, raise_max_pool},
    {"Pad", 11, raise_pad},
    {"QuantizeLinear", ALWAYS, check_block_size},
    {"ReduceSum", 13, raise_reduce_sum},
    {"Reshape", ALWAYS, check_reshape},
    {"Resize", 11, raise_resize},
    {"Resize", ALWAYS, check_resize},
    {"Scatter", ALWAYS, raise_scatter},
    {"Slice", 10, raise_slice},
    {"Split", 13, raise_split},
    {"Squeeze", 13, raise_squeeze},
    {"Sum", ALWAYS, raise_sum},
    {"TopK", 10, raise_top_k},
    {"Unsqueeze", 13, raise_unsqueeze},
    {"Upsample", 10, raise_upsample},
};

lpot_status lpot_onnx_raise_node(lpot_onnx_import *import, lpot_onnx_node *node, lpot_error *err) {
  if (node->domain[0] != '\0') {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_onnx_raise_early(import, node, err));
  const char *op_type = node->op_type; /* which an early rule may have changed */
  for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
    if (import->opset < rules[i].below && lpot_text_equal(rules[i].op_type, op_type)) {
      LPOT_TRY(rules[i].raise(import, node, err));
    }
  }
  return LPOT_OK;
}
