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
