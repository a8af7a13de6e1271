/* The evaluation of one recipe (or of f32) in blocks that several workers may share. Pure: what
 * comes out depends on the blocks' results in block order only, never on who brought them or when.
 * Not collective. */
#ifndef LPOT_TUNE_EVALUATION_H
#define LPOT_TUNE_EVALUATION_H

#include "tune/protocol.h"

/* How an evaluation set, or a part of it, is cut: by configuration alone. */
typedef struct lpot_blocks {
  int64_t first_sample; /* of the evaluation order; a multiple of the batch size */
  int64_t num_samples;
  int64_t block_samples; /* of every block but the last */
  int64_t num_blocks;
} lpot_blocks;

/* How an evaluation ended. */
typedef enum lpot_ending {
  LPOT_ENDING_OPEN,   /* it has not */
  LPOT_ENDING_WHOLE,  /* all blocks are there */
  LPOT_ENDING_LOST,   /* the race was lost after `prefix` blocks */
  LPOT_ENDING_BAD,    /* predictions of block prefix - 1 are NaN or infinite (never f32's) */
  LPOT_ENDING_FAILED, /* block number `prefix` failed */
  LPOT_ENDING_BROKEN  /* too many attempts crashed or did not answer */
} lpot_ending;

/* What went wrong with an attempt that brought no answer. */
typedef enum lpot_breakage {
  LPOT_BREAKAGE_CRASH,   /* the process that did it died */
  LPOT_BREAKAGE_TIMEOUT, /* it did not answer in time and was ended */
  LPOT_BREAKAGE_LOSS     /* its worker was lost */
} lpot_breakage;

typedef struct lpot_evaluation {
  /* First what is looked at in all of them, again and again: it is in one cache line. */
  lpot_ending ending;
  unsigned dealt;      /* pieces that workers have now */
  int64_t num_free;    /* blocks that nobody has and that may be needed */
  size_t avoid;        /* worker that it crashed on; SIZE_MAX: none */
  lpot_recipe *recipe; /* owned; NULL: f32 */
  uint64_t hash;       /* of the recipe, 0 for f32 */
  lpot_blocks blocks;
  bool senses; /* outputs are compared with f32's (sense.h); set before the first block is dealt */
  bool held_out; /* blocks are those of the part held out (holdout.h); set like senses */
  bool raced;
  lpot_race_terms terms;     /* raced */
  const uint8_t *baseline;   /* raced: what f32 gets right; borrowed */
  int64_t prefix;            /* blocks that are done, counted from the first on without a gap */
  lpot_race race;            /* of these blocks */
  uint8_t *places;           /* [num_blocks] what each block is: see evaluation.c */
  lpot_metric_state *states; /* [num_blocks] of those that are done */
  uint8_t *correct;          /* bits [num_samples] of those that are done */
  bool has_correct;          /* the metric tells right from wrong */
  int64_t failed_block;      /* the first that is known to fail; num_blocks: none */
  char cause[LPOT_CAUSE_SIZE];
  unsigned attempts;      /* that crashed or did not answer */
  unsigned losses;        /* workers that were lost with a piece of it */
  lpot_breakage breakage; /* what the last of them was */
  double seconds;         /* of work, all workers added up */
  size_t first_worker;    /* that brought block 0; SIZE_MAX: not yet */
} lpot_evaluation;

/* recipe (may be NULL) is copied. */
LPOT_MUST_CHECK lpot_status lpot_evaluation_new(const lpot_recipe *recipe,
                                                const lpot_blocks *blocks,
                                                lpot_evaluation **ret_evaluation, lpot_error *err);
void lpot_evaluation_free(lpot_evaluation *evaluation); /* NULL is allowed */
/* To be called before the first block is dealt; baseline is borrowed. */
void lpot_evaluation_race(lpot_evaluation *evaluation, const lpot_race_terms *terms,
                          const uint8_t *baseline);

/* Blocks that nobody has. */
int64_t lpot_evaluation_num_free(const lpot_evaluation *evaluation);
/* Deals the first free blocks, at most max_count in a row, as task (initialised; its id is the
 * caller's; its recipe is borrowed from evaluation). count 0: none is free. */
LPOT_MUST_CHECK lpot_status lpot_evaluation_deal(lpot_evaluation *evaluation, int64_t max_count,
                                                 lpot_task *task, lpot_error *err);
/* Makes those blocks of [first, first + count) free again that are dealt and not done. */
void lpot_evaluation_return(lpot_evaluation *evaluation, int64_t first, int64_t count);
/* Notes an attempt that brought no answer, and ends the evaluation when there were more than
 * allowed (a loss says less against a recipe than a crash). */
void lpot_evaluation_blame(lpot_evaluation *evaluation, size_t worker, lpot_breakage breakage,
                           const char *cause);
/* Takes what an outcome brings: finished blocks, and the failure of the next one. Blocks that are
 * there already are ignored; the states of the others are moved out of the outcome. LPOT_FORMAT for
 * blocks that there cannot be. */
LPOT_MUST_CHECK lpot_status lpot_evaluation_add(lpot_evaluation *evaluation, size_t worker,
                                                lpot_outcome *outcome, lpot_error *err);
/* The states of the first `prefix` blocks, merged in block order; the caller is done with it. */
LPOT_MUST_CHECK lpot_status lpot_evaluation_total(const lpot_evaluation *evaluation,
                                                  const lpot_metric *metric,
                                                  lpot_metric_state *ret_total, lpot_error *err);
/* Samples of the first `prefix` blocks without one that is BAD: their bits are worth keeping. */
int64_t lpot_evaluation_num_good(const lpot_evaluation *evaluation);

/* The race over the first num_bits bits of an evaluation, whole blocks: *ret_blocks is after how
 * many of them it would have been lost, num_blocks + 1 when it would not. */
void lpot_race_replay(const lpot_blocks *blocks, const lpot_race_terms *terms,
                      const uint8_t *baseline, const uint8_t *correct, size_t num_bits,
                      int64_t *ret_blocks, lpot_race *ret_race);

#endif
