/* ReduceSum and its kin: every element of the input is added to (multiplied with, compared with
 * ...) the one of the output that it belongs to. Integers are reduced as such, so that those beyond
 * 2^53 stay exact; they wrap. */
#include "engine/reference/kernel.h"

#include <math.h>

#include "base/memory.h"

#define CHUNK LPOT_KERNEL_CHUNK

/* Combines `count` values with targets that are `step` apart (0: all with one). */
typedef void (*double_combiner)(int64_t count, const double *values, int64_t step, double *target);
typedef void (*int_combiner)(int64_t count, const int64_t *values, int64_t step, int64_t *target);
/* Makes the result of what the combiner left. size: elements that were combined. */
typedef double (*finisher)(double combined, double size);

#define X(name, expression)                                                                        \
  static void name(int64_t count, const double *values, int64_t step, double *target) {            \
    for (int64_t i = 0; i < count; i++) {                                                          \
      double value = values[i];                                                                    \
      double old = target[i * step];                                                               \
      target[i * step] = expression;                                                               \
    }                                                                                              \
  }
X(add_doubles, old + value)
X(multiply_doubles, old *value)
X(add_squares, old + value * value)
X(add_magnitudes, old + fabs(value))
/* NaN wins and stays. */
X(take_larger, value > old || isnan(value) ? value : old)
X(take_smaller, value < old || isnan(value) ? value : old)
#undef X

#define X(name, expression)                                                                        \
  static void name(int64_t count, const int64_t *values, int64_t step, int64_t *target) {          \
    for (int64_t i = 0; i < count; i++) {                                                          \
      int64_t value = values[i];                                                                   \
      int64_t old = target[i * step];                                                              \
      target[i * step] = expression;                                                               \
    }                                                                                              \
  }
/* Unsigned arithmetic says to the compiler that sums wrap. */
X(add_ints, (int64_t)((uint64_t)old + (uint64_t)value))
X(multiply_ints, (int64_t)((uint64_t)old *(uint64_t)value))
X(add_int_squares, (int64_t)((uint64_t)old + (uint64_t)value * (uint64_t)value))
X(add_int_magnitudes,
  (int64_t)((uint64_t)old + (value < 0 ? 0 - (uint64_t)value : (uint64_t)value)))
X(take_larger_int, value > old ? value : old)
X(take_smaller_int, value < old ? value : old)
#undef X

static double as_it_is(double combined, double size) {
  (void)size;
  return combined;
}

static double divided_by_size(double combined, double size) {
  return combined / size;
}

static double square_root(double combined, double size) {
  (void)size;
  return sqrt(combined);
}

static double logarithm(double combined, double size) {
  (void)size;
  return log(combined);
}

typedef struct reduce_row {
  lpot_op op;
  double_combiner on_doubles;
  int_combiner on_ints; /* NULL: integers are reduced as doubles */
  finisher finish;
  double initial; /* result of an empty set, before finish */
  int64_t initial_int;
} reduce_row;

#define NEGATIVE_INFINITY (-(double)INFINITY)

static const reduce_row reduce_rows[] = {
    {LPOT_OP_REDUCE_L1, add_magnitudes, add_int_magnitudes, as_it_is, 0.0, 0},
    {LPOT_OP_REDUCE_L2, add_squares, NULL, square_root, 0.0, 0},
    {LPOT_OP_REDUCE_LOG_SUM, add_doubles, NULL, logarithm, 0.0, 0},
    {LPOT_OP_REDUCE_LOG_SUM_EXP, take_larger, NULL, as_it_is, NEGATIVE_INFINITY, 0},
    {LPOT_OP_REDUCE_MAX, take_larger, take_larger_int, as_it_is, NEGATIVE_INFINITY, INT64_MIN},
    {LPOT_OP_REDUCE_MEAN, add_doubles, NULL, divided_by_size, 0.0, 0},
    {LPOT_OP_REDUCE_MIN, take_smaller, take_smaller_int, as_it_is, (double)INFINITY, INT64_MAX},
    {LPOT_OP_REDUCE_PROD, multiply_doubles, multiply_ints, as_it_is, 1.0, 1},
    {LPOT_OP_REDUCE_SUM, add_doubles, add_ints, as_it_is, 0.0, 0},
    {LPOT_OP_REDUCE_SUM_SQUARE, add_squares, add_int_squares, as_it_is, 0.0, 0},
};

static const reduce_row *find_reduction(lpot_op op) {
  for (size_t i = 0; i < sizeof reduce_rows / sizeof *reduce_rows; i++) {
    if (reduce_rows[i].op == op) {
      return &reduce_rows[i];
    }
  }
  return NULL;
}

typedef struct reduction {
  const reduce_row *row;
  const lpot_tensor *input;
  lpot_tensor *out;
  lpot_shape kept; /* the input's, 1 along the reduced axes */
  int64_t count;   /* of results */
  int64_t size;    /* elements that make one result */
} reduction;

/* The rows pair the input with the results, whose strides are 0 along the reduced axes. */
static lpot_status begin_rows(const reduction *state, lpot_kernel_rows *ret_rows, lpot_error *err) {
  LPOT_TRY(lpot_kernel_rows_begin(&state->input->shape, &state->kept, &state->input->shape,
                                  ret_rows, err));
  return LPOT_OK;
}

static lpot_status combine_doubles(const reduction *state, double_combiner combine, double *results,
                                   lpot_error *err) {
  double values[CHUNK];
  lpot_kernel_rows rows;
  LPOT_TRY(begin_rows(state, &rows, err));
  for (; lpot_kernel_rows_more(&rows); lpot_kernel_rows_next(&rows)) {
    for (int64_t done = 0; done < rows.length; done += CHUNK) {
      int64_t count = rows.length - done < CHUNK ? rows.length - done : CHUNK;
      lpot_kernel_load_doubles(state->input, rows.out_start + done, 1, count, values);
      combine(count, values, rows.step[1], results + rows.start[1] + done * rows.step[1]);
    }
  }
  return LPOT_OK;
}

/* Turns the maxima in results into maximum + log(sum(exp(x - maximum))), which cannot overflow.
 * Where the maximum is no number it is not subtracted. */
static lpot_status add_exponentials(const reduction *state, double *results, lpot_error *err) {
  double values[CHUNK];
  double *sums = NULL;
  lpot_kernel_rows rows;
  LPOT_TRY(begin_rows(state, &rows, err));
  LPOT_TRY(lpot_kernel_scratch(state->count, &sums, err));
  for (int64_t i = 0; i < state->count; i++) {
    results[i] = isfinite(results[i]) ? results[i] : 0.0;
  }
  for (; lpot_kernel_rows_more(&rows); lpot_kernel_rows_next(&rows)) {
    for (int64_t done = 0; done < rows.length; done += CHUNK) {
      int64_t count = rows.length - done < CHUNK ? rows.length - done : CHUNK;
      int64_t at = rows.start[1] + done * rows.step[1];
      lpot_kernel_load_doubles(state->input, rows.out_start + done, 1, count, values);
      for (int64_t i = 0; i < count; i++, at += rows.step[1]) {
        sums[at] += exp(values[i] - results[at]);
      }
    }
  }
  for (int64_t i = 0; i < state->count; i++) {
    results[i] += log(sums[i]);
  }
  lpot_free(sums);
  return LPOT_OK;
}

static lpot_status reduce_doubles(const reduction *state, double *results, lpot_error *err) {
  double initial = state->row->initial;
  if (state->out->dtype == LPOT_BOOL && initial < 0.0) {
    initial = 0.0; /* the least of two */
  }
  for (int64_t i = 0; i < state->count; i++) {
    results[i] = initial;
  }
  LPOT_TRY(combine_doubles(state, state->row->on_doubles, results, err));
  if (state->row->op == LPOT_OP_REDUCE_LOG_SUM_EXP) {
    LPOT_TRY(add_exponentials(state, results, err));
  }
  for (int64_t i = 0; i < state->count; i++) {
    results[i] = state->row->finish(results[i], (double)state->size);
  }
  lpot_kernel_store_doubles(state->out, 0, state->count, results);
  return LPOT_OK;
}

/* Flipping the top bit orders uint64 as int64; only comparing ones need it. */
static void flip_unsigned(const reduction *state, int64_t count, int64_t *values) {
  bool compares = state->row->op == LPOT_OP_REDUCE_MAX || state->row->op == LPOT_OP_REDUCE_MIN;
  if (state->out->dtype != LPOT_U64 || !compares) {
    return;
  }
  for (int64_t i = 0; i < count; i++) {
    values[i] ^= INT64_MIN;
  }
}

static lpot_status reduce_ints(const reduction *state, int64_t *results, lpot_error *err) {
  int64_t values[CHUNK];
  lpot_kernel_rows rows;
  for (int64_t i = 0; i < state->count; i++) {
    results[i] = state->row->initial_int;
  }
  LPOT_TRY(begin_rows(state, &rows, err));
  for (; lpot_kernel_rows_more(&rows); lpot_kernel_rows_next(&rows)) {
    for (int64_t done = 0; done < rows.length; done += CHUNK) {
      int64_t count = rows.length - done < CHUNK ? rows.length - done : CHUNK;
      lpot_kernel_load_ints(state->input, rows.out_start + done, 1, count, values);
      flip_unsigned(state, count, values);
      state->row->on_ints(count, values, rows.step[1],
                          results + rows.start[1] + done * rows.step[1]);
    }
  }
  flip_unsigned(state, state->count, results);
  lpot_kernel_store_ints(state->out, 0, state->count, results);
  return LPOT_OK;
}

/* Marks the axes to reduce. Without axes: all of them, or none where the attribute says so, and
 * then the input is the result. */
static lpot_status read_reduced(const lpot_node *node, const lpot_tensor *const *inputs,
                                bool reduced[LPOT_MAX_RANK], bool *ret_copy, lpot_error *err) {
  int rank = inputs[0]->shape.rank;
  lpot_kernel_ints axes;
  for (int i = 0; i < rank; i++) {
    reduced[i] = false;
  }
  LPOT_TRY(lpot_kernel_read_ints(node, inputs, 1, "axes", &axes, err));
  *ret_copy = axes.count == 0 && lpot_node_int(node, "noop_with_empty_axes", 0) != 0;
  if (*ret_copy) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_kernel_read_axes(node, inputs, 1, "axes", rank, &axes, err));
  for (size_t i = 0; i < axes.count; i++) {
    reduced[axes.values[i]] = true;
  }
  return LPOT_OK;
}

static lpot_status run_reduction(const reduction *state, lpot_error *err) {
  bool is_float = lpot_dtype_is_float(state->input->dtype);
  int64_t *ints = NULL;
  double *doubles = NULL;
  lpot_status status = LPOT_OK;
  /* Of an empty set of integers the result is a limit of the type: storing saturates. */
  if (!is_float && state->row->on_ints != NULL && state->size > 0) {
    ints = lpot_calloc((size_t)state->count, sizeof *ints);
    status = ints == NULL ? LPOT_OUT_OF_MEMORY(err) : reduce_ints(state, ints, err);
  } else {
    status = lpot_kernel_scratch(state->count, &doubles, err);
    status = status != LPOT_OK ? status : reduce_doubles(state, doubles, err);
  }
  lpot_free(ints);
  lpot_free(doubles);
  return status;
}

LPOT_KERNEL(lpot_kernel_reduce) {
  const lpot_tensor *input = inputs[0];
  reduction state = {.row = find_reduction(node->op), .input = input, .out = outputs[0], .size = 1};
  bool reduced[LPOT_MAX_RANK];
  bool copy = false;
  LPOT_ASSERT(state.row != NULL);
  if (input->dtype == LPOT_BOOL && node->op != LPOT_OP_REDUCE_MAX &&
      node->op != LPOT_OP_REDUCE_MIN) {
    return lpot_kernel_unsupported_type(input, err);
  }
  LPOT_TRY(lpot_kernel_check_same_type(input, state.out, err));
  LPOT_TRY(read_reduced(node, inputs, reduced, &copy, err));
  if (copy) {
    LPOT_TRY(lpot_kernel_copy(node, inputs, outputs, err));
    return LPOT_OK;
  }
  state.kept = input->shape;
  for (int i = 0; i < input->shape.rank; i++) {
    if (reduced[i]) {
      state.size *= input->shape.dims[i];
      state.kept.dims[i] = 1;
    }
  }
  state.count = lpot_shape_elements(&state.kept);
  LPOT_TRY(lpot_kernel_check_count("output", state.out, state.count, err));
  LPOT_TRY(run_reduction(&state, err));
  return LPOT_OK;
}
