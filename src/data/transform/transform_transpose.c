/* Transpose: {perm: [2, 0, 1]} turns [height, width, channels] into [channels, height, width]. */
#include "data/transform/transpose.h"

#include <string.h>

#include "data/setting.h"
#include "data/transform_class.h"

typedef struct transpose_parameters {
  int rank;
  int perm[LPOT_MAX_RANK];
} transpose_parameters;

static lpot_status parse_transpose(void *parameters, const lpot_yaml_node *settings,
                                   lpot_error *err) {
  static const char *const names[] = {"perm", NULL};
  transpose_parameters *transpose = parameters;
  const lpot_yaml_node *node = NULL;
  int64_t perm[LPOT_MAX_RANK];
  size_t count = 0;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(lpot_setting_need(settings, "transform Transpose", "perm", &node, err));
  LPOT_TRY(lpot_yaml_ints(node, LPOT_MAX_RANK, perm, &count, err));
  unsigned seen = 0;
  for (size_t i = 0; i < count; i++) {
    if (perm[i] < 0 || perm[i] >= (int64_t)count || (seen >> perm[i] & 1u) != 0) {
      return lpot_yaml_fail(err, node, "expected each of 0 to %zu once", count - 1);
    }
    seen |= 1u << perm[i];
    transpose->perm[i] = (int)perm[i];
  }
  transpose->rank = (int)count;
  return LPOT_OK;
}

/* Copies [rows, columns] u8 or f32 to [columns, rows]: the usual case, channels last to first. */
static void swap_u8(const uint8_t *in, int64_t rows, int64_t columns, uint8_t *out) {
  for (int64_t c = 0; c < columns; c++) {
    for (int64_t r = 0; r < rows; r++) {
      *out++ = in[r * columns + c];
    }
  }
}

static void swap_f32(const float *in, int64_t rows, int64_t columns, float *out) {
  for (int64_t c = 0; c < columns; c++) {
    for (int64_t r = 0; r < rows; r++) {
      *out++ = in[r * columns + c];
    }
  }
}

/* Any permutation, element by element; position counts through the result's dimensions. */
static void copy_permuted(const lpot_tensor *input, const int *perm, lpot_tensor *output) {
  int rank = input->shape.rank;
  size_t width = lpot_dtype_size(input->dtype);
  int64_t strides[LPOT_MAX_RANK];
  int64_t position[LPOT_MAX_RANK] = {0};
  lpot_shape_strides(&input->shape, strides);
  const uint8_t *in = input->data;
  uint8_t *out = output->data;
  int64_t count = lpot_tensor_elements(output);
  int64_t offset = 0;
  for (int64_t i = 0; i < count; i++) {
    memcpy(out + (size_t)i * width, in + (size_t)offset * width, width);
    for (int d = rank - 1; d >= 0; d--) {
      position[d]++;
      offset += strides[perm[d]];
      if (position[d] < output->shape.dims[d]) {
        break;
      }
      offset -= strides[perm[d]] * position[d];
      position[d] = 0;
    }
  }
}

/* True when perm moves the last dimension to the front and keeps the others' order. */
static bool is_last_to_front(const int *perm, int rank) {
  for (int i = 1; i < rank; i++) {
    if (perm[i] != i - 1) {
      return false;
    }
  }
  return rank > 1;
}

lpot_status lpot_transpose(const lpot_tensor *input, const int *perm, lpot_tensor **ret_output,
                           lpot_error *err) {
  int rank = input->shape.rank;
  lpot_shape shape = input->shape;
  for (int i = 0; i < rank; i++) {
    shape.dims[i] = input->shape.dims[perm[i]];
  }
  LPOT_TRY(lpot_tensor_new(input->dtype, &shape, ret_output, err));
  int64_t elements = lpot_tensor_elements(input);
  if (is_last_to_front(perm, rank) && elements > 0 && input->dtype == LPOT_U8) {
    swap_u8(input->data, elements / shape.dims[0], shape.dims[0], (*ret_output)->data);
  } else if (is_last_to_front(perm, rank) && elements > 0 && input->dtype == LPOT_F32) {
    swap_f32(input->data, elements / shape.dims[0], shape.dims[0], (*ret_output)->data);
  } else {
    copy_permuted(input, perm, *ret_output);
  }
  return LPOT_OK;
}

static lpot_status apply_transpose(const void *parameters, lpot_tensor *input,
                                   lpot_tensor **ret_output, lpot_error *err) {
  const transpose_parameters *transpose = parameters;
  if (input->shape.rank != transpose->rank) {
    return LPOT_FAIL(err, LPOT_INVALID, "perm has %d numbers, expected %d", transpose->rank,
                     input->shape.rank);
  }
  return lpot_transpose(input, transpose->perm, ret_output, err);
}

const lpot_transform_class lpot_transform_class_transpose = {
    .name = "Transpose",
    .size_bytes = sizeof(transpose_parameters),
    .parse = parse_transpose,
    .apply = apply_transpose,
};
