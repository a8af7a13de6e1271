/* The YAML form of a recipe:
 *
 *   calibration_samples: 100
 *   scale_propagation_concat: true
 *   ops:
 *     - name: "conv1"
 *       type: Conv
 *       activation: {dtype: uint8, scheme: asym, granularity: per_tensor, algorithm: minmax}
 *       weight: {dtype: int8, scheme: sym, granularity: per_channel, algorithm: minmax}
 *     - name: "add1"
 *       type: Add
 *       activation: {dtype: fp32}
 *
 * bf16 stands alone as fp32 does. An op without a constant weight has no weight entry. Ops may
 * stand in any order when read. Of dynamic quantization the first two lines are one: "approach:
 * dynamic". Where weights have the reduced range "reduce_range: true" follows, and then the
 * corrections that are on (quant/corrections.h), which dynamic quantization has not. */
#include "quant/recipe.h"

#include <stdio.h>

#include "base/text.h"
#include "quant/op_items.h"

typedef struct dtype_name {
  const char *text;
  lpot_dtype dtype;
} dtype_name;

/* LPOT's names of the types, in the order of dtype_texts. */
static const dtype_name dtype_names[] = {
    {"uint8", LPOT_U8}, {"int8", LPOT_S8}, {"fp32", LPOT_F32}, {"bf16", LPOT_BF16}};
static const char *const dtype_texts[] = {"uint8", "int8", "fp32", "bf16", NULL};
static const char *const scheme_names[] = {"sym", "asym", NULL};
static const char *const granularity_names[] = {"per_tensor", "per_channel", NULL};
static const char *const algorithm_names[] = {"minmax", "kl", "percentile", "mse", NULL};
static const char *const root_keys[] = {"approach",
                                        "calibration_samples",
                                        "scale_propagation_concat",
                                        "reduce_range",
                                        LPOT_CORRECTION_KEYS,
                                        "ops",
                                        NULL};
static const char *const dynamic_root_keys[] = {"approach", "reduce_range", "ops", NULL};
static const char *const approach_names[] = {"static", "dynamic", NULL};
static const char *const op_keys[] = {"name", "type", "activation", "weight", NULL};
static const char *const tensor_keys[] = {"dtype", "scheme", "granularity", "algorithm", NULL};

/* ---- writing ---- */

static const char *dtype_text(lpot_dtype dtype) {
  for (size_t i = 0; i < sizeof dtype_names / sizeof dtype_names[0]; i++) {
    if (dtype_names[i].dtype == dtype) {
      return dtype_names[i].text;
    }
  }
  return "unknown";
}

static lpot_status write_tensor(lpot_buffer *out, const char *key, const lpot_tensor_config *tensor,
                                lpot_error *err) {
  if (tensor->dtype == LPOT_DTYPE_UNKNOWN) {
    return LPOT_OK;
  }
  if (lpot_dtype_is_float(tensor->dtype)) {
    return lpot_buffer_printf(out, err, "    %s: {dtype: %s}\n", key, dtype_text(tensor->dtype));
  }
  return lpot_buffer_printf(
      out, err, "    %s: {dtype: %s, scheme: %s, granularity: %s, algorithm: %s}\n", key,
      dtype_text(tensor->dtype), lpot_scheme_text(tensor->scheme),
      lpot_granularity_text(tensor->granularity), lpot_algorithm_text(tensor->algorithm));
}

static lpot_status write_op(lpot_buffer *out, const char *name, const char *type,
                            const lpot_op_config *config, lpot_error *err) {
  LPOT_TRY(lpot_op_item_write(name, type, out, err));
  LPOT_TRY(write_tensor(out, "activation", &config->activation, err));
  LPOT_TRY(write_tensor(out, "weight", &config->weight, err));
  return LPOT_OK;
}

static lpot_status write_root(lpot_buffer *out, const lpot_recipe *recipe, lpot_error *err) {
  if (recipe->dynamic) {
    LPOT_TRY(lpot_buffer_printf(out, err, "approach: dynamic\n"));
  } else {
    LPOT_TRY(lpot_buffer_printf(out, err,
                                "calibration_samples: %lld\nscale_propagation_concat: %s\n",
                                (long long)recipe->calibration_samples,
                                recipe->scale_propagation_concat ? "true" : "false"));
  }
  if (recipe->reduce_range) {
    LPOT_TRY(lpot_buffer_printf(out, err, "reduce_range: true\n"));
  }
  LPOT_TRY(lpot_corrections_write(&recipe->corrections, out, err));
  return LPOT_OK;
}

lpot_status lpot_recipe_to_text(const lpot_recipe *recipe, const char *const *names,
                                const char *const *types, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(write_root(out, recipe, err));
  LPOT_TRY(lpot_buffer_printf(out, err, recipe->num_ops == 0 ? "ops: []\n" : "ops:\n"));
  for (size_t i = 0; i < recipe->num_ops; i++) {
    LPOT_TRY(write_op(out, names[i], types[i], &recipe->ops[i], err));
  }
  return LPOT_OK;
}

/* ---- reading ---- */

static lpot_status read_choice(const lpot_yaml_node *map, const char *key, const char *const *names,
                               int *ret_index, lpot_error *err) {
  const lpot_yaml_node *node = NULL;
  LPOT_TRY(lpot_yaml_require(map, key, &node, err));
  LPOT_TRY(lpot_yaml_choice(node, names, ret_index, err));
  return LPOT_OK;
}

static lpot_status read_tensor(const lpot_yaml_node *map, lpot_tensor_config *ret,
                               lpot_error *err) {
  int dtype = 0;
  int scheme = 0;
  int granularity = 0;
  int algorithm = 0;
  LPOT_TRY(lpot_yaml_check_keys(map, tensor_keys, err));
  LPOT_TRY(read_choice(map, "dtype", dtype_texts, &dtype, err));
  *ret = (lpot_tensor_config){.dtype = dtype_names[dtype].dtype};
  if (lpot_dtype_is_float(ret->dtype) && map->num_children == 1) {
    return LPOT_OK;
  }
  LPOT_TRY(read_choice(map, "scheme", scheme_names, &scheme, err));
  LPOT_TRY(read_choice(map, "granularity", granularity_names, &granularity, err));
  LPOT_TRY(read_choice(map, "algorithm", algorithm_names, &algorithm, err));
  ret->scheme = (lpot_scheme)scheme;
  ret->granularity = (lpot_granularity)granularity;
  ret->algorithm = (lpot_algorithm)algorithm;
  return LPOT_OK;
}

static lpot_status read_config(const lpot_yaml_node *item, const char *type, bool dynamic,
                               lpot_op_config *ret, lpot_error *err) {
  const lpot_yaml_node *activation = NULL;
  LPOT_TRY(lpot_yaml_require(item, "activation", &activation, err));
  LPOT_TRY(read_tensor(activation, &ret->activation, err));
  const lpot_yaml_node *weight = lpot_yaml_get(item, "weight");
  ret->weight = (lpot_tensor_config){.dtype = LPOT_DTYPE_UNKNOWN};
  if (weight != NULL) {
    LPOT_TRY(read_tensor(weight, &ret->weight, err));
  }
  const char *problem = lpot_op_config_problem_for(type, dynamic, ret);
  if (problem != NULL) {
    return lpot_yaml_fail(err, item, "%s", problem);
  }
  return LPOT_OK;
}

/* What the items of a recipe are read into. */
typedef struct text_reader {
  const char *const *types; /* [num_ops], borrowed */
  lpot_recipe *recipe;      /* owned until it is handed out */
} text_reader;

static lpot_status read_item(void *context, size_t index, const lpot_yaml_node *item,
                             lpot_error *err) {
  text_reader *reader = context;
  LPOT_TRY(lpot_yaml_check_keys(item, op_keys, err));
  LPOT_TRY(read_config(item, reader->types[index], reader->recipe->dynamic,
                       &reader->recipe->ops[index], err));
  return LPOT_OK;
}

lpot_status lpot_recipe_yaml_is_dynamic(const lpot_yaml_node *root, bool *ret_dynamic,
                                        lpot_error *err) {
  int approach = 0;
  LPOT_TRY(lpot_yaml_check_keys(root, root_keys, err));
  const lpot_yaml_node *node = lpot_yaml_get(root, "approach");
  if (node != NULL) {
    LPOT_TRY(lpot_yaml_choice(node, approach_names, &approach, err));
  }
  *ret_dynamic = approach == 1;
  return LPOT_OK;
}

static lpot_status read_static_keys(text_reader *reader, const lpot_yaml_node *root,
                                    lpot_error *err) {
  const lpot_yaml_node *node = NULL;
  LPOT_TRY(lpot_yaml_require(root, "calibration_samples", &node, err));
  LPOT_TRY(lpot_yaml_int(node, 0, INT64_MAX, &reader->recipe->calibration_samples, err));
  LPOT_TRY(lpot_yaml_require(root, "scale_propagation_concat", &node, err));
  LPOT_TRY(lpot_yaml_bool(node, &reader->recipe->scale_propagation_concat, err));
  LPOT_TRY(lpot_corrections_from_yaml(root, &reader->recipe->corrections, err));
  return LPOT_OK;
}

static lpot_status read_root(text_reader *reader, const lpot_yaml_node *root,
                             const char *const *names, lpot_error *err) {
  const lpot_yaml_node *node = NULL;
  LPOT_TRY(lpot_recipe_yaml_is_dynamic(root, &reader->recipe->dynamic, err));
  if (reader->recipe->dynamic) {
    LPOT_TRY(lpot_yaml_check_keys(root, dynamic_root_keys, err));
  } else {
    LPOT_TRY(read_static_keys(reader, root, err));
  }
  node = lpot_yaml_get(root, "reduce_range");
  if (node != NULL) {
    LPOT_TRY(lpot_yaml_bool(node, &reader->recipe->reduce_range, err));
  }
  LPOT_TRY(lpot_yaml_require(root, "ops", &node, err));
  LPOT_TRY(lpot_op_items_read(node, names, reader->types, reader->recipe->num_ops, read_item,
                              reader, err));
  return LPOT_OK;
}

lpot_status lpot_recipe_from_yaml(const lpot_yaml_node *root, const char *const *names,
                                  const char *const *types, size_t num_ops,
                                  lpot_recipe **ret_recipe, lpot_error *err) {
  text_reader reader = {.types = types};
  LPOT_TRY(lpot_recipe_new(num_ops, &reader.recipe, err));
  lpot_status status = read_root(&reader, root, names, err);
  if (status != LPOT_OK) {
    lpot_recipe_free(reader.recipe);
    return status;
  }
  *ret_recipe = reader.recipe;
  return LPOT_OK;
}

/* ---- one line for people ---- */

static void tensor_text(const lpot_tensor_config *config, char *out, size_t out_size) {
  if (config->dtype == LPOT_DTYPE_UNKNOWN) {
    lpot_text_copy(out, out_size, "none");
  } else if (lpot_dtype_is_float(config->dtype)) {
    lpot_text_copy(out, out_size, config->dtype == LPOT_BF16 ? "bf16" : "fp32");
  } else {
    snprintf(out, out_size, "%s %s %s %s", lpot_dtype_text(config->dtype),
             lpot_scheme_text(config->scheme), lpot_granularity_text(config->granularity),
             lpot_algorithm_text(config->algorithm));
  }
}

void lpot_op_config_text(const lpot_op_config *config, char *out, size_t out_size) {
  char activation[64];
  char weight[64];
  tensor_text(&config->activation, activation, sizeof activation);
  tensor_text(&config->weight, weight, sizeof weight);
  snprintf(out, out_size, "activation %s; weight %s", activation, weight);
}
