/* Helpers for tests of datasets whose labels are boxes. */
#ifndef LPOT_TESTS_DETECTION_FIXTURE_H
#define LPOT_TESTS_DETECTION_FIXTURE_H

#include "data_fixture.h"

#include "data/detection.h"

/* Copies a golden file to folder/as. */
static inline void copy_golden(const char *name, const char *folder, const char *as) {
  lpot_mapping *mapping = golden_map(name);
  write_file(folder, as, lpot_mapping_data(mapping), lpot_mapping_size(mapping));
  lpot_mapping_unref(mapping);
}

/* A row of a label. */
static inline void expect_truth(const lpot_tensor *label, int64_t row, double class_index,
                                double top, double left, double bottom, double right, double kind) {
  const double expected[] = {class_index, top, left, bottom, right, kind};
  for (int i = 0; i < LPOT_DETECTION_LABEL_WIDTH; i++) {
    assert_true(lpot_tensor_get_double(label, row * LPOT_DETECTION_LABEL_WIDTH + i) == expected[i]);
  }
}

#endif
