/* What a search is for, and what a trial costs by it. Pure. */
#ifndef LPOT_TUNE_OBJECTIVE_H
#define LPOT_TUNE_OBJECTIVE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum lpot_objective {
  LPOT_OBJECTIVE_PERFORMANCE, /* latency */
  LPOT_OBJECTIVE_MODELSIZE,   /* bytes of the exported model */
  LPOT_OBJECTIVE_FOOTPRINT,   /* memory while it runs */
  LPOT_OBJECTIVE_ACCURACY,
  LPOT_NUM_OBJECTIVES
} lpot_objective;

/* Weights, each at least 0 and one of them above; only their ratios count. A single objective is
 * the only one with a weight. */
typedef struct lpot_objectives {
  double weights[LPOT_NUM_OBJECTIVES];
} lpot_objectives;

/* A figure as an interval, its ends equal where it is exact; both NaN where it is not known. Less
 * is better. */
typedef struct lpot_figure {
  double low, high;
} lpot_figure;

/* As it is written in a configuration. */
const char *lpot_objective_text(lpot_objective objective);
lpot_objectives lpot_objectives_of(lpot_objective objective);
/* True when no other one has a weight. */
bool lpot_objectives_are(const lpot_objectives *objectives, lpot_objective objective);

lpot_figure lpot_figure_exact(double value);
bool lpot_figure_is_known(const lpot_figure *figure);

#endif
