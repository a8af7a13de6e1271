#include "graph/passes/passes.h"

typedef lpot_status (*pass)(lpot_graph *graph, lpot_error *err);

/* A bias that an Add held may stand between a Conv and its normalisation: hence the second time. */
static const pass passes[] = {
    lpot_pass_drop_identities,          lpot_pass_fold_batch_norm, lpot_pass_fold_conv_bias,
    lpot_pass_fold_batch_norm,          lpot_pass_fold_pad,        lpot_pass_fuse_gelu,
    lpot_pass_fuse_layer_normalization, lpot_pass_remove_dead,
};

/* Inference comes first too: it turns Constant nodes into the constants that passes look for. */
lpot_status lpot_graph_normalise(lpot_graph *graph, lpot_node_evaluator evaluate, lpot_error *err) {
  LPOT_TRY(lpot_graph_infer(graph, evaluate, err));
  for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++) {
    LPOT_TRY(passes[i](graph, err));
  }
  LPOT_TRY(lpot_graph_infer(graph, evaluate, err));
  return LPOT_OK;
}
