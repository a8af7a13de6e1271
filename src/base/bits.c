#include "base/bits.h"

#include <string.h>

void lpot_bit_set(uint8_t *bits, size_t index, bool value) {
  uint8_t mask = (uint8_t)(1u << (index % 8));
  bits[index / 8] = (uint8_t)(value ? bits[index / 8] | mask : bits[index / 8] & ~mask);
}

void lpot_bits_copy(uint8_t *to, size_t to_index, const uint8_t *from, size_t from_index,
                    size_t count) {
  if (to_index % 8 == 0 && from_index % 8 == 0) {
    size_t whole = count / 8;
    memcpy(to + to_index / 8, from + from_index / 8, whole);
    to_index += 8 * whole;
    from_index += 8 * whole;
    count -= 8 * whole;
  }
  for (size_t i = 0; i < count; i++) {
    lpot_bit_set(to, to_index + i, lpot_bit_get(from, from_index + i));
  }
}
