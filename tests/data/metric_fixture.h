/* Helpers for tests of metrics. */
#ifndef LPOT_TESTS_METRIC_FIXTURE_H
#define LPOT_TESTS_METRIC_FIXTURE_H

#include "data_fixture.h"

#include <math.h>

#include "data/metric.h"

static inline lpot_status new_metric(const char *text, lpot_metric **ret, lpot_error *err) {
  lpot_yaml *yaml = parse_settings(text);
  lpot_status status = lpot_metric_new(lpot_yaml_root(yaml), ret, err);
  lpot_yaml_free(yaml);
  return status;
}

static inline lpot_metric *make_metric(const char *text) {
  lpot_metric *metric = NULL;
  lpot_error err = {0};
  expect_ok(new_metric(text, &metric, &err), &err);
  return metric;
}

static inline double value_of(const lpot_metric *metric, const lpot_metric_state *state) {
  double value = (double)NAN;
  lpot_error err = {0};
  expect_ok(lpot_metric_value(metric, state, &value, &err), &err);
  return value;
}

static inline lpot_tensor *make_tensor(lpot_dtype dtype, int64_t rows, int64_t columns,
                                       const double *values) {
  lpot_shape shape = lpot_shape_of(columns == 0 ? 1 : 2, (const int64_t[]){rows, columns});
  lpot_tensor *tensor = NULL;
  lpot_error err = {0};
  expect_ok(lpot_tensor_new(dtype, &shape, &tensor, &err), &err);
  for (int64_t i = 0; i < lpot_tensor_elements(tensor); i++) {
    lpot_tensor_set_double(tensor, i, values[i]);
  }
  return tensor;
}

static inline void expect_bad_metric(const char *text, const char *part) {
  lpot_metric *metric = NULL;
  lpot_error err = {0};
  expect_error(new_metric(text, &metric, &err), LPOT_CONFIG, &err, part);
  assert_null(metric);
}

#endif
