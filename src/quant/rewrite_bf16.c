/* Casts around bf16 ops. */
#include <string.h>

#include "quant/rewrite_plan.h"

/* rounded [num_rounded]: what bf16 ops read in place of a value of qdq, or LPOT_NONE. Values beyond
 * are outputs of our own casts: they are rounded already. */
typedef struct bf16_casts {
  lpot_rewrite *rewrite;
  lpot_value_id *rounded; /* arena */
  size_t num_rounded;
} bf16_casts;

static lpot_status new_value(bf16_casts *casts, const char *base, const char *suffix,
                             lpot_dtype dtype, const lpot_shape *shape, lpot_value_id *ret_value,
                             lpot_error *err) {
  const char *name = lpot_arena_printf(casts->rewrite->arena, "%s%s", base, suffix);
  if (name == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  LPOT_TRY(lpot_graph_add_value(casts->rewrite->qdq, name, dtype, shape, ret_value, err));
  return LPOT_OK;
}

static lpot_status add_cast(bf16_casts *casts, lpot_value_id from, lpot_value_id to,
                            lpot_node_id *ret_node, lpot_error *err) {
  lpot_graph *graph = casts->rewrite->qdq;
  lpot_dtype dtype = lpot_graph_value(graph, to)->dtype;
  LPOT_TRY(lpot_graph_add_node(graph, LPOT_OP_CAST, NULL, &from, 1, &to, 1, ret_node, err));
  LPOT_TRY(lpot_graph_set_int(graph, *ret_node, "to", lpot_dtype_to_onnx(dtype), err));
  return LPOT_OK;
}

/* The pair around value; output LPOT_NONE makes a new value, else that one is produced. */
static lpot_status add_pair(bf16_casts *casts, lpot_value_id value, const char *name,
                            lpot_value_id output, lpot_value_id *ret_rounded,
                            lpot_node_id *ret_first, lpot_error *err) {
  const lpot_shape shape = lpot_graph_value(casts->rewrite->qdq, value)->shape;
  lpot_value_id narrow = LPOT_NONE;
  lpot_node_id last = LPOT_NONE;
  LPOT_TRY(new_value(casts, name, "_bf16", LPOT_BF16, &shape, &narrow, err));
  LPOT_TRY(add_cast(casts, value, narrow, ret_first, err));
  if (output == LPOT_NONE) {
    LPOT_TRY(new_value(casts, name, "_from_bf16", LPOT_F32, &shape, &output, err));
  }
  LPOT_TRY(add_cast(casts, narrow, output, &last, err));
  *ret_rounded = output;
  return LPOT_OK;
}

/* The name of a graph output stays on the rounded value. */
static lpot_status round_output(bf16_casts *casts, lpot_value_id value, lpot_error *err) {
  lpot_graph *graph = casts->rewrite->qdq;
  const lpot_value *info = lpot_graph_value(graph, value);
  const char *name = info->name;
  lpot_value_id raw = value;
  lpot_node_id first = LPOT_NONE;
  bool is_output = lpot_graph_is_output(graph, value);
  if (is_output) {
    const lpot_shape shape = info->shape;
    lpot_node_id producer = info->producer;
    LPOT_TRY(new_value(casts, name, "_float", LPOT_F32, &shape, &raw, err));
    LPOT_TRY(lpot_graph_set_output(graph, producer, 0, raw, err));
  }
  LPOT_TRY(add_pair(casts, raw, name, is_output ? value : LPOT_NONE, &casts->rounded[value], &first,
                    err));
  if (!is_output) {
    LPOT_TRY(lpot_graph_replace_uses(graph, value, casts->rounded[value], first, err));
  }
  return LPOT_OK;
}

static lpot_status round_constant(bf16_casts *casts, lpot_value_id value, lpot_error *err) {
  lpot_graph *graph = casts->rewrite->qdq;
  const lpot_value *info = lpot_graph_value(graph, value);
  const lpot_tensor *constant = info->constant;
  const char *name = lpot_arena_printf(casts->rewrite->arena, "%s_bf16", info->name);
  lpot_value_id narrow = LPOT_NONE;
  lpot_node_id node = LPOT_NONE;
  lpot_tensor *tensor = NULL;
  if (name == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  const lpot_shape shape = constant->shape;
  const uint8_t *bytes = constant->data; /* may be unaligned */
  LPOT_TRY(lpot_tensor_new(LPOT_BF16, &shape, &tensor, err));
  uint16_t *out = tensor->data;
  int64_t count = lpot_tensor_elements(constant);
  for (int64_t i = 0; i < count; i++) {
    float number = 0;
    memcpy(&number, bytes + (size_t)i * sizeof number, sizeof number);
    out[i] = lpot_f32_to_bf16(number);
  }
  lpot_status status = lpot_graph_add_constant(graph, name, &tensor, &narrow, err);
  lpot_tensor_unref(tensor);
  LPOT_TRY(status);
  LPOT_TRY(new_value(casts, name, "_wide", LPOT_F32, &shape, &casts->rounded[value], err));
  LPOT_TRY(add_cast(casts, narrow, casts->rounded[value], &node, err));
  return LPOT_OK;
}

/* Input 0 and 1 of Conv, Gemm and MatMul; the bias stays f32. */
static lpot_status round_input(bf16_casts *casts, lpot_node_id anchor, int index, lpot_error *err) {
  lpot_graph *graph = casts->rewrite->qdq;
  lpot_value_id value = lpot_graph_node(graph, anchor)->inputs[index];
  if ((size_t)value >= casts->num_rounded) {
    return LPOT_OK;
  }
  if (casts->rounded[value] == LPOT_NONE && lpot_graph_value(graph, value)->constant != NULL) {
    LPOT_TRY(round_constant(casts, value, err));
  } else if (casts->rounded[value] == LPOT_NONE) {
    lpot_node_id first = LPOT_NONE;
    const char *name = lpot_graph_value(graph, value)->name;
    LPOT_TRY(add_pair(casts, value, name, LPOT_NONE, &casts->rounded[value], &first, err));
  }
  LPOT_TRY(lpot_graph_set_input(graph, anchor, index, casts->rounded[value], err));
  return LPOT_OK;
}

lpot_status lpot_rewrite_bf16(lpot_rewrite *rewrite, lpot_error *err) {
  const lpot_recipe *recipe = rewrite->recipe;
  if (lpot_recipe_num_bf16(recipe) == 0) {
    return LPOT_OK;
  }
  bf16_casts casts = {.rewrite = rewrite, .num_rounded = lpot_graph_num_values(rewrite->qdq)};
  casts.rounded = lpot_arena_alloc(rewrite->arena, casts.num_rounded, sizeof *casts.rounded);
  if (casts.rounded == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < casts.num_rounded; i++) {
    casts.rounded[i] = LPOT_NONE;
  }
  /* Outputs first: who reads one needs no pair of its own. */
  for (size_t i = 0; i < recipe->num_ops; i++) {
    if (lpot_op_config_is_bf16(&recipe->ops[i])) {
      LPOT_TRY(round_output(&casts, lpot_quant_ops_get(rewrite->ops, i)->output, err));
    }
  }
  for (size_t i = 0; i < recipe->num_ops; i++) {
    for (int k = 0; k < 2 && lpot_op_config_is_bf16(&recipe->ops[i]); k++) {
      LPOT_TRY(round_input(&casts, lpot_quant_ops_get(rewrite->ops, i)->anchor, k, err));
    }
  }
  return LPOT_OK;
}
