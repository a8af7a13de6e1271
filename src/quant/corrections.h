/* Job-level switches of a recipe that change what a model's constants are, to save accuracy. */
#ifndef LPOT_QUANT_CORRECTIONS_H
#define LPOT_QUANT_CORRECTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/yaml_tree.h"

typedef struct lpot_corrections {
  bool bias_correction;          /* the mean error of an int8 op's output is taken off its bias */
  bool cross_layer_equalization; /* channels between two layers are scaled to equal ranges */
} lpot_corrections;

typedef enum lpot_correction {
  LPOT_BIAS_CORRECTION,
  LPOT_CROSS_LAYER_EQUALIZATION,
  LPOT_NUM_CORRECTIONS
} lpot_correction;

/* Their keys in recipes and configurations. */
#define LPOT_CORRECTION_KEYS "bias_correction", "cross_layer_equalization"

const char *lpot_correction_text(lpot_correction correction);
bool *lpot_correction_of(lpot_corrections *corrections, lpot_correction correction);
bool lpot_corrections_equal(const lpot_corrections *a, const lpot_corrections *b);
bool lpot_corrections_any(const lpot_corrections *corrections);

/* Bit i is correction number i. */
unsigned lpot_corrections_bits(const lpot_corrections *corrections);
lpot_corrections lpot_corrections_of_bits(unsigned bits);

/* "bias_correction, cross_layer_equalization"; "none". */
#define LPOT_CORRECTIONS_TEXT 128
void lpot_corrections_text(const lpot_corrections *corrections, char out[LPOT_CORRECTIONS_TEXT]);

/* The YAML form in a recipe: a line "bias_correction: true" for each that is on. */
LPOT_MUST_CHECK lpot_status lpot_corrections_write(const lpot_corrections *corrections,
                                                   lpot_buffer *out, lpot_error *err);
/* What a map says of them; those without a key are off. */
LPOT_MUST_CHECK lpot_status lpot_corrections_from_yaml(const lpot_yaml_node *map,
                                                       lpot_corrections *ret, lpot_error *err);

#endif
