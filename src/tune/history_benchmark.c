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
  int32_t instance, rank; /* not of a model's row */
  char host[LPOT_HOST_SIZE], cores[LPOT_HOST_SIZE];
  int64_t batch;
  uint64_t instances, runs;
  double mean_ms, min_ms, p50_ms, p90_ms, p99_ms, max_ms, throughput, crowded, accuracy;
  uint64_t samples, resident_bytes;
} measure_row;

#define MEMBER(field, kind, size)                                                                  \
  { #field, offsetof(measure_row, field), kind, size, NULL }
#define FIGURES                                                                                    \
  MEMBER(batch, 'i', 0), MEMBER(runs, 'u', 0), MEMBER(mean_ms, 'd', 0), MEMBER(min_ms, 'd', 0),    \
      MEMBER(p50_ms, 'd', 0), MEMBER(p90_ms, 'd', 0), MEMBER(p99_ms, 'd', 0),                      \
      MEMBER(max_ms, 'd', 0), MEMBER(throughput, 'd', 0), MEMBER(crowded, 'd', 0),                 \
      MEMBER(accuracy, 'd', 0), MEMBER(samples, 'u', 0), MEMBER(resident_bytes, 'u', 0)
static const lpot_hdf5_member of_instances[] = {
    MEMBER(model, 's', LABEL_SIZE),    MEMBER(instance, 'r', 0),           MEMBER(rank, 'r', 0),
    MEMBER(host, 's', LPOT_HOST_SIZE), MEMBER(cores, 's', LPOT_HOST_SIZE), FIGURES};
static const lpot_hdf5_member of_models[] = {MEMBER(model, 's', LABEL_SIZE),
                                             MEMBER(instances, 'u', 0), FIGURES};

/* What the file is made of. */
typedef struct bench_content {
  const lpot_benchmark_options *options;
  const lpot_benchmark_measure *measures; /* [count] */
  size_t count;
} bench_content;

/* measures [count]: of one model, the first ones of all that there are; together in a row. */
static lpot_status fill_row(const lpot_benchmark_options *options,
                            const lpot_benchmark_measure *measures, size_t count, measure_row *row,
                            lpot_error *err) {
  const lpot_benchmark_measure **list = lpot_calloc(count, sizeof *list);
  if (list == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  uint64_t resident_bytes = 0;
  for (size_t i = 0; i < count; i++) {
    list[i] = &measures[i];
    uint64_t bytes = measures[i].resident_bytes;
    resident_bytes = bytes > resident_bytes ? bytes : resident_bytes;
  }
  lpot_benchmark_figures figures;
  lpot_status status = lpot_benchmark_figures_of(list, count, &figures, err);
  lpot_free(list);
  LPOT_TRY(status);
  *row = (measure_row){.instance = measures->instance,
                       .rank = measures->rank,
                       .batch = measures->batch,
                       .instances = count,
                       .runs = figures.num_runs,
                       .mean_ms = figures.mean_ms,
                       .min_ms = figures.minimum_ms,
                       .p50_ms = figures.p50_ms,
                       .p90_ms = figures.p90_ms,
                       .p99_ms = figures.p99_ms,
                       .max_ms = figures.maximum_ms,
                       .throughput = figures.throughput,
                       .crowded = figures.crowded,
                       .accuracy = measures->accuracy,
                       .samples = measures->samples,
                       .resident_bytes = resident_bytes};
  lpot_benchmark_label(&options->models[measures->variant], row->model, sizeof row->model);
  lpot_text_copy(row->host, sizeof row->host, measures->host);
  lpot_text_copy(row->cores, sizeof row->cores, measures->cores);
  return LPOT_OK;
}

/* Measures from first on that make one row: one, or all of its model. */
static size_t length_of(const bench_content *content, size_t first, bool whole_models) {
  size_t end = first + 1;
  while (whole_models && end < content->count &&
         content->measures[end].variant == content->measures[first].variant) {
    end++;
  }
  return end - first;
}

static lpot_status fill_rows(const bench_content *content, bool whole_models, measure_row *rows,
                             size_t *ret_count, lpot_error *err) {
  size_t count = 0;
  for (size_t i = 0; i < content->count;) {
    size_t length = length_of(content, i, whole_models);
    LPOT_TRY(fill_row(content->options, &content->measures[i], length, &rows[count], err));
    count++;
    i += length;
  }
  *ret_count = count;
  return LPOT_OK;
}

static lpot_status put_rows(int64_t file, const bench_content *content, const char *name,
                            const lpot_hdf5_member *members, size_t num_members, bool whole_models,
                            lpot_error *err) {
  measure_row *rows = lpot_calloc(content->count + 1, sizeof *rows);
  if (rows == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  size_t count = 0;
  lpot_status status = fill_rows(content, whole_models, rows, &count, err);
  if (status == LPOT_OK) {
    status = lpot_hdf5_put_table(file, name, members, num_members, sizeof *rows, rows, count, err);
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
  LPOT_TRY(put_rows(file, content, "measures", of_instances,
                    sizeof of_instances / sizeof of_instances[0], false, err));
  LPOT_TRY(put_rows(file, content, "models", of_models, sizeof of_models / sizeof of_models[0],
                    true, err));
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
