#include "graph/window.h"

#include <inttypes.h>
#include <string.h>

#include "graph/infer_rules.h"

/* Bounds that keep every product below in 64 bits: sizes up to 2^31, parameters up to 2^24. */
#define MAX_PARAMETER ((int64_t)1 << 24)
#define MAX_SPATIAL_SIZE ((int64_t)INT32_MAX)

typedef enum auto_pad_mode {
  PAD_EXPLICIT,
  PAD_VALID,
  PAD_SAME_UPPER,
  PAD_SAME_LOWER
} auto_pad_mode;

static const struct {
  const char *text;
  auto_pad_mode mode;
} auto_pad_table[] = {{"NOTSET", PAD_EXPLICIT},
                      {"", PAD_EXPLICIT},
                      {"VALID", PAD_VALID},
                      {"SAME_UPPER", PAD_SAME_UPPER},
                      {"SAME_LOWER", PAD_SAME_LOWER}};

static bool is_pool(lpot_op op) {
  return op == LPOT_OP_MAX_POOL || op == LPOT_OP_AVERAGE_POOL || op == LPOT_OP_LP_POOL ||
         op == LPOT_OP_QLINEAR_AVERAGE_POOL;
}

static lpot_status read_auto_pad(const lpot_node *node, auto_pad_mode *ret, lpot_error *err) {
  const char *text = lpot_node_string(node, "auto_pad", "NOTSET");
  for (size_t i = 0; i < sizeof auto_pad_table / sizeof auto_pad_table[0]; i++) {
    if (strcmp(auto_pad_table[i].text, text) == 0) {
      *ret = auto_pad_table[i].mode;
      return LPOT_OK;
    }
  }
  return LPOT_FAIL(err, LPOT_FORMAT,
                   "auto_pad is '%s', expected NOTSET, VALID, SAME_UPPER or SAME_LOWER", text);
}

/* Reads an attribute of exactly count integers from minimum to MAX_PARAMETER; out is untouched
 * when the attribute is absent. */
static lpot_status read_values(const lpot_node *node, const char *name, int count, int64_t minimum,
                               int64_t *out, bool *ret_present, lpot_error *err) {
  lpot_int_list list;
  LPOT_TRY(lpot_int_list_read(NULL, node, LPOT_NONE, name, &list, err));
  *ret_present = list.state != LPOT_INTS_ABSENT && list.count > 0;
  if (!*ret_present) {
    return LPOT_OK;
  }
  if (list.count != (size_t)count) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%s has %zu values, expected %d", name, list.count, count);
  }
  for (int i = 0; i < count; i++) {
    int64_t value = lpot_int_list_at(&list, (size_t)i);
    if (value < minimum || value > MAX_PARAMETER) {
      return LPOT_FAIL(err, LPOT_FORMAT,
                       "%s has the value %" PRId64 ", expected %" PRId64 " to %" PRId64, name,
                       value, minimum, MAX_PARAMETER);
    }
    out[i] = value;
  }
  return LPOT_OK;
}

static lpot_status read_kernel(const lpot_node *node, const lpot_shape *weight_shape,
                               lpot_window *window, lpot_error *err) {
  bool present = false;
  int spatial = window->num_spatial;
  LPOT_TRY(read_values(node, "kernel_shape", spatial, 1, window->kernel, &present, err));
  if (is_pool(node->op)) {
    if (!present) {
      return LPOT_FAIL(err, LPOT_FORMAT, "kernel_shape is missing");
    }
    return LPOT_OK;
  }
  if (weight_shape == NULL || weight_shape->rank == LPOT_RANK_UNKNOWN) {
    if (!present) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "neither kernel_shape nor weights of known shape");
    }
    return LPOT_OK;
  }
  LPOT_TRY(lpot_infer_check_rank("the weights", weight_shape, spatial + 2, err));
  for (int i = 0; i < spatial; i++) {
    int64_t size = weight_shape->dims[i + 2];
    if (size == LPOT_DIM_UNKNOWN && present) {
      continue;
    }
    if (size < 1 || size > MAX_PARAMETER) {
      return LPOT_FAIL(err, LPOT_FORMAT, "the weights have the spatial size %" PRId64, size);
    }
    if (present && size != window->kernel[i]) {
      return LPOT_FAIL(err, LPOT_FORMAT,
                       "kernel_shape has the value %" PRId64 ", the weights have %" PRId64,
                       window->kernel[i], size);
    }
    window->kernel[i] = size;
  }
  return LPOT_OK;
}

static lpot_status read_parameters(const lpot_node *node, auto_pad_mode mode, lpot_window *window,
                                   lpot_error *err) {
  int spatial = window->num_spatial;
  bool present = false;
  for (int i = 0; i < spatial; i++) {
    window->stride[i] = 1;
    window->dilation[i] = 1;
  }
  LPOT_TRY(read_values(node, "strides", spatial, 1, window->stride, &present, err));
  LPOT_TRY(read_values(node, "dilations", spatial, 1, window->dilation, &present, err));
  if (mode == PAD_EXPLICIT) {
    int64_t pads[2 * LPOT_MAX_SPATIAL] = {0};
    LPOT_TRY(read_values(node, "pads", 2 * spatial, 0, pads, &present, err));
    for (int i = 0; i < spatial; i++) {
      window->pad_begin[i] = pads[i];
      window->pad_end[i] = pads[spatial + i];
    }
  }
  window->group = lpot_node_int(node, "group", 1);
  if (window->group < 1 || window->group > MAX_PARAMETER) {
    return LPOT_FAIL(err, LPOT_FORMAT, "group is %" PRId64 ", expected at least 1", window->group);
  }
  return LPOT_OK;
}

/* Elements that one window reaches over, holes included. */
static int64_t extent_of(const lpot_window *window, int i) {
  return (window->kernel[i] - 1) * window->dilation[i] + 1;
}

static void split_padding(lpot_window *window, int i, int64_t total, bool more_at_end) {
  int64_t half = total / 2;
  window->pad_begin[i] = more_at_end ? half : total - half;
  window->pad_end[i] = total - window->pad_begin[i];
}

/* ---- Conv and pools ---- */

static void resolve_same(lpot_window *window, int i, int64_t input, auto_pad_mode mode) {
  int64_t stride = window->stride[i];
  int64_t extent = extent_of(window, i);
  if (input == LPOT_DIM_UNKNOWN) {
    /* The padding depends on the input unless the window moves in single steps. */
    split_padding(window, i, stride == 1 ? extent - 1 : 0, mode == PAD_SAME_UPPER);
    window->output[i] = LPOT_DIM_UNKNOWN;
    return;
  }
  int64_t output = (input + stride - 1) / stride;
  int64_t total = (output - 1) * stride + extent - input;
  split_padding(window, i, total > 0 ? total : 0, mode == PAD_SAME_UPPER);
  window->output[i] = output;
}

static lpot_status resolve_explicit(lpot_window *window, int i, int64_t input, bool ceil_mode,
                                    lpot_error *err) {
  if (input == LPOT_DIM_UNKNOWN) {
    window->output[i] = LPOT_DIM_UNKNOWN;
    return LPOT_OK;
  }
  int64_t stride = window->stride[i];
  int64_t extent = extent_of(window, i);
  int64_t room = input + window->pad_begin[i] + window->pad_end[i] - extent;
  if (room < 0) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "the window of %" PRId64 " exceeds the padded input of %" PRId64
                     " in spatial dimension %d",
                     extent, room + extent, i);
  }
  int64_t output = (ceil_mode ? room + stride - 1 : room) / stride + 1;
  if (ceil_mode && (output - 1) * stride >= input + window->pad_begin[i]) {
    output--; /* A window that begins in the padding behind the input does not count. */
  }
  window->output[i] = output;
  return LPOT_OK;
}

/* A pool window that lies in the padding as a whole would have no value. */
static lpot_status check_pool_pads(const lpot_window *window, lpot_error *err) {
  for (int i = 0; i < window->num_spatial; i++) {
    int64_t extent = extent_of(window, i);
    if (window->pad_begin[i] >= extent || window->pad_end[i] >= extent) {
      return LPOT_FAIL(err, LPOT_FORMAT,
                       "pads has the values %" PRId64 " and %" PRId64
                       ", expected less than the window of %" PRId64,
                       window->pad_begin[i], window->pad_end[i], extent);
    }
  }
  return LPOT_OK;
}

static lpot_status resolve_forward(const lpot_node *node, const int64_t *input, auto_pad_mode mode,
                                   lpot_window *window, lpot_error *err) {
  bool ceil_mode = is_pool(node->op) && lpot_node_int(node, "ceil_mode", 0) != 0;
  if (is_pool(node->op)) {
    LPOT_TRY(check_pool_pads(window, err));
  }
  for (int i = 0; i < window->num_spatial; i++) {
    if (mode == PAD_SAME_UPPER || mode == PAD_SAME_LOWER) {
      resolve_same(window, i, input[i], mode);
    } else {
      LPOT_TRY(resolve_explicit(window, i, input[i], ceil_mode, err));
    }
  }
  return LPOT_OK;
}

/* ---- ConvTranspose ---- */

/* The wanted spatial sizes; LPOT_DIM_UNKNOWN where the pads decide. */
static lpot_status read_wanted(const lpot_node *node, const int64_t *input, auto_pad_mode mode,
                               const lpot_window *window, int64_t *wanted, lpot_error *err) {
  int spatial = window->num_spatial;
  bool same = mode == PAD_SAME_UPPER || mode == PAD_SAME_LOWER;
  for (int i = 0; i < spatial; i++) {
    bool known = same && input[i] != LPOT_DIM_UNKNOWN;
    wanted[i] = known ? input[i] * window->stride[i] : LPOT_DIM_UNKNOWN;
  }
  const int64_t *unused = NULL;
  bool present = false;
  if (lpot_node_ints(node, "output_shape", &unused) != (size_t)spatial + 2) {
    LPOT_TRY(read_values(node, "output_shape", spatial, 1, wanted, &present, err));
    return LPOT_OK;
  }
  int64_t whole[LPOT_MAX_SPATIAL + 2] = {0};
  LPOT_TRY(read_values(node, "output_shape", spatial + 2, 1, whole, &present, err));
  for (int i = 0; i < spatial; i++) {
    wanted[i] = whole[i + 2];
  }
  return LPOT_OK;
}

static lpot_status resolve_transposed_axis(lpot_window *window, int i, int64_t input,
                                           int64_t wanted, auto_pad_mode mode, lpot_error *err) {
  if (input == LPOT_DIM_UNKNOWN) {
    window->output[i] = wanted;
    return LPOT_OK;
  }
  if (input < 1) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the input is empty in spatial dimension %d", i);
  }
  int64_t full = window->stride[i] * (input - 1) + window->output_padding[i] + extent_of(window, i);
  if (wanted != LPOT_DIM_UNKNOWN) {
    int64_t total = full - wanted;
    if (total < 0) {
      window->output_padding[i] -= total; /* What no window reaches holds the bias only. */
      total = 0;
    }
    split_padding(window, i, total, mode == PAD_SAME_UPPER);
    window->output[i] = wanted;
    return LPOT_OK;
  }
  int64_t output = full - window->pad_begin[i] - window->pad_end[i];
  if (output < 1) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "pads leave the output size %" PRId64 " in spatial dimension %d", output, i);
  }
  window->output[i] = output;
  return LPOT_OK;
}

static lpot_status resolve_transposed(const lpot_node *node, const int64_t *input,
                                      auto_pad_mode mode, lpot_window *window, lpot_error *err) {
  int spatial = window->num_spatial;
  bool present = false;
  LPOT_TRY(read_values(node, "output_padding", spatial, 0, window->output_padding, &present, err));
  for (int i = 0; i < spatial; i++) {
    int64_t padding = window->output_padding[i];
    if (padding > 0 && padding >= window->stride[i] && padding >= window->dilation[i]) {
      return LPOT_FAIL(err, LPOT_FORMAT,
                       "output_padding has the value %" PRId64
                       ", expected less than the stride or the dilation",
                       padding);
    }
  }
  int64_t wanted[LPOT_MAX_SPATIAL] = {0};
  LPOT_TRY(read_wanted(node, input, mode, window, wanted, err));
  for (int i = 0; i < spatial; i++) {
    LPOT_TRY(resolve_transposed_axis(window, i, input[i], wanted[i], mode, err));
  }
  return LPOT_OK;
}

/* ---- both ---- */

static lpot_status read_spatial_input(const lpot_shape *input_shape, int64_t *input,
                                      lpot_error *err) {
  for (int i = 0; i + 2 < input_shape->rank; i++) {
    input[i] = input_shape->dims[i + 2];
    if (input[i] == 0 || input[i] < LPOT_DIM_UNKNOWN || input[i] > MAX_SPATIAL_SIZE) {
      return LPOT_FAIL(err, LPOT_FORMAT,
                       "the input has the size %" PRId64 " in spatial dimension %d", input[i], i);
    }
  }
  return LPOT_OK;
}

lpot_status lpot_window_compute(const lpot_node *node, const lpot_shape *input_shape,
                                const lpot_shape *weight_shape, lpot_window *ret, lpot_error *err) {
  if (input_shape->rank < 3 || input_shape->rank > LPOT_MAX_SPATIAL + 2) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "the input has rank %d, expected 3 to %d",
                     input_shape->rank, LPOT_MAX_SPATIAL + 2);
  }
  lpot_window window = {.num_spatial = input_shape->rank - 2};
  int64_t input[LPOT_MAX_SPATIAL] = {0};
  auto_pad_mode mode = PAD_EXPLICIT;
  LPOT_TRY(read_spatial_input(input_shape, input, err));
  LPOT_TRY(read_auto_pad(node, &mode, err));
  LPOT_TRY(read_kernel(node, weight_shape, &window, err));
  LPOT_TRY(read_parameters(node, mode, &window, err));
  if (node->op == LPOT_OP_CONV_TRANSPOSE) {
    LPOT_TRY(resolve_transposed(node, input, mode, &window, err));
  } else {
    LPOT_TRY(resolve_forward(node, input, mode, &window, err));
  }
  *ret = window;
  return LPOT_OK;
}

lpot_status lpot_window_resolve(const lpot_node *node, const lpot_shape *input_shape,
                                const lpot_shape *weight_shape, lpot_window *ret, lpot_error *err) {
  lpot_status status = lpot_window_compute(node, input_shape, weight_shape, ret, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "node '%s'", node->name);
  }
  return status;
}
