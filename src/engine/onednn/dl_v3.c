#include "engine/onednn/dl_internal.h"

#include <string.h>

#include "base/memory.h"

/* oneDNN 3.x: scales and zero points are arguments of each execution, bias is real, and the
 * destination scale divides after the post-ops. */

enum {
  ARG_SRC0,
  ARG_SRC1,
  ARG_DST,
  ARG_SCRATCHPAD,
  ARG_WEIGHTS, /* from here on the memories are the primitive's own */
  ARG_BIAS,
  ARG_SRC_SCALE,
  ARG_WEIGHTS_SCALE,
  ARG_DST_SCALE,
  ARG_SRC_ZERO_POINT,
  ARG_WEIGHTS_ZERO_POINT,
  ARG_DST_ZERO_POINT,
  NUM_ARGS
};

struct lpot_dl_primitive {
  lpot_dl *dl; /* borrowed */
  dnnl_primitive_t primitive;
  const_dnnl_primitive_desc_t desc; /* the primitive's own */
  dnnl_memory_t memory[NUM_ARGS];   /* NULL where not used */
  int arg[NUM_ARGS];                /* DNNL_ARG_... of each */
  void *data[NUM_ARGS];             /* owned bytes of the primitive's own memories */
  lpot_tensor *weights;             /* packed, bytes */
  size_t weight_bytes;
};

static lpot_status memory_desc(const lpot_dl_desc *desc, dnnl_memory_desc_t *ret, lpot_error *err) {
  return lpot_dl_check(dnnl_memory_desc_create_with_strides(ret, desc->rank, desc->dims,
                                                            lpot_dl_data_type(desc->dtype),
                                                            desc->strides),
                       "memory descriptor", err);
}

/* Descriptors of one call, freed together. */
typedef struct desc_set {
  dnnl_memory_desc_t src, weights, packed, bias, dst;
} desc_set;

static void free_descs(desc_set *set) {
  dnnl_memory_desc_t all[] = {set->src, set->weights, set->packed, set->bias, set->dst};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; ++i) {
    if (all[i] != NULL) {
      dnnl_memory_desc_destroy(all[i]);
    }
  }
}

/* ---- attributes ---- */

static dnnl_status_t append_requantize(dnnl_post_ops_t chain, const lpot_dl_post_op *op) {
  dnnl_status_t status =
      dnnl_post_ops_append_eltwise(chain, dnnl_eltwise_linear, 1.0f / op->alpha, 0.0f);
  if (status == dnnl_success) {
    status = dnnl_post_ops_append_eltwise(chain, dnnl_eltwise_round, 0.0f, 0.0f);
  }
  if (status == dnnl_success) {
    status = dnnl_post_ops_append_eltwise(chain, dnnl_eltwise_clip, op->low, op->high);
  }
  if (status == dnnl_success) {
    status = dnnl_post_ops_append_eltwise(chain, dnnl_eltwise_linear, op->alpha, 0.0f);
  }
  return status;
}

static dnnl_status_t append_post_op(dnnl_post_ops_t chain, const lpot_dl_post_op *op) {
  dnnl_status_t status = dnnl_invalid_arguments;
  switch (op->kind) {
  case LPOT_DL_SUM:
    status =
        dnnl_post_ops_append_sum(chain, op->alpha, op->zero_point, lpot_dl_data_type(op->dtype));
    break;
  case LPOT_DL_REQUANTIZE:
    status = append_requantize(chain, op);
    break;
  case LPOT_DL_RELU:
    status = dnnl_post_ops_append_eltwise(chain, dnnl_eltwise_relu, op->alpha, 0.0f);
    break;
  case LPOT_DL_CLIP:
    status = dnnl_post_ops_append_eltwise(chain, dnnl_eltwise_clip, op->low, op->high);
    break;
  case LPOT_DL_LOGISTIC:
    status = dnnl_post_ops_append_eltwise(chain, dnnl_eltwise_logistic, 0.0f, 0.0f);
    break;
  case LPOT_DL_TANH:
    status = dnnl_post_ops_append_eltwise(chain, dnnl_eltwise_tanh, 0.0f, 0.0f);
    break;
  case LPOT_DL_HARD_SWISH:
    status = dnnl_post_ops_append_eltwise(chain, dnnl_eltwise_hardswish, 1.0f / 6.0f, 0.5f);
    break;
  }
  return status;
}

static dnnl_status_t set_post_ops(dnnl_primitive_attr_t attr,
                                  const lpot_dl_attributes *attributes) {
  if (attributes->num_post_ops == 0) {
    return dnnl_success;
  }
  dnnl_post_ops_t chain = NULL;
  dnnl_status_t status = dnnl_post_ops_create(&chain);
  for (size_t i = 0; status == dnnl_success && i < attributes->num_post_ops; ++i) {
    status = append_post_op(chain, &attributes->post_ops[i]);
  }
  if (status == dnnl_success) {
    status = dnnl_primitive_attr_set_post_ops(attr, chain);
  }
  dnnl_post_ops_destroy(chain);
  return status;
}

static dnnl_status_t set_scales(dnnl_primitive_attr_t attr, const lpot_dl_attributes *attributes,
                                int channel_mask) {
  if (attributes->num_weight_scales == 0) {
    return dnnl_success;
  }
  int mask = attributes->num_weight_scales == 1 ? 0 : channel_mask;
  dnnl_status_t status = dnnl_primitive_attr_set_scales_mask(attr, DNNL_ARG_SRC, 0);
  if (status == dnnl_success) {
    status = dnnl_primitive_attr_set_scales_mask(attr, DNNL_ARG_WEIGHTS, mask);
  }
  if (status == dnnl_success && attributes->dst_scale != 1.0f) {
    status = dnnl_primitive_attr_set_scales_mask(attr, DNNL_ARG_DST, 0);
  }
  if (status == dnnl_success && attributes->src_zero_point != 0) {
    status = dnnl_primitive_attr_set_zero_points_mask(attr, DNNL_ARG_SRC, 0);
  }
  if (status == dnnl_success && attributes->weight_zero_point != 0) {
    status = dnnl_primitive_attr_set_zero_points_mask(attr, DNNL_ARG_WEIGHTS, 0);
  }
  if (status == dnnl_success && attributes->dst_zero_point != 0) {
    status = dnnl_primitive_attr_set_zero_points_mask(attr, DNNL_ARG_DST, 0);
  }
  return status;
}

/* channel_mask selects the dimensions of the weights that their scales run along. */
static lpot_status new_attr(const lpot_dl_attributes *attributes, int channel_mask,
                            dnnl_primitive_attr_t *ret, lpot_error *err) {
  dnnl_primitive_attr_t attr = NULL;
  LPOT_TRY(lpot_dl_check(dnnl_primitive_attr_create(&attr), "attributes", err));
  lpot_status status =
      lpot_dl_check(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user),
                    "scratchpad mode", err);
  if (status == LPOT_OK && attributes != NULL) {
    status = lpot_dl_check(set_scales(attr, attributes, channel_mask), "scales", err);
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
  for (int i = 0; i < NUM_ARGS; ++i) {
    lpot_free(primitive->data[i]);
  }
  lpot_tensor_unref(primitive->weights);
  lpot_free(primitive);
}

static lpot_status add_memory(lpot_dl_primitive *primitive, int slot, int arg,
                              const_dnnl_memory_desc_t desc, lpot_error *err) {
  primitive->arg[slot] = arg;
  dnnl_status_t status =
      dnnl_memory_create(&primitive->memory[slot], desc, primitive->dl->engine, DNNL_MEMORY_NONE);
  return lpot_dl_check(status, "memory", err);
}

/* A memory of the primitive's own: size_bytes at 64-byte alignment, filled by the caller. */
static lpot_status add_own(lpot_dl_primitive *primitive, int slot, int arg,
                           const_dnnl_memory_desc_t desc, lpot_error *err) {
  primitive->data[slot] = lpot_alloc_aligned(dnnl_memory_desc_get_size(desc));
  if (primitive->data[slot] == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  LPOT_TRY(add_memory(primitive, slot, arg, desc, err));
  return lpot_dl_check(dnnl_memory_set_data_handle(primitive->memory[slot], primitive->data[slot]),
                       "memory", err);
}

/* A vector of count elements of 4 bytes. */
static lpot_status add_vector(lpot_dl_primitive *primitive, int slot, int arg, lpot_dtype dtype,
                              size_t count, const void *values, lpot_error *err) {
  dnnl_memory_desc_t desc = NULL;
  dnnl_dims_t dims = {(dnnl_dim_t)count};
  LPOT_TRY(lpot_dl_check(
      dnnl_memory_desc_create_with_tag(&desc, 1, dims, lpot_dl_data_type(dtype), dnnl_x),
      "memory descriptor", err));
  lpot_status status = add_own(primitive, slot, arg, desc, err);
  dnnl_memory_desc_destroy(desc);
  if (status == LPOT_OK) {
    memcpy(primitive->data[slot], values, count * 4);
  }
  return status;
}

static lpot_status add_scales(lpot_dl_primitive *primitive, const lpot_dl_attributes *attributes,
                              lpot_error *err) {
  if (attributes->num_weight_scales == 0) {
    return LPOT_OK;
  }
  LPOT_TRY(add_vector(primitive, ARG_SRC_SCALE, DNNL_ARG_ATTR_SCALES | DNNL_ARG_SRC, LPOT_F32, 1,
                      &attributes->src_scale, err));
  LPOT_TRY(add_vector(primitive, ARG_WEIGHTS_SCALE, DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS,
                      LPOT_F32, attributes->num_weight_scales, attributes->weight_scales, err));
  if (attributes->dst_scale != 1.0f) {
    LPOT_TRY(add_vector(primitive, ARG_DST_SCALE, DNNL_ARG_ATTR_SCALES | DNNL_ARG_DST, LPOT_F32, 1,
                        &attributes->dst_scale, err));
  }
  if (attributes->src_zero_point != 0) {
    LPOT_TRY(add_vector(primitive, ARG_SRC_ZERO_POINT, DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_SRC,
                        LPOT_S32, 1, &attributes->src_zero_point, err));
  }
  if (attributes->weight_zero_point != 0) {
    LPOT_TRY(add_vector(primitive, ARG_WEIGHTS_ZERO_POINT,
                        DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_WEIGHTS, LPOT_S32, 1,
                        &attributes->weight_zero_point, err));
  }
  if (attributes->dst_zero_point != 0) {
    LPOT_TRY(add_vector(primitive, ARG_DST_ZERO_POINT, DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_DST,
                        LPOT_S32, 1, &attributes->dst_zero_point, err));
  }
  return LPOT_OK;
}

/* Goes on to the first implementation that may be used (dl_internal.h); dnnl_last_impl_reached when
 * there is none. Unlike 2.x this oneDNN is as fast with tiles as without them on small work. */
static dnnl_status_t keep_to_limit(lpot_dl_limit limit, dnnl_primitive_desc_t desc) {
  dnnl_status_t status = dnnl_success;
  if (!lpot_dl_may_use(limit, implementation_of(desc))) {
    do {
      status = dnnl_primitive_desc_next_impl(desc);
    } while (status == dnnl_success && !lpot_dl_may_stand_in(limit, implementation_of(desc)));
  }
  return status;
}

/* Takes a primitive descriptor (moved, also on failure) that was created with `created`. */
static lpot_status new_primitive(lpot_dl *dl, dnnl_status_t created, dnnl_primitive_desc_t desc,
                                 const char *what, lpot_dl_primitive **ret, lpot_error *err) {
  LPOT_TRY(lpot_dl_check(created, what, err));
  lpot_dl_primitive *primitive = lpot_calloc(1, sizeof *primitive);
  if (primitive == NULL) {
    dnnl_primitive_desc_destroy(desc);
    return LPOT_OUT_OF_MEMORY(err);
  }
  primitive->dl = dl;
  lpot_status status = LPOT_OK;
  if (strncmp(implementation_of(desc), "ref", 3) == 0) {
    status =
        LPOT_FAIL(err, LPOT_UNSUPPORTED, "oneDNN has only a reference implementation of %s", what);
  }
  if (status == LPOT_OK) {
    status = lpot_dl_make_primitive(desc, what, &primitive->primitive, &primitive->desc, err);
  }
  dnnl_primitive_desc_destroy(desc);
  if (status == LPOT_OK) {
    const_dnnl_memory_desc_t scratchpad =
        dnnl_primitive_desc_query_md(primitive->desc, dnnl_query_scratchpad_md, 0);
    size_t size_bytes = scratchpad == NULL ? 0 : dnnl_memory_desc_get_size(scratchpad);
    status = lpot_dl_grow_scratchpad(dl, size_bytes, err);
    if (status == LPOT_OK && size_bytes > 0) {
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

static lpot_status reorder_weights(lpot_dl_primitive *primitive, const_dnnl_memory_desc_t user,
                                   const void *data, const_dnnl_memory_desc_t packed,
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

static lpot_status pack_weights(lpot_dl_primitive *primitive, const_dnnl_memory_desc_t user,
                                const void *data, lpot_error *err) {
  const_dnnl_memory_desc_t packed =
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

static lpot_status add_bias(lpot_dl_primitive *primitive, const float *bias, size_t count,
                            const_dnnl_memory_desc_t desc, lpot_error *err) {
  LPOT_TRY(add_own(primitive, ARG_BIAS, DNNL_ARG_BIAS, desc, err));
  memcpy(primitive->data[ARG_BIAS], bias, count * sizeof *bias);
  primitive->weight_bytes += count * sizeof *bias;
  return LPOT_OK;
}

/* ---- convolution ---- */

static dnnl_status_t weight_descs(const lpot_dl_convolution *convolution, desc_set *set) {
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
  dnnl_status_t status =
      dnnl_memory_desc_create_with_strides(&set->weights, rank, dims, type, strides);
  if (status == dnnl_success) {
    status = dnnl_memory_desc_create_with_tag(&set->packed, rank, dims, type, dnnl_format_tag_any);
  }
  return status;
}

static lpot_status convolution_descs(const lpot_dl_convolution *convolution, desc_set *set,
                                     lpot_error *err) {
  LPOT_TRY(memory_desc(&convolution->src, &set->src, err));
  LPOT_TRY(memory_desc(&convolution->dst, &set->dst, err));
  LPOT_TRY(lpot_dl_check(weight_descs(convolution, set), "weights", err));
  if (convolution->bias != NULL) {
    dnnl_dims_t dims = {convolution->dst.dims[1]};
    LPOT_TRY(lpot_dl_check(dnnl_memory_desc_create_with_tag(&set->bias, 1, dims, dnnl_f32, dnnl_x),
                           "bias", err));
  }
  return LPOT_OK;
}

static dnnl_status_t convolution_desc(lpot_dl *dl, const lpot_dl_convolution *convolution,
                                      const desc_set *set, dnnl_primitive_attr_t attr,
                                      dnnl_primitive_desc_t *ret) {
  dnnl_dims_t dilates = {0};
  for (int i = 0; i < convolution->src.rank - 2; ++i) {
    dilates[i] = convolution->dilation[i] - 1;
  }
  if (convolution->transposed) {
    return dnnl_deconvolution_forward_primitive_desc_create(
        ret, dl->engine, dnnl_forward_inference, dnnl_deconvolution_direct, set->src, set->packed,
        set->bias, set->dst, convolution->stride, dilates, convolution->pad_begin,
        convolution->pad_end, attr);
  }
  return dnnl_convolution_forward_primitive_desc_create(
      ret, dl->engine, dnnl_forward_inference, dnnl_convolution_direct, set->src, set->packed,
      set->bias, set->dst, convolution->stride, dilates, convolution->pad_begin,
      convolution->pad_end, attr);
}

/* Memories that every weighted primitive has. */
static lpot_status add_memories(lpot_dl_primitive *primitive, const desc_set *set,
                                const void *weights, const float *bias, size_t channels,
                                const lpot_dl_attributes *attributes, lpot_error *err) {
  if (weights != NULL) {
    LPOT_TRY(pack_weights(primitive, set->weights, weights, err));
  } else {
    LPOT_TRY(add_memory(primitive, ARG_SRC1, DNNL_ARG_WEIGHTS, set->weights, err));
  }
  if (bias != NULL) {
    LPOT_TRY(add_bias(primitive, bias, channels, set->bias, err));
  }
  LPOT_TRY(add_scales(primitive, attributes, err));
  LPOT_TRY(add_memory(primitive, ARG_SRC0, DNNL_ARG_SRC, set->src, err));
  lpot_status status = add_memory(primitive, ARG_DST, DNNL_ARG_DST, set->dst, err);
  return status;
}

static lpot_status make_convolution(lpot_dl *dl, const lpot_dl_convolution *convolution,
                                    desc_set *set, lpot_dl_primitive **ret_primitive,
                                    lpot_error *err) {
  dnnl_primitive_attr_t attr = NULL;
  dnnl_primitive_desc_t desc = NULL;
  LPOT_TRY(convolution_descs(convolution, set, err));
  LPOT_TRY(new_attr(&convolution->attributes, convolution->group > 1 ? 3 : 1, &attr, err));
  dnnl_status_t created = convolution_desc(dl, convolution, set, attr, &desc);
  dnnl_primitive_attr_destroy(attr);
  if (created == dnnl_success &&
      keep_to_limit(lpot_dl_convolution_limit(convolution), desc) != dnnl_success) {
    dnnl_primitive_desc_destroy(desc);
    created = dnnl_unimplemented;
  }
  LPOT_TRY(new_primitive(dl, created, desc, "convolution", ret_primitive, err));
  lpot_status status =
      add_memories(*ret_primitive, set, convolution->weights, convolution->bias,
                   (size_t)convolution->dst.dims[1], &convolution->attributes, err);
  if (status != LPOT_OK) {
    lpot_dl_primitive_free(*ret_primitive);
  }
  return status;
}

lpot_status lpot_dl_convolution_new(lpot_dl *dl, const lpot_dl_convolution *convolution,
                                    lpot_dl_primitive **ret_primitive, lpot_error *err) {
  desc_set set = {NULL, NULL, NULL, NULL, NULL};
  lpot_dl_primitive *primitive = NULL;
  lpot_status status = make_convolution(dl, convolution, &set, &primitive, err);
  free_descs(&set);
  if (status == LPOT_OK) {
    *ret_primitive = primitive;
  }
  return status;
}

/* ---- matmul ---- */

static lpot_status matmul_descs(const lpot_dl_matmul *matmul, desc_set *set, lpot_error *err) {
  int rank = matmul->dst.rank;
  LPOT_TRY(memory_desc(&matmul->src, &set->src, err));
  LPOT_TRY(memory_desc(&matmul->weights, &set->weights, err));
  LPOT_TRY(memory_desc(&matmul->dst, &set->dst, err));
  if (matmul->constant_weights != NULL) {
    LPOT_TRY(lpot_dl_check(dnnl_memory_desc_create_with_tag(
                               &set->packed, rank, matmul->weights.dims,
                               lpot_dl_data_type(matmul->weights.dtype), dnnl_format_tag_any),
                           "weights", err));
  }
  if (matmul->bias != NULL) {
    dnnl_dims_t dims;
    dnnl_dims_t strides;
    for (int i = 0; i < rank; ++i) {
      dims[i] = i == rank - 1 ? matmul->dst.dims[i] : 1;
      strides[i] = i == rank - 1 ? 1 : matmul->dst.dims[rank - 1];
    }
    LPOT_TRY(lpot_dl_check(
        dnnl_memory_desc_create_with_strides(&set->bias, rank, dims, dnnl_f32, strides), "bias",
        err));
  }
  return LPOT_OK;
}

static lpot_status make_matmul(lpot_dl *dl, const lpot_dl_matmul *matmul, desc_set *set,
                               lpot_dl_primitive **ret_primitive, lpot_error *err) {
  dnnl_primitive_attr_t attr = NULL;
  dnnl_primitive_desc_t desc = NULL;
  int rank = matmul->dst.rank;
  LPOT_TRY(matmul_descs(matmul, set, err));
  LPOT_TRY(new_attr(&matmul->attributes, 1 << (rank - 1), &attr, err));
  dnnl_status_t created = dnnl_matmul_primitive_desc_create(
      &desc, dl->engine, set->src, set->packed != NULL ? set->packed : set->weights, set->bias,
      set->dst, attr);
  dnnl_primitive_attr_destroy(attr);
  LPOT_TRY(new_primitive(dl, created, desc, "matmul", ret_primitive, err));
  lpot_status status = add_memories(*ret_primitive, set, matmul->constant_weights, matmul->bias,
                                    (size_t)matmul->dst.dims[rank - 1], &matmul->attributes, err);
  if (status != LPOT_OK) {
    lpot_dl_primitive_free(*ret_primitive);
  }
  return status;
}

lpot_status lpot_dl_matmul_new(lpot_dl *dl, const lpot_dl_matmul *matmul,
                               lpot_dl_primitive **ret_primitive, lpot_error *err) {
  desc_set set = {NULL, NULL, NULL, NULL, NULL};
  lpot_dl_primitive *primitive = NULL;
  lpot_status status = make_matmul(dl, matmul, &set, &primitive, err);
  free_descs(&set);
  if (status == LPOT_OK) {
    *ret_primitive = primitive;
  }
  return status;
}

/* ---- primitives without weights ---- */

/* set->weights is the second input, or NULL; set is freed, desc moved. */
static lpot_status finish_simple(lpot_dl *dl, dnnl_status_t created, dnnl_primitive_desc_t desc,
                                 const char *what, desc_set *set, lpot_dl_primitive **ret_primitive,
                                 lpot_error *err) {
  lpot_dl_primitive *primitive = NULL;
  lpot_status status = new_primitive(dl, created, desc, what, &primitive, err);
  if (status == LPOT_OK) {
    status = add_memory(primitive, ARG_SRC0, DNNL_ARG_SRC, set->src, err);
    if (status == LPOT_OK && set->weights != NULL) {
      status = add_memory(primitive, ARG_SRC1, DNNL_ARG_SRC_1, set->weights, err);
    }
    if (status == LPOT_OK) {
      status = add_memory(primitive, ARG_DST, DNNL_ARG_DST, set->dst, err);
    }
    if (status != LPOT_OK) {
      lpot_dl_primitive_free(primitive);
    }
  }
  free_descs(set);
  if (status == LPOT_OK) {
    *ret_primitive = primitive;
  }
  return status;
}

/* Fills set; on failure nothing is left to free. */
static lpot_status simple_descs(const lpot_dl_desc *src0, const lpot_dl_desc *src1,
                                const lpot_dl_desc *dst, const lpot_dl_attributes *attributes,
                                desc_set *set, dnnl_primitive_attr_t *attr, lpot_error *err) {
  lpot_status status = memory_desc(src0, &set->src, err);
  if (status == LPOT_OK && src1 != NULL) {
    status = memory_desc(src1, &set->weights, err);
  }
  if (status == LPOT_OK) {
    status = memory_desc(dst, &set->dst, err);
  }
  if (status == LPOT_OK) {
    status = new_attr(attributes, 0, attr, err);
  }
  if (status != LPOT_OK) {
    free_descs(set);
  }
  return status;
}

lpot_status lpot_dl_max_pool_new(lpot_dl *dl, const lpot_dl_desc *src, const lpot_dl_desc *dst,
                                 const int64_t *kernel, const int64_t *stride,
                                 const int64_t *pad_begin, const int64_t *pad_end,
                                 lpot_dl_primitive **ret_primitive, lpot_error *err) {
  desc_set set = {NULL, NULL, NULL, NULL, NULL};
  dnnl_primitive_attr_t attr = NULL;
  dnnl_primitive_desc_t desc = NULL;
  dnnl_dims_t dilation = {0};
  LPOT_TRY(simple_descs(src, NULL, dst, NULL, &set, &attr, err));
  dnnl_status_t created = dnnl_pooling_forward_primitive_desc_create(
      &desc, dl->engine, dnnl_forward_inference, dnnl_pooling_max, set.src, set.dst, stride, kernel,
      dilation, pad_begin, pad_end, attr);
  dnnl_primitive_attr_destroy(attr);
  lpot_status status = finish_simple(dl, created, desc, "pooling", &set, ret_primitive, err);
  return status;
}

lpot_status lpot_dl_unary_new(lpot_dl *dl, lpot_dl_unary unary, float alpha, float beta,
                              const lpot_dl_desc *desc_in, lpot_dl_primitive **ret_primitive,
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
  desc_set set = {NULL, NULL, NULL, NULL, NULL};
  dnnl_primitive_attr_t attr = NULL;
  dnnl_primitive_desc_t desc = NULL;
  if (unary == LPOT_DL_UNARY_HARD_SWISH) {
    alpha = 1.0f / 6.0f;
    beta = 0.5f;
  }
  if (unary == LPOT_DL_UNARY_SOFT_RELU) {
    alpha = 1.0f; /* 3.x computes log(1 + e^(alpha * x)) / alpha */
  }
  LPOT_TRY(simple_descs(desc_in, NULL, desc_in, NULL, &set, &attr, err));
  dnnl_status_t created = dnnl_eltwise_forward_primitive_desc_create(
      &desc, dl->engine, dnnl_forward_inference, algorithms[unary], set.src, set.dst, alpha, beta,
      attr);
  dnnl_primitive_attr_destroy(attr);
  lpot_status status = finish_simple(dl, created, desc, "eltwise", &set, ret_primitive, err);
  return status;
}

lpot_status lpot_dl_binary_new(lpot_dl *dl, lpot_dl_binary binary, const lpot_dl_desc *src0,
                               const lpot_dl_desc *src1, const lpot_dl_desc *dst, bool relu,
                               lpot_dl_primitive **ret_primitive, lpot_error *err) {
  static const dnnl_alg_kind_t algorithms[] = {
      [LPOT_DL_ADD] = dnnl_binary_add,      [LPOT_DL_DIVIDE] = dnnl_binary_div,
      [LPOT_DL_MAXIMUM] = dnnl_binary_max,  [LPOT_DL_MINIMUM] = dnnl_binary_min,
      [LPOT_DL_MULTIPLY] = dnnl_binary_mul, [LPOT_DL_SUBTRACT] = dnnl_binary_sub,
  };
  desc_set set = {NULL, NULL, NULL, NULL, NULL};
  dnnl_primitive_attr_t attr = NULL;
  dnnl_primitive_desc_t desc = NULL;
  lpot_dl_attributes attributes;
  lpot_dl_attributes_init(&attributes);
  if (relu) {
    attributes.num_post_ops = 1;
    attributes.post_ops[0].kind = LPOT_DL_RELU;
  }
  LPOT_TRY(simple_descs(src0, src1, dst, &attributes, &set, &attr, err));
  dnnl_status_t created = dnnl_binary_primitive_desc_create(&desc, dl->engine, algorithms[binary],
                                                            set.src, set.weights, set.dst, attr);
  dnnl_primitive_attr_destroy(attr);
  lpot_status status = finish_simple(dl, created, desc, "binary", &set, ret_primitive, err);
  return status;
}

lpot_status lpot_dl_softmax_new(lpot_dl *dl, const lpot_dl_desc *desc_in, int axis, bool logarithm,
                                lpot_dl_primitive **ret_primitive, lpot_error *err) {
  dnnl_alg_kind_t algorithm = logarithm ? dnnl_softmax_log : dnnl_softmax_accurate;
  desc_set set = {NULL, NULL, NULL, NULL, NULL};
  dnnl_primitive_attr_t attr = NULL;
  dnnl_primitive_desc_t desc = NULL;
  LPOT_TRY(simple_descs(desc_in, NULL, desc_in, NULL, &set, &attr, err));
  dnnl_status_t created = dnnl_softmax_forward_primitive_desc_create(
      &desc, dl->engine, dnnl_forward_inference, algorithm, set.src, set.dst, axis, attr);
  dnnl_primitive_attr_destroy(attr);
  lpot_status status = finish_simple(dl, created, desc, "softmax", &set, ret_primitive, err);
  return status;
}

lpot_status lpot_dl_run(lpot_dl_primitive *primitive, const void *src0, const void *src1, void *dst,
                        lpot_error *err) {
  /* oneDNN only reads the sources; its interface takes no const. */
  void *handles[ARG_WEIGHTS] = {(void *)(uintptr_t)src0, (void *)(uintptr_t)src1, dst,
                                primitive->dl->scratchpad};
  dnnl_exec_arg_t args[NUM_ARGS];
  int count = 0;
  for (int i = 0; i < NUM_ARGS; ++i) {
    if (primitive->memory[i] == NULL) {
      continue;
    }
    if (i < ARG_WEIGHTS) {
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
