/* How long a block of the evaluation set takes, by the last pieces of work that came. The median:
 * one recipe that is slow to compile, or one busy node, moves neither deadlines nor the size of
 * pieces. Pure. */
#ifndef LPOT_TUNE_BLOCK_SPEED_H
#define LPOT_TUNE_BLOCK_SPEED_H

#include <stddef.h>

#define LPOT_BLOCK_SPEEDS 31

typedef struct lpot_block_speed {
  double last[LPOT_BLOCK_SPEEDS]; /* seconds for a block, of the last pieces, in a ring */
  size_t num_noted;               /* pieces ever */
  double seconds;                 /* the median of last; 0: none came yet */
} lpot_block_speed;

/* A piece of num_blocks >= 1 blocks took so many seconds. */
void lpot_block_speed_note(lpot_block_speed *speed, double seconds, size_t num_blocks);

#endif
