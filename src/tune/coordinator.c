#include "tune/coordinator.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "tune/export.h"
#include "tune/judge.h"
#include "tune/progress.h"
#include "tune/report_html.h"
#include "tune/search.h"

#define HELLO_SECONDS 120.0

/* ---- the workers ---- */

static bool same_digest(const lpot_digest *a, const lpot_digest *b) {
  return a->low == b->low && a->high == b->high;
}

static bool same_class(const lpot_hello *hello, const char *numeric_class) {
  return strcmp(hello->numeric_class, numeric_class) == 0;
}

static lpot_status check_worker(const lpot_run *run, const lpot_hello *hello, const lpot_hello *own,
                                lpot_error *err) {
  const lpot_hello *first = lpot_crew_hello(run->crew, 0);
  if (!same_digest(&hello->model, &own->model)) {
    return LPOT_FAIL(err, LPOT_INVALID, "rank %d on %s reads another model file than rank 0",
                     hello->rank, hello->host);
  }
  if (hello->config_hash != own->config_hash) {
    return LPOT_FAIL(err, LPOT_INVALID, "rank %d on %s reads another configuration than rank 0",
                     hello->rank, hello->host);
  }
  if (!same_digest(&hello->data, &own->data)) {
    return LPOT_FAIL(err, LPOT_INVALID, "rank %d on %s reads other data files than rank 0",
                     hello->rank, hello->host);
  }
  if (!run->job->config->mixed_isa && !same_class(hello, first->numeric_class)) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "rank %d on %s computes as '%.120s', rank %d on %s as '%.120s': results would "
                     "differ (tuning.mixed_isa: refuse)",
                     hello->rank, hello->host, hello->numeric_class, first->rank, first->host,
                     first->numeric_class);
  }
  return LPOT_OK;
}

static lpot_status meet_workers(lpot_run *run, lpot_error *err) {
  lpot_hello own = {.model = run->job->model.digest};
  LPOT_TRY(lpot_crew_meet(run->crew, HELLO_SECONDS, err));
  LPOT_TRY(lpot_job_config_hash(run->job, &own.config_hash, err));
  LPOT_TRY(lpot_job_manifest(run->job, &own.data, err));
  for (size_t i = 0; i < lpot_crew_size(run->crew); i++) {
    LPOT_TRY(check_worker(run, lpot_crew_hello(run->crew, i), &own, err));
  }
  return LPOT_OK;
}

/* ---- numeric classes ---- */

/* The first worker whose processor saturates; NULL: none does. */
static const lpot_hello *saturating_worker(const lpot_run *run) {
  for (size_t i = 0; i < lpot_crew_size(run->crew); i++) {
    const lpot_hello *hello = lpot_crew_hello(run->crew, i);
    if (hello->saturates) {
      return hello;
    }
  }
  return NULL;
}

/* The journal's class where a worker is of it, else the first worker's. */
static const char *class_of_job(const lpot_run *run) {
  const char *journaled = run->ledger->has_header ? run->ledger->header.numeric_class : "";
  for (size_t i = 0; i < lpot_crew_size(run->crew); i++) {
    if (same_class(lpot_crew_hello(run->crew, i), journaled)) {
      return journaled;
    }
  }
  return lpot_crew_hello(run->crew, 0)->numeric_class;
}

static size_t count_class(const lpot_run *run, size_t end, const char *numeric_class) {
  size_t count = 0;
  for (size_t i = 0; i < end; i++) {
    count += same_class(lpot_crew_hello(run->crew, i), numeric_class) ? 1 : 0;
  }
  return count;
}

/* One line for each class that is not the job's. */
static void tell_classes(const lpot_run *run) {
  const char *own = run->ledger->header.numeric_class;
  size_t size = lpot_crew_size(run->crew);
  for (size_t i = 0; i < size; i++) {
    const lpot_hello *hello = lpot_crew_hello(run->crew, i);
    if (same_class(hello, own) || count_class(run, i, hello->numeric_class) > 0) {
      continue;
    }
    lpot_log(LPOT_LOG_WARNING,
             "rank %d on %s, one of %zu such workers, computes as '%s', not as '%s': bit equality "
             "is off",
             hello->rank, hello->host, count_class(run, size, hello->numeric_class),
             hello->numeric_class, own);
  }
}

/* Whether weights have the reduced range is decided at a job's first start and stays. */
static lpot_status settle_weights(lpot_run *run, lpot_error *err) {
  const lpot_hello *worker = saturating_worker(run);
  bool wanted = worker != NULL && run->job->config->mixed_isa;
  if (wanted && run->ledger->num_sessions == 0 && !run->ledger->reduce_range) {
    LPOT_TRY(lpot_ledger_add_weights(run->ledger, run->journal, true, err));
  }
  if (wanted && !run->ledger->reduce_range) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "rank %d on %s computes as '%.120s', without VNNI, but the journal's recipes "
                     "have weights of 8 bits: they would saturate there",
                     worker->rank, worker->host, worker->numeric_class);
  }
  run->job->config->wishes.reduce_range = run->ledger->reduce_range;
  if (run->ledger->reduce_range) {
    lpot_log(LPOT_LOG_INFO, "weights have 7 bits, so that workers without VNNI do not saturate");
  } else if (worker != NULL) {
    lpot_log(LPOT_LOG_WARNING,
             "rank %d on %s has no VNNI: products of u8 and s8 saturate in 16 bits, int8 "
             "accuracies are lower than on others (tune where you deploy, allow int8 activations "
             "only, or set tuning.mixed_isa: allow, which makes weights of 7 bits)",
             worker->rank, worker->host);
  }
  return LPOT_OK;
}

/* ---- the header ---- */

static void absolute_path(const char *path, char out[PATH_MAX]) {
  char folder[PATH_MAX] = "";
  if (path[0] == '/' || getcwd(folder, sizeof folder) == NULL) {
    lpot_text_copy(out, PATH_MAX, path);
    return;
  }
  int length = snprintf(out, PATH_MAX, "%s/%s", folder, path);
  if (length < 0 || length >= PATH_MAX) {
    lpot_text_copy(out, PATH_MAX, path);
  }
}

/* What a header's texts point to while it is made. */
typedef struct header_texts {
  lpot_buffer config, identity, engine;
  char model_path[PATH_MAX];
  char config_path[PATH_MAX];
  char folder[PATH_MAX];
} header_texts;

static lpot_status make_texts(const lpot_run *run, header_texts *texts, lpot_error *err) {
  const lpot_engine *engine = run->job->engine;
  LPOT_TRY(lpot_config_text(run->job->config, false, &texts->config, err));
  LPOT_TRY(lpot_buffer_terminate(&texts->config, err));
  LPOT_TRY(lpot_config_text(run->job->config, true, &texts->identity, err));
  LPOT_TRY(lpot_buffer_terminate(&texts->identity, err));
  LPOT_TRY(lpot_buffer_printf(&texts->engine, err, "%s, %s", lpot_engine_name(engine),
                              lpot_engine_version(engine)));
  LPOT_TRY(lpot_buffer_terminate(&texts->engine, err));
  return LPOT_OK;
}

static lpot_status make_header(const lpot_run *run, header_texts *texts, lpot_ledger_header *header,
                               lpot_error *err) {
  LPOT_TRY(make_texts(run, texts, err));
  const lpot_quant_ops *ops = run->job->ops;
  /* The record only reads these texts and keeps copies, therefore the casts. */
  *header = (lpot_ledger_header){.program_version = (char *)LPOT_VERSION,
                                 .engine = (char *)texts->engine.data,
                                 .numeric_class = (char *)class_of_job(run),
                                 .model_path = texts->model_path,
                                 .config_name = texts->config_path,
                                 .folder = texts->folder,
                                 .config_text = (char *)texts->config.data,
                                 .identity = (char *)texts->identity.data,
                                 .model = run->job->model.digest,
                                 .seed = run->job->config->seed,
                                 .given_recipe = run->options->given_recipe == NULL
                                                     ? 0
                                                     : lpot_recipe_hash(run->options->given_recipe),
                                 .higher_is_better = run->job->higher_is_better,
                                 .num_ops = lpot_quant_ops_count(ops),
                                 .op_names = (char **)lpot_quant_ops_names(ops),
                                 .op_types = (char **)lpot_quant_ops_types(ops)};
  LPOT_TRY(lpot_job_manifest(run->job, &header->manifest, err));
  return LPOT_OK;
}

static lpot_status compare_headers(const lpot_config *config, const lpot_ledger_header *old,
                                   const lpot_ledger_header *fresh, lpot_error *err) {
  if (!same_digest(&old->model, &fresh->model)) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "the journal is of another model: '%s' has changed or is "
                     "not the one it was started with ('%s')",
                     fresh->model_path, old->model_path);
  }
  if (strcmp(old->identity, fresh->identity) != 0) {
    return lpot_config_fail_difference(config, old->identity, fresh->identity, err);
  }
  if (!same_digest(&old->manifest, &fresh->manifest)) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "the journal is of other data: files of the datasets have changed");
  }
  if (strcmp(old->numeric_class, fresh->numeric_class) != 0) {
    return LPOT_FAIL(
        err, LPOT_INVALID,
        "the journal was written by workers that compute as '%.150s', these are '%.150s'",
        old->numeric_class, fresh->numeric_class);
  }
  if (old->given_recipe != fresh->given_recipe) {
    return LPOT_FAIL(err, LPOT_INVALID, "the journal is of another kind of run: --recipe differs");
  }
  if (strcmp(old->engine, fresh->engine) != 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "the journal was written with engine '%s', this is '%s'",
                     old->engine, fresh->engine);
  }
  return LPOT_OK;
}

static lpot_status enter_header(lpot_run *run, const char *model_path, const char *config_path,
                                lpot_error *err) {
  header_texts texts = {0};
  lpot_buffer_init(&texts.config);
  lpot_buffer_init(&texts.identity);
  lpot_buffer_init(&texts.engine);
  absolute_path(model_path, texts.model_path);
  absolute_path(config_path, texts.config_path);
  if (getcwd(texts.folder, sizeof texts.folder) == NULL) {
    texts.folder[0] = '\0';
  }
  lpot_ledger_header header = {0};
  lpot_status status = make_header(run, &texts, &header, err);
  if (status == LPOT_OK) {
    status = run->ledger->has_header
                 ? compare_headers(run->job->config, &run->ledger->header, &header, err)
                 : lpot_ledger_add_header(run->ledger, run->journal, &header, err);
  }
  lpot_buffer_done(&texts.config);
  lpot_buffer_done(&texts.identity);
  lpot_buffer_done(&texts.engine);
  return status;
}

static lpot_status enter_session(lpot_run *run, lpot_error *err) {
  size_t count = lpot_crew_size(run->crew);
  lpot_ledger_rank *ranks = lpot_calloc(count, sizeof *ranks);
  if (ranks == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; i++) {
    const lpot_hello *hello = lpot_crew_hello(run->crew, i);
    ranks[i].rank = hello->rank;
    memcpy(ranks[i].host, hello->host, sizeof ranks[i].host);
    memcpy(ranks[i].numeric_class, hello->numeric_class, sizeof ranks[i].numeric_class);
  }
  if (run->ledger->num_sessions > 0) {
    lpot_log(LPOT_LOG_INFO, "resuming: %zu trials are in the journal", run->ledger->num_trials);
  }
  lpot_ledger_session session = {.start = lpot_clock_wall(),
                                 .num_ranks = count,
                                 .ranks = ranks,
                                 .max_trials = run->job->config->max_trials,
                                 .timeout_seconds = run->job->config->timeout_seconds};
  lpot_status status = lpot_ledger_add_session(run->ledger, run->journal, &session, err);
  lpot_free(ranks);
  return status;
}

/* ---- the baseline ---- */

/* What is worth keeping of the f32 model's evaluation: the records are not. */
static lpot_status judge_baseline(const lpot_run *run, lpot_ledger_baseline *baseline,
                                  lpot_error *err) {
  const lpot_evaluation *evaluation = run->wanted[0].evaluation;
  const lpot_metric *metric = run->job->metric;
  LPOT_TRY(lpot_evaluation_total(evaluation, metric, &baseline->state, err));
  lpot_status status = lpot_metric_value(metric, &baseline->state, &baseline->accuracy, err);
  lpot_buffer_done(&baseline->state.records);
  if (evaluation->has_correct) {
    baseline->num_bits = (size_t)evaluation->blocks.num_samples;
    baseline->correct = evaluation->correct;
  }
  return status;
}

static lpot_status record_baseline(lpot_run *run, double seconds, lpot_error *err) {
  lpot_ledger_baseline baseline = {.seconds = seconds};
  LPOT_TRY(judge_baseline(run, &baseline, err));
  if (baseline.state.bad > 0 || !isfinite(baseline.accuracy)) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "the f32 model's predictions are NaN or infinite for %llu of %llu samples",
                     (unsigned long long)baseline.state.bad,
                     (unsigned long long)baseline.state.samples);
  }
  LPOT_TRY(lpot_ledger_add_baseline(run->ledger, run->journal, &baseline, err));
  return LPOT_OK;
}

static lpot_status measure_baseline(lpot_run *run, lpot_error *err) {
  if (run->ledger->has_baseline) {
    return LPOT_OK;
  }
  lpot_clock clock = lpot_clock_monotonic();
  double start = lpot_clock_now(&clock);
  lpot_progress_phase("baseline", (long)run->job->blocks.num_blocks);
  const lpot_want f32 = {.recipe = NULL};
  lpot_status status = lpot_run_evaluate(run, &f32, err);
  lpot_progress_end();
  LPOT_TRY(status);
  LPOT_TRY(record_baseline(run, lpot_clock_now(&clock) - start, err));
  LPOT_TRY(lpot_run_want(run, NULL, 0, err));
  return LPOT_OK;
}

/* Tuning against a baseline that means nothing would be a waste, so this is said first. */
static void warn_of_baseline(const lpot_run *run) {
  const lpot_ledger_baseline *baseline = &run->ledger->baseline;
  const lpot_metric *metric = run->job->metric;
  double samples = (double)baseline->state.samples;
  if (lpot_metric_evaluates(metric)) {
    lpot_log(LPOT_LOG_INFO, "f32 baseline: %s %.6g", lpot_metric_name(metric), baseline->accuracy);
    return;
  }
  lpot_log(LPOT_LOG_INFO, "f32 baseline: %s %.6g on %.0f samples", lpot_metric_name(metric),
           baseline->accuracy, samples);
  int64_t num_classes = lpot_dataset_num_classes(lpot_loader_dataset(run->job->evaluation));
  double chance = lpot_metric_chance_level(metric, num_classes);
  if (!isnan(chance) && chance < 1 && samples > 0 &&
      baseline->accuracy <= chance + 3 * sqrt(chance * (1 - chance) / samples)) {
    lpot_log(LPOT_LOG_WARNING,
             "the f32 accuracy %.6g is near chance level (%.6g): do transforms and labels fit the "
             "model?",
             baseline->accuracy, chance);
  }
  if (baseline->state.first_class != 0 && baseline->state.first_class != UINT64_MAX &&
      samples > 1) {
    lpot_log(LPOT_LOG_WARNING,
             "the f32 model predicts class %llu for every sample: do transforms fit the model?",
             (unsigned long long)(baseline->state.first_class - 1));
  }
}

static void prepare_races(lpot_run *run) {
  run->races = lpot_judge_terms(run->job, &run->ledger->baseline, &run->terms);
  const char *reason = lpot_judge_no_race(run->job);
  if (reason != NULL) {
    lpot_log(LPOT_LOG_INFO, "no recipe is rejected early: %s", reason);
  }
}

/* ---- the end ---- */

static lpot_status export_chosen(lpot_run *run, uint64_t chosen, lpot_error *err) {
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(run->ledger, chosen);
  const lpot_recipe *recipe = lpot_ledger_result_of(run->ledger, trial)->recipe;
  const char *folder = run->options->workspace;
  LPOT_TRY(lpot_run_calibrate(run, lpot_calibration_key_of(recipe), err));
  LPOT_TRY(lpot_export_model(run->job, recipe, folder, "best_model.onnx", err));
  LPOT_TRY(lpot_export_recipe(run->job, recipe, folder, "best_recipe.yaml", err));
  LPOT_TRY(lpot_export_deploy(run->job, folder, "best_model.onnx", err));
  return LPOT_OK;
}

static lpot_status conclude(lpot_run *run, lpot_error *err) {
  bool met = false;
  LPOT_TRY(lpot_search_measure_front(run, err));
  uint64_t chosen = lpot_search_choose(run, &met);
  while (chosen != LPOT_NO_TRIAL && !lpot_search_is_whole(run, chosen)) {
    LPOT_TRY(lpot_search_complete(run, chosen, err));
    chosen = lpot_search_choose(run, &met); /* It may not be the most accurate after all. */
  }
  if (run->ledger->verdict == LPOT_VERDICT_NONE) {
    lpot_search_warn_of_objective(run);
  }
  if (chosen != LPOT_NO_TRIAL) {
    LPOT_TRY(lpot_search_measure(run, chosen, err));
    LPOT_TRY(lpot_search_weigh(run, chosen, err));
    LPOT_TRY(lpot_search_certify(run, chosen, err));
    LPOT_TRY(lpot_run_hold_out(run, chosen, err));
    LPOT_TRY(export_chosen(run, chosen, err));
  }
  lpot_verdict verdict = met ? LPOT_VERDICT_MET : LPOT_VERDICT_NOT_MET;
  if (run->ledger->verdict != verdict || run->ledger->chosen != chosen) {
    LPOT_TRY(lpot_ledger_add_verdict(run->ledger, run->journal, verdict, chosen, err));
  }
  return LPOT_OK;
}

static lpot_status run_phases(lpot_run *run, lpot_error *err) {
  run->ledger->f32_bytes = run->job->model.size_bytes;
  LPOT_TRY(measure_baseline(run, err));
  warn_of_baseline(run);
  LPOT_TRY(lpot_config_check_baseline(run->job->config, run->ledger->baseline.accuracy, err));
  prepare_races(run);
  LPOT_TRY(lpot_run_op_times(run, err));
  LPOT_TRY(lpot_search(run, err));
  LPOT_TRY(conclude(run, err));
  return LPOT_OK;
}

static lpot_status write_report(const lpot_run *run, lpot_error *err) {
  lpot_buffer path;
  lpot_buffer_init(&path);
  lpot_status status = lpot_workspace_path(run->options->workspace, LPOT_REPORT_NAME, &path, err);
  if (status == LPOT_OK) {
    status = lpot_report_html_write(run->ledger, run->job, (const char *)path.data, err);
  }
  lpot_buffer_done(&path);
  return status;
}

/* As for history.h5: the verdict stands without it. */
static void tell_of_report(const lpot_run *run) {
  lpot_error why = {0};
  if (write_report(run, &why) != LPOT_OK) {
    lpot_log(LPOT_LOG_WARNING,
             LPOT_REPORT_NAME " is not written: %s ('lpot-tune report %s' makes it from the "
                              "journal)",
             why.message, run->options->workspace);
  }
}

lpot_status lpot_coordinate(lpot_run *run, const char *model_path, const char *config_path,
                            lpot_error *err) {
  LPOT_TRY(meet_workers(run, err));
  LPOT_TRY(enter_header(run, model_path, config_path, err));
  LPOT_TRY(settle_weights(run, err));
  tell_classes(run);
  LPOT_TRY(enter_session(run, err));
  lpot_status status = run_phases(run, err);
  /* Also after a failure or a signal: what was found until then can be looked at. */
  lpot_run_checkpoint(run, true);
  tell_of_report(run);
  return status;
}
