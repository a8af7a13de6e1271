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
 * dynamic". */
#include "quant/recipe.h"

#include <stdio.h>

#include "base/hash_map.h"
#include "base/memory.h"
#include "base/text.h"

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
static const char *const root_keys[] = {"approach", "calibration_samples",
                                        "scale_propagation_concat", "ops", NULL};
static const char *const dynamic_root_keys[] = {"approach", "ops", NULL};
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

static lpot_status write_quoted(lpot_buffer *out, const char *text, lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "\""));
  for (const char *c = text; *c != '\0'; c++) {
    unsigned char byte = (unsigned char)*c;
    if (byte == '"' || byte == '\\') {
      LPOT_TRY(lpot_buffer_printf(out, err, "\\%c", byte));
    } else if (byte < 0x20 || byte == 0x7f) {
      LPOT_TRY(lpot_buffer_printf(out, err, "\\x%02x", byte));
    } else {
      LPOT_TRY(lpot_buffer_append(out, c, 1, err));
    }
  }
  return lpot_buffer_printf(out, err, "\"");
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
  LPOT_TRY(lpot_buffer_printf(out, err, "  - name: "));
  LPOT_TRY(write_quoted(out, name, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "\n    type: %s\n", type));
  LPOT_TRY(write_tensor(out, "activation", &config->activation, err));
  LPOT_TRY(write_tensor(out, "weight", &config->weight, err));
  return LPOT_OK;
}

static lpot_status write_root(lpot_buffer *out, const lpot_recipe *recipe, lpot_error *err) {
  if (recipe->dynamic) {
    return lpot_buffer_printf(out, err, "approach: dynamic\n");
  }
  LPOT_TRY(lpot_buffer_printf(out, err, "calibration_samples: %lld\n",
                              (long long)recipe->calibration_samples));
  LPOT_TRY(lpot_buffer_printf(out, err, "scale_propagation_concat: %s\n",
                              recipe->scale_propagation_concat ? "true" : "false"));
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

typedef struct text_reader {
  const char *const *names; /* [num_ops], borrowed */
  const char *const *types; /* [num_ops], borrowed */
  size_t num_ops;
  lpot_hash_map *index_of; /* name -> index; owned */
  bool *seen;              /* [num_ops]; owned */
  lpot_recipe *recipe;     /* owned until it is handed out */
} text_reader;

static lpot_status require(const lpot_yaml_node *map, const char *key,
                           const lpot_yaml_node **ret_node, lpot_error *err) {
  const lpot_yaml_node *node = lpot_yaml_get(map, key);
  if (node == NULL) {
    return lpot_yaml_fail(err, map, "key '%s' is missing", key);
  }
  *ret_node = node;
  return LPOT_OK;
}

static lpot_status read_choice(const lpot_yaml_node *map, const char *key, const char *const *names,
                               int *ret_index, lpot_error *err) {
  const lpot_yaml_node *node = NULL;
  LPOT_TRY(require(map, key, &node, err));
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
  LPOT_TRY(require(item, "activation", &activation, err));
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

/* names as a NULL terminated list, for the nearest one. */
static lpot_status fail_unknown_name(const text_reader *reader, const lpot_yaml_node *node,
                                     const char *name, lpot_error *err) {
  const char **list = lpot_calloc(reader->num_ops + 1, sizeof *list);
  if (list == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < reader->num_ops; i++) {
    list[i] = reader->names[i];
  }
  const char *nearest = lpot_text_nearest(name, list);
  lpot_free(list);
  if (nearest == NULL) {
    return lpot_yaml_fail(err, node, "the model has no op '%s'", name);
  }
  return lpot_yaml_fail(err, node, "the model has no op '%s', did you mean '%s'?", name, nearest);
}

static lpot_status read_item(text_reader *reader, const lpot_yaml_node *item, lpot_error *err) {
  const lpot_yaml_node *name_node = NULL;
  const char *name = NULL;
  int64_t index = 0;
  LPOT_TRY(lpot_yaml_check_keys(item, op_keys, err));
  LPOT_TRY(require(item, "name", &name_node, err));
  LPOT_TRY(lpot_yaml_string(name_node, &name, err));
  if (!lpot_hash_map_get(reader->index_of, name, &index)) {
    return fail_unknown_name(reader, name_node, name, err);
  }
  if (reader->seen[index]) {
    return lpot_yaml_fail(err, name_node, "op '%s' stands here for the second time", name);
  }
  reader->seen[index] = true;
  const lpot_yaml_node *type_node = lpot_yaml_get(item, "type");
  if (type_node != NULL) {
    const char *type = NULL;
    LPOT_TRY(lpot_yaml_string(type_node, &type, err));
    if (!lpot_text_equal(type, reader->types[index])) {
      return lpot_yaml_fail(err, type_node, "op '%s' has the type %s, got %s", name,
                            reader->types[index], type);
    }
  }
  LPOT_TRY(read_config(item, reader->types[index], reader->recipe->dynamic,
                       &reader->recipe->ops[index], err));
  return LPOT_OK;
}

static lpot_status read_items(text_reader *reader, const lpot_yaml_node *ops, lpot_error *err) {
  if (ops->kind != LPOT_YAML_LIST) {
    return lpot_yaml_fail(err, ops, "expected a list of ops");
  }
  for (size_t i = 0; i < ops->num_children; i++) {
    LPOT_TRY(read_item(reader, ops->children[i], err));
  }
  for (size_t i = 0; i < reader->num_ops; i++) {
    if (!reader->seen[i]) {
      return lpot_yaml_fail(err, ops, "op '%s' is missing", reader->names[i]);
    }
  }
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
  LPOT_TRY(require(root, "calibration_samples", &node, err));
  LPOT_TRY(lpot_yaml_int(node, 0, INT64_MAX, &reader->recipe->calibration_samples, err));
  LPOT_TRY(require(root, "scale_propagation_concat", &node, err));
  LPOT_TRY(lpot_yaml_bool(node, &reader->recipe->scale_propagation_concat, err));
  return LPOT_OK;
}

static lpot_status read_root(text_reader *reader, const lpot_yaml_node *root, lpot_error *err) {
  const lpot_yaml_node *node = NULL;
  LPOT_TRY(lpot_recipe_yaml_is_dynamic(root, &reader->recipe->dynamic, err));
  if (reader->recipe->dynamic) {
    LPOT_TRY(lpot_yaml_check_keys(root, dynamic_root_keys, err));
  } else {
    LPOT_TRY(read_static_keys(reader, root, err));
  }
  LPOT_TRY(require(root, "ops", &node, err));
  LPOT_TRY(read_items(reader, node, err));
  return LPOT_OK;
}

static lpot_status text_reader_init(text_reader *reader, lpot_error *err) {
  LPOT_TRY(lpot_hash_map_new(&reader->index_of, err));
  for (size_t i = 0; i < reader->num_ops; i++) {
    LPOT_TRY(lpot_hash_map_put(reader->index_of, reader->names[i], (int64_t)i, err));
  }
  reader->seen = lpot_calloc(reader->num_ops, sizeof *reader->seen);
  if (reader->seen == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  LPOT_TRY(lpot_recipe_new(reader->num_ops, &reader->recipe, err));
  return LPOT_OK;
}

lpot_status lpot_recipe_from_yaml(const lpot_yaml_node *root, const char *const *names,
                                  const char *const *types, size_t num_ops,
                                  lpot_recipe **ret_recipe, lpot_error *err) {
  text_reader reader = {.names = names, .types = types, .num_ops = num_ops};
  lpot_status status = text_reader_init(&reader, err);
  if (status == LPOT_OK) {
    status = read_root(&reader, root, err);
  }
  if (status == LPOT_OK) {
    *ret_recipe = reader.recipe;
    reader.recipe = NULL;
  }
  lpot_recipe_free(reader.recipe);
  lpot_free(reader.seen);
  lpot_hash_map_free(reader.index_of);
  return status;
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
