#include "quant/rewrite.h"

#include "graph/passes/passes.h"
#include "quant/rewrite_plan.h"

bool lpot_rewrite_is_int8(const lpot_rewrite *rewrite, size_t index) {
  return lpot_op_config_is_quantized(&rewrite->recipe->ops[index]);
}

lpot_qdq_builder lpot_rewrite_builder(const lpot_rewrite *rewrite) {
  return (lpot_qdq_builder){.graph = rewrite->qdq, .arena = rewrite->arena};
}

static lpot_status check_op(const lpot_quant_op *op, const lpot_op_config *config,
                            lpot_error *err) {
  const char *problem = lpot_op_config_problem_for(op->type, op->dynamic, config);
  if (problem != NULL) {
    return LPOT_FAIL(err, LPOT_INVALID, "recipe: op '%s': %s", op->name, problem);
  }
  bool has_weight = op->weight != LPOT_NONE;
  bool configures_weight = config->weight.dtype != LPOT_DTYPE_UNKNOWN;
  bool is_f32 = !lpot_op_config_is_quantized(config) && !lpot_op_config_is_bf16(config);
  if (!is_f32 && has_weight != configures_weight) {
    return LPOT_FAIL(err, LPOT_INVALID, "recipe: op '%s' has %s constant weight, the recipe has %s",
                     op->name, has_weight ? "a" : "no", configures_weight ? "one" : "none");
  }
  return LPOT_OK;
}

static const char *approach_text(bool dynamic) {
  return dynamic ? "dynamic" : "static";
}

static lpot_status check_recipe(const lpot_quant_ops *ops, const lpot_recipe *recipe,
                                const lpot_calibration *calibration, lpot_error *err) {
  if (recipe->num_ops != lpot_quant_ops_count(ops)) {
    return LPOT_FAIL(err, LPOT_INVALID, "recipe: has %zu ops, the model has %zu", recipe->num_ops,
                     lpot_quant_ops_count(ops));
  }
  if (recipe->dynamic != lpot_quant_ops_is_dynamic(ops)) {
    return LPOT_FAIL(err, LPOT_INVALID, "recipe: is of %s quantization, its ops are of %s",
                     approach_text(recipe->dynamic), approach_text(!recipe->dynamic));
  }
  for (size_t i = 0; i < recipe->num_ops; i++) {
    LPOT_TRY(check_op(lpot_quant_ops_get(ops, i), &recipe->ops[i], err));
  }
  if (!recipe->dynamic && calibration == NULL && lpot_recipe_num_quantized(recipe) > 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "recipe: its int8 ops need a calibration");
  }
  return LPOT_OK;
}

static lpot_status rewrite_graph(lpot_rewrite *rewrite, lpot_error *err) {
  LPOT_TRY(lpot_arena_new(&rewrite->arena, err));
  if (rewrite->recipe->dynamic) {
    LPOT_TRY(lpot_graph_clone(rewrite->graph, &rewrite->qdq, err));
    LPOT_TRY(lpot_rewrite_dynamic(rewrite, err));
  } else {
    LPOT_TRY(lpot_rewrite_plan(rewrite, err));
    LPOT_TRY(lpot_graph_clone(rewrite->graph, &rewrite->qdq, err));
    LPOT_TRY(lpot_rewrite_insert_pairs(rewrite, err));
    LPOT_TRY(lpot_rewrite_weights(rewrite, err));
    LPOT_TRY(lpot_rewrite_bf16(rewrite, err));
  }
  LPOT_TRY(lpot_pass_remove_dead(rewrite->qdq, err));
  return LPOT_OK;
}

lpot_status lpot_quant_rewrite(const lpot_graph *graph, const lpot_quant_ops *ops,
                               const lpot_recipe *recipe, const lpot_calibration *calibration,
                               lpot_weight_cache *cache, lpot_graph **ret_qdq, lpot_error *err) {
  LPOT_TRY(check_recipe(ops, recipe, calibration, err));
  lpot_rewrite rewrite = {
      .graph = graph,
      .ops = ops,
      .recipe = recipe,
      .calibration = calibration,
      .cache = cache,
      .num_tensors = lpot_graph_num_values(graph),
  };
  lpot_status status = rewrite_graph(&rewrite, err);
  if (status == LPOT_OK) {
    *ret_qdq = rewrite.qdq;
    rewrite.qdq = NULL;
  }
  lpot_graph_free(rewrite.qdq);
  lpot_arena_free(rewrite.arena);
  return status;
}
