#include "tune/user_model.h"

#include "base/memory.h"
#include "data/plugin.h"
#include "engine/reference/reference.h"
#include "graph/infer.h"

#define KEPT_PLANS 2 /* a size of batches, and the rest at the end */
#define MAX_INPUTS 64

typedef struct batch_plan {
  int64_t batch;   /* 0: none */
  lpot_plan *plan; /* owned */
} batch_plan;

struct lpot_model {
  lpot_user_model_source source;
  lpot_engine *engine; /* owned; NULL: source's is borrowed */
  lpot_graph *graph;
  batch_plan plans[KEPT_PLANS]; /* the latest first */
  int64_t num_runs;
  lpot_error failure;
};

/* ---- life ---- */

lpot_status lpot_user_model_new(const lpot_user_model_source *source, lpot_model **ret_model,
                                lpot_error *err) {
  if (lpot_graph_num_inputs(source->graph) > MAX_INPUTS) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "a model of %zu inputs, programs can run %d at most",
                     lpot_graph_num_inputs(source->graph), MAX_INPUTS);
  }
  lpot_model *model = lpot_calloc(1, sizeof *model);
  if (model == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  model->source = *source;
  *ret_model = model;
  return LPOT_OK;
}

lpot_status lpot_user_model_own(lpot_engine *engine, lpot_graph *graph, lpot_model **ret_model,
                                lpot_error *err) {
  const lpot_user_model_source source = {.engine = engine, .graph = graph};
  lpot_status status = lpot_user_model_new(&source, ret_model, err);
  if (status != LPOT_OK) {
    lpot_graph_free(graph);
    lpot_engine_close(engine);
    return status;
  }
  (*ret_model)->engine = engine;
  (*ret_model)->graph = graph;
  return LPOT_OK;
}

void lpot_model_free(lpot_model *model) {
  if (model == NULL) {
    return;
  }
  for (size_t i = 0; i < KEPT_PLANS; i++) {
    lpot_plan_free(model->plans[i].plan);
  }
  lpot_graph_free(model->graph);
  if (model->engine != NULL) {
    lpot_engine_close(model->engine);
  }
  lpot_free(model);
}

/* ---- inputs and outputs ---- */

size_t lpot_model_num_inputs(const lpot_model *model) {
  return model == NULL ? 0 : lpot_graph_num_inputs(model->source.graph);
}

size_t lpot_model_num_outputs(const lpot_model *model) {
  return model == NULL ? 0 : lpot_graph_num_outputs(model->source.graph);
}

static const lpot_value *input_of(const lpot_model *model, size_t index) {
  const lpot_graph *graph = model->source.graph;
  return lpot_graph_value(graph, lpot_graph_input(graph, index));
}

static int describe(const lpot_value *value, lpot_model_value *ret) {
  if (ret == NULL || value->shape.rank > LPOT_COMPONENT_MAX_RANK) {
    return 0;
  }
  *ret = (lpot_model_value){
      .name = value->name, .dtype = lpot_dtype_to_onnx(value->dtype), .rank = value->shape.rank};
  for (int i = 0; i < value->shape.rank; i++) {
    ret->dims[i] = value->shape.dims[i] == LPOT_DIM_UNKNOWN ? -1 : value->shape.dims[i];
  }
  return 1;
}

int lpot_model_get_input(const lpot_model *model, size_t index, lpot_model_value *ret) {
  return index < lpot_model_num_inputs(model) ? describe(input_of(model, index), ret) : 0;
}

int lpot_model_get_output(const lpot_model *model, size_t index, lpot_model_value *ret) {
  if (index >= lpot_model_num_outputs(model)) {
    return 0;
  }
  const lpot_graph *graph = model->source.graph;
  return describe(lpot_graph_value(graph, lpot_graph_output(graph, index)), ret);
}

/* ---- runs ---- */

/* A tensor on the caller's memory that is what the model's input asks for, but for the batch. */
static lpot_status view_input(const lpot_value *expected, int64_t batch,
                              const lpot_component_tensor *given, lpot_tensor **ret_tensor,
                              lpot_error *err) {
  lpot_shape shape = {.rank = given->rank};
  lpot_shape wanted = expected->shape;
  if (given->rank < 0 || given->rank > LPOT_COMPONENT_MAX_RANK || given->data == NULL) {
    return LPOT_FAIL(err, LPOT_INVALID, "input '%s': expected data of 0 to %d axes", expected->name,
                     LPOT_COMPONENT_MAX_RANK);
  }
  for (int i = 0; i < shape.rank; i++) {
    shape.dims[i] = given->dims[i];
  }
  if (wanted.rank >= 1 && wanted.dims[0] == LPOT_DIM_UNKNOWN) {
    wanted.dims[0] = batch;
  }
  if (!lpot_shape_is_known(&wanted)) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "input '%s' has axes beside the batch that the model leaves open: set them in "
                     "the model",
                     expected->name);
  }
  lpot_dtype dtype = lpot_dtype_from_onnx(given->dtype);
  if (dtype != expected->dtype || !lpot_shape_equal(&shape, &wanted)) {
    char given_text[128];
    char wanted_text[128];
    lpot_shape_text(&shape, given_text, sizeof given_text);
    lpot_shape_text(&wanted, wanted_text, sizeof wanted_text);
    return LPOT_FAIL(err, LPOT_INVALID, "input '%s' is %s %s, expected %s %s", expected->name,
                     lpot_dtype_text(dtype), given_text, lpot_dtype_text(expected->dtype),
                     wanted_text);
  }
  lpot_status status =
      lpot_tensor_view(dtype, &shape, given->data, given->size_bytes, NULL, ret_tensor, err);
  if (status == LPOT_FORMAT || (status == LPOT_OK && !lpot_tensor_is_aligned(*ret_tensor))) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "input '%s': %zu bytes do not hold its shape, or are not aligned",
                     expected->name, given->size_bytes);
  }
  return status;
}

/* The batch size that the inputs bring; 1 where the model fixes it. LPOT_INVALID below 1. */
static lpot_status find_batch(const lpot_model *model, const lpot_component_tensor *inputs,
                              int64_t *ret_batch, lpot_error *err) {
  *ret_batch = 1;
  for (size_t i = 0; i < lpot_model_num_inputs(model); i++) {
    const lpot_value *input = input_of(model, i);
    if (input->shape.rank >= 1 && input->shape.dims[0] == LPOT_DIM_UNKNOWN) {
      *ret_batch = inputs[i].rank >= 1 ? inputs[i].dims[0] : 0;
      if (*ret_batch < 1) {
        return LPOT_FAIL(err, LPOT_INVALID, "input '%s': expected a batch of 1 or more",
                         input->name);
      }
      return LPOT_OK;
    }
  }
  return LPOT_OK;
}

static lpot_status compile(const lpot_model *model, int64_t batch, lpot_plan **ret_plan,
                           lpot_error *err) {
  const lpot_user_model_source *source = &model->source;
  lpot_graph *bound = NULL;
  LPOT_TRY(lpot_graph_bind(source->graph, batch, lpot_reference_run, &bound, err));
  lpot_status status = lpot_plan_compile(source->engine, bound, source->plans, ret_plan, err);
  lpot_graph_free(bound);
  return status;
}

static lpot_status find_plan(lpot_model *model, int64_t batch, lpot_plan **ret_plan,
                             lpot_error *err) {
  batch_plan *plans = model->plans;
  size_t index = 0;
  while (index + 1 < KEPT_PLANS && plans[index].batch != batch) {
    index++;
  }
  if (plans[index].batch != batch) {
    lpot_plan_free(plans[index].plan);
    plans[index] = (batch_plan){0};
    LPOT_TRY(compile(model, batch, &plans[index].plan, err));
    plans[index].batch = batch;
  }
  batch_plan found = plans[index];
  for (; index > 0; index--) {
    plans[index] = plans[index - 1];
  }
  plans[0] = found;
  *ret_plan = found.plan;
  return LPOT_OK;
}

/* Keeps what the user is not to blame for. */
static lpot_status run_plan(lpot_model *model, int64_t batch, lpot_tensor *const *inputs,
                            lpot_component_tensor *outputs, lpot_error *err) {
  lpot_plan *plan = NULL;
  LPOT_TRY(find_plan(model, batch, &plan, err));
  LPOT_TRY(lpot_plan_run(plan, (const lpot_tensor *const *)inputs, err));
  for (size_t i = 0; i < lpot_plan_num_outputs(plan); i++) {
    outputs[i] = lpot_plugin_view(lpot_plan_output(plan, i));
  }
  return LPOT_OK;
}

static lpot_status run_views(lpot_model *model, int64_t batch, lpot_tensor *const *inputs,
                             lpot_component_tensor *outputs, lpot_error *err) {
  const lpot_stop *stop = model->source.stop;
  lpot_error error = {0};
  lpot_status status = LPOT_OK;
  if (stop != NULL && stop->requested(stop->context)) {
    status = LPOT_FAIL(&error, LPOT_INTERRUPTED, "the candidate is not wanted any more");
  } else {
    status = run_plan(model, batch, inputs, outputs, &error);
  }
  if (status == LPOT_OK) {
    model->num_runs++;
    return LPOT_OK;
  }
  if (model->failure.status == LPOT_OK) {
    model->failure = error;
  }
  if (err != NULL) {
    *err = error;
  }
  return status;
}

lpot_status lpot_model_run(lpot_model *model, const lpot_component_tensor *inputs,
                           lpot_component_tensor *outputs, lpot_error *err) {
  if (model == NULL || inputs == NULL || outputs == NULL) {
    return LPOT_FAIL(err, LPOT_INVALID, "%s is NULL",
                     model == NULL    ? "model"
                     : inputs == NULL ? "inputs"
                                      : "outputs");
  }
  int64_t batch = 1;
  size_t count = lpot_model_num_inputs(model);
  lpot_tensor *views[MAX_INPUTS] = {NULL};
  LPOT_TRY(find_batch(model, inputs, &batch, err));
  lpot_status status = LPOT_OK;
  for (size_t i = 0; i < count && status == LPOT_OK; i++) {
    status = view_input(input_of(model, i), batch, &inputs[i], &views[i], err);
  }
  if (status == LPOT_OK) {
    status = run_views(model, batch, views, outputs, err);
  }
  for (size_t i = 0; i < count; i++) {
    lpot_tensor_unref(views[i]);
  }
  return status;
}

int64_t lpot_user_model_num_runs(const lpot_model *model) {
  return model->num_runs;
}

lpot_status lpot_user_model_check(const lpot_model *model, lpot_error *err) {
  if (model->failure.status != LPOT_OK && err != NULL) {
    *err = model->failure;
  }
  return model->failure.status;
}
