#include "quant/calibration.h"

#include <string.h>

#include "base/memory.h"
#include "base/writer.h"
#include "tensor/tensor.h"

#define CALIBRATION_VERSION 2
#define BINS_BYTES (2 * LPOT_HISTOGRAM_BINS * sizeof(uint64_t))

struct lpot_calibration {
  size_t num_values;
  lpot_histogram **histograms;   /* [num_values], owned; NULL where a value is not observed */
  lpot_channel_means **channels; /* [num_values], owned; NULL where they are not watched */
  lpot_tensor *shared;           /* bytes of all bins and sums, once they are shared; NULL before */
};

lpot_calibration_key lpot_calibration_key_of(const lpot_recipe *recipe) {
  return (lpot_calibration_key){.samples = recipe->calibration_samples,
                                .equalized = recipe->corrections.cross_layer_equalization};
}

bool lpot_calibration_key_equal(lpot_calibration_key a, lpot_calibration_key b) {
  return a.samples == b.samples && a.equalized == b.equalized;
}

static lpot_status add_histogram(lpot_calibration *calibration, size_t value, lpot_error *err) {
  lpot_histogram *histogram = lpot_calloc(1, sizeof *histogram);
  if (histogram == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_histogram_init(histogram);
  calibration->histograms[value] = histogram;
  return LPOT_OK;
}

static lpot_status new_empty(size_t num_values, lpot_calibration **ret_calibration,
                             lpot_error *err) {
  lpot_calibration *calibration = lpot_calloc(1, sizeof *calibration);
  if (calibration == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  calibration->num_values = num_values;
  calibration->histograms = lpot_calloc(num_values, sizeof(lpot_histogram *));
  calibration->channels = lpot_calloc(num_values, sizeof(lpot_channel_means *));
  if (calibration->histograms == NULL || calibration->channels == NULL) {
    lpot_free(calibration->channels);
    lpot_free(calibration->histograms);
    lpot_free(calibration);
    return LPOT_OUT_OF_MEMORY(err);
  }
  *ret_calibration = calibration;
  return LPOT_OK;
}

lpot_status lpot_calibration_new(const bool *observed, size_t num_values,
                                 lpot_calibration **ret_calibration, lpot_error *err) {
  lpot_calibration *calibration = NULL;
  LPOT_TRY(new_empty(num_values, &calibration, err));
  for (size_t i = 0; i < num_values; i++) {
    lpot_status status = observed[i] ? add_histogram(calibration, i, err) : LPOT_OK;
    if (status != LPOT_OK) {
      lpot_calibration_free(calibration);
      return status;
    }
  }
  *ret_calibration = calibration;
  return LPOT_OK;
}

void lpot_calibration_free(lpot_calibration *calibration) {
  if (calibration == NULL) {
    return;
  }
  for (size_t i = 0; i < calibration->num_values; i++) {
    if (calibration->histograms[i] != NULL) {
      lpot_histogram_done(calibration->histograms[i]);
      lpot_free(calibration->histograms[i]);
    }
    lpot_channel_means_free(calibration->channels[i]);
  }
  lpot_tensor_unref(calibration->shared);
  lpot_free(calibration->channels);
  lpot_free(calibration->histograms);
  lpot_free(calibration);
}

lpot_status lpot_calibration_watch_channels(lpot_calibration *calibration,
                                            const lpot_quant_ops *ops, lpot_error *err) {
  for (size_t i = 0; i < lpot_quant_ops_count(ops); i++) {
    const lpot_quant_op *op = lpot_quant_ops_get(ops, i);
    if (op->weight != LPOT_NONE && calibration->channels[op->inputs[0]] == NULL) {
      LPOT_TRY(lpot_channel_means_new(op->input_channels, op->input_inner,
                                      &calibration->channels[op->inputs[0]], err));
    }
  }
  return LPOT_OK;
}

bool lpot_calibration_observes(const lpot_calibration *calibration, lpot_value_id value) {
  return value >= 0 && (size_t)value < calibration->num_values &&
         (calibration->histograms[value] != NULL || calibration->channels[value] != NULL);
}

lpot_status lpot_calibration_observe(void *context, lpot_value_id value, const float *elements,
                                     int64_t count, lpot_error *err) {
  lpot_calibration *calibration = context;
  if (!lpot_calibration_observes(calibration, value)) {
    return LPOT_FAIL(err, LPOT_INVALID, "calibration: value %d is not an observed one", value);
  }
  if (calibration->histograms[value] != NULL) {
    LPOT_TRY(lpot_histogram_update(calibration->histograms[value], elements, count, err));
  }
  if (calibration->channels[value] != NULL) {
    LPOT_TRY(lpot_channel_means_update(calibration->channels[value], elements, count, err));
  }
  return LPOT_OK;
}

static bool same_channels(const lpot_channel_means *a, const lpot_channel_means *b) {
  return a == NULL || b == NULL ? a == b : lpot_channel_means_same_view(a, b);
}

static bool same_values(const lpot_calibration *a, const lpot_calibration *b) {
  if (a->num_values != b->num_values) {
    return false;
  }
  for (size_t i = 0; i < a->num_values; i++) {
    if ((a->histograms[i] == NULL) != (b->histograms[i] == NULL) ||
        !same_channels(a->channels[i], b->channels[i])) {
      return false;
    }
  }
  return true;
}

lpot_status lpot_calibration_merge(lpot_calibration *into, const lpot_calibration *from,
                                   lpot_error *err) {
  if (!same_values(into, from)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "calibration: the parts observe different values");
  }
  for (size_t i = 0; i < into->num_values; i++) {
    if (into->histograms[i] != NULL) {
      LPOT_TRY(lpot_histogram_merge(into->histograms[i], from->histograms[i], err));
    }
    if (into->channels[i] != NULL) {
      lpot_channel_means_merge(into->channels[i], from->channels[i]);
    }
  }
  return LPOT_OK;
}

/* Bytes of a value's bins and of its channels' sums. */
static size_t bins_size(const lpot_histogram *histogram) {
  return histogram != NULL && histogram->positive != NULL ? BINS_BYTES : 0;
}

static size_t sums_size(const lpot_channel_means *means) {
  return means != NULL ? (size_t)means->channels * sizeof *means->sums : 0;
}

static void copy_parts(const lpot_calibration *calibration, uint8_t *next) {
  for (size_t i = 0; i < calibration->num_values; i++) {
    const lpot_histogram *histogram = calibration->histograms[i];
    const lpot_channel_means *means = calibration->channels[i];
    if (bins_size(histogram) > 0) {
      memcpy(next, histogram->positive, BINS_BYTES);
    }
    next += bins_size(histogram);
    if (sums_size(means) > 0) {
      memcpy(next, means->sums, sums_size(means));
    }
    next += sums_size(means);
  }
}

static void borrow_parts(lpot_calibration *calibration, const uint8_t *next) {
  for (size_t i = 0; i < calibration->num_values; i++) {
    lpot_histogram *histogram = calibration->histograms[i];
    lpot_channel_means *means = calibration->channels[i];
    if (bins_size(histogram) > 0) {
      lpot_histogram_borrow(histogram, (const uint64_t *)(const void *)next);
    }
    next += bins_size(histogram);
    if (sums_size(means) > 0) {
      lpot_channel_means_borrow(means, (const lpot_exact_sum *)(const void *)next);
    }
    next += sums_size(means);
  }
}

lpot_status lpot_calibration_share(lpot_calibration *calibration, lpot_error *err) {
  size_t size = 0;
  for (size_t i = 0; i < calibration->num_values; i++) {
    size += bins_size(calibration->histograms[i]) + sums_size(calibration->channels[i]);
  }
  lpot_shape shape = lpot_shape_of(1, (int64_t[]){(int64_t)size});
  lpot_tensor *bytes = NULL;
  LPOT_TRY(lpot_tensor_new(LPOT_U8, &shape, &bytes, err));
  copy_parts(calibration, bytes->data);
  lpot_tensor_share(bytes);
  borrow_parts(calibration, bytes->data);
  lpot_tensor_unref(calibration->shared);
  calibration->shared = bytes;
  return LPOT_OK;
}

const lpot_histogram *lpot_calibration_histogram(const lpot_calibration *calibration,
                                                 lpot_value_id value) {
  if (value < 0 || (size_t)value >= calibration->num_values) {
    return NULL;
  }
  return calibration->histograms[value];
}

const lpot_channel_means *lpot_calibration_channels(const lpot_calibration *calibration,
                                                    lpot_value_id value) {
  if (value < 0 || (size_t)value >= calibration->num_values) {
    return NULL;
  }
  return calibration->channels[value];
}

lpot_value_id lpot_calibration_first_bad(const lpot_calibration *calibration) {
  for (size_t i = 0; i < calibration->num_values; i++) {
    const lpot_histogram *histogram = calibration->histograms[i];
    if (histogram != NULL && lpot_histogram_num_finite(histogram) != histogram->total) {
      return (lpot_value_id)i;
    }
  }
  return LPOT_NONE;
}

/* ---- bytes: u8 version, u32 values, u32 observed ones, u32 value and histogram of each; then u32
 * watched ones, u32 value and channels of each ---- */

static void count_both(const lpot_calibration *calibration, uint32_t *ret_observed,
                       uint32_t *ret_watched) {
  *ret_observed = 0;
  *ret_watched = 0;
  for (size_t i = 0; i < calibration->num_values; i++) {
    *ret_observed += calibration->histograms[i] != NULL ? 1 : 0;
    *ret_watched += calibration->channels[i] != NULL ? 1 : 0;
  }
}

static lpot_status write_channels(const lpot_calibration *calibration, uint32_t count,
                                  lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_writer_u32(out, count, err));
  for (size_t i = 0; i < calibration->num_values; i++) {
    if (calibration->channels[i] != NULL) {
      LPOT_TRY(lpot_writer_u32(out, (uint32_t)i, err));
      LPOT_TRY(lpot_channel_means_write(calibration->channels[i], out, err));
    }
  }
  return LPOT_OK;
}

lpot_status lpot_calibration_write(const lpot_calibration *calibration, lpot_buffer *out,
                                   lpot_error *err) {
  if (calibration->num_values > LPOT_CALIBRATION_MAX_VALUES) {
    return LPOT_FAIL(err, LPOT_INVALID, "calibration: %zu values do not fit its binary form",
                     calibration->num_values);
  }
  uint32_t num_observed = 0;
  uint32_t num_watched = 0;
  count_both(calibration, &num_observed, &num_watched);
  LPOT_TRY(lpot_writer_u8(out, CALIBRATION_VERSION, err));
  LPOT_TRY(lpot_writer_u32(out, (uint32_t)calibration->num_values, err));
  LPOT_TRY(lpot_writer_u32(out, num_observed, err));
  for (size_t i = 0; i < calibration->num_values; i++) {
    if (calibration->histograms[i] != NULL) {
      LPOT_TRY(lpot_writer_u32(out, (uint32_t)i, err));
      LPOT_TRY(lpot_histogram_write(calibration->histograms[i], out, err));
    }
  }
  LPOT_TRY(write_channels(calibration, num_watched, out, err));
  return LPOT_OK;
}

/* The next value, which must come behind previous. */
static lpot_status read_value(lpot_reader *reader, const lpot_calibration *calibration,
                              int64_t *previous, uint32_t *ret_value, lpot_error *err) {
  LPOT_TRY(lpot_reader_u32(reader, ret_value, err));
  if (*ret_value >= calibration->num_values || (int64_t)*ret_value <= *previous) {
    return LPOT_FAIL(err, LPOT_FORMAT, "calibration: value %u is out of range or order",
                     *ret_value);
  }
  *previous = *ret_value;
  return LPOT_OK;
}

static lpot_status read_channels(lpot_reader *reader, lpot_calibration *calibration,
                                 lpot_error *err) {
  uint32_t count = 0;
  int64_t previous = -1;
  LPOT_TRY(lpot_reader_u32(reader, &count, err));
  for (uint32_t i = 0; i < count; i++) {
    uint32_t value = 0;
    LPOT_TRY(read_value(reader, calibration, &previous, &value, err));
    LPOT_TRY(lpot_channel_means_read(reader, &calibration->channels[value], err));
  }
  return LPOT_OK;
}

static lpot_status read_histograms(lpot_reader *reader, lpot_calibration *calibration,
                                   uint32_t count, lpot_error *err) {
  int64_t previous = -1;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t value = 0;
    LPOT_TRY(read_value(reader, calibration, &previous, &value, err));
    LPOT_TRY(add_histogram(calibration, value, err));
    LPOT_TRY(lpot_histogram_read(calibration->histograms[value], reader, err));
  }
  return LPOT_OK;
}

lpot_status lpot_calibration_read(lpot_reader *reader, lpot_calibration **ret_calibration,
                                  lpot_error *err) {
  uint8_t version = 0;
  uint32_t num_values = 0;
  uint32_t count = 0;
  LPOT_TRY(lpot_reader_u8(reader, &version, err));
  LPOT_TRY(lpot_reader_u32(reader, &num_values, err));
  LPOT_TRY(lpot_reader_u32(reader, &count, err));
  if (version != CALIBRATION_VERSION) {
    return LPOT_FAIL(err, LPOT_FORMAT, "calibration: version is %d, expected %d", version,
                     CALIBRATION_VERSION);
  }
  /* A message of a few bytes may not ask for gigabytes: graphs have far fewer values. */
  if (num_values > LPOT_CALIBRATION_MAX_VALUES || count > num_values) {
    return LPOT_FAIL(err, LPOT_FORMAT, "calibration: %u of %u values observed, at most %d expected",
                     count, num_values, LPOT_CALIBRATION_MAX_VALUES);
  }
  lpot_calibration *calibration = NULL;
  LPOT_TRY(new_empty(num_values, &calibration, err));
  lpot_status status = read_histograms(reader, calibration, count, err);
  if (status == LPOT_OK) {
    status = read_channels(reader, calibration, err);
  }
  if (status != LPOT_OK) {
    lpot_calibration_free(calibration);
    return status;
  }
  *ret_calibration = calibration;
  return LPOT_OK;
}
