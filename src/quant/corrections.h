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
  uint8_t smooth_quant; /* hundredths, 1 to 100: how much of the range of activations goes into the
                           weights; 0: off */
} lpot_corrections;

/* The switches that are on or off. */
typedef enum lpot_correction {
  LPOT_BIAS_CORRECTION,
  LPOT_CROSS_LAYER_EQUALIZATION,
  LPOT_NUM_CORRECTIONS
} lpot_correction;

/* Their keys in recipes and configurations, then "smooth_quant". */
#define LPOT_CORRECTION_KEYS "bias_correction", "cross_layer_equalization", "smooth_quant"

const char *lpot_correction_text(lpot_correction correction);
bool *lpot_correction_of(lpot_corrections *corrections, lpot_correction correction);
bool lpot_corrections_equal(const lpot_corrections *a, const lpot_corrections *b);
bool lpot_corrections_any(const lpot_corrections *corrections);

/* One bit each from bit 0 on, in the order of the struct; smooth_quant's says that it is on. */
#define LPOT_CORRECTION_BITS 3
#define LPOT_SMOOTH_QUANT_BIT 4u
unsigned lpot_corrections_bits(const lpot_corrections *corrections);
/* All but the amount of smooth_quant, which stays 0. */
lpot_corrections lpot_corrections_of_bits(unsigned bits);

/* "0.50" */
#define LPOT_SMOOTH_QUANT_TEXT 8
void lpot_smooth_quant_text(int hundredths, char out[LPOT_SMOOTH_QUANT_TEXT]);
/* 0 to 1 with at most two decimals, else LPOT_CONFIG at the place of node. */
LPOT_MUST_CHECK lpot_status lpot_smooth_quant_of(const lpot_yaml_node *node, double alpha,
                                                 int *ret_hundredths, lpot_error *err);

/* "bias_correction, smooth_quant 0.50"; "none". */
#define LPOT_CORRECTIONS_TEXT 128
void lpot_corrections_text(const lpot_corrections *corrections, char out[LPOT_CORRECTIONS_TEXT]);

/* The YAML form in a recipe: a line "bias_correction: true" or "smooth_quant: 0.50" for each that
 * is on. */
LPOT_MUST_CHECK lpot_status lpot_corrections_write(const lpot_corrections *corrections,
                                                   lpot_buffer *out, lpot_error *err);
/* What a map says of them; those without a key are off. */
LPOT_MUST_CHECK lpot_status lpot_corrections_from_yaml(const lpot_yaml_node *map,
                                                       lpot_corrections *ret, lpot_error *err);

#endif
