#include "engine/onednn/dl_internal.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

/* oneDNN 2.x: scales are constants of the primitive, one vector of output scales stands for source,
 * weight and destination scale together, and bias is added to the accumulator before it. */

enum { ARG_SRC0, ARG_SRC1, ARG_DST, ARG_WEIGHTS, ARG_BIAS, ARG_SCRATCHPAD, NUM_ARGS };

struct lpot_dl_primitive {
  lpot_dl *dl; /* borrowed */
  dnnl_primitive_t primitive;
  const_dnnl_primitive_desc_t desc; /* the primitive's own */
  dnnl_memory_t memory[NUM_ARGS];   /* NULL where not used */
  int arg[NUM_ARGS];                /* DNNL_ARG_... of each */
  lpot_tensor *weights;             /* packed, bytes */
  void *bias;                       /* in accumulator units, owned */
  size_t weight_bytes;
};

static lpot_status memory_desc(const lpot_dl_desc *desc, dnnl_memory_desc_t *ret, lpot_error *err) {
  return lpot_dl_check(dnnl_memory_desc_init_by_strides(ret, desc->rank, desc->dims,
                                                        lpot_dl_data_type(desc->dtype),
                                                        desc->strides),
                       "memory descriptor", err);
}

/* ---- attributes ---- */

/* The unit in which 2.x post-ops see a value: everything is divided by it. */
static float first_unit(const lpot_dl_attributes *attributes) {
  if (attributes->num_post_ops > 0 && attributes->post_ops[0].kind == LPOT_DL_REQUANTIZE) {
    return attributes->post_ops[0].alpha;
  }
  return attributes->dst_scale;
}

static dnnl_status_t append_post_op(dnnl_post_ops_t chain, const lpot_dl_post_op *op, bool first,
                                    float unit) {
  switch (op->kind) {
  case LPOT_DL_SUM:
    return dnnl_post_ops_append_sum_v3(chain, op->alpha / unit, op->zero_point,
                                       lpot_dl_data_type(op->dtype));
  case LPOT_DL_REQUANTIZE: {
    dnnl_status_t status = dnnl_success;
    if (!first && unit != op->alpha) {
      status =
          dnnl_post_ops_append_eltwise(chain, 1.0f, dnnl_eltwise_linear, unit / op->alpha, 0.0f);
    }
    if (status == dnnl_success) {
      status = dnnl_post_ops_append_eltwise(chain, 1.0f, dnnl_eltwise_round, 0.0f, 0.0f);
    }
    if (status == dnnl_success) {
      status = dnnl_post_ops_append_eltwise(chain, 1.0f, dnnl_eltwise_clip, op->low, op->high);
    }
    if (status == dnnl_success && unit != op->alpha) {
      status =
          dnnl_post_ops_append_eltwise(chain, 1.0f, dnnl_eltwise_linear, op->alpha / unit, 0.0f);
    }
    return status;
  }
  case LPOT_DL_RELU:
    return dnnl_post_ops_append_eltwise(chain, 1.0f, dnnl_eltwise_relu, op->alpha, 0.0f);
  case LPOT_DL_CLIP:
    return dnnl_post_ops_append_eltwise(chain, 1.0f, dnnl_eltwise_clip, op->low / unit,
                                        op->high / unit);
  case LPOT_DL_LOGISTIC:
    return dnnl_post_ops_append_eltwise(chain, 1.0f, dnnl_eltwise_logistic, 0.0f, 0.0f);
  case LPOT_DL_TANH:
    return dnnl_post_ops_append_eltwise(chain, 1.0f, dnnl_eltwise_tanh, 0.0f, 0.0f);
  case LPOT_DL_HARD_SWISH:
    return dnnl_post_ops_append_eltwise(chain, 1.0f, dnnl_eltwise_hardswish, 0.0f, 0.0f);
  }
  return dnnl_invalid_arguments;
}

static dnnl_status_t set_post_ops(dnnl_primitive_attr_t attr,
                                  const lpot_dl_attributes *attributes) {
  if (attributes->num_post_ops == 0) {
    return dnnl_success;
  }
  dnnl_post_ops_t chain = NULL;
  dnnl_status_t status = dnnl_post_ops_create(&chain);
  for (size_t i = 0; status == dnnl_success && i < attributes->num_post_ops; ++i) {
    status = append_post_op(chain, &attributes->post_ops[i], i == 0, attributes->dst_scale);
  }
  if (status == dnnl_success) {
    status = dnnl_primitive_attr_set_post_ops(attr, chain);
  }
  dnnl_post_ops_destroy(chain);
  return status;
}

/* channel_mask selects the dimension of the destination that the weight scales run along. */
static lpot_status set_scales(dnnl_primitive_attr_t attr, const lpot_dl_attributes *attributes,
                              int channel_mask, lpot_error *err) {
  if (attributes->num_weight_scales == 0) {
    return LPOT_OK;
  }
  size_t count = attributes->num_weight_scales;
  float *scales = lpot_calloc(count, sizeof *scales);
  if (scales == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  float unit = first_unit(attributes);
  for (size_t i = 0; i < count; ++i) {
    scales[i] = attributes->src_scale * attributes->weight_scales[i] / unit;
  }
  dnnl_status_t status = dnnl_primitive_attr_set_output_scales(
      attr, (dnnl_dim_t)count, count == 1 ? 0 : channel_mask, scales);
  lpot_free(scales);
  return lpot_dl_check(status, "output scales", err);
}

static lpot_status new_attr(const lpot_dl_attributes *attributes, int channel_mask,
                            dnnl_primitive_attr_t *ret, lpot_error *err) {
  dnnl_primitive_attr_t attr = NULL;
  LPOT_TRY(lpot_dl_check(dnnl_primitive_attr_create(&attr), "attributes", err));
  lpot_status status =
      lpot_dl_check(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user),
                    "scratchpad mode", err);
  if (status == LPOT_OK && attributes != NULL) {
    status = set_scales(attr, attributes, channel_mask, err);
  }
  if (status == LPOT_OK && attributes != NULL && attributes->src_zero_point != 0) {
    status = lpot_dl_check(
        dnnl_primitive_attr_set_zero_points(attr, DNNL_ARG_SRC, 1, 0, &attributes->src_zero_point),
        "source zero point", err);
  }
  if (status == LPOT_OK && attributes != NULL && attributes->weight_zero_point != 0) {
    status = lpot_dl_check(dnnl_primitive_attr_set_zero_points(attr, DNNL_ARG_WEIGHTS, 1, 0,
                                                               &attributes->weight_zero_point),
                           "weight zero point", err);
  }
  if (status == LPOT_OK && attributes != NULL && attributes->dst_zero_point != 0) {
    status = lpot_dl_check(
        dnnl_primitive_attr_set_zero_points(attr, DNNL_ARG_DST, 1, 0, &attributes->dst_zero_point),
        "destination zero point", err);
  }
  if (status == LPOT_OK && attributes != NULL) {
    status = lpot_dl_check(set_post_ops(attr, attributes), "post-ops", err);
  }
  if (status != LPOT_OK) {
    dnnl_primitive_attr_destroy(attr);
    return status;
  }
  *ret = attr;
  return LPOT_OK;
}

/* ---- primitives ---- */

static const char *implementation_of(const_dnnl_primitive_desc_t desc) {
  const char *text = NULL;
  dnnl_status_t status =
      dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, (void *)&text);
  return status == dnnl_success ? text : "unknown";
}

const char *lpot_dl_implementation(const lpot_dl_primitive *primitive) {
  return implementation_of(primitive->desc);
}

size_t lpot_dl_weight_bytes(const lpot_dl_primitive *primitive) {
  return primitive->weight_bytes;
}

void lpot_dl_primitive_free(lpot_dl_primitive *primitive) {
  if (primitive == NULL) {
    return;
  }
  for (int i = 0; i < NUM_ARGS; ++i) {
    if (primitive->memory[i] != NULL) {
      dnnl_memory_destroy(primitive->memory[i]);
    }
  }
  if (primitive->primitive != NULL) {
    dnnl_primitive_destroy(primitive->primitive);
  }
  lpot_tensor_unref(primitive->weights);
  lpot_free(primitive->bias);
  lpot_free(primitive);
}

static lpot_status add_memory(lpot_dl_primitive *primitive, int slot, int arg,
                              const dnnl_memory_desc_t *desc, lpot_error *err) {
  primitive->arg[slot] = arg;
  dnnl_status_t status =
      dnnl_memory_create(&primitive->memory[slot], desc, primitive->dl->engine, DNNL_MEMORY_NONE);
  return lpot_dl_check(status, "memory", err);
}

/* Replaces *desc by the first implementation that may stand in, if there is one. */
static void choose_another(const lpot_dl *dl, const_dnnl_op_desc_t op,
                           const_dnnl_primitive_attr_t attr, lpot_dl_limit limit,
                           dnnl_primitive_desc_t *desc) {
  dnnl_primitive_desc_iterator_t iterator = NULL;
  dnnl_status_t status = dnnl_primitive_desc_iterator_create(&iterator, op, attr, dl->engine, NULL);
  while (status == dnnl_success) {
    dnnl_primitive_desc_t other = dnnl_primitive_desc_iterator_fetch(iterator);
    if (other != NULL && lpot_dl_may_stand_in(limit, implementation_of(other))) {
      dnnl_primitive_desc_destroy(*desc);
      *desc = other;
      break;
    }
    if (other != NULL) {
      dnnl_primitive_desc_destroy(other);
    }
    status = dnnl_primitive_desc_iterator_next(iterator);
  }
  if (iterator != NULL) {
    dnnl_primitive_desc_iterator_destroy(iterator);
  }
}

/* Makes the primitive of an operation descriptor; attr is destroyed. */
static lpot_status new_primitive(lpot_dl *dl, const_dnnl_op_desc_t op, dnnl_primitive_attr_t attr,
                                 lpot_dl_limit limit, const char *what, lpot_dl_primitive **ret,
                                 lpot_error *err) {
  lpot_dl_primitive *primitive = lpot_calloc(1, sizeof *primitive);
  if (primitive == NULL) {
    dnnl_primitive_attr_destroy(attr);
    return LPOT_OUT_OF_MEMORY(err);
  }
  primitive->dl = dl;
  dnnl_primitive_desc_t desc = NULL;
  lpot_status status =
      lpot_dl_check(dnnl_primitive_desc_create(&desc, op, attr, dl->engine, NULL), what, err);
  if (status == LPOT_OK && !lpot_dl_may_use(limit, implementation_of(desc))) {
    choose_another(dl, op, attr, limit, &desc);
  }
  dnnl_primitive_attr_destroy(attr);
  if (status == LPOT_OK && strncmp(implementation_of(desc), "ref", 3) == 0) {
    status =
        LPOT_FAIL(err, LPOT_UNSUPPORTED, "oneDNN has only a reference implementation of %s", what);
  }
  if (status == LPOT_OK && limit != LPOT_DL_RATHER_NO_TILES &&
      !lpot_dl_may_use(limit, implementation_of(desc))) {
    status = LPOT_FAIL(err, LPOT_UNSUPPORTED, "oneDNN has no right implementation of %s", what);
  }
  if (status == LPOT_OK) {
    status = lpot_dl_make_primitive(desc, what, &primitive->primitive, &primitive->desc, err);
  }
  if (desc != NULL) {
    dnnl_primitive_desc_destroy(desc);
  }
  if (status == LPOT_OK) {
    const dnnl_memory_desc_t *scratchpad =
        dnnl_primitive_desc_query_md(primitive->desc, dnnl_query_scratchpad_md, 0);
    status = lpot_dl_grow_scratchpad(dl, dnnl_memory_desc_get_size(scratchpad), err);
    if (status == LPOT_OK && dnnl_memory_desc_get_size(scratchpad) > 0) {
      status = add_memory(primitive, ARG_SCRATCHPAD, DNNL_ARG_SCRATCHPAD, scratchpad, err);
    }
  }
  if (status != LPOT_OK) {
    lpot_dl_primitive_free(primitive);
    return status;
  }
  *ret = primitive;
  return LPOT_OK;
}

static lpot_status reorder_weights(lpot_dl_primitive *primitive, const dnnl_memory_desc_t *user,
                                   const void *data, const dnnl_memory_desc_t *packed,
                                   lpot_error *err) {
  dnnl_engine_t engine = primitive->dl->engine;
  dnnl_memory_t from = NULL;
  dnnl_primitive_desc_t desc = NULL;
  dnnl_primitive_t reorder = NULL;
  /* oneDNN only reads the source; its interface takes no const. */
  dnnl_status_t status = dnnl_memory_create(&from, user, engine, (void *)(uintptr_t)data);
  if (status == dnnl_success) {
    status = dnnl_reorder_primitive_desc_create(&desc, user, engine, packed, engine, NULL);
  }
  if (status == dnnl_success) {
    status = dnnl_primitive_create(&reorder, desc);
  }
  if (status == dnnl_success) {
    dnnl_exec_arg_t args[2] = {{DNNL_ARG_FROM, from},
                               {DNNL_ARG_TO, primitive->memory[ARG_WEIGHTS]}};
    status = dnnl_primitive_execute(reorder, primitive->dl->stream, 2, args);
  }
  if (status == dnnl_success) {
    status = dnnl_stream_wait(primitive->dl->stream);
  }
  if (reorder != NULL) {
    dnnl_primitive_destroy(reorder);
  }
  if (desc != NULL) {
    dnnl_primitive_desc_destroy(desc);
  }
  if (from != NULL) {
    dnnl_memory_destroy(from);
  }
  return lpot_dl_check(status, "packing of weights", err);
}

static lpot_status pack_weights(lpot_dl_primitive *primitive, const dnnl_memory_desc_t *user,
                                const void *data, lpot_error *err) {
  const dnnl_memory_desc_t *packed =
      dnnl_primitive_desc_query_md(primitive->desc, dnnl_query_weights_md, 0);
  size_t size_bytes = dnnl_memory_desc_get_size(packed);
  LPOT_TRY(lpot_dl_new_weights(size_bytes, &primitive->weights, err));
  primitive->weight_bytes += size_bytes;
  LPOT_TRY(add_memory(primitive, ARG_WEIGHTS, DNNL_ARG_WEIGHTS, packed, err));
  LPOT_TRY(lpot_dl_set_weights(primitive->memory[ARG_WEIGHTS], primitive->weights, err));
  LPOT_TRY(reorder_weights(primitive, user, data, packed, err));
  return lpot_dl_share_weights(primitive->dl, primitive->memory[ARG_WEIGHTS], primitive->weights,
                               err);
}

/* 2.x adds bias to the accumulator: the real bias divided by source and weight scale. */
static lpot_status set_bias(lpot_dl_primitive *primitive, const float *bias, size_t count,
                            const lpot_dl_attributes *attributes, const dnnl_memory_desc_t *desc,
                            lpot_error *err) {
  float *values = lpot_alloc_aligned(count * sizeof *values);
  if (values == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  primitive->bias = values;
  primitive->weight_bytes += count * sizeof *values;
  for (size_t i = 0; i < count; ++i) {
    float scale = 1.0f;
    if (attributes->num_weight_scales > 0) {
      size_t channel = attributes->num_weight_scales == 1 ? 0 : i;
      scale = attributes->src_scale * attributes->weight_scales[channel];
    }
    values[i] = bias[i] / scale;
  }
  LPOT_TRY(add_memory(primitive, ARG_BIAS, DNNL_ARG_BIAS, desc, err));
  return lpot_dl_check(dnnl_memory_set_data_handle(primitive->memory[ARG_BIAS], values), "memory",
                       err);
}

static void weight_dims(const lpot_dl_convolution *convolution, dnnl_memory_desc_t *user,
                        dnnl_memory_desc_t *any) {
  int spatial = convolution->src.rank - 2;
  int64_t group = convolution->group;
  int64_t out = convolution->dst.dims[1] / group;
  int64_t in = convolution->src.dims[1] / group;
  int64_t window = 1;
  dnnl_dims_t dims = {0};
  dnnl_dims_t strides = {0};
  int rank = 0;
  for (int i = 0; i < spatial; ++i) {
    window *= convolution->kernel[i];
  }
  if (group > 1) {
    dims[rank] = group;
    strides[rank++] = out * in * window;
  }
  dims[rank] = out;
  strides[rank++] = convolution->transposed ? window : in * window;
  dims[rank] = in;
  strides[rank++] = convolution->transposed ? out * window : window;
  for (int i = 0; i < spatial; ++i) {
    window /= convolution->kernel[i];
    dims[rank] = convolution->kernel[i];
    strides[rank++] = window;
  }
  dnnl_data_type_t type = lpot_dl_data_type(convolution->weight_dtype);
  (void)dnnl_memory_desc_init_by_strides(user, rank, dims, type, strides);
  (void)dnnl_memory_desc_init_by_tag(any, rank, dims, type, dnnl_format_tag_any);
}

typedef union convolution_desc {
  dnnl_convolution_desc_t convolution;
  dnnl_deconvolution_desc_t deconvolution;
} convolution_desc;

static dnnl_status_t init_convolution(const lpot_dl_convolution *convolution,
                                      const dnnl_memory_desc_t *src,
                                      const dnnl_memory_desc_t *weights,
                                      const dnnl_memory_desc_t *bias, const dnnl_memory_desc_t *dst,
                                      convolution_desc *ret) {
  dnnl_dims_t dilates = {0};
  for (int i = 0; i < convolution->src.rank - 2; ++i) {
    dilates[i] = convolution->dilation[i] - 1;
  }
  if (convolution->transposed) {
    return dnnl_dilated_deconvolution_forward_desc_init(
        &ret->deconvolution, dnnl_forward_inference, dnnl_deconvolution_direct, src, weights, bias,
        dst, convolution->stride, dilates, convolution->pad_begin, convolution->pad_end);
  }
  return dnnl_dilated_convolution_forward_desc_init(
      &ret->convolution, dnnl_forward_inference, dnnl_convolution_direct, src, weights, bias, dst,
      convolution->stride, dilates, convolution->pad_begin, convolution->pad_end);
}

/* Its grouped convolutions by matrix products are wrong for some shapes (8 groups of 8 channels to
 * one) when the source has a zero point. */
static bool is_wrong_gemm(const lpot_dl_convolution *convolution,
                          const lpot_dl_primitive *primitive) {
  return convolution->group > 1 && convolution->attributes.src_zero_point != 0 &&
         strstr(lpot_dl_implementation(primitive), "gemm_") != NULL;
}

/* oneDNN 2.6.3 computes wrong sums for some kernels (4x2 among them) when every group has one
 * channel in and several out and the source has a zero point. */
static bool is_known_wrong(const lpot_dl_convolution *convolution) {
  return convolution->group > 1 && convolution->src.dims[1] == convolution->group &&
         convolution->dst.dims[1] != convolution->group &&
         convolution->attributes.src_zero_point != 0;
}

static lpot_dl_limit convolution_limit(const lpot_dl_convolution *convolution) {
  lpot_dl_limit limit = lpot_dl_convolution_limit(convolution);
  return limit == LPOT_DL_TILES_BY_BRGEMM && lpot_dl_convolution_is_small(convolution)
             ? LPOT_DL_NO_TILES
             : limit;
}

lpot_status lpot_dl_convolution_new(lpot_dl *dl, const lpot_dl_convolution *convolution,
                                    lpot_dl_primitive **ret_primitive, lpot_error *err) {
  if (is_known_wrong(convolution)) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "this oneDNN has no right implementation of convolution");
  }
  dnnl_memory_desc_t src, dst, user, any, bias;
  dnnl_dims_t bias_dims = {convolution->dst.dims[1]};
  LPOT_TRY(memory_desc(&convolution->src, &src, err));
  LPOT_TRY(memory_desc(&convolution->dst, &dst, err));
  weight_dims(convolution, &user, &any);
  LPOT_TRY(lpot_dl_check(dnnl_memory_desc_init_by_tag(&bias, 1, bias_dims, dnnl_f32, dnnl_x),
                         "bias", err));
  convolution_desc op;
  LPOT_TRY(lpot_dl_check(init_convolution(convolution, &src, &any,
                                          convolution->bias != NULL ? &bias : NULL, &dst, &op),
                         "convolution", err));
  dnnl_primitive_attr_t attr = NULL;
  LPOT_TRY(new_attr(&convolution->attributes, 1 << 1, &attr, err));
  lpot_dl_primitive *primitive = NULL;
  LPOT_TRY(
      new_primitive(dl, &op, attr, convolution_limit(convolution), "convolution", &primitive, err));
  lpot_status status = LPOT_OK;
  if (is_wrong_gemm(convolution, primitive)) {
    status =
        LPOT_FAIL(err, LPOT_UNSUPPORTED, "this oneDNN has no right implementation of convolution");
  }
  if (status == LPOT_OK) {
    status = pack_weights(primitive, &user, convolution->weights, err);
  }
  if (status == LPOT_OK && convolution->bias != NULL) {
    status = set_bias(primitive, convolution->bias, (size_t)bias_dims[0], &convolution->attributes,
                      &bias, err);
  }
  if (status == LPOT_OK) {
    status = add_memory(primitive, ARG_SRC0, DNNL_ARG_SRC, &src, err);
  }
  if (status == LPOT_OK) {
    status = add_memory(primitive, ARG_DST, DNNL_ARG_DST, &dst, err);
  }
  if (status != LPOT_OK) {
    lpot_dl_primitive_free(primitive);
    return status;
  }
  *ret_primitive = primitive;
  return LPOT_OK;
}

static lpot_status matmul_memories(lpot_dl_primitive *primitive, const lpot_dl_matmul *matmul,
                                   const dnnl_memory_desc_t *src, const dnnl_memory_desc_t *weights,
                                   const dnnl_memory_desc_t *bias, const dnnl_memory_desc_t *dst,
                                   lpot_error *err) {
  if (matmul->constant_weights != NULL) {
    LPOT_TRY(pack_weights(primitive, weights, matmul->constant_weights, err));
  } else {
    LPOT_TRY(add_memory(primitive, ARG_SRC1, DNNL_ARG_WEIGHTS, weights, err));
  }
  if (matmul->bias != NULL) {
    size_t count = (size_t)matmul->dst.dims[matmul->dst.rank - 1];
    LPOT_TRY(set_bias(primitive, matmul->bias, count, &matmul->attributes, bias, err));
  }
  LPOT_TRY(add_memory(primitive, ARG_SRC0, DNNL_ARG_SRC, src, err));
  return add_memory(primitive, ARG_DST, DNNL_ARG_DST, dst, err);
}

lpot_status lpot_dl_matmul_new(lpot_dl *dl, const lpot_dl_matmul *matmul,
                               lpot_dl_primitive **ret_primitive, lpot_error *err) {
  dnnl_memory_desc_t src, weights, any, dst, bias;
  int rank = matmul->dst.rank;
  dnnl_dims_t bias_dims, bias_strides;
  LPOT_TRY(memory_desc(&matmul->src, &src, err));
  LPOT_TRY(memory_desc(&matmul->weights, &weights, err));
  LPOT_TRY(memory_desc(&matmul->dst, &dst, err));
  any = weights;
  if (matmul->constant_weights != NULL) {
    LPOT_TRY(lpot_dl_check(dnnl_memory_desc_init_by_tag(&any, rank, matmul->weights.dims,
                                                        lpot_dl_data_type(matmul->weights.dtype),
                                                        dnnl_format_tag_any),
                           "weights", err));
  }
  for (int i = 0; i < rank; ++i) {
    bias_dims[i] = i == rank - 1 ? matmul->dst.dims[i] : 1;
    bias_strides[i] = i == rank - 1 ? 1 : matmul->dst.dims[rank - 1];
  }
  LPOT_TRY(lpot_dl_check(
      dnnl_memory_desc_init_by_strides(&bias, rank, bias_dims, dnnl_f32, bias_strides), "bias",
      err));
  dnnl_matmul_desc_t op;
  LPOT_TRY(lpot_dl_check(
      dnnl_matmul_desc_init(&op, &src, &any, matmul->bias != NULL ? &bias : NULL, &dst), "matmul",
      err));
  dnnl_primitive_attr_t attr = NULL;
  LPOT_TRY(new_attr(&matmul->attributes, 1 << (rank - 1), &attr, err));
  lpot_dl_primitive *primitive = NULL;
  LPOT_TRY(new_primitive(
      dl, &op, attr, lpot_dl_matmul_is_small(matmul) ? LPOT_DL_RATHER_NO_TILES : LPOT_DL_NO_LIMIT,
      "matmul", &primitive, err));
  lpot_status status = matmul_memories(primitive, matmul, &src, &weights, &bias, &dst, err);
  if (status != LPOT_OK) {
    lpot_dl_primitive_free(primitive);
    return status;
  }
  *ret_primitive = primitive;
  return LPOT_OK;
}

/* A primitive with one or two inputs and no weights; src1 may be NULL. */
static lpot_status new_simple(lpot_dl *dl, const_dnnl_op_desc_t op, const char *what,
                              const lpot_dl_attributes *attributes, const dnnl_memory_desc_t *src0,
                              const dnnl_memory_desc_t *src1, const dnnl_memory_desc_t *dst,
                              lpot_dl_primitive **ret_primitive, lpot_error *err) {
  dnnl_primitive_attr_t attr = NULL;
  LPOT_TRY(new_attr(attributes, 0, &attr, err));
  lpot_dl_primitive *primitive = NULL;
  LPOT_TRY(new_primitive(dl, op, attr, LPOT_DL_NO_LIMIT, what, &primitive, err));
  lpot_status status = add_memory(primitive, ARG_SRC0, DNNL_ARG_SRC, src0, err);
  if (status == LPOT_OK && src1 != NULL) {
    status = add_memory(primitive, ARG_SRC1, DNNL_ARG_SRC_1, src1, err);
  }
  if (status == LPOT_OK) {
    status = add_memory(primitive, ARG_DST, DNNL_ARG_DST, dst, err);
  }
  if (status != LPOT_OK) {
    lpot_dl_primitive_free(primitive);
    return status;
  }
  *ret_primitive = primitive;
  return LPOT_OK;
}

lpot_status lpot_dl_max_pool_new(lpot_dl *dl, const lpot_dl_desc *src, const lpot_dl_desc *dst,
                                 const int64_t *kernel, const int64_t *stride,
                                 const int64_t *pad_begin, const int64_t *pad_end,
                                 lpot_dl_primitive **ret_primitive, lpot_error *err) {
  dnnl_memory_desc_t src_md, dst_md;
  LPOT_TRY(memory_desc(src, &src_md, err));
  LPOT_TRY(memory_desc(dst, &dst_md, err));
  dnnl_pooling_desc_t op;
  LPOT_TRY(lpot_dl_check(dnnl_pooling_forward_desc_init(&op, dnnl_forward_inference,
                                                        dnnl_pooling_max, &src_md, &dst_md, stride,
                                                        kernel, pad_begin, pad_end),
                         "pooling", err));
  return new_simple(dl, &op, "pooling", NULL, &src_md, NULL, &dst_md, ret_primitive, err);
}

lpot_status lpot_dl_unary_new(lpot_dl *dl, lpot_dl_unary unary, float alpha, float beta,
                              const lpot_dl_desc *desc, lpot_dl_primitive **ret_primitive,
                              lpot_error *err) {
  static const dnnl_alg_kind_t algorithms[] = {
      [LPOT_DL_UNARY_ABS] = dnnl_eltwise_abs,
      [LPOT_DL_UNARY_CLIP] = dnnl_eltwise_clip,
      [LPOT_DL_UNARY_ELU] = dnnl_eltwise_elu,
      [LPOT_DL_UNARY_EXP] = dnnl_eltwise_exp,
      [LPOT_DL_UNARY_GELU_ERF] = dnnl_eltwise_gelu_erf,
      [LPOT_DL_UNARY_GELU_TANH] = dnnl_eltwise_gelu_tanh,
      [LPOT_DL_UNARY_HARD_SWISH] = dnnl_eltwise_hardswish,
      [LPOT_DL_UNARY_LOG] = dnnl_eltwise_log,
      [LPOT_DL_UNARY_LOGISTIC] = dnnl_eltwise_logistic,
      [LPOT_DL_UNARY_MISH] = dnnl_eltwise_mish,
      [LPOT_DL_UNARY_RELU] = dnnl_eltwise_relu,
      [LPOT_DL_UNARY_ROUND] = dnnl_eltwise_round,
      [LPOT_DL_UNARY_SOFT_RELU] = dnnl_eltwise_soft_relu,
      [LPOT_DL_UNARY_SQRT] = dnnl_eltwise_sqrt,
      [LPOT_DL_UNARY_SWISH] = dnnl_eltwise_swish,
      [LPOT_DL_UNARY_TANH] = dnnl_eltwise_tanh,
  };
  dnnl_memory_desc_t md;
  LPOT_TRY(memory_desc(desc, &md, err));
  dnnl_eltwise_desc_t op;
  LPOT_TRY(lpot_dl_check(dnnl_eltwise_forward_desc_init(&op, dnnl_forward_inference,
                                                        algorithms[unary], &md, alpha, beta),
                         "eltwise", err));
  return new_simple(dl, &op, "eltwise", NULL, &md, NULL, &md, ret_primitive, err);
}

lpot_status lpot_dl_binary_new(lpot_dl *dl, lpot_dl_binary binary, const lpot_dl_desc *src0,
                               const lpot_dl_desc *src1, const lpot_dl_desc *dst, bool relu,
                               lpot_dl_primitive **ret_primitive, lpot_error *err) {
  static const dnnl_alg_kind_t algorithms[] = {
      [LPOT_DL_ADD] = dnnl_binary_add,      [LPOT_DL_DIVIDE] = dnnl_binary_div,
      [LPOT_DL_MAXIMUM] = dnnl_binary_max,  [LPOT_DL_MINIMUM] = dnnl_binary_min,
      [LPOT_DL_MULTIPLY] = dnnl_binary_mul, [LPOT_DL_SUBTRACT] = dnnl_binary_sub,
  };
  dnnl_memory_desc_t md0, md1, md;
  LPOT_TRY(memory_desc(src0, &md0, err));
  LPOT_TRY(memory_desc(src1, &md1, err));
  LPOT_TRY(memory_desc(dst, &md, err));
  dnnl_binary_desc_t op;
  LPOT_TRY(lpot_dl_check(dnnl_binary_desc_init(&op, algorithms[binary], &md0, &md1, &md), "binary",
                         err));
  lpot_dl_attributes attributes;
  lpot_dl_attributes_init(&attributes);
  if (relu) {
    attributes.num_post_ops = 1;
    attributes.post_ops[0].kind = LPOT_DL_RELU;
  }
  return new_simple(dl, &op, "binary", &attributes, &md0, &md1, &md, ret_primitive, err);
}

lpot_status lpot_dl_softmax_new(lpot_dl *dl, const lpot_dl_desc *desc, int axis, bool logarithm,
                                lpot_dl_primitive **ret_primitive, lpot_error *err) {
  dnnl_alg_kind_t algorithm = logarithm ? dnnl_softmax_log : dnnl_softmax_accurate;
  dnnl_memory_desc_t md;
  LPOT_TRY(memory_desc(desc, &md, err));
  dnnl_softmax_v2_desc_t op;
  LPOT_TRY(lpot_dl_check(
      dnnl_softmax_v2_forward_desc_init(&op, dnnl_forward_inference, algorithm, &md, &md, axis),
      "softmax", err));
  return new_simple(dl, &op, "softmax", NULL, &md, NULL, &md, ret_primitive, err);
}

lpot_status lpot_dl_run(lpot_dl_primitive *primitive, const void *src0, const void *src1, void *dst,
                        lpot_error *err) {
  /* oneDNN only reads the sources; its interface takes no const. */
  void *handles[NUM_ARGS] = {(void *)(uintptr_t)src0,  (void *)(uintptr_t)src1, dst, NULL, NULL,
                             primitive->dl->scratchpad};
  dnnl_exec_arg_t args[NUM_ARGS];
  int count = 0;
  for (int i = 0; i < NUM_ARGS; ++i) {
    if (primitive->memory[i] == NULL) {
      continue;
    }
    if (i != ARG_WEIGHTS && i != ARG_BIAS) {
      LPOT_TRY(lpot_dl_check(dnnl_memory_set_data_handle(primitive->memory[i], handles[i]),
                             "memory", err));
    }
    args[count].arg = primitive->arg[i];
    args[count].memory = primitive->memory[i];
    ++count;
  }
  LPOT_TRY(lpot_dl_check(
      dnnl_primitive_execute(primitive->primitive, primitive->dl->stream, count, args), "execution",
      err));
  return lpot_dl_check(dnnl_stream_wait(primitive->dl->stream), "execution", err);
}
