/* What a benchmark measured as an HDF5 file. */
#include <stdio.h>
#include <string.h>

#include <hdf5.h>

#include "base/memory.h"
#include "base/text.h"
#include "tune/benchmark.h"
#include "tune/history_pieces.h"

#define FORMAT_VERSION 1
#define LABEL_SIZE 128

typedef struct measure_row {
  char model[LABEL_SIZE];
  int32_t instance, rank;
  char host[LPOT_HOST_SIZE], cores[LPOT_HOST_SIZE];
  int64_t batch;
  uint64_t runs;
  double mean_ms, min_ms, p50_ms, p90_ms, p99_ms, max_ms, throughput, accuracy;
  uint64_t samples, resident_bytes;
} measure_row;

#define MEMBER(field, kind, size)                                                                  \
  { #field, offsetof(measure_row, field), kind, size, NULL }
static const lpot_hdf5_member members[] = {
    MEMBER(model, 's', LABEL_SIZE),
    MEMBER(instance, 'r', 0),
    MEMBER(rank, 'r', 0),
    MEMBER(host, 's', LPOT_HOST_SIZE),
    MEMBER(cores, 's', LPOT_HOST_SIZE),
    MEMBER(batch, 'i', 0),
    MEMBER(runs, 'u', 0),
    MEMBER(mean_ms, 'd', 0),
    MEMBER(min_ms, 'd', 0),
    MEMBER(p50_ms, 'd', 0),
    MEMBER(p90_ms, 'd', 0),
    MEMBER(p99_ms, 'd', 0),
    MEMBER(max_ms, 'd', 0),
    MEMBER(throughput, 'd', 0),
    MEMBER(accuracy, 'd', 0),
    MEMBER(samples, 'u', 0),
    MEMBER(resident_bytes, 'u', 0),
};

/* What the file is made of. */
typedef struct bench_content {
  const lpot_benchmark_options *options;
  const lpot_benchmark_measure *measures; /* [count] */
  size_t count;
} bench_content;

static lpot_status fill_row(const lpot_benchmark_options *options,
                            const lpot_benchmark_measure *measure, measure_row *row,
                            lpot_error *err) {
  lpot_benchmark_figures figures;
  LPOT_TRY(lpot_benchmark_figures_of(&measure, 1, &figures, err));
  *row = (measure_row){.instance = measure->instance,
                       .rank = measure->rank,
                       .batch = measure->batch,
                       .runs = measure->num_runs,
                       .mean_ms = figures.mean_ms,
                       .min_ms = figures.minimum_ms,
                       .p50_ms = figures.p50_ms,
                       .p90_ms = figures.p90_ms,
                       .p99_ms = figures.p99_ms,
                       .max_ms = figures.maximum_ms,
                       .throughput = figures.throughput,
                       .accuracy = measure->accuracy,
                       .samples = measure->samples,
                       .resident_bytes = measure->resident_bytes};
  lpot_benchmark_label(&options->models[measure->variant], row->model, sizeof row->model);
  lpot_text_copy(row->host, sizeof row->host, measure->host);
  lpot_text_copy(row->cores, sizeof row->cores, measure->cores);
  return LPOT_OK;
}

static lpot_status put_measures(int64_t file, const bench_content *content, lpot_error *err) {
  measure_row *rows = lpot_calloc(content->count + 1, sizeof *rows);
  if (rows == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = LPOT_OK;
  for (size_t i = 0; i < content->count && status == LPOT_OK; i++) {
    status = fill_row(content->options, &content->measures[i], &rows[i], err);
  }
  if (status == LPOT_OK) {
    status = lpot_hdf5_put_table(file, "measures", members, sizeof members / sizeof members[0],
                                 sizeof *rows, rows, content->count, err);
  }
  lpot_free(rows);
  return status;
}

static lpot_status put_runs(int64_t group, const bench_content *content, lpot_error *err) {
  for (size_t i = 0; i < content->count; i++) {
    const lpot_benchmark_measure *measure = &content->measures[i];
    const uint64_t count = measure->num_runs;
    char name[32];
    snprintf(name, sizeof name, "row_%zu", i);
    LPOT_TRY(lpot_hdf5_put_dataset(group, name, H5T_NATIVE_DOUBLE, 1, &count,
                                   count > 0 ? measure->run_ms : (const double[]){0}, err));
  }
  return LPOT_OK;
}

/* An lpot_hdf5_fill. */
static lpot_status put_all(int64_t file, const void *context, lpot_error *err) {
  const bench_content *content = context;
  LPOT_TRY(lpot_hdf5_put_uint(file, "format_version", FORMAT_VERSION, err));
  LPOT_TRY(lpot_hdf5_put_text(file, "program_version", LPOT_VERSION, err));
  LPOT_TRY(lpot_hdf5_put_text(file, "mode", content->options->accuracy ? "accuracy" : "performance",
                              err));
  LPOT_TRY(put_measures(file, content, err));
  hid_t group = H5Gcreate2(file, "runs", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  LPOT_TRY(lpot_hdf5_check(group, "runs", err));
  lpot_status status = put_runs(group, content, err);
  H5Gclose(group);
  return status;
}

lpot_status lpot_benchmark_write_hdf5(const lpot_benchmark_options *options,
                                      const lpot_benchmark_measure *measures, size_t count,
                                      lpot_error *err) {
  const bench_content content = {.options = options, .measures = measures, .count = count};
  LPOT_TRY(lpot_hdf5_write_file(options->hdf5_path, put_all, &content, err));
  return LPOT_OK;
}
