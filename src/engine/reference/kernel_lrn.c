/* Local response normalization across channels. */
#include "engine/reference/kernel.h"

#include <math.h>

#include "base/memory.h"

typedef struct lrn_parameters {
  int64_t before, after; /* channels of the window on either side of its own */
  double alpha;          /* of one square */
  double beta, bias;
} lrn_parameters;

static lpot_status read_parameters(const lpot_node *node, int64_t channels, lrn_parameters *ret,
                                   lpot_error *err) {
  int64_t size = lpot_node_int(node, "size", 0);
  if (size < 1) {
    return LPOT_FAIL(err, LPOT_INVALID, "size is %lld, expected at least 1", (long long)size);
  }
  /* A longer window sees all channels anyway; this one cannot overflow. */
  int64_t before = (size - 1) / 2;
  int64_t after = size - 1 - before;
  ret->before = before < channels ? before : channels;
  ret->after = after < channels ? after : channels;
  ret->alpha = (double)lpot_node_float(node, "alpha", 1e-4f) / (double)size;
  ret->beta = (double)lpot_node_float(node, "beta", 0.75f);
  ret->bias = (double)lpot_node_float(node, "bias", 1.0f);
  return LPOT_OK;
}

static void normalize_pixel(const lrn_parameters *lrn, int64_t channels, const double *x,
                            double *y) {
  for (int64_t c = 0; c < channels; c++) {
    int64_t first = c < lrn->before ? 0 : c - lrn->before;
    int64_t end = c + lrn->after + 1 < channels ? c + lrn->after + 1 : channels;
    double squares = 0.0;
    for (int64_t k = first; k < end; k++) {
      squares += x[k] * x[k];
    }
    y[c] = x[c] / pow(lrn->bias + lrn->alpha * squares, lrn->beta);
  }
}

LPOT_KERNEL(lpot_kernel_lrn) {
  const lpot_tensor *x = inputs[0];
  lpot_tensor *y = outputs[0];
  lrn_parameters lrn = {0};
  double *line = NULL;
  if (!lpot_dtype_is_float(x->dtype)) {
    return lpot_kernel_unsupported_type(x, err);
  }
  LPOT_TRY(lpot_kernel_check_same_type(x, y, err));
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", &x->shape, &y->shape, err));
  if (x->shape.rank < 2) {
    return LPOT_FAIL(err, LPOT_INVALID, "input has rank %d, expected at least 2", x->shape.rank);
  }
  int64_t channels = x->shape.dims[1];
  int64_t pixels = lpot_kernel_span(&x->shape, 2, x->shape.rank);
  LPOT_TRY(read_parameters(node, channels, &lrn, err));
  LPOT_TRY(lpot_kernel_scratch(2 * channels, &line, err));
  for (int64_t i = 0; i < x->shape.dims[0] * pixels; i++) {
    int64_t start = i / pixels * channels * pixels + i % pixels;
    lpot_kernel_load_doubles(x, start, pixels, channels, line);
    normalize_pixel(&lrn, channels, line, line + channels);
    for (int64_t c = 0; c < channels; c++) {
      lpot_kernel_store_doubles(y, start + c * pixels, 1, &line[channels + c]);
    }
  }
  lpot_free(line);
  return LPOT_OK;
}
