/* Operators that keep the order of elements (Reshape and its kin), join and cut tensors (Concat,
 * Split), or make tensors from shapes and attributes. */
#include "engine/reference/kernel.h"

#include <string.h>

static uint8_t *bytes_at(void *data, int64_t index, size_t size) {
  return (uint8_t *)data + (size_t)index * size;
}

/* Same elements in the same order; the output may be the input's own buffer. */
static lpot_status copy_elements(const lpot_tensor *input, lpot_tensor *output, lpot_error *err) {
  int64_t count = lpot_shape_elements(&output->shape);
  LPOT_TRY(lpot_kernel_check_same_type(input, output, err));
  LPOT_TRY(lpot_kernel_check_count("input", input, count, err));
  memmove(output->data, input->data, (size_t)count * lpot_dtype_size(output->dtype));
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_copy) {
  (void)node;
  LPOT_TRY(copy_elements(inputs[0], outputs[0], err));
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_dropout) {
  const lpot_tensor *training = lpot_kernel_input(node, inputs, 2);
  if (training != NULL) {
    double value = 0.0;
    LPOT_TRY(lpot_kernel_check_count("training_mode", training, 1, err));
    lpot_kernel_load_doubles(training, 0, 1, 1, &value);
    if (value != 0.0) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "training_mode is true");
    }
  }
  LPOT_TRY(copy_elements(inputs[0], outputs[0], err));
  lpot_tensor *mask = node->num_outputs > 1 ? outputs[1] : NULL;
  if (mask != NULL) {
    const double one = 1.0;
    for (int64_t i = 0; i < lpot_shape_elements(&mask->shape); i++) {
      lpot_kernel_store_doubles(mask, i, 1, &one);
    }
  }
  return LPOT_OK;
}

/* ---- Concat ---- */

lpot_status lpot_concat_check(const lpot_node *node, const lpot_tensor *const *inputs, int first,
                              int stride, const lpot_tensor *output, int *ret_axis,
                              lpot_error *err) {
  const lpot_shape *shape = &output->shape;
  int axis = 0;
  LPOT_TRY(lpot_kernel_axis(lpot_node_int(node, "axis", 0), shape->rank, &axis, err));
  int64_t total = 0;
  for (int i = first; i < node->num_inputs; i += stride) {
    lpot_shape expected = *shape;
    if (inputs[i]->shape.rank == shape->rank) {
      expected.dims[axis] = inputs[i]->shape.dims[axis];
    }
    LPOT_TRY(lpot_kernel_check_same_type(inputs[i], output, err));
    LPOT_TRY(
        lpot_kernel_check_same_shape("an input and its part", &inputs[i]->shape, &expected, err));
    total += inputs[i]->shape.dims[axis];
  }
  if (total != shape->dims[axis]) {
    return LPOT_FAIL(err, LPOT_INVALID, "output dimension %d is %lld, expected %lld", axis,
                     (long long)shape->dims[axis], (long long)total);
  }
  *ret_axis = axis;
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_concat) {
  lpot_tensor *output = outputs[0];
  int axis = 0;
  LPOT_TRY(lpot_concat_check(node, inputs, 0, 1, output, &axis, err));
  size_t size = lpot_dtype_size(output->dtype);
  int64_t outer = lpot_kernel_span(&output->shape, 0, axis);
  int64_t inner = lpot_kernel_span(&output->shape, axis + 1, output->shape.rank);
  int64_t row = output->shape.dims[axis] * inner;
  int64_t start = 0;
  for (int i = 0; i < node->num_inputs; i++) {
    int64_t part = inputs[i]->shape.dims[axis] * inner;
    for (int64_t block = 0; block < outer && part > 0; block++) {
      memcpy(bytes_at(output->data, block * row + start, size),
             bytes_at(inputs[i]->data, block * part, size), (size_t)part * size);
    }
    start += part;
  }
  return LPOT_OK;
}

/* ---- Split ---- */

/* The size of part i: its output's own, else the given one, else an equal share rounded up. */
static lpot_status part_size(const lpot_node *node, const lpot_tensor *output, int axis,
                             int64_t dim, const lpot_kernel_ints *sizes, int i, int64_t *ret_size,
                             lpot_error *err) {
  int64_t size = (dim + node->num_outputs - 1) / node->num_outputs;
  if (output != NULL) {
    size = output->shape.dims[axis];
  } else if (i < (int)sizes->count) {
    size = sizes->values[i];
  }
  if (size < 0 || size > dim) {
    return LPOT_FAIL(err, LPOT_INVALID, "part %d has size %lld of %lld", i, (long long)size,
                     (long long)dim);
  }
  *ret_size = size;
  return LPOT_OK;
}

static void copy_part(const lpot_tensor *input, int axis, int64_t start, lpot_tensor *output) {
  size_t size = lpot_dtype_size(output->dtype);
  int64_t outer = lpot_kernel_span(&input->shape, 0, axis);
  int64_t inner = lpot_kernel_span(&input->shape, axis + 1, input->shape.rank);
  int64_t part = output->shape.dims[axis] * inner;
  int64_t row = input->shape.dims[axis] * inner;
  for (int64_t block = 0; block < outer && part > 0; block++) {
    memcpy(bytes_at(output->data, block * part, size),
           bytes_at(input->data, block * row + start * inner, size), (size_t)part * size);
  }
}

LPOT_KERNEL(lpot_kernel_split) {
  const lpot_tensor *input = inputs[0];
  int axis = 0;
  lpot_kernel_ints sizes;
  LPOT_TRY(lpot_kernel_axis(lpot_node_int(node, "axis", 0), input->shape.rank, &axis, err));
  LPOT_TRY(lpot_kernel_read_ints(node, inputs, 1, "split", &sizes, err));
  int64_t dim = input->shape.dims[axis];
  int64_t start = 0;
  for (int i = 0; i < node->num_outputs; i++) {
    lpot_tensor *output = outputs[i];
    if (output != NULL) {
      lpot_shape expected = input->shape;
      LPOT_TRY(lpot_kernel_check_same_type(input, output, err));
      expected.dims[axis] = output->shape.rank > axis ? output->shape.dims[axis] : 0;
      LPOT_TRY(
          lpot_kernel_check_same_shape("a part and its output", &expected, &output->shape, err));
    }
    int64_t part = 0;
    LPOT_TRY(part_size(node, output, axis, dim - start, &sizes, i, &part, err));
    if (output != NULL) {
      copy_part(input, axis, start, output);
    }
    start += part;
  }
  return LPOT_OK;
}

/* ---- Shape, Size, Constant, ConstantOfShape ---- */

static int64_t clamp_position(int64_t position, int rank) {
  int64_t wrapped = position < 0 ? position + rank : position;
  if (wrapped < 0) {
    return 0;
  }
  return wrapped > rank ? rank : wrapped;
}

LPOT_KERNEL(lpot_kernel_shape) {
  const lpot_shape *shape = &inputs[0]->shape;
  int64_t start = clamp_position(lpot_node_int(node, "start", 0), shape->rank);
  int64_t end = clamp_position(lpot_node_int(node, "end", shape->rank), shape->rank);
  int64_t count = end > start ? end - start : 0;
  LPOT_TRY(lpot_kernel_check_count("output", outputs[0], count, err));
  lpot_kernel_store_ints(outputs[0], 0, count, shape->dims + start);
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_size) {
  (void)node;
  int64_t count = lpot_shape_elements(&inputs[0]->shape);
  LPOT_TRY(lpot_kernel_check_count("output", outputs[0], 1, err));
  lpot_kernel_store_ints(outputs[0], 0, 1, &count);
  return LPOT_OK;
}

static lpot_status store_attribute(const lpot_attribute *attribute, lpot_tensor *output,
                                   lpot_error *err) {
  int64_t count = (int64_t)attribute->count;
  double real = (double)attribute->real;
  switch (attribute->kind) {
  case LPOT_ATTRIBUTE_TENSOR:
    LPOT_TRY(copy_elements(attribute->tensor, output, err));
    return LPOT_OK;
  case LPOT_ATTRIBUTE_INT:
    LPOT_TRY(lpot_kernel_check_count("output", output, 1, err));
    lpot_kernel_store_ints(output, 0, 1, &attribute->integer);
    return LPOT_OK;
  case LPOT_ATTRIBUTE_FLOAT:
    LPOT_TRY(lpot_kernel_check_count("output", output, 1, err));
    lpot_kernel_store_doubles(output, 0, 1, &real);
    return LPOT_OK;
  case LPOT_ATTRIBUTE_INTS:
    LPOT_TRY(lpot_kernel_check_count("output", output, count, err));
    lpot_kernel_store_ints(output, 0, count, attribute->integers);
    return LPOT_OK;
  case LPOT_ATTRIBUTE_FLOATS:
    LPOT_TRY(lpot_kernel_check_count("output", output, count, err));
    for (int64_t i = 0; i < count; i++) {
      real = (double)attribute->reals[i];
      lpot_kernel_store_doubles(output, i, 1, &real);
    }
    return LPOT_OK;
  default:
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "attribute '%s' is not a number", attribute->name);
  }
}

LPOT_KERNEL(lpot_kernel_constant) {
  static const char *const names[] = {"value", "value_float", "value_floats", "value_int",
                                      "value_ints"};
  (void)inputs;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const lpot_attribute *attribute = lpot_node_attribute(node, names[i]);
    if (attribute != NULL) {
      LPOT_TRY(store_attribute(attribute, outputs[0], err));
      return LPOT_OK;
    }
  }
  return LPOT_FAIL(err, LPOT_UNSUPPORTED, "no attribute with a number");
}

LPOT_KERNEL(lpot_kernel_constant_of_shape) {
  const lpot_attribute *attribute = lpot_node_attribute(node, "value");
  lpot_tensor *output = outputs[0];
  size_t size = lpot_dtype_size(output->dtype);
  (void)inputs;
  if (attribute == NULL || attribute->kind != LPOT_ATTRIBUTE_TENSOR) {
    memset(output->data, 0, (size_t)lpot_shape_elements(&output->shape) * size);
    return LPOT_OK;
  }
  LPOT_TRY(lpot_kernel_check_count("value", attribute->tensor, 1, err));
  LPOT_TRY(lpot_kernel_check_same_type(attribute->tensor, output, err));
  for (int64_t i = 0; i < lpot_shape_elements(&output->shape); i++) {
    memcpy(bytes_at(output->data, i, size), attribute->tensor->data, size);
  }
  return LPOT_OK;
}
