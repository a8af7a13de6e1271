#include "tune/tune_fixture.h"

#include <hdf5.h>

#include "tune/history.h"

static void write_history(const temp_folder *folder, char path[PATH_SIZE]) {
  char journal_path[PATH_SIZE];
  lpot_journal *journal = NULL;
  lpot_ledger ledger;
  lpot_ledger_init(&ledger);
  unlink(temp_path(folder, "journal", journal_path));
  assert_int_equal(
      lpot_journal_open(journal_path, true, lpot_ledger_apply, &ledger, &journal, NULL), LPOT_OK);
  fill_run(&ledger, journal);
  lpot_error error = {0};
  if (lpot_history_write(&ledger, temp_path(folder, "history.h5", path), &error) != LPOT_OK) {
    fail_msg("%s", error.message);
  }
  lpot_journal_close(journal);
  lpot_ledger_done(&ledger);
}

static hsize_t rows_of(hid_t file, const char *name) {
  hsize_t dims[2] = {0, 0};
  hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
  assert_true(dataset >= 0);
  hid_t space = H5Dget_space(dataset);
  H5Sget_simple_extent_dims(space, dims, NULL);
  H5Sclose(space);
  H5Dclose(dataset);
  return dims[0];
}

static void history_has_the_fixed_names(void **state) {
  static const char *const members[] = {"id",
                                        "stage",
                                        "recipe_hash",
                                        "status",
                                        "accuracy",
                                        "relative_loss",
                                        "samples",
                                        "meets",
                                        "latency_ms",
                                        "latency_low_ms",
                                        "latency_high_ms",
                                        "size_bytes",
                                        "footprint_bytes",
                                        "seconds",
                                        "rank",
                                        "host",
                                        "speedup",
                                        "speedup_low",
                                        "speedup_high",
                                        "reorders",
                                        "bias_correction",
                                        "cross_layer_equalization"};
  char path[PATH_SIZE];
  write_history(*state, path);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_true(file >= 0);
  assert_int_equal(rows_of(file, "/trials"), 2);
  assert_int_equal(rows_of(file, "/recipes"), 2);
  assert_int_equal(rows_of(file, "/ops"), 2);
  assert_int_equal(rows_of(file, "/recipe_legend"), 1);
  assert_int_equal(rows_of(file, "/ranks"), 2);
  assert_int_equal(rows_of(file, "/calibration/samples_4"), 1);
  hid_t trials = H5Dopen2(file, "/trials", H5P_DEFAULT);
  hid_t type = H5Dget_type(trials);
  for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
    assert_true(H5Tget_member_index(type, members[i]) >= 0);
  }
  assert_int_equal(H5Tget_member_class(type, (unsigned)H5Tget_member_index(type, "stage")),
                   H5T_ENUM);
  double accuracy = 0;
  hid_t attribute = H5Aopen_by_name(file, "/baseline", "accuracy", H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Aread(attribute, H5T_NATIVE_DOUBLE, &accuracy) >= 0);
  assert_true(accuracy == 0.875);
  assert_true(H5Aexists_by_name(file, "/baseline", "samples", H5P_DEFAULT) > 0);
  assert_true(H5Aexists_by_name(file, "/baseline", "latency_ms", H5P_DEFAULT) > 0);
  assert_true(H5Aexists_by_name(file, "/baseline", "footprint_bytes", H5P_DEFAULT) > 0);
  H5Aclose(attribute);
  H5Tclose(type);
  H5Dclose(trials);
  H5Fclose(file);
}

static void history_holds_the_values_of_a_trial(void **state) {
  char path[PATH_SIZE];
  write_history(*state, path);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t trials = H5Dopen2(file, "/trials", H5P_DEFAULT);
  hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(double));
  H5Tinsert(type, "latency_ms", 0, H5T_NATIVE_DOUBLE);
  double latency_ms[2] = {0, 0};
  assert_true(H5Dread(trials, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, latency_ms) >= 0);
  assert_true(latency_ms[0] == 0.5);
  assert_true(latency_ms[1] != latency_ms[1]); /* NaN: it was not measured. */
  H5Tclose(type);
  H5Dclose(trials);
  H5Fclose(file);
}

static void history_holds_the_pareto_front(void **state) {
  static const char *const columns[] = {
      "trial",        "accuracy",        "latency_ms", "speedup",         "speedup_low",
      "speedup_high", "latency_trusted", "size_bytes", "footprint_bytes", "meets"};
  char path[PATH_SIZE];
  write_history(*state, path);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_int_equal(rows_of(file, "/pareto"), 1); /* The other trial is INVALID. */
  hid_t front = H5Dopen2(file, "/pareto", H5P_DEFAULT);
  enum { COUNT = sizeof columns / sizeof columns[0] };
  hid_t type = H5Tcreate(H5T_COMPOUND, COUNT * sizeof(double));
  for (size_t i = 0; i < COUNT; i++) {
    H5Tinsert(type, columns[i], i * sizeof(double), H5T_NATIVE_DOUBLE);
  }
  double values[COUNT] = {0};
  assert_true(H5Dread(front, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  static const double expected[COUNT] = {1, 0.75, 0.5, 3, 2.75, 3.25, 1, 1000, 4096, 1};
  assert_memory_equal(values, expected, sizeof expected);
  H5Tclose(type);
  H5Dclose(front);
  H5Fclose(file);
}

static void history_holds_the_rounds_of_a_measurement(void **state) {
  static const char *const attributes[] = {"trusted", "reason", "estimator", "governor",
                                           "cores",   "load",   "attempts",  "seconds"};
  char path[PATH_SIZE];
  write_history(*state, path);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_int_equal(rows_of(file, "/latency/trial_1"), 2);
  assert_false(H5Lexists(file, "/latency/trial_2", H5P_DEFAULT) > 0);
  hid_t rounds = H5Dopen2(file, "/latency/trial_1", H5P_DEFAULT);
  hid_t type = H5Tcreate(H5T_COMPOUND, 2 * sizeof(double));
  H5Tinsert(type, "f32_ms", 0, H5T_NATIVE_DOUBLE);
  H5Tinsert(type, "kept", sizeof(double), H5T_NATIVE_DOUBLE);
  double values[4] = {0};
  assert_true(H5Dread(rounds, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  assert_true(values[0] == 1.5 && values[1] == 1 && values[2] == 1.75 && values[3] == 0);
  for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
    assert_true(H5Aexists(rounds, attributes[i]) > 0);
  }
  H5Tclose(type);
  H5Dclose(rounds);
  H5Fclose(file);
}

static void history_holds_the_times_of_the_ops(void **state) {
  static const char *const attributes[] = {
      "whole_f32_us", "rest_f32_us", "whole_int8_us", "rest_int8_us", "whole_bf16_us",
      "rest_bf16_us", "trusted",     "reason",        "host",         "numeric_class",
      "cores",        "batch",       "rounds",        "seconds"};
  static const char *const columns[] = {"f32_us",       "int8_us",       "bf16_us",
                                        "quantize_us",  "dequantize_us", "to_bf16_us",
                                        "from_bf16_us", "spread"};
  char path[PATH_SIZE];
  write_history(*state, path);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_int_equal(rows_of(file, "/op_times"), 2);
  hid_t times = H5Dopen2(file, "/op_times", H5P_DEFAULT);
  hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(lpot_op_cost));
  for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
    H5Tinsert(type, columns[i], i * sizeof(double), H5T_NATIVE_DOUBLE);
  }
  double values[16];
  assert_true(H5Dread(times, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  assert_true(values[0] == 12.5 && values[1] == 3.25 && values[2] == 6.1 && values[3] == 1.5);
  assert_true(values[4] == 0.1 && values[5] == 0.75 && values[6] == 0.7 && values[7] == 0.02);
  assert_true(values[8] == 2 && isnan(values[10]) && values[15] == 0.5);
  for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
    assert_true(H5Aexists(times, attributes[i]) > 0);
  }
  H5Tclose(type);
  H5Dclose(times);
  H5Fclose(file);
}

static void history_holds_sensitivities_where_there_are_any(void **state) {
  char path[PATH_SIZE];
  write_history(*state, path);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_int_equal(rows_of(file, "/sensitivity"), 2);
  hid_t table = H5Dopen2(file, "/sensitivity", H5P_DEFAULT);
  hid_t type = H5Tcreate(H5T_COMPOUND, 2 * sizeof(double));
  H5Tinsert(type, "alone", 0, H5T_NATIVE_DOUBLE);
  H5Tinsert(type, "without", sizeof(double), H5T_NATIVE_DOUBLE);
  double values[4] = {0};
  assert_true(H5Dread(table, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  assert_true(isnan(values[0]) && isnan(values[1]) && values[2] == 0.125 && isnan(values[3]));
  double error = 0;
  hid_t attribute = H5Aopen(table, "base_error", H5P_DEFAULT);
  assert_true(H5Aread(attribute, H5T_NATIVE_DOUBLE, &error) >= 0 && isnan(error));
  H5Aclose(attribute);
  H5Tclose(type);
  H5Dclose(table);
  H5Fclose(file);
}

static void history_holds_what_is_held_out(void **state) {
  static const char *const columns[] = {"accuracy",   "relative_loss", "meets",
                                        "samples",    "lost",          "gained",
                                        "right_loss", "right_loss_low"};
  enum { WIDTH = sizeof columns / sizeof columns[0] };
  char path[PATH_SIZE];
  write_history(*state, path);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_int_equal(rows_of(file, "/holdout"), 2);
  hid_t table = H5Dopen2(file, "/holdout", H5P_DEFAULT);
  hid_t type = H5Tcreate(H5T_COMPOUND, WIDTH * sizeof(double));
  for (size_t i = 0; i < WIDTH; i++) {
    H5Tinsert(type, columns[i], i * sizeof(double), H5T_NATIVE_DOUBLE);
  }
  double values[2 * WIDTH] = {0};
  assert_true(H5Dread(table, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  assert_true(values[0] == 0.5 && values[2] == 1 && values[3] == 8 && isnan(values[6]));
  const double *chosen = values + WIDTH;
  assert_true(chosen[0] == 0.25 && chosen[1] == 0.5 && chosen[2] == 0 && chosen[3] == 8);
  assert_true(chosen[4] == 1 && chosen[5] == 1 && chosen[6] == 0 && chosen[7] < 0);
  H5Tclose(type);
  H5Dclose(table);
  H5Fclose(file);
}

static void history_of_a_run_without_trials_is_readable(void **state) {
  char path[PATH_SIZE];
  char journal_path[PATH_SIZE];
  lpot_journal *journal = NULL;
  lpot_ledger ledger;
  lpot_ledger_init(&ledger);
  lpot_ledger_header header = make_header();
  assert_int_equal(lpot_journal_open(temp_path(*state, "empty", journal_path), true,
                                     lpot_ledger_apply, &ledger, &journal, NULL),
                   LPOT_OK);
  assert_int_equal(lpot_ledger_add_header(&ledger, journal, &header, NULL), LPOT_OK);
  assert_int_equal(lpot_history_write(&ledger, temp_path(*state, "empty.h5", path), NULL), LPOT_OK);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_true(file >= 0);
  assert_int_equal(rows_of(file, "/trials"), 0);
  assert_false(H5Lexists(file, "/op_times", H5P_DEFAULT) > 0);
  H5Fclose(file);
  lpot_journal_close(journal);
  lpot_ledger_done(&ledger);
}

static void history_in_a_missing_folder_is_an_error_of_one_line(void **state) {
  char path[PATH_SIZE];
  lpot_ledger ledger;
  lpot_journal *journal = NULL;
  lpot_error error = {0};
  lpot_ledger_init(&ledger);
  temp_path(*state, "missing.journal", path);
  assert_int_equal(lpot_journal_open(path, true, lpot_ledger_apply, &ledger, &journal, NULL),
                   LPOT_OK);
  fill_run(&ledger, journal);
  assert_int_equal(lpot_history_write(&ledger, "/nonexistent/x.h5", &error), LPOT_IO);
  assert_non_null(strstr(error.message, "'/nonexistent/x.h5.tmp'"));
  assert_null(strchr(error.message, '\n'));
  lpot_journal_close(journal);
  lpot_ledger_done(&ledger);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(history_has_the_fixed_names),
      cmocka_unit_test(history_holds_the_values_of_a_trial),
      cmocka_unit_test(history_holds_the_pareto_front),
      cmocka_unit_test(history_holds_the_rounds_of_a_measurement),
      cmocka_unit_test(history_holds_the_times_of_the_ops),
      cmocka_unit_test(history_holds_what_is_held_out),
      cmocka_unit_test(history_holds_sensitivities_where_there_are_any),
      cmocka_unit_test(history_of_a_run_without_trials_is_readable),
      cmocka_unit_test(history_in_a_missing_folder_is_an_error_of_one_line),
  };
  return cmocka_run_group_tests(tests, temp_folder_set_up, temp_folder_tear_down);
}
