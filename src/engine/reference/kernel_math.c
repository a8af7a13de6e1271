/* Functions of one element that C's library has: powers, trigonometry, rounding, signs. */
#include "engine/reference/kernel.h"

#include <math.h>

#define X(name, expression)                                                                        \
  static double name(double x, const lpot_unary_parameters *parameters) {                          \
    (void)parameters;                                                                              \
    return expression;                                                                             \
  }
X(absolute, fabs(x))
X(arc_cosine, acos(x))
X(arc_cosine_hyperbolic, acosh(x))
X(arc_sine, asin(x))
X(arc_sine_hyperbolic, asinh(x))
X(arc_tangent, atan(x))
X(arc_tangent_hyperbolic, atanh(x))
X(round_up, ceil(x))
X(cosine, cos(x))
X(cosine_hyperbolic, cosh(x))
X(error_function, erf(x))
X(exponential, exp(x))
X(round_down, floor(x))
X(logarithm, log(x))
X(negative, -x)
X(reciprocal, 1.0 / x)
X(round_half_even, nearbyint(x))
X(sine, sin(x))
X(sine_hyperbolic, sinh(x))
X(square_root, sqrt(x))
X(tangent, tan(x))
X(tangent_hyperbolic, tanh(x))
#undef X

/* Zero and NaN stay what they are. */
static double sign(double x, const lpot_unary_parameters *parameters) {
  (void)parameters;
  if (x > 0.0) {
    return 1.0;
  }
  return x < 0.0 ? -1.0 : x;
}

static const lpot_unary_function functions[] = {
    {LPOT_OP_ABS, absolute, {NULL}, {0.0f}},
    {LPOT_OP_ACOS, arc_cosine, {NULL}, {0.0f}},
    {LPOT_OP_ACOSH, arc_cosine_hyperbolic, {NULL}, {0.0f}},
    {LPOT_OP_ASIN, arc_sine, {NULL}, {0.0f}},
    {LPOT_OP_ASINH, arc_sine_hyperbolic, {NULL}, {0.0f}},
    {LPOT_OP_ATAN, arc_tangent, {NULL}, {0.0f}},
    {LPOT_OP_ATANH, arc_tangent_hyperbolic, {NULL}, {0.0f}},
    {LPOT_OP_CEIL, round_up, {NULL}, {0.0f}},
    {LPOT_OP_COS, cosine, {NULL}, {0.0f}},
    {LPOT_OP_COSH, cosine_hyperbolic, {NULL}, {0.0f}},
    {LPOT_OP_ERF, error_function, {NULL}, {0.0f}},
    {LPOT_OP_EXP, exponential, {NULL}, {0.0f}},
    {LPOT_OP_FLOOR, round_down, {NULL}, {0.0f}},
    {LPOT_OP_LOG, logarithm, {NULL}, {0.0f}},
    {LPOT_OP_NEG, negative, {NULL}, {0.0f}},
    {LPOT_OP_RECIPROCAL, reciprocal, {NULL}, {0.0f}},
    {LPOT_OP_ROUND, round_half_even, {NULL}, {0.0f}},
    {LPOT_OP_SIGN, sign, {NULL}, {0.0f}},
    {LPOT_OP_SIN, sine, {NULL}, {0.0f}},
    {LPOT_OP_SINH, sine_hyperbolic, {NULL}, {0.0f}},
    {LPOT_OP_SQRT, square_root, {NULL}, {0.0f}},
    {LPOT_OP_TAN, tangent, {NULL}, {0.0f}},
    {LPOT_OP_TANH, tangent_hyperbolic, {NULL}, {0.0f}},
};

const lpot_unary_function *lpot_math_function_find(lpot_op op) {
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    if (functions[i].op == op) {
      return &functions[i];
    }
  }
  return NULL;
}
