#include "quant/calibration.h"

#include "base/memory.h"
#include "base/writer.h"

#define CALIBRATION_VERSION 1

struct lpot_calibration {
  size_t num_values;
  lpot_histogram **histograms; /* [num_values], owned; NULL where a value is not observed */
};

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
  if (calibration->histograms == NULL) {
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
  }
  lpot_free(calibration->histograms);
  lpot_free(calibration);
}

lpot_status lpot_calibration_observe(void *context, lpot_value_id value, const float *elements,
                                     int64_t count, lpot_error *err) {
  lpot_calibration *calibration = context;
  if (value < 0 || (size_t)value >= calibration->num_values ||
      calibration->histograms[value] == NULL) {
    return LPOT_FAIL(err, LPOT_INVALID, "calibration: value %d is not an observed one", value);
  }
  LPOT_TRY(lpot_histogram_update(calibration->histograms[value], elements, count, err));
  return LPOT_OK;
}

static bool same_values(const lpot_calibration *a, const lpot_calibration *b) {
  if (a->num_values != b->num_values) {
    return false;
  }
  for (size_t i = 0; i < a->num_values; i++) {
    if ((a->histograms[i] == NULL) != (b->histograms[i] == NULL)) {
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
  }
  return LPOT_OK;
}

const lpot_histogram *lpot_calibration_histogram(const lpot_calibration *calibration,
                                                 lpot_value_id value) {
  if (value < 0 || (size_t)value >= calibration->num_values) {
    return NULL;
  }
  return calibration->histograms[value];
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

/* ---- bytes: u8 version, u32 values, u32 observed ones, then u32 value and histogram of each ----
 */

static size_t num_observed(const lpot_calibration *calibration) {
  size_t count = 0;
  for (size_t i = 0; i < calibration->num_values; i++) {
    count += calibration->histograms[i] != NULL ? 1 : 0;
  }
  return count;
}

lpot_status lpot_calibration_write(const lpot_calibration *calibration, lpot_buffer *out,
                                   lpot_error *err) {
  if (calibration->num_values > LPOT_CALIBRATION_MAX_VALUES) {
    return LPOT_FAIL(err, LPOT_INVALID, "calibration: %zu values do not fit its binary form",
                     calibration->num_values);
  }
  LPOT_TRY(lpot_writer_u8(out, CALIBRATION_VERSION, err));
  LPOT_TRY(lpot_writer_u32(out, (uint32_t)calibration->num_values, err));
  LPOT_TRY(lpot_writer_u32(out, (uint32_t)num_observed(calibration), err));
  for (size_t i = 0; i < calibration->num_values; i++) {
    if (calibration->histograms[i] != NULL) {
      LPOT_TRY(lpot_writer_u32(out, (uint32_t)i, err));
      LPOT_TRY(lpot_histogram_write(calibration->histograms[i], out, err));
    }
  }
  return LPOT_OK;
}

static lpot_status read_histograms(lpot_reader *reader, lpot_calibration *calibration,
                                   uint32_t count, lpot_error *err) {
  int64_t previous = -1;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t value = 0;
    LPOT_TRY(lpot_reader_u32(reader, &value, err));
    if (value >= calibration->num_values || (int64_t)value <= previous) {
      return LPOT_FAIL(err, LPOT_FORMAT, "calibration: value %u is out of range or order", value);
    }
    previous = value;
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
  if (status != LPOT_OK) {
    lpot_calibration_free(calibration);
    return status;
  }
  *ret_calibration = calibration;
  return LPOT_OK;
}
