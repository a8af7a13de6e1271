#include "strategy/basic_uniform.h"

#include "strategy/strategy_impl.h"

typedef struct uniform_tuple {
  lpot_dtype dtype;
  lpot_scheme scheme;
  lpot_algorithm algorithm;
  lpot_granularity granularity; /* of the weight */
} uniform_tuple;

typedef struct block_row {
  lpot_dtype dtype;
  lpot_scheme scheme;
  lpot_granularity granularity;
} block_row;

static const block_row block_ranks[] = {
    {LPOT_U8, LPOT_SCHEME_ASYM, LPOT_PER_CHANNEL}, {LPOT_S8, LPOT_SCHEME_SYM, LPOT_PER_CHANNEL},
    {LPOT_U8, LPOT_SCHEME_ASYM, LPOT_PER_TENSOR},  {LPOT_S8, LPOT_SCHEME_SYM, LPOT_PER_TENSOR},
    {LPOT_U8, LPOT_SCHEME_SYM, LPOT_PER_CHANNEL},  {LPOT_S8, LPOT_SCHEME_ASYM, LPOT_PER_CHANNEL},
    {LPOT_U8, LPOT_SCHEME_SYM, LPOT_PER_TENSOR},   {LPOT_S8, LPOT_SCHEME_ASYM, LPOT_PER_TENSOR},
};

static const lpot_algorithm algorithm_ranks[] = {LPOT_MINMAX, LPOT_PERCENTILE, LPOT_KL, LPOT_MSE};

#define NUM_BLOCKS (sizeof block_ranks / sizeof block_ranks[0])
#define NUM_ALGORITHMS (sizeof algorithm_ranks / sizeof algorithm_ranks[0])

static bool has_weight(const lpot_op_config *config) {
  return config->weight.dtype != LPOT_DTYPE_UNKNOWN;
}

static bool has_settings(const lpot_op_config *config, const uniform_tuple *tuple) {
  const lpot_tensor_config *activation = &config->activation;
  return activation->dtype == tuple->dtype && activation->scheme == tuple->scheme &&
         activation->algorithm == tuple->algorithm &&
         (!has_weight(config) || config->weight.granularity == tuple->granularity);
}

static bool any_weight(const lpot_space *space) {
  for (size_t i = 0; i < lpot_space_num_ops(space); i++) {
    const lpot_space_op *op = lpot_space_get(space, i);
    if (op->num_quantized > 0 && has_weight(&op->configs[op->quantized[0]])) {
      return true;
    }
  }
  return false;
}

/* NULL when op has no configuration with the tuple's settings. */
static const lpot_op_config *find_config(const lpot_space_op *op, const uniform_tuple *tuple) {
  for (size_t i = 0; i < op->num_quantized; i++) {
    const lpot_op_config *config = &op->configs[op->quantized[i]];
    if (has_settings(config, tuple)) {
      return config;
    }
  }
  return NULL;
}

static bool tuple_exists(const lpot_space *space, const uniform_tuple *tuple,
                         bool by_weighted_ops) {
  for (size_t i = 0; i < lpot_space_num_ops(space); i++) {
    const lpot_op_config *config = find_config(lpot_space_get(space, i), tuple);
    if (config != NULL && (has_weight(config) || !by_weighted_ops)) {
      return true;
    }
  }
  return false;
}

/* LPOT's rule: the configuration that equals the tuple, else the first. */
static const lpot_op_config *common_config(const lpot_space_op *op, const uniform_tuple *tuple) {
  const lpot_op_config *config = find_config(op, tuple);
  return config == NULL ? lpot_strategy_option(op, 0) : config;
}

static lpot_status add_recipe(const lpot_space *space, const uniform_tuple *tuple,
                              lpot_hint_list *list, lpot_error *err) {
  lpot_recipe *recipe = NULL;
  LPOT_TRY(lpot_strategy_blank_recipe(space, 0, &recipe, err));
  for (size_t i = 0; i < recipe->num_ops; i++) {
    recipe->ops[i] = *common_config(lpot_space_get(space, i), tuple);
  }
  lpot_hint_list_add(list, &recipe, LPOT_RANK);
  return LPOT_OK;
}

static lpot_status add_all(const lpot_space *space, lpot_hint_list *list, lpot_error *err) {
  bool by_weighted_ops = any_weight(space);
  uniform_tuple tuple = {0};
  for (size_t i = 0; i < NUM_BLOCKS * NUM_ALGORITHMS && !lpot_hint_list_is_full(list); i++) {
    const block_row *block = &block_ranks[i / NUM_ALGORITHMS];
    tuple.dtype = block->dtype;
    tuple.scheme = block->scheme;
    tuple.granularity = block->granularity;
    tuple.algorithm = algorithm_ranks[i % NUM_ALGORITHMS];
    if (tuple_exists(space, &tuple, by_weighted_ops)) {
      LPOT_TRY(add_recipe(space, &tuple, list, err));
    }
  }
  if (list->count == 0) {
    LPOT_TRY(add_recipe(space, &tuple, list, err));
  }
  return LPOT_OK;
}

lpot_status lpot_basic_uniform(const lpot_space *space, lpot_recipe **out, size_t *ret_count,
                               lpot_error *err) {
  lpot_hint_list list = {.capacity = LPOT_MAX_UNIFORM, .recipes = out};
  lpot_status status = add_all(space, &list, err);
  if (status != LPOT_OK) {
    for (size_t i = 0; i < list.count; i++) {
      lpot_recipe_free(out[i]);
      out[i] = NULL;
    }
    return status;
  }
  *ret_count = list.count;
  return LPOT_OK;
}
