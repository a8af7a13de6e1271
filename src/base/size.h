/* Checked size arithmetic: the one place where byte counts are multiplied or narrowed. */
#ifndef LPOT_BASE_SIZE_H
#define LPOT_BASE_SIZE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Return LPOT_INVALID when the result does not fit; *ret is then unchanged. */
LPOT_MUST_CHECK lpot_status lpot_size_mul(size_t a, size_t b, size_t *ret, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_size_add(size_t a, size_t b, size_t *ret, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_to_int(int64_t value, int *ret, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_to_size(int64_t value, size_t *ret, lpot_error *err);

#endif
