/* FusedConv, FusedGemm and FusedMatMul of com.microsoft: the plain operator, then in place what is
 * fused to it. */
#include "engine/reference/kernel.h"

#include <math.h>

#include "base/text.h"

#define CHUNK LPOT_KERNEL_CHUNK

/* ---- activations ---- */

typedef struct activation {
  const char *name;
  lpot_op op;        /* CLIP: alpha to beta */
  float alpha, beta; /* where the node says nothing */
} activation;

static const activation activations[] = {
    {"Clip", LPOT_OP_CLIP, -INFINITY, INFINITY},
    {"HardSigmoid", LPOT_OP_HARD_SIGMOID, 0.2f, 0.5f},
    {"LeakyRelu", LPOT_OP_LEAKY_RELU, 0.01f, 0.0f},
    {"Relu", LPOT_OP_RELU, 0.0f, 0.0f},
    {"Sigmoid", LPOT_OP_SIGMOID, 0.0f, 0.0f},
    {"Tanh", LPOT_OP_TANH, 0.0f, 0.0f},
};

/* ret->op is IDENTITY when the node names none. FusedConv has a list of parameters, FusedGemm two
 * attributes. */
static lpot_status read_activation(const lpot_node *node, activation *ret, lpot_error *err) {
  const char *name = lpot_node_string(node, "activation", "");
  const lpot_attribute *list = lpot_node_attribute(node, "activation_params");
  *ret = (activation){"", LPOT_OP_IDENTITY, 0.0f, 0.0f};
  if (name[0] == '\0') {
    return LPOT_OK;
  }
  for (size_t i = 0; i < sizeof activations / sizeof activations[0]; i++) {
    if (lpot_text_equal(activations[i].name, name)) {
      *ret = activations[i];
    }
  }
  if (ret->op == LPOT_OP_IDENTITY) {
    char text[64];
    lpot_text_printable(name, text, sizeof text);
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "the activation '%s' is not supported", text);
  }
  ret->alpha = lpot_node_float(node, "activation_alpha", ret->alpha);
  ret->beta = lpot_node_float(node, "activation_beta", ret->beta);
  if (list != NULL && list->kind == LPOT_ATTRIBUTE_FLOATS) {
    ret->alpha = list->count > 0 ? list->reals[0] : ret->alpha;
    ret->beta = list->count > 1 ? list->reals[1] : ret->beta;
  }
  return LPOT_OK;
}

static void activate(const activation *fused, int64_t count, double *values) {
  if (fused->op != LPOT_OP_CLIP) {
    lpot_kernel_activate(fused->op, fused->alpha, fused->beta, count, values);
    return;
  }
  for (int64_t i = 0; i < count; i++) {
    values[i] = values[i] < (double)fused->alpha ? (double)fused->alpha : values[i];
    values[i] = values[i] > (double)fused->beta ? (double)fused->beta : values[i];
  }
}

/* out = activation(out + added); added may be NULL. */
static lpot_status finish(const activation *fused, const lpot_tensor *added, lpot_tensor *out,
                          lpot_error *err) {
  if (added != NULL) {
    LPOT_TRY(lpot_kernel_check_same_type(added, out, err));
    LPOT_TRY(lpot_kernel_check_same_shape("input 3 and output", &added->shape, &out->shape, err));
  }
  if (added == NULL && fused->op == LPOT_OP_IDENTITY) {
    return LPOT_OK;
  }
  double values[CHUNK];
  double terms[CHUNK] = {0.0};
  int64_t total = lpot_shape_elements(&out->shape);
  for (int64_t done = 0; done < total; done += CHUNK) {
    int64_t count = total - done < CHUNK ? total - done : CHUNK;
    lpot_kernel_load_doubles(out, done, 1, count, values);
    if (added != NULL) {
      lpot_kernel_load_doubles(added, done, 1, count, terms);
    }
    for (int64_t i = 0; i < count; i++) {
      values[i] += terms[i];
    }
    if (fused->op != LPOT_OP_IDENTITY) {
      activate(fused, count, values);
    }
    lpot_kernel_store_doubles(out, done, count, values);
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_fused_conv) {
  activation fused;
  LPOT_TRY(read_activation(node, &fused, err));
  LPOT_TRY(lpot_kernel_convolution(node, inputs, outputs, err));
  LPOT_TRY(finish(&fused, lpot_kernel_input(node, inputs, 3), outputs[0], err));
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_fused_gemm) {
  activation fused;
  if (!lpot_dtype_is_float(outputs[0]->dtype)) {
    return lpot_kernel_unsupported_type(outputs[0], err);
  }
  LPOT_TRY(read_activation(node, &fused, err));
  LPOT_TRY(lpot_kernel_gemm(node, inputs, outputs, err));
  LPOT_TRY(finish(&fused, NULL, outputs[0], err));
  return LPOT_OK;
}

/* ---- FusedMatMul ---- */

/* The axes of a factor in the order in which the product takes them: transBatch brings the first
 * behind those of the stack, trans swaps the last two. */
static void factor_axes(int rank, bool batch, bool last, int axes[LPOT_MAX_RANK]) {
  for (int i = 0; i < rank; i++) {
    bool moved = batch && rank > 2 && i < rank - 1;
    axes[i] = moved ? (i + 1) % (rank - 1) : i;
  }
  if (last && rank > 1) {
    int rows = axes[rank - 2];
    axes[rank - 2] = axes[rank - 1];
    axes[rank - 1] = rows;
  }
}

/* A copy with its axes in another order; owned by the caller. */
static lpot_status permute(const lpot_tensor *tensor, const int axes[LPOT_MAX_RANK],
                           lpot_tensor **ret_permuted, lpot_error *err) {
  lpot_shape shape = tensor->shape;
  for (int i = 0; i < shape.rank; i++) {
    shape.dims[i] = tensor->shape.dims[axes[i]];
  }
  lpot_copy_map map;
  lpot_tensor *permuted = NULL;
  LPOT_TRY(lpot_tensor_new(tensor->dtype, &shape, &permuted, err));
  lpot_status status = lpot_copy_map_init(&shape, &map, err);
  if (status != LPOT_OK) {
    lpot_tensor_unref(permuted);
    return status;
  }
  for (int i = 0; i < shape.rank; i++) {
    int64_t stride = lpot_kernel_span(&tensor->shape, axes[i] + 1, shape.rank);
    for (int64_t k = 0; k < shape.dims[i]; k++) {
      map.offsets[i][k] = k * stride;
    }
  }
  lpot_copy_map_run(&map, tensor, NULL, permuted);
  lpot_copy_map_done(&map);
  *ret_permuted = permuted;
  return LPOT_OK;
}

typedef struct scaled_sink {
  lpot_tensor *out;
  double alpha;
} scaled_sink;

static void store_scaled(const void *context, int64_t out_start, int64_t channel, int64_t count,
                         const double *sums) {
  const scaled_sink *sink = context;
  (void)channel;
  for (int64_t i = 0; i < count; i++) {
    double value = sink->alpha * sums[i];
    lpot_kernel_store_doubles(sink->out, out_start + i, 1, &value);
  }
}

static lpot_status multiply(const lpot_tensor *a, const lpot_tensor *b, const scaled_sink *sink,
                            lpot_error *err) {
  const lpot_operand left = {a, NULL};
  const lpot_operand right = {b, NULL};
  lpot_product product;
  LPOT_TRY(lpot_product_of_stacks(&a->shape, &b->shape, &sink->out->shape, &product, err));
  LPOT_TRY(lpot_product_run(&product, &left, &right, store_scaled, sink, err));
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_fused_matmul) {
  static const char *const batch_names[2] = {"transBatchA", "transBatchB"};
  static const char *const names[2] = {"transA", "transB"};
  scaled_sink sink = {outputs[0], (double)lpot_node_float(node, "alpha", 1.0f)};
  lpot_tensor *factors[2] = {NULL, NULL};
  lpot_status status = LPOT_OK;
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], inputs[1], err));
  LPOT_TRY(lpot_kernel_check_same_type(inputs[0], outputs[0], err));
  for (int i = 0; i < 2 && status == LPOT_OK; i++) {
    int axes[LPOT_MAX_RANK];
    factor_axes(inputs[i]->shape.rank, lpot_node_int(node, batch_names[i], 0) != 0,
                lpot_node_int(node, names[i], 0) != 0, axes);
    status = permute(inputs[i], axes, &factors[i], err);
  }
  if (status == LPOT_OK) {
    status = multiply(factors[0], factors[1], &sink, err);
  }
  lpot_tensor_unref(factors[0]);
  lpot_tensor_unref(factors[1]);
  return status;
}
