/* What a latency measurement leaves behind: figures, verdict, facts of the machine, and the rounds
 * themselves. Pure: encoding for messages and the journal. */
#ifndef LPOT_TUNE_LATENCY_RECORD_H
#define LPOT_TUNE_LATENCY_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/reader.h"

#define LPOT_MAX_LATENCY_ROUNDS 512 /* that a record holds */
#define LPOT_REASON_SIZE 256

/* Why a round does not count, and whether its figures were used. */
typedef enum lpot_round_flag {
  LPOT_ROUND_KEPT = 1,     /* its figures are in the medians */
  LPOT_ROUND_SWITCHED = 2, /* another process was given the core */
  LPOT_ROUND_STOLEN = 4, /* the thread did not get the core's whole time, or a hypervisor took it */
  LPOT_ROUND_UNSTEADY = 8,   /* the f32 time drifted in its window, or since the one before */
  LPOT_ROUND_SLOW = 32,      /* f32 took 10 % longer than in the fastest round of this job */
  LPOT_ROUND_CROWDED = 64,   /* something ran on the core's other hyper-thread */
  LPOT_ROUND_NEIGHBOURS = 16 /* others kept cores of the same package busy in its window */
} lpot_round_flag;

/* One ABBA round: f32, recipe, recipe, f32. */
typedef struct lpot_latency_round {
  uint32_t number;          /* 0, 1, 2 ... over the whole measurement */
  uint32_t window;          /* that it belongs to */
  double f32_ms, recipe_ms; /* per sample, mean of two timings */
  uint32_t switches;        /* involuntary ones of the measuring thread */
  float cpu_share;          /* CPU time of the thread over wall time */
  float steal;              /* share of the time that the hypervisor took from the pinned cores */
  float neighbours;         /* cores of the same package that others kept busy in the window */
  float crowding;         /* the second largest of core_probe.h between its timings; 0: not known */
  uint32_t frequency_khz; /* of the pinned core; 0: not told */
  uint8_t flags;          /* of lpot_round_flag */
} lpot_latency_round;

typedef struct lpot_latency {
  double recipe_ms, recipe_low_ms, recipe_high_ms; /* per sample: median and its 95 % interval */
  double f32_ms, f32_low_ms, f32_high_ms;
  double speedup, speedup_low, speedup_high; /* f32 / recipe: exp of the median of the rounds'
                                                log-ratios, and of its 95 % interval */
  uint64_t counted;                          /* rounds that the figures are made of */
  uint64_t dropped;                          /* rounds that were run and are not in the figures */
  uint32_t attempts;                         /* 1, 2, 3: how often the measurement was begun */
  bool trusted;
  bool cold;                     /* caches were swept before every timing */
  char reason[LPOT_REASON_SIZE]; /* why it is not trusted; empty when it is */
  char estimator[64];            /* its name */
  char governor[32];             /* of the pinned core; "unknown" */
  char cores[64];                /* that were pinned: "3" or "2-3" or "0,4" */
  double load;                   /* the system's load average over a minute at the start */
  double seconds;                /* of the whole measurement */
  size_t num_rounds;
  lpot_latency_round *rounds; /* [num_rounds], owned: every one, or evenly thinned out */
} lpot_latency;

/* Frees the rounds and empties it. */
void lpot_latency_done(lpot_latency *latency);
LPOT_MUST_CHECK lpot_status lpot_latency_write(const lpot_latency *latency, lpot_buffer *out,
                                               lpot_error *err);
/* LPOT_FORMAT; *ret is owned (lpot_latency_done). */
LPOT_MUST_CHECK lpot_status lpot_latency_read(lpot_reader *reader, lpot_latency *ret,
                                              lpot_error *err);

#endif
