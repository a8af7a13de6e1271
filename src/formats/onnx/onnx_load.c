#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "base/writer.h"
#include "formats/onnx/onnx.h"
#include "formats/onnx/onnx_import.h"
#include "formats/onnx/onnx_proto.h"

#define MIN_IR_VERSION 3
#define MAX_IR_VERSION 14

/* A ModelProto without its graph's content. */
typedef struct model_head {
  int64_t ir_version;
  const char *producer;
  bool has_graph;
  lpot_wire_field graph;
} model_head;

/* ---- ModelProto ---- */

static lpot_status read_opset_import(lpot_onnx_import *import, const lpot_wire_field *message,
                                     lpot_error *err) {
  const char *domain = "";
  int64_t version = 0;
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == LPOT_OPSET_DOMAIN) {
      LPOT_TRY(lpot_wire_string(&field, import->arena, &domain, err));
    } else if (field.number == LPOT_OPSET_VERSION) {
      LPOT_TRY(lpot_wire_int64(&field, &version, err));
    }
  }
  if (domain[0] == '\0' || lpot_text_equal(domain, "ai.onnx")) {
    import->opset = version;
  } else if (lpot_text_equal(domain, "com.microsoft")) {
    import->microsoft_opset = version;
  }
  return LPOT_OK; /* other domains matter only when a node uses them */
}

static lpot_status read_model_field(lpot_onnx_import *import, const lpot_wire_field *field,
                                    model_head *model, lpot_error *err) {
  switch (field->number) {
  case LPOT_MODEL_IR_VERSION:
    LPOT_TRY(lpot_wire_int64(field, &model->ir_version, err));
    break;
  case LPOT_MODEL_PRODUCER_NAME:
    LPOT_TRY(lpot_wire_string(field, import->arena, &model->producer, err));
    break;
  case LPOT_MODEL_GRAPH:
    LPOT_TRY(lpot_wire_expect(field, LPOT_WIRE_BYTES, err));
    if (model->has_graph) {
      return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: the model has two graphs", field->offset);
    }
    model->graph = *field;
    model->has_graph = true;
    break;
  case LPOT_MODEL_OPSET_IMPORT:
    LPOT_TRY(read_opset_import(import, field, err));
    break;
  case LPOT_MODEL_FUNCTIONS:
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "offset %zu: functions defined by the model are not supported", field->offset);
  default:
    break;
  }
  return LPOT_OK;
}

static lpot_status check_versions(const lpot_onnx_import *import, const model_head *model,
                                  lpot_error *err) {
  if (!model->has_graph) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the model has no graph");
  }
  if (model->ir_version < MIN_IR_VERSION || model->ir_version > MAX_IR_VERSION) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "IR version is %lld, expected %d to %d",
                     (long long)model->ir_version, MIN_IR_VERSION, MAX_IR_VERSION);
  }
  if (import->opset == 0) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "the model does not say which opset of the default domain it uses");
  }
  if (import->opset < LPOT_ONNX_MIN_OPSET || import->opset > LPOT_ONNX_MAX_OPSET) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "opset is %lld, expected %d to %d",
                     (long long)import->opset, LPOT_ONNX_MIN_OPSET, LPOT_ONNX_MAX_OPSET);
  }
  return LPOT_OK;
}

static lpot_status read_model(lpot_onnx_import *import, const uint8_t *data, size_t size,
                              model_head *model, lpot_error *err) {
  if (size == 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the file is empty");
  }
  lpot_wire wire;
  lpot_wire_init(&wire, data, size);
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    LPOT_TRY(read_model_field(import, &field, model, err));
  }
  LPOT_TRY(check_versions(import, model, err));
  return LPOT_OK;
}

/* ---- ValueInfoProto ---- */

typedef struct value_info {
  const char *name;
  bool has_type;
  lpot_dtype dtype;
  lpot_shape shape;
} value_info;

static lpot_status read_dim(const lpot_wire_field *message, int64_t *ret_dim, lpot_error *err) {
  int64_t dim = LPOT_DIM_UNKNOWN;
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == LPOT_DIM_VALUE) {
      LPOT_TRY(lpot_wire_int64(&field, &dim, err));
    }
  }
  /* Some exporters write 0 or -1 for a dimension that is not known. */
  if (dim < -1) {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: dimension is %lld, expected > 0",
                     message->offset, (long long)dim);
  }
  *ret_dim = dim == 0 ? LPOT_DIM_UNKNOWN : dim;
  return LPOT_OK;
}

static lpot_status read_shape(const lpot_wire_field *message, lpot_shape *ret_shape,
                              lpot_error *err) {
  lpot_shape shape = lpot_shape_scalar();
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number != LPOT_SHAPE_DIM) {
      continue;
    }
    if (shape.rank == LPOT_MAX_RANK) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "offset %zu: more than %d dimensions",
                       message->offset, LPOT_MAX_RANK);
    }
    LPOT_TRY(read_dim(&field, &shape.dims[shape.rank], err));
    shape.rank++;
  }
  *ret_shape = shape;
  return LPOT_OK;
}

static lpot_status read_tensor_type(const lpot_wire_field *message, value_info *info,
                                    lpot_error *err) {
  int64_t element = 0;
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == LPOT_TENSOR_TYPE_ELEMENT) {
      LPOT_TRY(lpot_wire_int64(&field, &element, err));
    } else if (field.number == LPOT_TENSOR_TYPE_SHAPE) {
      LPOT_TRY(read_shape(&field, &info->shape, err));
    }
  }
  bool in_range = element >= 0 && element <= INT16_MAX;
  info->dtype = in_range ? lpot_dtype_from_onnx((int)element) : LPOT_DTYPE_UNKNOWN;
  if (info->dtype == LPOT_DTYPE_UNKNOWN) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "data type %lld is not supported", (long long)element);
  }
  info->has_type = true;
  return LPOT_OK;
}

static lpot_status read_type(const lpot_wire_field *message, value_info *info, lpot_error *err) {
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == LPOT_TYPE_TENSOR) {
      LPOT_TRY(read_tensor_type(&field, info, err));
    } else if (field.type == LPOT_WIRE_BYTES && field.number != LPOT_TYPE_DENOTATION) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                       "is a sequence, map, optional or sparse tensor, expected a tensor");
    }
  }
  return LPOT_OK;
}

/* Reads the name first, whatever the order in the file: messages about the type want it. */
static lpot_status read_value_info(lpot_onnx_import *import, const lpot_wire_field *message,
                                   uint32_t wanted, value_info *info, lpot_error *err) {
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number != wanted) {
      continue;
    }
    if (wanted == LPOT_VALUE_INFO_NAME) {
      LPOT_TRY(lpot_wire_string(&field, import->arena, &info->name, err));
    } else {
      LPOT_TRY(read_type(&field, info, err));
    }
  }
  return LPOT_OK;
}

static lpot_status read_name(lpot_onnx_import *import, const lpot_wire_field *message,
                             value_info *info, lpot_error *err) {
  *info = (value_info){.name = "", .dtype = LPOT_DTYPE_UNKNOWN, .shape = lpot_shape_unknown()};
  LPOT_TRY(read_value_info(import, message, LPOT_VALUE_INFO_NAME, info, err));
  if (info->name[0] == '\0') {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: an input or output of the graph has no name",
                     message->offset);
  }
  return LPOT_OK;
}

static lpot_status fail_value(lpot_status status, const lpot_onnx_import *import, const char *what,
                              const char *name, lpot_error *err) {
  if (status != LPOT_OK) {
    char shown[96];
    lpot_text_printable(name, shown, sizeof shown);
    lpot_error_prefix(err, "graph '%s', %s '%s'", import->graph_name, what, shown);
  }
  return status;
}

/* ---- GraphProto, one function per kind of field ---- */

static lpot_status add_initializer(lpot_onnx_import *import, const lpot_wire_field *message,
                                   size_t index, lpot_error *err) {
  const char *name = "";
  lpot_tensor *tensor = NULL;
  lpot_status status = lpot_onnx_read_tensor(import, message, &name, &tensor, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "graph '%s', initializer %zu", import->graph_name, index);
    return status;
  }
  lpot_value_id value = LPOT_NONE;
  if (name[0] == '\0' || lpot_graph_find_value(import->graph, name) != LPOT_NONE) {
    status = LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: the name is empty or taken", message->offset);
    status = fail_value(status, import, "initializer", name, err);
  } else {
    status = lpot_graph_add_constant(import->graph, name, &tensor, &value, err);
  }
  lpot_tensor_unref(tensor); /* NULL once it was moved */
  return status;
}

static lpot_status add_typed_input(lpot_onnx_import *import, const lpot_wire_field *message,
                                   value_info *info, lpot_error *err) {
  if (lpot_graph_find_value(import->graph, info->name) != LPOT_NONE) {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: the name is taken", message->offset);
  }
  LPOT_TRY(read_value_info(import, message, LPOT_VALUE_INFO_TYPE, info, err));
  if (!info->has_type) {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: the type is missing", message->offset);
  }
  lpot_value_id value = LPOT_NONE;
  LPOT_TRY(lpot_graph_add_value(import->graph, info->name, info->dtype, &info->shape, &value, err));
  LPOT_TRY(lpot_graph_add_input(import->graph, value, err));
  return LPOT_OK;
}

/* Up to IR version 3 initializers were listed as inputs too; they are constants all the same. */
static lpot_status add_input(lpot_onnx_import *import, const lpot_wire_field *message, size_t index,
                             lpot_error *err) {
  (void)index;
  value_info info;
  LPOT_TRY(read_name(import, message, &info, err));
  lpot_value_id known = lpot_graph_find_value(import->graph, info.name);
  if (known != LPOT_NONE && lpot_graph_value(import->graph, known)->constant != NULL) {
    return LPOT_OK;
  }
  lpot_status status = add_typed_input(import, message, &info, err);
  return fail_value(status, import, "input", info.name, err);
}

static lpot_status note_output(lpot_onnx_import *import, const lpot_wire_field *message,
                               size_t index, lpot_error *err) {
  (void)index;
  value_info info;
  LPOT_TRY(read_name(import, message, &info, err));
  LPOT_TRY(lpot_hash_map_put(import->reads, info.name, 1, err));
  return LPOT_OK;
}

static lpot_status add_known_output(lpot_onnx_import *import, const lpot_wire_field *message,
                                    value_info *info, lpot_error *err) {
  LPOT_TRY(read_value_info(import, message, LPOT_VALUE_INFO_TYPE, info, err));
  lpot_value_id id = lpot_graph_find_value(import->graph, info->name);
  const lpot_value *value = id == LPOT_NONE ? NULL : lpot_graph_value(import->graph, id);
  if (value == NULL || (value->producer == LPOT_NONE && value->dtype == LPOT_DTYPE_UNKNOWN)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: no node produces it", message->offset);
  }
  if (lpot_graph_is_output(import->graph, id)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: it is listed twice", message->offset);
  }
  if (value->dtype == LPOT_DTYPE_UNKNOWN) {
    /* What the file claims holds until inference knows better. */
    lpot_graph_set_value_type(import->graph, id, info->dtype, &info->shape);
  }
  LPOT_TRY(lpot_graph_add_output(import->graph, id, err));
  return LPOT_OK;
}

static lpot_status add_output(lpot_onnx_import *import, const lpot_wire_field *message,
                              size_t index, lpot_error *err) {
  (void)index;
  value_info info;
  LPOT_TRY(read_name(import, message, &info, err));
  lpot_status status = add_known_output(import, message, &info, err);
  return fail_value(status, import, "output", info.name, err);
}

static lpot_status name_graph(lpot_onnx_import *import, const lpot_wire_field *message,
                              lpot_error *err) {
  const char *name = "";
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == LPOT_GRAPH_NAME) {
      LPOT_TRY(lpot_wire_string(&field, import->arena, &name, err));
    } else if (field.number == LPOT_GRAPH_SPARSE_INITIALIZER) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "offset %zu: sparse initializers are not supported",
                       field.offset);
    }
  }
  char shown[96];
  lpot_text_printable(name, shown, sizeof shown);
  import->graph_name = lpot_arena_strdup(import->arena, shown);
  if (import->graph_name == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  LPOT_TRY(lpot_graph_new(name, &import->graph, err));
  return LPOT_OK;
}

/* One step over the fields of the graph that have this number. */
typedef struct import_step {
  uint32_t number;
  lpot_status (*take)(lpot_onnx_import *import, const lpot_wire_field *message, size_t index,
                      lpot_error *err);
} import_step;

static const import_step steps[] = {
    {LPOT_GRAPH_INITIALIZER, add_initializer}, {LPOT_GRAPH_INPUT, add_input},
    {LPOT_GRAPH_NODE, lpot_onnx_declare_node}, {LPOT_GRAPH_OUTPUT, note_output},
    {LPOT_GRAPH_NODE, lpot_onnx_import_node},  {LPOT_GRAPH_OUTPUT, add_output},
};

static lpot_status run_step(lpot_onnx_import *import, const lpot_wire_field *graph,
                            const import_step *step, lpot_error *err) {
  size_t index = 0;
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(graph, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == step->number) {
      LPOT_TRY(step->take(import, &field, index, err));
      index++;
    }
  }
  return LPOT_OK;
}

static lpot_status check_graph(const lpot_onnx_import *import, lpot_error *err) {
  if (lpot_graph_num_outputs(import->graph) == 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "graph '%s': has no outputs", import->graph_name);
  }
  const lpot_node_id *order = NULL;
  size_t count = 0;
  lpot_status status = lpot_graph_order(import->graph, &order, &count, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "graph '%s'", import->graph_name);
  }
  return status;
}

static lpot_status read_graph(lpot_onnx_import *import, const lpot_wire_field *graph,
                              lpot_error *err) {
  LPOT_TRY(name_graph(import, graph, err));
  int64_t opset = import->opset;
  lpot_graph_set_opset(import->graph,
                       opset < LPOT_ONNX_CANONICAL_OPSET ? LPOT_ONNX_CANONICAL_OPSET : (int)opset);
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    LPOT_TRY(run_step(import, graph, &steps[i], err));
  }
  LPOT_TRY(check_graph(import, err));
  LPOT_TRY(lpot_onnx_raise_softmaxes(import, err));
  return LPOT_OK;
}

/* ---- the whole ---- */

/* The digest of several files is that of their digests, in the order in which they are named. */
static lpot_status fill_digest(const lpot_onnx_import *import, const uint8_t *data, size_t size,
                               lpot_model_info *info, lpot_error *err) {
  info->digest = lpot_digest_of(data, size);
  info->size_bytes = size;
  size_t count = lpot_onnx_external_count(import->external);
  lpot_buffer digests;
  lpot_buffer_init(&digests);
  lpot_status status = lpot_writer_u64(&digests, info->digest.low, err);
  if (status == LPOT_OK) {
    status = lpot_writer_u64(&digests, info->digest.high, err);
  }
  for (size_t i = 0; i < count && status == LPOT_OK; i++) {
    const lpot_mapping *mapping = lpot_onnx_external_mapping(import->external, i);
    size_t file_size = lpot_mapping_size(mapping);
    lpot_digest digest = lpot_digest_of(lpot_mapping_data(mapping), file_size);
    info->size_bytes += file_size;
    status = lpot_writer_u64(&digests, digest.low, err);
    if (status == LPOT_OK) {
      status = lpot_writer_u64(&digests, digest.high, err);
    }
  }
  if (status == LPOT_OK && count > 0) {
    info->digest = lpot_digest_of(digests.data, digests.size);
  }
  lpot_buffer_done(&digests);
  return status;
}

static lpot_status run_import(lpot_onnx_import *import, const uint8_t *data, size_t size,
                              const char *folder, lpot_model_info *info, lpot_error *err) {
  LPOT_TRY(lpot_arena_new(&import->arena, err));
  LPOT_TRY(lpot_arena_new(&import->node_arena, err));
  LPOT_TRY(lpot_hash_map_new(&import->reads, err));
  LPOT_TRY(lpot_onnx_external_new(folder, &import->external, err));
  model_head model = {.producer = ""};
  LPOT_TRY(read_model(import, data, size, &model, err));
  LPOT_TRY(read_graph(import, &model.graph, err));
  LPOT_TRY(fill_digest(import, data, size, info, err));
  info->format = "onnx";
  info->opset = (int)import->opset;
  info->ir_version = (int)model.ir_version;
  lpot_text_printable(model.producer, info->producer, sizeof info->producer);
  return LPOT_OK;
}

lpot_status lpot_onnx_parse(const uint8_t *data, size_t size, lpot_mapping *mapping,
                            const char *folder, lpot_graph **ret_graph, lpot_model_info *ret_info,
                            lpot_error *err) {
  lpot_onnx_import import = {.graph_name = "", .mapping = mapping};
  lpot_model_info info = {.format = "onnx"};
  lpot_status status = run_import(&import, data, size, folder, &info, err);
  lpot_onnx_external_free(import.external);
  lpot_hash_map_free(import.reads);
  lpot_arena_free(import.node_arena);
  lpot_arena_free(import.arena);
  if (status != LPOT_OK) {
    lpot_graph_free(import.graph);
    return status;
  }
  *ret_graph = import.graph;
  if (ret_info != NULL) {
    *ret_info = info;
  }
  return LPOT_OK;
}

/* The folder of path, "." when it names none. */
static lpot_status folder_of(const char *path, lpot_buffer *folder, lpot_error *err) {
  const char *slash = strrchr(path, '/');
  if (slash == NULL) {
    LPOT_TRY(lpot_buffer_append(folder, ".", 1, err));
  } else {
    LPOT_TRY(lpot_buffer_append(folder, path, slash == path ? 1 : (size_t)(slash - path), err));
  }
  LPOT_TRY(lpot_buffer_terminate(folder, err));
  return LPOT_OK;
}

lpot_status lpot_onnx_load(const char *path, lpot_graph **ret_graph, lpot_model_info *ret_info,
                           lpot_error *err) {
  lpot_mapping *mapping = NULL;
  LPOT_TRY(lpot_mapping_open(path, &mapping, err));
  lpot_buffer folder;
  lpot_buffer_init(&folder);
  lpot_status status = folder_of(path, &folder, err);
  if (status == LPOT_OK) {
    status = lpot_onnx_parse(lpot_mapping_data(mapping), lpot_mapping_size(mapping), mapping,
                             (const char *)folder.data, ret_graph, ret_info, err);
  }
  lpot_buffer_done(&folder);
  lpot_mapping_unref(mapping);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "model '%s'", path);
  }
  return status;
}

/* A ModelProto begins with its ir_version as every writer puts it, or shows a graph field before
 * anything illegal: enough to tell it from text, archives and other protocol buffers, and a
 * truncated model is still known as one. */
bool lpot_onnx_probe(const uint8_t *data, size_t size) {
  bool starts_well = false;
  size_t index = 0;
  lpot_wire wire;
  lpot_wire_init(&wire, data, size);
  for (; lpot_wire_more(&wire); index++) {
    lpot_wire_field field;
    if (lpot_wire_next(&wire, &field, NULL) != LPOT_OK) {
      return starts_well;
    }
    if (field.number == LPOT_MODEL_GRAPH) {
      return field.type == LPOT_WIRE_BYTES;
    }
    starts_well = starts_well || (index == 0 && field.number == LPOT_MODEL_IR_VERSION &&
                                  field.type == LPOT_WIRE_VARINT);
  }
  return starts_well;
}
