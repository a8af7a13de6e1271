/* A rank's instances of a benchmark: forked, led from model to model, and gathered on rank 0. */
#include "tune/benchmark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "tune/interrupt.h"
#include "tune/job.h"
#include "tune/protocol.h"

#define LOOK_SECONDS 0.5
#define DEATH_SECONDS 1.0    /* from the end of an instance's link to its own */
#define PHASE_SECONDS 3600.0 /* for an instance to get ready, or to measure */

typedef struct bench_instance {
  pid_t pid; /* 0: it has ended */
  lpot_link *link;
  lpot_benchmark_instance what;
} bench_instance;

struct lpot_instances {
  const lpot_benchmark_options *options;
  size_t num_instances;
  bench_instance *instances; /* [num_instances] */
  size_t num_measures, capacity;
  lpot_benchmark_measure *measures; /* [num_measures] of this rank; on rank 0 in the end of all */
};

void lpot_benchmark_label(const lpot_benchmark_model *model, char *out, size_t out_size) {
  const char *slash = strrchr(model->path, '/');
  const char *name = slash == NULL ? model->path : slash + 1;
  const char *recipe = model->recipe_path;
  if (recipe != NULL) {
    slash = strrchr(recipe, '/');
    recipe = slash == NULL ? recipe : slash + 1;
  }
  snprintf(out, out_size, "%s%s%s", name,
           recipe != NULL ? " + "
           : model->bf16  ? " in bf16"
                          : "",
           recipe != NULL ? recipe : "");
}

/* ---- cores ---- */

/* What this process may run on. */
typedef struct core_choice {
  lpot_cpu_set allowed;
  lpot_cpu_set cores; /* one processor of each core: those are taken first */
} core_choice;

static lpot_status look_at_cores(core_choice *ret, lpot_error *err) {
  LPOT_TRY(lpot_machine_allowed(&ret->allowed, err));
  ret->cores = ret->allowed;
  lpot_machine_keep_cores(&ret->cores);
  return LPOT_OK;
}

/* Instances of one rank, cores of one instance, and where those of this rank begin. */
typedef struct core_layout {
  size_t instances, cores, first;
} core_layout;

static lpot_status lay_out(const lpot_config *config, const core_choice *choice, core_layout *ret,
                           lpot_error *err) {
  size_t allowed = lpot_cpu_set_count(&choice->allowed);
  int local_rank = 0;
  int local_size = 1;
  lpot_comm_local_by_environment(&local_rank, &local_size);
  size_t instances = (size_t)config->num_instances;
  if (instances > LPOT_MAX_INSTANCES) {
    return LPOT_FAIL(err, LPOT_CONFIG, "%s: num_of_instance is %zu, at most %d are possible",
                     lpot_yaml_name(config->yaml), instances, LPOT_MAX_INSTANCES);
  }
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  bool is_bound = online > 0 && allowed < (size_t)online;
  size_t ranks = is_bound ? 1 : (size_t)local_size;
  size_t cores = (size_t)config->cores_per_instance;
  if (cores == 0) {
    cores = lpot_cpu_set_count(&choice->cores) / (ranks * instances);
    cores = cores > 0 ? cores : 1;
  }
  if (ranks * instances * cores > allowed) {
    return LPOT_FAIL(err, LPOT_CONFIG,
                     "%s: evaluation.performance.configs: %zu x %zu instances with %zu cores each "
                     "need %zu cores, this process may use %zu",
                     lpot_yaml_name(config->yaml), ranks, instances, cores,
                     ranks * instances * cores, allowed);
  }
  bool has_room = (size_t)local_size * instances * cores <= allowed;
  *ret = (core_layout){.instances = instances,
                       .cores = cores,
                       .first = has_room ? (size_t)local_rank * instances * cores : 0};
  return LPOT_OK;
}

/* ---- instances ---- */

static lpot_status fork_all(lpot_instances *benchmark, const core_layout *layout,
                            const core_choice *choice, lpot_error *err) {
  int rank = lpot_comm_rank_by_environment();
  benchmark->instances = lpot_calloc(layout->instances, sizeof *benchmark->instances);
  if (benchmark->instances == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < layout->instances; i++) {
    bench_instance *instance = &benchmark->instances[i];
    instance->what.options = benchmark->options;
    instance->what.rank = rank;
    instance->what.number = rank * (int)layout->instances + (int)i;
    lpot_cpu_set_take(&choice->allowed, &choice->cores, layout->first + i * layout->cores,
                      layout->cores, &instance->what.cpus);
    benchmark->num_instances++;
    LPOT_TRY(lpot_benchmark_fork(&instance->what, &instance->pid, &instance->link, err));
  }
  return LPOT_OK;
}

/* A recipe is calibrated by a whole job. */
static bool needs_metric(const lpot_benchmark_options *options) {
  bool needs = options->accuracy;
  for (size_t i = 0; i < options->num_models; i++) {
    needs = needs || options->models[i].recipe_path != NULL;
  }
  return needs;
}

static lpot_status start(lpot_instances *benchmark, lpot_error *err) {
  const lpot_benchmark_options *options = benchmark->options;
  const lpot_job_options wanted = {.config_path = options->config_path,
                                   .config_text = options->config_text,
                                   .num_settings = options->num_settings,
                                   .settings = options->settings,
                                   .purpose = LPOT_CONFIG_BENCHMARK,
                                   .warns = lpot_comm_rank_by_environment() == 0};
  lpot_config *config = NULL;
  if (wanted.warns) { /* rank 0 */
    LPOT_TRY(lpot_benchmark_check_outputs(options, err));
  }
  LPOT_TRY(lpot_job_probe(&wanted, err));
  LPOT_TRY(lpot_job_read_config(&wanted, &config, err));
  core_choice choice;
  core_layout layout = {0};
  lpot_status status = look_at_cores(&choice, err);
  if (status == LPOT_OK && needs_metric(options)) {
    status = lpot_config_need_metric(config, err);
  }
  if (status == LPOT_OK && options->accuracy) { /* One is enough; on other ranks none. */
    layout = (core_layout){.instances = lpot_comm_rank_by_environment() == 0 ? 1 : 0, .cores = 1};
  } else if (status == LPOT_OK) {
    status = lay_out(config, &choice, &layout, err);
  }
  lpot_config_free(config);
  LPOT_TRY(status);
  LPOT_TRY(fork_all(benchmark, &layout, &choice, err));
  return LPOT_OK;
}

lpot_status lpot_instances_start(const lpot_benchmark_options *options,
                                 lpot_instances **ret_benchmark, lpot_error *err) {
  lpot_instances *benchmark = lpot_calloc(1, sizeof *benchmark);
  if (benchmark == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  benchmark->options = options;
  lpot_status status = start(benchmark, err);
  if (status != LPOT_OK) {
    lpot_instances_free(benchmark);
    return status;
  }
  *ret_benchmark = benchmark;
  return LPOT_OK;
}

void lpot_instances_free(lpot_instances *benchmark) {
  if (benchmark == NULL) {
    return;
  }
  for (size_t i = 0; i < benchmark->num_instances; i++) {
    bench_instance *instance = &benchmark->instances[i];
    lpot_link_free(instance->link);
    lpot_benchmark_end(instance->pid);
  }
  for (size_t i = 0; i < benchmark->num_measures; i++) {
    lpot_benchmark_measure_done(&benchmark->measures[i]);
  }
  lpot_free(benchmark->measures);
  lpot_free(benchmark->instances);
  lpot_free(benchmark);
}

/* ---- leading ---- */

static lpot_status fail_dead(bench_instance *instance, lpot_error *err) {
  char cores[LPOT_HOST_SIZE];
  int status = 0;
  lpot_cpu_set_text(&instance->what.cpus, cores, sizeof cores);
  if (lpot_child_has_ended(instance->pid, DEATH_SECONDS, &status)) {
    instance->pid = 0;
  }
  if (WIFSIGNALED(status)) {
    return LPOT_FAIL(err, LPOT_CRASHED, "instance %d (cores %s) was ended by signal %d (%s)",
                     instance->what.number, cores, WTERMSIG(status), strsignal(WTERMSIG(status)));
  }
  return LPOT_FAIL(err, LPOT_CRASHED, "instance %d (cores %s) has ended with exit code %d",
                   instance->what.number, cores, WEXITSTATUS(status));
}

/* The next message of an instance; LPOT_INTERRUPTED by a signal. */
static lpot_status hear(bench_instance *instance, lpot_buffer *inbox, lpot_message *ret,
                        lpot_error *err) {
  lpot_link_news news = LPOT_LINK_SILENT;
  double waited = 0;
  while (news == LPOT_LINK_SILENT) {
    if (lpot_interrupt_requested()) {
      return LPOT_FAIL(err, LPOT_INTERRUPTED, "the benchmark was interrupted");
    }
    if (waited > PHASE_SECONDS) {
      return LPOT_FAIL(err, LPOT_CRASHED, "instance %d does not answer", instance->what.number);
    }
    LPOT_TRY(lpot_link_receive(instance->link, LOOK_SECONDS, &news, inbox, err));
    waited += LOOK_SECONDS;
  }
  if (news == LPOT_LINK_CLOSED) {
    return fail_dead(instance, err);
  }
  LPOT_TRY(lpot_message_parse(inbox->data, inbox->size, ret, err));
  if (ret->kind != LPOT_MESSAGE_FAILED) {
    return LPOT_OK;
  }
  lpot_reader reader;
  lpot_status status = LPOT_OK;
  char cause[LPOT_CAUSE_SIZE];
  lpot_reader_init(&reader, ret->payload, ret->size);
  LPOT_TRY(lpot_failure_read(&reader, &status, cause, err));
  return LPOT_FAIL(err, status, "%s", cause);
}

static lpot_status expect(bench_instance *instance, lpot_message_kind kind, lpot_buffer *inbox,
                          lpot_message *ret, lpot_error *err) {
  LPOT_TRY(hear(instance, inbox, ret, err));
  if (ret->kind != kind) {
    return LPOT_FAIL(err, LPOT_FORMAT, "instance %d answers out of turn", instance->what.number);
  }
  return LPOT_OK;
}

static lpot_status wait_until_ready(lpot_instances *benchmark, lpot_error *err) {
  lpot_buffer inbox;
  lpot_buffer_init(&inbox);
  lpot_status status = LPOT_OK;
  for (size_t i = 0; i < benchmark->num_instances && status == LPOT_OK; i++) {
    lpot_message message;
    status = expect(&benchmark->instances[i], LPOT_MESSAGE_HELLO, &inbox, &message, err);
  }
  lpot_buffer_done(&inbox);
  return status;
}

static lpot_status say_go(lpot_instances *benchmark, lpot_error *err) {
  lpot_buffer message;
  lpot_buffer_init(&message);
  lpot_status status = lpot_message_begin(&message, LPOT_MESSAGE_START, 0, err);
  if (status == LPOT_OK) {
    status = lpot_message_finish(&message, err);
  }
  for (size_t i = 0; i < benchmark->num_instances && status == LPOT_OK; i++) {
    status = lpot_link_post(benchmark->instances[i].link, &message, err);
  }
  lpot_buffer_done(&message);
  return status;
}

/* Takes what *measure owns. */
static lpot_status keep(lpot_instances *benchmark, lpot_benchmark_measure *measure,
                        lpot_error *err) {
  if (benchmark->num_measures == benchmark->capacity) {
    size_t capacity = benchmark->capacity == 0 ? 16 : 2 * benchmark->capacity;
    lpot_benchmark_measure *grown =
        lpot_realloc(benchmark->measures, capacity, sizeof *benchmark->measures);
    if (grown == NULL) {
      lpot_benchmark_measure_done(measure);
      return LPOT_OUT_OF_MEMORY(err);
    }
    benchmark->measures = grown;
    benchmark->capacity = capacity;
  }
  benchmark->measures[benchmark->num_measures] = *measure;
  benchmark->num_measures++;
  return LPOT_OK;
}

static lpot_status collect(lpot_instances *benchmark, lpot_comm *comm, lpot_error *err) {
  lpot_buffer inbox;
  lpot_buffer_init(&inbox);
  lpot_status status = LPOT_OK;
  for (size_t i = 0; i < benchmark->num_instances && status == LPOT_OK; i++) {
    lpot_message message;
    lpot_benchmark_measure measure = {0};
    lpot_reader reader;
    status = expect(&benchmark->instances[i], LPOT_MESSAGE_OUTCOME, &inbox, &message, err);
    if (status == LPOT_OK) {
      lpot_reader_init(&reader, message.payload, message.size);
      status = lpot_benchmark_measure_read(&reader, benchmark->options->num_models, &measure, err);
    }
    if (status == LPOT_OK) {
      lpot_text_copy(measure.host, sizeof measure.host, lpot_comm_host(comm));
      status = keep(benchmark, &measure, err);
    }
  }
  lpot_buffer_done(&inbox);
  return status;
}

/* All ranks go on, or none. */
static lpot_status agree(lpot_comm *comm, lpot_status status, lpot_error *err) {
  int rank = -1;
  LPOT_TRY(lpot_comm_agree(comm, status, PHASE_SECONDS, &rank, err));
  return LPOT_OK;
}

static lpot_status lead(lpot_instances *benchmark, lpot_comm *comm, lpot_error *err) {
  for (size_t i = 0; i < benchmark->options->num_models; i++) {
    lpot_status status = wait_until_ready(benchmark, err);
    LPOT_TRY(agree(comm, status, err));
    status = say_go(benchmark, err);
    if (status == LPOT_OK) {
      status = collect(benchmark, comm, err);
    }
    LPOT_TRY(agree(comm, status, err));
  }
  return LPOT_OK;
}

/* ---- gathering ---- */

static lpot_status send_measures(const lpot_instances *benchmark, lpot_comm *comm,
                                 lpot_error *err) {
  lpot_buffer message;
  lpot_buffer_init(&message);
  lpot_status status = LPOT_OK;
  for (size_t i = 0; i < benchmark->num_measures && status == LPOT_OK; i++) {
    status = lpot_benchmark_measure_write(&benchmark->measures[i], &message, err);
  }
  if (status == LPOT_OK) {
    status = lpot_comm_send(comm, 0, &message, err);
  }
  lpot_buffer_done(&message);
  return status;
}

static lpot_status take_measures(lpot_instances *benchmark, const lpot_buffer *message,
                                 lpot_error *err) {
  lpot_reader reader;
  lpot_reader_init(&reader, message->data, message->size);
  while (lpot_reader_remaining(&reader) > 0) {
    lpot_benchmark_measure measure = {0};
    LPOT_TRY(lpot_benchmark_measure_read(&reader, benchmark->options->num_models, &measure, err));
    LPOT_TRY(keep(benchmark, &measure, err));
  }
  return LPOT_OK;
}

static lpot_status receive_measures(lpot_instances *benchmark, lpot_comm *comm, lpot_error *err) {
  lpot_buffer message;
  lpot_buffer_init(&message);
  lpot_status status = LPOT_OK;
  double waited = 0;
  for (int left = lpot_comm_size(comm) - 1; left > 0 && status == LPOT_OK;) {
    int from = -1;
    status = lpot_comm_receive(comm, LOOK_SECONDS, &from, &message, err);
    if (status == LPOT_OK && from >= 0) {
      status = take_measures(benchmark, &message, err);
      left--;
    } else if (status == LPOT_OK) {
      waited += LOOK_SECONDS;
      status = waited < PHASE_SECONDS
                   ? LPOT_OK
                   : LPOT_FAIL(err, LPOT_MPI, "%d ranks did not send what they measured", left);
    }
  }
  lpot_buffer_done(&message);
  return status;
}

static int compare_measures(const void *a, const void *b) {
  const lpot_benchmark_measure *left = a;
  const lpot_benchmark_measure *right = b;
  int by_model = (left->variant > right->variant) - (left->variant < right->variant);
  return by_model != 0 ? by_model
                       : (left->instance > right->instance) - (left->instance < right->instance);
}

static lpot_status gather(lpot_instances *benchmark, lpot_comm *comm, lpot_error *err) {
  if (lpot_comm_rank(comm) != 0) {
    LPOT_TRY(send_measures(benchmark, comm, err));
    return LPOT_OK;
  }
  LPOT_TRY(receive_measures(benchmark, comm, err));
  qsort(benchmark->measures, benchmark->num_measures, sizeof *benchmark->measures,
        compare_measures);
  LPOT_TRY(
      lpot_benchmark_print(benchmark->options, benchmark->measures, benchmark->num_measures, err));
  return LPOT_OK;
}

lpot_status lpot_instances_run(lpot_instances *benchmark, lpot_comm *comm, lpot_status status,
                               lpot_error *err) {
  LPOT_TRY(agree(comm, status, err));
  LPOT_TRY(lead(benchmark, comm, err));
  LPOT_TRY(gather(benchmark, comm, err));
  if (lpot_comm_rank(comm) == 0 && (fflush(stdout) != 0 || ferror(stdout) != 0)) {
    return LPOT_FAIL(err, LPOT_IO, "standard output could not be written");
  }
  return LPOT_OK;
}

const lpot_benchmark_measure *lpot_instances_measures(const lpot_instances *benchmark,
                                                      size_t *ret_count) {
  *ret_count = benchmark->num_measures;
  return benchmark->measures;
}
