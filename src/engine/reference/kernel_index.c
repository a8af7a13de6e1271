/* Operators that read or write elements by lists of indices: GatherElements, GatherND,
 * ReverseSequence. */
#include "engine/reference/kernel.h"

#include <string.h>

static void copy_run(const lpot_tensor *from, int64_t from_index, lpot_tensor *to, int64_t to_index,
                     int64_t count) {
  size_t size = lpot_dtype_size(to->dtype);
  memcpy((uint8_t *)to->data + (size_t)to_index * size,
         (const uint8_t *)from->data + (size_t)from_index * size, (size_t)count * size);
}

lpot_status lpot_kernel_wrap_index(int64_t index, int64_t dim, int64_t *ret_index,
                                   lpot_error *err) {
  int64_t wrapped = index < 0 ? index + dim : index;
  if (wrapped < 0 || wrapped >= dim) {
    return LPOT_FAIL(err, LPOT_INVALID, "index %lld is outside [-%lld, %lld)", (long long)index,
                     (long long)dim, (long long)dim);
  }
  *ret_index = wrapped;
  return LPOT_OK;
}

lpot_status lpot_kernel_check_index_type(const lpot_tensor *indices, lpot_error *err) {
  if (indices->dtype != LPOT_S64 && indices->dtype != LPOT_S32) {
    return lpot_kernel_unsupported_type(indices, err);
  }
  return LPOT_OK;
}

/* ---- GatherElements: one index for each element of the result ---- */

lpot_status lpot_element_walk_begin(const lpot_node *node, const lpot_shape *data,
                                    const lpot_tensor *indices, lpot_element_walk *ret,
                                    lpot_error *err) {
  LPOT_TRY(lpot_kernel_check_index_type(indices, err));
  LPOT_TRY(lpot_kernel_axis(lpot_node_int(node, "axis", 0), data->rank, &ret->axis, err));
  if (indices->shape.rank != data->rank) {
    return LPOT_FAIL(err, LPOT_INVALID, "the indices have rank %d, expected %d",
                     indices->shape.rank, data->rank);
  }
  for (int i = 0; i < data->rank; i++) {
    if (i != ret->axis && indices->shape.dims[i] > data->dims[i]) {
      return LPOT_FAIL(err, LPOT_INVALID,
                       "dimension %d of the indices is %lld, expected at most %lld", i,
                       (long long)indices->shape.dims[i], (long long)data->dims[i]);
    }
    ret->position[i] = 0;
  }
  ret->indices = indices;
  ret->dim = data->dims[ret->axis];
  ret->next = 0;
  ret->total = lpot_shape_elements(&indices->shape);
  lpot_shape_strides(data, ret->strides);
  return LPOT_OK;
}

lpot_status lpot_element_walk_next(lpot_element_walk *walk, int64_t *ret_offset, lpot_error *err) {
  int64_t index = 0;
  lpot_kernel_load_ints(walk->indices, walk->next, 1, 1, &index);
  LPOT_TRY(lpot_kernel_wrap_index(index, walk->dim, &index, err));
  const lpot_shape *shape = &walk->indices->shape;
  int64_t offset = index * walk->strides[walk->axis];
  for (int i = 0; i < shape->rank; i++) {
    offset += i == walk->axis ? 0 : walk->position[i] * walk->strides[i];
  }
  for (int i = shape->rank - 1; i >= 0; i--) {
    walk->position[i]++;
    if (walk->position[i] < shape->dims[i]) {
      break;
    }
    walk->position[i] = 0;
  }
  walk->next++;
  *ret_offset = offset;
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_gather_elements) {
  lpot_element_walk walk;
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], outputs[0], err));
  LPOT_TRY(lpot_kernel_check_same_shape("indices and output", &inputs[1]->shape, &outputs[0]->shape,
                                        err));
  LPOT_TRY(lpot_element_walk_begin(node, &inputs[0]->shape, inputs[1], &walk, err));
  while (walk.next < walk.total) {
    int64_t to = walk.next;
    int64_t from = 0;
    LPOT_TRY(lpot_element_walk_next(&walk, &from, err));
    copy_run(inputs[0], from, outputs[0], to, 1);
  }
  return LPOT_OK;
}

/* ---- GatherND: a tuple of indices names a slice ---- */

lpot_status lpot_slice_walk_begin(const lpot_shape *data, const lpot_tensor *indices,
                                  int64_t batch_dims, lpot_slice_walk *ret, lpot_error *err) {
  int rank = indices->shape.rank;
  LPOT_TRY(lpot_kernel_check_index_type(indices, err));
  if (batch_dims < 0 || batch_dims >= rank || batch_dims >= data->rank) {
    return LPOT_FAIL(err, LPOT_INVALID, "batch_dims is %lld, the ranks are %d and %d",
                     (long long)batch_dims, data->rank, rank);
  }
  int64_t length = indices->shape.dims[rank - 1];
  if (length < 1 || length > data->rank - batch_dims) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "the last dimension of the indices is %lld, expected 1 to %d",
                     (long long)length, data->rank - (int)batch_dims);
  }
  for (int i = 0; i < batch_dims; i++) {
    if (indices->shape.dims[i] != data->dims[i]) {
      return LPOT_FAIL(err, LPOT_INVALID, "batch dimension %d is %lld and %lld", i,
                       (long long)data->dims[i], (long long)indices->shape.dims[i]);
    }
  }
  ret->indices = indices;
  ret->data = *data;
  ret->batch_dims = (int)batch_dims;
  ret->length = (int)length;
  ret->total = lpot_kernel_span(&indices->shape, 0, rank - 1);
  ret->per_batch = lpot_kernel_span(&indices->shape, ret->batch_dims, rank - 1);
  ret->batch_size = lpot_kernel_span(data, ret->batch_dims, data->rank);
  ret->slice_size = lpot_kernel_span(data, ret->batch_dims + ret->length, data->rank);
  lpot_shape_strides(data, ret->strides);
  return LPOT_OK;
}

lpot_status lpot_slice_walk_at(const lpot_slice_walk *walk, int64_t tuple, int64_t *ret_offset,
                               lpot_error *err) {
  int64_t indices[LPOT_MAX_RANK];
  int64_t offset = tuple / walk->per_batch * walk->batch_size;
  lpot_kernel_load_ints(walk->indices, tuple * walk->length, 1, walk->length, indices);
  for (int i = 0; i < walk->length; i++) {
    int64_t index = 0;
    int axis = walk->batch_dims + i;
    LPOT_TRY(lpot_kernel_wrap_index(indices[i], walk->data.dims[axis], &index, err));
    offset += index * walk->strides[axis];
  }
  *ret_offset = offset;
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_gather_nd) {
  lpot_slice_walk walk;
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], outputs[0], err));
  LPOT_TRY(lpot_slice_walk_begin(&inputs[0]->shape, inputs[1], lpot_node_int(node, "batch_dims", 0),
                                 &walk, err));
  LPOT_TRY(lpot_kernel_check_count("output", outputs[0], walk.total * walk.slice_size, err));
  for (int64_t tuple = 0; tuple < walk.total; tuple++) {
    int64_t from = 0;
    LPOT_TRY(lpot_slice_walk_at(&walk, tuple, &from, err));
    copy_run(inputs[0], from, outputs[0], tuple * walk.slice_size, walk.slice_size);
  }
  return LPOT_OK;
}

/* ---- ReverseSequence ---- */

static lpot_status check_reverse(const lpot_node *node, const lpot_tensor *const *inputs,
                                 const lpot_tensor *out, int64_t *ret_time_axis, lpot_error *err) {
  const lpot_shape *shape = &inputs[0]->shape;
  int64_t time_axis = lpot_node_int(node, "time_axis", 0);
  if (time_axis < 0 || time_axis > 1 || lpot_node_int(node, "batch_axis", 1) != 1 - time_axis) {
    return LPOT_FAIL(err, LPOT_INVALID, "time_axis and batch_axis are not 0 and 1, or 1 and 0");
  }
  if (shape->rank < 2) {
    return LPOT_FAIL(err, LPOT_INVALID, "input has rank %d, expected at least 2", shape->rank);
  }
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], out, err));
  LPOT_TRY(lpot_kernel_check_same_shape("input and output", shape, &out->shape, err));
  LPOT_TRY(lpot_kernel_check_index_type(inputs[1], err));
  LPOT_TRY(lpot_kernel_check_count("the lengths", inputs[1], shape->dims[1 - time_axis], err));
  *ret_time_axis = time_axis;
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_reverse_sequence) {
  int64_t time_axis = 0;
  LPOT_TRY(check_reverse(node, inputs, outputs[0], &time_axis, err));
  const lpot_shape *shape = &inputs[0]->shape;
  int64_t steps = shape->dims[time_axis];
  int64_t batch = shape->dims[1 - time_axis];
  int64_t size = lpot_kernel_span(shape, 2, shape->rank);
  int64_t time_stride = time_axis == 0 ? batch * size : size;
  int64_t batch_stride = time_axis == 0 ? size : steps * size;
  for (int64_t b = 0; b < batch; b++) {
    int64_t length = 0;
    lpot_kernel_load_ints(inputs[1], b, 1, 1, &length);
    if (length < 0 || length > steps) {
      return LPOT_FAIL(err, LPOT_INVALID, "a length is %lld, expected 0 to %lld", (long long)length,
                       (long long)steps);
    }
    for (int64_t t = 0; t < steps; t++) {
      int64_t from = t < length ? length - 1 - t : t;
      copy_run(inputs[0], b * batch_stride + from * time_stride, outputs[0],
               b * batch_stride + t * time_stride, size);
    }
  }
  return LPOT_OK;
}
