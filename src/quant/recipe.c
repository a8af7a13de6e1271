#include "quant/recipe.h"

#include "base/checksum.h"
#include "base/memory.h"
#include "base/size.h"
#include "base/text.h"
#include "base/writer.h"

#define RECIPE_VERSION 1
#define RECIPE_FLAG_CONCAT 1
#define RECIPE_FLAG_DYNAMIC 2
#define RECIPE_FLAG_REDUCE 4
#define CORRECTIONS_SHIFT 3 /* bits of quant/corrections.h follow */
#define NUM_FLAGS (CORRECTIONS_SHIFT + LPOT_NUM_CORRECTIONS)
#define OP_BYTES 8     /* two tensors of four fields */
#define HEADER_BYTES 9 /* what the hash takes of the recipe itself: flags and samples */

static const char *const scheme_texts[LPOT_NUM_SCHEMES] = {"sym", "asym"};
static const char *const granularity_texts[LPOT_NUM_GRANULARITIES] = {"per_tensor", "per_channel"};
static const char *const algorithm_texts[LPOT_NUM_ALGORITHMS] = {"minmax", "kl", "percentile",
                                                                 "mse"};

const char *lpot_scheme_text(lpot_scheme scheme) {
  return scheme_texts[scheme];
}

const char *lpot_granularity_text(lpot_granularity granularity) {
  return granularity_texts[granularity];
}

const char *lpot_algorithm_text(lpot_algorithm algorithm) {
  return algorithm_texts[algorithm];
}

static bool tensor_config_equal(const lpot_tensor_config *a, const lpot_tensor_config *b) {
  return a->dtype == b->dtype && a->scheme == b->scheme && a->granularity == b->granularity &&
         a->algorithm == b->algorithm;
}

bool lpot_op_config_is_quantized(const lpot_op_config *config) {
  return config->activation.dtype == LPOT_U8 || config->activation.dtype == LPOT_S8;
}

bool lpot_op_config_is_bf16(const lpot_op_config *config) {
  return config->activation.dtype == LPOT_BF16;
}

static bool is_f32(const lpot_op_config *config) {
  return !lpot_op_config_is_quantized(config) && !lpot_op_config_is_bf16(config);
}

bool lpot_op_config_equal(const lpot_op_config *a, const lpot_op_config *b) {
  if (is_f32(a) && is_f32(b)) {
    return true;
  }
  return tensor_config_equal(&a->activation, &b->activation) &&
         tensor_config_equal(&a->weight, &b->weight);
}

/* Float and absent tensors carry no other settings, so that equal recipes have equal bytes. */
static bool has_no_settings(const lpot_tensor_config *tensor) {
  return tensor->scheme == LPOT_SCHEME_SYM && tensor->granularity == LPOT_PER_TENSOR &&
         tensor->algorithm == LPOT_MINMAX;
}

static const char *float_problem(const lpot_op_config *config) {
  bool has_bf16_weight = config->weight.dtype == LPOT_BF16;
  if (config->weight.dtype == LPOT_S8) {
    return "an int8 weight needs an int8 activation";
  }
  if (lpot_op_config_is_bf16(config) && config->weight.dtype == LPOT_F32) {
    return "a bf16 activation needs a bf16 weight";
  }
  if (!lpot_op_config_is_bf16(config) && has_bf16_weight) {
    return "a bf16 weight needs a bf16 activation";
  }
  return has_no_settings(&config->activation) ? NULL
                                              : "an activation that is not quantized has settings";
}

const char *lpot_op_config_problem(const lpot_op_config *config) {
  const lpot_tensor_config *activation = &config->activation;
  const lpot_tensor_config *weight = &config->weight;
  bool has_int8_weight = weight->dtype == LPOT_S8;
  bool has_float_weight = weight->dtype == LPOT_F32 || weight->dtype == LPOT_BF16;
  if (is_f32(config) && activation->dtype != LPOT_F32) {
    return "the activation is neither uint8 nor int8 nor bf16 nor fp32";
  }
  if (!has_int8_weight && !has_float_weight && weight->dtype != LPOT_DTYPE_UNKNOWN) {
    return "the weight is neither int8 nor bf16 nor fp32";
  }
  if (!has_int8_weight && !has_no_settings(weight)) {
    return "a weight that is not quantized has settings";
  }
  if (!lpot_op_config_is_quantized(config)) {
    return float_problem(config);
  }
  if (has_float_weight) {
    return "an int8 activation needs an int8 weight";
  }
  if (activation->granularity != LPOT_PER_TENSOR) {
    return "activations are quantized per tensor only";
  }
  if (weight->scheme != LPOT_SCHEME_SYM || weight->algorithm != LPOT_MINMAX) {
    return "weights are quantized by the sym scheme and the minmax algorithm only";
  }
  return NULL;
}

const char *lpot_op_config_dynamic_problem(const lpot_op_config *config) {
  const lpot_tensor_config *activation = &config->activation;
  const char *problem = lpot_op_config_problem(config);
  if (problem == NULL && activation->dtype == LPOT_BF16) {
    return "dynamic quantization knows uint8 and fp32 only";
  }
  if (problem != NULL || !lpot_op_config_is_quantized(config)) {
    return problem;
  }
  if (activation->dtype != LPOT_U8 || activation->scheme != LPOT_SCHEME_ASYM ||
      activation->algorithm != LPOT_MINMAX) {
    return "dynamic quantization makes activations uint8, asym and minmax only";
  }
  return config->weight.dtype == LPOT_S8 ? NULL : "dynamic quantization needs a constant weight";
}

bool lpot_op_type_has_bf16(const char *type) {
  return lpot_text_equal(type, "Conv") || lpot_text_equal(type, "Gemm") ||
         lpot_text_equal(type, "MatMul");
}

const char *lpot_op_config_problem_for(const char *type, bool dynamic,
                                       const lpot_op_config *config) {
  if (lpot_op_config_is_bf16(config) && !lpot_op_type_has_bf16(type)) {
    return "only Conv, Gemm and MatMul can be bf16";
  }
  return dynamic ? lpot_op_config_dynamic_problem(config) : lpot_op_config_problem(config);
}

lpot_status lpot_recipe_new(size_t num_ops, lpot_recipe **ret_recipe, lpot_error *err) {
  lpot_recipe *recipe = lpot_calloc(1, sizeof *recipe);
  if (recipe == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  recipe->ops = lpot_calloc(num_ops, sizeof *recipe->ops);
  if (recipe->ops == NULL) {
    lpot_recipe_free(recipe);
    return LPOT_OUT_OF_MEMORY(err);
  }
  recipe->num_ops = num_ops;
  for (size_t i = 0; i < num_ops; i++) {
    recipe->ops[i].activation.dtype = LPOT_F32;
    recipe->ops[i].weight.dtype = LPOT_F32;
  }
  *ret_recipe = recipe;
  return LPOT_OK;
}

lpot_status lpot_recipe_clone(const lpot_recipe *recipe, lpot_recipe **ret_recipe,
                              lpot_error *err) {
  lpot_recipe *clone = NULL;
  LPOT_TRY(lpot_recipe_new(recipe->num_ops, &clone, err));
  for (size_t i = 0; i < recipe->num_ops; i++) {
    clone->ops[i] = recipe->ops[i];
  }
  clone->calibration_samples = recipe->calibration_samples;
  clone->scale_propagation_concat = recipe->scale_propagation_concat;
  clone->dynamic = recipe->dynamic;
  clone->reduce_range = recipe->reduce_range;
  clone->corrections = recipe->corrections;
  *ret_recipe = clone;
  return LPOT_OK;
}

lpot_status lpot_recipe_exported(const lpot_recipe *recipe, lpot_recipe **ret_recipe,
                                 lpot_error *err) {
  lpot_recipe *exported = NULL;
  LPOT_TRY(lpot_recipe_clone(recipe, &exported, err));
  for (size_t i = 0; i < exported->num_ops; i++) {
    lpot_op_config *config = &exported->ops[i];
    if (lpot_op_config_is_bf16(config)) {
      config->activation.dtype = LPOT_F32;
      config->weight.dtype = config->weight.dtype == LPOT_BF16 ? LPOT_F32 : config->weight.dtype;
    }
  }
  *ret_recipe = exported;
  return LPOT_OK;
}

void lpot_recipe_free(lpot_recipe *recipe) {
  if (recipe == NULL) {
    return;
  }
  lpot_free(recipe->ops);
  lpot_free(recipe);
}

size_t lpot_recipe_num_quantized(const lpot_recipe *recipe) {
  size_t count = 0;
  for (size_t i = 0; i < recipe->num_ops; i++) {
    count += lpot_op_config_is_quantized(&recipe->ops[i]) ? 1 : 0;
  }
  return count;
}

size_t lpot_recipe_num_bf16(const lpot_recipe *recipe) {
  size_t count = 0;
  for (size_t i = 0; i < recipe->num_ops; i++) {
    count += lpot_op_config_is_bf16(&recipe->ops[i]) ? 1 : 0;
  }
  return count;
}

/* ---- bytes ---- */

/* Element types are written by ONNX's numbers: they outlive our enum's order. 0 is "no tensor". */
static void encode_tensor(const lpot_tensor_config *tensor, uint8_t out[4]) {
  out[0] = tensor->dtype == LPOT_DTYPE_UNKNOWN ? 0 : (uint8_t)lpot_dtype_to_onnx(tensor->dtype);
  out[1] = (uint8_t)tensor->scheme;
  out[2] = (uint8_t)tensor->granularity;
  out[3] = (uint8_t)tensor->algorithm;
}

static void encode_op(const lpot_op_config *config, uint8_t out[OP_BYTES]) {
  encode_tensor(&config->activation, out);
  encode_tensor(&config->weight, out + 4);
}

static uint8_t recipe_flags(const lpot_recipe *recipe) {
  unsigned corrections = lpot_corrections_bits(&recipe->corrections) << CORRECTIONS_SHIFT;
  unsigned concat = recipe->scale_propagation_concat ? RECIPE_FLAG_CONCAT : 0;
  unsigned dynamic = recipe->dynamic ? RECIPE_FLAG_DYNAMIC : 0;
  unsigned reduce = recipe->reduce_range ? RECIPE_FLAG_REDUCE : 0;
  return (uint8_t)(concat | dynamic | reduce | corrections);
}

/* The hash is chained over the ops, so it needs no memory and cannot fail. */
static uint64_t hash_of(const lpot_recipe *recipe, bool has_bf16) {
  uint8_t header[HEADER_BYTES];
  header[0] = recipe_flags(recipe);
  for (int i = 0; i < 8; i++) {
    header[1 + i] = (uint8_t)((uint64_t)recipe->calibration_samples >> (8 * i));
  }
  uint64_t hash = lpot_hash64(header, sizeof header, recipe->num_ops);
  const lpot_op_config f32 = {.activation = {.dtype = LPOT_F32}, .weight = {.dtype = LPOT_F32}};
  for (size_t i = 0; i < recipe->num_ops; i++) {
    const lpot_op_config *config = &recipe->ops[i];
    uint8_t bytes[OP_BYTES];
    bool is_bf16 = has_bf16 && lpot_op_config_is_bf16(config);
    encode_op(lpot_op_config_is_quantized(config) || is_bf16 ? config : &f32, bytes);
    hash = lpot_hash64(bytes, sizeof bytes, hash);
  }
  return hash;
}

uint64_t lpot_recipe_hash(const lpot_recipe *recipe) {
  return hash_of(recipe, true);
}

uint64_t lpot_recipe_exported_hash(const lpot_recipe *recipe) {
  return hash_of(recipe, false);
}

lpot_status lpot_recipe_write(const lpot_recipe *recipe, lpot_buffer *out, lpot_error *err) {
  if (recipe->num_ops > UINT32_MAX) {
    return LPOT_FAIL(err, LPOT_INVALID, "recipe: %zu ops do not fit its binary form",
                     recipe->num_ops);
  }
  LPOT_TRY(lpot_writer_u8(out, RECIPE_VERSION, err));
  LPOT_TRY(lpot_writer_u8(out, recipe_flags(recipe), err));
  LPOT_TRY(lpot_writer_i64(out, recipe->calibration_samples, err));
  LPOT_TRY(lpot_writer_u32(out, (uint32_t)recipe->num_ops, err));
  for (size_t i = 0; i < recipe->num_ops; i++) {
    uint8_t bytes[OP_BYTES];
    encode_op(&recipe->ops[i], bytes);
    LPOT_TRY(lpot_writer_bytes(out, bytes, sizeof bytes, err));
  }
  return LPOT_OK;
}

static bool decode_tensor(const uint8_t bytes[4], lpot_tensor_config *ret) {
  ret->dtype = bytes[0] == 0 ? LPOT_DTYPE_UNKNOWN : lpot_dtype_from_onnx(bytes[0]);
  if ((bytes[0] != 0 && ret->dtype == LPOT_DTYPE_UNKNOWN) || bytes[1] >= LPOT_NUM_SCHEMES ||
      bytes[2] >= LPOT_NUM_GRANULARITIES || bytes[3] >= LPOT_NUM_ALGORITHMS) {
    return false;
  }
  ret->scheme = (lpot_scheme)bytes[1];
  ret->granularity = (lpot_granularity)bytes[2];
  ret->algorithm = (lpot_algorithm)bytes[3];
  return true;
}

static lpot_status read_op(lpot_reader *reader, size_t index, bool dynamic, lpot_op_config *ret,
                           lpot_error *err) {
  const uint8_t *bytes = NULL;
  LPOT_TRY(lpot_reader_bytes(reader, OP_BYTES, &bytes, err));
  if (!decode_tensor(bytes, &ret->activation) || !decode_tensor(bytes + 4, &ret->weight)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "recipe: op %zu has an unknown setting", index);
  }
  const char *problem = dynamic ? lpot_op_config_dynamic_problem(ret) : lpot_op_config_problem(ret);
  if (problem != NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "recipe: op %zu: %s", index, problem);
  }
  return LPOT_OK;
}

static lpot_status read_ops(lpot_reader *reader, lpot_recipe *recipe, lpot_error *err) {
  for (size_t i = 0; i < recipe->num_ops; i++) {
    LPOT_TRY(read_op(reader, i, recipe->dynamic, &recipe->ops[i], err));
  }
  return LPOT_OK;
}

lpot_status lpot_recipe_read(lpot_reader *reader, lpot_recipe **ret_recipe, lpot_error *err) {
  uint8_t version = 0;
  uint8_t flags = 0;
  int64_t samples = 0;
  uint32_t num_ops = 0;
  LPOT_TRY(lpot_reader_u8(reader, &version, err));
  LPOT_TRY(lpot_reader_u8(reader, &flags, err));
  LPOT_TRY(lpot_reader_i64(reader, &samples, err));
  LPOT_TRY(lpot_reader_u32(reader, &num_ops, err));
  if (version != RECIPE_VERSION) {
    return LPOT_FAIL(err, LPOT_FORMAT, "recipe: version is %d, expected %d", version,
                     RECIPE_VERSION);
  }
  const lpot_corrections corrections = lpot_corrections_of_bits(flags >> CORRECTIONS_SHIFT);
  bool dynamic = (flags & RECIPE_FLAG_DYNAMIC) != 0;
  bool static_too =
      (flags & RECIPE_FLAG_CONCAT) != 0 || samples != 0 || lpot_corrections_any(&corrections);
  if (flags >> NUM_FLAGS != 0 || samples < 0 || (dynamic && static_too)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "recipe: flags %d or %lld samples are out of range", flags,
                     (long long)samples);
  }
  if (num_ops > lpot_reader_remaining(reader) / OP_BYTES) {
    return LPOT_FAIL(err, LPOT_FORMAT, "recipe: %u ops announced, %zu bytes are left", num_ops,
                     lpot_reader_remaining(reader));
  }
  lpot_recipe *recipe = NULL;
  LPOT_TRY(lpot_recipe_new(num_ops, &recipe, err));
  recipe->calibration_samples = samples;
  recipe->scale_propagation_concat = (flags & RECIPE_FLAG_CONCAT) != 0;
  recipe->dynamic = dynamic;
  recipe->reduce_range = (flags & RECIPE_FLAG_REDUCE) != 0;
  recipe->corrections = corrections;
  lpot_status status = read_ops(reader, recipe, err);
  if (status != LPOT_OK) {
    lpot_recipe_free(recipe);
    return status;
  }
  *ret_recipe = recipe;
  return LPOT_OK;
}
