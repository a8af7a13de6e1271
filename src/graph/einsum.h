/* The equation of an Einsum node, resolved for the shapes of its inputs:
 *
 *   equation = terms [ "->" term ]     terms = term { "," term }
 *   term     = { letter | "..." }      at most one "..."; blanks are ignored
 *
 * A letter names a dimension; "..." stands for any number of further ones, which are broadcast.
 * Without "->" the result has those of "...", then the letters that occur once, alphabetically. */
#ifndef LPOT_GRAPH_EINSUM_H
#define LPOT_GRAPH_EINSUM_H

#include "base/error.h"
#include "tensor/shape.h"

#define LPOT_EINSUM_MAX_INPUTS 8
#define LPOT_EINSUM_MAX_LABELS (LPOT_EINSUM_MAX_INPUTS * LPOT_MAX_RANK)

/* A label is a dimension of the loops that compute the result. */
typedef struct lpot_einsum {
  int num_inputs;
  int num_labels;
  int num_output;                       /* labels 0 to num_output - 1 are the result's */
  int64_t dims[LPOT_EINSUM_MAX_LABELS]; /* [num_labels], LPOT_DIM_UNKNOWN where unknown */
  int of_input[LPOT_EINSUM_MAX_INPUTS][LPOT_MAX_RANK]; /* the label of each input dimension */
} lpot_einsum;

/* The ranks of all shapes are known. LPOT_FORMAT when the equation is malformed or does not fit,
 * LPOT_UNSUPPORTED for more inputs or dimensions than we take. */
LPOT_MUST_CHECK lpot_status lpot_einsum_resolve(const char *equation,
                                                const lpot_shape *const *shapes, int num_inputs,
                                                lpot_einsum *ret_einsum, lpot_error *err);

#endif
