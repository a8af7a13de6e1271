/* Rules of the operators that compare, test and choose, and of those on bits. */
#include <string.h>

#include "graph/infer_rules.h"

/* LPOT_FORMAT when the type of an input is known and no bool. */
static lpot_status check_bool(const lpot_infer *infer, int index, lpot_error *err) {
  lpot_dtype dtype = lpot_infer_input(infer, index)->dtype;
  if (dtype != LPOT_DTYPE_UNKNOWN && dtype != LPOT_BOOL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "input %d has the type %s, expected bool", index,
                     lpot_dtype_text(dtype));
  }
  return LPOT_OK;
}

lpot_status lpot_infer_compare(lpot_infer *infer, lpot_error *err) {
  lpot_shape shape;
  LPOT_TRY(lpot_infer_same_dtype(infer, 0, 1, err));
  LPOT_TRY(lpot_infer_broadcast(&lpot_infer_input(infer, 0)->shape,
                                &lpot_infer_input(infer, 1)->shape, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 0, LPOT_BOOL, &shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_logical(lpot_infer *infer, lpot_error *err) {
  LPOT_TRY(check_bool(infer, 0, err));
  LPOT_TRY(check_bool(infer, 1, err));
  LPOT_TRY(lpot_infer_compare(infer, err));
  return LPOT_OK;
}

/* IsInf, IsNaN */
lpot_status lpot_infer_test_number(lpot_infer *infer, lpot_error *err) {
  LPOT_TRY(lpot_infer_output(infer, 0, LPOT_BOOL, &lpot_infer_input(infer, 0)->shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_logical_not(lpot_infer *infer, lpot_error *err) {
  LPOT_TRY(check_bool(infer, 0, err));
  LPOT_TRY(lpot_infer_test_number(infer, err));
  return LPOT_OK;
}

lpot_status lpot_infer_bit_shift(lpot_infer *infer, lpot_error *err) {
  const char *direction = lpot_node_string(infer->node, "direction", "");
  if (strcmp(direction, "LEFT") != 0 && strcmp(direction, "RIGHT") != 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "direction is '%.32s', expected LEFT or RIGHT", direction);
  }
  LPOT_TRY(lpot_infer_binary(infer, err));
  return LPOT_OK;
}

lpot_status lpot_infer_where(lpot_infer *infer, lpot_error *err) {
  const lpot_value *a = lpot_infer_input(infer, 1);
  const lpot_value *b = lpot_infer_input(infer, 2);
  lpot_shape shape;
  LPOT_TRY(check_bool(infer, 0, err));
  LPOT_TRY(lpot_infer_same_dtype(infer, 1, 2, err));
  LPOT_TRY(lpot_infer_broadcast(&a->shape, &b->shape, &shape, err));
  LPOT_TRY(lpot_infer_broadcast(&lpot_infer_input(infer, 0)->shape, &shape, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 0, a->dtype, &shape, err));
  return LPOT_OK;
}
