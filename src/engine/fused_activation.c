#include "engine/fused_activation.h"

#include <math.h>

#include "base/text.h"

/* With the parameters that hold where the node says nothing. */
static const struct {
  const char *name;
  lpot_fused_activation activation;
} rows[] = {
    {"", {LPOT_OP_IDENTITY, 0.0f, 0.0f}},
    {"Clip", {LPOT_OP_CLIP, -INFINITY, INFINITY}},
    {"HardSigmoid", {LPOT_OP_HARD_SIGMOID, 0.2f, 0.5f}},
    {"LeakyRelu", {LPOT_OP_LEAKY_RELU, 0.01f, 0.0f}},
    {"Relu", {LPOT_OP_RELU, 0.0f, 0.0f}},
    {"Sigmoid", {LPOT_OP_SIGMOID, 0.0f, 0.0f}},
    {"Tanh", {LPOT_OP_TANH, 0.0f, 0.0f}},
};

static lpot_status find(const char *name, lpot_fused_activation *ret, lpot_error *err) {
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    if (lpot_text_equal(rows[i].name, name)) {
      *ret = rows[i].activation;
      return LPOT_OK;
    }
  }
  char text[64];
  lpot_text_printable(name, text, sizeof text);
  return LPOT_FAIL(err, LPOT_UNSUPPORTED, "the activation '%s' is not supported", text);
}

/* FusedConv has a list of parameters, FusedGemm two attributes. */
lpot_status lpot_fused_activation_read(const lpot_node *node, lpot_fused_activation *ret,
                                       lpot_error *err) {
  const lpot_attribute *list = lpot_node_attribute(node, "activation_params");
  lpot_fused_activation found;
  LPOT_TRY(find(lpot_node_string(node, "activation", ""), &found, err));
  found.alpha = lpot_node_float(node, "activation_alpha", found.alpha);
  found.beta = lpot_node_float(node, "activation_beta", found.beta);
  if (list != NULL && list->kind == LPOT_ATTRIBUTE_FLOATS) {
    found.alpha = list->count > 0 ? list->reals[0] : found.alpha;
    found.beta = list->count > 1 ? list->reals[1] : found.beta;
  }
  *ret = found;
  return LPOT_OK;
}
