/* Feeds bytes to the ONNX reader; what it accepts must be safe to clone, infer and free. */
#include <stddef.h>
#include <stdint.h>

#include "formats/onnx/onnx.h"
#include "graph/infer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_graph *graph = NULL;
  lpot_model_info info;
  lpot_error err = {0};
  (void)lpot_onnx_probe(data, size);
  if (lpot_onnx_parse(data, size, NULL, NULL, &graph, &info, &err) != LPOT_OK) {
    return 0;
  }
  if (lpot_graph_infer(graph, NULL, &err) != LPOT_OK) {
    /* A graph that cannot be inferred is as fit to be freed as any other. */
    err.status = LPOT_OK;
  }
  lpot_graph_free(graph);
  return 0;
}
