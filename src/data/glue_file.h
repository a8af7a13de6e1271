/* The tab separated files of the GLUE benchmark (Wang et al. 2018), a table of its tasks.
 *
 * A file has a line per sample, columns between tabs, no quoting; a byte order mark is passed over,
 * and so are lines without a character; all but CoLA's begin with a line of names. */
#ifndef LPOT_DATA_GLUE_FILE_H
#define LPOT_DATA_GLUE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/yaml_tree.h"

#define LPOT_MAX_GLUE_LABELS 3

typedef enum lpot_glue_value {
  LPOT_GLUE_ACCURACY,
  LPOT_GLUE_F1,          /* of class 1 */
  LPOT_GLUE_MATTHEWS,    /* correlation coefficient */
  LPOT_GLUE_CORRELATION, /* mean of Pearson's and Spearman's */
  LPOT_NUM_GLUE_VALUES
} lpot_glue_value;

typedef struct lpot_glue_task {
  const char *name;
  const char *dev_file;                         /* which is evaluated */
  int first, second;                            /* columns of the texts; second -1: there is one */
  int label;                                    /* column; -1: the last */
  bool has_names;                               /* the first line names the columns */
  bool skips_short;                             /* lines with too few columns are left out */
  const char *labels[LPOT_MAX_GLUE_LABELS + 1]; /* by class, NULL terminated; none: a number */
  lpot_glue_value value;                        /* what the metric is */
} lpot_glue_task;

typedef struct lpot_glue_row {
  const char *first, *second; /* borrowed, not terminated; second NULL: there is none */
  size_t first_size, second_size;
  double label; /* class or number */
  size_t line;  /* from 1 */
} lpot_glue_row;

/* The task that node names, in lower case as in LPOT ("sts-b"). */
LPOT_MUST_CHECK lpot_status lpot_glue_task_read(const lpot_yaml_node *node,
                                                const lpot_glue_task **ret_task, lpot_error *err);
/* Number of classes; 0: labels are numbers. */
int64_t lpot_glue_num_classes(const lpot_glue_task *task);

/* The rows of a file of task, which borrow from text; owned by the caller (lpot_free).
 * LPOT_FORMAT naming the line where a column is missing or a label is none of the task's. */
LPOT_MUST_CHECK lpot_status lpot_glue_file_read(const lpot_glue_task *task, const char *text,
                                                size_t size, lpot_glue_row **ret_rows,
                                                size_t *ret_count, size_t *ret_skipped,
                                                lpot_error *err);

#endif
