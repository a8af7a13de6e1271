/* What histogram.c and histogram_io.c share. For them only. */
#ifndef LPOT_TENSOR_HISTOGRAM_BINS_H
#define LPOT_TENSOR_HISTOGRAM_BINS_H

#include "base/error.h"
#include "tensor/histogram.h"

/* Makes the empty bins, if there are none yet. */
LPOT_MUST_CHECK lpot_status lpot_histogram_make_bins(lpot_histogram *histogram, lpot_error *err);

#endif
