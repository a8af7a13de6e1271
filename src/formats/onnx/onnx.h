/* ONNX models (onnx.proto3, IR versions 3 to 14, opsets 1 to 22).
 *
 * ModelProto  { ir_version=1 producer_name=2 graph=7 opset_import=8 functions=25 (refused) }
 * GraphProto  { node=1 name=2 initializer=5 input=11 output=12 sparse_initializer=15 (refused) }
 * NodeProto   { input=1 output=2 name=3 op_type=4 attribute=5 domain=7 }
 * TensorProto { dims=1 data_type=2 float_data=4 int32_data=5 int64_data=7 name=8 raw_data=9
 *               double_data=10 uint64_data=11 external_data=13 data_location=14 }
 *
 * Loading raises every older form to the canonical one (opset 13, or the file's own when higher):
 * the rules live in onnx_raise*.c, one function per operator. Constant nodes become constants.
 *
 * A constant is a view into the mapped file when its bytes are aligned to its element size there,
 * else a copy: whoever loads whole elements from an unaligned view has undefined behaviour, and
 * correctness is worth the memory. lpot_onnx_save aligns what it puts into external files.
 *
 * External data files are looked up in the model's folder only: relative paths without "..", no
 * symbolic links. Their digests count in lpot_model_info.digest in the order of first use. */
#ifndef LPOT_FORMATS_ONNX_H
#define LPOT_FORMATS_ONNX_H

#include "formats/model.h"

/* True when the bytes may be an ONNX model (a ModelProto with a graph), by a cheap look. */
bool lpot_onnx_probe(const uint8_t *data, size_t size);

LPOT_MUST_CHECK lpot_status lpot_onnx_load(const char *path, lpot_graph **ret_graph,
                                           lpot_model_info *ret_info, lpot_error *err);

/* Parses bytes that stay alive as long as mapping (may be NULL: constants are then copied).
 * External data is looked up in folder; NULL refuses external data. For lpot_onnx_load and the fuzz
 * target. */
LPOT_MUST_CHECK lpot_status lpot_onnx_parse(const uint8_t *data, size_t size, lpot_mapping *mapping,
                                            const char *folder, lpot_graph **ret_graph,
                                            lpot_model_info *ret_info, lpot_error *err);

/* Writes graph to path by a temporary file beside it, fsync and rename. An unknown first
 * dimension of a graph input or output is written as dim_param "N", other unknown ones are left
 * open (one name for two of them would say that they are equal). The opset written is
 * lpot_graph_opset(graph), and com.microsoft 1 where such nodes occur. IR version 8 (7 for opset 13
 * and 14). A model whose constants exceed 1900 MiB gets one external data file "<name>.data" beside
 * it. Constants that nothing reads are not written. *ret_size_bytes (may be NULL) is the size of
 * all files written. LPOT_INVALID when the type of an input or output is not known, LPOT_IO. */
LPOT_MUST_CHECK lpot_status lpot_onnx_save(const lpot_graph *graph, const char *path,
                                           uint64_t *ret_size_bytes, lpot_error *err);

/* What lpot_onnx_save would write to a file called name, in bytes, without writing it. */
LPOT_MUST_CHECK lpot_status lpot_onnx_size(const lpot_graph *graph, const char *name,
                                           uint64_t *ret_size_bytes, lpot_error *err);

#endif
