#include "tune/tune_fixture.h"

#include "base/memory.h"
#include "tune/report_html.h"
#include "tune/report_part.h"

/* A run and its page; both are ended by done. */
typedef struct subject {
  lpot_ledger ledger;
  lpot_journal *journal;
  char *page; /* owned */
} subject;

/* A run that has just begun. */
static subject begin(const temp_folder *folder, const char *name, const char *model_path) {
  subject self = {.page = NULL};
  lpot_ledger_header header = make_header();
  open_run(folder, name, &self.ledger, &self.journal);
  header.model_path = (char *)model_path;
  assert_int_equal(lpot_ledger_add_header(&self.ledger, self.journal, &header, NULL), LPOT_OK);
  return self;
}

static const char *page_of(subject *self) {
  lpot_buffer out;
  lpot_error error = {0};
  lpot_buffer_init(&out);
  if (lpot_report_html(&self->ledger, NULL, &out, &error) != LPOT_OK) {
    fail_msg("%s", error.message);
  }
  assert_int_equal(lpot_buffer_terminate(&out, NULL), LPOT_OK);
  self->page = (char *)out.data;
  return self->page;
}

/* A run that has all there is. */
static subject fill(const temp_folder *folder, const char *name) {
  subject self = {.page = NULL};
  open_run(folder, name, &self.ledger, &self.journal);
  fill_run(&self.ledger, self.journal);
  return self;
}

static void done(subject *self) {
  lpot_free(self->page);
  lpot_journal_close(self->journal);
  lpot_ledger_done(&self->ledger);
}

static void assert_has(const char *page, const char *part) {
  if (strstr(page, part) == NULL) {
    fail_msg("'%s' is not in the page", part);
  }
}

static void page_has_what_the_run_knows(void **state) {
  static const char *const parts[] = {
      "The accuracy criterion is met.",
      "On 8 samples that the search has not seen the criterion does <strong>not</strong> hold",
      "1 right answers are lost, 1 gained",
      "Time of the slowest ops in f32, int8 and bf16",
      "<th scope='row' class='text'>conv1</th><td class='text'>Conv</td><td>12.5</td>",
      "Damage that ops do to the outputs when they are in int8",
      "<th scope='row' class='text'>add1</th><td class='text'>Add</td><td>0.125</td>",
      "<caption>What the activations were in calibration</caption>",
      "The model could not be read"};
  subject self = fill(*state, "all");
  const char *page = page_of(&self);
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    assert_has(page, parts[i]);
  }
  done(&self);
}

static void page_of_a_run_that_has_just_begun_has_all_sections(void **state) {
  static const char *const anchors[] = {"front", "trials", "ops",   "sensitivity",
                                        "times", "ranges", "hosts", "configuration"};
  subject self = begin(*state, "begun", "/a<b&c.onnx");
  const char *page = page_of(&self);
  for (size_t i = 0; i < sizeof anchors / sizeof anchors[0]; i++) {
    char text[64];
    snprintf(text, sizeof text, "<h2 id='%s'>", anchors[i]);
    assert_has(page, text);
    snprintf(text, sizeof text, "<a href='#%s'>", anchors[i]);
    assert_has(page, text);
  }
  assert_has(page, "<h1>a&lt;b&amp;c.onnx</h1>");
  assert_has(page, "The run is not finished");
  assert_null(strstr(page, "<svg"));
  done(&self);
}

static void add_trial(subject *self, size_t float_op, lpot_stage stage, double accuracy,
                      uint64_t size_bytes) {
  lpot_ledger *ledger = &self->ledger;
  lpot_recipe *plain = NULL;
  assert_int_equal(lpot_recipe_new(2, &plain, NULL), LPOT_OK);
  lpot_ledger_result result = {.recipe = make_recipe(2, 4), .accuracy = accuracy};
  if (float_op < 2) {
    result.recipe->ops[float_op] = plain->ops[float_op];
  }
  assert_int_equal(lpot_ledger_add_result(ledger, self->journal, &result, NULL), LPOT_OK);
  lpot_recipe_free(result.recipe);
  lpot_recipe_free(plain);
  lpot_ledger_trial trial = {.id = ledger->num_trials + 1,
                             .stage = stage,
                             .result = ledger->num_results - 1,
                             .size_bytes = size_bytes};
  assert_int_equal(lpot_ledger_add_commit(ledger, self->journal, &trial, NULL), LPOT_OK);
}

static void ops_tell_what_falling_back_alone_gains(void **state) {
  subject self = begin(*state, "gains", "/m.onnx");
  add_trial(&self, 2, LPOT_STAGE_UNIFORM, 0.5, 0);
  add_trial(&self, 1, LPOT_STAGE_ONE_BY_ONE, 0.75, 0);
  add_trial(&self, 0, LPOT_STAGE_ONE_BY_ONE, 0.375, 0);
  assert_int_equal(lpot_ledger_add_verdict(&self.ledger, self.journal, LPOT_VERDICT_MET, 2, NULL),
                   LPOT_OK);
  const char *page = page_of(&self);
  assert_has(page, "weight per_channel</td><td class='text'></td><td>-0.125</td>");
  assert_has(page, "<td class='text'>fp32</td><td class='text'>fell back in the search</td>"
                   "<td>0.25</td>");
  /* The recipe of trial 3 has op 0 in fp32, that of trial 1 both in int8. */
  assert_has(page, "<th scope='row' class='text'>3</th><td class='text'>uint8 asym minmax; weight "
                   "per_channel</td><td>4</td><td class='text'>none</td><td class='text'>");
  done(&self);
}

static size_t count_of(const char *page, const char *part) {
  size_t count = 0;
  for (const char *at = strstr(page, part); at != NULL; at = strstr(at + 1, part)) {
    count++;
  }
  return count;
}

/* The front is that of pareto.h, in all that is known: not of accuracy and speed alone. */
static void recipe_is_told_by_its_first_int8_op_with_a_weight(void **state) {
  (void)state;
  char text[LPOT_REPORT_TEXT];
  lpot_recipe *recipe = make_recipe(3, 4);
  recipe->ops[0].weight = (lpot_tensor_config){.dtype = LPOT_DTYPE_UNKNOWN};
  recipe->ops[0].activation.algorithm = LPOT_KL;
  recipe->ops[1].weight.granularity = LPOT_PER_TENSOR;
  lpot_report_recipe(recipe, text);
  assert_string_equal(text, "uint8 asym minmax; weight per_tensor");
  lpot_recipe_free(recipe);
  recipe = make_recipe(1, 4);
  recipe->ops[0].weight = (lpot_tensor_config){.dtype = LPOT_DTYPE_UNKNOWN};
  lpot_report_recipe(recipe, text);
  assert_string_equal(text, "uint8 asym minmax");
  recipe->ops[0].activation.dtype = LPOT_F32;
  lpot_report_recipe(recipe, text);
  assert_string_equal(text, "");
  lpot_recipe_free(recipe);
}

static void front_is_ringed_in_each_chart_and_listed(void **state) {
  subject self = fill(*state, "front");
  const char *page = page_of(&self);
  assert_has(page, "aria-label=\"Accuracy of measured trials against their speed beside f32\"");
  assert_has(page, "aria-label=\"Accuracy of trials against the size of their models\"");
  assert_has(page, "aria-label=\"Accuracy of trials against the memory that they need\"");
  assert_has(page, ">f32: accuracy 0.875<");
  assert_has(page, ">trial 1: accuracy 0.75, 3.00 times as fast as f32, 1000 bytes, 4096 bytes of "
                   "memory<");
  assert_int_equal(count_of(page, "<circle class='ring'"), 3);
  assert_has(page, "<th scope='row' class='text'>1</th><td>0.75</td><td class='text'>yes</td>"
                   "<td>0.5</td><td>3</td><td class='text'>yes</td><td>1000</td><td>4096</td>");
  done(&self);
}

static void front_has_what_nothing_beats_in_accuracy_and_size(void **state) {
  subject self = begin(*state, "sizes", "/m.onnx");
  add_trial(&self, 2, LPOT_STAGE_UNIFORM, 0.5, 100);
  add_trial(&self, 1, LPOT_STAGE_ONE_BY_ONE, 0.625, 300);
  add_trial(&self, 0, LPOT_STAGE_ONE_BY_ONE, 0.75, 200);
  const char *page = page_of(&self);
  assert_has(page, "<p>No latency was measured.</p>");
  assert_int_equal(count_of(page, "<circle class='ring'"), 2);
  assert_has(page, "<th scope='row' class='text'>1</th><td>0.5</td>");
  assert_has(page, "<th scope='row' class='text'>3</th><td>0.75</td>");
  assert_null(strstr(page, "<th scope='row' class='text'>2</th><td>0.625</td>"));
  done(&self);
}

static void ranks_are_by_value_with_the_unknown_last(void **state) {
  (void)state;
  static const size_t order[] = {3, 0, 4, 1, 2};
  lpot_ranked_value values[] = {{1, 0}, {-1, 1}, {(double)NAN, 2}, {5, 3}, {1, 4}};
  lpot_report_rank(values, 5);
  for (size_t i = 0; i < 5; i++) {
    assert_int_equal(values[i].index, order[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(page_has_what_the_run_knows),
      cmocka_unit_test(page_of_a_run_that_has_just_begun_has_all_sections),
      cmocka_unit_test(ops_tell_what_falling_back_alone_gains),
      cmocka_unit_test(recipe_is_told_by_its_first_int8_op_with_a_weight),
      cmocka_unit_test(front_is_ringed_in_each_chart_and_listed),
      cmocka_unit_test_setup_teardown(front_has_what_nothing_beats_in_accuracy_and_size,
                                      temp_folder_set_up, temp_folder_tear_down),
      cmocka_unit_test(ranks_are_by_value_with_the_unknown_last),
  };
  return cmocka_run_group_tests(tests, temp_folder_set_up, temp_folder_tear_down);
}
