/* What an engine implements. Internal to the engine floor. */
#ifndef LPOT_ENGINE_ENGINE_IMPL_H
#define LPOT_ENGINE_ENGINE_IMPL_H

#include "engine/engine.h"

typedef struct lpot_engine_methods {
  const char *name;
  const char *(*version)(void);
  const char *(*isa)(void);
  lpot_status (*open)(void **ret_state, lpot_error *err); /* (optional) */
  void (*close)(void *state);                             /* (optional) */
  void (*use_threads)(int count);                         /* (optional) */
  lpot_status (*compile)(void *state, const lpot_graph *graph, const lpot_plan_options *options,
                         void **ret_plan, lpot_error *err);
  void (*free_plan)(void *plan);
  lpot_status (*run)(void *plan, const lpot_tensor *const *inputs, lpot_error *err);
  size_t (*num_outputs)(const void *plan);
  const lpot_tensor *(*output)(const void *plan, size_t index);
  void (*get_stats)(const void *plan, lpot_plan_stats *ret_stats);
  lpot_plan_step (*get_step)(const void *plan, size_t index);
} lpot_engine_methods;

extern const lpot_engine_methods lpot_reference_engine;
extern const lpot_engine_methods lpot_onednn_engine;

#endif
