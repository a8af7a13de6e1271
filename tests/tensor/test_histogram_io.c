#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/writer.h"
#include "tensor/histogram.h"

static void make_histogram(lpot_histogram *histogram, const float *values, int64_t count) {
  lpot_histogram_init(histogram);
  assert_int_equal(lpot_histogram_update(histogram, values, count, NULL), LPOT_OK);
}

static void write_histogram(const lpot_histogram *histogram, lpot_buffer *buffer) {
  lpot_buffer_init(buffer);
  assert_int_equal(lpot_histogram_write(histogram, buffer, NULL), LPOT_OK);
}

/* Reads from an exact heap copy, so that the sanitizer sees a read behind the end. */
static lpot_status read_copy(const uint8_t *bytes, size_t size, lpot_histogram *histogram,
                             lpot_error *err) {
  uint8_t *copy = lpot_calloc(size, 1);
  if (size > 0) {
    memcpy(copy, bytes, size);
  }
  lpot_reader reader;
  lpot_reader_init(&reader, copy, size);
  lpot_status status = lpot_histogram_read(histogram, &reader, err);
  if (status == LPOT_OK) {
    status = lpot_reader_end(&reader, err);
  } else {
    assert_int_equal(reader.position, 0);
  }
  lpot_free(copy);
  return status;
}

static const float sample[] = {1.0F, 3.5F, -2.0F, 0.0F, NAN, INFINITY, 1.0005F, 1.002F, -2.0F};
enum { SAMPLE_COUNT = sizeof sample / sizeof sample[0] };

static void bytes_truncated_anywhere_are_refused(void **state) {
  (void)state;
  lpot_histogram histogram;
  lpot_histogram back;
  lpot_buffer buffer;
  make_histogram(&histogram, sample, SAMPLE_COUNT);
  lpot_histogram_init(&back);
  write_histogram(&histogram, &buffer);
  for (size_t size = 0; size < buffer.size; size++) {
    assert_int_equal(read_copy(buffer.data, size, &back, NULL), LPOT_FORMAT);
    assert_true(back.total == 0 && back.positive == NULL);
  }
  lpot_buffer_done(&buffer);
  lpot_histogram_done(&histogram);
}

static void whatever_is_read_is_written_alike(void **state) {
  (void)state;
  /* Every value of every byte: what is accepted must be a state that writes these very bytes. */
  lpot_histogram histogram;
  lpot_buffer buffer;
  make_histogram(&histogram, sample, SAMPLE_COUNT);
  write_histogram(&histogram, &buffer);
  int accepted = 0;
  for (size_t place = 0; place < buffer.size; place++) {
    const uint8_t old = buffer.data[place];
    for (int value = 0; value < 256; value++) {
      buffer.data[place] = (uint8_t)value;
      lpot_histogram back;
      lpot_histogram_init(&back);
      if (read_copy(buffer.data, buffer.size, &back, NULL) == LPOT_OK) {
        lpot_buffer again;
        write_histogram(&back, &again);
        assert_int_equal(again.size, buffer.size);
        assert_memory_equal(again.data, buffer.data, buffer.size);
        lpot_buffer_done(&again);
        accepted++;
      }
      lpot_histogram_done(&back);
    }
    buffer.data[place] = old;
  }
  /* At least the unchanged bytes were accepted, once for each place. */
  assert_true(accepted >= (int)buffer.size);
  lpot_buffer_done(&buffer);
  lpot_histogram_done(&histogram);
}

static void histograms_come_back(void **state) {
  (void)state;
  enum { COUNT = 3000 };
  static float values[COUNT];
  lpot_rng rng;
  lpot_rng_init(&rng, 8);
  static const int64_t counts[] = {0, 1, 2, 100, COUNT};
  for (size_t round = 0; round < 50; round++) {
    for (int i = 0; i < COUNT; i++) {
      int power = (int)lpot_rng_below(&rng, 5 * round + 1) - (int)round * 2;
      values[i] = (float)ldexp(lpot_rng_normal(&rng), power);
    }
    values[0] = round % 3 == 0 ? -0.0F : values[0];
    values[1] = round % 4 == 0 ? NAN : fabsf(values[1]);
    lpot_histogram histogram;
    lpot_histogram back;
    lpot_buffer buffer;
    make_histogram(&histogram, values, counts[round % 5]);
    /* What was in the histogram before goes away. */
    make_histogram(&back, sample, SAMPLE_COUNT);
    write_histogram(&histogram, &buffer);
    lpot_error err = {0};
    if (read_copy(buffer.data, buffer.size, &back, &err) != LPOT_OK) {
      fail_msg("%s", err.message);
    }
    assert_true(lpot_histogram_equal(&histogram, &back));
    lpot_buffer_done(&buffer);
    lpot_histogram_done(&histogram);
    lpot_histogram_done(&back);
  }
}

/* Writes the fields of a histogram of one zero and of values in one run of positive bins. */
typedef struct forged {
  int version, exponent_code;
  uint64_t total, zeros;
  float minimum, maximum;
  uint64_t runs, gap, length, bin_count;
  uint64_t second[3]; /* gap, length and count of a second run, when runs is 2 */
} forged;

static const forged good = {1, 128, 2, 1, 0, 3.0F, 1, 3072, 1, 1, {0}};
static const forged two_runs = {1, 128, 3, 1, 0, 3.5F, 2, 3072, 1, 1, {511, 1, 1}};

static lpot_status read_forged(const forged *fields) {
  lpot_buffer buffer;
  lpot_buffer_init(&buffer);
  assert_int_equal(lpot_writer_u8(&buffer, (uint8_t)fields->version, NULL), LPOT_OK);
  assert_int_equal(lpot_writer_u8(&buffer, (uint8_t)fields->exponent_code, NULL), LPOT_OK);
  const uint64_t counts[] = {fields->total, fields->zeros, 0, 0, 0};
  for (size_t i = 0; i < 5; i++) {
    assert_int_equal(lpot_writer_varint(&buffer, counts[i], NULL), LPOT_OK);
  }
  assert_int_equal(lpot_writer_f32(&buffer, fields->minimum, NULL), LPOT_OK);
  assert_int_equal(lpot_writer_f32(&buffer, fields->maximum, NULL), LPOT_OK);
  const uint64_t run[] = {fields->runs, fields->gap, fields->length, fields->bin_count};
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(lpot_writer_varint(&buffer, run[i], NULL), LPOT_OK);
  }
  for (size_t i = 0; i < 3 && fields->runs == 2; i++) {
    assert_int_equal(lpot_writer_varint(&buffer, fields->second[i], NULL), LPOT_OK);
  }
  /* No negative bins. */
  assert_int_equal(lpot_writer_varint(&buffer, 0, NULL), LPOT_OK);
  lpot_histogram histogram;
  lpot_histogram_init(&histogram);
  lpot_status status = read_copy(buffer.data, buffer.size, &histogram, NULL);
  lpot_histogram_done(&histogram);
  lpot_buffer_done(&buffer);
  return status;
}

#define CHECK_REFUSED(field, value)                                                                \
  do {                                                                                             \
    forged fields = good;                                                                          \
    fields.field = (value);                                                                        \
    assert_int_equal(read_forged(&fields), LPOT_FORMAT);                                           \
  } while (0)

static void wrong_fields_are_refused(void **state) {
  (void)state;
  assert_int_equal(read_forged(&good), LPOT_OK);
  CHECK_REFUSED(version, 0);
  CHECK_REFUSED(version, 2);
  CHECK_REFUSED(exponent_code, 127);
  CHECK_REFUSED(exponent_code, 129);
  CHECK_REFUSED(exponent_code, 255);
  CHECK_REFUSED(total, 1);
  CHECK_REFUSED(total, 3);
  CHECK_REFUSED(total, UINT64_MAX);
  CHECK_REFUSED(zeros, 0);
  CHECK_REFUSED(zeros, UINT64_MAX);
  CHECK_REFUSED(minimum, -0.0F);
  CHECK_REFUSED(minimum, -1.0F);
  CHECK_REFUSED(minimum, 1.0F);
  CHECK_REFUSED(minimum, NAN);
  CHECK_REFUSED(maximum, NAN);
  CHECK_REFUSED(maximum, INFINITY);
  CHECK_REFUSED(maximum, 2.9F);
  CHECK_REFUSED(maximum, 3.1F);
  CHECK_REFUSED(maximum, -3.0F);
  CHECK_REFUSED(runs, 0);
  CHECK_REFUSED(runs, 2);
  CHECK_REFUSED(runs, UINT64_MAX);
  CHECK_REFUSED(gap, 100);
  CHECK_REFUSED(gap, 4096);
  CHECK_REFUSED(gap, UINT64_MAX);
  CHECK_REFUSED(length, 0);
  CHECK_REFUSED(length, 1025);
  CHECK_REFUSED(length, UINT64_MAX);
  CHECK_REFUSED(bin_count, 0);
  CHECK_REFUSED(bin_count, 2);
  CHECK_REFUSED(bin_count, UINT64_MAX);
}

static void a_wrong_second_run_is_refused(void **state) {
  (void)state;
  assert_int_equal(read_forged(&two_runs), LPOT_OK);
  /* Runs without a gap are one run. */
  forged fields = two_runs;
  fields.second[0] = 0;
  fields.maximum = 3.0009765625F;
  assert_int_equal(read_forged(&fields), LPOT_FORMAT);
  /* An empty bin is not written. */
  fields = two_runs;
  fields.second[2] = 0;
  fields.total = 2;
  fields.maximum = 3.0F;
  assert_int_equal(read_forged(&fields), LPOT_FORMAT);
  /* The last bin is the end. */
  fields = two_runs;
  fields.second[0] = 1023;
  assert_int_equal(read_forged(&fields), LPOT_FORMAT);
}

static void exhausted_memory_is_reported(void **state) {
  (void)state;
  lpot_histogram histogram;
  lpot_buffer buffer;
  make_histogram(&histogram, sample, SAMPLE_COUNT);
  write_histogram(&histogram, &buffer);
  lpot_histogram back;
  lpot_histogram_init(&back);
  lpot_reader reader;
  lpot_reader_init(&reader, buffer.data, buffer.size);
  lpot_memory_fail_after(1);
  assert_int_equal(lpot_histogram_read(&back, &reader, NULL), LPOT_NO_MEMORY);
  lpot_buffer other;
  lpot_buffer_init(&other);
  assert_int_equal(lpot_histogram_write(&histogram, &other, NULL), LPOT_NO_MEMORY);
  lpot_memory_fail_after(0);
  assert_int_equal(other.size, 0);
  lpot_buffer_done(&buffer);
  lpot_histogram_done(&histogram);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_truncated_anywhere_are_refused),
      cmocka_unit_test(whatever_is_read_is_written_alike),
      cmocka_unit_test(histograms_come_back),
      cmocka_unit_test(wrong_fields_are_refused),
      cmocka_unit_test(a_wrong_second_run_is_refused),
      cmocka_unit_test(exhausted_memory_is_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
