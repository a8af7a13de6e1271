#include "formats/onnx/onnx_encode.h"

#include <inttypes.h>

#include "base/protobuf_wire.h"
#include "base/text.h"
#include "base/writer.h"
#include "formats/onnx/onnx_proto.h"

/* A message inside another needs its length first, so it is filled apart and then copied. */
typedef lpot_status (*fill_function)(lpot_buffer *message, const void *subject, lpot_error *err);

static lpot_status put_filled(lpot_buffer *buffer, uint32_t number, fill_function fill,
                              const void *subject, lpot_error *err) {
  lpot_buffer message;
  lpot_buffer_init(&message);
  lpot_status status = fill(&message, subject, err);
  if (status == LPOT_OK) {
    status = lpot_wire_put_message(buffer, number, &message, err);
  }
  lpot_buffer_done(&message);
  return status;
}

/* ---- tensors ---- */

typedef struct entry {
  const char *key;
  const char *value;
} entry;

static lpot_status fill_entry(lpot_buffer *message, const void *subject, lpot_error *err) {
  const entry *pair = subject;
  LPOT_TRY(lpot_wire_put_string(message, LPOT_ENTRY_KEY, pair->key, err));
  LPOT_TRY(lpot_wire_put_string(message, LPOT_ENTRY_VALUE, pair->value, err));
  return LPOT_OK;
}

static lpot_status put_number_entry(lpot_buffer *buffer, const char *key, uint64_t number,
                                    lpot_error *err) {
  lpot_buffer text;
  lpot_buffer_init(&text);
  lpot_status status = lpot_buffer_printf(&text, err, "%" PRIu64, number);
  if (status == LPOT_OK) {
    status = lpot_buffer_terminate(&text, err);
  }
  if (status == LPOT_OK) {
    entry pair = {key, (const char *)text.data};
    status = put_filled(buffer, LPOT_TENSOR_EXTERNAL_DATA, fill_entry, &pair, err);
  }
  lpot_buffer_done(&text);
  return status;
}

lpot_status lpot_onnx_put_tensor_head(lpot_buffer *buffer, const char *name,
                                      const lpot_tensor *tensor, const lpot_onnx_place *place,
                                      lpot_error *err) {
  for (int i = 0; i < tensor->shape.rank; i++) {
    LPOT_TRY(lpot_wire_put_int64(buffer, LPOT_TENSOR_DIMS, tensor->shape.dims[i], err));
  }
  LPOT_TRY(
      lpot_wire_put_int64(buffer, LPOT_TENSOR_DATA_TYPE, lpot_dtype_to_onnx(tensor->dtype), err));
  LPOT_TRY(lpot_wire_put_string(buffer, LPOT_TENSOR_NAME, name, err));
  if (place->file == NULL) {
    LPOT_TRY(lpot_wire_put_head(buffer, LPOT_TENSOR_RAW_DATA, tensor->size_bytes, err));
    return LPOT_OK;
  }
  entry location = {"location", place->file};
  LPOT_TRY(put_filled(buffer, LPOT_TENSOR_EXTERNAL_DATA, fill_entry, &location, err));
  LPOT_TRY(put_number_entry(buffer, "offset", place->offset, err));
  LPOT_TRY(put_number_entry(buffer, "length", tensor->size_bytes, err));
  LPOT_TRY(lpot_wire_put_int64(buffer, LPOT_TENSOR_DATA_LOCATION, 1, err));
  return LPOT_OK;
}

static lpot_status fill_tensor(lpot_buffer *message, const void *subject, lpot_error *err) {
  const lpot_tensor *tensor = subject;
  lpot_onnx_place place = {.file = NULL};
  LPOT_TRY(lpot_onnx_put_tensor_head(message, "", tensor, &place, err));
  if (tensor->size_bytes > 0) {
    LPOT_TRY(lpot_writer_bytes(message, tensor->data, tensor->size_bytes, err));
  }
  return LPOT_OK;
}

/* ---- attributes ---- */

static const int64_t attribute_types[] = {
    [LPOT_ATTRIBUTE_INT] = LPOT_ONNX_INT,       [LPOT_ATTRIBUTE_FLOAT] = LPOT_ONNX_FLOAT,
    [LPOT_ATTRIBUTE_STRING] = LPOT_ONNX_STRING, [LPOT_ATTRIBUTE_INTS] = LPOT_ONNX_INTS,
    [LPOT_ATTRIBUTE_FLOATS] = LPOT_ONNX_FLOATS, [LPOT_ATTRIBUTE_STRINGS] = LPOT_ONNX_STRINGS,
    [LPOT_ATTRIBUTE_TENSOR] = LPOT_ONNX_TENSOR,
};

static lpot_status fill_list(lpot_buffer *message, const lpot_attribute *attribute,
                             lpot_error *err) {
  for (size_t i = 0; i < attribute->count; i++) {
    if (attribute->kind == LPOT_ATTRIBUTE_INTS) {
      LPOT_TRY(
          lpot_wire_put_int64(message, LPOT_ATTRIBUTE_FIELD_INTS, attribute->integers[i], err));
    } else if (attribute->kind == LPOT_ATTRIBUTE_STRINGS) {
      LPOT_TRY(
          lpot_wire_put_string(message, LPOT_ATTRIBUTE_FIELD_STRINGS, attribute->strings[i], err));
    } else {
      LPOT_TRY(lpot_wire_put_float(message, LPOT_ATTRIBUTE_FIELD_FLOATS, attribute->reals[i], err));
    }
  }
  return LPOT_OK;
}

static lpot_status fill_attribute(lpot_buffer *message, const void *subject, lpot_error *err) {
  const lpot_attribute *attribute = subject;
  LPOT_TRY(lpot_wire_put_string(message, LPOT_ATTRIBUTE_FIELD_NAME, attribute->name, err));
  switch (attribute->kind) {
  case LPOT_ATTRIBUTE_INT:
    LPOT_TRY(lpot_wire_put_int64(message, LPOT_ATTRIBUTE_FIELD_I, attribute->integer, err));
    break;
  case LPOT_ATTRIBUTE_FLOAT:
    LPOT_TRY(lpot_wire_put_float(message, LPOT_ATTRIBUTE_FIELD_F, attribute->real, err));
    break;
  case LPOT_ATTRIBUTE_STRING:
    LPOT_TRY(lpot_wire_put_string(message, LPOT_ATTRIBUTE_FIELD_S, attribute->string, err));
    break;
  case LPOT_ATTRIBUTE_TENSOR:
    LPOT_TRY(put_filled(message, LPOT_ATTRIBUTE_FIELD_T, fill_tensor, attribute->tensor, err));
    break;
  case LPOT_ATTRIBUTE_INTS:
  case LPOT_ATTRIBUTE_FLOATS:
  case LPOT_ATTRIBUTE_STRINGS:
    LPOT_TRY(fill_list(message, attribute, err));
    break;
  }
  LPOT_TRY(lpot_wire_put_int64(message, LPOT_ATTRIBUTE_FIELD_TYPE, attribute_types[attribute->kind],
                               err));
  return LPOT_OK;
}

/* ---- nodes ---- */

typedef struct node_subject {
  const lpot_graph *graph;
  const lpot_node *node;
} node_subject;

/* What is left out at the end is not written; in the middle it is an empty name. */
static lpot_status put_names(lpot_buffer *message, uint32_t number, const lpot_graph *graph,
                             const lpot_value_id *values, int count, lpot_error *err) {
  while (count > 0 && values[count - 1] == LPOT_NONE) {
    count--;
  }
  for (int i = 0; i < count; i++) {
    const char *name = values[i] == LPOT_NONE ? "" : lpot_graph_value(graph, values[i])->name;
    LPOT_TRY(lpot_wire_put_string(message, number, name, err));
  }
  return LPOT_OK;
}

static lpot_status fill_node(lpot_buffer *message, const void *subject, lpot_error *err) {
  const node_subject *pair = subject;
  const lpot_node *node = pair->node;
  const lpot_op_info *info = lpot_op_get_info(node->op);
  LPOT_TRY(put_names(message, LPOT_NODE_INPUT, pair->graph, node->inputs, node->num_inputs, err));
  LPOT_TRY(
      put_names(message, LPOT_NODE_OUTPUT, pair->graph, node->outputs, node->num_outputs, err));
  LPOT_TRY(lpot_wire_put_string(message, LPOT_NODE_NAME, node->name, err));
  LPOT_TRY(lpot_wire_put_string(message, LPOT_NODE_OP_TYPE, info->name, err));
  for (int i = 0; i < node->num_attributes; i++) {
    LPOT_TRY(put_filled(message, LPOT_NODE_ATTRIBUTE, fill_attribute, &node->attributes[i], err));
  }
  if (info->domain[0] != '\0') {
    LPOT_TRY(lpot_wire_put_string(message, LPOT_NODE_DOMAIN, info->domain, err));
  }
  return LPOT_OK;
}

lpot_status lpot_onnx_put_node(lpot_buffer *buffer, uint32_t number, const lpot_graph *graph,
                               const lpot_node *node, lpot_error *err) {
  node_subject subject = {graph, node};
  LPOT_TRY(put_filled(buffer, number, fill_node, &subject, err));
  return LPOT_OK;
}

/* ---- inputs and outputs ---- */

typedef struct dim_subject {
  int64_t dim;
  int axis;
} dim_subject;

static lpot_status fill_dim(lpot_buffer *message, const void *subject, lpot_error *err) {
  const dim_subject *pair = subject;
  if (pair->dim != LPOT_DIM_UNKNOWN) {
    LPOT_TRY(lpot_wire_put_int64(message, LPOT_DIM_VALUE, pair->dim, err));
  } else if (pair->axis == 0) {
    LPOT_TRY(lpot_wire_put_string(message, LPOT_DIM_PARAM, "N", err));
  }
  return LPOT_OK;
}

static lpot_status fill_shape(lpot_buffer *message, const void *subject, lpot_error *err) {
  const lpot_shape *shape = subject;
  for (int i = 0; i < shape->rank; i++) {
    dim_subject dim = {shape->dims[i], i};
    LPOT_TRY(put_filled(message, LPOT_SHAPE_DIM, fill_dim, &dim, err));
  }
  return LPOT_OK;
}

static lpot_status fill_tensor_type(lpot_buffer *message, const void *subject, lpot_error *err) {
  const lpot_value *value = subject;
  LPOT_TRY(lpot_wire_put_int64(message, LPOT_TENSOR_TYPE_ELEMENT, lpot_dtype_to_onnx(value->dtype),
                               err));
  if (value->shape.rank != LPOT_RANK_UNKNOWN) {
    LPOT_TRY(put_filled(message, LPOT_TENSOR_TYPE_SHAPE, fill_shape, &value->shape, err));
  }
  return LPOT_OK;
}

static lpot_status fill_type(lpot_buffer *message, const void *subject, lpot_error *err) {
  LPOT_TRY(put_filled(message, LPOT_TYPE_TENSOR, fill_tensor_type, subject, err));
  return LPOT_OK;
}

static lpot_status fill_value_info(lpot_buffer *message, const void *subject, lpot_error *err) {
  const lpot_value *value = subject;
  LPOT_TRY(lpot_wire_put_string(message, LPOT_VALUE_INFO_NAME, value->name, err));
  LPOT_TRY(put_filled(message, LPOT_VALUE_INFO_TYPE, fill_type, value, err));
  return LPOT_OK;
}

lpot_status lpot_onnx_put_value_info(lpot_buffer *buffer, uint32_t number, const lpot_value *value,
                                     lpot_error *err) {
  if (value->dtype == LPOT_DTYPE_UNKNOWN) {
    char shown[96];
    lpot_text_printable(value->name, shown, sizeof shown);
    return LPOT_FAIL(err, LPOT_INVALID,
                     "value '%s': its type is not known, so it cannot be an "
                     "input or output of a model",
                     shown);
  }
  LPOT_TRY(put_filled(buffer, number, fill_value_info, value, err));
  return LPOT_OK;
}
