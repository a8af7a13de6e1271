/* The written form of histogram.h. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/writer.h"
#include "tensor/histogram.h"
#include "tensor/histogram_bins.h"

#define VERSION 1
#define BINS LPOT_HISTOGRAM_BINS

/* First bin at or after start that is empty (or not), or BINS. */
static int find_bin(const uint64_t *bins, int start, bool empty) {
  while (start < BINS && (bins[start] == 0) != empty) {
    start++;
  }
  return start;
}

static uint64_t count_runs(const uint64_t *bins) {
  uint64_t runs = 0;
  int position = find_bin(bins, 0, false);
  while (position < BINS) {
    runs++;
    position = find_bin(bins, find_bin(bins, position, true), false);
  }
  return runs;
}

static lpot_status write_bins(const uint64_t *bins, lpot_buffer *buffer, lpot_error *err) {
  if (bins == NULL) {
    LPOT_TRY(lpot_writer_varint(buffer, 0, err));
    return LPOT_OK;
  }
  LPOT_TRY(lpot_writer_varint(buffer, count_runs(bins), err));
  int end = 0;
  for (;;) {
    int start = find_bin(bins, end, false);
    if (start == BINS) {
      return LPOT_OK;
    }
    LPOT_TRY(lpot_writer_varint(buffer, (uint64_t)(start - end), err));
    end = find_bin(bins, start, true);
    LPOT_TRY(lpot_writer_varint(buffer, (uint64_t)(end - start), err));
    for (int i = start; i < end; i++) {
      LPOT_TRY(lpot_writer_varint(buffer, bins[i], err));
    }
  }
}

static lpot_status write_all(const lpot_histogram *histogram, lpot_buffer *buffer,
                             lpot_error *err) {
  const uint64_t counts[] = {histogram->total, histogram->zeros, histogram->nans,
                             histogram->positive_infinities, histogram->negative_infinities};
  int exponent_code = histogram->exponent - LPOT_HISTOGRAM_MIN_EXPONENT;
  LPOT_TRY(lpot_writer_u8(buffer, VERSION, err));
  LPOT_TRY(lpot_writer_u8(buffer, (uint8_t)exponent_code, err));
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    LPOT_TRY(lpot_writer_varint(buffer, counts[i], err));
  }
  LPOT_TRY(lpot_writer_f32(buffer, histogram->minimum, err));
  LPOT_TRY(lpot_writer_f32(buffer, histogram->maximum, err));
  LPOT_TRY(write_bins(histogram->positive, buffer, err));
  LPOT_TRY(write_bins(histogram->negative, buffer, err));
  return LPOT_OK;
}

lpot_status lpot_histogram_write(const lpot_histogram *histogram, lpot_buffer *buffer,
                                 lpot_error *err) {
  const size_t size_before = buffer->size;
  lpot_status status = write_all(histogram, buffer, err);
  if (status != LPOT_OK) {
    buffer->size = size_before;
  }
  return status;
}

static lpot_status read_header(lpot_histogram *histogram, lpot_reader *reader, lpot_error *err) {
  uint8_t version = 0;
  uint8_t exponent_code = 0;
  LPOT_TRY(lpot_reader_u8(reader, &version, err));
  if (version != VERSION) {
    return LPOT_FAIL(err, LPOT_FORMAT, "histogram: expected version %d, got %d", VERSION, version);
  }
  LPOT_TRY(lpot_reader_u8(reader, &exponent_code, err));
  histogram->exponent = LPOT_HISTOGRAM_MIN_EXPONENT + exponent_code;
  if (histogram->exponent > LPOT_HISTOGRAM_MAX_EXPONENT) {
    return LPOT_FAIL(err, LPOT_FORMAT, "histogram: expected an exponent of at most %d, got %d",
                     LPOT_HISTOGRAM_MAX_EXPONENT, histogram->exponent);
  }
  uint64_t *const counts[] = {&histogram->total, &histogram->zeros, &histogram->nans,
                              &histogram->positive_infinities, &histogram->negative_infinities};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    LPOT_TRY(lpot_reader_varint(reader, counts[i], err));
  }
  LPOT_TRY(lpot_reader_f32(reader, &histogram->minimum, err));
  LPOT_TRY(lpot_reader_f32(reader, &histogram->maximum, err));
  return LPOT_OK;
}

/* Takes count from *left, what the total still has to give. */
static lpot_status take_count(uint64_t count, uint64_t *left, lpot_error *err) {
  if (count > *left) {
    return LPOT_FAIL(err, LPOT_FORMAT, "histogram: the counts exceed their total");
  }
  *left -= count;
  return LPOT_OK;
}

/* Reads one run that begins behind bin *position and moves *position to its end. */
static lpot_status read_run(uint64_t *bins, bool first, int *position, uint64_t *left,
                            lpot_reader *reader, lpot_error *err) {
  uint64_t gap = 0;
  uint64_t length = 0;
  LPOT_TRY(lpot_reader_varint(reader, &gap, err));
  LPOT_TRY(lpot_reader_varint(reader, &length, err));
  uint64_t room = (uint64_t)(BINS - *position);
  if ((gap == 0 && !first) || length == 0 || gap > room || length > room - gap) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "histogram: run of %" PRIu64 " bins after %" PRIu64
                     " empty ones does not fit at bin %d of %d",
                     length, gap, *position, BINS);
  }
  int start = *position + (int)gap;
  int end = start + (int)length;
  for (int i = start; i < end; i++) {
    LPOT_TRY(lpot_reader_varint(reader, &bins[i], err));
    LPOT_TRY(take_count(bins[i], left, err));
    if (bins[i] == 0) {
      return LPOT_FAIL(err, LPOT_FORMAT, "histogram: bin %d within a run is empty", i);
    }
  }
  *position = end;
  return LPOT_OK;
}

static lpot_status read_bins(uint64_t *bins, uint64_t *left, lpot_reader *reader, lpot_error *err) {
  uint64_t runs = 0;
  LPOT_TRY(lpot_reader_varint(reader, &runs, err));
  if (runs > BINS) {
    return LPOT_FAIL(err, LPOT_FORMAT, "histogram: expected at most %d runs, got %" PRIu64, BINS,
                     runs);
  }
  int position = 0;
  for (uint64_t i = 0; i < runs; i++) {
    LPOT_TRY(read_run(bins, i == 0, &position, left, reader, err));
  }
  return LPOT_OK;
}

static bool is_number(float value) {
  return isfinite(value) && !(value == 0 && signbit(value));
}

static int bin_of(float magnitude, int exponent) {
  return (int)ldexp((double)magnitude * BINS, -exponent);
}

static int last_bin(const uint64_t *bins) {
  int last = BINS - 1;
  while (last >= 0 && bins[last] == 0) {
    last--;
  }
  return last;
}

static int first_bin(const uint64_t *bins) {
  int first = find_bin(bins, 0, false);
  return first == BINS ? -1 : first;
}

/* Whether maximum is what the bins of one sign and the other one's say, seen from that sign: the
 * largest value lies in the last bin of its sign, else it is 0, else it lies in the first bin of
 * the other sign. The mirrored call checks the minimum. */
static bool limit_fits(float maximum, const uint64_t *same, const uint64_t *other, bool has_zeros,
                       int exponent) {
  if (last_bin(same) >= 0) {
    return maximum > 0 && maximum < ldexpf(1, exponent) &&
           bin_of(maximum, exponent) == last_bin(same);
  }
  if (has_zeros || first_bin(other) < 0) {
    return maximum == 0;
  }
  return maximum < 0 && -(double)maximum < ldexp(1, exponent) &&
         bin_of(-maximum, exponent) == first_bin(other);
}

/* The range must be the smallest one that holds the largest bin, and the limits must lie in the
 * outermost bins. */
static lpot_status check_limits(const lpot_histogram *histogram, lpot_error *err) {
  int exponent = histogram->exponent;
  int last_positive = last_bin(histogram->positive);
  int last_negative = last_bin(histogram->negative);
  bool upper_half = last_positive >= BINS / 2 || last_negative >= BINS / 2;
  if (exponent > LPOT_HISTOGRAM_MIN_EXPONENT && !upper_half) {
    return LPOT_FAIL(err, LPOT_FORMAT, "histogram: exponent %d is larger than its bins need",
                     exponent);
  }
  bool has_zeros = histogram->zeros > 0;
  bool fits = is_number(histogram->minimum) && is_number(histogram->maximum) &&
              limit_fits(histogram->maximum, histogram->positive, histogram->negative, has_zeros,
                         exponent) &&
              limit_fits(0 - histogram->minimum, histogram->negative, histogram->positive,
                         has_zeros, exponent);
  if (!fits) {
    return LPOT_FAIL(err, LPOT_FORMAT, "histogram: minimum %g and maximum %g do not fit its bins",
                     (double)histogram->minimum, (double)histogram->maximum);
  }
  return LPOT_OK;
}

/* Reads into an empty histogram with bins. */
static lpot_status read_all(lpot_histogram *histogram, lpot_reader *reader, lpot_error *err) {
  LPOT_TRY(read_header(histogram, reader, err));
  uint64_t left = histogram->total;
  LPOT_TRY(take_count(histogram->zeros, &left, err));
  LPOT_TRY(take_count(histogram->nans, &left, err));
  LPOT_TRY(take_count(histogram->positive_infinities, &left, err));
  LPOT_TRY(take_count(histogram->negative_infinities, &left, err));
  bool has_bins = left > 0;
  LPOT_TRY(read_bins(histogram->positive, &left, reader, err));
  LPOT_TRY(read_bins(histogram->negative, &left, reader, err));
  if (left != 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "histogram: %" PRIu64 " values of the total are missing",
                     left);
  }
  LPOT_TRY(check_limits(histogram, err));
  if (!has_bins) {
    lpot_free(histogram->positive);
    histogram->positive = NULL;
    histogram->negative = NULL;
  }
  return LPOT_OK;
}

lpot_status lpot_histogram_read(lpot_histogram *histogram, lpot_reader *reader, lpot_error *err) {
  lpot_histogram fresh;
  lpot_histogram_init(&fresh);
  LPOT_TRY(lpot_histogram_make_bins(&fresh, err));
  lpot_reader ahead = *reader;
  lpot_status status = read_all(&fresh, &ahead, err);
  if (status != LPOT_OK) {
    lpot_histogram_done(&fresh);
    return status;
  }
  lpot_histogram_done(histogram);
  *histogram = fresh;
  *reader = ahead;
  return LPOT_OK;
}
