/* Add, Sub, Mul, Div, Pow with numpy broadcasting, and Cast. */
#include "engine/reference/kernel.h"

#include <math.h>

#define CHUNK LPOT_KERNEL_CHUNK

typedef void (*double_operator)(int64_t count, const double *a, const double *b, double *out);
typedef lpot_status (*int_operator)(int64_t count, const int64_t *a, const int64_t *b, int64_t *out,
                                    lpot_error *err);

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

typedef struct binary_row {
  lpot_op op;
  double_operator on_doubles;
  int_operator on_ints;
} binary_row;

static const binary_row binary_rows[] = {
    {LPOT_OP_ADD, add_doubles, add_ints},           {LPOT_OP_SUB, subtract_doubles, subtract_ints},
    {LPOT_OP_MUL, multiply_doubles, multiply_ints}, {LPOT_OP_DIV, divide_doubles, divide_ints},
    {LPOT_OP_POW, raise_doubles, raise_ints},
};

static const binary_row *find_binary(lpot_op op) {
  for (size_t i = 0; i < sizeof binary_rows / sizeof *binary_rows; i++) {
    if (binary_rows[i].op == op) {
      return &binary_rows[i];
    }
  }
  return NULL;
}

static void run_doubles(double_operator apply, const lpot_tensor *const operands[2],
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

static lpot_status run_ints(int_operator apply, const lpot_tensor *const operands[2],
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

LPOT_KERNEL(lpot_kernel_binary) {
  const binary_row *row = find_binary(node->op);
  LPOT_ASSERT(row != NULL);
  const lpot_tensor *const operands[2] = {inputs[0], inputs[1]};
  lpot_tensor *out = outputs[0];
  LPOT_TRY(lpot_kernel_check_same_type(operands[0], out, err));
  if (node->op != LPOT_OP_POW) {
    LPOT_TRY(lpot_kernel_check_same_type(operands[0], operands[1], err));
  }
  if (out->dtype == LPOT_BOOL || operands[1]->dtype == LPOT_BOOL) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "no kernel for element type bool");
  }
  bool ints = !lpot_dtype_is_float(out->dtype) && !lpot_dtype_is_float(operands[1]->dtype);
  lpot_kernel_rows rows;
  LPOT_TRY(
      lpot_kernel_rows_begin(&operands[0]->shape, &operands[1]->shape, &out->shape, &rows, err));
  for (; lpot_kernel_rows_more(&rows); lpot_kernel_rows_next(&rows)) {
    if (ints) {
      LPOT_TRY(run_ints(row->on_ints, operands, &rows, out, err));
    } else {
      run_doubles(row->on_doubles, operands, &rows, out);
    }
  }
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
