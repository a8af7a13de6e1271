/* What the rounds of a latency measurement say: which count, whether the machine was steady, and
 * the verdict. Pure: no clock, no files. */
#ifndef LPOT_TUNE_LATENCY_STATS_H
#define LPOT_TUNE_LATENCY_STATS_H

#include "tune/latency_record.h"

#define LPOT_MIN_ROUNDS 6 /* for a 95 % interval: with fewer the range is too unsure */

/* Sorts values [count], count >= 1, and stores their median and its distribution-free 95 %
 * interval (order statistics by the binomial distribution, as in the sign test; with fewer than 6
 * values the range). */
void lpot_median_interval(double *values, size_t count, double *ret_median, double *ret_low,
                          double *ret_high);

/* Flags of a round by its own guards: SWITCHED, STOLEN, CROWDED (core_probe.h) or none. */
uint8_t lpot_round_judge(const lpot_latency_round *round, double least_crowding);
/* Lowers the fastest f32 time known (0: none yet) to that of the rounds. */
void lpot_rounds_update_best(const lpot_latency_round *rounds, size_t count, double *best_f32_ms);
/* Sets the flag SLOW of every round anew: f32 took 10 % longer than the fastest known. Load that is
 * there from a job's first round to its last escapes. Only f32 tells: to drop rounds by the
 * recipe's own time would turn its ratio (one whose time depends on the input by 20 % was seen to
 * gain 13 %).
 */
void lpot_rounds_mark_slow(lpot_latency_round *rounds, size_t count, double best_f32_ms);
/* True where none of SWITCHED, STOLEN, CROWDED and SLOW is set. */
bool lpot_round_is_clean(const lpot_latency_round *round);
/* Share of the rounds that have one of these flags; 0 without rounds. */
double lpot_rounds_share(const lpot_latency_round *rounds, size_t count, unsigned flags);

typedef enum lpot_window_fault {
  LPOT_WINDOW_FINE,
  LPOT_WINDOW_DRIFT_INSIDE,  /* f32 of the second half against the first, by more than 3 % and more
                                than chance explains */
  LPOT_WINDOW_DRIFT_BETWEEN, /* f32 against that of the attempt's first window */
  LPOT_WINDOW_NEIGHBOURS,    /* others kept too much of the package busy */
  LPOT_WINDOW_INTERRUPTED,   /* more than 30 % of its rounds are SWITCHED or STOLEN */
  LPOT_WINDOW_CROWDED,       /* more than 70 % of them are CROWDED */
  LPOT_WINDOW_SLOW           /* more than 70 % of them are SLOW or CROWDED */
} lpot_window_fault;

/* Judges the rounds of one window; those that are not clean are left out. reference_ms: median f32
 * time of the first fine window, 0 for none. scratch has room for count values. *ret_median_ms: f32
 * time of this window; *ret_figure: by how much (drift or share as a fraction, or processors). */
lpot_window_fault lpot_window_judge(const lpot_latency_round *rounds, size_t count,
                                    double reference_ms, double allowed_neighbours, double *scratch,
                                    double *ret_median_ms, double *ret_figure);
/* The fault in words. */
void lpot_window_fault_text(lpot_window_fault fault, double figure, size_t num_package, char *out,
                            size_t out_size);

/* Half of the width of the interval of the median log-ratio over the KEPT rounds; infinite with
 * fewer than LPOT_MIN_ROUNDS. scratch [count]. */
double lpot_rounds_half_width(const lpot_latency_round *rounds, size_t count, double *scratch);
/* Fills the figures of ret (times, speedup, counted, dropped) from the KEPT rounds; NaN when there
 * is none. scratch [count]. */
void lpot_rounds_summarise(const lpot_latency_round *rounds, size_t count, double *scratch,
                           lpot_latency *ret);

/* What may be said of a recipe's speed beside f32. */
typedef enum lpot_speed {
  LPOT_SPEED_UNTRUSTED, /* nothing */
  LPOT_SPEED_FASTER,    /* the whole interval is above 1 */
  LPOT_SPEED_NOT_SHOWN, /* it contains 1 */
  LPOT_SPEED_SLOWER,    /* it is below 1 */
} lpot_speed;

lpot_speed lpot_latency_speed(const lpot_latency *latency);
/* "1.42 times as fast as f32 [1.39, 1.45]" and its like for the other answers, with the reason
 * where it is not trusted. */
void lpot_latency_text(const lpot_latency *latency, char *out, size_t out_size);

#endif
