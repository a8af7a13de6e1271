/* Max, Min and Mean of any number of operands with numpy broadcasting. */
#include "engine/reference/kernel.h"

#include "base/memory.h"

/* NaN wins, whichever operand it is. */
#define X(name, relation)                                                                          \
  static void name##_doubles(int64_t count, const double *a, const double *b, double *out) {       \
    for (int64_t i = 0; i < count; i++) {                                                          \
      out[i] = a[i] relation b[i] || a[i] != a[i] ? a[i] : b[i];                                   \
    }                                                                                              \
  }                                                                                                \
  static lpot_status name##_ints(int64_t count, const int64_t *a, const int64_t *b, int64_t *out,  \
                                 lpot_error *err) {                                                \
    (void)err;                                                                                     \
    for (int64_t i = 0; i < count; i++) {                                                          \
      out[i] = a[i] relation b[i] ? a[i] : b[i];                                                   \
    }                                                                                              \
    return LPOT_OK;                                                                                \
  }                                                                                                \
  static lpot_status name##_u64(int64_t count, const int64_t *a, const int64_t *b, int64_t *out,   \
                                lpot_error *err) {                                                 \
    (void)err;                                                                                     \
    for (int64_t i = 0; i < count; i++) {                                                          \
      out[i] = (uint64_t)a[i] relation(uint64_t) b[i] ? a[i] : b[i];                               \
    }                                                                                              \
    return LPOT_OK;                                                                                \
  }
X(larger, >)
X(smaller, <)
#undef X

static void add_doubles(int64_t count, const double *a, const double *b, double *out) {
  for (int64_t i = 0; i < count; i++) {
    out[i] = a[i] + b[i];
  }
}

static const lpot_binary_operator extremes[] = {
    {LPOT_OP_MAX, larger_doubles, larger_ints, larger_u64},
    {LPOT_OP_MIN, smaller_doubles, smaller_ints, smaller_u64},
};

static const lpot_binary_operator addition = {LPOT_OP_MEAN, add_doubles, NULL, NULL};

LPOT_KERNEL(lpot_kernel_variadic) {
  size_t num_rows = sizeof extremes / sizeof *extremes;
  const lpot_binary_operator *row = lpot_binary_operator_find(extremes, num_rows, node->op);
  LPOT_ASSERT(row != NULL);
  lpot_tensor *out = outputs[0];
  for (int i = 0; i < node->num_inputs; i++) {
    LPOT_TRY(lpot_kernel_check_same_type(inputs[i], out, err));
  }
  if (out->dtype == LPOT_BOOL) {
    return lpot_kernel_unsupported_type(out, err);
  }
  /* The first step broadcasts the first operand; each further one takes the result so far. */
  LPOT_TRY(lpot_kernel_apply_binary(row, inputs[0], inputs[0], out, err));
  for (int i = 1; i < node->num_inputs; i++) {
    LPOT_TRY(lpot_kernel_apply_binary(row, out, inputs[i], out, err));
  }
  return LPOT_OK;
}

static lpot_status add_all(const lpot_node *node, const lpot_tensor *const *inputs,
                           lpot_tensor *sums, lpot_error *err) {
  for (int i = 0; i < node->num_inputs; i++) {
    LPOT_TRY(lpot_kernel_apply_binary(&addition, sums, inputs[i], sums, err));
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_mean) {
  lpot_tensor *out = outputs[0];
  lpot_tensor *sums = NULL; /* in double, whatever the type */
  for (int i = 0; i < node->num_inputs; i++) {
    LPOT_TRY(lpot_kernel_check_same_type(inputs[i], out, err));
  }
  if (!lpot_dtype_is_float(out->dtype)) {
    return lpot_kernel_unsupported_type(out, err);
  }
  LPOT_TRY(lpot_tensor_new(LPOT_F64, &out->shape, &sums, err));
  lpot_status status = add_all(node, inputs, sums, err);
  int64_t total = lpot_shape_elements(&out->shape);
  for (int64_t done = 0; done < total && status == LPOT_OK; done += LPOT_KERNEL_CHUNK) {
    double values[LPOT_KERNEL_CHUNK];
    int64_t count = total - done < LPOT_KERNEL_CHUNK ? total - done : LPOT_KERNEL_CHUNK;
    lpot_kernel_load_doubles(sums, done, 1, count, values);
    for (int64_t i = 0; i < count; i++) {
      values[i] /= (double)node->num_inputs;
    }
    lpot_kernel_store_doubles(out, done, count, values);
  }
  lpot_tensor_unref(sums);
  return status;
}
