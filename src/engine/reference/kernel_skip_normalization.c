/* Layer normalizations of transformers as ONNX Runtime's optimizer writes them:
 * SimplifiedLayerNormalization, SkipLayerNormalization, SkipSimplifiedLayerNormalization and
 * EmbedLayerNormalization. */
#include "engine/reference/kernel.h"

#include <math.h>

#include "base/memory.h"

/* Normalizes lines of count elements. */
typedef struct normalization {
  int64_t count;
  bool simplified; /* without subtracting the mean */
  double epsilon;
  double *line;  /* [count]; scratch */
  double *other; /* [count]; scratch */
  const lpot_tensor *gamma;
  const lpot_tensor *beta; /* may be NULL */
  double mean, reciprocal; /* of the last line */
} normalization;

/* A vector of count elements of the type of like; NULL is right too. */
static lpot_status check_vector(const char *what, const lpot_tensor *vector, int64_t count,
                                const lpot_tensor *like, lpot_error *err) {
  if (vector == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_kernel_check_same_type(vector, like, err));
  LPOT_TRY(lpot_kernel_check_count(what, vector, count, err));
  return LPOT_OK;
}

static lpot_status begin(const lpot_node *node, int64_t count, double epsilon, normalization *ret,
                         lpot_error *err) {
  ret->count = count;
  ret->epsilon = (double)lpot_node_float(node, "epsilon", (float)epsilon);
  LPOT_TRY(lpot_kernel_scratch(2 * count, &ret->line, err));
  ret->other = ret->line + count;
  return LPOT_OK;
}

/* n->line becomes the elements from start on of out. */
static void normalise_line(normalization *n, lpot_tensor *out, int64_t start) {
  double sum = 0.0;
  double squares = 0.0;
  for (int64_t i = 0; i < n->count; i++) {
    sum += n->line[i];
  }
  n->mean = n->simplified ? 0.0 : sum / (double)n->count;
  for (int64_t i = 0; i < n->count; i++) {
    squares += (n->line[i] - n->mean) * (n->line[i] - n->mean);
  }
  n->reciprocal = 1.0 / sqrt(squares / (double)n->count + n->epsilon);
  lpot_kernel_load_doubles(n->gamma, 0, 1, n->count, n->other);
  for (int64_t i = 0; i < n->count; i++) {
    n->line[i] = (n->line[i] - n->mean) * n->reciprocal * n->other[i];
  }
  if (n->beta != NULL) {
    lpot_kernel_load_doubles(n->beta, 0, 1, n->count, n->other);
    for (int64_t i = 0; i < n->count; i++) {
      n->line[i] += n->other[i];
    }
  }
  lpot_kernel_store_doubles(out, start, n->count, n->line);
}

/* ---- SimplifiedLayerNormalization: x, scale ---- */

LPOT_KERNEL(lpot_kernel_simplified_layer_normalization) {
  const lpot_tensor *x = inputs[0];
  lpot_tensor *out = outputs[0];
  lpot_tensor *deviations = node->num_outputs > 1 ? outputs[1] : NULL;
  normalization n = {.simplified = true, .gamma = inputs[1]};
  int axis = 0;
  if (!lpot_dtype_is_float(x->dtype) || !lpot_dtype_is_float(n.gamma->dtype)) {
    return lpot_kernel_unsupported_type(x, err);
  }
  LPOT_TRY(lpot_kernel_check_same_type(n.gamma, out, err));
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", &x->shape, &out->shape, err));
  LPOT_TRY(lpot_kernel_axis(lpot_node_int(node, "axis", -1), x->shape.rank, &axis, err));
  int64_t outer = lpot_kernel_span(&x->shape, 0, axis);
  int64_t count = lpot_kernel_span(&x->shape, axis, x->shape.rank);
  LPOT_TRY(lpot_kernel_check_count("scale", n.gamma, count, err));
  if (deviations != NULL) {
    LPOT_TRY(lpot_kernel_check_count("output 1", deviations, outer, err));
  }
  LPOT_TRY(begin(node, count, 1e-5, &n, err));
  for (int64_t i = 0; i < outer; i++) {
    lpot_kernel_load_doubles(x, i * count, 1, count, n.line);
    normalise_line(&n, out, i * count);
    if (deviations != NULL) {
      lpot_kernel_store_doubles(deviations, i, 1, &n.reciprocal);
    }
  }
  lpot_free(n.line);
  return LPOT_OK;
}

/* ---- SkipLayerNormalization: input, skip, gamma, beta, bias; simplified: without beta ---- */

typedef struct skip_sum {
  const lpot_tensor *input, *skip;
  const lpot_tensor *bias;       /* may be NULL */
  int64_t period;                /* elements after which skip begins anew */
  lpot_tensor *mean, *deviation; /* outputs 1 to 3; may be NULL */
  lpot_tensor *sum;
} skip_sum;

static lpot_tensor *output_at(const lpot_node *node, lpot_tensor *const *outputs, int index) {
  return index < node->num_outputs ? outputs[index] : NULL;
}

/* skip has the shape of the input, or lacks its first dimension, or has 1 there. */
static lpot_status check_skip(const skip_sum *s, lpot_error *err) {
  int64_t strides[LPOT_MAX_RANK];
  LPOT_TRY(lpot_kernel_check_same_type(s->input, s->skip, err));
  LPOT_TRY(lpot_kernel_broadcast_strides(&s->skip->shape, &s->input->shape, strides, err));
  const lpot_shape *shape = &s->input->shape;
  if (s->period != lpot_shape_elements(shape) &&
      s->period != lpot_kernel_span(shape, 1, shape->rank)) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "skip is broadcast along other than the first axis");
  }
  return LPOT_OK;
}

static lpot_status check_statistics(const skip_sum *s, const lpot_tensor *out, int64_t lines,
                                    lpot_error *err) {
  LPOT_TRY(lpot_kernel_check_same_type(s->input, out, err));
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", &s->input->shape, &out->shape, err));
  if (s->mean != NULL) {
    LPOT_TRY(lpot_kernel_check_count("output 1", s->mean, lines, err));
  }
  if (s->deviation != NULL) {
    LPOT_TRY(lpot_kernel_check_count("output 2", s->deviation, lines, err));
  }
  if (s->sum != NULL) {
    LPOT_TRY(lpot_kernel_check_same_shape("outputs 0 and 3", &out->shape, &s->sum->shape, err));
  }
  return LPOT_OK;
}

static void skip_line(const skip_sum *s, normalization *n, int64_t line, lpot_tensor *out) {
  int64_t start = line * n->count;
  lpot_kernel_load_doubles(s->input, start, 1, n->count, n->line);
  lpot_kernel_load_doubles(s->skip, start % s->period, 1, n->count, n->other);
  for (int64_t i = 0; i < n->count; i++) {
    n->line[i] += n->other[i];
  }
  if (s->bias != NULL) {
    lpot_kernel_load_doubles(s->bias, 0, 1, n->count, n->other);
    for (int64_t i = 0; i < n->count; i++) {
      n->line[i] += n->other[i];
    }
  }
  if (s->sum != NULL) {
    lpot_kernel_store_doubles(s->sum, start, n->count, n->line);
  }
  normalise_line(n, out, start);
  if (s->mean != NULL) {
    lpot_kernel_store_doubles(s->mean, line, 1, &n->mean);
  }
  if (s->deviation != NULL) {
    lpot_kernel_store_doubles(s->deviation, line, 1, &n->reciprocal);
  }
}

LPOT_KERNEL(lpot_kernel_skip_layer_normalization) {
  bool simplified = node->op == LPOT_OP_SKIP_SIMPLIFIED_LAYER_NORMALIZATION;
  const lpot_shape *shape = &inputs[0]->shape;
  normalization n = {.simplified = simplified, .gamma = inputs[2]};
  n.beta = simplified ? NULL : lpot_kernel_input(node, inputs, 3);
  skip_sum s = {.input = inputs[0], .skip = inputs[1]};
  s.bias = lpot_kernel_input(node, inputs, simplified ? 3 : 4);
  s.period = lpot_shape_elements(&s.skip->shape);
  s.mean = output_at(node, outputs, 1);
  s.deviation = output_at(node, outputs, 2);
  s.sum = output_at(node, outputs, 3);
  if (!lpot_dtype_is_float(s.input->dtype)) {
    return lpot_kernel_unsupported_type(s.input, err);
  }
  if (shape->rank < 2) {
    return LPOT_FAIL(err, LPOT_INVALID, "input has rank %d, expected at least 2", shape->rank);
  }
  int64_t count = shape->dims[shape->rank - 1];
  int64_t lines = lpot_kernel_span(shape, 0, shape->rank - 1);
  LPOT_TRY(check_skip(&s, err));
  LPOT_TRY(check_statistics(&s, outputs[0], lines, err));
  LPOT_TRY(check_vector("gamma", n.gamma, count, s.input, err));
  LPOT_TRY(check_vector("beta", n.beta, count, s.input, err));
  LPOT_TRY(check_vector("bias", s.bias, count, s.input, err));
  LPOT_TRY(begin(node, count, 1e-12, &n, err));
  for (int64_t i = 0; i < lines; i++) {
    skip_line(&s, &n, i, outputs[0]);
  }
  lpot_free(n.line);
  return LPOT_OK;
}

/* ---- EmbedLayerNormalization: ids, segments, words, positions, segment words, gamma, beta, mask,
 * position ids ---- */

typedef struct embedding {
  const lpot_tensor *ids;   /* [batch, sequence], or [1, sequence] for positions; NULL: see at */
  const lpot_tensor *table; /* [rows, hidden]; NULL: nothing is added */
} embedding;

static lpot_status check_embedding(const embedding *e, int64_t hidden, int64_t places,
                                   int64_t sequence, const lpot_tensor *like, lpot_error *err) {
  if (e->table == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_kernel_check_same_type(e->table, like, err));
  if (e->table->shape.rank != 2 || e->table->shape.dims[1] != hidden) {
    return LPOT_FAIL(err, LPOT_INVALID, "an embedding has not the shape [rows, %lld]",
                     (long long)hidden);
  }
  if (e->ids == NULL) {
    return LPOT_OK;
  }
  if (e->ids->dtype != LPOT_S32) {
    return lpot_kernel_unsupported_type(e->ids, err);
  }
  if (lpot_shape_elements(&e->ids->shape) != sequence) {
    LPOT_TRY(lpot_kernel_check_count("ids", e->ids, places, err));
  }
  return LPOT_OK;
}

/* Adds the row for a place to line; without ids the row is the place in the sequence. */
static lpot_status add_row(const embedding *e, int64_t place, int64_t sequence,
                           const normalization *n, lpot_error *err) {
  int64_t row = place % sequence;
  if (e->table == NULL) {
    return LPOT_OK;
  }
  if (e->ids != NULL) {
    int64_t count = lpot_shape_elements(&e->ids->shape);
    lpot_kernel_load_ints(e->ids, place % count, 1, 1, &row);
  }
  if (row < 0 || row >= e->table->shape.dims[0]) {
    return LPOT_FAIL(err, LPOT_INVALID, "an id is %lld, expected 0 to %lld", (long long)row,
                     (long long)e->table->shape.dims[0] - 1);
  }
  lpot_kernel_load_doubles(e->table, row * n->count, 1, n->count, n->other);
  for (int64_t i = 0; i < n->count; i++) {
    n->line[i] += n->other[i];
  }
  return LPOT_OK;
}

static lpot_status embed_lines(const embedding parts[3], int64_t places, int64_t sequence,
                               normalization *n, lpot_tensor *sums, lpot_tensor *out,
                               lpot_error *err) {
  for (int64_t place = 0; place < places; place++) {
    for (int64_t i = 0; i < n->count; i++) {
      n->line[i] = 0.0;
    }
    for (int k = 0; k < 3; k++) {
      LPOT_TRY(add_row(&parts[k], place, sequence, n, err));
    }
    if (sums != NULL) {
      lpot_kernel_store_doubles(sums, place * n->count, n->count, n->line);
    }
    normalise_line(n, out, place * n->count);
  }
  return LPOT_OK;
}

/* The number of ones of each row of the mask; 0 without a mask. */
static lpot_status count_mask(const lpot_tensor *mask, int64_t batch, int64_t sequence,
                              lpot_tensor *out, lpot_error *err) {
  if (out == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_kernel_check_count("output 1", out, batch, err));
  if (mask != NULL) {
    if (mask->dtype != LPOT_S32) {
      return lpot_kernel_unsupported_type(mask, err);
    }
    LPOT_TRY(lpot_kernel_check_count("mask", mask, batch * sequence, err));
  }
  for (int64_t i = 0; i < batch; i++) {
    int64_t count = 0;
    for (int64_t k = 0; k < sequence && mask != NULL; k++) {
      int64_t value = 0;
      lpot_kernel_load_ints(mask, i * sequence + k, 1, 1, &value);
      count += value == 1;
    }
    lpot_kernel_store_ints(out, i, 1, &count);
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_embed_layer_normalization) {
  lpot_tensor *out = outputs[0];
  lpot_tensor *sums = output_at(node, outputs, 2);
  const lpot_tensor *segments = lpot_kernel_input(node, inputs, 1);
  const embedding parts[3] = {{inputs[0], inputs[2]},
                              {lpot_kernel_input(node, inputs, 8), inputs[3]},
                              {segments, segments == NULL ? NULL : inputs[4]}};
  normalization n = {.gamma = inputs[5], .beta = inputs[6]};
  if (inputs[0]->shape.rank != 2 || out->shape.rank != 3 || !lpot_dtype_is_float(out->dtype)) {
    return LPOT_FAIL(err, LPOT_INVALID, "expected ids of rank 2 and an output of rank 3");
  }
  int64_t batch = inputs[0]->shape.dims[0];
  int64_t sequence = inputs[0]->shape.dims[1];
  int64_t hidden = out->shape.dims[2];
  LPOT_TRY(lpot_kernel_check_count("output", out, batch * sequence * hidden, err));
  for (int i = 0; i < 3; i++) {
    LPOT_TRY(check_embedding(&parts[i], hidden, batch * sequence, sequence, out, err));
  }
  LPOT_TRY(check_vector("gamma", n.gamma, hidden, out, err));
  LPOT_TRY(check_vector("beta", n.beta, hidden, out, err));
  if (sums != NULL) {
    LPOT_TRY(lpot_kernel_check_same_shape("outputs 0 and 2", &out->shape, &sums->shape, err));
  }
  LPOT_TRY(count_mask(lpot_kernel_input(node, inputs, 7), batch, sequence,
                      output_at(node, outputs, 1), err));
  LPOT_TRY(begin(node, hidden, 1e-12, &n, err));
  lpot_status status = embed_lines(parts, batch * sequence, sequence, &n, sums, out, err);
  lpot_free(n.line);
  return status;
}
