/* A model is written front to back: the graph's nodes, inputs and outputs are small and encoded
 * in memory; the constants, which may be large, go straight from where they are to the file. Their
 * message needs its length first, so they are walked twice, the first time without a file. */
#include "formats/onnx/onnx_save_limits.h"

#include <string.h>

#include "base/memory.h"
#include "base/protobuf_wire.h"
#include "formats/onnx/onnx_encode.h"
#include "formats/onnx/onnx_proto.h"
#include "formats/output_file.h"

/* Protocol buffers end at 2 GiB; the rest of the model gets what is between. */
#define LIMIT_BYTES (1900ull << 20)
/* Smaller constants stay in the model: readers want shapes and scales without another file. */
#define MIN_EXTERNAL_BYTES 1024
#define EXTERNAL_ALIGNMENT 64

typedef struct saving {
  const lpot_graph *graph;
  const lpot_node_id *order; /* [num_nodes], borrowed from graph */
  size_t num_nodes;
  bool *is_written;      /* [number of values]: constants that are read */
  bool has_microsoft;    /* a node is of com.microsoft */
  bool is_split;         /* there is an external data file */
  uint64_t data_bytes;   /* its size, once the constants were walked */
  uint64_t model_bytes;  /* size of the model file, once encoded */
  const char *data_name; /* its name without folder, in data_path */
  lpot_buffer data_path; /* NUL terminated */
  lpot_buffer head;      /* before and with the graph's length */
  lpot_buffer body;      /* the graph without constants */
  lpot_buffer tail;      /* behind the graph */
  lpot_buffer scratch;   /* head of one tensor */
} saving;

static void saving_done(saving *save) {
  lpot_free(save->is_written);
  lpot_buffer_done(&save->data_path);
  lpot_buffer_done(&save->head);
  lpot_buffer_done(&save->body);
  lpot_buffer_done(&save->tail);
  lpot_buffer_done(&save->scratch);
}

static void mark_constant(saving *save, lpot_value_id value) {
  if (value != LPOT_NONE && lpot_graph_value(save->graph, value)->constant != NULL) {
    save->is_written[value] = true;
  }
}

static lpot_status survey(saving *save, lpot_error *err) {
  LPOT_TRY(lpot_graph_order(save->graph, &save->order, &save->num_nodes, err));
  save->is_written = lpot_calloc(lpot_graph_num_values(save->graph) + 1, sizeof *save->is_written);
  if (save->is_written == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < save->num_nodes; i++) {
    const lpot_node *node = lpot_graph_node(save->graph, save->order[i]);
    for (int k = 0; k < node->num_inputs; k++) {
      mark_constant(save, node->inputs[k]);
    }
    if (lpot_op_get_info(node->op)->domain[0] != '\0') {
      save->has_microsoft = true;
    }
  }
  for (size_t i = 0; i < lpot_graph_num_outputs(save->graph); i++) {
    mark_constant(save, lpot_graph_output(save->graph, i));
  }
  return LPOT_OK;
}

static uint64_t constant_bytes(const saving *save) {
  uint64_t total = 0;
  for (size_t i = 0; i < lpot_graph_num_values(save->graph); i++) {
    if (save->is_written[i]) {
      total += lpot_graph_value(save->graph, (lpot_value_id)i)->constant->size_bytes;
    }
  }
  return total;
}

static lpot_status name_data_file(saving *save, const char *path, lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(&save->data_path, err, "%s.data", path));
  LPOT_TRY(lpot_buffer_terminate(&save->data_path, err));
  const char *data_path = (const char *)save->data_path.data;
  const char *slash = strrchr(data_path, '/');
  save->data_name = slash == NULL ? data_path : slash + 1;
  return LPOT_OK;
}

static bool is_external(const saving *save, const lpot_tensor *tensor) {
  return save->is_split && tensor->size_bytes >= MIN_EXTERNAL_BYTES;
}

static uint64_t aligned(uint64_t offset) {
  return (offset + EXTERNAL_ALIGNMENT - 1) / EXTERNAL_ALIGNMENT * EXTERNAL_ALIGNMENT;
}

static lpot_status write_or_count(lpot_output_file *file, const void *data, size_t size,
                                  uint64_t *total, lpot_error *err) {
  *total += size;
  if (file != NULL) {
    LPOT_TRY(lpot_output_file_write(file, data, size, err));
  }
  return LPOT_OK;
}

static lpot_status write_constant(saving *save, const lpot_value *value, uint64_t *data_offset,
                                  lpot_output_file *file, uint64_t *total, lpot_error *err) {
  const lpot_tensor *tensor = value->constant;
  lpot_onnx_place place = {.file = NULL};
  size_t inside = tensor->size_bytes;
  if (is_external(save, tensor)) {
    place.file = save->data_name;
    place.offset = aligned(*data_offset);
    *data_offset = place.offset + tensor->size_bytes;
    inside = 0;
  }
  lpot_buffer_clear(&save->scratch);
  LPOT_TRY(lpot_onnx_put_tensor_head(&save->scratch, value->name, tensor, &place, err));
  size_t message_size = save->scratch.size + inside;
  /* The field's own head goes behind the message's in the buffer, and first into the file. */
  size_t tensor_head_size = save->scratch.size;
  LPOT_TRY(lpot_wire_put_head(&save->scratch, LPOT_GRAPH_INITIALIZER, message_size, err));
  LPOT_TRY(write_or_count(file, save->scratch.data + tensor_head_size,
                          save->scratch.size - tensor_head_size, total, err));
  LPOT_TRY(write_or_count(file, save->scratch.data, tensor_head_size, total, err));
  LPOT_TRY(write_or_count(file, tensor->data, inside, total, err));
  return LPOT_OK;
}

/* Writes all constants as fields of the graph; file NULL only counts their bytes. */
static lpot_status write_constants(saving *save, lpot_output_file *file, uint64_t *ret_total,
                                   lpot_error *err) {
  uint64_t total = 0;
  uint64_t data_offset = 0; /* end of what the external file holds so far */
  for (size_t i = 0; i < lpot_graph_num_values(save->graph); i++) {
    if (save->is_written[i]) {
      const lpot_value *value = lpot_graph_value(save->graph, (lpot_value_id)i);
      LPOT_TRY(write_constant(save, value, &data_offset, file, &total, err));
    }
  }
  save->data_bytes = data_offset;
  *ret_total = total;
  return LPOT_OK;
}

static lpot_status encode_body(saving *save, lpot_error *err) {
  const lpot_graph *graph = save->graph;
  for (size_t i = 0; i < save->num_nodes; i++) {
    const lpot_node *node = lpot_graph_node(graph, save->order[i]);
    LPOT_TRY(lpot_onnx_put_node(&save->body, LPOT_GRAPH_NODE, graph, node, err));
  }
  const char *name = lpot_graph_name(graph);
  LPOT_TRY(lpot_wire_put_string(&save->body, LPOT_GRAPH_NAME,
                                name == NULL || name[0] == '\0' ? "graph" : name, err));
  for (size_t i = 0; i < lpot_graph_num_inputs(graph); i++) {
    const lpot_value *value = lpot_graph_value(graph, lpot_graph_input(graph, i));
    LPOT_TRY(lpot_onnx_put_value_info(&save->body, LPOT_GRAPH_INPUT, value, err));
  }
  for (size_t i = 0; i < lpot_graph_num_outputs(graph); i++) {
    const lpot_value *value = lpot_graph_value(graph, lpot_graph_output(graph, i));
    LPOT_TRY(lpot_onnx_put_value_info(&save->body, LPOT_GRAPH_OUTPUT, value, err));
  }
  return LPOT_OK;
}

/* The first IR version that knows the opset (ONNX's docs/Versioning.md). */
static int ir_version(int opset) {
  return opset <= 14 ? 7 : opset <= 18 ? 8 : opset <= 20 ? 9 : 10;
}

static lpot_status put_opset(saving *save, const char *domain, int version, lpot_error *err) {
  lpot_buffer_clear(&save->scratch);
  LPOT_TRY(lpot_wire_put_string(&save->scratch, LPOT_OPSET_DOMAIN, domain, err));
  LPOT_TRY(lpot_wire_put_int64(&save->scratch, LPOT_OPSET_VERSION, version, err));
  LPOT_TRY(lpot_wire_put_message(&save->tail, LPOT_MODEL_OPSET_IMPORT, &save->scratch, err));
  return LPOT_OK;
}

static lpot_status encode(saving *save, lpot_error *err) {
  uint64_t total = 0;
  LPOT_TRY(encode_body(save, err));
  LPOT_TRY(write_constants(save, NULL, &total, err));
  int opset = lpot_graph_opset(save->graph);
  LPOT_TRY(lpot_wire_put_int64(&save->head, LPOT_MODEL_IR_VERSION, ir_version(opset), err));
  LPOT_TRY(lpot_wire_put_string(&save->head, LPOT_MODEL_PRODUCER_NAME, "lpot", err));
  LPOT_TRY(lpot_wire_put_string(&save->head, LPOT_MODEL_PRODUCER_VERSION, LPOT_VERSION, err));
  LPOT_TRY(lpot_wire_put_head(&save->head, LPOT_MODEL_GRAPH, save->body.size + (size_t)total, err));
  LPOT_TRY(put_opset(save, "", opset, err));
  if (save->has_microsoft) {
    LPOT_TRY(put_opset(save, "com.microsoft", 1, err));
  }
  save->model_bytes = save->head.size + save->body.size + total + save->tail.size;
  return LPOT_OK;
}

static lpot_status write_model(saving *save, lpot_output_file *file, lpot_error *err) {
  uint64_t ignored = 0;
  LPOT_TRY(lpot_output_file_write(file, save->head.data, save->head.size, err));
  LPOT_TRY(lpot_output_file_write(file, save->body.data, save->body.size, err));
  LPOT_TRY(write_constants(save, file, &ignored, err));
  LPOT_TRY(lpot_output_file_write(file, save->tail.data, save->tail.size, err));
  return LPOT_OK;
}

static lpot_status write_data(saving *save, lpot_output_file *file, lpot_error *err) {
  static const uint8_t padding[EXTERNAL_ALIGNMENT] = {0};
  for (size_t i = 0; i < lpot_graph_num_values(save->graph); i++) {
    const lpot_tensor *tensor = lpot_graph_value(save->graph, (lpot_value_id)i)->constant;
    if (!save->is_written[i] || !is_external(save, tensor)) {
      continue;
    }
    uint64_t offset = lpot_output_file_size(file);
    LPOT_TRY(lpot_output_file_write(file, padding, (size_t)(aligned(offset) - offset), err));
    LPOT_TRY(lpot_output_file_write(file, tensor->data, tensor->size_bytes, err));
  }
  return LPOT_OK;
}

/* Writes one file whole, by function, and adds its size to total. */
static lpot_status write_file(saving *save, const char *path,
                              lpot_status (*function)(saving *, lpot_output_file *, lpot_error *),
                              uint64_t *total, lpot_error *err) {
  lpot_output_file *file = NULL;
  LPOT_TRY(lpot_output_file_open(path, &file, err));
  lpot_status status = function(save, file, err);
  if (status == LPOT_OK) {
    status = lpot_output_file_commit(file, err);
  }
  *total += lpot_output_file_size(file);
  lpot_output_file_free(file);
  return status;
}

static lpot_status prepare(saving *save, const char *path, uint64_t limit_bytes, lpot_error *err) {
  LPOT_TRY(survey(save, err));
  LPOT_TRY(name_data_file(save, path, err));
  save->is_split = constant_bytes(save) > limit_bytes;
  LPOT_TRY(encode(save, err));
  return LPOT_OK;
}

static lpot_status run_save(saving *save, const char *path, uint64_t limit_bytes, uint64_t *total,
                            lpot_error *err) {
  LPOT_TRY(prepare(save, path, limit_bytes, err));
  if (save->is_split) {
    LPOT_TRY(write_file(save, (const char *)save->data_path.data, write_data, total, err));
  }
  LPOT_TRY(write_file(save, path, write_model, total, err));
  return LPOT_OK;
}

lpot_status lpot_onnx_save_within(const lpot_graph *graph, const char *path, uint64_t limit_bytes,
                                  uint64_t *ret_size_bytes, lpot_error *err) {
  saving save = {.graph = graph};
  uint64_t total = 0;
  lpot_status status = run_save(&save, path, limit_bytes, &total, err);
  saving_done(&save);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "model '%s'", path);
    return status;
  }
  if (ret_size_bytes != NULL) {
    *ret_size_bytes = total;
  }
  return LPOT_OK;
}

lpot_status lpot_onnx_save(const lpot_graph *graph, const char *path, uint64_t *ret_size_bytes,
                           lpot_error *err) {
  LPOT_TRY(lpot_onnx_save_within(graph, path, LIMIT_BYTES, ret_size_bytes, err));
  return LPOT_OK;
}

lpot_status lpot_onnx_size(const lpot_graph *graph, const char *name, uint64_t *ret_size_bytes,
                           lpot_error *err) {
  saving save = {.graph = graph};
  lpot_status status = prepare(&save, name, LIMIT_BYTES, err);
  if (status == LPOT_OK) {
    *ret_size_bytes = save.model_bytes + save.data_bytes;
  }
  saving_done(&save);
  return status;
}
