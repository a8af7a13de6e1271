/* The reference engine: every operator in plain C on row-major tensors. It is the oracle of the
 * tests, folds constants, and runs the operators for which the product engine has no faster way. */
#ifndef LPOT_ENGINE_REFERENCE_H
#define LPOT_ENGINE_REFERENCE_H

#include "graph/graph.h"

/* Computes one node. inputs has node->num_inputs entries (NULL where left out), outputs
 * node->num_outputs (NULL where left out), allocated with the inferred type and shape, of the
 * canonical form of opset 13 (later forms too, see graph/op.h). Sums run in double.
 * LPOT_UNSUPPORTED, naming node and type, for an operator or element type without a kernel. */
LPOT_MUST_CHECK lpot_status lpot_reference_run(const lpot_node *node,
                                               const lpot_tensor *const *inputs,
                                               lpot_tensor *const *outputs, lpot_error *err);

#endif
