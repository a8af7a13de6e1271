/* The activation that FusedConv and FusedGemm of com.microsoft name by attributes. */
#ifndef LPOT_ENGINE_FUSED_ACTIVATION_H
#define LPOT_ENGINE_FUSED_ACTIVATION_H

#include "graph/graph.h"

typedef struct lpot_fused_activation {
  lpot_op op;        /* IDENTITY for none */
  float alpha, beta; /* of the operator's attributes; the bounds of Clip */
} lpot_fused_activation;

/* LPOT_UNSUPPORTED names an activation that we lack. */
LPOT_MUST_CHECK lpot_status lpot_fused_activation_read(const lpot_node *node,
                                                       lpot_fused_activation *ret, lpot_error *err);

#endif
