/* Running functions of one element over a tensor, Gelu with a bias, and Clip. */
#include "engine/reference/kernel.h"

#include <math.h>
#include <string.h>

#define CHUNK LPOT_KERNEL_CHUNK

static lpot_status check_elementwise(const lpot_tensor *input, const lpot_tensor *out,
                                     lpot_error *err) {
  LPOT_TRY(lpot_kernel_check_same_type(input, out, err));
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", &input->shape, &out->shape, err));
  return LPOT_OK;
}

/* ---- integers ---- */

typedef int64_t (*int_function)(int64_t x, bool is_unsigned);

static int64_t absolute_int(int64_t x, bool is_unsigned) {
  return x < 0 && !is_unsigned ? (int64_t)(0u - (uint64_t)x) : x;
}

static int64_t negate_int(int64_t x, bool is_unsigned) {
  (void)is_unsigned;
  return (int64_t)(0u - (uint64_t)x);
}

static int64_t relu_int(int64_t x, bool is_unsigned) {
  return x < 0 && !is_unsigned ? 0 : x;
}

static int64_t sign_int(int64_t x, bool is_unsigned) {
  return x < 0 && !is_unsigned ? -1 : x != 0;
}

static int64_t flip_bits(int64_t x, bool is_unsigned) {
  (void)is_unsigned;
  return ~x;
}

static int64_t logical_not(int64_t x, bool is_unsigned) {
  (void)is_unsigned;
  return x == 0;
}

typedef struct int_row {
  lpot_op op;
  int_function apply;
  bool on_bool; /* on bool alone, else on all but bool */
} int_row;

static const int_row int_rows[] = {
    {LPOT_OP_ABS, absolute_int, false}, {LPOT_OP_BITWISE_NOT, flip_bits, false},
    {LPOT_OP_NEG, negate_int, false},   {LPOT_OP_NOT, logical_not, true},
    {LPOT_OP_RELU, relu_int, false},    {LPOT_OP_SIGN, sign_int, false},
};

static int_function find_int_function(lpot_op op, lpot_dtype dtype) {
  for (size_t i = 0; i < sizeof int_rows / sizeof *int_rows; i++) {
    if (int_rows[i].op == op && int_rows[i].on_bool == (dtype == LPOT_BOOL)) {
      return int_rows[i].apply;
    }
  }
  return NULL;
}

static bool is_unsigned(lpot_dtype dtype) {
  return dtype == LPOT_U8 || dtype == LPOT_U16 || dtype == LPOT_U32 || dtype == LPOT_U64;
}

static lpot_status run_ints(lpot_op op, const lpot_tensor *input, lpot_tensor *out,
                            lpot_error *err) {
  int_function apply = find_int_function(op, input->dtype);
  if (apply == NULL) {
    return lpot_kernel_unsupported_type(input, err);
  }
  int64_t values[CHUNK];
  int64_t total = lpot_shape_elements(&out->shape);
  for (int64_t done = 0; done < total; done += CHUNK) {
    int64_t count = total - done < CHUNK ? total - done : CHUNK;
    lpot_kernel_load_ints(input, done, 1, count, values);
    for (int64_t i = 0; i < count; i++) {
      values[i] = apply(values[i], is_unsigned(input->dtype));
    }
    lpot_kernel_store_ints(out, done, count, values);
  }
  return LPOT_OK;
}

/* ---- floating point ---- */

/* Two operators compute Gelu by tanh: FastGelu, and Gelu when it says so. */
static lpot_op function_of(const lpot_node *node) {
  bool by_tanh = node->op == LPOT_OP_GELU &&
                 strcmp(lpot_node_string(node, "approximate", "none"), "tanh") == 0;
  return by_tanh ? LPOT_OP_FAST_GELU : node->op;
}

static double parameter_of(const lpot_node *node, const lpot_unary_function *function, int index) {
  float value = function->defaults[index];
  if (function->attributes[index] != NULL) {
    value = lpot_node_float(node, function->attributes[index], value);
  }
  return (double)value;
}

void lpot_kernel_activate(lpot_op op, float alpha, float beta, int64_t count, double *values) {
  const lpot_unary_function *function = lpot_activation_find(op);
  function = function != NULL ? function : lpot_math_function_find(op);
  const lpot_unary_parameters parameters = {(double)alpha, (double)beta};
  LPOT_ASSERT(function != NULL);
  for (int64_t i = 0; i < count; i++) {
    values[i] = function->apply(values[i], &parameters);
  }
}

LPOT_KERNEL(lpot_kernel_unary) {
  const lpot_tensor *input = inputs[0];
  lpot_tensor *out = outputs[0];
  LPOT_TRY(check_elementwise(input, out, err));
  if (!lpot_dtype_is_float(input->dtype)) {
    LPOT_TRY(run_ints(node->op, input, out, err));
    return LPOT_OK;
  }
  const lpot_unary_function *function = lpot_activation_find(function_of(node));
  function = function != NULL ? function : lpot_math_function_find(node->op);
  if (function == NULL) {
    return lpot_kernel_unsupported_type(input, err);
  }
  lpot_unary_parameters parameters = {parameter_of(node, function, 0),
                                      parameter_of(node, function, 1)};
  double values[CHUNK];
  int64_t total = lpot_shape_elements(&out->shape);
  for (int64_t done = 0; done < total; done += CHUNK) {
    int64_t count = total - done < CHUNK ? total - done : CHUNK;
    lpot_kernel_load_doubles(input, done, 1, count, values);
    for (int64_t i = 0; i < count; i++) {
      values[i] = function->apply(values[i], &parameters);
    }
    lpot_kernel_store_doubles(out, done, count, values);
  }
  return LPOT_OK;
}

/* BiasGelu by erf, FastGelu by tanh and perhaps without a bias. */
LPOT_KERNEL(lpot_kernel_bias_gelu) {
  lpot_op op = node->op == LPOT_OP_FAST_GELU ? LPOT_OP_FAST_GELU : LPOT_OP_GELU;
  const lpot_unary_function *function = lpot_activation_find(op);
  const lpot_tensor *bias = lpot_kernel_input(node, inputs, 1);
  const lpot_shape *shape = &outputs[0]->shape;
  LPOT_TRY(check_elementwise(inputs[0], outputs[0], err));
  if (!lpot_dtype_is_float(inputs[0]->dtype)) {
    return lpot_kernel_unsupported_type(inputs[0], err);
  }
  int64_t length = shape->rank == 0 ? 1 : shape->dims[shape->rank - 1];
  if (bias != NULL) {
    LPOT_TRY(lpot_kernel_check_same_type(inputs[0], bias, err));
    LPOT_TRY(lpot_kernel_check_count("the bias", bias, length, err));
  }
  int64_t total = lpot_shape_elements(shape);
  for (int64_t start = 0; start < total; start += length) {
    for (int64_t done = 0; done < length; done += CHUNK) {
      double values[CHUNK];
      double added[CHUNK] = {0.0};
      int64_t count = length - done < CHUNK ? length - done : CHUNK;
      lpot_kernel_load_doubles(inputs[0], start + done, 1, count, values);
      if (bias != NULL) {
        lpot_kernel_load_doubles(bias, done, 1, count, added);
      }
      for (int64_t i = 0; i < count; i++) {
        values[i] = function->apply(values[i] + added[i], NULL);
      }
      lpot_kernel_store_doubles(outputs[0], start + done, count, values);
    }
  }
  return LPOT_OK;
}

/* ---- Clip ---- */

static void clip_ints(const lpot_tensor *input, int64_t low, int64_t high, lpot_tensor *out) {
  int64_t values[CHUNK];
  int64_t total = lpot_shape_elements(&out->shape);
  for (int64_t done = 0; done < total; done += CHUNK) {
    int64_t count = total - done < CHUNK ? total - done : CHUNK;
    lpot_kernel_load_ints(input, done, 1, count, values);
    for (int64_t i = 0; i < count; i++) {
      int64_t raised = values[i] < low ? low : values[i];
      values[i] = raised > high ? high : raised;
    }
    lpot_kernel_store_ints(out, done, count, values);
  }
}

/* The bound of Clip: an input of one element, or the attribute that opsets before 11 had. */
static lpot_status read_bound(const lpot_node *node, const lpot_tensor *const *inputs, int index,
                              const char *attribute, double fallback, double *ret,
                              lpot_error *err) {
  const lpot_tensor *bound = lpot_kernel_input(node, inputs, index);
  const lpot_attribute *old = lpot_node_attribute(node, attribute);
  *ret = fallback;
  if (bound != NULL) {
    LPOT_TRY(lpot_kernel_check_count(attribute, bound, 1, err));
    LPOT_TRY(lpot_kernel_check_same_type(inputs[0], bound, err));
    lpot_kernel_load_doubles(bound, 0, 1, 1, ret);
  } else if (old != NULL && old->kind == LPOT_ATTRIBUTE_FLOAT) {
    *ret = (double)old->real;
  }
  return LPOT_OK;
}

static lpot_status clip_integer_tensor(const lpot_node *node, const lpot_tensor *const *inputs,
                                       lpot_tensor *out, lpot_error *err) {
  int64_t bounds[2] = {INT64_MIN, INT64_MAX};
  for (int i = 0; i < 2; i++) {
    const lpot_tensor *bound = lpot_kernel_input(node, inputs, i + 1);
    if (bound != NULL) {
      LPOT_TRY(lpot_kernel_check_count("a bound", bound, 1, err));
      LPOT_TRY(lpot_kernel_check_same_type(inputs[0], bound, err));
      lpot_kernel_load_ints(bound, 0, 1, 1, &bounds[i]);
    }
  }
  clip_ints(inputs[0], bounds[0], bounds[1], out);
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_clip) {
  lpot_tensor *out = outputs[0];
  LPOT_TRY(check_elementwise(inputs[0], out, err));
  if (!lpot_dtype_is_float(out->dtype)) {
    LPOT_TRY(clip_integer_tensor(node, inputs, out, err));
    return LPOT_OK;
  }
  double low = 0.0;
  double high = 0.0;
  LPOT_TRY(read_bound(node, inputs, 1, "min", -(double)INFINITY, &low, err));
  LPOT_TRY(read_bound(node, inputs, 2, "max", (double)INFINITY, &high, err));
  double values[CHUNK];
  int64_t total = lpot_shape_elements(&out->shape);
  for (int64_t done = 0; done < total; done += CHUNK) {
    int64_t count = total - done < CHUNK ? total - done : CHUNK;
    lpot_kernel_load_doubles(inputs[0], done, 1, count, values);
    for (int64_t i = 0; i < count; i++) {
      double raised = values[i] < low ? low : values[i];
      values[i] = raised > high ? high : raised;
    }
    lpot_kernel_store_doubles(out, done, count, values);
  }
  return LPOT_OK;
}
