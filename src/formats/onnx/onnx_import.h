/* What the files of the ONNX importer share. An import runs in steps over the bytes of one
 * GraphProto (onnx_graph.c): initializers, inputs, a first look at the nodes that gives every value
 * its name before anything new is named, the nodes themselves, each raised to the canonical form
 * (onnx_raise.c), and the outputs. */
#ifndef LPOT_FORMATS_ONNX_ONNX_IMPORT_H
#define LPOT_FORMATS_ONNX_ONNX_IMPORT_H

#include "base/arena.h"
#include "base/hash_map.h"
#include "base/mapping.h"
#include "base/protobuf_wire.h"
#include "formats/onnx/onnx_external.h"
#include "graph/graph.h"

#define LPOT_ONNX_MIN_OPSET 1
#define LPOT_ONNX_MAX_OPSET 22
#define LPOT_ONNX_CANONICAL_OPSET 13
/* Room behind a node's inputs, outputs and attributes for what raising adds. */
#define LPOT_ONNX_SPARE 6

typedef struct lpot_onnx_import {
  lpot_graph *graph;            /* under construction; owned until the import is done */
  const char *graph_name;       /* printable */
  lpot_arena *arena;            /* lives as long as the import */
  lpot_arena *node_arena;       /* reset before each node */
  lpot_mapping *mapping;        /* of the model's bytes, borrowed; NULL: constants are copied */
  lpot_onnx_external *external; /* where external data comes from */
  lpot_hash_map *reads;         /* names that a node or the graph's outputs read */
  int64_t opset;                /* of the file's default domain */
  int64_t microsoft_opset;      /* of com.microsoft; 0 when it is not imported */
} lpot_onnx_import;

/* A NodeProto: names as in the file, ids once they are looked up. All arrays are in the node
 * arena; tensors of attributes are referenced and released by lpot_onnx_node_done. */
typedef struct lpot_onnx_node {
  const char *name, *op_type, *domain;
  size_t num_inputs, num_outputs, num_attributes;
  size_t attribute_capacity;
  const char **input_names;   /* [num_inputs] as in the file */
  const char **output_names;  /* [num_outputs] as in the file */
  lpot_value_id *inputs;      /* [num_inputs + LPOT_ONNX_SPARE] */
  lpot_value_id *outputs;     /* [num_outputs + LPOT_ONNX_SPARE] */
  lpot_attribute *attributes; /* [attribute_capacity] */
} lpot_onnx_node;

/* ---- onnx_graph.c ---- */
/* Reads the GraphProto in message into import->graph, which it makes. */
LPOT_MUST_CHECK lpot_status lpot_onnx_read_graph(lpot_onnx_import *import,
                                                 const lpot_wire_field *message, lpot_error *err);

/* ---- onnx_value_info.c ---- */
/* A ValueInfoProto. */
typedef struct lpot_onnx_value_info {
  const char *name; /* in the arena, not empty */
  bool has_type;
  lpot_dtype dtype; /* UNKNOWN without type */
  lpot_shape shape; /* unknown without type */
} lpot_onnx_value_info;

/* Fills info with the name and without type. */
LPOT_MUST_CHECK lpot_status lpot_onnx_read_value_name(lpot_onnx_import *import,
                                                      const lpot_wire_field *message,
                                                      lpot_onnx_value_info *ret_info,
                                                      lpot_error *err);
/* Adds the type where the file gives it. LPOT_UNSUPPORTED for what is no tensor of ours. */
LPOT_MUST_CHECK lpot_status lpot_onnx_read_value_type(lpot_onnx_import *import,
                                                      const lpot_wire_field *message,
                                                      lpot_onnx_value_info *info, lpot_error *err);

/* ---- onnx_tensor.c ---- */
/* Reads the TensorProto in message; *ret_name (may be NULL) is in the arena. Views and copies: see
 * onnx.h. Numbers in files are little endian, and so must the host be. */
LPOT_MUST_CHECK lpot_status lpot_onnx_read_tensor(lpot_onnx_import *import,
                                                  const lpot_wire_field *message,
                                                  const char **ret_name, lpot_tensor **ret_tensor,
                                                  lpot_error *err);

/* ---- onnx_attribute.c ---- */
/* Reads the AttributeProto in message; strings and arrays are in the node arena, a tensor is owned
 * by the caller. LPOT_UNSUPPORTED for kinds that the graph lacks. */
LPOT_MUST_CHECK lpot_status lpot_onnx_read_attribute(lpot_onnx_import *import,
                                                     const lpot_wire_field *message,
                                                     lpot_attribute *ret_attribute,
                                                     lpot_error *err);
/* Copies attribute to a node of the graph. */
LPOT_MUST_CHECK lpot_status lpot_onnx_set_attribute(lpot_graph *graph, lpot_node_id node,
                                                    const lpot_attribute *attribute,
                                                    lpot_error *err);

/* ---- onnx_node.c ---- */
/* First look: names every value of the node, notes what it reads, and makes the output of a
 * Constant node a constant. index counts the graph's nodes from 0. */
LPOT_MUST_CHECK lpot_status lpot_onnx_declare_node(lpot_onnx_import *import,
                                                   const lpot_wire_field *message, size_t index,
                                                   lpot_error *err);
/* Second look: raises the node and puts it into the graph. */
LPOT_MUST_CHECK lpot_status lpot_onnx_import_node(lpot_onnx_import *import,
                                                  const lpot_wire_field *message, size_t index,
                                                  lpot_error *err);
/* The value called name, made if there is none yet; LPOT_NONE for "". */
LPOT_MUST_CHECK lpot_status lpot_onnx_intern_value(lpot_onnx_import *import, const char *name,
                                                   lpot_value_id *ret_value, lpot_error *err);

/* ---- onnx_raise.c ---- */
/* Rewrites node to the canonical form. */
LPOT_MUST_CHECK lpot_status lpot_onnx_raise_node(lpot_onnx_import *import, lpot_onnx_node *node,
                                                 lpot_error *err);
/* ---- onnx_raise_early.c ---- */
/* Rewrites a node of opsets 1 to 6 to the form of opset 7; does nothing for later files. */
LPOT_MUST_CHECK lpot_status lpot_onnx_raise_early(lpot_onnx_import *import, lpot_onnx_node *node,
                                                  lpot_error *err);
/* ---- onnx_raise_support.c: what those two share ---- */
/* NULL when absent. */
lpot_attribute *lpot_onnx_find_attribute(const lpot_onnx_node *node, const char *name);
/* The fallback when absent or of another kind. */
int64_t lpot_onnx_int_attribute(const lpot_onnx_node *node, const char *name, int64_t fallback);
const char *lpot_onnx_string_attribute(const lpot_onnx_node *node, const char *name,
                                       const char *fallback);
void lpot_onnx_drop_attribute(lpot_onnx_node *node, const char *name);
/* Sets an attribute, new or not; what it points to must live as long as the node. */
LPOT_MUST_CHECK lpot_status lpot_onnx_put_attribute(lpot_onnx_node *node,
                                                    const lpot_attribute *attribute,
                                                    lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_onnx_put_string(lpot_onnx_node *node, const char *name,
                                                 const char *value, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_onnx_put_int(lpot_onnx_node *node, const char *name, int64_t value,
                                              lpot_error *err);
/* LPOT_FORMAT when the attribute is absent. */
LPOT_MUST_CHECK lpot_status lpot_onnx_require(const lpot_onnx_node *node, const char *name,
                                              lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_onnx_expect_inputs(const lpot_onnx_node *node, size_t expected,
                                                    lpot_error *err);
/* index is below LPOT_ONNX_SPARE, so the array has room. */
void lpot_onnx_put_input(lpot_onnx_node *node, size_t index, lpot_value_id value);
/* NULL when left out or not constant. */
const lpot_tensor *lpot_onnx_constant_input(const lpot_onnx_import *import,
                                            const lpot_onnx_node *node, size_t index);
/* Makes data a constant named after the node's first output and gives it to input index. */
LPOT_MUST_CHECK lpot_status lpot_onnx_put_constant(lpot_onnx_import *import, lpot_onnx_node *node,
                                                   size_t index, const char *suffix,
                                                   lpot_dtype dtype, const lpot_shape *shape,
                                                   const void *data, lpot_error *err);
/* Turns an attribute of integers into a constant input; nothing happens when it is absent. */
LPOT_MUST_CHECK lpot_status lpot_onnx_ints_to_input(lpot_onnx_import *import, lpot_onnx_node *node,
                                                    const char *name, size_t index,
                                                    lpot_error *err);
/* The same for a number: a constant scalar, unless it is what the input's absence means. */
LPOT_MUST_CHECK lpot_status lpot_onnx_float_to_input(lpot_onnx_import *import, lpot_onnx_node *node,
                                                     const char *name, size_t index, float absent,
                                                     lpot_error *err);
/* ---- what can be raised only when all nodes are there ---- */
/* onnx_raise_broadcast.c */
LPOT_MUST_CHECK lpot_status lpot_onnx_raise_broadcasts(lpot_onnx_import *import, lpot_error *err);
/* onnx_raise_softmax.c: Softmax and LogSoftmax */
LPOT_MUST_CHECK lpot_status lpot_onnx_raise_softmaxes(lpot_onnx_import *import, lpot_error *err);

#endif
