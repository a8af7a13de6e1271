/* Helpers of the tests of tune: a folder for files, and a small run in a ledger. */
#ifndef LPOT_TESTS_TUNE_FIXTURE_H
#define LPOT_TESTS_TUNE_FIXTURE_H

#include "formats/temp_folder.h"

#include "tune/ledger.h"
#include "tune/op_times_fixture.h"

static inline lpot_recipe *make_recipe(size_t num_ops, int64_t samples) {
  lpot_recipe *recipe = NULL;
  lpot_error error = {0};
  assert_int_equal(lpot_recipe_new(num_ops, &recipe, &error), LPOT_OK);
  recipe->calibration_samples = samples;
  for (size_t i = 0; i < num_ops; i++) {
    recipe->ops[i].activation = (lpot_tensor_config){.dtype = LPOT_U8,
                                                     .scheme = LPOT_SCHEME_ASYM,
                                                     .granularity = LPOT_PER_TENSOR,
                                                     .algorithm = LPOT_MINMAX};
    recipe->ops[i].weight = (lpot_tensor_config){.dtype = LPOT_S8,
                                                 .scheme = LPOT_SCHEME_SYM,
                                                 .granularity = LPOT_PER_CHANNEL,
                                                 .algorithm = LPOT_MINMAX};
  }
  return recipe;
}

static inline lpot_metric *make_metric(const char *text) {
  lpot_yaml *yaml = NULL;
  lpot_metric *metric = NULL;
  assert_int_equal(lpot_yaml_parse("metric.yaml", text, strlen(text), &yaml, NULL), LPOT_OK);
  assert_int_equal(lpot_metric_new(lpot_yaml_root(yaml), &metric, NULL), LPOT_OK);
  lpot_yaml_free(yaml);
  return metric;
}

static inline lpot_ledger_header make_header(void) {
  static char *names[] = {"conv1", "add1"};
  static char *types[] = {"Conv", "Add"};
  return (lpot_ledger_header){.program_version = "0.0",
                              .engine = "reference",
                              .numeric_class = "test",
                              .model_path = "/m.onnx",
                              .folder = "/",
                              .config_name = "c.yaml",
                              .config_text = "model: {}\n",
                              .identity = "model: {}\n",
                              .model = {1, 2},
                              .manifest = {3, 4},
                              .seed = 7,
                              .higher_is_better = true,
                              .num_ops = 2,
                              .op_names = names,
                              .op_types = types};
}

/* An empty ledger, and a new journal for it in folder. */
static inline void open_run(const temp_folder *folder, const char *name, lpot_ledger *ledger,
                            lpot_journal **journal) {
  char path[PATH_SIZE];
  lpot_ledger_init(ledger);
  temp_path(folder, name, path);
  assert_int_equal(lpot_journal_open(path, false, lpot_ledger_apply, ledger, journal, NULL),
                   LPOT_OK);
}

/* Header, weights, session, baseline, op times, calibration, two trials (the second INVALID), one
 * speculative result, a measurement, what is sensed, the part held out and a verdict. */
static inline void fill_run(lpot_ledger *ledger, lpot_journal *journal) {
  lpot_error error = {0};
  lpot_ledger_header header = make_header();
  assert_int_equal(lpot_ledger_add_header(ledger, journal, &header, &error), LPOT_OK);
  assert_int_equal(lpot_ledger_add_weights(ledger, journal, true, &error), LPOT_OK);
  lpot_ledger_rank ranks[2] = {{.rank = 1, .host = "a", .numeric_class = "test"},
                               {.rank = 2, .host = "b", .numeric_class = "test"}};
  lpot_ledger_session session = {.start = 1e9, .num_ranks = 2, .ranks = ranks};
  assert_int_equal(lpot_ledger_add_session(ledger, journal, &session, &error), LPOT_OK);
  lpot_ledger_baseline baseline = {.accuracy = 0.875, .state = {.samples = 8, .correct = 7}};
  assert_int_equal(lpot_ledger_add_baseline(ledger, journal, &baseline, &error), LPOT_OK);
  lpot_op_cost ops[2];
  const lpot_op_times times = make_op_times(ops);
  assert_int_equal(lpot_ledger_add_op_times(ledger, journal, &times, &error), LPOT_OK);
  lpot_ledger_range ranges[1] = {{.value = "x", .minimum = -1, .maximum = 2, .total = 64}};
  lpot_ledger_calibration calibration = {
      .key = {.samples = 4}, .hash = 9, .num_ranges = 1, .ranges = ranges};
  assert_int_equal(lpot_ledger_add_calibration(ledger, journal, &calibration, &error), LPOT_OK);
  for (int64_t i = 0; i < 3; i++) {
    lpot_ledger_result result = {.recipe = make_recipe(2, 4 + i),
                                 .status = i == 1 ? LPOT_TRIAL_INVALID : LPOT_TRIAL_DONE,
                                 .accuracy = 0.75,
                                 .samples = 8,
                                 .rank = 2,
                                 .host = "b",
                                 .cause = ""};
    assert_int_equal(lpot_ledger_add_result(ledger, journal, &result, &error), LPOT_OK);
    lpot_recipe_free(result.recipe);
  }
  for (uint64_t id = 1; id <= 2; id++) {
    lpot_ledger_trial trial = {.id = id,
                               .stage = LPOT_STAGE_UNIFORM,
                               .result = (size_t)id - 1,
                               .meets = id == 1,
                               .size_bytes = 1000};
    assert_int_equal(lpot_ledger_add_commit(ledger, journal, &trial, &error), LPOT_OK);
  }
  lpot_latency_round rounds[2] = {{.f32_ms = 1.5, .recipe_ms = 0.5, .flags = LPOT_ROUND_KEPT},
                                  {.number = 1, .window = 1, .f32_ms = 1.75, .cpu_share = 0.5F}};
  lpot_latency latency = {.recipe_ms = 0.5,
                          .f32_ms = 1.5,
                          .speedup = 3,
                          .speedup_low = 2.75,
                          .speedup_high = 3.25,
                          .counted = 1,
                          .dropped = 1,
                          .attempts = 1,
                          .trusted = true,
                          .estimator = "e",
                          .governor = "g",
                          .cores = "0-1",
                          .num_rounds = 2,
                          .rounds = rounds};
  assert_int_equal(lpot_ledger_add_measure(ledger, journal, 1, &latency, &error), LPOT_OK);
  const lpot_footprint f32_footprint = {.bytes = 8192, .resident_bytes = 12288};
  const lpot_footprint footprint = {.bytes = 4096, .resident_bytes = 4096};
  assert_int_equal(
      lpot_ledger_add_footprint(ledger, journal, LPOT_NO_TRIAL, &f32_footprint, &error), LPOT_OK);
  assert_int_equal(lpot_ledger_add_footprint(ledger, journal, 1, &footprint, &error), LPOT_OK);
  lpot_ledger_mishap mishap = {.time = 1e9 + 1, .kind = LPOT_MISHAP_LOSS, .rank = 2, .host = "b"};
  assert_int_equal(lpot_ledger_add_mishap(ledger, journal, &mishap, &error), LPOT_OK);
  lpot_ledger_sense sense = {.recipe = make_recipe(2, 77),
                             .valid = true,
                             .error = 0.25,
                             .samples = 64,
                             .seconds = 0.5,
                             .rank = 1,
                             .host = "b"};
  assert_int_equal(lpot_ledger_add_sense(ledger, journal, &sense, &error), LPOT_OK);
  lpot_recipe *plain = NULL;
  assert_int_equal(lpot_recipe_new(1, &plain, &error), LPOT_OK);
  sense.recipe->ops[0] = plain->ops[0];
  sense.error = 0.125;
  assert_int_equal(lpot_ledger_add_sense(ledger, journal, &sense, &error), LPOT_OK);
  lpot_recipe_free(plain);
  lpot_recipe_free(sense.recipe);
  uint8_t f32_right[1] = {0x0F};
  uint8_t recipe_right[1] = {0x1E};
  lpot_ledger_holdout f32 = {
      .accuracy = 0.5, .meets = true, .samples = 8, .num_bits = 8, .correct = f32_right};
  assert_int_equal(lpot_ledger_add_holdout(ledger, journal, &f32, &error), LPOT_OK);
  lpot_ledger_holdout chosen = {.recipe_hash = ledger->results[0].recipe_hash,
                                .accuracy = 0.25,
                                .relative_loss = 0.5,
                                .samples = 8,
                                .seconds = 0.5,
                                .rank = 1,
                                .host = "a",
                                .num_bits = 8,
                                .correct = recipe_right};
  assert_int_equal(lpot_ledger_add_holdout(ledger, journal, &chosen, &error), LPOT_OK);
  assert_int_equal(lpot_ledger_add_verdict(ledger, journal, LPOT_VERDICT_MET, 1, &error), LPOT_OK);
}

#endif
