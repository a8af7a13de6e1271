/* What a benchmark measured of one model on one instance, its figures, and its encoding between
 * processes. Pure: no clock, no files. */
#ifndef LPOT_TUNE_BENCHMARK_FIGURES_H
#define LPOT_TUNE_BENCHMARK_FIGURES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/reader.h"
#include "tune/protocol.h"

#define LPOT_MAX_BENCHMARK_RUNS 1000000

/* One model on one instance: a process that is pinned to its own cores. */
typedef struct lpot_benchmark_measure {
  int variant;  /* index of the model */
  int instance; /* from 0, over all ranks */
  int rank;
  char host[LPOT_HOST_SIZE];
  char cores[LPOT_HOST_SIZE]; /* "0-3": what it is pinned to */
  int64_t batch;              /* samples in one run */
  uint64_t resident_bytes;    /* the most that the process ever had */
  size_t num_runs;
  double *run_ms;   /* [num_runs] time of each run of a batch, in order; owned */
  double accuracy;  /* mode accuracy: the metric's value; else NaN */
  uint64_t samples; /* mode accuracy: that were evaluated; else 0 */
  double seconds;   /* from the first run's begin to the last one's end */
  double crowded;   /* share of the runs beside which something ran on the other hyper-thread of the
                       instance's core (tune/core_probe.h); NaN: not known */
} lpot_benchmark_measure;

void lpot_benchmark_measure_done(lpot_benchmark_measure *measure); /* empty again */
LPOT_MUST_CHECK lpot_status lpot_benchmark_measure_write(const lpot_benchmark_measure *measure,
                                                         lpot_buffer *out, lpot_error *err);
/* *ret is owned by the caller. LPOT_FORMAT, also where it is of none of num_models models. */
LPOT_MUST_CHECK lpot_status lpot_benchmark_measure_read(lpot_reader *reader, size_t num_models,
                                                        lpot_benchmark_measure *ret,
                                                        lpot_error *err);

/* Figures of runs; latencies are those of a whole batch, in ms. Without runs all but num_runs are
 * NaN. */
typedef struct lpot_benchmark_figures {
  size_t num_runs;
  double mean_ms, minimum_ms, p50_ms, p90_ms, p99_ms, maximum_ms;
  double throughput; /* samples per second of run time; of several instances: the sum of theirs */
  double crowded;    /* of all their runs; NaN where that of one is not known */
} lpot_benchmark_figures;

/* Of num_measures >= 1 measures of one model, whose runs are taken together. Percentiles by nearest
 * rank: the smallest time that at least so many per cent of the runs do not exceed. */
LPOT_MUST_CHECK lpot_status lpot_benchmark_figures_of(const lpot_benchmark_measure *const *measures,
                                                      size_t num_measures,
                                                      lpot_benchmark_figures *ret, lpot_error *err);

#endif
