/* SQuAD's questions, features, answers and F1 against other code (golden/make_language_golden.py).
 */
#include "metric_fixture.h"

#include "base/memory.h"
#include "data/postprocess.h"
#include "data/squad.h"

#define SETTINGS                                                                                   \
  "max_query_length: 12\ndoc_stride: 16\n"                                                         \
  "vocab_file: squad_vocab.txt\nlabel_file: squad.json\n"
#define FITTING ", max_query_length: 12, doc_stride: 16"
#define PLACES 48
#define QUESTION "{\"id\": \"1\", \"question\": \"q\", \"answers\": [{\"text\": \"t\"}]}"

static void golden_folder(char out[FIXTURE_PATH]) {
  golden_path("x", out);
  *strrchr(out, '/') = '\0';
}

static lpot_dataset *open_golden(const char *more) {
  char settings[FIXTURE_PATH * 2];
  char folder[FIXTURE_PATH];
  golden_folder(folder);
  snprintf(settings, sizeof settings, "task: squad\nroot: %s\n" SETTINGS "%s", folder, more);
  return open_dataset("bert", settings, NULL);
}

static lpot_status new_chain(const char *more, lpot_postprocess **ret, lpot_error *err) {
  char settings[FIXTURE_PATH * 4];
  char folder[FIXTURE_PATH];
  golden_folder(folder);
  snprintf(settings, sizeof settings,
           "SquadV1: {label_file: %s/squad.json, vocab_file: %s/squad_vocab.txt, max_seq_length: "
           "48, n_best: 5, max_answer_length: 8%s}",
           folder, folder, more);
  lpot_yaml *yaml = parse_settings(settings);
  lpot_status status = lpot_postprocess_new(lpot_yaml_root(yaml), ret, err);
  lpot_yaml_free(yaml);
  return status;
}

static lpot_postprocess *make_chain_of(const char *more) {
  lpot_postprocess *chain = NULL;
  lpot_error err = {0};
  expect_ok(new_chain(more, &chain, &err), &err);
  return chain;
}

static void samples_are_the_reference_s(void **state) {
  (void)state;
  lpot_tensor *expected = golden_tensor("squad_inputs.npy");
  lpot_dataset *dataset = open_golden("max_seq_length: 48\n");
  assert_int_equal(lpot_dataset_size(dataset), expected->shape.dims[0]);
  for (int64_t i = 0; i < lpot_dataset_size(dataset); i++) {
    lpot_sample sample;
    lpot_sample_init(&sample);
    get_sample(dataset, i, &sample);
    assert_int_equal(sample.num_inputs, 3);
    assert_int_equal(lpot_tensor_get_int(sample.label, 0), i);
    for (int k = 0; k < 3; k++) {
      assert_int_equal(sample.inputs[k]->dtype, LPOT_S64);
      assert_memory_equal(sample.inputs[k]->data,
                          (const int64_t *)expected->data + (i * 3 + k) * PLACES,
                          PLACES * sizeof(int64_t));
    }
    lpot_sample_done(&sample);
  }
  lpot_dataset_close(dataset);
  lpot_tensor_unref(expected);
}

static void dynamic_length_is_that_of_the_longest(void **state) {
  (void)state;
  lpot_dataset *dataset = open_golden("max_seq_length: 400\ndynamic_length: true\n");
  lpot_sample sample;
  lpot_sample_init(&sample);
  get_sample(dataset, 0, &sample);
  assert_in_range(sample.inputs[0]->shape.dims[0], 60, 399);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
}

/* Scores of `rows` features from first on, as the outputs of a model. */
static lpot_tensor *take_scores(const lpot_tensor *scores, int which, int64_t first, int64_t rows) {
  lpot_shape shape = lpot_shape_of(2, (const int64_t[]){rows, PLACES});
  lpot_tensor *tensor = NULL;
  lpot_error err = {0};
  const float *data = scores->data;
  data += ((int64_t)which * scores->shape.dims[1] + first) * PLACES;
  expect_ok(lpot_tensor_copy_of(LPOT_F32, &shape, data, &tensor, &err), &err);
  return tensor;
}

/* The golden scores, and what they are of; to be closed by done. */
typedef struct golden {
  lpot_tensor *scores;
  lpot_dataset *dataset;
  lpot_postprocess *chain;
} golden;

static golden open_all(const char *chain_settings) {
  return (golden){.scores = golden_tensor("squad_scores.npy"),
                  .dataset = open_golden("max_seq_length: 48\n"),
                  .chain = make_chain_of(chain_settings)};
}

static golden open_fitting(void) {
  return open_all(FITTING);
}

static void done(golden *self) {
  lpot_postprocess_free(self->chain);
  lpot_dataset_close(self->dataset);
  lpot_tensor_unref(self->scores);
}

/* An answer, and what it consists of until a postprocess takes other tensors. */
typedef struct given_answer {
  lpot_answer answer;
  lpot_tensor *labels, *starts, *ends;
} given_answer;

/* A batch of features from first on, in an answer whose outputs are scores. */
static given_answer make_answer(const golden *self, int64_t first, int64_t rows) {
  given_answer given = {.starts = take_scores(self->scores, 0, first, rows),
                        .ends = take_scores(self->scores, 1, first, rows)};
  lpot_shape shape = lpot_shape_of(2, (const int64_t[]){rows, 2});
  lpot_error err = {0};
  expect_ok(lpot_tensor_new(LPOT_S64, &shape, &given.labels, &err), &err);
  for (int64_t i = 0; i < rows; i++) {
    lpot_sample sample;
    lpot_sample_init(&sample);
    get_sample(self->dataset, first + i, &sample);
    for (int64_t k = 0; k < 2; k++) {
      lpot_tensor_set_int(given.labels, i * 2 + k, lpot_tensor_get_int(sample.label, k));
    }
    lpot_sample_done(&sample);
  }
  given.answer = (lpot_answer){.num_outputs = 2,
                               .outputs = {given.starts, given.ends},
                               .batch = {.labels = given.labels, .num_valid = rows}};
  return given;
}

static void free_answer(given_answer *given) {
  lpot_answer_done(&given->answer);
  lpot_tensor_unref(given->labels);
  lpot_tensor_unref(given->starts);
  lpot_tensor_unref(given->ends);
}

/* Adds a batch to state; best answers by question, with their scores, are kept where asked for. */
static void judge(const golden *self, const lpot_metric *metric, int64_t first, int64_t rows,
                  lpot_metric_state *state, char (*texts)[128], double *best) {
  lpot_error err = {0};
  given_answer given = make_answer(self, first, rows);
  expect_ok(lpot_postprocess_apply(self->chain, &given.answer, &err), &err);
  const lpot_answer answer = given.answer;
  expect_ok(lpot_metric_update(metric, answer.outputs, answer.num_outputs, &answer.batch, state,
                               NULL, &err),
            &err);
  for (int64_t i = 0; texts != NULL && i < rows; i++) {
    int64_t question = lpot_tensor_get_int(answer.outputs[0], i * 2);
    double score = lpot_tensor_get_double(answer.outputs[1], i);
    int64_t width = answer.outputs[2]->shape.dims[1];
    if (score > best[question]) {
      best[question] = score;
      snprintf(texts[question], sizeof texts[0], "%s",
               (const char *)answer.outputs[2]->data + i * width);
    }
  }
  free_answer(&given);
}

static void expect_answers(char (*texts)[128], int questions) {
  lpot_mapping *mapping = golden_map("squad_answers.txt");
  const char *line = (const char *)lpot_mapping_data(mapping);
  for (int i = 0; i < questions; i++) {
    const char *end = strchr(line, '\n');
    size_t size = (size_t)(end - line);
    if (strlen(texts[i]) != size || memcmp(texts[i], line, size) != 0) {
      fail_msg("question %d: '%s', expected '%.*s'", i, texts[i], (int)size, line);
    }
    line = end + 1;
  }
  lpot_mapping_unref(mapping);
}

static void answers_and_f1_are_the_reference_s(void **state) {
  (void)state;
  enum { QUESTIONS = 24 };
  char texts[QUESTIONS][128] = {{0}};
  double best[QUESTIONS];
  for (int i = 0; i < QUESTIONS; i++) {
    best[i] = (double)-INFINITY;
  }
  lpot_tensor *expected = golden_tensor("squad_f1.npy");
  golden self = open_fitting();
  lpot_metric *metric = make_metric("SquadF1: {}");
  lpot_metric_state whole;
  lpot_metric_state_init(&whole);
  lpot_error err = {0};
  int64_t size = lpot_dataset_size(self.dataset);
  for (int64_t first = 0; first < size; first += 5) { /* Blocks that cut questions in two. */
    lpot_metric_state part;
    lpot_metric_state_init(&part);
    int64_t rows = size - first < 5 ? size - first : 5;
    judge(&self, metric, first, rows, &part, texts, best);
    expect_ok(lpot_metric_state_merge(metric, &whole, &part, &err), &err);
    lpot_metric_state_done(&part);
  }
  assert_int_equal(whole.samples, size);
  assert_int_equal(whole.bad, 0);
  expect_answers(texts, QUESTIONS);
  assert_true(fabs(value_of(metric, &whole) - lpot_tensor_get_double(expected, 0)) < 1e-12);
  whole.records.size--;
  double value = 0.0;
  expect_error(lpot_metric_value(metric, &whole, &value, &err), LPOT_FORMAT, &err, "records");
  lpot_metric_state_done(&whole);
  lpot_metric_free(metric);
  done(&self);
  lpot_tensor_unref(expected);
}

/* Scores with NaN give an empty answer that any other beats. */
static void nan_is_the_worst_answer(void **state) {
  (void)state;
  golden self = open_fitting();
  for (int64_t i = 0; i < lpot_tensor_elements(self.scores); i += PLACES) {
    lpot_tensor_set_double(self.scores, i + 7, (double)NAN);
  }
  lpot_metric *metric = make_metric("SquadF1: {}");
  lpot_metric_state found;
  lpot_metric_state_init(&found);
  judge(&self, metric, 0, lpot_dataset_size(self.dataset), &found, NULL, NULL);
  assert_int_equal(found.bad, lpot_dataset_size(self.dataset));
  assert_true(value_of(metric, &found) == 0.0);
  lpot_metric_state_done(&found);
  lpot_metric_free(metric);
  done(&self);
}

static void refuses_features_of_other_settings(void **state) {
  (void)state;
  golden self = open_all(", max_query_length: 12, doc_stride: 17");
  lpot_error err = {0};
  given_answer given = make_answer(&self, 0, 3);
  expect_error(lpot_postprocess_apply(self.chain, &given.answer, &err), LPOT_INVALID, &err,
               "postprocess SquadV1: label_file, vocab_file");
  given.answer.num_outputs = 1;
  expect_error(lpot_postprocess_apply(self.chain, &given.answer, &err), LPOT_INVALID, &err,
               "start_output and end_output are 0 and 1, the model has 1 outputs");
  free_answer(&given);
  done(&self);
}

/* The scores of starts and ends side by side in one output. */
static lpot_tensor *side_by_side(const lpot_tensor *starts, const lpot_tensor *ends) {
  const int64_t *dims = starts->shape.dims;
  lpot_shape shape = lpot_shape_of(3, (const int64_t[]){dims[0], dims[1], 2});
  lpot_tensor *both = NULL;
  lpot_error err = {0};
  expect_ok(lpot_tensor_new(LPOT_F32, &shape, &both, &err), &err);
  for (int64_t i = 0; i < lpot_tensor_elements(starts); i++) {
    lpot_tensor_set_double(both, 2 * i, lpot_tensor_get_double(starts, i));
    lpot_tensor_set_double(both, 2 * i + 1, lpot_tensor_get_double(ends, i));
  }
  return both;
}

static void one_output_may_have_both_scores(void **state) {
  (void)state;
  golden self = open_fitting();
  lpot_error err = {0};
  given_answer given = make_answer(&self, 0, 5);
  lpot_answer *two = &given.answer;
  lpot_tensor *both = side_by_side(given.starts, given.ends);
  lpot_answer one = {.num_outputs = 1, .outputs = {both}, .batch = two->batch};
  expect_ok(lpot_postprocess_apply(self.chain, two, &err), &err);
  expect_ok(lpot_postprocess_apply(self.chain, &one, &err), &err);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(one.outputs[i]->size_bytes, two->outputs[i]->size_bytes);
    assert_memory_equal(one.outputs[i]->data, two->outputs[i]->data, two->outputs[i]->size_bytes);
  }
  lpot_answer_done(&one);
  lpot_tensor_unref(both);
  free_answer(&given);
  done(&self);
}

static void refuses_outputs_and_labels_that_do_not_fit(void **state) {
  (void)state;
  const double zeros[60] = {0};
  golden self = open_fitting();
  lpot_error err = {0};
  given_answer given = make_answer(&self, 0, 3);
  lpot_answer *answer = &given.answer;
  lpot_tensor *few = make_tensor(LPOT_F32, 2, 5, zeros);
  lpot_tensor *narrow = make_tensor(LPOT_F32, 3, 5, zeros);
  answer->outputs[1] = few;
  expect_error(lpot_postprocess_apply(self.chain, answer, &err), LPOT_INVALID, &err,
               "outputs of shapes [3, 48] and [2, 5], expected two of [batch, places]");
  answer->outputs[0] = few;
  expect_error(lpot_postprocess_apply(self.chain, answer, &err), LPOT_INVALID, &err,
               "2 rows of outputs for 3 samples");
  answer->outputs[0] = answer->outputs[1] = narrow;
  expect_error(lpot_postprocess_apply(self.chain, answer, &err), LPOT_INVALID, &err,
               "outputs have 5 places, feature 0 has ");
  answer->outputs[0] = given.starts;
  answer->outputs[1] = given.ends;
  answer->batch.labels = NULL;
  expect_error(lpot_postprocess_apply(self.chain, answer, &err), LPOT_INVALID, &err,
               "expects the labels of dataset bert with task squad");
  lpot_tensor_unref(few);
  lpot_tensor_unref(narrow);
  free_answer(&given);
  done(&self);
}

static void squad_f1_needs_the_postprocess(void **state) {
  (void)state;
  const double values[] = {1, 0, 0, 1};
  lpot_metric *metric = make_metric("SquadF1:");
  lpot_tensor *output = make_tensor(LPOT_F32, 2, 2, values);
  lpot_tensor *labels = make_tensor(LPOT_S64, 2, 0, values);
  lpot_batch batch = {.labels = labels, .num_valid = 2};
  lpot_metric_state found;
  lpot_metric_state_init(&found);
  lpot_error err = {0};
  const lpot_tensor *outputs[] = {output};
  expect_error(lpot_metric_update(metric, outputs, 1, &batch, &found, NULL, &err), LPOT_INVALID,
               &err, "expects the postprocess SquadV1");
  lpot_metric_state_done(&found);
  lpot_tensor_unref(output);
  lpot_tensor_unref(labels);
  lpot_metric_free(metric);
}

/* Of equal places the first is looked at: with n_best 1, only that. */
static void the_first_of_equal_places_counts(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  char paths[2][FIXTURE_PATH * 2];
  static const char vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\nc\nq\n";
  static const char labels[] =
      "{\"data\": [{\"paragraphs\": [{\"context\": \"A b C\", \"qas\": [" QUESTION "]}]}]}";
  make_folder(folder);
  write_file(folder, "v.txt", vocabulary, sizeof vocabulary - 1);
  write_file(folder, "l.json", labels, sizeof labels - 1);
  snprintf(paths[0], sizeof paths[0], "%s/l.json", folder);
  snprintf(paths[1], sizeof paths[1], "%s/v.txt", folder);
  const lpot_squad_settings settings = {16, 4, 8, true};
  const lpot_squad_search search = {1, 3};
  const double starts[] = {0, 0, 0, 2, 2, 1, 0}; /* [CLS] q [SEP] a b c [SEP] */
  const double ends[] = {0, 0, 0, 0, 3, 3, 0};
  lpot_squad *squad = NULL;
  lpot_buffer answer = {0};
  double score = 0.0;
  lpot_error err = {0};
  expect_ok(lpot_squad_open(paths[0], paths[1], &settings, &squad, &err), &err);
  expect_ok(lpot_squad_answer(squad, 0, starts, ends, 7, &search, &answer, &score, &err), &err);
  assert_true(score == 5.0);
  assert_int_equal(answer.size, 3);
  assert_memory_equal(answer.data, "A b", 3);
  lpot_buffer_clear(&answer);
  expect_ok(lpot_squad_answer(squad, 0, ends, starts, 7, &search, &answer, &score, &err), &err);
  assert_true(isinf(score) && answer.size == 0); /* The end stands before the start. */
  lpot_buffer_done(&answer);
  lpot_squad_close(squad);
  remove_folder(folder);
}

/* Two features of a question with the same score: the first counts, whichever comes first. */
static void the_first_of_equal_features_counts(void **state) {
  (void)state;
  const double places[] = {0, 1, 0, 0};
  const double scores[] = {2, 2};
  const double answers[] = {'x', 0, 'y', 0};
  lpot_shape shape = lpot_shape_of(3, (const int64_t[]){2, 1, 2});
  const uint8_t truths[] = {'y', 0, 'y', 0};
  lpot_tensor *made[] = {make_tensor(LPOT_S64, 2, 2, places), make_tensor(LPOT_F64, 2, 0, scores),
                         make_tensor(LPOT_U8, 2, 2, answers)};
  const lpot_tensor *outputs[] = {made[0], made[1], made[2]};
  lpot_batch batch = {.num_valid = 2};
  lpot_metric *metric = make_metric("SquadF1:");
  lpot_metric_state found;
  lpot_metric_state_init(&found);
  lpot_error err = {0};
  expect_ok(lpot_tensor_copy_of(LPOT_U8, &shape, truths, &batch.labels, &err), &err);
  expect_ok(lpot_metric_update(metric, outputs, 3, &batch, &found, NULL, &err), &err);
  assert_true(value_of(metric, &found) == 100.0);
  lpot_metric_state_done(&found);
  lpot_metric_free(metric);
  lpot_tensor_unref(batch.labels);
  for (int i = 0; i < 3; i++) {
    lpot_tensor_unref(made[i]);
  }
}

static void f1_of_texts_is_the_reference_s(void **state) {
  (void)state;
  lpot_mapping *mapping = golden_map("squad_pairs.txt");
  const char *line = (const char *)lpot_mapping_data(mapping);
  const char *end = line + lpot_mapping_size(mapping);
  int count = 0;
  while (line < end) {
    char texts[2][64] = {{0}};
    double found = -1.0;
    lpot_error err = {0};
    for (int i = 0; i < 2; i++) {
      for (int k = 0; *line != ' '; k++, line += 2) {
        char digits[3] = {line[0], line[1], '\0'};
        texts[i][k] = (char)strtol(digits, NULL, 16);
      }
      line++;
    }
    expect_ok(lpot_squad_f1(texts[0], texts[1], &found, &err), &err);
    if (fabs(found - strtod(line, NULL)) > 1e-15) {
      fail_msg("'%s' and '%s': %.17g, expected %.17g", texts[0], texts[1], found,
               strtod(line, NULL));
    }
    line = strchr(line, '\n') + 1;
    count++;
  }
  assert_int_equal(count, 9);
  lpot_mapping_unref(mapping);
}

static void expect_bad_file(const char *text, const char *part) {
  lpot_squad_file file = {0};
  lpot_error err = {0};
  expect_error(lpot_squad_file_read((const uint8_t *)text, strlen(text), &file, &err), LPOT_FORMAT,
               &err, part);
  assert_null(file.arena);
}

static void refuses_damaged_files(void **state) {
  (void)state;
  expect_bad_file("", "line 1");
  expect_bad_file("[]", "line 1");
  expect_bad_file("{}", "expected the key 'data'");
  expect_bad_file("{\"data\": []}", "no questions");
  expect_bad_file("{\"data\": [{}]}", "expected the key 'paragraphs'");
  expect_bad_file("{\"data\": [{\"paragraphs\": [{\"qas\": [" QUESTION "]}]}]}",
                  "a paragraph without 'context'");
  expect_bad_file("{\"data\": [{\"paragraphs\": [{\"qas\": [{\"id\": \"7\"}]}]}]}",
                  "a question without 'question'");
  expect_bad_file("{\"data\": [{\"paragraphs\": [{\"qas\": [{\"id\": \"7\", \"question\": \"q\", "
                  "\"answers\": []}]}]}]}",
                  "question '7' has no answers");
  expect_bad_file("{\"data\": [{\"paragraphs\": [{\"qas\": [{\"answers\": [{}]}]}]}]}",
                  "an answer without 'text'");
}

static void refuses_files_cut_anywhere(void **state) {
  (void)state;
  static const char whole[] =
      "{\"data\": [{\"paragraphs\": [{\"context\": \"c\", \"qas\": [" QUESTION "]}]}]}";
  lpot_squad_file file = {0};
  lpot_error err = {0};
  for (size_t size = 0; size + 1 < sizeof whole; size++) {
    assert_int_equal(lpot_squad_file_read((const uint8_t *)whole, size, &file, &err), LPOT_FORMAT);
  }
  expect_ok(lpot_squad_file_read((const uint8_t *)whole, sizeof whole - 1, &file, &err), &err);
  assert_int_equal(file.num_questions, 1);
  lpot_squad_file_done(&file);
}

static void refuses_bad_settings(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  golden_folder(folder);
  lpot_postprocess *chain = NULL;
  lpot_error err = {0};
  expect_error(new_chain(", n_bst: 3", &chain, &err), LPOT_CONFIG, &err, "did you mean 'n_best'");
  expect_error(new_chain(", max_query_length: 45", &chain, &err), LPOT_CONFIG, &err,
               "has no room for a question");
  expect_refused("bert", "task: squid", folder, LPOT_CONFIG, "did you mean 'squad'");
  expect_refused("bert", "{}", folder, LPOT_CONFIG, "dataset bert needs the setting 'task'");
  expect_refused("bert", "task: squad", folder, LPOT_CONFIG, "needs the setting 'label_file'");
  expect_refused("bert", "{task: squad, label_file: none.json}", folder, LPOT_CONFIG,
                 "there is no file");
  expect_refused("bert", "{task: squad, max_seq_length: 60}", folder, LPOT_CONFIG,
                 "has no room for a question");
  expect_refused("bert", "{task: squad, model_type: roberta}", folder, LPOT_CONFIG,
                 "model type 'roberta' is not supported yet");
  make_folder(folder);
  write_file(folder, "v.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n", 24);
  static const char blank[] =
      "{\"data\": [{\"paragraphs\": [{\"context\": \" \", \"qas\": [" QUESTION "]}]}]}";
  write_file(folder, "l.json", blank, sizeof blank - 1);
  expect_refused("bert", "{task: squad, label_file: l.json, vocab_file: v.txt}", folder,
                 LPOT_FORMAT, "question 0: its paragraph has no words");
  remove_folder(folder);
}

/* Every allocation may fail. */
static void survives_lack_of_memory(void **state) {
  (void)state;
  golden self = open_fitting();
  lpot_metric *metric = make_metric("SquadF1:");
  lpot_status status = LPOT_NO_MEMORY;
  for (uint64_t n = 1; status == LPOT_NO_MEMORY; n += 7) {
    lpot_error err = {0};
    given_answer given = make_answer(&self, 0, 3);
    lpot_metric_state found;
    lpot_metric_state_init(&found);
    lpot_postprocess_free(self.chain); /* What it keeps is allocated anew. */
    self.chain = make_chain_of(FITTING);
    lpot_memory_fail_after(n);
    status = lpot_postprocess_apply(self.chain, &given.answer, &err);
    if (status == LPOT_OK) {
      status = lpot_metric_update(metric, given.answer.outputs, given.answer.num_outputs,
                                  &given.answer.batch, &found, NULL, &err);
    }
    lpot_memory_fail_after(0);
    lpot_metric_state_done(&found);
    free_answer(&given);
  }
  assert_int_equal(status, LPOT_OK);
  lpot_metric_free(metric);
  done(&self);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(samples_are_the_reference_s),
      cmocka_unit_test(dynamic_length_is_that_of_the_longest),
      cmocka_unit_test(answers_and_f1_are_the_reference_s),
      cmocka_unit_test(nan_is_the_worst_answer),
      cmocka_unit_test(refuses_features_of_other_settings),
      cmocka_unit_test(one_output_may_have_both_scores),
      cmocka_unit_test(refuses_outputs_and_labels_that_do_not_fit),
      cmocka_unit_test(squad_f1_needs_the_postprocess),
      cmocka_unit_test(the_first_of_equal_places_counts),
      cmocka_unit_test(the_first_of_equal_features_counts),
      cmocka_unit_test(f1_of_texts_is_the_reference_s),
      cmocka_unit_test(refuses_damaged_files),
      cmocka_unit_test(refuses_files_cut_anywhere),
      cmocka_unit_test(refuses_bad_settings),
      cmocka_unit_test(survives_lack_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
