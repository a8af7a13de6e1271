/* Engines compile a bound graph (all shapes known) into a plan and run it.
 *
 * A graph with QuantizeLinear and DequantizeLinear nodes is the semantics of an int8 recipe: the
 * reference engine executes it node by node, the oneDNN engine fuses it into int8 primitives. */
#ifndef LPOT_ENGINE_ENGINE_H
#define LPOT_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "graph/graph.h"
#include "tensor/tensor.h"

typedef struct lpot_engine lpot_engine;
typedef struct lpot_plan lpot_plan;

/* Called after a value is computed: count f32 elements of the graph's value, in the order of its
 * shape. */
typedef lpot_status (*lpot_observe_function)(void *context, lpot_value_id value,
                                             const float *elements, int64_t count, lpot_error *err);

typedef struct lpot_plan_options {
  const bool *observed;          /* [lpot_graph_num_values] values to show; NULL for none */
  lpot_observe_function observe; /* NULL when observed is NULL */
  void *observe_context;         /* borrowed for the plan's life */
  bool profile;                  /* measure each step's time */
  bool share_weights; /* large packed weights lie once on a node for all processes that ask for it
                         (lpot_tensor_share), wherever that is on the node: not for plans that are
                         timed */
} lpot_plan_options;

/* One step of a compiled plan, for reports. Strings are borrowed from the plan. */
typedef struct lpot_plan_step {
  const char *name; /* of the node that gives the step its name */
  const char *kind; /* "conv+sum+relu", "reorder", "copy" ... */
  const char
      *implementation; /* oneDNN's implementation name, "lpot" for our own kernels, "reference" */
  lpot_dtype input_dtype;
  lpot_dtype output_dtype;
  double seconds;      /* mean time per run so far; 0 unless options.profile */
  double last_seconds; /* of the last run; 0 unless options.profile */
} lpot_plan_step;

typedef struct lpot_plan_stats {
  size_t num_steps;
  size_t arena_bytes;      /* activations, after planning */
  size_t activation_bytes; /* the same without reuse */
  size_t weight_bytes;     /* packed weights */
  size_t
      num_reference_steps; /* hot operators that run a "ref" implementation or a reference kernel */
} lpot_plan_stats;

/* LPOT_INVALID, with the nearest name, unless name is "onednn" or "reference". */
LPOT_MUST_CHECK lpot_status lpot_engine_check_name(const char *name, lpot_error *err);
/* LPOT_INVALID for a name as above. Engines are stateless apart from caches of
 * kernels; one thread at a time. */
LPOT_MUST_CHECK lpot_status lpot_engine_open(const char *name, lpot_engine **ret_engine,
                                             lpot_error *err);
void lpot_engine_close(lpot_engine *engine);
const char *lpot_engine_name(const lpot_engine *engine);
/* "oneDNN 2.6.3"; borrowed, static. */
const char *lpot_engine_version(const lpot_engine *engine);
/* Numeric class of this machine with this engine: "<cpu model family> | <library version> | <isa>".
 * Results of one class are bit equal. Borrowed from the engine. */
const char *lpot_engine_numeric_class(const lpot_engine *engine);

/* True on a processor without the VNNI instructions, where oneDNN adds two products of u8 and s8 in
 * 16 bits: large weights beside large activations saturate, and int8 results are less accurate than
 * anywhere else. */
bool lpot_engine_saturates(const lpot_engine *engine);

/* True where bf16 products run as such. Elsewhere they run in f32 or by the reference kernels:
 * right, but nothing is gained. */
bool lpot_engine_has_bf16(const lpot_engine *engine);

/* Lets the plans that are compiled from now on compute with up to count threads of this process
 * where the library can; an engine begins with one. Results of different counts may differ in their
 * last bits. */
void lpot_engine_use_threads(lpot_engine *engine, int count);

/* graph must be bound (graph/infer.h); it is not kept, its constants are referenced. options may be
 * NULL. The engine must outlive the plan. LPOT_UNSUPPORTED names the node. */
LPOT_MUST_CHECK lpot_status lpot_plan_compile(lpot_engine *engine, const lpot_graph *graph,
                                              const lpot_plan_options *options,
                                              lpot_plan **ret_plan, lpot_error *err);
void lpot_plan_free(lpot_plan *plan);
/* inputs [lpot_graph_num_inputs] row-major, of the types and shapes of the graph's inputs, else
 * LPOT_INVALID; borrowed for the call. oneDNN's Relu and Exp do not pass NaN on as the reference
 * engine's do: NaN in the middle of a network may be gone at its end. */
LPOT_MUST_CHECK lpot_status lpot_plan_run(lpot_plan *plan, const lpot_tensor *const *inputs,
                                          lpot_error *err);
/* Row-major results of the last run, in graph output order; borrowed, overwritten by the next run.
 */
size_t lpot_plan_num_outputs(const lpot_plan *plan);
const lpot_tensor *lpot_plan_output(const lpot_plan *plan, size_t index);

void lpot_plan_get_stats(const lpot_plan *plan, lpot_plan_stats *ret_stats);
/* index < num_steps */
lpot_plan_step lpot_plan_get_step(const lpot_plan *plan, size_t index);

#endif
