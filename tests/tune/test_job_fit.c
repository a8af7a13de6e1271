/* What of configuration, model and data does not go together when a job is made, and what is said
 * of it (job.c). The networks are made and saved here, the data drawn by the dataset dummy_v2. */
#include "formats/temp_folder.h"
#include "graph/graph_fixture.h"
#include "support/capture.h"

#include "base/log.h"
#include "formats/onnx/onnx.h"
#include "tune/job.h"

#define MODEL "model: {name: net, framework: onnxrt_qdqops}\n"
#define DATASET "dataset: {dummy_v2: {input_shape: [4], samples: 20}}"
#define DUMMY "dataloader: {batch_size: 2, " DATASET "}"
#define METRIC "metric: {MSE: {compare_label: false}}"
#define EVALUATION "evaluation: {accuracy: {" METRIC ", " DUMMY "}}\n"

static temp_folder folder;
static lpot_config_purpose purpose;
static char told[2048]; /* on standard error, while the last job was made */

static int make_folder(void **state) {
  temp_folder_make(&folder);
  purpose = LPOT_CONFIG_TUNE;
  return setup_graph(state);
}

static int remove_all(void **state) {
  temp_folder_remove(&folder);
  return teardown_graph(state);
}

/* ---- networks ---- */

static void save_as(const char *name) {
  char path[PATH_SIZE];
  uint64_t size = 0;
  infer();
  require(lpot_onnx_save(graph, temp_path(&folder, name, path), &size, &error));
}

/* x [rows, 4] times a matrix, then what else is asked for. */
static lpot_value_id product(int64_t rows) {
  lpot_value_id x = input("x", DIMS(rows, 4));
  lpot_value_id weights = zeros("w", LPOT_F32, DIMS(4, 4));
  return compute(LPOT_OP_MATMUL, "product", VALUES(x, weights));
}

static lpot_value_id cast_to_float(lpot_value_id value) {
  lpot_node_id cast = node_of(LPOT_OP_CAST, "cast", VALUES(value));
  set_int(cast, "to", 1);
  return output_of(cast);
}

static void save_product(int64_t rows) {
  graph_output(product(rows));
  save_as("model.onnx");
}

/* ---- jobs ---- */

/* Makes a job of the model that was saved; *ret_job stays NULL on failure. */
static lpot_status try_job(const char *config, const char *setting, lpot_job **ret_job) {
  char path[PATH_SIZE];
  const lpot_job_options options = {.config_path = "conf.yaml",
                                    .config_text = config,
                                    .num_settings = setting == NULL ? 0 : 1,
                                    .settings = &setting,
                                    .model_path = temp_path(&folder, "model.onnx", path),
                                    .folder = folder.path,
                                    .engine_name = "reference",
                                    .local_ranks = 1,
                                    .warns = true,
                                    .needs_data = true,
                                    .purpose = purpose};
  error = (lpot_error){0};
  capture captured = begin_capture();
  lpot_status status = lpot_job_new(&options, ret_job, &error);
  end_capture(captured, told, sizeof told);
  return status;
}

static void assert_refused(const char *config, const char *setting, lpot_status expected,
                           const char *part) {
  lpot_job *job = NULL;
  lpot_status status = try_job(config, setting, &job);
  assert_string_equal(lpot_status_text(status), lpot_status_text(expected));
  assert_null(job);
  assert_message(part);
}

static lpot_job *job_of(const char *config) {
  lpot_job *job = NULL;
  require(try_job(config, NULL, &job));
  return job;
}

static void assert_told(const char *part) {
  if (strstr(told, part) == NULL) {
    fail_msg("'%s' lacks '%s'", told, part);
  }
}

static void write_file(const char *name, const void *data, size_t size) {
  char path[PATH_SIZE];
  FILE *file = fopen(temp_path(&folder, name, path), "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

/* ---- the configuration ---- */

/* lpot-bench needs one for some of its work only: its configurations may do without. */
static void metrics_that_are_missing_are_named(void **state) {
  (void)state;
  save_product(UNKNOWN);
  purpose = LPOT_CONFIG_BENCHMARK;
  assert_refused(
      MODEL "evaluation: {performance: {" DUMMY "}}\n", NULL, LPOT_CONFIG,
      "conf.yaml:2:1: evaluation.accuracy.metric: missing: lpot-bench needs it for --mode "
      "accuracy and for --recipe");
}

static void settings_without_a_value_are_refused(void **state) {
  (void)state;
  save_product(UNKNOWN);
  assert_refused(MODEL EVALUATION, "tuning", LPOT_INVALID,
                 "--set 'tuning': expected KEY.PATH=VALUE");
  assert_refused(MODEL EVALUATION, "=1", LPOT_INVALID, "--set '=1': expected KEY.PATH=VALUE");
}

/* All but the last are logged, the last is the caller's to tell. */
static void every_error_of_the_configuration_is_told(void **state) {
  (void)state;
  save_product(UNKNOWN);
  assert_refused(MODEL EVALUATION "tuning: {random_seed: x, exit_policy: {timeout: y, "
                                  "max_trials: z}}\n",
                 NULL, LPOT_CONFIG, "conf.yaml:3:");
  size_t lines = 0;
  for (const char *end = strchr(told, '\n'); end != NULL; end = strchr(end + 1, '\n')) {
    lines++;
  }
  assert_int_equal(lines, 2);
}

static void postprocesses_and_the_models_own_outputs_exclude_each_other(void **state) {
  (void)state;
  save_product(UNKNOWN);
  assert_refused(MODEL "evaluation: {accuracy: {" METRIC ", postprocess: {transform: {LabelShift: "
                       "1}}, " DUMMY "}}\n",
                 NULL, LPOT_CONFIG, "compare_label: false compares the models' own outputs");
}

/* ---- the model ---- */

static void fixed_batches_win(void **state) {
  (void)state;
  save_product(5);
  lpot_job *job = job_of(MODEL EVALUATION);
  assert_told("the model's batch size is fixed to 5: it is used instead of 2");
  assert_true(job->batch_size == 5 && job->fixed_batch == 5 && job->calibration_batch == 5);
  assert_int_equal(lpot_job_allowed_batch(job, 7), 5);
  lpot_job_free(job);
}

/* The reshaping allows one sample only. */
static void models_of_single_samples_run_sample_by_sample(void **state) {
  (void)state;
  lpot_value_id row = compute(LPOT_OP_RESHAPE, "row", VALUES(product(UNKNOWN), ints(INTS(1, 4))));
  graph_output(row);
  save_as("model.onnx");
  lpot_job *job = job_of(MODEL EVALUATION);
  assert_told("the model cannot run with batches of 2, samples run one by one: ");
  assert_true(job->batch_size == 1 && job->fixed_batch == 1);
  assert_int_equal(lpot_loader_num_samples(job->evaluation), 20);
  lpot_job_free(job);
}

/* Its one row is that of one sample, too: it need not be refused. */
static void outputs_without_a_row_for_each_sample_are_refused(void **state) {
  (void)state;
  lpot_node_id sum = node_of(LPOT_OP_REDUCE_MEAN, "sum", VALUES(product(2)));
  set_ints(sum, "axes", INTS(0));
  set_int(sum, "keepdims", 1);
  graph_output(output_of(sum));
  save_as("model.onnx");
  assert_refused(MODEL EVALUATION, NULL, LPOT_UNSUPPORTED,
                 "output 'sum.out' has shape [1, 4], expected 2 rows");
  assert_message("model '");
}

/* Four classes. */
static void metrics_that_are_always_right_are_warned_of(void **state) {
  (void)state;
  static const struct {
    const char *metric;
    bool is_told;
  } cases[] = {{"topk: 4", true}, {"topk: 3", false}, {"topk: 5", false}, {"Accuracy: ", false}};
  save_product(UNKNOWN);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char config[512];
    snprintf(config, sizeof config,
             MODEL "evaluation: {accuracy: {metric: {%s}, dataloader: {" DATASET "}}}\n",
             cases[i].metric);
    lpot_job_free(job_of(config));
    assert_int_equal(strstr(told, "every answer is right") != NULL, cases[i].is_told);
  }
  lpot_job_free(job_of(MODEL "evaluation: {accuracy: {metric: {topk: 4}, " DUMMY "}}\n"));
  assert_told("conf.yaml:2:33: metric topk: with 4 classes every answer is right, of every recipe");
}

static void models_without_work_are_warned_of(void **state) {
  (void)state;
  graph_output(compute(LPOT_OP_SOFTMAX, "all", VALUES(input("x", DIMS(UNKNOWN, 4)))));
  save_as("model.onnx");
  lpot_job_free(job_of(MODEL EVALUATION));
  assert_told("the model has no op that can be quantized: there is nothing to tune");
}

static void models_that_are_quantized_are_warned_of(void **state) {
  (void)state;
  lpot_value_id x = input("x", DIMS(UNKNOWN, 4));
  lpot_value_id scale = reals("scale", 0, NULL, REALS(0.5f));
  lpot_value_id zero = zeros("zero", LPOT_U8, 0, NULL);
  lpot_value_id small = compute(LPOT_OP_QUANTIZE_LINEAR, "small", VALUES(x, scale, zero));
  graph_output(compute(LPOT_OP_DEQUANTIZE_LINEAR, "large", VALUES(small, scale, zero)));
  save_as("model.onnx");
  lpot_job_free(job_of(MODEL EVALUATION));
  assert_told("the model is quantized already: there is nothing to tune");
}

/* ---- the data ---- */

static void inputs_that_do_not_fit_are_refused(void **state) {
  (void)state;
  save_product(UNKNOWN);
  assert_refused(MODEL "evaluation: {accuracy: {" METRIC
                       ", dataloader: {dataset: {dummy_v2: {input_shape: [[4], [4]]}}}}}\n",
                 NULL, LPOT_CONFIG, "evaluation data: samples have 2 inputs, the model expects 1");
  assert_refused(MODEL "evaluation: {accuracy: {" METRIC
                       ", dataloader: {dataset: {dummy_v2: {input_shape: [4], dtype: uint8}}}}}\n",
                 NULL, LPOT_CONFIG, "evaluation data: batches are uint8 [1, 4]");
  assert_refused(MODEL "evaluation: {accuracy: {" METRIC ", " DUMMY "}, performance: {dataloader: "
                       "{dataset: {dummy_v2: {input_shape: [5]}}}}}\n",
                 NULL, LPOT_CONFIG, "performance data: batches are float32 [1, 5]");
}

static void data_sets_without_samples_are_refused(void **state) {
  (void)state;
  static const char names[] = "sentence\tlabel\n";
  static const char words[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n";
  save_product(UNKNOWN);
  write_file("dev.tsv", names, sizeof names - 1);
  write_file("vocab.txt", words, sizeof words - 1);
  assert_refused(MODEL "evaluation: {accuracy: {" METRIC
                       ", dataloader: {dataset: {GLUE: {data_dir: "
                       "., model_name_or_path: ., task: sst-2}}}}}\n",
                 NULL, LPOT_CONFIG, "dataset 'GLUE' is empty");
}

#define LOADER_OF(keys) MODEL "evaluation:\n accuracy:\n  " METRIC "\n  dataloader: {" keys "}\n"

/* 20 samples. */
static void discard_leaves_whole_batches(void **state) {
  (void)state;
  static const struct {
    const char *config;
    int64_t samples;
  } cases[] = {{LOADER_OF("batch_size: 8, last_batch: discard, " DATASET), 16},
               {LOADER_OF("batch_size: 8, last_batch: rollover, " DATASET), 20},
               {LOADER_OF("batch_size: 20, last_batch: discard, " DATASET), 20},
               {LOADER_OF("batch_size: 21, last_batch: rollover, " DATASET), 20}};
  save_product(UNKNOWN);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    lpot_job *job = job_of(cases[i].config);
    assert_int_equal(lpot_loader_num_samples(job->evaluation), cases[i].samples);
    lpot_job_free(job);
  }
}

static void discard_that_leaves_nothing_is_refused(void **state) {
  (void)state;
  save_product(UNKNOWN);
  assert_refused(
      LOADER_OF("batch_size: 21, last_batch: discard, " DATASET), NULL, LPOT_CONFIG,
      "conf.yaml:5:44: evaluation.accuracy.dataloader.last_batch: discard leaves nothing "
      "of 20 samples, which are fewer than a batch of 21");
  /* What another section leaves out it has from the evaluation, but its own last_batch counts. */
  assert_refused(MODEL "evaluation: {accuracy: {" METRIC ", " DUMMY "},\n"
                       "  performance: {dataloader: {batch_size: 32, last_batch: discard}}}\n",
                 NULL, LPOT_CONFIG, "conf.yaml:3:58: evaluation.performance.dataloader.last_batch");
}

static void calibration_may_have_fewer_samples_than_asked_for(void **state) {
  (void)state;
  save_product(UNKNOWN);
  lpot_job_free(job_of(MODEL EVALUATION
                       "quantization: {calibration: {sampling_size: 30, dataloader: "
                       "{" DATASET "}}}\n"));
  assert_told("the calibration set has 20 samples, 30 were asked for: all are taken");
}

static void calibration_with_samples_that_are_held_out_is_warned_of(void **state) {
  (void)state;
  static const char text[] = MODEL EVALUATION
      "quantization: {calibration: {sampling_size: %d, dataloader: {" DATASET "}}}\n"
      "tuning: {holdout: 0.2}\n";
  char config[512];
  save_product(UNKNOWN);
  snprintf(config, sizeof config, text, 17);
  lpot_job_free(job_of(config));
  assert_told("held out: give it data of its own, or fewer than 16 samples");
  snprintf(config, sizeof config, text, 16);
  lpot_job_free(job_of(config));
  assert_null(strstr(told, "held out"));
}

/* ImagenetRaw leaves out what its list names and its folder has not. */
static void samples_that_are_missing_are_warned_of(void **state) {
  (void)state;
  static const unsigned char pixel[] = {
      137, 80,  78,  71,  13, 10, 26, 10,  0,   0,  0,  13, 73,  72,  68,  82, 0,
      0,   0,   1,   0,   0,  0,  1,  8,   0,   0,  0,  0,  58,  126, 155, 85, 0,
      0,   0,   10,  73,  68, 65, 84, 120, 156, 99, 96, 0,  0,   0,   2,   0,  1,
      72,  175, 164, 113, 0,  0,  0,  0,   73,  69, 78, 68, 174, 66,  96,  130}; /* a PNG, black */
  static const char list[] = "a.png 0\nb.png 1\nc.png 2\n";
  write_file("a.png", pixel, sizeof pixel);
  write_file("list.txt", list, sizeof list - 1);
  lpot_value_id x = typed_input("x", LPOT_U8, DIMS(UNKNOWN, 1, 1, 3));
  graph_output(compute(LPOT_OP_SOFTMAX, "all", VALUES(cast_to_float(x))));
  save_as("model.onnx");
  lpot_job_free(job_of(MODEL "evaluation: {accuracy: {" METRIC ", dataloader: {dataset: "
                             "{ImagenetRaw: {data_path: ., image_list: list.txt}}}}}\n"));
  assert_told("evaluation data: 2 of 3 listed samples have no file");
}

#define JOB_TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_all)

int main(void) {
  const struct CMUnitTest tests[] = {
      JOB_TEST(metrics_that_are_missing_are_named),
      JOB_TEST(settings_without_a_value_are_refused),
      JOB_TEST(every_error_of_the_configuration_is_told),
      JOB_TEST(postprocesses_and_the_models_own_outputs_exclude_each_other),
      JOB_TEST(fixed_batches_win),
      JOB_TEST(models_of_single_samples_run_sample_by_sample),
      JOB_TEST(outputs_without_a_row_for_each_sample_are_refused),
      JOB_TEST(metrics_that_are_always_right_are_warned_of),
      JOB_TEST(models_without_work_are_warned_of),
      JOB_TEST(models_that_are_quantized_are_warned_of),
      JOB_TEST(inputs_that_do_not_fit_are_refused),
      JOB_TEST(data_sets_without_samples_are_refused),
      JOB_TEST(discard_leaves_whole_batches),
      JOB_TEST(discard_that_leaves_nothing_is_refused),
      JOB_TEST(calibration_may_have_fewer_samples_than_asked_for),
      JOB_TEST(calibration_with_samples_that_are_held_out_is_warned_of),
      JOB_TEST(samples_that_are_missing_are_warned_of),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
