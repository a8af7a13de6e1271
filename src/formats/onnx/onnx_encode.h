/* Parts of an ONNX file as bytes: what onnx_save.c puts together. Each appends to buffer. */
#ifndef LPOT_FORMATS_ONNX_ONNX_ENCODE_H
#define LPOT_FORMATS_ONNX_ONNX_ENCODE_H

#include "base/buffer.h"
#include "graph/graph.h"

/* A NodeProto as field number of the message in buffer. */
LPOT_MUST_CHECK lpot_status lpot_onnx_put_node(lpot_buffer *buffer, uint32_t number,
                                               const lpot_graph *graph, const lpot_node *node,
                                               lpot_error *err);
/* A ValueInfoProto as field number of the message in buffer. An unknown dimension 0 is dim_param
 * "N"; others are left open, since one name would say that they are equal. LPOT_INVALID when the
 * value's type is not known. */
LPOT_MUST_CHECK lpot_status lpot_onnx_put_value_info(lpot_buffer *buffer, uint32_t number,
                                                     const lpot_value *value, lpot_error *err);

/* Where a tensor's elements are written. */
typedef struct lpot_onnx_place {
  const char *file; /* external data file, or NULL: in the message */
  uint64_t offset;  /* in that file */
} lpot_onnx_place;

/* The content of a TensorProto without its elements. When they are in the message, it ends in the
 * head of raw_data: tensor->size_bytes bytes must follow. */
LPOT_MUST_CHECK lpot_status lpot_onnx_put_tensor_head(lpot_buffer *buffer, const char *name,
                                                      const lpot_tensor *tensor,
                                                      const lpot_onnx_place *place,
                                                      lpot_error *err);

#endif
