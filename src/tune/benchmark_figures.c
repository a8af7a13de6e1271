#include "tune/benchmark_figures.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/writer.h"

void lpot_benchmark_measure_done(lpot_benchmark_measure *measure) {
  lpot_free(measure->run_ms);
  *measure = (lpot_benchmark_measure){0};
}

lpot_status lpot_benchmark_measure_write(const lpot_benchmark_measure *measure, lpot_buffer *out,
                                         lpot_error *err) {
  LPOT_TRY(lpot_writer_i64(out, measure->variant, err));
  LPOT_TRY(lpot_writer_i64(out, measure->instance, err));
  LPOT_TRY(lpot_writer_i64(out, measure->rank, err));
  LPOT_TRY(lpot_writer_string(out, measure->host, err));
  LPOT_TRY(lpot_writer_string(out, measure->cores, err));
  LPOT_TRY(lpot_writer_i64(out, measure->batch, err));
  LPOT_TRY(lpot_writer_u64(out, measure->resident_bytes, err));
  LPOT_TRY(lpot_writer_f64(out, measure->accuracy, err));
  LPOT_TRY(lpot_writer_u64(out, measure->samples, err));
  LPOT_TRY(lpot_writer_f64(out, measure->seconds, err));
  LPOT_TRY(lpot_writer_f64(out, measure->crowded, err));
  LPOT_TRY(lpot_writer_u64(out, measure->num_runs, err));
  for (size_t i = 0; i < measure->num_runs; i++) {
    LPOT_TRY(lpot_writer_f64(out, measure->run_ms[i], err));
  }
  return LPOT_OK;
}

/* A number from 0 to INT32_MAX. */
static lpot_status read_number(lpot_reader *reader, const char *what, int *ret, lpot_error *err) {
  int64_t value = 0;
  LPOT_TRY(lpot_reader_i64(reader, &value, err));
  if (value < 0 || value > INT32_MAX) {
    return LPOT_FAIL(err, LPOT_FORMAT, "benchmark: %s %lld", what, (long long)value);
  }
  *ret = (int)value;
  return LPOT_OK;
}

static lpot_status read_runs(lpot_reader *reader, lpot_benchmark_measure *measure,
                             lpot_error *err) {
  uint64_t count = 0;
  LPOT_TRY(lpot_reader_u64(reader, &count, err));
  if (count > LPOT_MAX_BENCHMARK_RUNS || count * sizeof(double) > lpot_reader_remaining(reader)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "benchmark: %llu runs, but %zu bytes follow",
                     (unsigned long long)count, lpot_reader_remaining(reader));
  }
  measure->run_ms = lpot_calloc((size_t)count + 1, sizeof *measure->run_ms);
  if (measure->run_ms == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < (size_t)count; i++) {
    LPOT_TRY(lpot_reader_f64(reader, &measure->run_ms[i], err));
    if (!(measure->run_ms[i] >= 0)) {
      return LPOT_FAIL(err, LPOT_FORMAT, "benchmark: a run of %g ms", measure->run_ms[i]);
    }
  }
  measure->num_runs = (size_t)count;
  return LPOT_OK;
}

static lpot_status read_measure(lpot_reader *reader, lpot_benchmark_measure *measure,
                                lpot_error *err) {
  LPOT_TRY(read_number(reader, "model", &measure->variant, err));
  LPOT_TRY(read_number(reader, "instance", &measure->instance, err));
  LPOT_TRY(read_number(reader, "rank", &measure->rank, err));
  LPOT_TRY(lpot_reader_string(reader, measure->host, sizeof measure->host, err));
  LPOT_TRY(lpot_reader_string(reader, measure->cores, sizeof measure->cores, err));
  LPOT_TRY(lpot_reader_i64(reader, &measure->batch, err));
  LPOT_TRY(lpot_reader_u64(reader, &measure->resident_bytes, err));
  LPOT_TRY(lpot_reader_f64(reader, &measure->accuracy, err));
  LPOT_TRY(lpot_reader_u64(reader, &measure->samples, err));
  LPOT_TRY(lpot_reader_f64(reader, &measure->seconds, err));
  LPOT_TRY(lpot_reader_f64(reader, &measure->crowded, err));
  LPOT_TRY(read_runs(reader, measure, err));
  if (measure->batch < 1) {
    return LPOT_FAIL(err, LPOT_FORMAT, "benchmark: batches of %lld", (long long)measure->batch);
  }
  return LPOT_OK;
}

lpot_status lpot_benchmark_measure_read(lpot_reader *reader, size_t num_models,
                                        lpot_benchmark_measure *ret, lpot_error *err) {
  lpot_benchmark_measure measure = {0};
  lpot_status status = read_measure(reader, &measure, err);
  if (status == LPOT_OK && (size_t)measure.variant >= num_models) {
    status = LPOT_FAIL(err, LPOT_FORMAT, "benchmark: figures of model number %d, there are %zu",
                       measure.variant, num_models);
  }
  if (status != LPOT_OK) {
    lpot_benchmark_measure_done(&measure);
    return status;
  }
  *ret = measure;
  return LPOT_OK;
}

static int compare_times(const void *a, const void *b) {
  double left = *(const double *)a;
  double right = *(const double *)b;
  return (left > right) - (left < right);
}

/* sorted [count], count >= 1. */
static double percentile(const double *sorted, size_t count, double share) {
  size_t rank = (size_t)ceil(share * (double)count);
  return sorted[rank > 0 ? rank - 1 : 0];
}

static double sum_of(const double *values, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++) {
    sum += values[i];
  }
  return sum;
}

lpot_status lpot_benchmark_figures_of(const lpot_benchmark_measure *const *measures,
                                      size_t num_measures, lpot_benchmark_figures *ret,
                                      lpot_error *err) {
  const double unknown = (double)NAN;
  lpot_benchmark_figures figures = {.mean_ms = unknown,
                                    .minimum_ms = unknown,
                                    .p50_ms = unknown,
                                    .p90_ms = unknown,
                                    .p99_ms = unknown,
                                    .maximum_ms = unknown,
                                    .throughput = unknown,
                                    .crowded = unknown};
  for (size_t i = 0; i < num_measures; i++) {
    figures.num_runs += measures[i]->num_runs;
  }
  double *sorted = lpot_calloc(figures.num_runs + 1, sizeof *sorted);
  if (sorted == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  size_t count = 0;
  double throughput = 0;
  double crowded = 0; /* runs */
  for (size_t i = 0; i < num_measures; i++) {
    const lpot_benchmark_measure *measure = measures[i];
    double seconds = sum_of(measure->run_ms, measure->num_runs) / 1e3;
    double samples = (double)measure->batch * (double)measure->num_runs;
    throughput += seconds > 0 ? samples / seconds : 0;
    crowded += measure->crowded * (double)measure->num_runs;
    for (size_t k = 0; k < measure->num_runs; k++) {
      sorted[count] = measure->run_ms[k];
      count++;
    }
  }
  if (count > 0) {
    figures.throughput = throughput;
    figures.crowded = crowded / (double)count;
    qsort(sorted, count, sizeof *sorted, compare_times);
    figures.mean_ms = sum_of(sorted, count) / (double)count;
    figures.minimum_ms = sorted[0];
    figures.p50_ms = percentile(sorted, count, 0.50);
    figures.p90_ms = percentile(sorted, count, 0.90);
    figures.p99_ms = percentile(sorted, count, 0.99);
    figures.maximum_ms = sorted[count - 1];
  }
  lpot_free(sorted);
  *ret = figures;
  return LPOT_OK;
}
