#include "tune/block_speed.h"

/* The middle one, of an even number the upper of the two. */
static double median_of(const double *values, size_t count) {
  double sorted[LPOT_BLOCK_SPEEDS];
  for (size_t i = 0; i < count; i++) {
    size_t place = i;
    for (; place > 0 && sorted[place - 1] > values[i]; place--) {
      sorted[place] = sorted[place - 1];
    }
    sorted[place] = values[i];
  }
  return sorted[count / 2];
}

void lpot_block_speed_note(lpot_block_speed *speed, double seconds, size_t num_blocks) {
  speed->last[speed->num_noted % LPOT_BLOCK_SPEEDS] = seconds / (double)num_blocks;
  speed->num_noted++;
  size_t count = speed->num_noted < LPOT_BLOCK_SPEEDS ? speed->num_noted : LPOT_BLOCK_SPEEDS;
  speed->seconds = median_of(speed->last, count);
}
