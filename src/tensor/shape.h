/* Shapes: up to 8 dimensions; a dimension may be unknown (a symbolic batch size). */
#ifndef LPOT_TENSOR_SHAPE_H
#define LPOT_TENSOR_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define LPOT_MAX_RANK 8
#define LPOT_DIM_UNKNOWN (-1)
#define LPOT_RANK_UNKNOWN (-1)

typedef struct lpot_shape {
  int rank;                    /* 0 for a scalar, LPOT_RANK_UNKNOWN when nothing is known */
  int64_t dims[LPOT_MAX_RANK]; /* >= 0, or LPOT_DIM_UNKNOWN */
} lpot_shape;

lpot_shape lpot_shape_unknown(void);
lpot_shape lpot_shape_scalar(void);
lpot_shape lpot_shape_of(int rank, const int64_t *dims);
bool lpot_shape_is_known(const lpot_shape *shape); /* rank and all dimensions known */
bool lpot_shape_equal(const lpot_shape *a, const lpot_shape *b);
/* Number of elements; shape must be known. LPOT_INVALID beyond 2^48 elements. */
LPOT_MUST_CHECK lpot_status lpot_shape_count(const lpot_shape *shape, int64_t *ret_count,
                                             lpot_error *err);
/* The same without a check, for shapes that were checked before. */
int64_t lpot_shape_elements(const lpot_shape *shape);
/* Numpy broadcasting of a and b (unknown dimensions stay unknown unless the other is > 1). */
LPOT_MUST_CHECK lpot_status lpot_shape_broadcast(const lpot_shape *a, const lpot_shape *b,
                                                 lpot_shape *ret, lpot_error *err);
/* Row-major strides in elements. */
void lpot_shape_strides(const lpot_shape *shape, int64_t strides[LPOT_MAX_RANK]);
/* "[2, 3, ?]" */
void lpot_shape_text(const lpot_shape *shape, char *out, size_t out_size);

#endif
