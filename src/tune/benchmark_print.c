/* What a benchmark found, for people and for programs. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "formats/output_file.h"
#include "tune/benchmark.h"

#define LABEL_SIZE 128

/* One line: an instance's, or that of all instances of a model together. */
typedef struct bench_row {
  char label[LABEL_SIZE];
  const lpot_benchmark_measure *measure; /* the instance's; of all: the first one's */
  bool is_sum;
  size_t num_instances;
  uint64_t resident_bytes; /* of all: the largest */
  lpot_benchmark_figures figures;
  double speedup; /* throughput beside that of the first model; NaN: not comparable */
} bench_row;

typedef lpot_status (*row_writer)(const lpot_benchmark_options *options, const bench_row *row,
                                  FILE *out, lpot_error *err);

/* ---- rows ---- */

/* Number of measures from first on that are of the same model. */
static size_t count_model(const lpot_benchmark_measure *measures, size_t first, size_t count) {
  size_t end = first;
  while (end < count && measures[end].variant == measures[first].variant) {
    end++;
  }
  return end - first;
}

static lpot_status fill_row(const lpot_benchmark_options *options,
                            const lpot_benchmark_measure *measures, size_t count, bool is_sum,
                            bench_row *row, lpot_error *err) {
  const lpot_benchmark_measure **list = lpot_calloc(count, sizeof *list);
  if (list == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *row = (bench_row){
      .measure = measures, .is_sum = is_sum, .num_instances = count, .speedup = (double)NAN};
  lpot_benchmark_label(&options->models[measures->variant], row->label, sizeof row->label);
  for (size_t i = 0; i < count; i++) {
    list[i] = &measures[i];
    uint64_t bytes = measures[i].resident_bytes;
    row->resident_bytes = bytes > row->resident_bytes ? bytes : row->resident_bytes;
  }
  lpot_status status = lpot_benchmark_figures_of(list, count, &row->figures, err);
  lpot_free(list);
  return status;
}

/* Calls write for each instance, and for each model. */
static lpot_status write_rows(const lpot_benchmark_options *options,
                              const lpot_benchmark_measure *measures, size_t count,
                              row_writer write, FILE *out, lpot_error *err) {
  double first = (double)NAN;
  for (size_t begin = 0; begin < count;) {
    size_t instances = count_model(measures, begin, count);
    bench_row row;
    for (size_t i = 0; i < instances && instances > 1; i++) {
      LPOT_TRY(fill_row(options, &measures[begin + i], 1, false, &row, err));
      LPOT_TRY(write(options, &row, out, err));
    }
    LPOT_TRY(fill_row(options, &measures[begin], instances, true, &row, err));
    first = begin == 0 ? row.figures.throughput : first;
    row.speedup = begin > 0 && first > 0 ? row.figures.throughput / first : (double)NAN;
    LPOT_TRY(write(options, &row, out, err));
    begin += instances;
  }
  return LPOT_OK;
}

/* ---- for people ---- */

static lpot_status write_table_row(const lpot_benchmark_options *options, const bench_row *row,
                                   FILE *out, lpot_error *err) {
  (void)err;
  const lpot_benchmark_measure *measure = row->measure;
  const lpot_benchmark_figures *figures = &row->figures;
  char where[2 * LPOT_HOST_SIZE];
  if (row->is_sum && row->num_instances > 1) {
    snprintf(where, sizeof where, "all %zu", row->num_instances);
  } else {
    snprintf(where, sizeof where, "%s:%s", measure->host, measure->cores);
  }
  fprintf(out, "%-36s %-16s %5lld ", row->label, where, (long long)measure->batch);
  if (options->accuracy) {
    fprintf(out, "%10.6f %9llu %10.1f\n", measure->accuracy, (unsigned long long)measure->samples,
            measure->seconds > 0 ? (double)measure->samples / measure->seconds : 0);
    return LPOT_OK;
  }
  fprintf(out, "%6zu %9.4g %9.4g %9.4g %9.4g %10.1f %7.1f", figures->num_runs, figures->mean_ms,
          figures->p50_ms, figures->p90_ms, figures->p99_ms, figures->throughput,
          (double)row->resident_bytes / 1048576.0);
  if (isnan(figures->crowded)) {
    fprintf(out, " %7s", "-");
  } else {
    fprintf(out, " %5.0f %%", 100 * figures->crowded);
  }
  if (!isnan(row->speedup)) {
    fprintf(out, "  %.2f x", row->speedup);
  }
  fputc('\n', out);
  return LPOT_OK;
}

static void write_table_head(const lpot_benchmark_options *options, FILE *out) {
  fprintf(out, "%-36s %-16s %5s ", "model", "instance", "batch");
  if (options->accuracy) {
    fprintf(out, "%10s %9s %10s\n", "accuracy", "samples", "samples/s");
  } else {
    fprintf(out, "%6s %9s %9s %9s %9s %10s %7s %7s\n", "runs", "mean ms", "p50", "p90", "p99",
            "samples/s", "MiB", "crowded");
  }
}

/* ---- for programs ---- */

/* WHOLE(key, value), REAL(key, value): the numbers of a row, in both forms. */
#define NUMBERS(WHOLE, REAL)                                                                       \
  WHOLE("batch", row->measure->batch)                                                              \
  WHOLE("runs", row->figures.num_runs)                                                             \
  REAL("mean_ms", row->figures.mean_ms)                                                            \
  REAL("min_ms", row->figures.minimum_ms)                                                          \
  REAL("p50_ms", row->figures.p50_ms)                                                              \
  REAL("p90_ms", row->figures.p90_ms)                                                              \
  REAL("p99_ms", row->figures.p99_ms)                                                              \
  REAL("max_ms", row->figures.maximum_ms)                                                          \
  REAL("throughput", row->figures.throughput)                                                      \
  REAL("crowded", row->figures.crowded)                                                            \
  REAL("speedup", row->speedup)                                                                    \
  REAL("accuracy", row->measure->accuracy)                                                         \
  WHOLE("samples", row->measure->samples)                                                          \
  WHOLE("resident_bytes", row->resident_bytes)

static lpot_status fill_json(const bench_row *row, lpot_json *json, lpot_error *err) {
  bool is_one = !row->is_sum || row->num_instances == 1;
  LPOT_TRY(lpot_json_set_string(json, "model", row->label, err));
  LPOT_TRY(lpot_json_set_int(json, "instances", (int64_t)row->num_instances, err));
  if (is_one) {
    LPOT_TRY(lpot_json_set_int(json, "instance", row->measure->instance, err));
  } else {
    LPOT_TRY(lpot_json_set_string(json, "instance", NULL, err));
  }
  LPOT_TRY(lpot_json_set_string(json, "host", is_one ? row->measure->host : NULL, err));
  LPOT_TRY(lpot_json_set_string(json, "cores", is_one ? row->measure->cores : NULL, err));
#define WHOLE(key, value) LPOT_TRY(lpot_json_set_int(json, key, (int64_t)(value), err));
#define REAL(key, value) LPOT_TRY(lpot_json_set_double(json, key, value, err));
  NUMBERS(WHOLE, REAL)
#undef WHOLE
#undef REAL
  return LPOT_OK;
}

static lpot_status write_json_row(const lpot_benchmark_options *options, const bench_row *row,
                                  FILE *out, lpot_error *err) {
  (void)options;
  lpot_json *json = NULL;
  LPOT_TRY(lpot_json_new(&json, err));
  lpot_status status = fill_json(row, json, err);
  if (status == LPOT_OK) {
    status = lpot_json_print(json, out, err);
  }
  lpot_json_free(json);
  return status;
}

/* A text in quotes, those within it doubled (RFC 4180). */
static void put_quoted(FILE *out, const char *text) {
  fputc('"', out);
  for (; *text != '\0'; text++) {
    if (*text == '"') {
      fputc('"', out);
    }
    fputc(*text, out);
  }
  fputc('"', out);
}

static lpot_status write_csv_row(const lpot_benchmark_options *options, const bench_row *row,
                                 FILE *out, lpot_error *err) {
  (void)options;
  (void)err;
  bool is_one = !row->is_sum || row->num_instances == 1;
  put_quoted(out, row->label);
  fprintf(out, ",%zu,", row->num_instances);
  if (is_one) {
    fprintf(out, "%d,", row->measure->instance);
    put_quoted(out, row->measure->host);
    fputc(',', out);
    put_quoted(out, row->measure->cores);
  } else {
    fputs(",,", out);
  }
#define WHOLE(key, value) fprintf(out, ",%lld", (long long)(value));
#define REAL(key, value)                                                                           \
  if (isnan(value)) {                                                                              \
    fputc(',', out);                                                                               \
  } else {                                                                                         \
    fprintf(out, ",%.*g", lpot_text_digits(value), (value));                                       \
  }
  NUMBERS(WHOLE, REAL)
#undef WHOLE
#undef REAL
  fputc('\n', out);
  return LPOT_OK;
}

static lpot_status write_csv(const lpot_benchmark_options *options,
                             const lpot_benchmark_measure *measures, size_t count,
                             lpot_error *err) {
  FILE *out = fopen(options->csv_path, "w");
  if (out == NULL) {
    return LPOT_FAIL(err, LPOT_IO, "cannot write '%s': %s", options->csv_path, strerror(errno));
  }
  fputs("model,instances,instance,host,cores", out);
#define X(key, value) fputs("," key, out);
  NUMBERS(X, X)
#undef X
  fputc('\n', out);
  lpot_status status = write_rows(options, measures, count, write_csv_row, out, err);
  bool failed = ferror(out) != 0;
  failed = fclose(out) != 0 || failed;
  if (status == LPOT_OK && failed) {
    status = LPOT_FAIL(err, LPOT_IO, "cannot write '%s': %s", options->csv_path, strerror(errno));
  }
  return status;
}

static lpot_status fail_output(const char *path, int code, lpot_error *err) {
  return LPOT_FAIL(err, LPOT_IO, "cannot write '%s': %s", path, strerror(code));
}

static lpot_status check_csv(const char *path, lpot_error *err) {
  if (access(path, F_OK) == 0) {
    return access(path, W_OK) == 0 ? LPOT_OK : fail_output(path, errno, err);
  }
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) { /* EEXIST: a link to a file that is to come */
    return errno == EEXIST ? LPOT_OK : fail_output(path, errno, err);
  }
  close(file);
  unlink(path);
  return LPOT_OK;
}

static lpot_status check_hdf5(const char *path, lpot_error *err) {
  lpot_output_file *file = NULL;
  LPOT_TRY(lpot_output_file_open(path, &file, err));
  lpot_output_file_free(file);
  return LPOT_OK;
}

lpot_status lpot_benchmark_check_outputs(const lpot_benchmark_options *options, lpot_error *err) {
  const struct {
    const char *path;
    lpot_status (*check)(const char *path, lpot_error *err);
  } outputs[] = {{options->csv_path, check_csv}, {options->hdf5_path, check_hdf5}};
  for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
    struct stat info;
    const char *path = outputs[i].path;
    if (path != NULL && stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
      return fail_output(path, EISDIR, err);
    }
    if (path != NULL) {
      LPOT_TRY(outputs[i].check(path, err));
    }
  }
  return LPOT_OK;
}

lpot_status lpot_benchmark_print(const lpot_benchmark_options *options,
                                 const lpot_benchmark_measure *measures, size_t count,
                                 lpot_error *err) {
  if (options->json) {
    LPOT_TRY(write_rows(options, measures, count, write_json_row, stdout, err));
  } else if (!options->quiet) {
    write_table_head(options, stdout);
    LPOT_TRY(write_rows(options, measures, count, write_table_row, stdout, err));
  }
  if (options->csv_path != NULL) {
    LPOT_TRY(write_csv(options, measures, count, err));
  }
  if (options->hdf5_path != NULL) {
    LPOT_TRY(lpot_benchmark_write_hdf5(options, measures, count, err));
  }
  return LPOT_OK;
}
