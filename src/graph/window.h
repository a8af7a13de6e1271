/* Geometry of convolutions and pools: one place that resolves auto_pad, pads, strides, dilations,
 * ceil_mode and output_padding for 1, 2 and 3 spatial dimensions. */
#ifndef LPOT_GRAPH_WINDOW_H
#define LPOT_GRAPH_WINDOW_H

#include <stdbool.h>

#include "graph/graph.h"

#define LPOT_MAX_SPATIAL 3

typedef struct lpot_window {
  int num_spatial; /* 1 to 3 */
  int64_t kernel[LPOT_MAX_SPATIAL];
  int64_t stride[LPOT_MAX_SPATIAL];
  int64_t dilation[LPOT_MAX_SPATIAL]; /* 1 = dense */
  int64_t pad_begin[LPOT_MAX_SPATIAL];
  int64_t pad_end[LPOT_MAX_SPATIAL]; /* as given or by auto_pad; may be less than what ceil_mode
                                        reads */
  int64_t output_padding[LPOT_MAX_SPATIAL]; /* ConvTranspose */
  int64_t output[LPOT_MAX_SPATIAL];         /* spatial output sizes, >= 1 when input is known */
  int64_t group;
} lpot_window;

/* For Conv, ConvTranspose (kernel from the weights' shape when the attribute is absent),
 * MaxPool, AveragePool, LpPool. input_shape [N, C, spatial...]; weight_shape may be NULL for pools.
 * Unknown spatial inputs give unknown outputs. LPOT_FORMAT, naming node and attribute, when lengths
 * disagree, a value is out of range, or the window exceeds the padded input. */
LPOT_MUST_CHECK lpot_status lpot_window_resolve(const lpot_node *node,
                                                const lpot_shape *input_shape,
                                                const lpot_shape *weight_shape, lpot_window *ret,
                                                lpot_error *err);

#endif
