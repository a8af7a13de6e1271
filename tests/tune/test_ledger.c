#include "tune/tune_fixture.h"

#include "base/buffer.h"

/* Payloads of a journal, to try damaged ones. */
typedef struct payloads {
  size_t count;
  unsigned types[32];
  lpot_buffer bytes[32];
} payloads;

static lpot_status keep(void *context, unsigned type, const uint8_t *payload, size_t size,
                        lpot_error *err) {
  payloads *list = context;
  assert_true(list->count < 32);
  list->types[list->count] = type;
  lpot_buffer_init(&list->bytes[list->count]);
  lpot_status status = lpot_buffer_append(&list->bytes[list->count], payload, size, err);
  list->count++;
  return status;
}

static void write_run(const char *path, lpot_ledger *ledger) {
  lpot_journal *journal = NULL;
  lpot_ledger_init(ledger);
  assert_int_equal(lpot_journal_open(path, true, lpot_ledger_apply, ledger, &journal, NULL),
                   LPOT_OK);
  fill_run(ledger, journal);
  lpot_journal_close(journal);
}

static void ledger_read_back_is_the_one_that_was_written(void **state) {
  char path[PATH_SIZE];
  lpot_ledger ledger;
  lpot_ledger back;
  write_run(temp_path(*state, "same", path), &ledger);
  lpot_ledger_init(&back);
  assert_int_equal(lpot_journal_read(path, lpot_ledger_apply, &back, NULL), LPOT_OK);
  assert_int_equal(back.num_trials, 2);
  assert_int_equal(back.num_results, 3);
  assert_int_equal(back.num_sessions, 1);
  assert_string_equal(back.sessions[0].ranks[1].host, "b");
  assert_true(back.baseline.accuracy == 0.875);
  assert_string_equal(back.calibrations[0].ranges[0].value, "x");
  assert_string_equal(back.header.op_names[1], "add1");
  assert_int_equal(back.verdict, LPOT_VERDICT_MET);
  assert_int_equal(back.chosen, 1);
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(&back, 1);
  assert_true(trial->meets && trial->measured);
  assert_true(trial->latency.f32_ms == 1.5 && trial->latency.speedup_low == 2.75);
  assert_int_equal(trial->latency.num_rounds, 2);
  assert_true(trial->latency.rounds[1].f32_ms == 1.75);
  assert_int_equal(lpot_ledger_result_of(&back, trial)->recipe_hash,
                   lpot_ledger_result_of(&ledger, lpot_ledger_find_trial(&ledger, 1))->recipe_hash);
  assert_int_equal(lpot_ledger_result_of(&back, lpot_ledger_find_trial(&back, 2))->status,
                   LPOT_TRIAL_INVALID);
  assert_false(back.results[2].committed);
  assert_null(lpot_ledger_find_trial(&back, 0));
  assert_null(lpot_ledger_find_trial(&back, 3));
  lpot_ledger_done(&ledger);
  lpot_ledger_done(&back);
}

static void record_truncated_at_any_byte_is_refused(void **state) {
  char path[PATH_SIZE];
  lpot_ledger ledger;
  payloads list = {0};
  write_run(temp_path(*state, "cut", path), &ledger);
  lpot_ledger_done(&ledger);
  assert_int_equal(lpot_journal_read(path, keep, &list, NULL), LPOT_OK);
  for (size_t i = 0; i < list.count; i++) {
    for (size_t size = 0; size < list.bytes[i].size; size++) {
      lpot_ledger_init(&ledger);
      for (size_t k = 0; k < i; k++) {
        assert_int_equal(
            lpot_ledger_apply(&ledger, list.types[k], list.bytes[k].data, list.bytes[k].size, NULL),
            LPOT_OK);
      }
      assert_int_not_equal(
          lpot_ledger_apply(&ledger, list.types[i], list.bytes[i].data, size, NULL), LPOT_OK);
      lpot_ledger_done(&ledger);
    }
  }
  for (size_t i = 0; i < list.count; i++) {
    lpot_buffer_done(&list.bytes[i]);
  }
}

static void record_before_the_header_is_refused(void **state) {
  (void)state;
  lpot_ledger ledger;
  lpot_ledger_init(&ledger);
  uint8_t bytes[64] = {0};
  for (unsigned type = LPOT_RECORD_SESSION; type < LPOT_NUM_RECORDS + 2; type++) {
    assert_int_equal(lpot_ledger_apply(&ledger, type, bytes, sizeof bytes, NULL), LPOT_FORMAT);
  }
  lpot_ledger_done(&ledger);
}

static void result_of_the_same_recipe_is_refused_a_second_time(void **state) {
  char path[PATH_SIZE];
  lpot_ledger ledger;
  lpot_journal *journal = NULL;
  lpot_error error = {0};
  write_run(temp_path(*state, "twice", path), &ledger);
  lpot_ledger_done(&ledger);
  lpot_ledger_init(&ledger);
  assert_int_equal(lpot_journal_open(path, true, lpot_ledger_apply, &ledger, &journal, NULL),
                   LPOT_OK);
  lpot_ledger_result result = {.recipe = make_recipe(2, 4)};
  assert_int_equal(lpot_ledger_add_result(&ledger, journal, &result, &error), LPOT_FORMAT);
  assert_non_null(strstr(error.message, "already"));
  lpot_recipe_free(result.recipe);
  lpot_journal_close(journal);
  lpot_ledger_done(&ledger);
}

static int make_folder(void **state) {
  static temp_folder folder;
  temp_folder_make(&folder);
  *state = &folder;
  return 0;
}

static int remove_folder(void **state) {
  temp_folder_remove(*state);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ledger_read_back_is_the_one_that_was_written),
      cmocka_unit_test(record_truncated_at_any_byte_is_refused),
      cmocka_unit_test(record_before_the_header_is_refused),
      cmocka_unit_test(result_of_the_same_recipe_is_refused_a_second_time),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
