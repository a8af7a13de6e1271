/* One sample on its way through the transforms: inputs and a label. */
#ifndef LPOT_DATA_SAMPLE_H
#define LPOT_DATA_SAMPLE_H

#include <stdbool.h>

#include "base/checksum.h"
#include "base/error.h"
#include "tensor/tensor.h"

#define LPOT_MAX_SAMPLE_INPUTS 8

typedef struct lpot_sample {
  size_t num_inputs;
  lpot_tensor *inputs[LPOT_MAX_SAMPLE_INPUTS]; /* referenced; images are [height, width, channels]
                                                  u8 or f32 */
  lpot_tensor *label; /* referenced; scalar s64 class, or any tensor; NULL when there is none */
  bool has_boxes;     /* label is that of a detection dataset (data/detection.h) */
} lpot_sample;

void lpot_sample_init(lpot_sample *sample);
void lpot_sample_done(lpot_sample *sample);
/* Gives an unlabelled sample the scalar s64 label class_index. */
LPOT_MUST_CHECK lpot_status lpot_sample_set_class(lpot_sample *sample, int64_t class_index,
                                                  lpot_error *err);

#endif
