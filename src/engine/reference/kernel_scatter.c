/* ScatterElements and ScatterND: a copy of the data in which elements, or slices, named by indices
 * are replaced by the updates or combined with them. Of several updates of one element the last
 * counts, or all are combined in order. */
#include "engine/reference/kernel.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

#define CHUNK LPOT_KERNEL_CHUNK

typedef double (*double_combiner)(double old, double update);
typedef int64_t (*int_combiner)(int64_t old, int64_t update);

#define X(name, expression)                                                                        \
  static double name(double old, double update) {                                                  \
    return expression;                                                                             \
  }
X(add_double, old + update)
X(multiply_double, old *update)
/* NaN wins and stays. */
X(larger_double, update > old || isnan(update) ? update : old)
X(smaller_double, update < old || isnan(update) ? update : old)
#undef X

/* Unsigned arithmetic says to the compiler that results wrap. */
#define X(name, expression)                                                                        \
  static int64_t name(int64_t old, int64_t update) {                                               \
    return expression;                                                                             \
  }
X(add_int, (int64_t)((uint64_t)old + (uint64_t)update))
X(multiply_int, (int64_t)((uint64_t)old *(uint64_t)update))
X(larger_int, update > old ? update : old)
X(smaller_int, update < old ? update : old)
X(larger_unsigned, (uint64_t)update > (uint64_t)old ? update : old)
X(smaller_unsigned, (uint64_t)update < (uint64_t)old ? update : old)
#undef X

typedef struct scatter_row {
  const char *reduction;
  double_combiner on_doubles; /* NULL: replaces */
  int_combiner on_ints;
  int_combiner on_uint64;
} scatter_row;

static const scatter_row scatter_rows[] = {
    {"none", NULL, NULL, NULL},
    {"add", add_double, add_int, add_int},
    {"max", larger_double, larger_int, larger_unsigned},
    {"min", smaller_double, smaller_int, smaller_unsigned},
    {"mul", multiply_double, multiply_int, multiply_int},
};

static lpot_status find_scatter(const lpot_node *node, const scatter_row **ret_row,
                                lpot_error *err) {
  const char *reduction = lpot_node_string(node, "reduction", "none");
  for (size_t i = 0; i < sizeof scatter_rows / sizeof *scatter_rows; i++) {
    if (lpot_text_equal(scatter_rows[i].reduction, reduction)) {
      *ret_row = &scatter_rows[i];
      return LPOT_OK;
    }
  }
  return LPOT_FAIL(err, LPOT_UNSUPPORTED, "reduction '%s'", reduction);
}

static void combine_doubles(double_combiner combine, const lpot_tensor *updates, int64_t from,
                            lpot_tensor *out, int64_t to, int64_t count) {
  double news[CHUNK];
  double olds[CHUNK];
  lpot_kernel_load_doubles(updates, from, 1, count, news);
  lpot_kernel_load_doubles(out, to, 1, count, olds);
  for (int64_t i = 0; i < count; i++) {
    olds[i] = combine(olds[i], news[i]);
  }
  lpot_kernel_store_doubles(out, to, count, olds);
}

static void combine_ints(int_combiner combine, const lpot_tensor *updates, int64_t from,
                         lpot_tensor *out, int64_t to, int64_t count) {
  int64_t news[CHUNK];
  int64_t olds[CHUNK];
  lpot_kernel_load_ints(updates, from, 1, count, news);
  lpot_kernel_load_ints(out, to, 1, count, olds);
  for (int64_t i = 0; i < count; i++) {
    olds[i] = combine(olds[i], news[i]);
  }
  lpot_kernel_store_ints(out, to, count, olds);
}

/* Puts `count` updates from `from` on into the elements from `to` on. */
static void update_run(const scatter_row *row, const lpot_tensor *updates, int64_t from,
                       lpot_tensor *out, int64_t to, int64_t count) {
  size_t size = lpot_dtype_size(out->dtype);
  if (row->on_doubles == NULL) {
    memcpy((uint8_t *)out->data + (size_t)to * size,
           (const uint8_t *)updates->data + (size_t)from * size, (size_t)count * size);
    return;
  }
  for (int64_t done = 0; done < count; done += CHUNK) {
    int64_t part = count - done < CHUNK ? count - done : CHUNK;
    if (lpot_dtype_is_float(out->dtype)) {
      combine_doubles(row->on_doubles, updates, from + done, out, to + done, part);
    } else {
      int_combiner combine = out->dtype == LPOT_U64 ? row->on_uint64 : row->on_ints;
      combine_ints(combine, updates, from + done, out, to + done, part);
    }
  }
}

/* Checks types and shapes and copies the data. */
static lpot_status begin_scatter(const lpot_node *node, const lpot_tensor *const *inputs,
                                 lpot_tensor *const *outputs, const scatter_row **ret_row,
                                 lpot_error *err) {
  LPOT_TRY(find_scatter(node, ret_row, err));
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], inputs[2], err));
  LPOT_TRY(
      lpot_kernel_check_same_shape("data and output", &inputs[0]->shape, &outputs[0]->shape, err));
  LPOT_TRY(lpot_kernel_copy(node, inputs, outputs, err));
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_scatter_elements) {
  const lpot_tensor *updates = inputs[2];
  const scatter_row *row = NULL;
  lpot_element_walk walk;
  LPOT_TRY(begin_scatter(node, inputs, outputs, &row, err));
  LPOT_TRY(lpot_element_walk_begin(node, &inputs[0]->shape, inputs[1], &walk, err));
  LPOT_TRY(
      lpot_kernel_check_same_shape("indices and updates", &inputs[1]->shape, &updates->shape, err));
  while (walk.next < walk.total) {
    int64_t from = walk.next;
    int64_t to = 0;
    LPOT_TRY(lpot_element_walk_next(&walk, &to, err));
    update_run(row, updates, from, outputs[0], to, 1);
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_scatter_nd) {
  const lpot_tensor *updates = inputs[2];
  const scatter_row *row = NULL;
  lpot_slice_walk walk;
  LPOT_TRY(begin_scatter(node, inputs, outputs, &row, err));
  LPOT_TRY(lpot_slice_walk_begin(&inputs[0]->shape, inputs[1], 0, &walk, err));
  LPOT_TRY(lpot_kernel_check_count("updates", updates, walk.total * walk.slice_size, err));
  for (int64_t tuple = 0; tuple < walk.total; tuple++) {
    int64_t to = 0;
    LPOT_TRY(lpot_slice_walk_at(&walk, tuple, &to, err));
    update_run(row, updates, tuple * walk.slice_size, outputs[0], to, walk.slice_size);
  }
  return LPOT_OK;
}
