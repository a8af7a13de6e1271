/* Helpers for tests of datasets whose labels are boxes. */
#ifndef LPOT_TESTS_DETECTION_FIXTURE_H
#define LPOT_TESTS_DETECTION_FIXTURE_H

#include "data_fixture.h"

#include "base/memory.h"
#include "data/detection.h"

/* A row of a label. */
static inline void expect_truth(const lpot_tensor *label, int64_t row, double class_index,
                                double top, double left, double bottom, double right, double kind) {
  const double expected[] = {class_index, top, left, bottom, right, kind};
  for (int i = 0; i < LPOT_DETECTION_LABEL_WIDTH; i++) {
    assert_true(lpot_tensor_get_double(label, row * LPOT_DETECTION_LABEL_WIDTH + i) == expected[i]);
  }
}

/* Opening gives an error, and frees what it made, wherever memory runs out. */
static inline void expect_survives(const char *name, const char *settings, const char *folder) {
  lpot_yaml *yaml = parse_settings(settings);
  lpot_status status = LPOT_NO_MEMORY;
  for (uint64_t countdown = 1; status != LPOT_OK; countdown++) {
    lpot_dataset *dataset = NULL;
    lpot_error err = {0};
    lpot_memory_fail_after(countdown);
    status = lpot_dataset_open(name, lpot_yaml_root(yaml), folder, &dataset, &err);
    lpot_memory_fail_after(0);
    assert_true(status == LPOT_OK || status == LPOT_NO_MEMORY);
    assert_true((dataset != NULL) == (status == LPOT_OK));
    lpot_dataset_close(dataset);
  }
  lpot_yaml_free(yaml);
}

#endif
