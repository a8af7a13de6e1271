/* Reordering of dimensions. */
#ifndef LPOT_DATA_TRANSFORM_TRANSPOSE_H
#define LPOT_DATA_TRANSFORM_TRANSPOSE_H

#include "base/error.h"
#include "tensor/tensor.h"

/* Dimension i of the result is dimension perm[i] of input; perm is a permutation of its rank. */
LPOT_MUST_CHECK lpot_status lpot_transpose(const lpot_tensor *input, const int *perm,
                                           lpot_tensor **ret_output, lpot_error *err);

#endif
