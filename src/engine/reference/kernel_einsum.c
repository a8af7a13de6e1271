/* Einsum: one loop for each dimension that the equation names, those of the result outside. */
#include "engine/reference/kernel.h"

#include "base/memory.h"
#include "graph/einsum.h"

typedef struct contraction {
  lpot_einsum einsum;
  int num_summed;
  int64_t strides[LPOT_EINSUM_MAX_LABELS][LPOT_EINSUM_MAX_INPUTS]; /* of each input by label */
  void *values[LPOT_EINSUM_MAX_INPUTS]; /* the inputs as doubles, or as int64; owned */
} contraction;

/* Where the loops are: a position per label, and what it means for each input. */
typedef struct loops {
  int first, last; /* labels */
  int64_t position[LPOT_EINSUM_MAX_LABELS];
} loops;

/* The next position; false after the last one. offsets are moved along. */
static bool advance(const contraction *c, loops *at, int64_t *offsets) {
  for (int label = at->last - 1; label >= at->first; label--) {
    int step = ++at->position[label] < c->einsum.dims[label] ? 1 : 0;
    int64_t moved = step == 1 ? 1 : -(c->einsum.dims[label] - 1);
    for (int i = 0; i < c->einsum.num_inputs; i++) {
      offsets[i] += moved * c->strides[label][i];
    }
    if (step == 1) {
      return true;
    }
    at->position[label] = 0;
  }
  return false;
}

/* X(name, type): the sum over all dimensions that the result lacks; the last of them is the inner
 * loop. Integers are unsigned here, so that they wrap. */
#define X(name, type)                                                                              \
  static type name(const contraction *c, const int64_t *start) {                                   \
    int64_t offsets[LPOT_EINSUM_MAX_INPUTS];                                                       \
    int inner = c->einsum.num_labels - 1;                                                          \
    bool has_inner = c->num_summed > 0;                                                            \
    int64_t count = has_inner ? c->einsum.dims[inner] : 1;                                         \
    loops at = {.first = c->einsum.num_output, .last = has_inner ? inner : inner + 1};             \
    type sum = 0;                                                                                  \
    for (int i = 0; i < c->einsum.num_inputs; i++) {                                               \
      offsets[i] = start[i];                                                                       \
    }                                                                                              \
    do {                                                                                           \
      for (int64_t k = 0; k < count; k++) {                                                        \
        type product = 1;                                                                          \
        for (int i = 0; i < c->einsum.num_inputs; i++) {                                           \
          const type *values = c->values[i];                                                       \
          product *= values[offsets[i] + (has_inner ? k * c->strides[inner][i] : 0)];              \
        }                                                                                          \
        sum += product;                                                                            \
      }                                                                                            \
    } while (advance(c, &at, offsets));                                                            \
    return sum;                                                                                    \
  }
X(sum_doubles, double)
X(sum_ints, uint64_t)
#undef X

static lpot_status resolve(const lpot_node *node, const lpot_tensor *const *inputs,
                           const lpot_tensor *out, contraction *c, lpot_error *err) {
  const lpot_shape *shapes[LPOT_EINSUM_MAX_INPUTS];
  if (node->num_inputs > LPOT_EINSUM_MAX_INPUTS) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "%d inputs, expected at most %d", node->num_inputs,
                     LPOT_EINSUM_MAX_INPUTS);
  }
  for (int i = 0; i < node->num_inputs; i++) {
    LPOT_TRY(lpot_kernel_check_same_type(inputs[i], out, err));
    shapes[i] = &inputs[i]->shape;
  }
  LPOT_TRY(lpot_einsum_resolve(lpot_node_string(node, "equation", ""), shapes, node->num_inputs,
                               &c->einsum, err));
  lpot_shape expected = lpot_shape_of(c->einsum.num_output, c->einsum.dims);
  LPOT_TRY(lpot_kernel_check_same_shape("output and result", &out->shape, &expected, err));
  c->num_summed = c->einsum.num_labels - c->einsum.num_output;
  for (int i = 0; i < node->num_inputs; i++) {
    int64_t strides[LPOT_MAX_RANK];
    lpot_shape_strides(shapes[i], strides);
    for (int k = 0; k < shapes[i]->rank; k++) {
      /* A letter that occurs twice runs along a diagonal; what is broadcast stays where it is. */
      bool moves = shapes[i]->dims[k] != 1;
      c->strides[c->einsum.of_input[i][k]][i] += moves ? strides[k] : 0;
    }
  }
  return LPOT_OK;
}

static lpot_status load_inputs(const lpot_node *node, const lpot_tensor *const *inputs,
                               contraction *c, lpot_error *err) {
  for (int i = 0; i < node->num_inputs; i++) {
    int64_t count = lpot_shape_elements(&inputs[i]->shape);
    c->values[i] = lpot_calloc((size_t)count, sizeof(int64_t)); /* as wide as a double */
    if (c->values[i] == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    if (lpot_dtype_is_float(inputs[i]->dtype)) {
      lpot_kernel_load_doubles(inputs[i], 0, 1, count, c->values[i]);
    } else {
      lpot_kernel_load_ints(inputs[i], 0, 1, count, c->values[i]);
    }
  }
  return LPOT_OK;
}

/* A sum over a dimension of size 0. */
static bool has_empty_sum(const contraction *c) {
  for (int label = c->einsum.num_output; label < c->einsum.num_labels; label++) {
    if (c->einsum.dims[label] == 0) {
      return true;
    }
  }
  return false;
}

static void contract(const contraction *c, lpot_tensor *out) {
  int64_t offsets[LPOT_EINSUM_MAX_INPUTS] = {0};
  loops at = {.first = 0, .last = c->einsum.num_output};
  bool is_float = lpot_dtype_is_float(out->dtype);
  bool is_empty = has_empty_sum(c);
  int64_t next = 0;
  do {
    if (is_float) {
      double sum = is_empty ? 0.0 : sum_doubles(c, offsets);
      lpot_kernel_store_doubles(out, next, 1, &sum);
    } else {
      int64_t sum = is_empty ? 0 : (int64_t)sum_ints(c, offsets);
      lpot_kernel_store_ints(out, next, 1, &sum);
    }
    next++;
  } while (advance(c, &at, offsets));
}

LPOT_KERNEL(lpot_kernel_einsum) {
  contraction c = {.num_summed = 0};
  if (outputs[0]->dtype == LPOT_BOOL) {
    return lpot_kernel_unsupported_type(outputs[0], err);
  }
  LPOT_TRY(resolve(node, inputs, outputs[0], &c, err));
  lpot_status status = load_inputs(node, inputs, &c, err);
  if (status == LPOT_OK) {
    contract(&c, outputs[0]);
  }
  for (int i = 0; i < node->num_inputs; i++) {
    lpot_free(c.values[i]);
  }
  return status;
}
