/* A model's inputs have the shapes of its test data. An input that the shape of another value
 * depends on (the target of a Reshape, the axes of a Squeeze) is given as a constant, as exporters
 * write it: the engine compiles for known shapes. */
#include "conformance_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mapping.h"
#include "base/text.h"
#include "engine/engine.h"
#include "engine/reference/reference.h"
#include "formats/onnx/onnx.h"
#include "formats/onnx/onnx_import.h"
#include "graph/infer.h"
#include "graph/passes/passes.h"

#define MAX_TENSORS 32
#define MAX_PATH 1024
#define RELATIVE_TOLERANCE 1e-3
#define ABSOLUTE_TOLERANCE 1e-5

typedef struct tensor_list {
  int count;
  lpot_tensor *tensors[MAX_TENSORS];
  char names[MAX_TENSORS][128]; /* of the value, as the TensorProto has it */
} tensor_list;

static void list_done(tensor_list *list) {
  for (int i = 0; i < list->count; i++) {
    lpot_tensor_unref(list->tensors[i]);
  }
  list->count = 0;
}

static lpot_status parse_tensor(const uint8_t *data, size_t size, tensor_list *list,
                                lpot_error *err) {
  lpot_onnx_import import = {.graph_name = ""};
  lpot_wire_field field = {.number = 1, .type = LPOT_WIRE_BYTES, .data = data, .size = size};
  const char *name = NULL;
  LPOT_TRY(lpot_arena_new(&import.arena, err));
  lpot_status status =
      lpot_onnx_read_tensor(&import, &field, &name, &list->tensors[list->count], err);
  if (status == LPOT_OK) {
    lpot_text_copy(list->names[list->count], sizeof list->names[0], name == NULL ? "" : name);
    list->count++;
  }
  lpot_arena_free(import.arena);
  return status;
}

/* Reads KIND_0.pb, KIND_1.pb ... as long as there are any. */
static lpot_status read_list(const char *folder, const char *kind, tensor_list *list,
                             lpot_error *err) {
  while (list->count < MAX_TENSORS) {
    char path[MAX_PATH];
    lpot_mapping *mapping = NULL;
    snprintf(path, sizeof path, "%s/%s_%d.pb", folder, kind, list->count);
    if (access(path, R_OK) != 0) {
      return LPOT_OK;
    }
    LPOT_TRY(lpot_mapping_open(path, &mapping, err));
    lpot_status status =
        parse_tensor(lpot_mapping_data(mapping), lpot_mapping_size(mapping), list, err);
    lpot_mapping_unref(mapping);
    LPOT_TRY(status);
  }
  return LPOT_OK;
}

/* ---- the operators of a model, also of one that cannot be loaded ---- */

static void note_op(case_result *result, const char *domain, const char *type) {
  char text[MAX_OP_TEXT];
  bool default_domain = domain[0] == '\0' || strcmp(domain, "ai.onnx") == 0;
  snprintf(text, sizeof text, "%.20s%s%.26s", default_domain ? "" : domain,
           default_domain ? "" : ".", type);
  for (int i = 0; i < result->num_ops && i < MAX_CASE_OPS; i++) {
    if (strcmp(result->ops[i], text) == 0) {
      return;
    }
  }
  if (result->num_ops < MAX_CASE_OPS) {
    lpot_text_copy(result->ops[result->num_ops], MAX_OP_TEXT, text);
    result->num_ops++;
  }
}

static lpot_status read_node(const lpot_wire_field *node, lpot_arena *arena, case_result *result,
                             lpot_error *err) {
  const char *type = "";
  const char *domain = "";
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(node, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == 4) {
      LPOT_TRY(lpot_wire_string(&field, arena, &type, err));
    } else if (field.number == 7) {
      LPOT_TRY(lpot_wire_string(&field, arena, &domain, err));
    }
  }
  note_op(result, domain, type);
  return LPOT_OK;
}

static lpot_status read_ops(const uint8_t *data, size_t size, lpot_arena *arena,
                            case_result *result, lpot_error *err) {
  lpot_wire model;
  lpot_wire_init(&model, data, size);
  while (lpot_wire_more(&model)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&model, &field, err));
    if (field.number != 7) {
      continue;
    }
    lpot_wire graph;
    LPOT_TRY(lpot_wire_enter(&field, &graph, err));
    while (lpot_wire_more(&graph)) {
      LPOT_TRY(lpot_wire_next(&graph, &field, err));
      if (field.number == 1) {
        LPOT_TRY(read_node(&field, arena, result, err));
      }
    }
  }
  return LPOT_OK;
}

static lpot_status list_ops(const char *path, case_result *result, lpot_error *err) {
  lpot_mapping *mapping = NULL;
  lpot_arena *arena = NULL;
  LPOT_TRY(lpot_mapping_open(path, &mapping, err));
  lpot_status status = lpot_arena_new(&arena, err);
  if (status == LPOT_OK) {
    status = read_ops(lpot_mapping_data(mapping), lpot_mapping_size(mapping), arena, result, err);
  }
  lpot_arena_free(arena);
  lpot_mapping_unref(mapping);
  return status;
}

/* ---- running ---- */

typedef struct case_run {
  lpot_engine *engine;
  lpot_graph *graph, *bound;
  lpot_plan *plan;
} case_run;

static void run_done(case_run *run) {
  lpot_plan_free(run->plan);
  lpot_graph_free(run->bound);
  lpot_graph_free(run->graph);
  run->plan = NULL;
  run->bound = NULL;
  run->graph = NULL;
}

static lpot_tensor *given_for(const tensor_list *inputs, const lpot_graph *graph, lpot_value_id id,
                              size_t position) {
  const char *name = lpot_graph_value(graph, id)->name;
  for (int i = 0; i < inputs->count; i++) {
    if (strcmp(inputs->names[i], name) == 0) {
      return inputs->tensors[i];
    }
  }
  return position < (size_t)inputs->count ? inputs->tensors[position] : NULL;
}

/* The suite's data files call bfloat16 numbers uint16; the bits are right. */
static void mend_type(lpot_tensor *given, lpot_dtype wanted) {
  if (given->dtype == LPOT_U16 && wanted == LPOT_BF16) {
    given->dtype = LPOT_BF16;
  }
}

/* Inputs take the shapes of their data; all but the first become constants where asked for. */
static lpot_status fit_inputs(lpot_graph *graph, const tensor_list *inputs, bool as_constants,
                              bool first_too, lpot_error *err) {
  lpot_value_id ids[MAX_TENSORS];
  size_t count = lpot_graph_num_inputs(graph);
  if (count > MAX_TENSORS) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "%zu inputs", count);
  }
  for (size_t i = 0; i < count; i++) {
    ids[i] = lpot_graph_input(graph, i);
  }
  for (size_t i = 0; i < count; i++) {
    lpot_tensor *given = given_for(inputs, graph, ids[i], i);
    if (given == NULL) {
      return LPOT_FAIL(err, LPOT_INTERNAL, "no data for input '%s'",
                       lpot_graph_value(graph, ids[i])->name);
    }
    mend_type(given, lpot_graph_value(graph, ids[i])->dtype);
    if (as_constants && (i > 0 || first_too)) {
      lpot_tensor *copy = NULL;
      LPOT_TRY(lpot_tensor_copy_of(given->dtype, &given->shape, given->data, &copy, err));
      LPOT_TRY(lpot_graph_set_constant(graph, ids[i], &copy, err));
    } else {
      lpot_graph_set_value_type(graph, ids[i], given->dtype, &given->shape);
    }
  }
  return LPOT_OK;
}

static lpot_status compile(case_run *run, const char *path, const tensor_list *inputs,
                           int constants, lpot_error *err) {
  run_done(run);
  LPOT_TRY(lpot_model_load(path, &run->graph, NULL, err));
  LPOT_TRY(fit_inputs(run->graph, inputs, constants > 0, constants > 1, err));
  LPOT_TRY(lpot_graph_normalise(run->graph, lpot_reference_run, err));
  LPOT_TRY(lpot_graph_bind(run->graph, 1, lpot_reference_run, &run->bound, err));
  LPOT_TRY(lpot_plan_compile(run->engine, run->bound, NULL, &run->plan, err));
  return LPOT_OK;
}

static bool is_quantized(lpot_dtype dtype) {
  return dtype == LPOT_U8 || dtype == LPOT_S8;
}

static bool is_close(double ours, double wanted, lpot_dtype dtype, case_result *result) {
  if (isnan(wanted) || isnan(ours)) {
    return isnan(wanted) && isnan(ours);
  }
  if (ours == wanted) {
    return true;
  }
  if (is_quantized(dtype) && fabs(ours - wanted) <= 1.0) {
    result->off_by_one++;
    return true;
  }
  return lpot_dtype_is_float(dtype) &&
         fabs(ours - wanted) <= ABSOLUTE_TOLERANCE + RELATIVE_TOLERANCE * fabs(wanted);
}

static lpot_status compare_output(const lpot_tensor *ours, const lpot_tensor *wanted, size_t index,
                                  case_result *result, lpot_error *err) {
  char our_shape[96];
  char wanted_shape[96];
  lpot_shape_text(&ours->shape, our_shape, sizeof our_shape);
  lpot_shape_text(&wanted->shape, wanted_shape, sizeof wanted_shape);
  if (ours->dtype != wanted->dtype || !lpot_shape_equal(&ours->shape, &wanted->shape)) {
    return LPOT_FAIL(err, LPOT_INVALID, "output %zu is %s %s, expected %s %s", index,
                     lpot_dtype_text(ours->dtype), our_shape, lpot_dtype_text(wanted->dtype),
                     wanted_shape);
  }
  int64_t wrong = 0;
  int64_t first = 0;
  int64_t total = lpot_tensor_elements(wanted);
  for (int64_t i = 0; i < total; i++) {
    if (!is_close(lpot_tensor_get_double(ours, i), lpot_tensor_get_double(wanted, i), wanted->dtype,
                  result)) {
      first = wrong == 0 ? i : first;
      wrong++;
    }
  }
  if (wrong > 0) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "output %zu: %lld of %lld elements differ, the first is %.9g, expected %.9g",
                     index, (long long)wrong, (long long)total, lpot_tensor_get_double(ours, first),
                     lpot_tensor_get_double(wanted, first));
  }
  return LPOT_OK;
}

static lpot_status run_once(case_run *run, const tensor_list *inputs, const tensor_list *outputs,
                            case_result *result, lpot_error *err) {
  const lpot_tensor *given[MAX_TENSORS];
  size_t num_inputs = lpot_graph_num_inputs(run->bound);
  for (size_t i = 0; i < num_inputs; i++) {
    given[i] = given_for(inputs, run->bound, lpot_graph_input(run->bound, i), i);
  }
  LPOT_TRY(lpot_plan_run(run->plan, given, err));
  size_t count = lpot_plan_num_outputs(run->plan);
  if (count != (size_t)outputs->count) {
    return LPOT_FAIL(err, LPOT_INVALID, "%zu outputs, expected %d", count, outputs->count);
  }
  for (size_t i = 0; i < count; i++) {
    mend_type(outputs->tensors[i], lpot_plan_output(run->plan, i)->dtype);
    LPOT_TRY(compare_output(lpot_plan_output(run->plan, i), outputs->tensors[i], i, result, err));
  }
  return LPOT_OK;
}

/* Compiles with as few inputs made constant as will do. */
static lpot_status compile_somehow(case_run *run, const char *path, const tensor_list *inputs,
                                   case_result *result, lpot_error *err) {
  lpot_status status = compile(run, path, inputs, 0, err);
  for (int constants = 1; constants <= 2 && status == LPOT_UNSUPPORTED; constants++) {
    lpot_error ignored = {0};
    lpot_status again = compile(run, path, inputs, constants, &ignored);
    if (again != LPOT_UNSUPPORTED) {
      status = again;
      result->given_as_constants = 1;
      if (again != LPOT_OK && err != NULL) {
        *err = ignored;
      }
    }
  }
  return status;
}

static lpot_status run_data_set(case_run *run, const char *folder, int set, case_result *result,
                                lpot_error *err) {
  char path[MAX_PATH];
  char model[MAX_PATH];
  tensor_list inputs = {0};
  tensor_list outputs = {0};
  snprintf(path, sizeof path, "%s/test_data_set_%d", folder, set);
  snprintf(model, sizeof model, "%s/model.onnx", folder);
  lpot_status status = read_list(path, "input", &inputs, err);
  if (status == LPOT_OK) {
    status = read_list(path, "output", &outputs, err);
  }
  if (status == LPOT_OK) {
    status = compile_somehow(run, model, &inputs, result, err);
  }
  if (status == LPOT_OK) {
    status = run_once(run, &inputs, &outputs, result, err);
  }
  run_done(run);
  list_done(&inputs);
  list_done(&outputs);
  return status;
}

static lpot_status run_data_sets(case_run *run, const char *folder, case_result *result,
                                 lpot_error *err) {
  char path[MAX_PATH];
  /* A model that cannot be loaded says so before its data are looked at. */
  snprintf(path, sizeof path, "%s/model.onnx", folder);
  LPOT_TRY(lpot_model_load(path, &run->graph, NULL, err));
  for (int set = 0;; set++) {
    snprintf(path, sizeof path, "%s/test_data_set_%d", folder, set);
    if (access(path, X_OK) != 0) {
      return LPOT_OK;
    }
    LPOT_TRY(run_data_set(run, folder, set, result, err));
  }
}

/* The error's text without the path that it begins with. */
static void tell(const lpot_error *error, case_result *result) {
  const char *text = error->message;
  const char *found = strstr(text, "model.onnx': ");
  lpot_text_copy(result->reason, sizeof result->reason, found == NULL ? text : found + 13);
}

void conformance_run_case(const char *folder, const char *engine_name, case_result *result) {
  char path[MAX_PATH];
  case_run run = {0};
  lpot_error error = {0};
  snprintf(path, sizeof path, "%s/model.onnx", folder);
  lpot_status status = list_ops(path, result, &error);
  if (status == LPOT_OK) {
    status = lpot_engine_open(engine_name, &run.engine, &error);
  }
  if (status == LPOT_OK) {
    status = run_data_sets(&run, folder, result, &error);
  }
  run_done(&run);
  lpot_engine_close(run.engine);
  result->verdict = CASE_PASSED;
  if (status != LPOT_OK) {
    result->verdict = status == LPOT_UNSUPPORTED ? CASE_UNSUPPORTED : CASE_FAILED;
    tell(&error, result);
  }
}
