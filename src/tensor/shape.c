#include "tensor/shape.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"

#define MAX_ELEMENTS (INT64_C(1) << 48)

lpot_shape lpot_shape_unknown(void) {
  return (lpot_shape){.rank = LPOT_RANK_UNKNOWN};
}

lpot_shape lpot_shape_scalar(void) {
  return (lpot_shape){.rank = 0};
}

lpot_shape lpot_shape_of(int rank, const int64_t *dims) {
  LPOT_ASSERT(rank >= 0 && rank <= LPOT_MAX_RANK);
  lpot_shape shape = {.rank = rank};
  for (int i = 0; i < rank; i++) {
    shape.dims[i] = dims[i];
  }
  return shape;
}

bool lpot_shape_is_known(const lpot_shape *shape) {
  if (shape->rank < 0) {
    return false;
  }
  for (int i = 0; i < shape->rank; i++) {
    if (shape->dims[i] < 0) {
      return false;
    }
  }
  return true;
}

bool lpot_shape_equal(const lpot_shape *a, const lpot_shape *b) {
  if (a->rank != b->rank) {
    return false;
  }
  for (int i = 0; i < a->rank; i++) {
    if (a->dims[i] != b->dims[i]) {
      return false;
    }
  }
  return true;
}

lpot_status lpot_shape_count(const lpot_shape *shape, int64_t *ret_count, lpot_error *err) {
  char text[128];
  if (shape->rank > LPOT_MAX_RANK) {
    return LPOT_FAIL(err, LPOT_INVALID, "shape has %d dimensions, expected at most %d", shape->rank,
                     LPOT_MAX_RANK);
  }
  if (!lpot_shape_is_known(shape)) {
    lpot_shape_text(shape, text, sizeof text);
    return LPOT_FAIL(err, LPOT_INVALID, "shape %s: expected known dimensions", text);
  }
  /* The limit also holds for the dimensions of an empty tensor, so that strides never overflow. */
  int64_t product = 1;
  bool empty = false;
  for (int i = 0; i < shape->rank; i++) {
    int64_t dim = shape->dims[i];
    if (dim == 0) {
      empty = true;
      continue;
    }
    if (dim > MAX_ELEMENTS / product) {
      lpot_shape_text(shape, text, sizeof text);
      return LPOT_FAIL(err, LPOT_INVALID, "shape %s: expected at most 2^48 elements", text);
    }
    product *= dim;
  }
  *ret_count = empty ? 0 : product;
  return LPOT_OK;
}

int64_t lpot_shape_elements(const lpot_shape *shape) {
  int64_t product = 1;
  for (int i = 0; i < shape->rank; i++) {
    product *= shape->dims[i];
  }
  return product;
}

/* Broadcasts one pair of dimensions; false when they do not go together. */
static bool broadcast_dim(int64_t a, int64_t b, int64_t *ret) {
  if (a == b || b == 1) {
    *ret = a;
    return true;
  }
  if (a == 1) {
    *ret = b;
    return true;
  }
  if (a >= 0 && b >= 0) {
    return false;
  }
  /* One is unknown: it must be 1 or the other one's size. */
  int64_t known = a < 0 ? b : a;
  *ret = known > 1 ? known : LPOT_DIM_UNKNOWN;
  return true;
}

lpot_status lpot_shape_broadcast(const lpot_shape *a, const lpot_shape *b, lpot_shape *ret,
                                 lpot_error *err) {
  if (a->rank < 0 || b->rank < 0) {
    *ret = lpot_shape_unknown();
    return LPOT_OK;
  }
  int rank = a->rank > b->rank ? a->rank : b->rank;
  lpot_shape result = {.rank = rank};
  for (int i = 0; i < rank; i++) {
    int a_axis = i - (rank - a->rank);
    int b_axis = i - (rank - b->rank);
    int64_t a_dim = a_axis < 0 ? 1 : a->dims[a_axis];
    int64_t b_dim = b_axis < 0 ? 1 : b->dims[b_axis];
    if (!broadcast_dim(a_dim, b_dim, &result.dims[i])) {
      char a_text[128];
      char b_text[128];
      lpot_shape_text(a, a_text, sizeof a_text);
      lpot_shape_text(b, b_text, sizeof b_text);
      return LPOT_FAIL(err, LPOT_INVALID, "shapes %s and %s cannot be broadcast", a_text, b_text);
    }
  }
  *ret = result;
  return LPOT_OK;
}

void lpot_shape_strides(const lpot_shape *shape, int64_t strides[LPOT_MAX_RANK]) {
  int64_t stride = 1;
  for (int i = shape->rank - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape->dims[i];
  }
}

/* Appends text to out from *used on, as far as it fits. */
static void append(char *out, size_t out_size, size_t *used, const char *text) {
  if (!lpot_text_copy(out + *used, out_size - *used, text)) {
    *used = out_size - 1;
    return;
  }
  while (out[*used] != '\0') {
    (*used)++;
  }
}

void lpot_shape_text(const lpot_shape *shape, char *out, size_t out_size) {
  if (out_size == 0) {
    return;
  }
  if (shape->rank < 0) {
    lpot_text_copy(out, out_size, "[...]");
    return;
  }
  size_t used = 0;
  append(out, out_size, &used, "[");
  for (int i = 0; i < shape->rank; i++) {
    char number[24] = "?";
    if (shape->dims[i] >= 0) {
      snprintf(number, sizeof number, "%" PRId64, shape->dims[i]);
    }
    append(out, out_size, &used, i == 0 ? "" : ", ");
    append(out, out_size, &used, number);
  }
  append(out, out_size, &used, "]");
}
