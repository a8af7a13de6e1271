#include "graph/op.h"

#include <string.h>

#include "base/text.h"

static const lpot_op_info op_table[LPOT_NUM_OPS] = {
#define X(name, text, min_in, max_in, min_out, max_out)                                            \
  [LPOT_OP_##name] = {LPOT_OP_##name, text, "", min_in, max_in, min_out, max_out},
    LPOT_OP_LIST(X)
#undef X
#define X(name, text, domain, min_in, max_in, min_out, max_out)                                    \
  [LPOT_OP_##name] = {LPOT_OP_##name, text, domain, min_in, max_in, min_out, max_out},
        LPOT_QUANTIZED_OP_LIST(X)
#undef X
};

/* The same names as a list for the search of the nearest one. */
static const char *const op_names[] = {
#define X(name, text, min_in, max_in, min_out, max_out) text,
    LPOT_OP_LIST(X)
#undef X
#define X(name, text, domain, min_in, max_in, min_out, max_out) text,
        LPOT_QUANTIZED_OP_LIST(X)
#undef X
            NULL};

const lpot_op_info *lpot_op_get_info(lpot_op op) {
  LPOT_ASSERT((unsigned)op < LPOT_NUM_OPS);
  return &op_table[op];
}

/* Optional inputs in front of required ones; bit i: input i. */
static const struct {
  lpot_op op;
  uint32_t inputs;
} optional_inputs[] = {
    {LPOT_OP_EMBED_LAYER_NORMALIZATION, 0x12},
    {LPOT_OP_QLINEAR_ADD, 0x24},
    {LPOT_OP_QLINEAR_AVERAGE_POOL, 0x4},
    {LPOT_OP_QLINEAR_LEAKY_RELU, 0x4},
    {LPOT_OP_QLINEAR_MUL, 0x24},
    {LPOT_OP_QLINEAR_SIGMOID, 0x4},
    {LPOT_OP_QLINEAR_SOFTMAX, 0x4},
};

bool lpot_op_requires_input(lpot_op op, size_t index) {
  if (index >= (size_t)lpot_op_get_info(op)->min_inputs) {
    return false;
  }
  for (size_t i = 0; i < sizeof optional_inputs / sizeof optional_inputs[0]; i++) {
    if (optional_inputs[i].op == op && index < 32) {
      return (optional_inputs[i].inputs >> index & 1u) == 0;
    }
  }
  return true;
}

lpot_status lpot_op_find(const char *domain, const char *name, lpot_op *ret_op, lpot_error *err) {
  if (domain == NULL || strcmp(domain, "ai.onnx") == 0) {
    domain = "";
  }
  if (name == NULL) {
    name = "";
  }
  for (size_t i = 0; i < LPOT_NUM_OPS; i++) {
    if (strcmp(op_table[i].name, name) == 0 && strcmp(op_table[i].domain, domain) == 0) {
      *ret_op = op_table[i].op;
      return LPOT_OK;
    }
  }
  const char *separator = domain[0] == '\0' ? "" : "::";
  const char *nearest = lpot_text_nearest(name, op_names);
  if (nearest == NULL) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "operator '%s%s%s' is not supported", domain, separator,
                     name);
  }
  return LPOT_FAIL(err, LPOT_UNSUPPORTED, "operator '%s%s%s' is not supported, the nearest is '%s'",
                   domain, separator, name, nearest);
}
