/* Feeds bytes to the ONNX reader; what it accepts is normalised, as each job does first, bound to a
 * batch size, and looked through for ops to quantize. */
#include <stddef.h>
#include <stdint.h>

#include "engine/reference/reference.h"
#include "formats/onnx/onnx.h"
#include "graph/passes/passes.h"
#include "quant/quant_ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static lpot_status prepare(lpot_graph *graph, lpot_error *err) {
  lpot_graph *bound = NULL;
  lpot_quant_ops *ops = NULL;
  LPOT_TRY(lpot_graph_normalise(graph, lpot_reference_run, err));
  LPOT_TRY(lpot_graph_bind(graph, 2, lpot_reference_run, &bound, err));
  lpot_status status = lpot_quant_ops_new(graph, bound, &ops, err);
  lpot_quant_ops_free(ops);
  lpot_graph_free(bound);
  return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_graph *graph = NULL;
  lpot_model_info info;
  lpot_error err = {0};
  (void)lpot_onnx_probe(data, size);
  if (lpot_onnx_parse(data, size, NULL, NULL, &graph, &info, &err) != LPOT_OK) {
    return 0;
  }
  /* A graph that this fails for is as fit to be freed as any other. */
  (void)!prepare(graph, &err);
  lpot_graph_free(graph);
  return 0;
}
