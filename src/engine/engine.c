#include "engine/engine.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "engine/cpu_model.h"
#include "engine/engine_impl.h"

struct lpot_engine {
  const lpot_engine_methods *methods;
  void *state;
  char numeric_class[192];
};

typedef struct input_type {
  lpot_dtype dtype;
  lpot_shape shape;
} input_type;

struct lpot_plan {
  const lpot_engine_methods *methods;
  void *impl;
  size_t num_inputs;
  input_type *inputs; /* [num_inputs] what a run must bring */
};

static const lpot_engine_methods *const engines[] = {&lpot_onednn_engine, &lpot_reference_engine};

#define NUM_ENGINES (sizeof engines / sizeof engines[0])

static const lpot_engine_methods *find_engine(const char *name) {
  for (size_t i = 0; i < NUM_ENGINES; ++i) {
    if (lpot_text_equal(engines[i]->name, name)) {
      return engines[i];
    }
  }
  return NULL;
}

lpot_status lpot_engine_check_name(const char *name, lpot_error *err) {
  const char *names[NUM_ENGINES + 1] = {NULL};
  for (size_t i = 0; i < NUM_ENGINES; i++) {
    names[i] = engines[i]->name;
  }
  if (find_engine(name) != NULL) {
    return LPOT_OK;
  }
  const char *nearest = lpot_text_nearest(name, names);
  return LPOT_FAIL(err, LPOT_INVALID, "engine '%s' is unknown, expected onednn or reference%s%s%s",
                   name, nearest == NULL ? "" : " (did you mean '", nearest == NULL ? "" : nearest,
                   nearest == NULL ? "" : "'?)");
}

lpot_status lpot_engine_open(const char *name, lpot_engine **ret_engine, lpot_error *err) {
  LPOT_TRY(lpot_engine_check_name(name, err));
  const lpot_engine_methods *methods = find_engine(name);
  lpot_engine *engine = lpot_calloc(1, sizeof *engine);
  if (engine == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  engine->methods = methods;
  if (methods->open != NULL) {
    lpot_status status = methods->open(&engine->state, err);
    if (status != LPOT_OK) {
      lpot_free(engine);
      return status;
    }
  }
  char cpu[96];
  lpot_cpu_model(cpu, sizeof cpu);
  (void)snprintf(engine->numeric_class, sizeof engine->numeric_class, "%s | %s | %s", cpu,
                 methods->version(), methods->isa());
  *ret_engine = engine;
  return LPOT_OK;
}

void lpot_engine_close(lpot_engine *engine) {
  if (engine == NULL) {
    return;
  }
  if (engine->methods->close != NULL) {
    engine->methods->close(engine->state);
  }
  lpot_free(engine);
}

const char *lpot_engine_name(const lpot_engine *engine) {
  return engine->methods->name;
}

const char *lpot_engine_version(const lpot_engine *engine) {
  return engine->methods->version();
}

const char *lpot_engine_numeric_class(const lpot_engine *engine) {
  return engine->numeric_class;
}

static lpot_status keep_input_types(const lpot_graph *graph, lpot_plan *plan, lpot_error *err) {
  plan->num_inputs = lpot_graph_num_inputs(graph);
  plan->inputs = lpot_calloc(plan->num_inputs, sizeof *plan->inputs);
  if (plan->inputs == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < plan->num_inputs; i++) {
    const lpot_value *input = lpot_graph_value(graph, lpot_graph_input(graph, i));
    plan->inputs[i] = (input_type){input->dtype, input->shape};
  }
  return LPOT_OK;
}

void lpot_engine_use_threads(lpot_engine *engine, int count) {
  if (engine->methods->use_threads != NULL) {
    engine->methods->use_threads(count);
  }
}

lpot_status lpot_plan_compile(lpot_engine *engine, const lpot_graph *graph,
                              const lpot_plan_options *options, lpot_plan **ret_plan,
                              lpot_error *err) {
  static const lpot_plan_options none = {0};
  lpot_plan *plan = lpot_calloc(1, sizeof *plan);
  if (plan == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  plan->methods = engine->methods;
  lpot_status status = keep_input_types(graph, plan, err);
  if (status == LPOT_OK) {
    status = engine->methods->compile(engine->state, graph, options != NULL ? options : &none,
                                      &plan->impl, err);
  }
  if (status != LPOT_OK) {
    lpot_free(plan->inputs);
    lpot_free(plan);
    return status;
  }
  *ret_plan = plan;
  return LPOT_OK;
}

void lpot_plan_free(lpot_plan *plan) {
  if (plan == NULL) {
    return;
  }
  plan->methods->free_plan(plan->impl);
  lpot_free(plan->inputs);
  lpot_free(plan);
}

/* Kernels trust the sizes that they were compiled for. */
static lpot_status check_input(const input_type *wanted, const lpot_tensor *given, size_t index,
                               lpot_error *err) {
  if (given != NULL && given->dtype == wanted->dtype &&
      lpot_shape_equal(&given->shape, &wanted->shape)) {
    return LPOT_OK;
  }
  char expected[96];
  char found[96];
  const char *type = lpot_dtype_text(wanted->dtype);
  lpot_shape_text(&wanted->shape, expected, sizeof expected);
  if (given == NULL) {
    return LPOT_FAIL(err, LPOT_INVALID, "input %zu is missing, expected %s %s", index, type,
                     expected);
  }
  lpot_shape_text(&given->shape, found, sizeof found);
  return LPOT_FAIL(err, LPOT_INVALID, "input %zu is %s %s, expected %s %s", index,
                   lpot_dtype_text(given->dtype), found, type, expected);
}

/* names ends with NULL. */
static bool isa_is_among(const lpot_engine *engine, const char *const *names) {
  const char *isa = engine->methods->isa();
  for (size_t i = 0; names[i] != NULL; i++) {
    if (strcmp(isa, names[i]) == 0) {
      return true;
    }
  }
  return false;
}

bool lpot_engine_saturates(const lpot_engine *engine) {
  static const char *const without_vnni[] = {"sse41", "avx", "avx2", "avx512_core", NULL};
  return engine->methods == &lpot_onednn_engine && isa_is_among(engine, without_vnni);
}

bool lpot_engine_has_bf16(const lpot_engine *engine) {
  static const char *const without_bf16[] = {
      "sse41", "avx", "avx2", "avx2_vnni", "avx512_core", "avx512_core_vnni", NULL};
  return engine->methods != &lpot_onednn_engine || !isa_is_among(engine, without_bf16);
}

lpot_status lpot_plan_run(lpot_plan *plan, const lpot_tensor *const *inputs, lpot_error *err) {
  for (size_t i = 0; i < plan->num_inputs; i++) {
    LPOT_TRY(check_input(&plan->inputs[i], inputs[i], i, err));
  }
  lpot_status status = plan->methods->run(plan->impl, inputs, err);
  return status;
}

size_t lpot_plan_num_outputs(const lpot_plan *plan) {
  return plan->methods->num_outputs(plan->impl);
}

const lpot_tensor *lpot_plan_output(const lpot_plan *plan, size_t index) {
  return plan->methods->output(plan->impl, index);
}

void lpot_plan_get_stats(const lpot_plan *plan, lpot_plan_stats *ret_stats) {
  plan->methods->get_stats(plan->impl, ret_stats);
}

lpot_plan_step lpot_plan_get_step(const lpot_plan *plan, size_t index) {
  return plan->methods->get_step(plan->impl, index);
}
