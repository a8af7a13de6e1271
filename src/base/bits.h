/* Packed bits: bit i of an array is bit i % 8 of byte i / 8. */
#ifndef LPOT_BASE_BITS_H
#define LPOT_BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that count bits take. */
static inline size_t lpot_bits_size(size_t count) {
  return count / 8 + (count % 8 != 0 ? 1 : 0);
}

static inline bool lpot_bit_get(const uint8_t *bits, size_t index) {
  return (bits[index / 8] >> (index % 8) & 1) != 0;
}

void lpot_bit_set(uint8_t *bits, size_t index, bool value);
/* Copies count bits from bit from_index of from to bit to_index of to; the arrays do not overlap.
 */
void lpot_bits_copy(uint8_t *to, size_t to_index, const uint8_t *from, size_t from_index,
                    size_t count);

#endif
