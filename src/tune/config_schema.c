#include "tune/config_schema.h"

#include "base/text.h"

#define SECTION(key, table)                                                                        \
  { .name = key, .read = lpot_config_read_section, .rows = (table) }
#define SECTION_AT(key, table, field)                                                              \
  {                                                                                                \
    .name = key, .read = lpot_config_read_section, .rows = (table),                                \
    .offset = offsetof(lpot_config, field)                                                         \
  }
#define SECTION_NODE(key, reader, field)                                                           \
  { .name = key, .read = (reader), .offset = offsetof(lpot_config, field) }
#define IGNORED(key, why)                                                                          \
  { .name = key, .read = lpot_config_read_ignored, .remark = (why) }
#define READ(key, reader)                                                                          \
  { .name = key, .read = (reader) }
#define END                                                                                        \
  { .name = NULL }

static const lpot_config_word dtype_words[] = {
    {"int8", LPOT_S8}, {"uint8", LPOT_U8}, {"fp32", LPOT_F32}, {"bf16", LPOT_BF16}, {NULL, 0}};
static const lpot_config_word scheme_words[] = {{"sym", LPOT_SCHEME_SYM},
                                                {"asym", LPOT_SCHEME_ASYM},
                                                {"asym_float", LPOT_WORD_UNSUPPORTED},
                                                {"placeholder", LPOT_WORD_UNSUPPORTED},
                                                {NULL, 0}};
static const lpot_config_word granularity_words[] = {
    {"per_channel", LPOT_PER_CHANNEL}, {"per_tensor", LPOT_PER_TENSOR}, {NULL, 0}};
static const lpot_config_word algorithm_words[] = {{"minmax", LPOT_MINMAX},
                                                   {"kl", LPOT_KL},
                                                   {"percentile", LPOT_PERCENTILE},
                                                   {"mse", LPOT_MSE},
                                                   {NULL, 0}};
static const lpot_config_word device_words[] = {
    {"cpu", 0}, {"gpu", LPOT_WORD_UNSUPPORTED}, {NULL, 0}};
static const lpot_config_word approach_words[] = {{"post_training_static_quant", 0},
                                                  {"post_training_dynamic_quant", 1},
                                                  {"quant_aware_training", 2},
                                                  {NULL, 0}};
static const lpot_config_word last_batch_words[] = {{"rollover", 0}, {"discard", 1}, {NULL, 0}};
static const lpot_config_word mixed_isa_words[] = {{"refuse", 0}, {"allow", 1}, {NULL, 0}};

#define CHOICE(key, reader, vocabulary)                                                            \
  {                                                                                                \
    .name = #key, .read = (reader), .words = (vocabulary),                                         \
    .offset = offsetof(lpot_tensor_choices, key)                                                   \
  }

static const lpot_config_row activation_rows[] = {
    CHOICE(granularity, lpot_config_read_choices, granularity_words),
    CHOICE(scheme, lpot_config_read_choices, scheme_words),
    CHOICE(dtype, lpot_config_read_dtypes, dtype_words),
    CHOICE(algorithm, lpot_config_read_choices, algorithm_words),
    END,
};

static const lpot_config_row weight_rows[] = {
    CHOICE(granularity, lpot_config_read_choices, granularity_words),
    CHOICE(scheme, lpot_config_read_choices, scheme_words),
    CHOICE(dtype, lpot_config_read_dtypes, dtype_words),
    CHOICE(algorithm, lpot_config_read_choices, algorithm_words),
    READ("bit", lpot_config_read_bits),
    END,
};

const lpot_config_row lpot_config_choice_rows[] = {
    {.name = "weight",
     .read = lpot_config_read_section,
     .rows = weight_rows,
     .offset = offsetof(lpot_op_choices, weight)},
    {.name = "activation",
     .read = lpot_config_read_section,
     .rows = activation_rows,
     .offset = offsetof(lpot_op_choices, activation)},
    END,
};

static const lpot_config_row model_rows[] = {
    {.name = "name", .read = lpot_config_read_text, .offset = offsetof(lpot_config, model_name)},
    READ("framework", lpot_config_read_framework),
    IGNORED("inputs", "an ONNX model names its own inputs"),
    IGNORED("outputs", "an ONNX model names its own outputs"),
    END,
};

#define LOADER_INT(key, low)                                                                       \
  {                                                                                                \
    .name = #key, .read = lpot_config_read_int, .offset = offsetof(lpot_dataloader_config, key),   \
    .minimum = (low), .maximum = 1 << 20                                                           \
  }

const lpot_config_row lpot_config_dataloader_rows[] = {
    LOADER_INT(batch_size, 1),
    {.name = "last_batch",
     .read = lpot_config_read_last_batch,
     .words = last_batch_words,
     .offset = offsetof(lpot_dataloader_config, last_batch)},
    READ("dataset", lpot_config_read_dataset),
    {.name = "transform",
     .read = lpot_config_read_transform,
     .offset = offsetof(lpot_dataloader_config, transform)},
    {.name = "filter",
     .read = lpot_config_read_filter,
     .offset = offsetof(lpot_dataloader_config, filter)},
    {.name = "shuffle",
     .read = lpot_config_read_not_bool,
     .offset = offsetof(lpot_dataloader_config, keeps_order)},
    END,
};

static const lpot_config_row calibration_rows[] = {
    READ("sampling_size", lpot_config_read_sampling),
    SECTION_AT("dataloader", lpot_config_dataloader_rows, calibration),
    {.name = "q_func", .read = lpot_config_read_plugin, .offset = offsetof(lpot_config, q_func)},
    END,
};

#define RECIPE(key)                                                                                \
  {                                                                                                \
    .name = #key, .read = lpot_config_read_bool,                                                   \
    .offset = offsetof(lpot_config, wishes) + offsetof(lpot_wishes, key)                           \
  }

#define CORRECTION(key, index)                                                                     \
  {                                                                                                \
    .name = key, .read = lpot_config_read_switch,                                                  \
    .offset = offsetof(lpot_config, wishes) + offsetof(lpot_wishes, corrections) +                 \
              (index) * sizeof(lpot_choices)                                                       \
  }

static const lpot_config_row recipe_rows[] = {
    RECIPE(scale_propagation_concat),
    RECIPE(first_conv_or_matmul_quantization),
    {.name = "scale_propagation_max_pooling",
     .read = lpot_config_read_fixed_bool,
     .minimum = 1,
     .remark = "MaxPool always keeps the scale of its input"},
    CORRECTION("bias_correction", LPOT_BIAS_CORRECTION),
    CORRECTION("fast_bias_correction", LPOT_BIAS_CORRECTION), /* Neural Compressor's name */
    {.name = "weight_correction",
     .read = lpot_config_read_only_false,
     .remark = "not supported: no gain measured, bias_correction has one"},
    CORRECTION("cross_layer_equalization", LPOT_CROSS_LAYER_EQUALIZATION),
    {.name = "smooth_quant",
     .read = lpot_config_read_only_false,
     .remark = "not supported: no gain measured, cross_layer_equalization has one"},
    END,
};

static const lpot_config_word bias_correction_words[] = {{"weight_empirical", 1}, {NULL, 0}};
static const lpot_config_row advance_rows[] = {
    {.name = "bias_correction",
     .read = lpot_config_read_choices,
     .words = bias_correction_words,
     .offset = offsetof(lpot_config, wishes) + offsetof(lpot_wishes, corrections)},
    END,
};

static const lpot_config_row quantization_rows[] = {
    {.name = "approach", .read = lpot_config_read_approach, .words = approach_words},
    SECTION("advance", advance_rows),
    SECTION("calibration", calibration_rows),
    SECTION("recipes", recipe_rows),
    READ("model_wise", lpot_config_read_model_wise),
    READ("optype_wise", lpot_config_read_type_wise),
    READ("op_wise", lpot_config_read_op_wise),
    SECTION_NODE("train", lpot_config_read_train, train),
    END,
};

#define NO_THREADS "every rank uses one thread, ranks are given by mpirun"

static const lpot_config_row accuracy_instance_rows[] = {
    IGNORED("cores_per_instance", NO_THREADS),
    IGNORED("num_of_instance", NO_THREADS),
    IGNORED("inter_num_of_threads", NO_THREADS),
    IGNORED("intra_num_of_threads", NO_THREADS),
    IGNORED("kmp_blocktime", NO_THREADS),
    IGNORED("kmp_affinity", NO_THREADS),
    END,
};

static const lpot_config_row performance_instance_rows[] = {
    {.name = "cores_per_instance",
     .read = lpot_config_read_cores,
     .offset = offsetof(lpot_config, cores_per_instance),
     .minimum = 1,
     .maximum = 1 << 16},
    READ("num_of_instance", lpot_config_read_instances),
    {.name = "cold_weights",
     .read = lpot_config_read_bool,
     .offset = offsetof(lpot_config, cold_weights)},
    IGNORED("inter_num_of_threads", "latency is measured with one thread"),
    IGNORED("intra_num_of_threads", "latency is measured with one thread"),
    IGNORED("kmp_blocktime", "no OpenMP run-time setting is changed"),
    IGNORED("kmp_affinity", "latency is measured with one thread"),
    END,
};

static const lpot_config_row postprocess_rows[] = {
    {.name = "transform",
     .read = lpot_config_read_transform,
     .offset = offsetof(lpot_config, postprocess)},
    END,
};

static const lpot_config_row accuracy_rows[] = {
    READ("metric", lpot_config_read_metric),
    SECTION("configs", accuracy_instance_rows),
    SECTION_AT("dataloader", lpot_config_dataloader_rows, evaluation),
    SECTION("postprocess", postprocess_rows),
    READ("iteration", lpot_config_read_batches),
    END,
};

static const lpot_config_row performance_rows[] = {
    {.name = "warmup",
     .read = lpot_config_read_int,
     .offset = offsetof(lpot_config, warmup),
     .minimum = 0,
     .maximum = 1 << 24},
    READ("iteration", lpot_config_read_iteration),
    SECTION("configs", performance_instance_rows),
    SECTION_AT("dataloader", lpot_config_dataloader_rows, performance),
    IGNORED("postprocess", "latency is that of the model alone"),
    END,
};

static const lpot_config_row evaluation_rows[] = {
    SECTION("accuracy", accuracy_rows),
    SECTION("performance", performance_rows),
    END,
};

static const lpot_config_row strategy_rows[] = {
    READ("name", lpot_config_read_strategy),
    {.name = "accuracy_weight",
     .read = lpot_config_read_weight,
     .offset = offsetof(lpot_config, accuracy_weight)},
    {.name = "latency_weight",
     .read = lpot_config_read_weight,
     .offset = offsetof(lpot_config, latency_weight)},
    READ("command", lpot_config_read_command),
    {.name = "timeout",
     .read = lpot_config_read_seconds,
     .offset = offsetof(lpot_config, proposal_seconds)},
    IGNORED("sigopt_api_token", "it belongs to the strategy sigopt"),
    IGNORED("sigopt_project_id", "it belongs to the strategy sigopt"),
    IGNORED("sigopt_experiment_name", "it belongs to the strategy sigopt"),
    END,
};

static const lpot_config_row criterion_rows[] = {
    READ("relative", lpot_config_read_relative),
    READ("absolute", lpot_config_read_absolute),
    READ("higher_is_better", lpot_config_read_higher),
    END,
};

static const lpot_config_row exit_rows[] = {
    READ("timeout", lpot_config_read_timeout),
    {.name = "max_trials",
     .read = lpot_config_read_int,
     .offset = offsetof(lpot_config, max_trials),
     .minimum = 1,
     .maximum = INT64_C(1) << 40},
    {.name = "performance_only",
     .read = lpot_config_read_bool,
     .offset = offsetof(lpot_config, performance_only)},
    END,
};

static const lpot_config_row workspace_rows[] = {
    {.name = "path", .read = lpot_config_read_text, .offset = offsetof(lpot_config, workspace)},
    IGNORED("resume",
            "snapshots of LPOT cannot be read; the option --resume goes on with a workspace"),
    END,
};

static const lpot_config_row tuning_rows[] = {
    SECTION("strategy", strategy_rows),
    SECTION("accuracy_criterion", criterion_rows),
    READ("objective", lpot_config_read_objective),
    READ("multi_objectives", lpot_config_read_multi_objectives),
    SECTION("exit_policy", exit_rows),
    {.name = "random_seed",
     .read = lpot_config_read_int,
     .offset = offsetof(lpot_config, seed),
     .minimum = 0,
     .maximum = INT64_MAX},
    {.name = "tensorboard",
     .read = lpot_config_read_fixed_bool,
     .minimum = 0,
     .remark = "not supported yet"},
    {.name = "lease_seconds",
     .read = lpot_config_read_int,
     .offset = offsetof(lpot_config, lease_seconds),
     .minimum = 1,
     .maximum = 1000000},
    {.name = "op_times",
     .read = lpot_config_read_measure_when,
     .offset = offsetof(lpot_config, op_times)},
    READ("holdout", lpot_config_read_holdout),
    {.name = "racing", .read = lpot_config_read_bool, .offset = offsetof(lpot_config, racing)},
    SECTION("workspace", workspace_rows),
    {.name = "mixed_isa",
     .read = lpot_config_read_flag_word,
     .words = mixed_isa_words,
     .offset = offsetof(lpot_config, mixed_isa)},
    END,
};

const lpot_config_row lpot_config_root_rows[] = {
    READ("version", lpot_config_read_silent),
    SECTION("model", model_rows),
    {.name = "device", .read = lpot_config_read_only_word, .words = device_words},
    SECTION("quantization", quantization_rows),
    SECTION("evaluation", evaluation_rows),
    SECTION("tuning", tuning_rows),
    READ("graph_optimization", lpot_config_read_mixed),
    SECTION_NODE("model_conversion", lpot_config_read_conversion, conversion),
    SECTION_NODE("pruning", lpot_config_read_pruning, pruning),
    END,
};

#define MAX_ROWS 32
#define MAX_ERRORS 100u

static const lpot_config_row *find_row(const lpot_config_row *rows, const char *name) {
  for (size_t i = 0; rows[i].name != NULL; i++) {
    if (lpot_text_equal(rows[i].name, name)) {
      return &rows[i];
    }
  }
  return NULL;
}

/* The names of rows, NULL terminated. */
static void names_of(const lpot_config_row *rows, const char *names[MAX_ROWS]) {
  size_t count = 0;
  while (rows[count].name != NULL) {
    LPOT_ASSERT(count + 1 < MAX_ROWS);
    names[count] = rows[count].name;
    count++;
  }
  names[count] = NULL;
}

lpot_status lpot_config_collect(lpot_config_box *box, lpot_status status, lpot_error *err) {
  if (status != LPOT_CONFIG || err == NULL) {
    return status;
  }
  if (box->num_errors > 0 && box->num_errors < MAX_ERRORS) {
    LPOT_TRY(lpot_buffer_printf(&box->earlier_errors, err, "%s\n", box->last_error.message));
  }
  if (box->num_errors == MAX_ERRORS) {
    LPOT_TRY(lpot_buffer_printf(&box->earlier_errors, err,
                                "%s: more than %u mistakes: the first %u and the last are told\n",
                                lpot_yaml_name(box->yaml), MAX_ERRORS, MAX_ERRORS - 1));
  }
  box->num_errors++;
  box->last_error = *err;
  return LPOT_OK;
}

static lpot_status read_child(lpot_config_box *box, const lpot_config_row *rows,
                              const char *const *names, const lpot_yaml_node *child, void *object,
                              lpot_error *err) {
  LPOT_TRY(lpot_yaml_check_key(child, names, err));
  /* A key without a value means its default, as in LPOT. */
  if (child->kind == LPOT_YAML_NULL) {
    return LPOT_OK;
  }
  const lpot_config_row *row = find_row(rows, child->key);
  LPOT_TRY(row->read(box, row, child, (char *)object + row->offset, err));
  return LPOT_OK;
}

lpot_status lpot_config_walk(lpot_config_box *box, const lpot_config_row *rows,
                             const lpot_yaml_node *node, void *object, lpot_error *err) {
  const char *names[MAX_ROWS];
  names_of(rows, names);
  if (node->kind != LPOT_YAML_MAP) {
    LPOT_TRY(lpot_yaml_check_keys(node, names, err));
    return LPOT_OK;
  }
  for (size_t i = 0; i < node->num_children; i++) {
    lpot_status status = read_child(box, rows, names, node->children[i], object, err);
    LPOT_TRY(lpot_config_collect(box, status, err));
  }
  return LPOT_OK;
}
