#include <dirent.h>

#include "quant/quant_fixture.h"

#include "base/mapping_shared.h"
#include "base/reader.h"
#include "quant/calibration.h"

static const bool observed[] = {true, false, true};

static lpot_calibration *sample_calibration(uint32_t seed, int64_t count) {
  lpot_error err = {0};
  lpot_calibration *calibration = NULL;
  float values[1000];
  CHECK(lpot_calibration_new(observed, 3, &calibration, &err));
  for (int value = 0; value < 3; value += 2) {
    fixture_fill(values, count, seed + (uint32_t)value);
    CHECK(lpot_calibration_observe(calibration, value, values, count, &err));
  }
  return calibration;
}

static lpot_buffer written(const lpot_calibration *calibration) {
  lpot_error err = {0};
  lpot_buffer buffer;
  lpot_buffer_init(&buffer);
  CHECK(lpot_calibration_write(calibration, &buffer, &err));
  return buffer;
}

static lpot_status read_bytes(const void *data, size_t size, lpot_calibration **ret,
                              lpot_error *err) {
  lpot_reader reader;
  lpot_reader_init(&reader, data, size);
  return lpot_calibration_read(&reader, ret, err);
}

static void input_truncated_at_any_byte_is_refused(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_calibration *calibration = sample_calibration(1, 20);
  lpot_calibration *copy = NULL;
  lpot_buffer buffer = written(calibration);
  for (size_t size = 0; size < buffer.size; size++) {
    assert_int_equal(read_bytes(buffer.data, size, &copy, &err), LPOT_FORMAT);
  }
  assert_null(copy);
  lpot_buffer_done(&buffer);
  lpot_calibration_free(calibration);
}

static void oversize_counts_and_wrong_order_are_refused(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_calibration *copy = NULL;
  const uint8_t version[] = {9, 0, 0, 0, 0, 0, 0, 0, 0};
  const uint8_t huge[] = {2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0};
  const uint8_t more_than_values[] = {2, 1, 0, 0, 0, 2, 0, 0, 0};
  const uint8_t out_of_range[] = {2, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0};
  CHECK_FAILS(read_bytes(version, sizeof version, &copy, &err), LPOT_FORMAT, "version");
  CHECK_FAILS(read_bytes(huge, sizeof huge, &copy, &err), LPOT_FORMAT, "at most");
  CHECK_FAILS(read_bytes(more_than_values, sizeof more_than_values, &copy, &err), LPOT_FORMAT,
              "2 of 1");
  CHECK_FAILS(read_bytes(out_of_range, sizeof out_of_range, &copy, &err), LPOT_FORMAT,
              "out of range or order");
}

static void written_calibration_is_read_back(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_calibration *calibration = sample_calibration(1, 1000);
  lpot_calibration *copy = NULL;
  lpot_buffer buffer = written(calibration);
  CHECK(read_bytes(buffer.data, buffer.size, &copy, &err));
  assert_true(lpot_histogram_equal(lpot_calibration_histogram(copy, 2),
                                   lpot_calibration_histogram(calibration, 2)));
  assert_null(lpot_calibration_histogram(copy, 1));
  assert_null(lpot_calibration_histogram(copy, 3));
  assert_null(lpot_calibration_histogram(copy, -1));
  lpot_calibration_free(copy);
  lpot_calibration_free(calibration);
  lpot_buffer_done(&buffer);
}

static void merged_parts_have_the_bytes_of_the_whole(void **state) {
  (void)state;
  lpot_error err = {0};
  float values[1000];
  lpot_calibration *whole = NULL;
  lpot_calibration *parts[2] = {NULL};
  CHECK(lpot_calibration_new(observed, 3, &whole, &err));
  for (int i = 0; i < 2; i++) {
    CHECK(lpot_calibration_new(observed, 3, &parts[i], &err));
  }
  for (int i = 0; i < 2; i++) {
    fixture_fill(values, 1000, 5 + (uint32_t)i);
    values[3] = (float)(i * 700);
    CHECK(lpot_calibration_observe(whole, 0, values, 1000, &err));
    CHECK(lpot_calibration_observe(parts[1 - i], 0, values, 1000, &err));
  }
  CHECK(lpot_calibration_merge(parts[0], parts[1], &err));
  lpot_buffer a = written(whole);
  lpot_buffer b = written(parts[0]);
  assert_int_equal(a.size, b.size);
  assert_memory_equal(a.data, b.data, a.size);
  lpot_buffer_done(&a);
  lpot_buffer_done(&b);
  lpot_calibration_free(parts[0]);
  lpot_calibration_free(parts[1]);
  lpot_calibration_free(whole);
}

static void parts_of_other_values_do_not_merge(void **state) {
  (void)state;
  lpot_error err = {0};
  const bool others[] = {true, true, true};
  lpot_calibration *calibration = sample_calibration(1, 10);
  lpot_calibration *other = NULL;
  CHECK(lpot_calibration_new(others, 3, &other, &err));
  CHECK_FAILS(lpot_calibration_merge(calibration, other, &err), LPOT_FORMAT, "different values");
  lpot_calibration_free(other);
  CHECK(lpot_calibration_new(observed, 2, &other, &err));
  CHECK_FAILS(lpot_calibration_merge(calibration, other, &err), LPOT_FORMAT, "different values");
  lpot_calibration_free(other);
  lpot_calibration_free(calibration);
  lpot_calibration_free(NULL);
}

static void value_that_is_not_observed_is_refused(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_calibration *calibration = sample_calibration(1, 10);
  const float one = 1;
  assert_int_equal(lpot_calibration_observe(calibration, 1, &one, 1, &err), LPOT_INVALID);
  assert_int_equal(lpot_calibration_observe(calibration, 3, &one, 1, &err), LPOT_INVALID);
  assert_int_equal(lpot_calibration_observe(calibration, -1, &one, 1, &err), LPOT_INVALID);
  lpot_calibration_free(calibration);
}

/* A MatMul's input [.., 3] beside what its op observes anyway. */
static fixture_model watched_model(void) {
  lpot_graph *graph = fixture_graph();
  lpot_value_id x = fixture_input(graph, "x", DIMS(1, 2, 3));
  lpot_value_id w = fixture_constant(graph, "w", DIMS(3, 4), 1);
  fixture_finish(graph, fixture_node(graph, LPOT_OP_MATMUL, IDS(x, w), "y"));
  return fixture_model_of(graph);
}

static void channels_are_watched_written_and_merged(void **state) {
  (void)state;
  lpot_error err = {0};
  fixture_model model = watched_model();
  lpot_value_id x = fixture_find(model.graph, "x")->id;
  lpot_value_id w = fixture_find(model.graph, "w")->id;
  const lpot_channel_means *means = lpot_calibration_channels(model.calibration, x);
  assert_int_equal(means->channels, 3);
  assert_int_equal(means->inner, 1);
  assert_int_equal(means->outer, 4);
  assert_true(lpot_calibration_observes(model.calibration, x));
  assert_false(lpot_calibration_observes(model.calibration, w));
  assert_null(lpot_calibration_channels(model.calibration, w));
  assert_null(lpot_calibration_channels(model.calibration, -1));
  lpot_buffer buffer = written(model.calibration);
  lpot_calibration *copy = NULL;
  for (size_t size = 0; size < buffer.size; size++) {
    assert_int_equal(read_bytes(buffer.data, size, &copy, &err), LPOT_FORMAT);
  }
  CHECK(read_bytes(buffer.data, buffer.size, &copy, &err));
  lpot_buffer again = written(copy);
  assert_int_equal(again.size, buffer.size);
  assert_memory_equal(again.data, buffer.data, buffer.size);
  CHECK(lpot_calibration_merge(copy, model.calibration, &err));
  assert_int_equal(lpot_calibration_channels(copy, x)->outer, 8);
  assert_true(lpot_channel_means_get(lpot_calibration_channels(copy, x), 1) ==
              lpot_channel_means_get(means, 1));
  lpot_buffer merged = written(copy);
  CHECK(lpot_calibration_share(copy, &err));
  CHECK(lpot_calibration_share(copy, &err));
  lpot_buffer_done(&again);
  again = written(copy);
  assert_int_equal(again.size, merged.size);
  assert_memory_equal(again.data, merged.data, merged.size);
  lpot_calibration_free(copy);
  lpot_buffer_done(&merged);
  lpot_buffer_done(&again);
  lpot_buffer_done(&buffer);
  fixture_free(&model);
}

static void watched_and_unwatched_parts_do_not_merge(void **state) {
  (void)state;
  lpot_error err = {0};
  fixture_model model = watched_model();
  size_t count = lpot_graph_num_values(model.graph);
  bool *plain = lpot_calloc(count, sizeof *plain);
  lpot_calibration *other = NULL;
  lpot_quant_ops_observed(model.ops, plain);
  CHECK(lpot_calibration_new(plain, count, &other, &err));
  CHECK_FAILS(lpot_calibration_merge(model.calibration, other, &err), LPOT_FORMAT,
              "different values");
  CHECK_FAILS(lpot_calibration_merge(other, model.calibration, &err), LPOT_FORMAT,
              "different values");
  lpot_calibration_free(other);
  lpot_free(plain);
  fixture_free(&model);
}

static void first_bad_value_is_named(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_calibration *calibration = sample_calibration(1, 10);
  assert_int_equal(lpot_calibration_first_bad(calibration), LPOT_NONE);
  const float infinite = INFINITY;
  const float nan_value = NAN;
  CHECK(lpot_calibration_observe(calibration, 2, &infinite, 1, &err));
  assert_int_equal(lpot_calibration_first_bad(calibration), 2);
  CHECK(lpot_calibration_observe(calibration, 0, &nan_value, 1, &err));
  assert_int_equal(lpot_calibration_first_bad(calibration), 0);
  lpot_calibration_free(calibration);
}

static size_t num_open_files(void) {
  DIR *folder = opendir("/proc/self/fd");
  assert_non_null(folder);
  size_t count = 0;
  while (readdir(folder) != NULL) {
    count++;
  }
  closedir(folder);
  return count;
}

static void shared_bins_are_the_same_ones(void **state) {
  (void)state;
  enum { VALUES = 6 };
  const bool all[VALUES] = {true, true, true, true, true, true};
  lpot_error err = {0};
  lpot_calibration *calibration = NULL;
  lpot_calibration *whole = NULL;
  float elements[100];
  CHECK(lpot_calibration_new(all, VALUES, &calibration, &err));
  CHECK(lpot_calibration_new(all, VALUES, &whole, &err));
  for (int value = 0; value < VALUES - 1; value++) { /* The last one has no bins. */
    fixture_fill(elements, 100, (uint32_t)value);
    CHECK(lpot_calibration_observe(calibration, value, elements, 100, &err));
  }
  lpot_buffer before = written(calibration);
  assert_non_null(lpot_mapping_shared_index()); /* It has a file of its own. */
  size_t num_files = num_open_files();
  CHECK(lpot_calibration_share(calibration, &err));
  assert_int_equal(num_open_files(), num_files + 1);
  CHECK(lpot_calibration_share(calibration, &err)); /* Once more is allowed. */
  assert_int_equal(num_open_files(), num_files + 1);
  CHECK(lpot_calibration_merge(whole, calibration, &err));
  lpot_buffer after = written(calibration);
  lpot_calibration_free(calibration);
  lpot_buffer merged = written(whole);
  assert_int_equal(after.size, before.size);
  assert_memory_equal(after.data, before.data, before.size);
  assert_int_equal(merged.size, before.size);
  assert_memory_equal(merged.data, before.data, before.size);
  assert_int_equal(num_open_files(), num_files);
  lpot_buffer_done(&merged);
  lpot_buffer_done(&after);
  lpot_buffer_done(&before);
  lpot_calibration_free(whole);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(input_truncated_at_any_byte_is_refused),
      cmocka_unit_test(oversize_counts_and_wrong_order_are_refused),
      cmocka_unit_test(written_calibration_is_read_back),
      cmocka_unit_test(merged_parts_have_the_bytes_of_the_whole),
      cmocka_unit_test(parts_of_other_values_do_not_merge),
      cmocka_unit_test(value_that_is_not_observed_is_refused),
      cmocka_unit_test(channels_are_watched_written_and_merged),
      cmocka_unit_test(watched_and_unwatched_parts_do_not_merge),
      cmocka_unit_test(first_bad_value_is_named),
      cmocka_unit_test(shared_bins_are_the_same_ones),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
