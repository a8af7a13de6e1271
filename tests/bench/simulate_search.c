/* A whole search in virtual time: the real coordinator with strategy, journal and history, and any
 * number of workers that exist in a simulation only (simulated_crew.h). Shows where it saturates.
 *
 * usage: simulate_search [--workers 64,1000,10000] [--trials N] [--simulation "block=1,spread=0.5"]
 *          [--set KEY.PATH=VALUE]... [--latency S] [--send S] [--doze S] [--folder TMP] [--check]
 *          CONF MODEL
 *
 * One row for each number of workers: busy is the share of the workers' time in which they worked,
 * useful what became trials, sync and coord. the coordinator's share of time in syncs and
 * altogether. --check fails unless the trials are the same with every number. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "simulated_crew.h"
#include "tune/coordinator.h"

#define MAX_SETTINGS 32
#define MAX_COUNTS 16
#define PATH_SIZE 512

typedef struct command_line {
  size_t num_counts;
  size_t counts[MAX_COUNTS]; /* [num_counts] numbers of workers */
  size_t num_settings;
  const char *settings[MAX_SETTINGS]; /* [num_settings] */
  char max_trials[64];
  simulation work;
  simulated_crew_options crew;
  const char *folder;
  bool check;
  const char *config_path, *model_path;
} command_line;

/* What a child process tells of its search. */
typedef struct report {
  bool done;
  size_t trials, pruned;
  double seconds; /* of search, virtual */
  double useful_seconds;
  double real_seconds;
  uint64_t journal_bytes;
  long peak_kb;
  uint64_t trials_hash;
  simulated_crew_counts counts;
} report;

/* ---- command line ---- */

static bool read_counts(const char *text, command_line *ret) {
  ret->num_counts = 0;
  while (*text != '\0' && ret->num_counts < MAX_COUNTS) {
    char *end = NULL;
    ret->counts[ret->num_counts] = strtoul(text, &end, 10);
    if (end == text || ret->counts[ret->num_counts] == 0) {
      return false;
    }
    ret->num_counts++;
    text = *end == ',' ? end + 1 : end;
  }
  return ret->num_counts > 0 && *text == '\0';
}

static bool add_setting(const char *text, command_line *ret) {
  if (ret->num_settings == MAX_SETTINGS) {
    return false;
  }
  ret->settings[ret->num_settings++] = text;
  return true;
}

static bool read_number(const char *name, const char *value, command_line *ret) {
  double *number = lpot_text_equal(name, "--latency") ? &ret->crew.latency_seconds
                   : lpot_text_equal(name, "--send")  ? &ret->crew.send_seconds
                   : lpot_text_equal(name, "--doze")  ? &ret->crew.doze_seconds
                                                      : NULL;
  if (number != NULL) {
    *number = strtod(value, NULL);
  }
  return number != NULL;
}

static bool read_option(const char *name, const char *value, command_line *ret) {
  if (lpot_text_equal(name, "--workers")) {
    return read_counts(value, ret);
  }
  if (lpot_text_equal(name, "--trials")) {
    snprintf(ret->max_trials, sizeof ret->max_trials, "tuning.exit_policy.max_trials=%.20s", value);
    return add_setting(ret->max_trials, ret);
  }
  if (lpot_text_equal(name, "--set")) {
    return add_setting(value, ret);
  }
  if (lpot_text_equal(name, "--simulation")) {
    return simulation_read(value, &ret->work);
  }
  if (lpot_text_equal(name, "--folder")) {
    ret->folder = value;
    return true;
  }
  return read_number(name, value, ret);
}

static bool read_command_line(int argc, char **argv, command_line *ret) {
  *ret = (command_line){
      .num_counts = 3,
      .counts = {64, 1000, 10000},
      .folder = "/tmp",
      .crew = {.latency_seconds = 20e-6, .send_seconds = 3e-6, .doze_seconds = 0.01}};
  if (!simulation_read("", &ret->work)) {
    return false;
  }
  int index = 1;
  while (index + 1 < argc && strncmp(argv[index], "--", 2) == 0) {
    if (lpot_text_equal(argv[index], "--check")) {
      ret->check = true;
      index++;
      continue;
    }
    if (!read_option(argv[index], argv[index + 1], ret)) {
      return false;
    }
    index += 2;
  }
  if (index + 2 != argc) {
    return false;
  }
  ret->config_path = argv[index];
  ret->model_path = argv[index + 1];
  return true;
}

/* ---- one search ---- */

/* What decides of the trials: equal with any number of workers. */
static uint64_t hash_trials(const lpot_ledger *ledger) {
  uint64_t hash = 0;
  for (size_t i = 0; i < ledger->num_trials; i++) {
    const lpot_ledger_trial *trial = &ledger->trials[i];
    const lpot_ledger_result *result = lpot_ledger_result_of(ledger, trial);
    uint64_t parts[] = {trial->id,         (uint64_t)trial->stage, (uint64_t)trial->meets,
                        trial->size_bytes, result->recipe_hash,    (uint64_t)result->status,
                        result->samples};
    hash = lpot_hash64(parts, sizeof parts, hash);
    hash = lpot_hash64(&result->accuracy, sizeof result->accuracy, hash);
  }
  return lpot_hash64(&ledger->chosen, sizeof ledger->chosen, hash);
}

static void fill_report(const lpot_ledger *ledger, report *ret) {
  ret->trials = ledger->num_trials;
  for (size_t i = 0; i < ledger->num_trials; i++) {
    const lpot_ledger_result *result = lpot_ledger_result_of(ledger, &ledger->trials[i]);
    ret->useful_seconds += result->seconds;
    ret->pruned += result->status == LPOT_TRIAL_PRUNED ? 1 : 0;
  }
  ret->seconds = ledger->num_trials == 0 ? 0 : ledger->trials[ledger->num_trials - 1].elapsed;
  ret->trials_hash = hash_trials(ledger);
}

static lpot_status open_run(const char *journal_path, const lpot_transport *transport,
                            lpot_run *run, lpot_error *err) {
  LPOT_TRY(
      lpot_journal_open(journal_path, false, lpot_ledger_apply, run->ledger, &run->journal, err));
  LPOT_TRY(lpot_crew_new(transport, &run->clock, &run->crew, err));
  LPOT_TRY(lpot_run_init(run, err));
  return LPOT_OK;
}

static lpot_status search(const command_line *options, simulated_crew *crew, lpot_job *job,
                          const char *workspace, report *ret, lpot_error *err) {
  lpot_ledger ledger;
  lpot_run_options run_options = {.workspace = workspace};
  lpot_run run = {.job = job, .ledger = &ledger, .options = &run_options, .own_host = "simulated"};
  lpot_transport transport = simulated_crew_transport(crew);
  run.clock = simulated_crew_clock(crew);
  lpot_ledger_init(&ledger);
  lpot_buffer path;
  lpot_buffer_init(&path);
  lpot_status status = lpot_workspace_path(workspace, LPOT_JOURNAL_NAME, &path, err);
  if (status == LPOT_OK) {
    status = open_run((const char *)path.data, &transport, &run, err);
  }
  if (status == LPOT_OK) {
    status = lpot_coordinate(&run, options->model_path, options->config_path, err);
  }
  fill_report(&ledger, ret);
  simulated_crew_count(crew, run.search_start + ret->seconds, &ret->counts);
  struct stat information = {0};
  if (status == LPOT_OK && stat((const char *)path.data, &information) == 0) {
    ret->journal_bytes = (uint64_t)information.st_size;
  }
  lpot_run_done(&run);
  lpot_crew_free(run.crew);
  lpot_journal_close(run.journal);
  lpot_ledger_done(&ledger);
  lpot_buffer_done(&path);
  return status;
}

static lpot_status search_with(const command_line *options, size_t workers, const char *workspace,
                               report *ret, lpot_error *err) {
  lpot_job_options job_options = {.config_path = options->config_path,
                                  .num_settings = options->num_settings,
                                  .settings = options->settings,
                                  .model_path = options->model_path,
                                  .engine_name = "onednn",
                                  .local_ranks = 1,
                                  .needs_data = true};
  simulated_crew_options crew_options = options->crew;
  simulated_crew *crew = NULL;
  lpot_clock clock = lpot_clock_monotonic();
  double start = lpot_clock_now(&clock);
  crew_options.workers = workers;
  crew_options.work = &options->work;
  LPOT_TRY(lpot_job_new(&job_options, &crew_options.job, err));
  lpot_status status = simulated_crew_new(&crew_options, &crew, err);
  if (status == LPOT_OK) {
    status = search(options, crew, crew_options.job, workspace, ret, err);
  }
  simulated_crew_free(crew);
  lpot_job_free(crew_options.job);
  ret->real_seconds = lpot_clock_now(&clock) - start;
  return status;
}

/* ---- a process for each search ---- */

/* Removes a folder with the files in it. */
static void remove_folder(const char *folder) {
  DIR *stream = opendir(folder);
  struct dirent *entry = stream == NULL ? NULL : readdir(stream);
  while (entry != NULL) {
    if (entry->d_name[0] != '.') {
      unlinkat(dirfd(stream), entry->d_name, 0);
    }
    entry = readdir(stream);
  }
  if (stream != NULL) {
    closedir(stream);
  }
  rmdir(folder);
}

/* In a process of its own, whose peak of memory is that of its search. */
static void run_child(const command_line *options, size_t workers, int pipe_fd) {
  report result = {0};
  lpot_error error = {0};
  char workspace[PATH_SIZE];
  struct rusage usage = {0};
  snprintf(workspace, sizeof workspace, "%s/simulate_search_XXXXXX", options->folder);
  if (mkdtemp(workspace) == NULL) {
    fprintf(stderr, "cannot make a folder in '%s'\n", options->folder);
    _exit(1);
  }
  lpot_status status = search_with(options, workers, workspace, &result, &error);
  remove_folder(workspace);
  getrusage(RUSAGE_SELF, &usage);
  result.peak_kb = usage.ru_maxrss;
  result.done = status == LPOT_OK;
  if (status != LPOT_OK) {
    fprintf(stderr, "%zu workers: %s\n", workers, error.message);
  }
  ssize_t written = write(pipe_fd, &result, sizeof result);
  _exit(written == (ssize_t)sizeof result ? 0 : 1);
}

static bool run_search(const command_line *options, size_t workers, report *ret) {
  int ends[2];
  *ret = (report){0};
  if (pipe(ends) != 0) {
    return false;
  }
  pid_t child = fork();
  if (child == 0) {
    run_child(options, workers, ends[1]);
  }
  close(ends[1]);
  bool told = child > 0 && read(ends[0], ret, sizeof *ret) == (ssize_t)sizeof *ret;
  close(ends[0]);
  if (child > 0) {
    waitpid(child, NULL, 0);
  }
  return told && ret->done;
}

/* ---- the table ---- */

static void print_head(void) {
  printf("%7s %7s %7s %9s %9s %6s %6s %9s %9s %10s %7s %6s %6s %8s %7s %7s\n", "workers", "trials",
         "pruned", "search s", "trials/s", "busy", "useful", "message/s", "B/message", "journal/s",
         "sync/s", "sync", "coord.", "us/trial", "peak MB", "real s");
  fflush(stdout);
}

static void print_row(size_t workers, const report *row) {
  const simulated_crew_counts *counts = &row->counts;
  double seconds = row->seconds;
  double all = (double)workers * seconds;
  printf("%7zu %7zu %7zu %9.2f %9.1f %5.1f%% %5.1f%% %9.0f %9.0f %8.0fkB %7.1f %5.1f%% %5.1f%% "
         "%8.0f %7.0f %7.1f\n",
         workers, row->trials, row->pruned, seconds, (double)row->trials / seconds,
         100 * counts->busy_seconds / all, 100 * row->useful_seconds / all,
         (double)counts->messages / seconds,
         (double)counts->message_bytes / (double)counts->messages,
         (double)row->journal_bytes / seconds / 1000, (double)counts->syncs / seconds,
         100 * counts->sync_seconds / seconds, 100 * counts->coordinator_seconds / seconds,
         1e6 * counts->coordinator_seconds / (double)row->trials, (double)row->peak_kb / 1024,
         row->real_seconds);
  fflush(stdout);
}

int main(int argc, char **argv) {
  command_line options;
  if (!read_command_line(argc, argv, &options)) {
    fprintf(stderr, "usage: simulate_search [options, see its source] CONF MODEL\n");
    return 2;
  }
  setenv("OMP_NUM_THREADS", "1", 1);
  lpot_log_set_level(LPOT_LOG_ERROR);
  print_head();
  uint64_t first_hash = 0;
  for (size_t i = 0; i < options.num_counts; i++) {
    report row;
    if (!run_search(&options, options.counts[i], &row)) {
      fprintf(stderr, "the search with %zu workers failed\n", options.counts[i]);
      return 1;
    }
    print_row(options.counts[i], &row);
    first_hash = i == 0 ? row.trials_hash : first_hash;
    if (options.check && row.trials_hash != first_hash) {
      fprintf(stderr, "%zu workers: other trials than with %zu\n", options.counts[i],
              options.counts[0]);
      return 1;
    }
  }
  return 0;
}
