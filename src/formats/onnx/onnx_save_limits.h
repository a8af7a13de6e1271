/* lpot_onnx_save with its limit as a parameter, so that tests need no model of 2 GiB. */
#ifndef LPOT_FORMATS_ONNX_ONNX_SAVE_LIMITS_H
#define LPOT_FORMATS_ONNX_ONNX_SAVE_LIMITS_H

#include "formats/onnx/onnx.h"

/* Constants go into an external file when they have more than limit_bytes together. */
LPOT_MUST_CHECK lpot_status lpot_onnx_save_within(const lpot_graph *graph, const char *path,
                                                  uint64_t limit_bytes, uint64_t *ret_size_bytes,
                                                  lpot_error *err);

#endif
