#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/onednn/dl_internal.h"

/* What is the same in oneDNN 2.x and 3.x. */

void lpot_dl_attributes_init(lpot_dl_attributes *attributes) {
  memset(attributes, 0, sizeof *attributes);
  attributes->src_scale = 1.0f;
  attributes->dst_scale = 1.0f;
}

void lpot_dl_use_threads(int count) {
  typedef void (*set_threads_function)(int);
  /* libgomp reads OMP_NUM_THREADS when it is loaded, before main. It comes with oneDNN, so it is
   * asked by name: no OpenMP compiler is needed for ours. */
  void *program = dlopen(NULL, RTLD_LAZY);
  if (program == NULL) {
    return;
  }
  void *symbol = dlsym(program, "omp_set_num_threads");
  set_threads_function set_threads = NULL;
  memcpy(&set_threads, &symbol, sizeof set_threads);
  if (set_threads != NULL) {
    set_threads(count);
  }
  (void)dlclose(program);
}

#define TILES_MIN_CONVOLUTION 1000000 /* multiplications */
#define TILES_MIN_PRODUCT 250000      /* of one matrix by one matrix */

static bool has_wide_pads(const lpot_dl_convolution *convolution) {
  for (int i = 0; i < convolution->src.rank - 2; ++i) {
    int64_t half = ((convolution->kernel[i] - 1) * convolution->dilation[i] + 1) / 2;
    if (convolution->pad_begin[i] > half || convolution->pad_end[i] > half) {
      return true;
    }
  }
  return false;
}

/* A dilated window, or one wider than a pixel that moves by more than one. */
static bool skips_pixels(const lpot_dl_convolution *convolution) {
  bool is_wide = false;
  bool strides = false;
  bool dilates = false;
  for (int i = 0; i < convolution->src.rank - 2; ++i) {
    is_wide = is_wide || convolution->kernel[i] > 1;
    strides = strides || convolution->stride[i] > 1;
    dilates = dilates || convolution->dilation[i] > 1;
  }
  return dilates || (is_wide && strides);
}

lpot_dl_limit lpot_dl_convolution_limit(const lpot_dl_convolution *convolution) {
  lpot_dtype dtype = convolution->src.dtype;
  if (has_wide_pads(convolution) && (dtype == LPOT_U8 || dtype == LPOT_S8)) {
    return LPOT_DL_NO_BRGEMM;
  }
  if (has_wide_pads(convolution) || convolution->group > 1 || skips_pixels(convolution)) {
    return LPOT_DL_NO_TILES;
  }
  return LPOT_DL_TILES_BY_BRGEMM;
}

bool lpot_dl_convolution_is_small(const lpot_dl_convolution *convolution) {
  int64_t count = convolution->src.dims[1] / convolution->group;
  for (int i = 0; i < convolution->dst.rank; ++i) {
    count *= convolution->dst.dims[i];
  }
  for (int i = 0; i < convolution->dst.rank - 2; ++i) {
    count *= convolution->kernel[i];
  }
  return count < TILES_MIN_CONVOLUTION;
}

bool lpot_dl_matmul_is_small(const lpot_dl_matmul *matmul) {
  int rank = matmul->dst.rank;
  int64_t count =
      matmul->dst.dims[rank - 2] * matmul->dst.dims[rank - 1] * matmul->src.dims[rank - 1];
  return count < TILES_MIN_PRODUCT;
}

static bool is_brgemm(const char *implementation) {
  return strncmp(implementation, "brg", 3) == 0;
}

bool lpot_dl_may_use(lpot_dl_limit limit, const char *implementation) {
  bool is_tiled = strstr(implementation, "amx") != NULL;
  switch (limit) {
  case LPOT_DL_TILES_BY_BRGEMM:
    return !is_tiled || is_brgemm(implementation);
  case LPOT_DL_NO_TILES:
  case LPOT_DL_RATHER_NO_TILES:
    return !is_tiled;
  case LPOT_DL_NO_BRGEMM:
    return !is_tiled && !is_brgemm(implementation);
  default:
    return true;
  }
}

bool lpot_dl_may_stand_in(lpot_dl_limit limit, const char *implementation) {
  bool is_vector_code = is_brgemm(implementation) || strncmp(implementation, "jit", 3) == 0;
  return is_vector_code && lpot_dl_may_use(limit, implementation);
}

const char *lpot_dl_version(void) {
  static char text[32];
  const dnnl_version_t *version = dnnl_version();
  (void)snprintf(text, sizeof text, "oneDNN %d.%d.%d", version->major, version->minor,
                 version->patch);
  return text;
}

const char *lpot_dl_isa(void) {
  static const struct {
    dnnl_cpu_isa_t isa;
    const char *text;
  } table[] = {
      {dnnl_cpu_isa_sse41, "sse41"},
      {dnnl_cpu_isa_avx, "avx"},
      {dnnl_cpu_isa_avx2, "avx2"},
      {dnnl_cpu_isa_avx2_vnni, "avx2_vnni"},
      {dnnl_cpu_isa_avx512_core, "avx512_core"},
      {dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"},
      {dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"},
      {dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"},
  };
  dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
  for (size_t i = 0; i < sizeof table / sizeof table[0]; ++i) {
    if (table[i].isa == isa) {
      return table[i].text;
    }
  }
  return "other";
}

lpot_status lpot_dl_check(dnnl_status_t status, const char *what, lpot_error *err) {
  if (status == dnnl_success) {
    return LPOT_OK;
  }
  if (status == dnnl_unimplemented) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "oneDNN has no implementation of %s", what);
  }
  if (status == dnnl_out_of_memory) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_FAIL(err, LPOT_ENGINE, "oneDNN: %s failed with status %d", what, (int)status);
}

/* oneDNN keeps so many primitives that nobody uses any more, of 1024 by itself. Where scales are
 * part of a primitive (2.x) every recipe has its own: they held 95 MiB of a process that tried
 * recipes of ResNet-50, and made nothing faster. */
#define KEPT_PRIMITIVES 16

lpot_status lpot_dl_new(lpot_dl **ret_dl, lpot_error *err) {
  lpot_dl_use_threads(1);
  LPOT_TRY(lpot_dl_check(dnnl_set_primitive_cache_capacity(KEPT_PRIMITIVES),
                         "the size of the primitive cache", err));
  lpot_dl *dl = lpot_calloc(1, sizeof *dl);
  if (dl == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status =
      lpot_dl_check(dnnl_engine_create(&dl->engine, dnnl_cpu, 0), "engine creation", err);
  if (status == LPOT_OK) {
    status = lpot_dl_check(dnnl_stream_create(&dl->stream, dl->engine, dnnl_stream_default_flags),
                           "stream creation", err);
  }
  if (status != LPOT_OK) {
    lpot_dl_free(dl);
    return status;
  }
  *ret_dl = dl;
  return LPOT_OK;
}

void lpot_dl_free(lpot_dl *dl) {
  if (dl == NULL) {
    return;
  }
  if (dl->stream != NULL) {
    dnnl_stream_destroy(dl->stream);
  }
  if (dl->engine != NULL) {
    dnnl_engine_destroy(dl->engine);
  }
  lpot_free(dl->scratchpad);
  lpot_free(dl);
}

dnnl_data_type_t lpot_dl_data_type(lpot_dtype dtype) {
  switch (dtype) {
  case LPOT_F32:
    return dnnl_f32;
  case LPOT_BF16:
    return dnnl_bf16;
  case LPOT_U8:
    return dnnl_u8;
  case LPOT_S8:
    return dnnl_s8;
  case LPOT_S32:
    return dnnl_s32;
  default:
    return dnnl_data_type_undef;
  }
}

lpot_status lpot_dl_grow_scratchpad(lpot_dl *dl, size_t size_bytes, lpot_error *err) {
  if (size_bytes <= dl->scratchpad_bytes) {
    return LPOT_OK;
  }
  void *scratchpad = lpot_alloc_aligned(size_bytes);
  if (scratchpad == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_free(dl->scratchpad);
  dl->scratchpad = scratchpad;
  dl->scratchpad_bytes = size_bytes;
  return LPOT_OK;
}

/* ---- primitives ---- */

lpot_status lpot_dl_make_primitive(const_dnnl_primitive_desc_t desc, const char *what,
                                   dnnl_primitive_t *ret_primitive,
                                   const_dnnl_primitive_desc_t *ret_desc, lpot_error *err) {
  dnnl_status_t made = dnnl_primitive_create(ret_primitive, desc);
  /* Some that it promises it cannot generate: grouped 1x1 convolutions with a sum. */
  LPOT_TRY(lpot_dl_check(made == dnnl_runtime_error ? dnnl_unimplemented : made, what, err));
  return lpot_dl_check(dnnl_primitive_get_primitive_desc(*ret_primitive, ret_desc), what, err);
}

/* ---- packed weights ---- */

void lpot_dl_use_shared_weights(lpot_dl *dl, bool shared) {
  dl->shares_weights = shared;
}

lpot_status lpot_dl_new_weights(size_t size_bytes, lpot_tensor **ret_weights, lpot_error *err) {
  lpot_shape shape = {.rank = 1, .dims = {(int64_t)size_bytes}};
  return lpot_tensor_new(LPOT_U8, &shape, ret_weights, err);
}

lpot_status lpot_dl_set_weights(dnnl_memory_t memory, const lpot_tensor *weights, lpot_error *err) {
  return lpot_dl_check(dnnl_memory_set_data_handle(memory, weights->data), "memory", err);
}

lpot_status lpot_dl_share_weights(const lpot_dl *dl, dnnl_memory_t memory, lpot_tensor *weights,
                                  lpot_error *err) {
  if (!dl->shares_weights) {
    return LPOT_OK;
  }
  lpot_tensor_share(weights);
  return lpot_dl_set_weights(memory, weights, err);
}
