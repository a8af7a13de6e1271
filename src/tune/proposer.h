/* A user's program as the proposer of the strategy external: JSON objects, one a line. configs/
 * README.md has the protocol.
 *
 *   to it    the space, the criterion, and the trials of an earlier run
 *   from it  {"recipe": [index of each op's configuration], "sampling": index, "corrections":
 *            index} or {"stop": true}
 *   to it    {"id": ..., "valid": ..., "accuracy": ..., "samples": ..., "meets": ..., "speedup":
 * ...}
 *
 * The program is started with the first proposal. Not collective. */
#ifndef LPOT_TUNE_PROPOSER_H
#define LPOT_TUNE_PROPOSER_H

#include "strategy/strategy.h"
#include "tune/config.h"
#include "tune/program.h"

typedef struct lpot_program_proposer lpot_program_proposer;

/* All pointers are borrowed for the proposer's life; options as for the strategy; idle: program.h.
 */
LPOT_MUST_CHECK lpot_status lpot_program_proposer_new(
    const lpot_config *config, const lpot_space *space, const lpot_strategy_options *options,
    lpot_program_idle idle, void *context, lpot_program_proposer **ret_proposer, lpot_error *err);
void lpot_program_proposer_free(lpot_program_proposer *proposer); /* NULL is allowed */
/* For the strategy; lives as long as proposer. */
const lpot_proposer *lpot_program_proposer_interface(const lpot_program_proposer *proposer);

#endif
