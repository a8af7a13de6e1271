/* What the ops of a network cost, for strategies that weigh damage against time. */
#ifndef LPOT_STRATEGY_COSTS_H
#define LPOT_STRATEGY_COSTS_H

#include "quant/op_links.h"

/* One op; microseconds for one sample, NaN where not known or not possible. An op that runs inside
 * of another one's primitive costs 0. */
typedef struct lpot_op_cost {
  double f32_us;
  double int8_us; /* its inputs are int8 already, its output stays int8 */
  double bf16_us;
  double quantize_us;   /* all its inputs from f32 to int8 */
  double dequantize_us; /* its output from int8 to f32 */
  double to_bf16_us;    /* all its inputs from f32 to bf16 */
  double from_bf16_us;  /* its output from bf16 to f32 */
  double spread;        /* half of the 95 % interval of the median over the median: the largest of
                           f32_us, int8_us and bf16_us; 0 where all of them are 0 */
} lpot_op_cost;

#endif
