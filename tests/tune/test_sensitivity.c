#include "tune/tune_fixture.h"

#include <math.h>

#include "tune/sensitivity.h"

/* A recipe of two ops; those in float_ops (bits) are F32. */
static lpot_recipe *recipe_with(int64_t samples, unsigned float_ops) {
  lpot_recipe *recipe = make_recipe(2, samples);
  lpot_recipe *plain = NULL;
  assert_int_equal(lpot_recipe_new(2, &plain, NULL), LPOT_OK);
  for (size_t i = 0; i < 2; i++) {
    recipe->ops[i] = (float_ops >> i & 1) != 0 ? plain->ops[i] : recipe->ops[i];
  }
  lpot_recipe_free(plain);
  return recipe;
}

static void begin_run(const temp_folder *folder, const char *name, lpot_ledger *ledger,
                      lpot_journal **journal) {
  lpot_ledger_header header = make_header();
  open_run(folder, name, ledger, journal);
  assert_int_equal(lpot_ledger_add_header(ledger, *journal, &header, NULL), LPOT_OK);
}

static void add_trial(lpot_ledger *ledger, lpot_journal *journal, int64_t samples,
                      lpot_stage stage) {
  lpot_ledger_result result = {.recipe = recipe_with(samples, 0), .accuracy = 0.5};
  assert_int_equal(lpot_ledger_add_result(ledger, journal, &result, NULL), LPOT_OK);
  lpot_recipe_free(result.recipe);
  lpot_ledger_trial trial = {
      .id = ledger->num_trials + 1, .stage = stage, .result = ledger->num_results - 1};
  assert_int_equal(lpot_ledger_add_commit(ledger, journal, &trial, NULL), LPOT_OK);
}

static void add_sense(lpot_ledger *ledger, lpot_journal *journal, int64_t samples,
                      unsigned float_ops, double error) {
  lpot_ledger_sense sense = {
      .recipe = recipe_with(samples, float_ops), .valid = !isnan(error), .error = error};
  assert_int_equal(lpot_ledger_add_sense(ledger, journal, &sense, NULL), LPOT_OK);
  lpot_recipe_free(sense.recipe);
}

/* Two ops: a recipe with one in F32 has the other alone, too. */
static void fallbacks_are_of_the_base_with_most_of_them(void **state) {
  lpot_ledger ledger;
  lpot_journal *journal = NULL;
  lpot_sensitivities from;
  begin_run(*state, "base", &ledger, &journal);
  add_trial(&ledger, journal, 4, LPOT_STAGE_UNIFORM);
  add_trial(&ledger, journal, 5, LPOT_STAGE_UNIFORM);
  add_trial(&ledger, journal, 6, LPOT_STAGE_FALLBACK);
  add_sense(&ledger, journal, 4, 1, 0.9);
  add_sense(&ledger, journal, 5, 2, 0.25);
  add_sense(&ledger, journal, 5, 1, 0.125);
  add_sense(&ledger, journal, 5, 0, 0.5);
  add_sense(&ledger, journal, 6, 1, 0.7); /* not of a uniform trial */
  add_sense(&ledger, journal, 6, 2, 0.7);
  add_sense(&ledger, journal, 4, 2, (double)NAN); /* failed */
  assert_int_equal(lpot_sensitivities_of(&ledger, &from, NULL), LPOT_OK);
  assert_int_equal(from.base_trial, 2);
  assert_true(from.base_error == 0.5);
  assert_int_equal(from.num_without, 2);
  assert_true(from.ops[0].without == 0.125 && from.ops[1].without == 0.25);
  lpot_sensitivities_done(&from);
  lpot_journal_close(journal);
  lpot_ledger_done(&ledger);
}

static void op_alone_needs_no_base(void **state) {
  lpot_ledger ledger;
  lpot_journal *journal = NULL;
  lpot_sensitivities from;
  begin_run(*state, "alone", &ledger, &journal);
  add_sense(&ledger, journal, 4, 2, 0.25);
  add_sense(&ledger, journal, 4, 0, 0.5);
  add_sense(&ledger, journal, 4, 3, 0);
  assert_int_equal(lpot_sensitivities_of(&ledger, &from, NULL), LPOT_OK);
  assert_int_equal(from.base_trial, LPOT_NO_TRIAL);
  assert_true(isnan(from.base_error) && from.num_without == 0 && from.num_alone == 1);
  assert_true(from.ops[0].alone == 0.25 && isnan(from.ops[1].alone) && isnan(from.ops[0].without));
  lpot_sensitivities_done(&from);
  lpot_journal_close(journal);
  lpot_ledger_done(&ledger);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fallbacks_are_of_the_base_with_most_of_them),
      cmocka_unit_test(op_alone_needs_no_base),
  };
  return cmocka_run_group_tests(tests, temp_folder_set_up, temp_folder_tear_down);
}
