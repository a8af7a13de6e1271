#include "tune/holdout.h"

#include <math.h>

#include "base/bits.h"

#define LEAST_SAMPLES 2
#define NORMAL_95 1.959963984540054 /* half of the 95 % interval, in standard deviations */

static int64_t round_up(int64_t count, int64_t unit) {
  return (count + unit - 1) / unit;
}

static lpot_blocks blocks_of(const lpot_holdout_cut *cut, int64_t first, int64_t count) {
  int64_t block_samples = cut->block_batches * cut->batch;
  return (lpot_blocks){.first_sample = first,
                       .num_samples = count,
                       .block_samples = block_samples,
                       .num_blocks = round_up(count, block_samples)};
}

bool lpot_holdout_divide(const lpot_holdout_cut *cut, lpot_blocks *ret_search,
                         lpot_blocks *ret_held_out) {
  int64_t batches = round_up(cut->num_samples, cut->batch);
  double wanted = cut->part * (double)cut->num_samples / (double)cut->batch;
  int64_t border = cut->part > 0 ? (batches - llround(wanted)) * cut->batch : cut->num_samples;
  border = border < cut->num_samples ? border : cut->num_samples;
  border = border > 0 ? border : 0;
  *ret_search = blocks_of(cut, 0, border);
  *ret_held_out = blocks_of(cut, border, cut->num_samples - border);
  return cut->part <= 0 || (border >= LEAST_SAMPLES && cut->num_samples - border >= LEAST_SAMPLES);
}

bool lpot_paired_compare(const uint8_t *f32, const uint8_t *recipe, size_t num_bits,
                         lpot_paired_loss *ret) {
  if (num_bits == 0) {
    return false;
  }
  *ret = (lpot_paired_loss){.samples = num_bits};
  for (size_t i = 0; i < num_bits; i++) {
    bool before = lpot_bit_get(f32, i);
    bool after = lpot_bit_get(recipe, i);
    ret->lost += before && !after ? 1 : 0;
    ret->gained += after && !before ? 1 : 0;
  }
  double count = (double)num_bits;
  double net = (double)ret->lost - (double)ret->gained;
  double changed = (double)ret->lost + (double)ret->gained;
  ret->loss = net / count;
  /* Half a sample more in each of the four cells of the table: two more of all, one more changed.
   */
  double adjusted = count + 2;
  double deviation = sqrt(changed + 1 - net * net / adjusted) / adjusted;
  ret->low = fmax(-1, net / adjusted - NORMAL_95 * deviation);
  ret->high = fmin(1, net / adjusted + NORMAL_95 * deviation);
  return true;
}
