/* Cross-layer equalization (Nagel et al., "Data-free quantization through weight equalization and
 * bias correction", 2019, arXiv 1906.04721, section 4.1): where a Conv or Gemm feeds others, its
 * channel c is multiplied by s and what the others do with it by 1/s, so that the ranges r1 of the
 * first's weights of c and r2 of the others' become equal: s = sqrt(r2 / r1). Then one scale per
 * tensor suits all channels. The graph computes what it did.
 *
 * Other than there:
 * - s is a power of two (the ranges are then within a factor of two): all values of the
 *   graph keep their bits but for the exponent, and its outputs keep all, short of overflow and
 *   underflow.
 * - All scales of a channel together stay within 1/LIMIT and LIMIT. A channel with almost no
 *   weights but a bias would get a scale of thousands, and the bias with it the range of the
 *   activation.
 * - Several readers count as one layer: r2 is the largest of theirs.
 *
 * What is between the layers must commute with a positive factor per channel: Relu, MaxPool,
 * AveragePool and GlobalAveragePool do. All else blocks the pair (Clip, an Add, a Concat, a graph
 * output), as do constants that another node reads too and channels whose range is zero or not
 * finite. */
#ifndef LPOT_QUANT_EQUALIZE_H
#define LPOT_QUANT_EQUALIZE_H

#include "graph/graph.h"
#include "quant/quant_ops.h"

#define LPOT_EQUALIZE_LIMIT 4

/* A clone of graph, the one the ops were found in, with equalized weights and biases under the ids
 * of the old ones: ops are those of the clone too. *ret_pairs is the number of first layers that
 * were looked at: with none the clone is equal to graph. The new constants are copies of those that
 * they replace, in memory. */
LPOT_MUST_CHECK lpot_status lpot_quant_equalize(const lpot_graph *graph, const lpot_quant_ops *ops,
                                                lpot_graph **ret_graph, size_t *ret_pairs,
                                                lpot_error *err);

#endif
