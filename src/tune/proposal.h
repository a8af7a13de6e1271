/* A line that a user's program proposes with (proposer.h). Pure.
 *
 *   {"recipe": [index of each op's configuration], "sampling": index, "corrections": index}
 *   {"stop": true}
 *
 * Keys in any order, none twice; an index that is not there is 0. */
#ifndef LPOT_TUNE_PROPOSAL_H
#define LPOT_TUNE_PROPOSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct lpot_proposal {
  bool stop;
  int64_t sampling, corrections; /* as they stand there: their range is not checked */
} lpot_proposal;

/* ret_indices [num_ops] is the recipe, unless ret->stop. LPOT_FORMAT names the key, or says that
 * the line is no JSON. */
LPOT_MUST_CHECK lpot_status lpot_proposal_read(const char *text, size_t size, size_t num_ops,
                                               int64_t *ret_indices, lpot_proposal *ret,
                                               lpot_error *err);

#endif
