/* Model files: probing the format, loading into a graph, saving.
 *
 * One folder per format; a format is a row in model.c's table. */
#ifndef LPOT_FORMATS_MODEL_H
#define LPOT_FORMATS_MODEL_H

#include "base/checksum.h"
#include "graph/graph.h"

typedef struct lpot_model_info {
  const char *format;  /* "onnx" */
  int opset;           /* of the file's default domain, before it was raised */
  int ir_version;      /* of the file */
  char producer[64];   /* printable, truncated */
  lpot_digest digest;  /* of the file and of the external data files it names */
  uint64_t size_bytes; /* of the file and its external data */
} lpot_model_info;

/* Loads path in the format its first bytes tell. The graph's constants are views into the mapped
 * file. ret_info may be NULL. LPOT_NOT_FOUND, LPOT_IO; LPOT_FORMAT: damaged (message says where);
 * LPOT_UNSUPPORTED: an operator, type or opset that we lack (message names the node). */
LPOT_MUST_CHECK lpot_status lpot_model_load(const char *path, lpot_graph **ret_graph,
                                            lpot_model_info *ret_info, lpot_error *err);

#endif
