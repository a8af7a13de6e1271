/* Comparisons, logic of truth values and of bits, tests of numbers, and Where. */
#include "engine/reference/kernel.h"

#include <math.h>
#include <string.h>

/* ---- comparisons ---- */

#define X(name, relation)                                                                          \
  static void name##_doubles(int64_t count, const double *a, const double *b, double *out) {       \
    for (int64_t i = 0; i < count; i++) {                                                          \
      out[i] = a[i] relation b[i] ? 1.0 : 0.0;                                                     \
    }                                                                                              \
  }                                                                                                \
  static lpot_status name##_ints(int64_t count, const int64_t *a, const int64_t *b, int64_t *out,  \
                                 lpot_error *err) {                                                \
    (void)err;                                                                                     \
    for (int64_t i = 0; i < count; i++) {                                                          \
      out[i] = a[i] relation b[i];                                                                 \
    }                                                                                              \
    return LPOT_OK;                                                                                \
  }                                                                                                \
  static lpot_status name##_u64(int64_t count, const int64_t *a, const int64_t *b, int64_t *out,   \
                                lpot_error *err) {                                                 \
    (void)err;                                                                                     \
    for (int64_t i = 0; i < count; i++) {                                                          \
      out[i] = (uint64_t)a[i] relation(uint64_t) b[i];                                             \
    }                                                                                              \
    return LPOT_OK;                                                                                \
  }
X(equal, ==)
X(greater, >)
X(greater_or_equal, >=)
X(less, <)
X(less_or_equal, <=)
#undef X

static const lpot_binary_operator comparisons[] = {
    {LPOT_OP_EQUAL, equal_doubles, equal_ints, equal_u64},
    {LPOT_OP_GREATER, greater_doubles, greater_ints, greater_u64},
    {LPOT_OP_GREATER_OR_EQUAL, greater_or_equal_doubles, greater_or_equal_ints,
     greater_or_equal_u64},
    {LPOT_OP_LESS, less_doubles, less_ints, less_u64},
    {LPOT_OP_LESS_OR_EQUAL, less_or_equal_doubles, less_or_equal_ints, less_or_equal_u64},
};

static lpot_status check_bool(const char *what, const lpot_tensor *tensor, lpot_error *err) {
  if (tensor->dtype != LPOT_BOOL) {
    return LPOT_FAIL(err, LPOT_INVALID, "%s has the type %s, expected bool", what,
                     lpot_dtype_text(tensor->dtype));
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_compare) {
  size_t num_rows = sizeof comparisons / sizeof *comparisons;
  const lpot_binary_operator *row = lpot_binary_operator_find(comparisons, num_rows, node->op);
  LPOT_ASSERT(row != NULL);
  LPOT_TRY(check_bool("the output", outputs[0], err));
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], inputs[1], err));
  LPOT_TRY(lpot_kernel_apply_binary(row, inputs[0], inputs[1], outputs[0], err));
  return LPOT_OK;
}

/* ---- logic ---- */

/* Truth values are loaded as 0 and 1, so that the same loops serve them. */
#define X(name, operator)                                                                          \
  static lpot_status name(int64_t count, const int64_t *a, const int64_t *b, int64_t *out,         \
                          lpot_error *err) {                                                       \
    (void)err;                                                                                     \
    for (int64_t i = 0; i < count; i++) {                                                          \
      out[i] = a[i] operator b[i];                                                                 \
    }                                                                                              \
    return LPOT_OK;                                                                                \
  }
X(and_bits, &)
X(or_bits, |)
X(xor_bits, ^)
#undef X

static const lpot_binary_operator logic[] = {
    {LPOT_OP_AND, NULL, and_bits, NULL},       {LPOT_OP_OR, NULL, or_bits, NULL},
    {LPOT_OP_XOR, NULL, xor_bits, NULL},       {LPOT_OP_BITWISE_AND, NULL, and_bits, NULL},
    {LPOT_OP_BITWISE_OR, NULL, or_bits, NULL}, {LPOT_OP_BITWISE_XOR, NULL, xor_bits, NULL},
};

LPOT_KERNEL(lpot_kernel_logic) {
  size_t num_rows = sizeof logic / sizeof *logic;
  const lpot_binary_operator *row = lpot_binary_operator_find(logic, num_rows, node->op);
  LPOT_ASSERT(row != NULL);
  bool on_bool = node->op == LPOT_OP_AND || node->op == LPOT_OP_OR || node->op == LPOT_OP_XOR;
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], inputs[1], err));
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], outputs[0], err));
  if (on_bool != (inputs[0]->dtype == LPOT_BOOL)) {
    return lpot_kernel_unsupported_type(inputs[0], err);
  }
  LPOT_TRY(lpot_kernel_apply_binary(row, inputs[0], inputs[1], outputs[0], err));
  return LPOT_OK;
}

/* ---- shifts of unsigned integers ---- */

/* C leaves shifts by 64 and more undefined; here all bits are gone then. */
#define X(name, operator)                                                                          \
  static lpot_status name(int64_t count, const int64_t *a, const int64_t *b, int64_t *out,         \
                          lpot_error *err) {                                                       \
    (void)err;                                                                                     \
    for (int64_t i = 0; i < count; i++) {                                                          \
      uint64_t bits = (uint64_t)b[i];                                                              \
      out[i] = bits < 64 ? (int64_t)((uint64_t)a[i] operator bits) : 0;                            \
    }                                                                                              \
    return LPOT_OK;                                                                                \
  }
X(shift_left, <<)
X(shift_right, >>)
#undef X

static const lpot_binary_operator to_the_left = {LPOT_OP_BIT_SHIFT, NULL, shift_left, NULL};
static const lpot_binary_operator to_the_right = {LPOT_OP_BIT_SHIFT, NULL, shift_right, NULL};

LPOT_KERNEL(lpot_kernel_bit_shift) {
  lpot_dtype dtype = inputs[0]->dtype;
  bool left = strcmp(lpot_node_string(node, "direction", "RIGHT"), "LEFT") == 0;
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], inputs[1], err));
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], outputs[0], err));
  if (dtype != LPOT_U8 && dtype != LPOT_U16 && dtype != LPOT_U32 && dtype != LPOT_U64) {
    return lpot_kernel_unsupported_type(inputs[0], err);
  }
  LPOT_TRY(lpot_kernel_apply_binary(left ? &to_the_left : &to_the_right, inputs[0], inputs[1],
                                    outputs[0], err));
  return LPOT_OK;
}

/* ---- IsInf, IsNaN ---- */

LPOT_KERNEL(lpot_kernel_test_number) {
  const lpot_tensor *input = inputs[0];
  lpot_tensor *out = outputs[0];
  bool is_nan = node->op == LPOT_OP_IS_NAN;
  bool negative = lpot_node_int(node, "detect_negative", 1) != 0;
  bool positive = lpot_node_int(node, "detect_positive", 1) != 0;
  LPOT_TRY(check_bool("the output", out, err));
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", &input->shape, &out->shape, err));
  if (!lpot_dtype_is_float(input->dtype)) {
    return lpot_kernel_unsupported_type(input, err);
  }
  int64_t total = lpot_shape_elements(&out->shape);
  for (int64_t done = 0; done < total; done += LPOT_KERNEL_CHUNK) {
    double values[LPOT_KERNEL_CHUNK];
    int64_t count = total - done < LPOT_KERNEL_CHUNK ? total - done : LPOT_KERNEL_CHUNK;
    lpot_kernel_load_doubles(input, done, 1, count, values);
    for (int64_t i = 0; i < count; i++) {
      bool wanted = values[i] < 0.0 ? negative : positive;
      bool found = is_nan ? isnan(values[i]) : isinf(values[i]) && wanted;
      values[i] = found ? 1.0 : 0.0;
    }
    lpot_kernel_store_doubles(out, done, count, values);
  }
  return LPOT_OK;
}

/* ---- Where ---- */

/* Copies the elements of choice where the condition is as wanted; the others stay. */
static lpot_status copy_where(const lpot_tensor *condition, bool wanted, const lpot_tensor *choice,
                              lpot_tensor *out, lpot_error *err) {
  lpot_kernel_rows rows;
  size_t size = lpot_dtype_size(out->dtype);
  const uint8_t *truths = condition->data;
  const uint8_t *from = choice->data;
  uint8_t *to = out->data;
  LPOT_TRY(lpot_kernel_rows_begin(&condition->shape, &choice->shape, &out->shape, &rows, err));
  for (; lpot_kernel_rows_more(&rows); lpot_kernel_rows_next(&rows)) {
    for (int64_t i = 0; i < rows.length; i++) {
      bool truth = truths[rows.start[0] + i * rows.step[0]] != 0;
      if (truth == wanted) {
        memcpy(to + (size_t)(rows.out_start + i) * size,
               from + (size_t)(rows.start[1] + i * rows.step[1]) * size, size);
      }
    }
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_where) {
  (void)node;
  LPOT_TRY(check_bool("the condition", inputs[0], err));
  LPOT_TRY(lpot_kernel_check_same_type(inputs[1], inputs[2], err));
  LPOT_TRY(lpot_kernel_check_same_type(inputs[1], outputs[0], err));
  LPOT_TRY(copy_where(inputs[0], true, inputs[1], outputs[0], err));
  LPOT_TRY(copy_where(inputs[0], false, inputs[2], outputs[0], err));
  return LPOT_OK;
}
