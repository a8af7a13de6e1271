/* A recipe: for each quantizable op the precision of its activations and weights, and job-level
 * switches. Canonical text (YAML) and a 64-bit hash of that text identify it. */
#ifndef LPOT_QUANT_RECIPE_H
#define LPOT_QUANT_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/reader.h"
#include "base/yaml_tree.h"
#include "quant/corrections.h"
#include "tensor/dtype.h"

typedef enum lpot_scheme { LPOT_SCHEME_SYM, LPOT_SCHEME_ASYM, LPOT_NUM_SCHEMES } lpot_scheme;
typedef enum lpot_granularity {
  LPOT_PER_TENSOR,
  LPOT_PER_CHANNEL,
  LPOT_NUM_GRANULARITIES
} lpot_granularity;
typedef enum lpot_algorithm {
  LPOT_MINMAX,
  LPOT_KL,
  LPOT_PERCENTILE,
  LPOT_MSE,
  LPOT_NUM_ALGORITHMS
} lpot_algorithm;

const char *lpot_scheme_text(lpot_scheme scheme);                /* "sym", "asym" */
const char *lpot_granularity_text(lpot_granularity granularity); /* "per_tensor", "per_channel" */
const char *lpot_algorithm_text(lpot_algorithm algorithm); /* "minmax", "kl", "percentile", "mse" */

typedef struct lpot_tensor_config {
  lpot_dtype dtype; /* U8, S8, or BF16 and F32 = not quantized (the other fields are then 0);
                       UNKNOWN: the op has no such tensor */
  lpot_scheme scheme;
  lpot_granularity granularity;
  lpot_algorithm algorithm;
} lpot_tensor_config;

typedef struct lpot_op_config {
  lpot_tensor_config activation; /* of the op's inputs and of its output */
  lpot_tensor_config weight;     /* UNKNOWN dtype for ops without a constant weight */
} lpot_op_config;

/* Two F32 configs are equal whether or not the op has a weight. */
bool lpot_op_config_equal(const lpot_op_config *a, const lpot_op_config *b);
/* "activation uint8 asym per_tensor minmax; weight int8 sym per_channel minmax"; LPOT_CONFIG_TEXT
 * bytes are enough. */
#define LPOT_CONFIG_TEXT 128
void lpot_op_config_text(const lpot_op_config *config, char *out, size_t out_size);
/* True when the activation is U8 or S8. */
bool lpot_op_config_is_quantized(const lpot_op_config *config);
bool lpot_op_config_is_bf16(const lpot_op_config *config);
/* NULL when config is one that the rewrite understands, else what is wrong with it (static text).
 */
const char *lpot_op_config_problem(const lpot_op_config *config);
/* The same for a recipe of dynamic quantization, whose activations can only be U8, asymmetric,
 * minmax (what DynamicQuantizeLinear does) and whose int8 ops all have a weight. */
const char *lpot_op_config_dynamic_problem(const lpot_op_config *config);
/* Whether ops of an ONNX operator can be bf16: Conv, Gemm and MatMul can. */
bool lpot_op_type_has_bf16(const char *type);
/* The problem of config for an op of this ONNX operator in a recipe of one of the two approaches.
 */
const char *lpot_op_config_problem_for(const char *type, bool dynamic,
                                       const lpot_op_config *config);

typedef struct lpot_recipe {
  size_t num_ops;
  lpot_op_config *ops;           /* [num_ops], in the order of the op list; owned */
  int64_t calibration_samples;   /* sampling size: the first N of the calibration order */
  bool scale_propagation_concat; /* inputs and output of an int8 Concat share one scale */
  bool dynamic; /* activations are quantized by the range that they have at run time: there is no
                   calibration, and the two fields above are 0 */
  bool reduce_range; /* weights of ops with U8 activations lie in [-63, 63]: then no processor
                        saturates */
  lpot_corrections corrections; /* none where dynamic */
} lpot_recipe;

LPOT_MUST_CHECK lpot_status lpot_recipe_new(size_t num_ops, lpot_recipe **ret_recipe,
                                            lpot_error *err); /* all F32 */
LPOT_MUST_CHECK lpot_status lpot_recipe_clone(const lpot_recipe *recipe, lpot_recipe **ret_recipe,
                                              lpot_error *err);
/* What an exported model computes: bf16 ops are F32, since ONNX Runtime's CPU provider runs no bf16
 * Conv. */
LPOT_MUST_CHECK lpot_status lpot_recipe_exported(const lpot_recipe *recipe,
                                                 lpot_recipe **ret_recipe, lpot_error *err);
void lpot_recipe_free(lpot_recipe *recipe);

/* Hash of the canonical bytes (ops in order, names excluded: the model digest is kept beside it).
 */
uint64_t lpot_recipe_hash(const lpot_recipe *recipe);
/* That of lpot_recipe_exported's recipe. */
uint64_t lpot_recipe_exported_hash(const lpot_recipe *recipe);
size_t lpot_recipe_num_quantized(const lpot_recipe *recipe);
size_t lpot_recipe_num_bf16(const lpot_recipe *recipe);

/* Canonical YAML with op names. names and types have num_ops entries. */
LPOT_MUST_CHECK lpot_status lpot_recipe_to_text(const lpot_recipe *recipe, const char *const *names,
                                                const char *const *types, lpot_buffer *out,
                                                lpot_error *err);
/* Whether such a file is of dynamic quantization: its ops are other ones than those of static
 * quantization. */
LPOT_MUST_CHECK lpot_status lpot_recipe_yaml_is_dynamic(const lpot_yaml_node *root,
                                                        bool *ret_dynamic, lpot_error *err);
/* Reads such a file; unknown op names, missing ops and bad values are LPOT_CONFIG with their place.
 */
LPOT_MUST_CHECK lpot_status lpot_recipe_from_yaml(const lpot_yaml_node *root,
                                                  const char *const *names,
                                                  const char *const *types, size_t num_ops,
                                                  lpot_recipe **ret_recipe, lpot_error *err);
/* Binary form for messages and the journal; reading checks every field. */
LPOT_MUST_CHECK lpot_status lpot_recipe_write(const lpot_recipe *recipe, lpot_buffer *out,
                                              lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_recipe_read(lpot_reader *reader, lpot_recipe **ret_recipe,
                                             lpot_error *err);

#endif
