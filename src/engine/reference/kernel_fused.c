/* FusedConv, FusedGemm and FusedMatMul of com.microsoft: the plain operator, then in place what is
 * fused to it. */
#include "engine/fused_activation.h"
#include "engine/reference/kernel.h"

#define CHUNK LPOT_KERNEL_CHUNK

/* ---- activations ---- */

static void activate(const lpot_fused_activation *fused, int64_t count, double *values) {
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
static lpot_status finish(const lpot_fused_activation *fused, const lpot_tensor *added,
                          lpot_tensor *out, lpot_error *err) {
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
  lpot_fused_activation fused;
  LPOT_TRY(lpot_fused_activation_read(node, &fused, err));
  LPOT_TRY(lpot_kernel_convolution(node, inputs, outputs, err));
  LPOT_TRY(finish(&fused, lpot_kernel_input(node, inputs, 3), outputs[0], err));
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_fused_gemm) {
  lpot_fused_activation fused;
  if (!lpot_dtype_is_float(outputs[0]->dtype)) {
    return lpot_kernel_unsupported_type(outputs[0], err);
  }
  LPOT_TRY(lpot_fused_activation_read(node, &fused, err));
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
