/* Readers for single keys that need more than a general kind. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "tune/config_schema.h"

#define MAX_NAMES 24
#define BITS_OF_S8 7.0

typedef enum framework_kind { NATIVE_QDQ, NATIVE_QOPERATOR, DYNAMIC, FOREIGN } framework_kind;

static const lpot_config_word framework_words[] = {
    {"onnxrt_qlinearops", NATIVE_QOPERATOR},
    {"onnxrt_qdqops", NATIVE_QDQ},
    {"onnxrt_qlinear", NATIVE_QOPERATOR},
    {"onnxrt_qdq", NATIVE_QDQ},
    {"onnxrt_integerops", DYNAMIC},
    {"onnxrt_integer", DYNAMIC},
    {"tensorflow", FOREIGN},
    {"tensorflow_itex", FOREIGN},
    {"pytorch", FOREIGN},
    {"pytorch_ipex", FOREIGN},
    {"pytorch_fx", FOREIGN},
    {"mxnet", FOREIGN},
    {NULL, 0},
};

lpot_status lpot_config_read_framework(lpot_config_box *box, const lpot_config_row *row,
                                       const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  static const char *const remarks[] = {
      [NATIVE_QDQ] = NULL,
      [NATIVE_QOPERATOR] = NULL,
      [DYNAMIC] = NULL, /* Whether it fits is known at the end: see lpot_config_new. */
      [FOREIGN] = "the model is read as ONNX and the result is an ONNX model in QDQ form",
  };
  const char *text = NULL;
  int kind = 0;
  LPOT_TRY(lpot_yaml_string(node, &text, err));
  LPOT_TRY(lpot_config_find_word(framework_words, text, strlen(text), node, &kind, err));
  if (remarks[kind] != NULL) {
    LPOT_TRY(lpot_config_warn(box, node, err, "%s: %s", text, remarks[kind]));
  }
  box->integer_framework = kind == DYNAMIC ? node : NULL;
  box->config.export_format = kind == NATIVE_QOPERATOR ? LPOT_EXPORT_QOPERATOR : LPOT_EXPORT_QDQ;
  return LPOT_OK;
}

lpot_status lpot_config_read_sampling(lpot_config_box *box, const lpot_config_row *row,
                                      const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  int64_t sizes[LPOT_MAX_SAMPLING_SIZES];
  size_t given = 0;
  LPOT_TRY(lpot_yaml_ints(node, LPOT_MAX_SAMPLING_SIZES, sizes, &given, err));
  if (given == 0) {
    return lpot_yaml_fail(err, node, "expected at least one number of samples, got an empty list");
  }
  int64_t *kept = lpot_arena_alloc(box->arena, given, sizeof *kept);
  if (kept == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  size_t count = 0;
  for (size_t i = 0; i < given; i++) {
    if (sizes[i] < 1) {
      return lpot_yaml_fail(err, node, "expected numbers of samples of at least 1, got %lld",
                            (long long)sizes[i]);
    }
    bool twice = false;
    for (size_t j = 0; j < count; j++) {
      twice = twice || kept[j] == sizes[i];
    }
    if (!twice) {
      kept[count] = sizes[i];
      count++;
    }
  }
  box->config.wishes.num_sampling_sizes = count;
  box->config.wishes.sampling_sizes = kept;
  return LPOT_OK;
}

lpot_status lpot_config_read_switch(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  (void)row;
  lpot_choices choices = {0};
  bool is_list = node->kind == LPOT_YAML_LIST;
  size_t count = is_list ? node->num_children : 1;
  for (size_t i = 0; i < count; i++) {
    bool value = false;
    LPOT_TRY(lpot_yaml_bool(is_list ? node->children[i] : node, &value, err));
    lpot_config_add_choice(&choices, value ? 1 : 0);
  }
  if (count == 0) {
    return lpot_yaml_fail(err, node, "expected true, false or both, got an empty list");
  }
  *(lpot_choices *)object = choices;
  return LPOT_OK;
}

lpot_status lpot_config_read_bits(lpot_config_box *box, const lpot_config_row *row,
                                  const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  (void)row;
  (void)object;
  double bits[8];
  size_t count = 0;
  LPOT_TRY(lpot_yaml_doubles(node, sizeof bits / sizeof bits[0], bits, &count, err));
  for (size_t i = 0; i < count; i++) {
    if (bits[i] <= 0 || bits[i] > BITS_OF_S8) {
      return lpot_yaml_fail(err, node, "expected numbers above 0 up to 7, got %g", bits[i]);
    }
    if (bits[i] < BITS_OF_S8) {
      return lpot_yaml_fail(err, node, "%g bits are not supported yet, expected 7", bits[i]);
    }
  }
  return LPOT_OK;
}

lpot_status lpot_config_read_model_wise(lpot_config_box *box, const lpot_config_row *row,
                                        const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  lpot_wishes *wishes = &box->config.wishes;
  wishes->model_wise_file = lpot_yaml_node_file(node);
  wishes->model_wise_line = node->key_line;
  LPOT_TRY(lpot_config_walk(box, lpot_config_choice_rows, node, &wishes->model_wise, err));
  return LPOT_OK;
}

/* Reads the map of wishes under optype_wise or op_wise. */
static lpot_status read_wishes(lpot_config_box *box, const lpot_yaml_node *node,
                               const lpot_wish **ret_wishes, size_t *ret_count, lpot_error *err) {
  if (node->kind != LPOT_YAML_MAP) {
    return lpot_yaml_fail(err, node, "expected a map of names, got a %s",
                          node->kind == LPOT_YAML_LIST ? "list" : "text");
  }
  lpot_wish *wishes = lpot_arena_alloc(box->arena, node->num_children, sizeof *wishes);
  if (wishes == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < node->num_children; i++) {
    const lpot_yaml_node *child = node->children[i];
    wishes[i].pattern = child->key;
    wishes[i].file = lpot_yaml_node_file(child);
    wishes[i].line = child->key_line;
    wishes[i].column = child->key_column;
    lpot_status status =
        lpot_config_walk(box, lpot_config_choice_rows, child, &wishes[i].choices, err);
    LPOT_TRY(lpot_config_collect(box, status, err));
  }
  *ret_wishes = wishes;
  *ret_count = node->num_children;
  return LPOT_OK;
}

lpot_status lpot_config_read_type_wise(lpot_config_box *box, const lpot_config_row *row,
                                       const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  lpot_wishes *wishes = &box->config.wishes;
  LPOT_TRY(read_wishes(box, node, &wishes->type_wise, &wishes->num_type_wise, err));
  return LPOT_OK;
}

lpot_status lpot_config_read_op_wise(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  lpot_wishes *wishes = &box->config.wishes;
  LPOT_TRY(read_wishes(box, node, &wishes->op_wise, &wishes->num_op_wise, err));
  return LPOT_OK;
}

lpot_status lpot_config_read_approach(lpot_config_box *box, const lpot_config_row *row,
                                      const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)object;
  int approach = 0;
  LPOT_TRY(lpot_config_read_word(box, row, node, &approach, err));
  box->config.dynamic = approach == 1;
  box->config.trains = approach == 2;
  return LPOT_OK;
}

static lpot_status read_precision_wishes(lpot_config_box *box, const lpot_config_row *row,
                                         const lpot_yaml_node *node, void *object,
                                         lpot_error *err) {
  (void)row;
  lpot_config_mixed *mixed = object;
  LPOT_TRY(read_wishes(box, node, &mixed->op_wise, &mixed->num_op_wise, err));
  return LPOT_OK;
}

static const lpot_config_word precision_words[] = {
    {"fp32", LPOT_F32}, {"bf16", LPOT_BF16}, {NULL, 0}};

static const lpot_config_row mixed_rows[] = {
    {.name = "precisions",
     .read = lpot_config_read_choices,
     .words = precision_words,
     .offset = offsetof(lpot_config_mixed, precisions)},
    {.name = "op_wise", .read = read_precision_wishes},
    {.name = NULL},
};

lpot_status lpot_config_read_mixed(lpot_config_box *box, const lpot_config_row *row,
                                   const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  LPOT_TRY(lpot_config_walk(box, mixed_rows, node, &box->mixed, err));
  box->mixed.node = node;
  return LPOT_OK;
}

/* The only entry of a map such as "topk: 1" or "CIFAR10: {...}". */
static lpot_status only_entry(const lpot_yaml_node *node, const char *what,
                              const lpot_yaml_node **ret_entry, lpot_error *err) {
  if (node->kind != LPOT_YAML_MAP) {
    return lpot_yaml_fail(err, node, "expected a map with the name of a %s, got a %s", what,
                          node->kind == LPOT_YAML_LIST ? "list" : "text");
  }
  if (node->num_children != 1) {
    return lpot_yaml_fail(err, node, "expected exactly one %s, got %zu", what, node->num_children);
  }
  *ret_entry = node->children[0];
  return LPOT_OK;
}

lpot_status lpot_config_read_dataset(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  (void)row;
  lpot_dataloader_config *loader = object;
  const lpot_yaml_node *entry = NULL;
  LPOT_TRY(only_entry(node, "dataset", &entry, err));
  loader->dataset = entry->key;
  loader->dataset_settings = entry;
  return LPOT_OK;
}

lpot_status lpot_config_read_last_batch(lpot_config_box *box, const lpot_config_row *row,
                                        const lpot_yaml_node *node, void *object, lpot_error *err) {
  bool discards = false;
  LPOT_TRY(lpot_config_read_flag_word(box, row, node, &discards, err));
  *(const lpot_yaml_node **)object = discards ? node : NULL;
  return LPOT_OK;
}

lpot_status lpot_config_read_filter(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  (void)row;
  const lpot_yaml_node *entry = NULL;
  LPOT_TRY(only_entry(node, "filter", &entry, err));
  *(const lpot_yaml_node **)object = node;
  return LPOT_OK;
}

lpot_status lpot_config_read_transform(lpot_config_box *box, const lpot_config_row *row,
                                       const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  (void)row;
  if (node->kind != LPOT_YAML_MAP && node->kind != LPOT_YAML_LIST) {
    return lpot_yaml_fail(err, node, "expected a map or a list of transforms, got a text");
  }
  for (size_t i = 0; node->kind == LPOT_YAML_LIST && i < node->num_children; i++) {
    const lpot_yaml_node *entry = NULL;
    LPOT_TRY(only_entry(node->children[i], "transform", &entry, err));
  }
  *(const lpot_yaml_node **)object = node;
  return LPOT_OK;
}

lpot_status lpot_config_read_plugin(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  const lpot_yaml_node *settings = lpot_yaml_get(node, "plugin");
  if (settings == NULL || node->num_children != 1) {
    return lpot_yaml_fail(err, node, "expected '%s: {plugin: {library: FILE, name: NAME}}'",
                          row->name);
  }
  *(const lpot_yaml_node **)object = settings;
  return LPOT_OK;
}

lpot_status lpot_config_read_metric(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  const lpot_yaml_node *entry = NULL;
  LPOT_TRY(only_entry(node, "metric", &entry, err));
  box->config.metric = node;
  return LPOT_OK;
}

lpot_status lpot_config_read_relative(lpot_config_box *box, const lpot_config_row *row,
                                      const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  double value = 0;
  LPOT_TRY(lpot_yaml_percent(node, &value, err));
  if (!(value > -1 && value < 1)) {
    return lpot_yaml_fail(err, node,
                          "expected a part of the baseline between -1 and 1, such as 0.01 or 1%%, "
                          "got %g",
                          value);
  }
  box->relative = node;
  box->config.absolute = false;
  box->config.tolerance = value;
  return LPOT_OK;
}

lpot_status lpot_config_read_holdout(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  double value = 0;
  LPOT_TRY(lpot_yaml_percent(node, &value, err));
  if (!(value > 0 && value < 1)) {
    return lpot_yaml_fail(err, node,
                          "expected a part of the evaluation set above 0 and below 1, such as 0.2 "
                          "or 20%%, got %g",
                          value);
  }
  if (box->purpose == LPOT_CONFIG_TUNE) {
    box->config.holdout = value;
    box->config.holdout_node = node;
  }
  return LPOT_OK;
}

lpot_status lpot_config_read_absolute(lpot_config_box *box, const lpot_config_row *row,
                                      const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  LPOT_TRY(lpot_yaml_percent(node, &box->config.tolerance, err));
  box->absolute_node = node;
  box->config.absolute = true;
  return LPOT_OK;
}

lpot_status lpot_config_read_higher(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  LPOT_TRY(lpot_yaml_bool(node, &box->config.higher_is_better, err));
  box->config.higher_is_better_given = true;
  return LPOT_OK;
}

lpot_status lpot_config_read_timeout(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  double seconds = 0;
  LPOT_TRY(lpot_yaml_double(node, &seconds, err));
  if (seconds < 0) {
    return lpot_yaml_fail(err, node, "expected a number of seconds of at least 0, got %g", seconds);
  }
  box->config.timeout_seconds = seconds;
  return LPOT_OK;
}

lpot_status lpot_config_read_cores(lpot_config_box *box, const lpot_config_row *row,
                                   const lpot_yaml_node *node, void *object, lpot_error *err) {
  LPOT_TRY(lpot_config_read_int(box, row, node, object, err));
  if (*(const int64_t *)object > 1 && box->purpose == LPOT_CONFIG_TUNE) {
    LPOT_TRY(lpot_config_warn(box, node, err,
                              "latency is measured with one thread, which is pinned to all of "
                              "these cores"));
  }
  return LPOT_OK;
}

lpot_status lpot_config_read_iteration(lpot_config_box *box, const lpot_config_row *row,
                                       const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  int64_t value = 0;
  LPOT_TRY(lpot_yaml_int(node, -1, 1000000, &value, err));
  if (value == 0) {
    return lpot_yaml_fail(err, node, "expected -1 or at least 1 iteration, got 0");
  }
  box->config.iteration = value;
  return LPOT_OK;
}

lpot_status lpot_config_read_batches(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  int64_t value = 0;
  LPOT_TRY(lpot_yaml_int(node, -1, INT64_C(1) << 40, &value, err));
  if (value == 0) {
    return lpot_yaml_fail(err, node, "expected -1 (all) or at least 1 batch, got 0");
  }
  box->config.evaluation_batches = value;
  return LPOT_OK;
}

lpot_status lpot_config_read_instances(lpot_config_box *box, const lpot_config_row *row,
                                       const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  int64_t value = 0;
  LPOT_TRY(lpot_yaml_int(node, 1, 1 << 16, &value, err));
  box->config.num_instances = value;
  if (value > 1 && box->purpose == LPOT_CONFIG_TUNE) {
    LPOT_TRY(lpot_config_warn(box, node, err, "ignored: latency is measured with one instance"));
  }
  return LPOT_OK;
}
