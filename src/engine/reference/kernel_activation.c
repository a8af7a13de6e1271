/* Activations of one element. Each passes NaN on: a comparison with it is false. */
#include "engine/reference/kernel.h"

#include <math.h>

#define X(name, expression)                                                                        \
  static double name(double x, const lpot_unary_parameters *parameters) {                          \
    (void)parameters;                                                                              \
    return expression;                                                                             \
  }

/* Raises e to a negative power only, so that nothing overflows. */
static double logistic(double x) {
  if (x >= 0.0) {
    return 1.0 / (1.0 + exp(-x));
  }
  double power = exp(x);
  return power / (1.0 + power);
}

/* log(1 + e^x), likewise. */
static double soft_relu(double x) {
  return x > 0.0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double unit_clip(double x) {
  if (x < 0.0) {
    return 0.0;
  }
  return x > 1.0 ? 1.0 : x;
}

X(relu, x < 0.0 ? 0.0 : x)
X(leaky_relu, x < 0.0 ? parameters->first * x : x)
X(thresholded_relu, x <= parameters->first ? 0.0 : x)
X(sigmoid, logistic(x))
X(hard_sigmoid, unit_clip(parameters->first *x + parameters->second))
X(hard_swish, x *unit_clip(x / 6.0 + 0.5))
X(softplus, soft_relu(x))
X(softsign, x / (1.0 + fabs(x)))
X(mish, x *tanh(soft_relu(x)))
X(elu, x < 0.0 ? parameters->first * expm1(x) : x)
X(quick_gelu, x *logistic(parameters->first *x))
#undef X

static double celu(double x, const lpot_unary_parameters *parameters) {
  double alpha = parameters->first;
  double below = alpha * expm1(x / alpha);
  return (x < 0.0 ? 0.0 : x) + (below < 0.0 ? below : 0.0);
}

static double selu(double x, const lpot_unary_parameters *parameters) {
  double alpha = parameters->first;
  double gamma = parameters->second;
  return x < 0.0 ? gamma * alpha * expm1(x) : gamma * x;
}

/* 1 + erf(x / sqrt(2)), without cancellation for negative x. */
static double gelu(double x, const lpot_unary_parameters *parameters) {
  (void)parameters;
  return 0.5 * x * erfc(-x * 0.70710678118654752440);
}

static double gelu_by_tanh(double x, const lpot_unary_parameters *parameters) {
  (void)parameters;
  return 0.5 * x * (1.0 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
}

/* Moves values that are beyond lambd towards zero by bias. */
static double shrink(double x, const lpot_unary_parameters *parameters) {
  double lambd = parameters->first;
  double bias = parameters->second;
  if (x < -lambd) {
    return x + bias;
  }
  if (x > lambd) {
    return x - bias;
  }
  return isnan(x) ? x : 0.0;
}

static const lpot_unary_function activations[] = {
    {LPOT_OP_CELU, celu, {"alpha"}, {1.0f}},
    {LPOT_OP_ELU, elu, {"alpha"}, {1.0f}},
    {LPOT_OP_FAST_GELU, gelu_by_tanh, {NULL}, {0.0f}},
    {LPOT_OP_GELU, gelu, {NULL}, {0.0f}},
    {LPOT_OP_HARD_SIGMOID, hard_sigmoid, {"alpha", "beta"}, {0.2f, 0.5f}},
    {LPOT_OP_HARD_SWISH, hard_swish, {NULL}, {0.0f}},
    {LPOT_OP_LEAKY_RELU, leaky_relu, {"alpha"}, {0.01f}},
    {LPOT_OP_MICROSOFT_GELU, gelu, {NULL}, {0.0f}},
    {LPOT_OP_MISH, mish, {NULL}, {0.0f}},
    {LPOT_OP_QUICK_GELU, quick_gelu, {"alpha"}, {1.702f}},
    {LPOT_OP_RELU, relu, {NULL}, {0.0f}},
    {LPOT_OP_SELU,
     selu,
     {"alpha", "gamma"},
     {1.67326319217681884765625f, 1.05070102214813232421875f}},
    {LPOT_OP_SHRINK, shrink, {"lambd", "bias"}, {0.5f, 0.0f}},
    {LPOT_OP_SIGMOID, sigmoid, {NULL}, {0.0f}},
    {LPOT_OP_SOFTPLUS, softplus, {NULL}, {0.0f}},
    {LPOT_OP_SOFTSIGN, softsign, {NULL}, {0.0f}},
    {LPOT_OP_THRESHOLDED_RELU, thresholded_relu, {"alpha"}, {1.0f}},
};

const lpot_unary_function *lpot_activation_find(lpot_op op) {
  for (size_t i = 0; i < sizeof activations / sizeof *activations; i++) {
    if (activations[i].op == op) {
      return &activations[i];
    }
  }
  return NULL;
}
