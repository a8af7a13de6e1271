#include <math.h>

#include "base/memory.h"
#include "graph/passes/pass_support.h"
#include "graph/passes/passes.h"

/* Where the output channels are in the weights: element e belongs to channel
 * e / (inner * per_group) / rows * per_group + e / inner % per_group. */
typedef struct weight_layout {
  int64_t channels;
  int64_t inner;     /* elements that follow each other in one channel */
  int64_t per_group; /* channels of one group */
  int64_t rows;      /* input channels of one group, where the weights begin with these; else 1 */
} weight_layout;

/* A normalisation as y = x * scale + shift per channel. */
typedef struct affine {
  double *scale; /* [channels] */
  double *shift; /* [channels] */
} affine;

static int64_t channel_of(const weight_layout *layout, int64_t element) {
  int64_t group = element / (layout->inner * layout->per_group) / layout->rows;
  return group * layout->per_group + element / layout->inner % layout->per_group;
}

static bool find_layout(const lpot_node *node, const lpot_tensor *weights, weight_layout *ret) {
  const int64_t *dims = weights->shape.dims;
  int rank = weights->shape.rank;
  int64_t group = lpot_node_int(node, "group", 1);
  if (lpot_tensor_elements(weights) == 0 || rank < 2) {
    return false;
  }
  if (node->op == LPOT_OP_GEMM) {
    bool transposed = lpot_node_int(node, "transB", 0) != 0;
    int64_t columns = transposed ? dims[0] : dims[1];
    *ret = (weight_layout){columns, transposed ? dims[1] : 1, columns, transposed ? 1 : dims[0]};
    return rank == 2;
  }
  int64_t kernel = lpot_tensor_elements(weights) / (dims[0] * dims[1]);
  if (node->op == LPOT_OP_CONV) {
    *ret = (weight_layout){dims[0], dims[1] * kernel, dims[0], 1};
    return true;
  }
  if (group < 1 || group > dims[0] || dims[0] % group != 0) {
    return false;
  }
  *ret = (weight_layout){dims[1] * group, kernel, dims[1], dims[0] / group};
  return true;
}

/* False when a parameter is not a constant f32 vector of one element per channel. */
static bool read_affine(const lpot_graph *graph, const lpot_node *norm, int64_t channels,
                        affine *out) {
  const lpot_tensor *parameters[4] = {NULL};
  for (int i = 0; i < 4; i++) {
    parameters[i] = lpot_pass_constant_f32(graph, norm, i + 1);
    if (parameters[i] == NULL || lpot_tensor_elements(parameters[i]) != channels) {
      return false;
    }
  }
  double epsilon = (double)lpot_node_float(norm, "epsilon", 1e-5F);
  for (int64_t i = 0; i < channels; i++) {
    double variance = lpot_tensor_get_double(parameters[3], i);
    out->scale[i] = lpot_tensor_get_double(parameters[0], i) / sqrt(variance + epsilon);
    out->shift[i] = lpot_tensor_get_double(parameters[1], i) -
                    lpot_tensor_get_double(parameters[2], i) * out->scale[i];
    if (!isfinite(out->scale[i]) || !isfinite(out->shift[i])) {
      return false;
    }
  }
  return true;
}

/* Multiplies shift's counterpart, the bias that is there, into shift. False when it is not
 * constant or broadcast in another way than along the channels. */
static bool add_bias(const lpot_graph *graph, const lpot_node *node, int64_t channels,
                     affine *values) {
  if (lpot_node_input(node, 2) == LPOT_NONE) {
    return true;
  }
  const lpot_tensor *bias = lpot_pass_constant_f32(graph, node, 2);
  if (bias == NULL) {
    return false;
  }
  int64_t count = lpot_tensor_elements(bias);
  const lpot_shape *shape = &bias->shape;
  bool along_channels = shape->rank > 0 && shape->dims[shape->rank - 1] == channels;
  if (count != 1 && !(count == channels && along_channels)) {
    return false;
  }
  double beta = node->op == LPOT_OP_GEMM ? (double)lpot_node_float(node, "beta", 1.0F) : 1.0;
  for (int64_t i = 0; i < channels; i++) {
    double value = lpot_tensor_get_double(bias, count == 1 ? 0 : i);
    values->shift[i] += beta * value * values->scale[i];
  }
  return true;
}

static lpot_status scale_weights(const lpot_tensor *weights, const weight_layout *layout,
                                 const affine *values, lpot_tensor **ret_tensor, lpot_error *err) {
  lpot_tensor *scaled = NULL;
  LPOT_TRY(lpot_tensor_copy_of(LPOT_F32, &weights->shape, weights->data, &scaled, err));
  float *out = scaled->data;
  int64_t count = lpot_tensor_elements(weights);
  for (int64_t first = 0; first < count; first += layout->inner) {
    double scale = values->scale[channel_of(layout, first)];
    for (int64_t i = first; i < first + layout->inner; i++) {
      out[i] = (float)((double)out[i] * scale);
    }
  }
  *ret_tensor = scaled;
  return LPOT_OK;
}

static lpot_status make_bias(const affine *values, int64_t channels, lpot_tensor **ret_tensor,
                             lpot_error *err) {
  lpot_shape shape = lpot_shape_of(1, &channels);
  LPOT_TRY(lpot_tensor_new(LPOT_F32, &shape, ret_tensor, err));
  float *out = (*ret_tensor)->data;
  for (int64_t i = 0; i < channels; i++) {
    out[i] = (float)values->shift[i];
  }
  return LPOT_OK;
}

static lpot_status apply(lpot_graph *graph, const lpot_node *norm, const lpot_node *node,
                         const lpot_tensor *weights, const weight_layout *layout, affine *values,
                         lpot_error *err) {
  if (!read_affine(graph, norm, layout->channels, values) ||
      !add_bias(graph, node, layout->channels, values)) {
    return LPOT_OK;
  }
  lpot_tensor *tensor = NULL;
  LPOT_TRY(scale_weights(weights, layout, values, &tensor, err));
  lpot_tensor_release_pages(weights);
  LPOT_TRY(lpot_pass_replace_constant(graph, node, 1, &tensor, err));
  LPOT_TRY(make_bias(values, layout->channels, &tensor, err));
  LPOT_TRY(lpot_pass_replace_constant(graph, node, 2, &tensor, err));
  if (node->op == LPOT_OP_GEMM) {
    lpot_graph_remove_attribute(graph, node->id, "beta"); /* It is in the new bias. */
  }
  LPOT_TRY(lpot_pass_absorb(graph, node, norm, err));
  return LPOT_OK;
}

static bool is_plain_norm(const lpot_node *node) {
  if (node->removed || node->op != LPOT_OP_BATCH_NORMALIZATION ||
      lpot_node_int(node, "training_mode", 0) != 0) {
    return false;
  }
  for (int i = 1; i < node->num_outputs; i++) {
    if (node->outputs[i] != LPOT_NONE) {
      return false;
    }
  }
  return true;
}

static lpot_status fold_one(lpot_graph *graph, const lpot_node *norm, lpot_error *err) {
  const lpot_node *node = NULL;
  weight_layout layout;
  LPOT_TRY(lpot_pass_private_producer(graph, norm, 0, &node, err));
  if (node == NULL || (node->op != LPOT_OP_CONV && node->op != LPOT_OP_CONV_TRANSPOSE &&
                       node->op != LPOT_OP_GEMM)) {
    return LPOT_OK;
  }
  const lpot_tensor *weights = lpot_pass_constant_f32(graph, node, 1);
  if (weights == NULL || !find_layout(node, weights, &layout)) {
    return LPOT_OK;
  }
  affine values = {lpot_calloc((size_t)layout.channels, sizeof *values.scale),
                   lpot_calloc((size_t)layout.channels, sizeof *values.shift)};
  lpot_status status = LPOT_OK;
  if (values.scale == NULL || values.shift == NULL) {
    status = LPOT_OUT_OF_MEMORY(err);
  } else {
    status = apply(graph, norm, node, weights, &layout, &values, err);
  }
  lpot_free(values.scale);
  lpot_free(values.shift);
  return status;
}

lpot_status lpot_pass_fold_batch_norm(lpot_graph *graph, lpot_error *err) {
  for (size_t i = 0; i < lpot_graph_num_nodes(graph); i++) {
    const lpot_node *node = lpot_graph_node(graph, (lpot_node_id)i);
    if (is_plain_norm(node)) {
      LPOT_TRY(fold_one(graph, node, err));
    }
  }
  return LPOT_OK;
}
