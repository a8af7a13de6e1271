#include "quant/quant_fixture.h"

#include "quant/channel_means.h"

static lpot_channel_means *new_means(int64_t channels, int64_t inner) {
  lpot_error err = {0};
  lpot_channel_means *means = NULL;
  CHECK(lpot_channel_means_new(channels, inner, &means, &err));
  return means;
}

static void means_are_by_channel(void **state) {
  (void)state;
  lpot_error err = {0};
  /* [2, 3, 2] */
  const float elements[] = {1, 3, -5, -5, 0, 0, 2, 2, 4, 6, 0, 1};
  lpot_channel_means *means = new_means(3, 2);
  assert_true(lpot_channel_means_get(means, 0) == 0);
  CHECK(lpot_channel_means_update(means, elements, 12, &err));
  const double expected[] = {2, 0, 0.25};
  for (int i = 0; i < 3; i++) {
    assert_true(lpot_channel_means_get(means, i) == expected[i]);
  }
  lpot_channel_means_free(means);
}

static void values_that_are_not_finite_count_as_zeros(void **state) {
  (void)state;
  lpot_error err = {0};
  const float elements[] = {NAN, 4, INFINITY, -2};
  lpot_channel_means *means = new_means(2, 2);
  CHECK(lpot_channel_means_update(means, elements, 4, &err));
  assert_true(lpot_channel_means_get(means, 0) == 2);
  assert_true(lpot_channel_means_get(means, 1) == -1);
  lpot_channel_means_free(means);
}

static void elements_of_another_shape_are_refused(void **state) {
  (void)state;
  lpot_error err = {0};
  const float elements[4] = {0};
  lpot_channel_means *means = new_means(3, 1);
  CHECK_FAILS(lpot_channel_means_update(means, elements, 4, &err), LPOT_INVALID,
              "4 elements are not rows of 3 channels of 1");
  lpot_channel_means_free(means);
  means = new_means(0, 1);
  CHECK_FAILS(lpot_channel_means_update(means, elements, 4, &err), LPOT_INVALID, "0 channels");
  lpot_channel_means_free(means);
  lpot_channel_means_free(NULL);
}

static lpot_buffer written(const lpot_channel_means *means) {
  lpot_error err = {0};
  lpot_buffer buffer;
  lpot_buffer_init(&buffer);
  CHECK(lpot_channel_means_write(means, &buffer, &err));
  return buffer;
}

static lpot_status read_bytes(const uint8_t *data, size_t size, lpot_channel_means **ret,
                              lpot_error *err) {
  lpot_reader reader;
  lpot_reader_init(&reader, data, size);
  return lpot_channel_means_read(&reader, ret, err);
}

static void merged_parts_have_the_bytes_of_the_whole(void **state) {
  (void)state;
  lpot_error err = {0};
  float elements[240];
  lpot_channel_means *whole = new_means(4, 5);
  lpot_channel_means *parts[2] = {new_means(4, 5), new_means(4, 5)};
  fixture_fill(elements, 240, 3);
  CHECK(lpot_channel_means_update(whole, elements, 240, &err));
  CHECK(lpot_channel_means_update(parts[1], elements, 100, &err));
  CHECK(lpot_channel_means_update(parts[0], elements + 100, 140, &err));
  assert_true(lpot_channel_means_same_view(parts[0], parts[1]));
  lpot_channel_means_merge(parts[0], parts[1]);
  lpot_buffer a = written(whole);
  lpot_buffer b = written(parts[0]);
  assert_int_equal(a.size, b.size);
  assert_memory_equal(a.data, b.data, a.size);
  lpot_buffer_done(&a);
  lpot_buffer_done(&b);
  lpot_channel_means_free(whole);
  lpot_channel_means_free(parts[0]);
  lpot_channel_means_free(parts[1]);
}

static void written_means_are_read_back(void **state) {
  (void)state;
  lpot_error err = {0};
  float elements[24];
  lpot_channel_means *means = new_means(4, 3);
  lpot_channel_means *copy = NULL;
  fixture_fill(elements, 24, 5);
  CHECK(lpot_channel_means_update(means, elements, 24, &err));
  lpot_buffer buffer = written(means);
  assert_int_equal(buffer.size, 4 + 8 + 8 + 4 * 80);
  for (size_t size = 0; size < buffer.size; size++) {
    assert_int_equal(read_bytes(buffer.data, size, &copy, &err), LPOT_FORMAT);
    assert_null(copy);
  }
  CHECK(read_bytes(buffer.data, buffer.size, &copy, &err));
  lpot_buffer again = written(copy);
  assert_memory_equal(again.data, buffer.data, buffer.size);
  lpot_channel_means_free(copy);
  lpot_buffer_done(&again);
  lpot_buffer_done(&buffer);
  lpot_channel_means_free(means);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(means_are_by_channel),
      cmocka_unit_test(values_that_are_not_finite_count_as_zeros),
      cmocka_unit_test(elements_of_another_shape_are_refused),
      cmocka_unit_test(merged_parts_have_the_bytes_of_the_whole),
      cmocka_unit_test(written_means_are_read_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
