/* Attention of com.microsoft without a past: projections of the input to queries, keys and values,
 * softmax(queries x keys * scale + masks) x values per head. */
#include "engine/reference/kernel.h"

#include <float.h>
#include <math.h>

#include "base/memory.h"

enum { QUERY, KEY, VALUE };

typedef struct attention {
  int64_t batch, sequence, hidden, heads;
  int64_t sizes[3];  /* columns of queries, keys, values; all heads */
  int64_t starts[3]; /* where they begin in a projected row */
  int64_t columns;   /* of the weights */
  double scale;
  double filter;            /* what a masked place adds */
  bool causal;              /* a place sees none behind it */
  const lpot_tensor *mask;  /* s32 or NULL */
  const lpot_tensor *added; /* [batch or 1, heads or 1, sequence, sequence] or NULL */
  double *projected;        /* [sequence, columns] of one batch */
  double *scores;           /* [sequence] */
  double *result;           /* [sizes[VALUE] / heads] */
} attention;

/* ---- checks ---- */

static lpot_status read_sizes(const lpot_node *node, const lpot_tensor *weights, attention *a,
                              lpot_error *err) {
  const int64_t *sizes = NULL;
  size_t count = lpot_node_ints(node, "qkv_hidden_sizes", &sizes);
  a->columns = weights->shape.dims[1];
  a->heads = lpot_node_int(node, "num_heads", 0);
  int64_t start = 0;
  for (int i = 0; i < 3; i++) {
    a->sizes[i] = count == 3 ? sizes[i] : a->columns / 3;
    a->starts[i] = start;
    if (a->heads < 1 || a->sizes[i] < 1 || a->sizes[i] > a->columns ||
        a->sizes[i] % a->heads != 0) {
      return LPOT_FAIL(err, LPOT_INVALID, "%lld heads cannot share the %lld columns of the weights",
                       (long long)a->heads, (long long)a->columns);
    }
    start += a->sizes[i];
  }
  if (start != a->columns || a->sizes[QUERY] != a->sizes[KEY]) {
    return LPOT_FAIL(err, LPOT_INVALID, "queries, keys and values do not make up %lld columns",
                     (long long)a->columns);
  }
  return LPOT_OK;
}

/* [batch]: lengths; [2 batch]: ends, then starts; [batch, sequence] and [batch, sequence,
 * sequence]: ones where to look. */
static lpot_status check_mask(const attention *a, lpot_error *err) {
  if (a->mask == NULL) {
    return LPOT_OK;
  }
  const lpot_shape *shape = &a->mask->shape;
  bool fits = false;
  if (a->mask->dtype != LPOT_S32) {
    return lpot_kernel_unsupported_type(a->mask, err);
  }
  if (shape->rank == 1) {
    fits = shape->dims[0] == a->batch || shape->dims[0] == 2 * a->batch;
  } else if (shape->rank == 2) {
    fits = shape->dims[0] == a->batch && shape->dims[1] == a->sequence;
  } else if (shape->rank == 3) {
    fits = shape->dims[0] == a->batch && shape->dims[1] == a->sequence &&
           shape->dims[2] == a->sequence;
  }
  if (!fits) {
    char text[128];
    lpot_shape_text(shape, text, sizeof text);
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "a mask of shape %s is not supported", text);
  }
  return LPOT_OK;
}

static lpot_status check_added(const attention *a, const lpot_tensor *out, lpot_error *err) {
  const int64_t dims[4] = {a->batch, a->heads, a->sequence, a->sequence};
  lpot_shape shape = lpot_shape_of(4, dims);
  int64_t strides[LPOT_MAX_RANK];
  if (a->added == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_kernel_check_same_type(a->added, out, err));
  if (a->added->shape.rank != 4) {
    return LPOT_FAIL(err, LPOT_INVALID, "the attention bias has rank %d, expected 4",
                     a->added->shape.rank);
  }
  LPOT_TRY(lpot_kernel_broadcast_strides(&a->added->shape, &shape, strides, err));
  return LPOT_OK;
}

static lpot_status check_inputs(const lpot_node *node, const lpot_tensor *const *inputs,
                                const lpot_tensor *out, attention *a, lpot_error *err) {
  const lpot_tensor *input = inputs[0];
  const lpot_tensor *weights = inputs[1];
  if (!lpot_dtype_is_float(input->dtype)) {
    return lpot_kernel_unsupported_type(input, err);
  }
  LPOT_TRY(lpot_kernel_check_same_type(input, weights, err));
  LPOT_TRY(lpot_kernel_check_same_type(input, out, err));
  if (lpot_kernel_input(node, inputs, 4) != NULL) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "attention over a past is not supported");
  }
  if (input->shape.rank != 3 || weights->shape.rank != 2 ||
      input->shape.dims[2] != weights->shape.dims[0]) {
    return LPOT_FAIL(err, LPOT_INVALID, "input and weights do not fit");
  }
  a->batch = input->shape.dims[0];
  a->sequence = input->shape.dims[1];
  a->hidden = input->shape.dims[2];
  LPOT_TRY(read_sizes(node, weights, a, err));
  LPOT_TRY(lpot_kernel_check_count("output", out, a->batch * a->sequence * a->sizes[VALUE], err));
  const lpot_tensor *bias = lpot_kernel_input(node, inputs, 2);
  if (bias != NULL) {
    LPOT_TRY(lpot_kernel_check_same_type(input, bias, err));
    LPOT_TRY(lpot_kernel_check_count("bias", bias, a->columns, err));
  }
  LPOT_TRY(check_mask(a, err));
  LPOT_TRY(check_added(a, out, err));
  return LPOT_OK;
}

/* ---- one batch ---- */

typedef struct projection_sink {
  double *out;
  const double *bias; /* [columns] */
} projection_sink;

static void store_projection(const void *context, int64_t out_start, int64_t channel, int64_t count,
                             const double *sums) {
  const projection_sink *sink = context;
  (void)channel;
  for (int64_t i = 0; i < count; i++) {
    sink->out[out_start + i] = sums[i] + sink->bias[i];
  }
}

static int64_t mask_at(const attention *a, int64_t index) {
  int64_t value = 0;
  lpot_kernel_load_ints(a->mask, index, 1, 1, &value);
  return value;
}

static bool is_masked(const attention *a, int64_t batch, int64_t row, int64_t column) {
  if (a->mask == NULL) {
    return false;
  }
  const lpot_shape *shape = &a->mask->shape;
  if (shape->rank == 1) {
    bool has_starts = shape->dims[0] == 2 * a->batch;
    return column >= mask_at(a, batch) || (has_starts && column < mask_at(a, a->batch + batch));
  }
  int64_t line = shape->rank == 2 ? batch : batch * a->sequence + row;
  return mask_at(a, line * a->sequence + column) == 0;
}

static double added_at(const attention *a, int64_t batch, int64_t head, int64_t row,
                       int64_t column) {
  const int64_t position[4] = {batch, head, row, column};
  int64_t index = 0;
  double value = 0.0;
  if (a->added == NULL) {
    return 0.0;
  }
  for (int i = 0; i < 4; i++) {
    int64_t dim = a->added->shape.dims[i];
    index = index * dim + (dim == 1 ? 0 : position[i]);
  }
  lpot_kernel_load_doubles(a->added, index, 1, 1, &value);
  return value;
}

static double score(const attention *a, int64_t batch, int64_t head, int64_t row, int64_t column) {
  int64_t size = a->sizes[QUERY] / a->heads;
  const double *query = a->projected + row * a->columns + a->starts[QUERY] + head * size;
  const double *key = a->projected + column * a->columns + a->starts[KEY] + head * size;
  double sum = 0.0;
  for (int64_t i = 0; i < size; i++) {
    sum += query[i] * key[i];
  }
  sum = sum * a->scale + added_at(a, batch, head, row, column);
  if (is_masked(a, batch, row, column)) {
    sum += a->filter;
  }
  return a->causal && column > row ? -(double)FLT_MAX : sum;
}

static void softmax(int64_t count, double *values) {
  double maximum = -(double)INFINITY;
  double sum = 0.0;
  for (int64_t i = 0; i < count; i++) {
    maximum = values[i] > maximum ? values[i] : maximum;
  }
  for (int64_t i = 0; i < count; i++) {
    values[i] = exp(values[i] - maximum);
    sum += values[i];
  }
  for (int64_t i = 0; i < count; i++) {
    values[i] /= sum;
  }
}

static void attend(const attention *a, int64_t batch, int64_t head, int64_t row, lpot_tensor *out) {
  int64_t size = a->sizes[VALUE] / a->heads;
  for (int64_t column = 0; column < a->sequence; column++) {
    a->scores[column] = score(a, batch, head, row, column);
  }
  softmax(a->sequence, a->scores);
  for (int64_t i = 0; i < size; i++) {
    a->result[i] = 0.0;
  }
  for (int64_t column = 0; column < a->sequence; column++) {
    const double *value = a->projected + column * a->columns + a->starts[VALUE] + head * size;
    for (int64_t i = 0; i < size; i++) {
      a->result[i] += a->scores[column] * value[i];
    }
  }
  int64_t start = (batch * a->sequence + row) * a->sizes[VALUE] + head * size;
  lpot_kernel_store_doubles(out, start, size, a->result);
}

/* The rows of one batch as an operand of rank 2. */
static lpot_status project(const attention *a, const lpot_tensor *input, const lpot_tensor *weights,
                           int64_t batch, const projection_sink *sink, lpot_error *err) {
  const int64_t rows[2] = {a->sequence, a->hidden};
  const int64_t results[2] = {a->sequence, a->columns};
  const lpot_shape out_shape = lpot_shape_of(2, results);
  size_t bytes = (size_t)(a->sequence * a->hidden) * lpot_dtype_size(input->dtype);
  lpot_tensor slice = {.dtype = input->dtype, .shape = lpot_shape_of(2, rows), .size_bytes = bytes};
  slice.data = (uint8_t *)input->data + (size_t)batch * bytes;
  const lpot_operand left = {&slice, NULL};
  const lpot_operand right = {weights, NULL};
  lpot_product product;
  LPOT_TRY(lpot_product_of_stacks(&slice.shape, &weights->shape, &out_shape, &product, err));
  LPOT_TRY(lpot_product_run(&product, &left, &right, store_projection, sink, err));
  return LPOT_OK;
}

static lpot_status run(attention *a, const lpot_node *node, const lpot_tensor *const *inputs,
                       double *bias, lpot_tensor *out, lpot_error *err) {
  projection_sink sink = {.out = a->projected, .bias = bias};
  if (lpot_kernel_input(node, inputs, 2) != NULL) {
    lpot_kernel_load_doubles(inputs[2], 0, 1, a->columns, bias);
  }
  for (int64_t batch = 0; batch < a->batch; batch++) {
    LPOT_TRY(project(a, inputs[0], inputs[1], batch, &sink, err));
    for (int64_t head = 0; head < a->heads; head++) {
      for (int64_t row = 0; row < a->sequence; row++) {
        attend(a, batch, head, row, out);
      }
    }
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_attention) {
  attention a = {.mask = lpot_kernel_input(node, inputs, 3),
                 .added = lpot_kernel_input(node, inputs, 5)};
  double *scratch = NULL;
  LPOT_TRY(check_inputs(node, inputs, outputs[0], &a, err));
  float scale = lpot_node_float(node, "scale", 0.0f);
  double head_size = (double)(a.sizes[QUERY] / a.heads);
  a.scale = scale > 0.0f || scale < 0.0f ? (double)scale : 1.0 / sqrt(head_size);
  a.filter = (double)lpot_node_float(node, "mask_filter_value", -10000.0f);
  a.causal = lpot_node_int(node, "unidirectional", 0) != 0;
  int64_t projected = a.sequence * a.columns;
  LPOT_TRY(lpot_kernel_scratch(projected + a.sequence + 2 * a.columns, &scratch, err));
  a.projected = scratch;
  a.scores = scratch + projected;
  a.result = a.scores + a.sequence;
  lpot_status status = run(&a, node, inputs, a.result + a.columns, outputs[0], err);
  lpot_free(scratch);
  return status;
}
