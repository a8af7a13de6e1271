#include "tune/latency_stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tune/core_probe.h"

#define MIN_CPU_SHARE 0.98          /* below, the thread did not have the core to itself */
#define MIN_CPU_SHARE_SWITCHED 0.99 /* the same where a switch explains it */
#define MAX_STEAL 0.02
#define MAX_DRIFT 0.03
#define MAX_SLOWER 1.1
#define MAX_INTERRUPTED 0.3
#define MAX_SLOW 0.7 /* of the rounds: those that are left are known not to be slow */

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return (x > y) - (x < y);
}

void lpot_median_interval(double *values, size_t count, double *ret_median, double *ret_low,
                          double *ret_high) {
  qsort(values, count, sizeof *values, compare_doubles);
  *ret_median =
      count % 2 == 1 ? values[count / 2] : 0.5 * (values[count / 2 - 1] + values[count / 2]);
  /* How many values lie below the true median is binomial(count, 1/2); this is the 2.5 % quantile
   * by the normal law, and the value of that rank, counted from 1, is the lower end. */
  double rank = floor(0.5 * (double)count - 0.98 * sqrt((double)count));
  size_t below = count >= 6 && rank >= 1 ? (size_t)rank - 1 : 0;
  *ret_low = values[below];
  *ret_high = values[count - 1 - below];
}

/* ---- rounds ---- */

uint8_t lpot_round_judge(const lpot_latency_round *round, double least_crowding) {
  unsigned flags = 0;
  double share = (double)round->cpu_share;
  if (round->switches > 0 && share < MIN_CPU_SHARE_SWITCHED) {
    flags |= LPOT_ROUND_SWITCHED;
  }
  if (share < MIN_CPU_SHARE || (double)round->steal > MAX_STEAL) {
    flags |= LPOT_ROUND_STOLEN;
  }
  if (lpot_is_crowded((double)round->crowding, least_crowding)) {
    flags |= LPOT_ROUND_CROWDED;
  }
  return (uint8_t)flags;
}

bool lpot_round_is_clean(const lpot_latency_round *round) {
  return (round->flags &
          (LPOT_ROUND_SWITCHED | LPOT_ROUND_STOLEN | LPOT_ROUND_CROWDED | LPOT_ROUND_SLOW)) == 0;
}

double lpot_rounds_share(const lpot_latency_round *rounds, size_t count, unsigned flags) {
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    found += (rounds[i].flags & flags) != 0 ? 1 : 0;
  }
  return count == 0 ? 0 : (double)found / (double)count;
}

void lpot_rounds_update_best(const lpot_latency_round *rounds, size_t count, double *best_f32_ms) {
  for (size_t i = 0; i < count; i++) {
    if (*best_f32_ms <= 0 || rounds[i].f32_ms < *best_f32_ms) {
      *best_f32_ms = rounds[i].f32_ms;
    }
  }
}

void lpot_rounds_mark_slow(lpot_latency_round *rounds, size_t count, double best_f32_ms) {
  for (size_t i = 0; i < count; i++) {
    bool slow = rounds[i].f32_ms > MAX_SLOWER * best_f32_ms;
    unsigned others = rounds[i].flags & ~(unsigned)LPOT_ROUND_SLOW;
    rounds[i].flags = (uint8_t)(others | (slow ? LPOT_ROUND_SLOW : 0u));
  }
}

/* ---- windows ---- */

typedef struct time_interval {
  double median, low, high;
} time_interval;

/* Of the f32 times of the clean rounds; zeros when there is none. */
static time_interval clean_interval(const lpot_latency_round *rounds, size_t count,
                                    double *scratch) {
  size_t clean = 0;
  time_interval interval = {0};
  for (size_t i = 0; i < count; i++) {
    if (lpot_round_is_clean(&rounds[i])) {
      scratch[clean++] = rounds[i].f32_ms;
    }
  }
  if (clean > 0) {
    lpot_median_interval(scratch, clean, &interval.median, &interval.low, &interval.high);
  }
  return interval;
}

/* How much longer the longer one is, as a fraction; 0 where one is not known, or where chance
 * explains it: their intervals overlap. */
static double drift_of(const time_interval *a, const time_interval *b) {
  if (a->median <= 0 || b->median <= 0 || (a->low <= b->high && b->low <= a->high)) {
    return 0;
  }
  return a->median > b->median ? a->median / b->median - 1 : b->median / a->median - 1;
}

static double drift_inside(const lpot_latency_round *rounds, size_t count, double *scratch) {
  size_t half = count / 2;
  time_interval first = clean_interval(rounds, half, scratch);
  time_interval second = clean_interval(rounds + half, count - half, scratch);
  return drift_of(&first, &second);
}

lpot_window_fault lpot_window_judge(const lpot_latency_round *rounds, size_t count,
                                    double reference_ms, double allowed_neighbours, double *scratch,
                                    double *ret_median_ms, double *ret_figure) {
  time_interval whole = clean_interval(rounds, count, scratch);
  time_interval reference = {reference_ms, reference_ms, reference_ms};
  *ret_median_ms = whole.median;
  *ret_figure = count > 0 ? (double)rounds[count - 1].neighbours : 0;
  if (*ret_figure > allowed_neighbours) {
    return LPOT_WINDOW_NEIGHBOURS;
  }
  *ret_figure = lpot_rounds_share(rounds, count, LPOT_ROUND_SWITCHED | LPOT_ROUND_STOLEN);
  if (*ret_figure > MAX_INTERRUPTED) {
    return LPOT_WINDOW_INTERRUPTED;
  }
  *ret_figure = lpot_rounds_share(rounds, count, LPOT_ROUND_CROWDED);
  if (*ret_figure > MAX_SLOW) {
    return LPOT_WINDOW_CROWDED;
  }
  *ret_figure = lpot_rounds_share(rounds, count, LPOT_ROUND_SLOW | LPOT_ROUND_CROWDED);
  if (*ret_figure > MAX_SLOW) {
    return LPOT_WINDOW_SLOW;
  }
  *ret_figure = drift_inside(rounds, count, scratch);
  if (*ret_figure > MAX_DRIFT) {
    return LPOT_WINDOW_DRIFT_INSIDE;
  }
  *ret_figure = drift_of(&whole, &reference);
  return *ret_figure > MAX_DRIFT ? LPOT_WINDOW_DRIFT_BETWEEN : LPOT_WINDOW_FINE;
}

void lpot_window_fault_text(lpot_window_fault fault, double figure, size_t num_package, char *out,
                            size_t out_size) {
  switch (fault) {
  case LPOT_WINDOW_DRIFT_INSIDE:
    snprintf(out, out_size, "the time of f32 changed by %.1f %% within a window", 100 * figure);
    break;
  case LPOT_WINDOW_DRIFT_BETWEEN:
    snprintf(out, out_size, "the time of f32 changed by %.1f %% between windows", 100 * figure);
    break;
  case LPOT_WINDOW_NEIGHBOURS:
    snprintf(out, out_size, "other processes kept %.2f of the package's %zu processors busy",
             figure, num_package);
    break;
  case LPOT_WINDOW_INTERRUPTED:
    snprintf(out, out_size, "other processes or a hypervisor interrupted %.0f %% of the rounds",
             100 * figure);
    break;
  case LPOT_WINDOW_CROWDED:
    snprintf(out, out_size,
             "something else ran on the core's other hyper-thread in %.0f %% of the rounds",
             100 * figure);
    break;
  case LPOT_WINDOW_SLOW:
    snprintf(out, out_size,
             "f32 took 10 %% longer than before, or the core's other hyper-thread was busy, in "
             "%.0f %% of the rounds: something else loads the "
             "machine",
             100 * figure);
    break;
  case LPOT_WINDOW_FINE:
    out[0] = '\0';
    break;
  }
}

/* ---- the figures ---- */

typedef double (*round_value)(const lpot_latency_round *round);

static double f32_of(const lpot_latency_round *round) {
  return round->f32_ms;
}

static double recipe_of(const lpot_latency_round *round) {
  return round->recipe_ms;
}

static double log_ratio_of(const lpot_latency_round *round) {
  return log(round->f32_ms / round->recipe_ms);
}

/* Median and interval over the KEPT rounds, whose number is returned. */
static size_t kept_interval(const lpot_latency_round *rounds, size_t count, round_value value,
                            double *scratch, double figures[3]) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    if ((rounds[i].flags & LPOT_ROUND_KEPT) != 0) {
      scratch[kept++] = value(&rounds[i]);
    }
  }
  for (size_t k = 0; k < 3; k++) {
    figures[k] = (double)NAN;
  }
  if (kept > 0) {
    lpot_median_interval(scratch, kept, &figures[0], &figures[1], &figures[2]);
  }
  return kept;
}

double lpot_rounds_half_width(const lpot_latency_round *rounds, size_t count, double *scratch) {
  double figures[3];
  size_t kept = kept_interval(rounds, count, log_ratio_of, scratch, figures);
  return kept < LPOT_MIN_ROUNDS ? (double)INFINITY : 0.5 * (figures[2] - figures[1]);
}

void lpot_rounds_summarise(const lpot_latency_round *rounds, size_t count, double *scratch,
                           lpot_latency *ret) {
  double figures[3];
  size_t kept = kept_interval(rounds, count, f32_of, scratch, figures);
  ret->f32_ms = figures[0];
  ret->f32_low_ms = figures[1];
  ret->f32_high_ms = figures[2];
  (void)kept_interval(rounds, count, recipe_of, scratch, figures);
  ret->recipe_ms = figures[0];
  ret->recipe_low_ms = figures[1];
  ret->recipe_high_ms = figures[2];
  (void)kept_interval(rounds, count, log_ratio_of, scratch, figures);
  ret->speedup = exp(figures[0]);
  ret->speedup_low = exp(figures[1]);
  ret->speedup_high = exp(figures[2]);
  ret->counted = kept;
  ret->dropped = count - kept;
}

/* ---- the verdict ---- */

lpot_speed lpot_latency_speed(const lpot_latency *latency) {
  if (!latency->trusted) {
    return LPOT_SPEED_UNTRUSTED;
  }
  if (latency->speedup_low > 1) {
    return LPOT_SPEED_FASTER;
  }
  return latency->speedup_high < 1 ? LPOT_SPEED_SLOWER : LPOT_SPEED_NOT_SHOWN;
}

void lpot_latency_text(const lpot_latency *latency, char *out, size_t out_size) {
  char interval[64];
  snprintf(interval, sizeof interval, "[%.2f, %.2f]", latency->speedup_low, latency->speedup_high);
  switch (lpot_latency_speed(latency)) {
  case LPOT_SPEED_FASTER:
    snprintf(out, out_size, "%.2f times as fast as f32 %s", latency->speedup, interval);
    break;
  case LPOT_SPEED_NOT_SHOWN:
    snprintf(out, out_size, "not shown to be faster than f32: %.2f times as fast %s",
             latency->speedup, interval);
    break;
  case LPOT_SPEED_SLOWER:
    snprintf(out, out_size, "SLOWER than f32: %.2f times as fast %s", latency->speedup, interval);
    break;
  case LPOT_SPEED_UNTRUSTED:
    snprintf(out, out_size, "UNTRUSTED (%s): %.2f times as fast as f32 %s", latency->reason,
             latency->speedup, interval);
    break;
  }
}
