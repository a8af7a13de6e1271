/* Arithmetic of two operands with numpy broadcasting (Add, Sub, Mul, Div, Mod, Pow, PRelu), and
 * Cast. */
#include "engine/reference/kernel.h"

#include <math.h>

#define CHUNK LPOT_KERNEL_CHUNK

/* A double holds sum, difference, product and quotient of two floats so exactly that rounding it
 * once more to float gives the float operation's own result. */
#define X(name, expression)                                                                        \
  static void name(int64_t count, const double *a, const double *b, double *out) {                 \
    for (int64_t i = 0; i < count; i++) {                                                          \
      out[i] = expression;                                                                         \
    }                                                                                              \
  }
X(add_doubles, a[i] + b[i])
X(subtract_doubles, a[i] - b[i])
X(multiply_doubles, a[i] * b[i])
X(divide_doubles, a[i] / b[i])
X(raise_doubles, pow(a[i], b[i]))
X(remainder_doubles, fmod(a[i], b[i])) /* has the sign of a */
X(prelu_doubles, a[i] < 0.0 ? b[i] * a[i] : a[i])
#undef X

/* Integers wrap; unsigned arithmetic says so to the compiler. */
#define X(name, operator)                                                                          \
  static lpot_status name(int64_t count, const int64_t *a, const int64_t *b, int64_t *out,         \
                          lpot_error *err) {                                                       \
    (void)err;                                                                                     \
    for (int64_t i = 0; i < count; i++) {                                                          \
      out[i] = (int64_t)((uint64_t)a[i] operator(uint64_t) b[i]);                                  \
    }                                                                                              \
    return LPOT_OK;                                                                                \
  }
X(add_ints, +)
X(subtract_ints, -)
X(multiply_ints, *)
#undef X

/* Truncates towards zero. */
static lpot_status divide_ints(int64_t count, const int64_t *a, const int64_t *b, int64_t *out,
                               lpot_error *err) {
  for (int64_t i = 0; i < count; i++) {
    if (b[i] == 0) {
      return LPOT_FAIL(err, LPOT_INVALID, "integer division by zero");
    }
    out[i] = b[i] == -1 ? (int64_t)(0u - (uint64_t)a[i]) : a[i] / b[i];
  }
  return LPOT_OK;
}

/* Of two numbers taken as unsigned. */
static lpot_status divide_u64(int64_t count, const int64_t *a, const int64_t *b, int64_t *out,
                              lpot_error *err) {
  for (int64_t i = 0; i < count; i++) {
    if (b[i] == 0) {
      return LPOT_FAIL(err, LPOT_INVALID, "integer division by zero");
    }
    out[i] = (int64_t)((uint64_t)a[i] / (uint64_t)b[i]);
  }
  return LPOT_OK;
}

static lpot_status remainder_u64(int64_t count, const int64_t *a, const int64_t *b, int64_t *out,
                                 lpot_error *err) {
  for (int64_t i = 0; i < count; i++) {
    if (b[i] == 0) {
      return LPOT_FAIL(err, LPOT_INVALID, "integer remainder of a division by zero");
    }
    out[i] = (int64_t)((uint64_t)a[i] % (uint64_t)b[i]);
  }
  return LPOT_OK;
}

/* With the sign of a, as C has it: fmod = 1. */
static lpot_status remainder_ints(int64_t count, const int64_t *a, const int64_t *b, int64_t *out,
                                  lpot_error *err) {
  for (int64_t i = 0; i < count; i++) {
    if (b[i] == 0) {
      return LPOT_FAIL(err, LPOT_INVALID, "integer remainder of a division by zero");
    }
    out[i] = b[i] == -1 ? 0 : a[i] % b[i];
  }
  return LPOT_OK;
}

/* With the sign of b, as Python has it: fmod = 0. */
static lpot_status modulo_ints(int64_t count, const int64_t *a, const int64_t *b, int64_t *out,
                               lpot_error *err) {
  LPOT_TRY(remainder_ints(count, a, b, out, err));
  for (int64_t i = 0; i < count; i++) {
    bool signs_differ = out[i] != 0 && (out[i] < 0) != (b[i] < 0);
    out[i] += signs_differ ? b[i] : 0;
  }
  return LPOT_OK;
}

static lpot_status prelu_ints(int64_t count, const int64_t *a, const int64_t *b, int64_t *out,
                              lpot_error *err) {
  (void)err;
  for (int64_t i = 0; i < count; i++) {
    out[i] = a[i] < 0 ? (int64_t)((uint64_t)a[i] * (uint64_t)b[i]) : a[i];
  }
  return LPOT_OK;
}

static lpot_status keep_u64(int64_t count, const int64_t *a, const int64_t *b, int64_t *out,
                            lpot_error *err) {
  (void)b;
  (void)err;
  for (int64_t i = 0; i < count; i++) {
    out[i] = a[i];
  }
  return LPOT_OK;
}

static int64_t raise_int(int64_t base, int64_t exponent) {
  if (exponent < 0) {
    return (int64_t)pow((double)base, (double)exponent);
  }
  uint64_t result = 1;
  uint64_t factor = (uint64_t)base;
  for (uint64_t bits = (uint64_t)exponent; bits != 0; bits >>= 1) {
    if ((bits & 1u) != 0) {
      result *= factor;
    }
    factor *= factor;
  }
  return (int64_t)result;
}

static lpot_status raise_ints(int64_t count, const int64_t *a, const int64_t *b, int64_t *out,
                              lpot_error *err) {
  for (int64_t i = 0; i < count; i++) {
    if (a[i] == 0 && b[i] < 0) {
      return LPOT_FAIL(err, LPOT_INVALID, "integer zero raised to a negative power");
    }
    out[i] = raise_int(a[i], b[i]);
  }
  return LPOT_OK;
}

static const lpot_binary_operator arithmetic[] = {
    {LPOT_OP_ADD, add_doubles, add_ints, NULL},
    {LPOT_OP_SUB, subtract_doubles, subtract_ints, NULL},
    {LPOT_OP_MUL, multiply_doubles, multiply_ints, NULL},
    {LPOT_OP_DIV, divide_doubles, divide_ints, divide_u64},
    {LPOT_OP_MOD, remainder_doubles, modulo_ints, remainder_u64},
    {LPOT_OP_POW, raise_doubles, raise_ints, NULL},
    {LPOT_OP_PRELU, prelu_doubles, prelu_ints, keep_u64},
};

/* Mod with fmod = 1. */
static const lpot_binary_operator truncated_mod = {LPOT_OP_MOD, remainder_doubles, remainder_ints,
                                                   remainder_u64};

const lpot_binary_operator *lpot_binary_operator_find(const lpot_binary_operator *rows,
                                                      size_t num_rows, lpot_op op) {
  for (size_t i = 0; i < num_rows; i++) {
    if (rows[i].op == op) {
      return &rows[i];
    }
  }
  return NULL;
}

static void run_doubles(lpot_double_operator apply, const lpot_tensor *const operands[2],
                        const lpot_kernel_rows *rows, lpot_tensor *out) {
  double a[CHUNK];
  double b[CHUNK];
  double results[CHUNK];
  for (int64_t done = 0; done < rows->length; done += CHUNK) {
    int64_t count = rows->length - done < CHUNK ? rows->length - done : CHUNK;
    lpot_kernel_load_doubles(operands[0], rows->start[0] + done * rows->step[0], rows->step[0],
                             count, a);
    lpot_kernel_load_doubles(operands[1], rows->start[1] + done * rows->step[1], rows->step[1],
                             count, b);
    apply(count, a, b, results);
    lpot_kernel_store_doubles(out, rows->out_start + done, count, results);
  }
}

static lpot_status run_ints(lpot_int_operator apply, const lpot_tensor *const operands[2],
                            const lpot_kernel_rows *rows, lpot_tensor *out, lpot_error *err) {
  int64_t a[CHUNK];
  int64_t b[CHUNK];
  int64_t results[CHUNK];
  for (int64_t done = 0; done < rows->length; done += CHUNK) {
    int64_t count = rows->length - done < CHUNK ? rows->length - done : CHUNK;
    lpot_kernel_load_ints(operands[0], rows->start[0] + done * rows->step[0], rows->step[0], count,
                          a);
    lpot_kernel_load_ints(operands[1], rows->start[1] + done * rows->step[1], rows->step[1], count,
                          b);
    LPOT_TRY(apply(count, a, b, results, err));
    lpot_kernel_store_ints(out, rows->out_start + done, count, results);
  }
  return LPOT_OK;
}

lpot_status lpot_kernel_apply_binary(const lpot_binary_operator *function, const lpot_tensor *a,
                                     const lpot_tensor *b, lpot_tensor *out, lpot_error *err) {
  const lpot_tensor *const operands[2] = {a, b};
  bool ints = !lpot_dtype_is_float(a->dtype) && !lpot_dtype_is_float(b->dtype);
  bool is_u64 = a->dtype == LPOT_U64 && function->on_u64 != NULL;
  lpot_int_operator on_ints = is_u64 ? function->on_u64 : function->on_ints;
  if (ints ? on_ints == NULL : function->on_doubles == NULL) {
    return lpot_kernel_unsupported_type(a, err);
  }
  lpot_kernel_rows rows;
  LPOT_TRY(lpot_kernel_rows_begin(&a->shape, &b->shape, &out->shape, &rows, err));
  for (; lpot_kernel_rows_more(&rows); lpot_kernel_rows_next(&rows)) {
    if (ints) {
      LPOT_TRY(run_ints(on_ints, operands, &rows, out, err));
    } else {
      run_doubles(function->on_doubles, operands, &rows, out);
    }
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_binary) {
  size_t num_rows = sizeof arithmetic / sizeof *arithmetic;
  const lpot_binary_operator *row = lpot_binary_operator_find(arithmetic, num_rows, node->op);
  LPOT_ASSERT(row != NULL);
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], outputs[0], err));
  if (node->op != LPOT_OP_POW) {
    LPOT_TRY(lpot_kernel_check_same_type(inputs[0], inputs[1], err));
  }
  if (outputs[0]->dtype == LPOT_BOOL || inputs[1]->dtype == LPOT_BOOL) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "no kernel for element type bool");
  }
  if (node->op == LPOT_OP_MOD && lpot_node_int(node, "fmod", 0) != 0) {
    row = &truncated_mod;
  }
  LPOT_TRY(lpot_kernel_apply_binary(row, inputs[0], inputs[1], outputs[0], err));
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_cast) {
  (void)node;
  const lpot_tensor *input = inputs[0];
  lpot_tensor *out = outputs[0];
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", &input->shape, &out->shape, err));
  int64_t total = lpot_shape_elements(&out->shape);
  /* Half of uint64 does not fit the int64 that integers go through. */
  bool through_double = lpot_dtype_is_float(input->dtype) ||
                        (input->dtype == LPOT_U64 && lpot_dtype_is_float(out->dtype));
  for (int64_t done = 0; done < total; done += CHUNK) {
    int64_t count = total - done < CHUNK ? total - done : CHUNK;
    if (through_double) {
      double values[CHUNK];
      lpot_kernel_load_doubles(input, done, 1, count, values);
      lpot_kernel_store_doubles(out, done, count, values);
    } else {
      int64_t values[CHUNK];
      lpot_kernel_load_ints(input, done, 1, count, values);
      lpot_kernel_store_ints(out, done, count, values);
    }
  }
  return LPOT_OK;
}
