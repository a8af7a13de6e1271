/* Functions of one element: activations, Exp, Sqrt, Erf, Clip. */
#include "engine/reference/kernel.h"

#include <math.h>

#define CHUNK LPOT_KERNEL_CHUNK

typedef struct unary_parameters {
  double alpha;
  double beta;
} unary_parameters;

typedef double (*unary_function)(double x, const unary_parameters *parameters);

/* NaN passes through: a comparison with it is false. */
static double relu(double x, const unary_parameters *parameters) {
  (void)parameters;
  return x < 0.0 ? 0.0 : x;
}

static double leaky_relu(double x, const unary_parameters *parameters) {
  return x < 0.0 ? parameters->alpha * x : x;
}

/* Each branch raises e to a negative power only, so that nothing overflows. */
static double sigmoid(double x, const unary_parameters *parameters) {
  (void)parameters;
  if (x >= 0.0) {
    return 1.0 / (1.0 + exp(-x));
  }
  double power = exp(x);
  return power / (1.0 + power);
}

static double unit_clip(double x) {
  if (x < 0.0) {
    return 0.0;
  }
  return x > 1.0 ? 1.0 : x;
}

static double hard_sigmoid(double x, const unary_parameters *parameters) {
  return unit_clip(parameters->alpha * x + parameters->beta);
}

static double hard_swish(double x, const unary_parameters *parameters) {
  (void)parameters;
  return x * unit_clip(x / 6.0 + 0.5);
}

static double hyperbolic_tangent(double x, const unary_parameters *parameters) {
  (void)parameters;
  return tanh(x);
}

static double exponential(double x, const unary_parameters *parameters) {
  (void)parameters;
  return exp(x);
}

static double square_root(double x, const unary_parameters *parameters) {
  (void)parameters;
  return sqrt(x);
}

static double error_function(double x, const unary_parameters *parameters) {
  (void)parameters;
  return erf(x);
}

typedef struct unary_row {
  lpot_op op;
  unary_function apply;
  float alpha; /* ONNX's defaults */
  float beta;
} unary_row;

static const unary_row unary_rows[] = {
    {LPOT_OP_RELU, relu, 0.0f, 0.0f},
    {LPOT_OP_LEAKY_RELU, leaky_relu, 0.01f, 0.0f},
    {LPOT_OP_SIGMOID, sigmoid, 0.0f, 0.0f},
    {LPOT_OP_HARD_SIGMOID, hard_sigmoid, 0.2f, 0.5f},
    {LPOT_OP_HARD_SWISH, hard_swish, 0.0f, 0.0f},
    {LPOT_OP_TANH, hyperbolic_tangent, 0.0f, 0.0f},
    {LPOT_OP_EXP, exponential, 0.0f, 0.0f},
    {LPOT_OP_SQRT, square_root, 0.0f, 0.0f},
    {LPOT_OP_ERF, error_function, 0.0f, 0.0f},
};

static const unary_row *find_unary(lpot_op op) {
  for (size_t i = 0; i < sizeof unary_rows / sizeof *unary_rows; i++) {
    if (unary_rows[i].op == op) {
      return &unary_rows[i];
    }
  }
  return NULL;
}

void lpot_kernel_activate(lpot_op op, float alpha, float beta, int64_t count, double *values) {
  const unary_row *row = find_unary(op);
  const unary_parameters parameters = {(double)alpha, (double)beta};
  LPOT_ASSERT(row != NULL);
  for (int64_t i = 0; i < count; i++) {
    values[i] = row->apply(values[i], &parameters);
  }
}

static lpot_status check_elementwise(const lpot_tensor *input, const lpot_tensor *out,
                                     lpot_error *err) {
  LPOT_TRY(lpot_kernel_check_same_type(input, out, err));
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", &input->shape, &out->shape, err));
  return LPOT_OK;
}

/* Clips integers; Relu is the clip to [0, INT64_MAX]. */
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

LPOT_KERNEL(lpot_kernel_unary) {
  const unary_row *row = find_unary(node->op);
  LPOT_ASSERT(row != NULL);
  const lpot_tensor *input = inputs[0];
  lpot_tensor *out = outputs[0];
  LPOT_TRY(check_elementwise(input, out, err));
  if (node->op == LPOT_OP_RELU && !lpot_dtype_is_float(input->dtype)) {
    clip_ints(input, 0, INT64_MAX, out);
    return LPOT_OK;
  }
  if (!lpot_dtype_is_float(input->dtype)) {
    return lpot_kernel_unsupported_type(input, err);
  }
  unary_parameters parameters = {(double)lpot_node_float(node, "alpha", row->alpha),
                                 (double)lpot_node_float(node, "beta", row->beta)};
  double values[CHUNK];
  int64_t total = lpot_shape_elements(&out->shape);
  for (int64_t done = 0; done < total; done += CHUNK) {
    int64_t count = total - done < CHUNK ? total - done : CHUNK;
    lpot_kernel_load_doubles(input, done, 1, count, values);
    for (int64_t i = 0; i < count; i++) {
      values[i] = row->apply(values[i], &parameters);
    }
    lpot_kernel_store_doubles(out, done, count, values);
  }
  return LPOT_OK;
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
