/* Small ONNX models made in memory by the wire writer, for the tests of the ONNX reader. */
#ifndef LPOT_TESTS_FORMATS_ONNX_BUILDER_H
#define LPOT_TESTS_FORMATS_ONNX_BUILDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/protobuf_wire.h"
#include "formats/onnx/onnx.h"
#include "formats/onnx/onnx_proto.h"

#define MUST(call) assert_int_equal((call), LPOT_OK)

typedef struct builder {
  lpot_buffer graph; /* content of the GraphProto */
  lpot_buffer model; /* the whole file, after builder_finish */
} builder;

static inline void builder_init(builder *b) {
  lpot_buffer_init(&b->graph);
  lpot_buffer_init(&b->model);
  MUST(lpot_wire_put_string(&b->graph, LPOT_GRAPH_NAME, "g", NULL));
}

static inline void builder_done(builder *b) {
  lpot_buffer_done(&b->graph);
  lpot_buffer_done(&b->model);
}

/* A value of the graph; dims -1 become dim_param "N", rank -1 leaves the shape out. */
static inline void builder_value(builder *b, uint32_t number, const char *name, int element,
                                 int rank, const int64_t *dims) {
  lpot_buffer dim, shape, tensor, type, info;
  lpot_buffer_init(&shape);
  lpot_buffer_init(&tensor);
  lpot_buffer_init(&type);
  lpot_buffer_init(&info);
  for (int i = 0; i < rank; i++) {
    lpot_buffer_init(&dim);
    if (dims[i] == -1) {
      MUST(lpot_wire_put_string(&dim, LPOT_DIM_PARAM, "N", NULL));
    } else {
      MUST(lpot_wire_put_int64(&dim, LPOT_DIM_VALUE, dims[i], NULL));
    }
    MUST(lpot_wire_put_message(&shape, LPOT_SHAPE_DIM, &dim, NULL));
    lpot_buffer_done(&dim);
  }
  MUST(lpot_wire_put_int64(&tensor, LPOT_TENSOR_TYPE_ELEMENT, element, NULL));
  if (rank >= 0) {
    MUST(lpot_wire_put_message(&tensor, LPOT_TENSOR_TYPE_SHAPE, &shape, NULL));
  }
  MUST(lpot_wire_put_message(&type, LPOT_TYPE_TENSOR, &tensor, NULL));
  MUST(lpot_wire_put_string(&info, LPOT_VALUE_INFO_NAME, name, NULL));
  MUST(lpot_wire_put_message(&info, LPOT_VALUE_INFO_TYPE, &type, NULL));
  MUST(lpot_wire_put_message(&b->graph, number, &info, NULL));
  lpot_buffer_done(&shape);
  lpot_buffer_done(&tensor);
  lpot_buffer_done(&type);
  lpot_buffer_done(&info);
}

/* A float input of shape [N, 4]. */
static inline void builder_input(builder *b, const char *name) {
  const int64_t dims[2] = {-1, 4};
  builder_value(b, LPOT_GRAPH_INPUT, name, 1, 2, dims);
}

static inline void builder_output(builder *b, const char *name) {
  builder_value(b, LPOT_GRAPH_OUTPUT, name, 1, -1, NULL);
}

/* A TensorProto as a field of the graph; content holds its fields without the name. */
static inline void builder_initializer(builder *b, const char *name, const lpot_buffer *content) {
  lpot_buffer tensor;
  lpot_buffer_init(&tensor);
  MUST(lpot_buffer_append(&tensor, content->data, content->size, NULL));
  MUST(lpot_wire_put_string(&tensor, LPOT_TENSOR_NAME, name, NULL));
  MUST(lpot_wire_put_message(&b->graph, LPOT_GRAPH_INITIALIZER, &tensor, NULL));
  lpot_buffer_done(&tensor);
}

static inline void builder_int64s(builder *b, const char *name, const int64_t *values,
                                  int64_t count) {
  lpot_buffer content;
  lpot_buffer_init(&content);
  MUST(lpot_wire_put_int64(&content, LPOT_TENSOR_DIMS, count, NULL));
  MUST(lpot_wire_put_int64(&content, LPOT_TENSOR_DATA_TYPE, 7, NULL));
  for (int64_t i = 0; i < count; i++) {
    MUST(lpot_wire_put_int64(&content, LPOT_TENSOR_INT64_DATA, values[i], NULL));
  }
  builder_initializer(b, name, &content);
  lpot_buffer_done(&content);
}

static inline void builder_floats(builder *b, const char *name, const float *values,
                                  int64_t count) {
  lpot_buffer content;
  lpot_buffer_init(&content);
  MUST(lpot_wire_put_int64(&content, LPOT_TENSOR_DIMS, count, NULL));
  MUST(lpot_wire_put_int64(&content, LPOT_TENSOR_DATA_TYPE, 1, NULL));
  for (int64_t i = 0; i < count; i++) {
    MUST(lpot_wire_put_float(&content, LPOT_TENSOR_FLOAT_DATA, values[i], NULL));
  }
  builder_initializer(b, name, &content);
  lpot_buffer_done(&content);
}

/* ---- attributes: fields of a NodeProto ---- */

static inline void attribute_of(lpot_buffer *node, const char *name, int64_t type,
                                const lpot_buffer *value) {
  lpot_buffer message;
  lpot_buffer_init(&message);
  MUST(lpot_wire_put_string(&message, LPOT_ATTRIBUTE_FIELD_NAME, name, NULL));
  MUST(lpot_buffer_append(&message, value->data, value->size, NULL));
  if (type != 0) {
    MUST(lpot_wire_put_int64(&message, LPOT_ATTRIBUTE_FIELD_TYPE, type, NULL));
  }
  MUST(lpot_wire_put_message(node, LPOT_NODE_ATTRIBUTE, &message, NULL));
  lpot_buffer_done(&message);
}

static inline void attribute_int(lpot_buffer *node, const char *name, int64_t value) {
  lpot_buffer content;
  lpot_buffer_init(&content);
  MUST(lpot_wire_put_int64(&content, LPOT_ATTRIBUTE_FIELD_I, value, NULL));
  attribute_of(node, name, LPOT_ONNX_INT, &content);
  lpot_buffer_done(&content);
}

static inline void attribute_float(lpot_buffer *node, const char *name, float value) {
  lpot_buffer content;
  lpot_buffer_init(&content);
  MUST(lpot_wire_put_float(&content, LPOT_ATTRIBUTE_FIELD_F, value, NULL));
  attribute_of(node, name, LPOT_ONNX_FLOAT, &content);
  lpot_buffer_done(&content);
}

static inline void attribute_string(lpot_buffer *node, const char *name, const char *value) {
  lpot_buffer content;
  lpot_buffer_init(&content);
  MUST(lpot_wire_put_string(&content, LPOT_ATTRIBUTE_FIELD_S, value, NULL));
  attribute_of(node, name, LPOT_ONNX_STRING, &content);
  lpot_buffer_done(&content);
}

static inline void attribute_ints(lpot_buffer *node, const char *name, const int64_t *values,
                                  size_t count) {
  lpot_buffer content;
  lpot_buffer_init(&content);
  for (size_t i = 0; i < count; i++) {
    MUST(lpot_wire_put_int64(&content, LPOT_ATTRIBUTE_FIELD_INTS, values[i], NULL));
  }
  attribute_of(node, name, LPOT_ONNX_INTS, &content);
  lpot_buffer_done(&content);
}

static inline void attribute_floats(lpot_buffer *node, const char *name, const float *values,
                                    size_t count) {
  lpot_buffer content;
  lpot_buffer_init(&content);
  for (size_t i = 0; i < count; i++) {
    MUST(lpot_wire_put_float(&content, LPOT_ATTRIBUTE_FIELD_FLOATS, values[i], NULL));
  }
  attribute_of(node, name, LPOT_ONNX_FLOATS, &content);
  lpot_buffer_done(&content);
}

/* ---- nodes ---- */

/* Names are separated by commas: "x,,w" leaves the second out. */
static inline void put_names(lpot_buffer *node, uint32_t number, const char *names) {
  while (names != NULL) {
    size_t length = strcspn(names, ",");
    MUST(lpot_wire_put_bytes(node, number, names, length, NULL));
    names = names[length] == ',' ? names + length + 1 : NULL;
  }
}

/* attributes may be NULL; it is emptied. */
static inline void builder_node(builder *b, const char *op_type, const char *name,
                                const char *inputs, const char *outputs, lpot_buffer *attributes) {
  lpot_buffer node;
  lpot_buffer_init(&node);
  put_names(&node, LPOT_NODE_INPUT, inputs);
  put_names(&node, LPOT_NODE_OUTPUT, outputs);
  MUST(lpot_wire_put_string(&node, LPOT_NODE_NAME, name, NULL));
  MUST(lpot_wire_put_string(&node, LPOT_NODE_OP_TYPE, op_type, NULL));
  if (attributes != NULL) {
    MUST(lpot_buffer_append(&node, attributes->data, attributes->size, NULL));
    lpot_buffer_done(attributes);
    lpot_buffer_init(attributes);
  }
  MUST(lpot_wire_put_message(&b->graph, LPOT_GRAPH_NODE, &node, NULL));
  lpot_buffer_done(&node);
}

/* Makes b->model: ir_version, graph, and the opset last, so that every proper prefix is broken. */
static inline void builder_finish(builder *b, int opset) {
  lpot_buffer import;
  lpot_buffer_init(&import);
  MUST(lpot_wire_put_int64(&import, LPOT_OPSET_VERSION, opset, NULL));
  lpot_buffer_clear(&b->model);
  MUST(lpot_wire_put_int64(&b->model, LPOT_MODEL_IR_VERSION, 7, NULL));
  MUST(lpot_wire_put_string(&b->model, LPOT_MODEL_PRODUCER_NAME, "builder", NULL));
  MUST(lpot_wire_put_message(&b->model, LPOT_MODEL_GRAPH, &b->graph, NULL));
  MUST(lpot_wire_put_message(&b->model, LPOT_MODEL_OPSET_IMPORT, &import, NULL));
  lpot_buffer_done(&import);
}

/* Parses what was built; frees the builder. */
static inline lpot_status builder_parse(builder *b, int opset, lpot_graph **ret_graph,
                                        lpot_error *err) {
  builder_finish(b, opset);
  lpot_status status =
      lpot_onnx_parse(b->model.data, b->model.size, NULL, NULL, ret_graph, NULL, err);
  builder_done(b);
  return status;
}

/* Parses what must be legal, with the message shown when it is not. */
static inline lpot_graph *builder_graph(builder *b, int opset) {
  lpot_graph *graph = NULL;
  lpot_error err = {0};
  if (builder_parse(b, opset, &graph, &err) != LPOT_OK) {
    fail_msg("unexpected error: %s", err.message);
  }
  return graph;
}

/* Parses what must be refused with this status and these two words in the message. */
static inline void builder_refused(builder *b, int opset, lpot_status expected, const char *word,
                                   const char *other) {
  lpot_graph *graph = NULL;
  lpot_error err = {0};
  assert_int_equal(builder_parse(b, opset, &graph, &err), expected);
  assert_null(graph);
  if (strstr(err.message, word) == NULL || strstr(err.message, other) == NULL) {
    fail_msg("'%s' and '%s' are not both in: %s", word, other, err.message);
  }
}

static inline size_t count_nodes(const lpot_graph *graph, lpot_op op) {
  size_t count = 0;
  for (size_t i = 0; i < lpot_graph_num_nodes(graph); i++) {
    const lpot_node *node = lpot_graph_node(graph, (lpot_node_id)i);
    count += !node->removed && (op == LPOT_NUM_OPS || node->op == op);
  }
  return count;
}

static inline const lpot_node *node_named(const lpot_graph *graph, const char *name) {
  lpot_node_id id = lpot_graph_find_node(graph, name);
  assert_int_not_equal(id, LPOT_NONE);
  return lpot_graph_node(graph, id);
}

/* The constant that node reads at index; NULL when it reads none. */
static inline const lpot_tensor *constant_of(const lpot_graph *graph, const lpot_node *node,
                                             int index) {
  lpot_value_id value = lpot_node_input(node, index);
  return value == LPOT_NONE ? NULL : lpot_graph_value(graph, value)->constant;
}

#endif
