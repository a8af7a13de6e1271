/* How often a recipe makes tensors cross between int8 and float. */
#ifndef LPOT_QUANT_REORDERS_H
#define LPOT_QUANT_REORDERS_H

#include "quant/quant_ops.h"

/* Counts tensors of the original graph, each once for each direction: those that an int8 op reads
 * and something else makes, and those that an int8 op makes (or a transparent node hands through in
 * int8) and a float node reads or the graph hands out. Tensors between int8 ops cost nothing.
 * Under dynamic quantization: every distinct input of an int8 op, and every result. 0 for f32.
 * graph and ops as in lpot_quant_rewrite. */
LPOT_MUST_CHECK lpot_status lpot_quant_count_reorders(const lpot_graph *graph,
                                                      const lpot_quant_ops *ops,
                                                      const lpot_recipe *recipe,
                                                      uint64_t *ret_count, lpot_error *err);

#endif
