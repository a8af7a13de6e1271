/* GLUE: files of every task, the inputs made of them, damaged files; its metric. */
#include "metric_fixture.h"

#include "base/memory.h"
#include "data/bert_input.h"
#include "data/glue_file.h"

#define VOCABULARY                                                                                 \
  "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\nc\nd\n##e\nthe\n.\n" /* a 4, b 5, c 6, d 7, ##e 8, the 9 */

typedef struct task_case {
  const char *task, *file, *text;
  double label;   /* of the first sample */
  int64_t second; /* first piece of the second text; 0: there is none */
  int64_t classes;
  int64_t size;
} task_case;

static const task_case cases[] = {
    {"cola", "dev.tsv", "x\t1\t*\ta b\ny\t0\t\tc\n", 1, 0, 2, 2},
    {"sst-2", "dev.tsv", "sentence\tlabel\na b\t1\n\nc\t0\n", 1, 0, 2, 2},
    {"mrpc", "dev.tsv",
     "\xef\xbb\xbfQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n1\t2\t3\ta b\tc\r\n", 1, 6, 2, 1},
    {"sts-b", "dev.tsv", "h\n0\tg\tf\ty\tid\ts1\ts2\ta b\tc\t3.25\n", 3.25, 6, 0, 1},
    {"qqp", "dev.tsv", "h\n1\t2\t3\ta b\tc\t1\nshort\tline\n", 1, 6, 2, 1},
    {"qnli", "dev.tsv", "h\n0\ta b\tc\tnot_entailment", 1, 6, 2, 1},
    {"rte", "dev.tsv", "h\n0\ta b\tc\tentailment\n", 0, 6, 2, 1},
    {"wnli", "dev.tsv", "h\n0\ta b\tc\t1\n", 1, 6, 2, 1},
    {"mnli", "dev_matched.tsv", "h\n0\t1\t2\t3\t4\t5\t6\t7\ta b\tc\tl1\tneutral\n", 2, 6, 3, 1},
    {"mnli-mm", "dev_mismatched.tsv", "h\n0\t1\t2\t3\t4\t5\t6\t7\ta b\tc\tl1\tentailment\n", 1, 6,
     3, 1},
};

/* A folder with a vocabulary and a file; FIXTURE_PATH bytes. */
static void make_data(char *folder, const char *file, const char *text) {
  make_folder(folder);
  write_file(folder, "vocab.txt", VOCABULARY, strlen(VOCABULARY));
  write_file(folder, file, text, strlen(text));
}

static void settings_of(char *out, size_t size, const char *task, const char *more) {
  snprintf(out, size, "{data_dir: ., model_name_or_path: ., task: %s%s}", task, more);
}

static void reads_every_task(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const task_case *this = &cases[i];
    char folder[FIXTURE_PATH];
    char settings[256];
    make_data(folder, this->file, this->text);
    settings_of(settings, sizeof settings, this->task, ", max_seq_length: 8");
    lpot_dataset *dataset = open_dataset("GLUE", settings, folder);
    assert_int_equal(lpot_dataset_size(dataset), this->size);
    assert_int_equal(lpot_dataset_num_classes(dataset), this->classes);
    assert_int_equal(lpot_dataset_num_skipped(dataset), strcmp(this->task, "qqp") == 0 ? 1 : 0);
    lpot_sample sample;
    lpot_sample_init(&sample);
    get_sample(dataset, 0, &sample);
    assert_true(lpot_tensor_get_double(sample.label, 0) == this->label);
    assert_int_equal(sample.label->dtype, this->classes == 0 ? LPOT_F32 : LPOT_S64);
    int64_t has_second = this->second != 0 ? 1 : 0;
    const int64_t ids[] = {2, 4, 5, 3, this->second, 3 * has_second, 0, 0};
    const int64_t mask[] = {1, 1, 1, 1, has_second, has_second, 0, 0};
    const int64_t types[] = {0, 0, 0, 0, has_second, has_second, 0, 0};
    assert_memory_equal(sample.inputs[0]->data, ids, sizeof ids);
    assert_memory_equal(sample.inputs[1]->data, mask, sizeof mask);
    assert_memory_equal(sample.inputs[2]->data, types, sizeof types);
    lpot_sample_done(&sample);
    lpot_dataset_close(dataset);
    remove_folder(folder);
  }
}

static void long_texts_are_cut_at_the_longer_end(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  char settings[256];
  make_data(folder, "dev.tsv", "h\n0\ta a a a a\tb c d b\tentailment\n");
  settings_of(settings, sizeof settings, "rte", ", max_seq_length: 8");
  lpot_dataset *dataset = open_dataset("GLUE", settings, folder);
  lpot_sample sample;
  lpot_sample_init(&sample);
  get_sample(dataset, 0, &sample);
  const int64_t ids[] = {2, 4, 4, 4, 3, 5, 6, 3};
  assert_memory_equal(sample.inputs[0]->data, ids, sizeof ids);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
  remove_folder(folder);
}

static void inputs_follow_the_settings(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  char settings[256];
  make_data(folder, "train.tsv", "sentence\tlabel\nA Ae.\t1\na a a a a\t0\n");
  settings_of(settings, sizeof settings, "sst-2",
              ", evaluate: false, do_lower_case: false, dynamic_length: true, dtype: int32, "
              "inputs: [segment_ids, input_ids]");
  lpot_dataset *dataset = open_dataset("GLUE", settings, folder);
  lpot_sample sample;
  lpot_sample_init(&sample);
  get_sample(dataset, 0, &sample);
  assert_int_equal(sample.num_inputs, 2);
  assert_int_equal(sample.inputs[0]->dtype, LPOT_S32);
  const int32_t types[7] = {0};
  const int32_t ids[] = {2, 1, 1, 10, 3, 0, 0}; /* Capitals are unknown. */
  assert_int_equal(sample.inputs[0]->shape.dims[0], 7);
  assert_memory_equal(sample.inputs[0]->data, types, sizeof types);
  assert_memory_equal(sample.inputs[1]->data, ids, sizeof ids);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
  settings_of(settings, sizeof settings, "sst-2", ", evaluate: false, model_type: distilbert");
  dataset = open_dataset("GLUE", settings, folder);
  get_sample(dataset, 0, &sample);
  assert_int_equal(sample.num_inputs, 2);
  assert_int_equal(sample.inputs[0]->shape.dims[0], 128);
  assert_int_equal(lpot_tensor_get_int(sample.inputs[1], 0), 1);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
  remove_folder(folder);
}

static void bert_classifies_too(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_data(folder, "dev.tsv", "sentence\tlabel\na b\t1\n");
  lpot_dataset *dataset =
      open_dataset("bert", "{task: classifier, glue_task: sst-2, vocab_file: vocab.txt}", folder);
  assert_int_equal(lpot_dataset_size(dataset), 1);
  assert_int_equal(label_of(dataset, 0), 1);
  lpot_dataset_close(dataset);
  expect_refused("bert", "{task: classifier, vocab_file: vocab.txt}", folder, LPOT_CONFIG,
                 "needs the setting 'glue_task'");
  expect_refused("bert",
                 "{task: classifier, glue_task: cola, label_file: x, vocab_file: vocab.txt}",
                 folder, LPOT_CONFIG, "there is no file");
  remove_folder(folder);
}

static void manifest_follows_files_and_settings(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  char settings[256];
  make_data(folder, "dev.tsv", "sentence\tlabel\na b\t1\n");
  settings_of(settings, sizeof settings, "sst-2", "");
  lpot_digest first = manifest_of("GLUE", settings, folder);
  assert_true(same_digest(first, manifest_of("GLUE", settings, folder)));
  settings_of(settings, sizeof settings, "sst-2", ", max_seq_length: 64");
  assert_false(same_digest(first, manifest_of("GLUE", settings, folder)));
  settings_of(settings, sizeof settings, "sst-2", "");
  write_file(folder, "vocab.txt", VOCABULARY "x\n", strlen(VOCABULARY "x\n"));
  assert_false(same_digest(first, manifest_of("GLUE", settings, folder)));
  remove_folder(folder);
}

static void refuses_damaged_files(void **state) {
  (void)state;
  static const struct {
    const char *task, *text, *part;
  } bad[] = {
      {"cola", "x\t1\t*\n", "line 1: expected at least 4 columns for task cola"},
      {"sst-2", "h\na\t1\nb\t2\n", "line 3: label '2', expected one of 0, 1"},
      {"sts-b", "h\n0\t1\t2\t3\t4\t5\t6\ta\tb\tmuch\n", "line 2: label 'much', expected a number"},
      {"rte", "h\n0\ta\tb\tneutral\n", "expected one of entailment, not_entailment"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char folder[FIXTURE_PATH];
    char settings[256];
    make_data(folder, "dev.tsv", bad[i].text);
    settings_of(settings, sizeof settings, bad[i].task, "");
    expect_refused("GLUE", settings, folder, LPOT_FORMAT, bad[i].part);
    remove_folder(folder);
  }
}

static void text_that_is_not_utf8_is_named(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  char settings[256];
  make_data(folder, "dev.tsv", "sentence\tlabel\na\t1\na\xe4\t1\n");
  settings_of(settings, sizeof settings, "sst-2", "");
  lpot_dataset *dataset = open_dataset("GLUE", settings, folder);
  lpot_sample sample;
  lpot_sample_init(&sample);
  lpot_error err = {0};
  expect_error(lpot_dataset_get(dataset, 1, &sample, &err), LPOT_FORMAT, &err,
               "dev.tsv' line 3: text is not valid UTF-8 at byte 1");
  lpot_dataset_close(dataset);
  remove_folder(folder);
}

static void refuses_bad_settings(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  make_data(folder, "dev.tsv", "sentence\tlabel\na\t1\n");
  static const struct {
    const char *settings, *part;
  } bad[] = {
      {"{data_dir: ., model_name_or_path: .}", "dataset GLUE needs the setting 'task'"},
      {"{data_dir: ., model_name_or_path: ., task: sst2}", "did you mean 'sst-2'"},
      {"{data_dir: ., task: sst-2}", "needs the setting 'model_name_or_path'"},
      {"{data_dir: none, model_name_or_path: ., task: sst-2}", "none/dev.tsv'"},
      {"{data_dir: ., model_name_or_path: none, task: sst-2}", "none/vocab.txt'"},
      {"{data_dir: ., model_name_or_path: ., task: mnli}", "dev_matched.tsv'"},
      {"{data_dir: ., model_name_or_path: ., task: sst-2, max_seq_len: 8}",
       "did you mean 'max_seq_length'"},
      {"{data_dir: ., model_name_or_path: ., task: sst-2, max_seq_length: 7}", "max_seq_length"},
      {"{data_dir: ., model_name_or_path: ., task: sst-2, inputs: [input_id]}",
       "did you mean 'input_ids'"},
      {"{data_dir: ., model_name_or_path: ., task: sst-2, inputs: []}", "expected a list such as"},
      {"{data_dir: ., model_name_or_path: ., task: sst-2, dtype: float32}", "dtype"},
      {"{data_dir: ., model_name_or_path: ., task: sst-2, model_type: xlnet}",
       "model type 'xlnet' is not supported yet"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    expect_refused("GLUE", bad[i].settings, folder, LPOT_CONFIG, bad[i].part);
  }
  remove_folder(folder);
}

/* ---- the metric ---- */

/* Adds rows [first, first + rows) of golden outputs and labels. */
static void add_rows(const lpot_metric *metric, const lpot_tensor *outputs,
                     const lpot_tensor *labels, int64_t first, int64_t rows,
                     lpot_metric_state *state) {
  uint64_t indices[64];
  lpot_tensor *views[2] = {NULL};
  const lpot_tensor *from[] = {outputs, labels};
  lpot_error err = {0};
  for (int i = 0; i < 2; i++) {
    lpot_shape shape = from[i]->shape;
    size_t row_bytes = from[i]->size_bytes / (size_t)shape.dims[0];
    shape.dims[0] = rows;
    expect_ok(lpot_tensor_copy_of(from[i]->dtype, &shape,
                                  (const uint8_t *)from[i]->data + (size_t)first * row_bytes,
                                  &views[i], &err),
              &err);
  }
  for (int64_t i = 0; i < rows; i++) {
    indices[i] = (uint64_t)(first + i);
  }
  lpot_batch batch = {.labels = views[1], .num_valid = rows, .indices = indices};
  const lpot_tensor *list[] = {views[0]};
  expect_ok(lpot_metric_update(metric, list, 1, &batch, state, NULL, &err), &err);
  lpot_tensor_unref(views[0]);
  lpot_tensor_unref(views[1]);
}

/* The value of golden outputs in blocks of `block` rows. */
static double value_in_blocks(const char *text, const char *outputs_name, const char *labels_name,
                              int64_t block) {
  lpot_metric *metric = make_metric(text);
  lpot_tensor *outputs = golden_tensor(outputs_name);
  lpot_tensor *labels = golden_tensor(labels_name);
  lpot_metric_state whole;
  lpot_metric_state_init(&whole);
  lpot_error err = {0};
  for (int64_t first = 0; first < 64; first += block) {
    lpot_metric_state part;
    lpot_metric_state_init(&part);
    int64_t rows = 64 - first < block ? 64 - first : block;
    add_rows(metric, outputs, labels, first, rows, &part);
    expect_ok(lpot_metric_state_merge(metric, &whole, &part, &err), &err);
    lpot_metric_state_done(&part);
  }
  double value = value_of(metric, &whole);
  assert_int_equal(whole.samples, 64);
  lpot_metric_state_done(&whole);
  lpot_metric_free(metric);
  lpot_tensor_unref(outputs);
  lpot_tensor_unref(labels);
  return value;
}

static void values_are_those_of_scikit_learn_and_scipy(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t index; /* in glue_values.npy */
  } tasks[] = {
      {"GLUE: {task: qqp}", 0},  {"GLUE: mnli", 0},  {"GLUE: rte", 0},           {"GLUE: mrpc", 1},
      {"GLUE: {task: cola}", 2}, {"GLUE: sst-2", 0}, {"GLUE: {task: sts-b}", 3},
  };
  lpot_tensor *expected = golden_tensor("glue_values.npy");
  for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++) {
    bool is_number = tasks[i].index == 3;
    const char *outputs = is_number ? "glue_guesses.npy" : "glue_scores.npy";
    const char *labels = is_number ? "glue_numbers.npy" : "glue_labels.npy";
    double value = lpot_tensor_get_double(expected, tasks[i].index);
    double whole = value_in_blocks(tasks[i].text, outputs, labels, 64);
    if (fabs(whole - value) > 1e-14) {
      fail_msg("%s: %.17g, expected %.17g", tasks[i].text, whole, value);
    }
    assert_true(value_in_blocks(tasks[i].text, outputs, labels, 7) == whole);
  }
  lpot_tensor_unref(expected);
}

/* The value of some predictions of one number or of two scores. */
static double value_of_few(const char *text, int64_t rows, int64_t columns, const double *scores,
                           const double *labels, uint64_t *ret_bad) {
  lpot_metric *metric = make_metric(text);
  lpot_tensor *outputs = make_tensor(LPOT_F32, rows, columns, scores);
  lpot_tensor *truths = make_tensor(columns == 1 ? LPOT_F32 : LPOT_S64, rows, 0, labels);
  lpot_metric_state found;
  lpot_metric_state_init(&found);
  add_rows(metric, outputs, truths, 0, rows, &found);
  double value = value_of(metric, &found);
  *ret_bad = found.bad;
  lpot_metric_state_done(&found);
  lpot_tensor_unref(outputs);
  lpot_tensor_unref(truths);
  lpot_metric_free(metric);
  return value;
}

static void edges_are_as_stated(void **state) {
  (void)state;
  const double scores[] = {1, 0, 1, 0, 1, (double)NAN};
  const double zeros[] = {0, 0, 0};
  const double labels[] = {0, 0, 1};
  const double numbers[] = {1, 2, (double)INFINITY};
  const double constant[] = {2, 2, 2};
  uint64_t bad = 0;
  assert_true(value_of_few("GLUE: mrpc", 3, 2, scores, zeros, &bad) == 0.0);
  assert_int_equal(bad, 1);
  assert_true(value_of_few("GLUE: cola", 2, 2, scores, zeros, &bad) == 0.0);
  assert_true(value_of_few("GLUE: qqp", 3, 2, scores, zeros, &bad) == 2.0 / 3.0);
  assert_true(value_of_few("GLUE: sts-b", 3, 1, numbers, labels, &bad) == -1.0);
  assert_int_equal(bad, 1);
  assert_true(value_of_few("GLUE: sts-b", 3, 1, constant, labels, &bad) == 0.0);
}

static void tasks_decide_what_kind_of_metric_it_is(void **state) {
  (void)state;
  lpot_metric *accuracy = make_metric("GLUE: {task: sst-2}");
  lpot_metric *f1 = make_metric("GLUE: {task: mrpc}");
  assert_true(lpot_metric_is_per_sample(accuracy) && !lpot_metric_is_per_sample(f1));
  assert_true(lpot_metric_higher_is_better(f1));
  assert_true(lpot_metric_chance_level(accuracy, 2) == 0.5);
  assert_string_equal(lpot_metric_name(f1), "GLUE");
  lpot_metric_free(accuracy);
  lpot_metric_free(f1);
  expect_bad_metric("GLUE: {}", "metric GLUE needs the setting 'task'");
  expect_bad_metric("GLUE: {task: mrcp}", "did you mean 'mrpc'");
  expect_bad_metric("GLUE: {tsk: mrpc}", "did you mean 'task'");
}

static void damaged_records_are_refused(void **state) {
  (void)state;
  static const char *const texts[] = {"GLUE: mrpc", "GLUE: cola", "GLUE: sts-b"};
  for (size_t i = 0; i < 3; i++) {
    lpot_metric *metric = make_metric(texts[i]);
    lpot_metric_state whole;
    lpot_metric_state_init(&whole);
    lpot_error err = {0};
    double value = 0.0;
    whole.samples = 2;
    expect_ok(lpot_buffer_append(&whole.records, "12345", 5, &err), &err);
    expect_error(lpot_metric_value(metric, &whole, &value, &err), LPOT_FORMAT, &err, "records");
    if (i < 2) {
      lpot_metric_state empty;
      lpot_metric_state_init(&empty);
      expect_error(lpot_metric_state_merge(metric, &empty, &whole, &err), LPOT_FORMAT, &err,
                   "records");
      lpot_metric_state_done(&empty);
      const uint64_t counts[] = {UINT64_MAX, 1, 1};
      lpot_buffer_clear(&whole.records);
      expect_ok(lpot_buffer_append(&whole.records, counts, sizeof counts, &err), &err);
      expect_error(lpot_metric_value(metric, &whole, &value, &err), LPOT_FORMAT, &err,
                   "more answers than samples");
    }
    lpot_metric_state_done(&whole);
    lpot_metric_free(metric);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_every_task),
      cmocka_unit_test(long_texts_are_cut_at_the_longer_end),
      cmocka_unit_test(inputs_follow_the_settings),
      cmocka_unit_test(bert_classifies_too),
      cmocka_unit_test(manifest_follows_files_and_settings),
      cmocka_unit_test(refuses_damaged_files),
      cmocka_unit_test(text_that_is_not_utf8_is_named),
      cmocka_unit_test(refuses_bad_settings),
      cmocka_unit_test(values_are_those_of_scikit_learn_and_scipy),
      cmocka_unit_test(edges_are_as_stated),
      cmocka_unit_test(tasks_decide_what_kind_of_metric_it_is),
      cmocka_unit_test(damaged_records_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
