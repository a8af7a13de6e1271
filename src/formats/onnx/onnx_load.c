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
  LPOT_TRY(lpot_onnx_read_graph(import, &model.graph, err));
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
  /* The digest has read the whole file. */
  lpot_mapping_release(mapping, lpot_mapping_data(mapping), lpot_mapping_size(mapping));
  lpot_mapping_unref(mapping);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "model '%s'", path);
  }
  return status;
}

/* ---- the first look ---- */

typedef struct model_field {
  uint32_t number;
  lpot_wire_type type;
} model_field;

/* The fields of a ModelProto that may stand before its graph. */
static const model_field model_fields[] = {
    {LPOT_MODEL_IR_VERSION, LPOT_WIRE_VARINT},      {LPOT_MODEL_PRODUCER_NAME, LPOT_WIRE_BYTES},
    {LPOT_MODEL_PRODUCER_VERSION, LPOT_WIRE_BYTES}, {LPOT_MODEL_DOMAIN, LPOT_WIRE_BYTES},
    {LPOT_MODEL_VERSION, LPOT_WIRE_VARINT},         {LPOT_MODEL_DOC_STRING, LPOT_WIRE_BYTES},
    {LPOT_MODEL_OPSET_IMPORT, LPOT_WIRE_BYTES},     {LPOT_MODEL_METADATA, LPOT_WIRE_BYTES},
};

static bool is_model_field(const lpot_wire_field *field) {
  for (size_t i = 0; i < sizeof model_fields / sizeof model_fields[0]; i++) {
    if (model_fields[i].number == field->number) {
      return model_fields[i].type == field->type;
    }
  }
  return false;
}

/* A ModelProto begins with its ir_version, as every writer puts it, or shows a graph behind known
 * fields: enough to tell it from text, archives and other protocol buffers, and a truncated model
 * is still known as one. */
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
    if (!is_model_field(&field)) {
      return false;
    }
    starts_well = starts_well || (index == 0 && field.number == LPOT_MODEL_IR_VERSION);
  }
  return starts_well;
}
