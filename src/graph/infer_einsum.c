/* The rule of Einsum. */
#include "graph/einsum.h"
#include "graph/infer_rules.h"

lpot_status lpot_infer_einsum(lpot_infer *infer, lpot_error *err) {
  const lpot_node *node = infer->node;
  const lpot_shape *shapes[LPOT_EINSUM_MAX_INPUTS];
  bool known = true;
  lpot_shape shape = lpot_shape_unknown();
  if (node->num_inputs > LPOT_EINSUM_MAX_INPUTS) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "%d inputs, expected at most %d", node->num_inputs,
                     LPOT_EINSUM_MAX_INPUTS);
  }
  for (int i = 0; i < node->num_inputs; i++) {
    const lpot_value *input = lpot_infer_input(infer, i);
    if (input == NULL) {
      return LPOT_FAIL(err, LPOT_FORMAT, "input %d is left out", i);
    }
    LPOT_TRY(lpot_infer_same_dtype(infer, 0, i, err));
    shapes[i] = &input->shape;
    known = known && input->shape.rank != LPOT_RANK_UNKNOWN;
  }
  if (lpot_node_attribute(node, "equation") == NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "equation is missing");
  }
  if (known) {
    lpot_einsum einsum;
    LPOT_TRY(lpot_einsum_resolve(lpot_node_string(node, "equation", ""), shapes, node->num_inputs,
                                 &einsum, err));
    shape = lpot_shape_of(einsum.num_output, einsum.dims);
  }
  LPOT_TRY(lpot_infer_output(infer, 0, lpot_infer_input(infer, 0)->dtype, &shape, err));
  return LPOT_OK;
}
