#include "base/size.h"

#include <inttypes.h>
#include <limits.h>

lpot_status lpot_size_mul(size_t a, size_t b, size_t *ret, lpot_error *err) {
  if (b != 0 && a > SIZE_MAX / b) {
    return LPOT_FAIL(err, LPOT_INVALID, "size %zu x %zu is too large", a, b);
  }
  *ret = a * b;
  return LPOT_OK;
}

lpot_status lpot_size_add(size_t a, size_t b, size_t *ret, lpot_error *err) {
  if (a > SIZE_MAX - b) {
    return LPOT_FAIL(err, LPOT_INVALID, "size %zu + %zu is too large", a, b);
  }
  *ret = a + b;
  return LPOT_OK;
}

lpot_status lpot_to_int(int64_t value, int *ret, lpot_error *err) {
  if (value < INT_MIN || value > INT_MAX) {
    return LPOT_FAIL(err, LPOT_INVALID, "number %" PRId64 " does not fit, expected %d to %d", value,
                     INT_MIN, INT_MAX);
  }
  *ret = (int)value;
  return LPOT_OK;
}

lpot_status lpot_to_size(int64_t value, size_t *ret, lpot_error *err) {
  if (value < 0 || (uint64_t)value > SIZE_MAX) {
    return LPOT_FAIL(err, LPOT_INVALID, "size %" PRId64 " does not fit, expected 0 to %zu", value,
                     (size_t)SIZE_MAX);
  }
  *ret = (size_t)value;
  return LPOT_OK;
}
