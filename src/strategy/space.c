#include "strategy/space.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "strategy/space_build.h"

struct lpot_space {
  lpot_arena *arena; /* owned; holds all below */
  size_t num_ops;
  lpot_space_op *ops; /* [num_ops] */
  size_t num_sampling_sizes;
  int64_t *sampling_sizes; /* [num_sampling_sizes] */
  size_t num_corrections;
  lpot_corrections *corrections; /* [num_corrections] */
  bool scale_propagation_concat;
  bool reduce_range;
  bool dynamic;
  lpot_space_warnings warnings;
};

static lpot_status copy_sampling_sizes(lpot_space *space, size_t count, const int64_t *sizes,
                                       lpot_error *err) {
  if (count == 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "tuning space: expected at least one sampling size, got 0");
  }
  space->num_sampling_sizes = count;
  space->sampling_sizes = lpot_arena_alloc(space->arena, count, sizeof *space->sampling_sizes);
  if (space->sampling_sizes == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  memcpy(space->sampling_sizes, sizes, count * sizeof *space->sampling_sizes);
  return LPOT_OK;
}

static const lpot_choices off = {.count = 1, .values = {0}};

/* What was wished for, or off. */
static const lpot_choices *choices_of(const lpot_wishes *wishes, bool dynamic, size_t dim) {
  const lpot_choices *wish = &wishes->corrections[dim];
  return dynamic || wish->count == 0 ? &off : wish;
}

/* The product of the wishes, the last correction fastest. */
static lpot_status list_corrections(lpot_space *space, bool dynamic, const lpot_wishes *wishes,
                                    lpot_error *err) {
  space->num_corrections = 1;
  for (size_t dim = 0; dim < LPOT_NUM_CORRECTIONS; dim++) {
    space->num_corrections *= choices_of(wishes, dynamic, dim)->count;
  }
  space->corrections =
      lpot_arena_alloc(space->arena, space->num_corrections, sizeof *space->corrections);
  if (space->corrections == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < space->num_corrections; i++) {
    lpot_corrections *corrections = &space->corrections[i];
    size_t rest = i;
    for (size_t dim = LPOT_NUM_CORRECTIONS; dim > 0; dim--) {
      const lpot_choices *choices = choices_of(wishes, dynamic, dim - 1);
      *lpot_correction_of(corrections, (lpot_correction)(dim - 1)) =
          choices->values[rest % choices->count] != 0;
      rest /= choices->count;
    }
  }
  return LPOT_OK;
}

/* What a recipe says besides its ops. Without a calibration there is nothing to choose. */
static lpot_status fill_rest(lpot_space *space, bool dynamic, const lpot_wishes *wishes,
                             lpot_error *err) {
  static const int64_t none = 0;
  space->dynamic = dynamic;
  space->scale_propagation_concat = !dynamic && wishes->scale_propagation_concat;
  space->reduce_range = wishes->reduce_range;
  LPOT_TRY(copy_sampling_sizes(space, dynamic ? 1 : wishes->num_sampling_sizes,
                               dynamic ? &none : wishes->sampling_sizes, err));
  LPOT_TRY(list_corrections(space, dynamic, wishes, err));
  return LPOT_OK;
}

static lpot_op_config f32_config(const lpot_op_choices *capability) {
  lpot_dtype weight = capability->weight.dtype.count == 0 ? LPOT_DTYPE_UNKNOWN : LPOT_F32;
  return (lpot_op_config){.activation = {.dtype = LPOT_F32}, .weight = {.dtype = weight}};
}

static bool is_f32_alone(const lpot_choices *dtype) {
  return dtype->count == 1 && dtype->values[0] == LPOT_F32;
}

static void force_f32(lpot_op_choices *choices) {
  const lpot_choices f32 = {.count = 1, .values = {LPOT_F32}};
  choices->activation.dtype = f32;
  if (choices->weight.dtype.count > 0) {
    choices->weight.dtype = f32;
  }
}

static bool is_conv_or_matmul(const char *type) {
  static const char *const types[] = {"Conv", "MatMul", "Gemm"};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    if (lpot_text_equal(type, types[i])) {
      return true;
    }
  }
  return false;
}

/* Recipe first_conv_or_matmul_quantization: the ops are in topological order. */
static void exclude_first(const lpot_space_ops *ops, lpot_op_choices *choices) {
  for (size_t i = 0; i < ops->count; i++) {
    if (is_conv_or_matmul(ops->types[i])) {
      force_f32(&choices[i]);
      return;
    }
  }
}

static lpot_status list_reduced(lpot_space *space, lpot_space_op *op, lpot_error *err) {
  size_t *quantized = lpot_arena_alloc(space->arena, op->num_configs, sizeof *quantized);
  size_t *reduced = lpot_arena_alloc(space->arena, op->num_configs, sizeof *reduced);
  if (quantized == NULL || reduced == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < op->num_configs; i++) {
    bool is_quantized = lpot_op_config_is_quantized(&op->configs[i]);
    bool is_bf16 = lpot_op_config_is_bf16(&op->configs[i]);
    if (is_quantized) {
      quantized[op->num_quantized] = i;
      op->num_quantized++;
    }
    if (is_quantized || is_bf16) {
      reduced[op->num_reduced] = i;
      op->num_reduced++;
    }
    op->bf16 = is_bf16 ? &op->configs[i] : op->bf16;
  }
  op->quantized = quantized;
  op->reduced = reduced;
  return LPOT_OK;
}

static lpot_status fill_op(lpot_space *space, const lpot_space_ops *ops, size_t index,
                           lpot_op_choices *choices, bool may_fall_back, lpot_error *err) {
  lpot_space_op *op = &space->ops[index];
  lpot_op_config *configs = NULL;
  op->name = ops->names[index];
  op->type = ops->types[index];
  op->fallback = f32_config(&ops->capabilities[index]);
  op->may_fall_back = may_fall_back;
  /* One float tensor makes a float op, whatever a wider wish left of the other tensor. */
  if (is_f32_alone(&choices->activation.dtype) || is_f32_alone(&choices->weight.dtype)) {
    force_f32(choices);
  }
  LPOT_TRY(lpot_space_expand(choices, space->arena, &configs, &op->num_configs, err));
  if (op->num_configs == 0) {
    char shown[96];
    lpot_text_printable(op->name, shown, sizeof shown);
    LPOT_TRY(lpot_space_warn(&space->warnings, err,
                             "op '%s' (%s): the wishes leave no configuration, it stays fp32",
                             shown, op->type));
    configs[0] = op->fallback;
    op->num_configs = 1;
  }
  op->configs = configs;
  LPOT_TRY(list_reduced(space, op, err));
  return LPOT_OK;
}

static lpot_status fill_space(lpot_space *space, const lpot_space_ops *ops,
                              const lpot_wishes *wishes, lpot_error *err) {
  LPOT_TRY(lpot_arena_new(&space->arena, err));
  space->warnings.arena = space->arena;
  LPOT_TRY(fill_rest(space, ops->dynamic, wishes, err));
  space->ops = lpot_arena_alloc(space->arena, ops->count, sizeof *space->ops);
  lpot_op_choices *choices = lpot_arena_alloc(space->arena, ops->count, sizeof *choices);
  bool *may_fall_back = lpot_arena_alloc(space->arena, ops->count, sizeof *may_fall_back);
  if (space->ops == NULL || choices == NULL || may_fall_back == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  space->num_ops = ops->count;
  LPOT_TRY(lpot_space_merge(ops, wishes, &space->warnings, choices, may_fall_back, err));
  if (!wishes->first_conv_or_matmul_quantization) {
    exclude_first(ops, choices);
  }
  for (size_t i = 0; i < ops->count; i++) {
    LPOT_TRY(fill_op(space, ops, i, &choices[i], may_fall_back[i], err));
  }
  return LPOT_OK;
}

lpot_status lpot_space_new_from_ops(const lpot_space_ops *ops, const lpot_wishes *wishes,
                                    lpot_space **ret_space, lpot_error *err) {
  lpot_space *space = lpot_calloc(1, sizeof *space);
  if (space == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = fill_space(space, ops, wishes, err);
  if (status != LPOT_OK) {
    lpot_space_free(space);
    return status;
  }
  *ret_space = space;
  return LPOT_OK;
}

lpot_status lpot_space_new(const lpot_quant_ops *ops, const lpot_wishes *wishes,
                           lpot_space **ret_space, lpot_error *err) {
  size_t count = lpot_quant_ops_count(ops);
  lpot_op_choices *capabilities = lpot_calloc(count, sizeof *capabilities);
  if (capabilities == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; i++) {
    capabilities[i] = lpot_capability(lpot_quant_ops_get(ops, i));
  }
  const lpot_space_ops plain = {.count = count,
                                .names = lpot_quant_ops_names(ops),
                                .types = lpot_quant_ops_types(ops),
                                .capabilities = capabilities,
                                .dynamic = lpot_quant_ops_is_dynamic(ops)};
  lpot_status status = lpot_space_new_from_ops(&plain, wishes, ret_space, err);
  lpot_free(capabilities);
  return status;
}

void lpot_space_free(lpot_space *space) {
  if (space == NULL) {
    return;
  }
  lpot_arena_free(space->arena);
  lpot_free(space);
}

size_t lpot_space_num_ops(const lpot_space *space) {
  return space->num_ops;
}

const lpot_space_op *lpot_space_get(const lpot_space *space, size_t index) {
  LPOT_ASSERT(index < space->num_ops);
  return &space->ops[index];
}

size_t lpot_space_num_sampling_sizes(const lpot_space *space) {
  return space->num_sampling_sizes;
}

int64_t lpot_space_sampling_size(const lpot_space *space, size_t index) {
  LPOT_ASSERT(index < space->num_sampling_sizes);
  return space->sampling_sizes[index];
}

size_t lpot_space_num_corrections(const lpot_space *space) {
  return space->num_corrections;
}

const lpot_corrections *lpot_space_corrections(const lpot_space *space, size_t index) {
  LPOT_ASSERT(index < space->num_corrections);
  return &space->corrections[index];
}

size_t lpot_space_num_variants(const lpot_space *space) {
  return space->num_sampling_sizes * space->num_corrections;
}

bool lpot_space_is_dynamic(const lpot_space *space) {
  return space->dynamic;
}

bool lpot_space_scale_propagation_concat(const lpot_space *space) {
  return space->scale_propagation_concat;
}

bool lpot_space_reduce_range(const lpot_space *space) {
  return space->reduce_range;
}

size_t lpot_space_num_warnings(const lpot_space *space) {
  return space->warnings.count;
}

const char *lpot_space_warning(const lpot_space *space, size_t index) {
  LPOT_ASSERT(index < space->warnings.count);
  return space->warnings.texts[index];
}
