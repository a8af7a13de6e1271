#include "quant/channel_means.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "base/writer.h"

#define MAGNITUDE_BITS 0x7FFFFFFFu /* of an f32: all but the sign */
#define INFINITY_BITS 0x7F800000u  /* of an f32; NaNs are above */
#define CHANNEL_BYTES (2 * LPOT_EXACT_SUM_WORDS * 8)

lpot_status lpot_channel_means_new(int64_t channels, int64_t inner, lpot_channel_means **ret_means,
                                   lpot_error *err) {
  size_t count = 0;
  LPOT_TRY(lpot_to_size(channels, &count, err));
  lpot_channel_means *means = lpot_calloc(1, sizeof *means);
  if (means == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *means = (lpot_channel_means){.channels = channels, .inner = inner};
  means->sums = lpot_calloc(count, sizeof *means->sums);
  if (means->sums == NULL) {
    lpot_channel_means_free(means);
    return LPOT_OUT_OF_MEMORY(err);
  }
  *ret_means = means;
  return LPOT_OK;
}

void lpot_channel_means_free(lpot_channel_means *means) {
  if (means == NULL) {
    return;
  }
  if (!means->borrows_sums) {
    lpot_free(means->sums);
  }
  lpot_free(means);
}

void lpot_channel_means_borrow(lpot_channel_means *means, const lpot_exact_sum *sums) {
  if (!means->borrows_sums) {
    lpot_free(means->sums);
  }
  means->borrows_sums = true;
  means->sums = (lpot_exact_sum *)(uintptr_t)sums; /* Nobody writes to borrowed ones. */
}

/* A run of finite elements: four sums that do not wait for each other. Magnitudes have the order of
 * their bits; the largest one's tell whether all were finite. */
static double add_finite(const float *run, int64_t count, bool *ret_finite) {
  double sums[4] = {0};
  uint32_t largest = 0;
  for (int64_t i = 0; i < count; i++) {
    uint32_t bits = 0;
    memcpy(&bits, &run[i], sizeof bits);
    bits &= MAGNITUDE_BITS;
    largest = bits > largest ? bits : largest;
    sums[i % 4] += (double)run[i];
  }
  *ret_finite = largest < INFINITY_BITS;
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

static double add_any(const float *run, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) {
    sum += isfinite(run[i]) ? (double)run[i] : 0;
  }
  return sum;
}

/* One run of inner elements of a channel. */
static void add_run(lpot_channel_means *means, int64_t channel, const float *run) {
  bool finite = false;
  double sum = add_finite(run, means->inner, &finite);
  if (!finite) {
    sum = add_any(run, means->inner);
  }
  lpot_exact_sum_add(&means->sums[channel], (float)(sum / (double)means->inner));
}

lpot_status lpot_channel_means_update(lpot_channel_means *means, const float *elements,
                                      int64_t count, lpot_error *err) {
  int64_t row = means->channels * means->inner;
  if (row == 0 || count % row != 0) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "calibration: %lld elements are not rows of %lld channels of %lld",
                     (long long)count, (long long)means->channels, (long long)means->inner);
  }
  for (int64_t start = 0; start < count; start += row) {
    for (int64_t channel = 0; channel < means->channels; channel++) {
      add_run(means, channel, elements + start + channel * means->inner);
    }
  }
  means->outer += (uint64_t)(count / row);
  return LPOT_OK;
}

bool lpot_channel_means_same_view(const lpot_channel_means *a, const lpot_channel_means *b) {
  return a->channels == b->channels && a->inner == b->inner;
}

void lpot_channel_means_merge(lpot_channel_means *into, const lpot_channel_means *from) {
  for (int64_t i = 0; i < into->channels; i++) {
    lpot_exact_sum_merge(&into->sums[i], &from->sums[i]);
  }
  into->outer += from->outer;
}

double lpot_channel_means_get(const lpot_channel_means *means, int64_t channel) {
  return means->outer == 0 ? 0 : lpot_exact_sum_value(&means->sums[channel]) / (double)means->outer;
}

/* ---- bytes ---- */

lpot_status lpot_channel_means_write(const lpot_channel_means *means, lpot_buffer *out,
                                     lpot_error *err) {
  if (means->channels > UINT32_MAX) {
    return LPOT_FAIL(err, LPOT_INVALID, "calibration: %lld channels do not fit its binary form",
                     (long long)means->channels);
  }
  LPOT_TRY(lpot_writer_u32(out, (uint32_t)means->channels, err));
  LPOT_TRY(lpot_writer_u64(out, (uint64_t)means->inner, err));
  LPOT_TRY(lpot_writer_u64(out, means->outer, err));
  for (int64_t i = 0; i < means->channels; i++) {
    for (int k = 0; k < 2 * LPOT_EXACT_SUM_WORDS; k++) {
      uint64_t word = means->sums[i].words[k / LPOT_EXACT_SUM_WORDS][k % LPOT_EXACT_SUM_WORDS];
      LPOT_TRY(lpot_writer_u64(out, word, err));
    }
  }
  return LPOT_OK;
}

static lpot_status read_channel(lpot_reader *reader, lpot_channel_means *means, int64_t channel,
                                lpot_error *err) {
  for (int k = 0; k < 2 * LPOT_EXACT_SUM_WORDS; k++) {
    uint64_t *word =
        &means->sums[channel].words[k / LPOT_EXACT_SUM_WORDS][k % LPOT_EXACT_SUM_WORDS];
    LPOT_TRY(lpot_reader_u64(reader, word, err));
  }
  return LPOT_OK;
}

lpot_status lpot_channel_means_read(lpot_reader *reader, lpot_channel_means **ret_means,
                                    lpot_error *err) {
  uint32_t channels = 0;
  uint64_t inner = 0;
  uint64_t outer = 0;
  LPOT_TRY(lpot_reader_u32(reader, &channels, err));
  LPOT_TRY(lpot_reader_u64(reader, &inner, err));
  LPOT_TRY(lpot_reader_u64(reader, &outer, err));
  if (channels > lpot_reader_remaining(reader) / CHANNEL_BYTES || inner > INT64_MAX) {
    return LPOT_FAIL(err, LPOT_FORMAT, "calibration: %u channels announced, %zu bytes are left",
                     channels, lpot_reader_remaining(reader));
  }
  lpot_channel_means *means = NULL;
  LPOT_TRY(lpot_channel_means_new(channels, (int64_t)inner, &means, err));
  means->outer = outer;
  for (int64_t i = 0; i < means->channels; i++) {
    lpot_status status = read_channel(reader, means, i, err);
    if (status != LPOT_OK) {
      lpot_channel_means_free(means);
      return status;
    }
  }
  *ret_means = means;
  return LPOT_OK;
}
