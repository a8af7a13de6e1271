/* The table of what each op costs in each precision. Pure: the table itself, its encoding for
 * messages and the journal, and its YAML form (op_times_text.c), which --cost-table reads. */
#ifndef LPOT_TUNE_OP_TIMES_RECORD_H
#define LPOT_TUNE_OP_TIMES_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/reader.h"
#include "base/yaml_tree.h"
#include "strategy/costs.h"

#define LPOT_HOST_SIZE 64
#define LPOT_CLASS_SIZE 256
#define LPOT_NUM_COST_COLUMNS 8

typedef enum lpot_precision {
  LPOT_PRECISION_F32,
  LPOT_PRECISION_INT8,
  LPOT_PRECISION_BF16,
  LPOT_NUM_PRECISIONS
} lpot_precision;

const char *lpot_precision_text(lpot_precision precision); /* "f32", "int8", "bf16" */

/* A column of the table. */
typedef struct lpot_cost_column {
  const char *name; /* of the member of lpot_op_cost */
  size_t offset;
} lpot_cost_column;

extern const lpot_cost_column lpot_cost_columns[LPOT_NUM_COST_COLUMNS];

/* Times are microseconds for one sample, NaN where not known. Those of a precision come from one
 * plan in which everything that can has that precision: the times of the ops and rest_us together
 * are about whole_us. */
typedef struct lpot_op_times {
  size_t num_ops;
  lpot_op_cost *ops;                    /* [num_ops], in the order of the op list; owned */
  double whole_us[LPOT_NUM_PRECISIONS]; /* of the plan */
  double rest_us[LPOT_NUM_PRECISIONS];  /* of steps that belong to no op: what cannot have that
                                          precision, changes of layout, conversions */
  int64_t batch;                        /* samples of one run */
  uint64_t rounds;                      /* timed runs of each plan that were not disturbed */
  double seconds;                       /* that measuring took */
  bool trusted;
  char reason[LPOT_CLASS_SIZE]; /* why it is not trusted; empty when it is */
  char cores[64];               /* that were pinned */
  char host[LPOT_HOST_SIZE];
  char numeric_class[LPOT_CLASS_SIZE];
} lpot_op_times;

/* All times NaN. */
LPOT_MUST_CHECK lpot_status lpot_op_times_init(lpot_op_times *times, size_t num_ops,
                                               lpot_error *err);
/* Frees the ops and empties it. */
void lpot_op_times_done(lpot_op_times *times);

LPOT_MUST_CHECK lpot_status lpot_op_times_write(const lpot_op_times *times, lpot_buffer *out,
                                                lpot_error *err);
/* LPOT_FORMAT, also for times that are negative or infinite; *ret is owned (lpot_op_times_done). */
LPOT_MUST_CHECK lpot_status lpot_op_times_read(lpot_reader *reader, lpot_op_times *ret,
                                               lpot_error *err);

/* ---- op_times_text.c ---- */

/* The YAML form, which reads back to the same table. names and types [num_ops]. */
LPOT_MUST_CHECK lpot_status lpot_op_times_to_text(const lpot_op_times *times,
                                                  const char *const *names,
                                                  const char *const *types, lpot_buffer *out,
                                                  lpot_error *err);
/* Reads it; in any order, and what is left out is not known. Every op needs f32_us. LPOT_CONFIG
 * with its place; *ret is owned. */
LPOT_MUST_CHECK lpot_status lpot_op_times_from_yaml(const lpot_yaml_node *root,
                                                    const char *const *names,
                                                    const char *const *types, size_t num_ops,
                                                    lpot_op_times *ret, lpot_error *err);

#endif
